//! What all routes share: data, keys, time, faults and the log of requests.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::Method;
use chrono::{DateTime, Utc};
use ring::rand::{SecureRandom, SystemRandom};
use ticket_wallet::model::Provider;
use ticket_wallet::{Issuer, ManifestIssuer};
use url::Url;

use crate::bam::{BamChoices, TokenKey};
use crate::config::SandboxConfig;
use crate::db::Db;
use crate::extension::{self, BadManifest};
use crate::faults::{Fault, FaultRule, next_fault};
use crate::recorder::Recorder;
use crate::season::Plan;
use crate::seeded;
use crate::texpo::Texpo;
use crate::ticketing::{self, Ticketing};
use crate::unidy::{self, Unidy};
use crate::users::{self, OrganizerUser, User};

/// A write that is being handled: the user and the idempotency key.
pub(crate) type Claim = (i64, String);

/// The state of one sandbox.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: SandboxConfig,
    /// Where it is reached.
    pub(crate) url: String,
    pub(crate) db: Db,
    pub(crate) tenants: Vec<ServedTenant>,
    pub(crate) holders: Vec<User>,
    pub(crate) organizers: Vec<OrganizerUser>,
    pub(crate) claims: Mutex<HashSet<Claim>>,
    pub(crate) recorder: Recorder,
    bam_choices: Mutex<BamChoices>,
    pub(crate) unidy: Unidy,
    pub(crate) ticketing: Ticketing,
    pub(crate) texpo: Texpo,
    /// What gates get in place of a good manifest.
    pub(crate) bad_manifest: Mutex<Option<BadManifest>>,
    token_key: Mutex<TokenKey>,
    faults: Mutex<Vec<FaultRule>>,
    requests: Mutex<Vec<String>>,
    offset_s: AtomicI64,
    feed_epoch: AtomicU64,
}

/// A tenant, with the key it signs credentials with where it serves the extension.
#[derive(Debug)]
pub(crate) struct ServedTenant {
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) issuer: Option<Issuer>,
    /// Its key for what gates work by, there too.
    pub(crate) manifest: Option<ManifestIssuer>,
}

impl App {
    /// Sets the sandbox up that will be reached at `url`.
    pub(crate) fn new(config: SandboxConfig, plan: &Plan, url: &str) -> std::io::Result<Self> {
        let db = Db::open().map_err(std::io::Error::other)?;
        let now = DateTime::from_timestamp_millis((config.clock)()).unwrap_or_default();
        db.write(|db| plan.fill(db, config.seed, config.tickets_per_user, now))
            .map_err(std::io::Error::other)?;
        fill_unidy(&db, plan, &config, now)?;
        let (holders, organizers) = (users::holders(plan, config.seed), users::organizers(plan, config.seed));
        let world =
            ticketing::fill(&holders, &organizers, config.seed, config.tickets_per_user, now.timestamp())?;
        let app = Self {
            url: url.to_owned(),
            tenants: served_tenants(plan, config.seed, url)?,
            claims: Mutex::default(),
            recorder: Recorder::default(),
            bam_choices: Mutex::new(config.bam.clone()),
            holders,
            organizers,
            unidy: Unidy::new(config.unidy.clone(), config.seed, url, now.timestamp_millis())?,
            ticketing: Ticketing::new(config.ticketing.clone(), world),
            texpo: Texpo::new(config.texpo.clone(), url, &names(plan), now.timestamp()),
            bad_manifest: Mutex::default(),
            token_key: Mutex::new(TokenKey::generate()?),
            faults: Mutex::default(),
            requests: Mutex::default(),
            offset_s: AtomicI64::new(0),
            feed_epoch: AtomicU64::new(1),
            config,
            db,
        };
        let holders = app.holders.iter().flat_map(User::secrets);
        let organizers = app.organizers.iter().flat_map(OrganizerUser::secrets);
        holders.chain(organizers).for_each(|secret| app.give_out(secret));
        let secrets = app.ticketing.world().secrets();
        secrets.iter().for_each(|secret| app.give_out(secret));
        for code in app.db.read(|db| extension::admission_codes(&app, db)).map_err(std::io::Error::other)? {
            app.give_out(&code.code);
        }
        Ok(app)
    }

    /// The sandbox's time in Unix seconds.
    pub(crate) fn now_s(&self) -> i64 {
        (self.config.clock)().div_euclid(1000).saturating_add(self.offset_s.load(Ordering::SeqCst))
    }

    /// Puts the sandbox's time off by so many seconds.
    pub(crate) fn set_offset_s(&self, seconds: i64) {
        self.offset_s.store(seconds, Ordering::SeqCst);
    }

    /// What cursors of the change feed must carry to count.
    pub(crate) fn feed_epoch(&self) -> u64 {
        self.feed_epoch.load(Ordering::SeqCst)
    }

    /// Makes all cursors of the change feed too old.
    pub(crate) fn expire_cursors(&self) {
        self.feed_epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// The tenant of this name.
    pub(crate) fn tenant(&self, name: &str) -> Option<&ServedTenant> {
        self.tenants.iter().find(|tenant| tenant.name == name)
    }

    /// What B.A.M's documents leave open, as it is done now.
    pub(crate) fn bam_choices(&self) -> BamChoices {
        lock(&self.bam_choices).clone()
    }

    /// Does what B.A.M's documents leave open in another way from now on.
    pub(crate) fn set_bam_choices(&self, choices: BamChoices) {
        *lock(&self.bam_choices) = choices;
    }

    /// Keeps a secret that clients know or get, so that tests can look for it where it must not be.
    pub(crate) fn give_out(&self, secret: &str) {
        self.recorder.give_out(secret);
    }

    /// The key of access tokens.
    pub(crate) fn token_key(&self) -> TokenKey {
        lock(&self.token_key).clone()
    }

    /// Makes all access tokens invalid.
    pub(crate) fn replace_token_key(&self) -> std::io::Result<()> {
        *lock(&self.token_key) = TokenKey::generate()?;
        Ok(())
    }

    /// Adds a fault rule behind the others.
    pub(crate) fn add_fault(&self, rule: FaultRule) {
        lock(&self.faults).push(rule);
    }

    /// Forgets all fault rules.
    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Logs a request and finds the fault that strikes it.
    pub(crate) fn observe(&self, method: &Method, path: &str) -> Option<Fault> {
        lock(&self.requests).push(format!("{method} {path}"));
        next_fault(&mut lock(&self.faults), method, path)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }
}

/// Locks; what a panicking holder left is used as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| std::io::Error::other("no random numbers"))?;
    Ok(bytes)
}

fn names(plan: &Plan) -> Vec<String> {
    plan.users.iter().map(|user| user.name.clone()).collect()
}

fn fill_unidy(db: &Db, plan: &Plan, config: &SandboxConfig, now: DateTime<Utc>) -> std::io::Result<()> {
    let users = names(plan);
    let season = unidy::Season {
        users: &users,
        seed: config.seed,
        tickets_per_user: config.tickets_per_user,
        now,
        zone: config.unidy.zone(),
    };
    db.write(|db| unidy::fill(db, &season))
        .map_err(|_| std::io::Error::other("Unidy's season cannot be laid out"))
}

fn served_tenants(plan: &Plan, seed: u64, url: &str) -> std::io::Result<Vec<ServedTenant>> {
    let url = Url::parse(url).map_err(std::io::Error::other)?;
    plan.tenants
        .iter()
        .map(|tenant| {
            let name = tenant.name.clone();
            let issuer_seed = seeded::bytes(seed, &format!("issuer {name}")).to_vec();
            let issuer = tenant.extension.then(|| Issuer::new(issuer_seed)).transpose();
            let manifest_seed = seeded::bytes(seed, &format!("manifest {name}")).to_vec();
            let manifest = tenant.extension.then(|| ManifestIssuer::new(manifest_seed)).transpose();
            Ok(ServedTenant {
                provider: Provider::new("bam", &url, Some(&name)).map_err(std::io::Error::other)?,
                issuer: issuer.map_err(std::io::Error::other)?,
                manifest: manifest.map_err(std::io::Error::other)?,
                name,
            })
        })
        .collect()
}
