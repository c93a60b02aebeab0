//! A gate and its server: signing in, manifests down, records up. Nothing here is needed while people are let in.

mod bam;
mod certification;
mod extension;
mod secret_json;
mod ticketing;

use std::sync::Arc;

pub use certification::certification;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::scanner::{Post, Scanner};
use crate::barcode::DeviceKey;
use crate::device::{apart, ask, random};
use crate::error::Error;
use crate::ledger::{ChainId, ScannerId};
use crate::manifest::Manifest;
use crate::model::{EventHash, GateService, GateSignIn, GateSyncReport, Provider, SystemConfig};
use crate::remote::{Http, RetryPolicy};
use crate::store::StoredScanner;
use secret_json::secret_json;

/// What a scanner is registered as, beside what its records need.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Registered {
    /// What speaks with its server.
    pub(super) service: GateService,
    /// Where its server is.
    pub(super) config: SystemConfig,
    /// The door, as staff call it.
    pub(super) name: String,
    /// The event's provider, where the system's own codes name tickets that no manifest lists.
    #[serde(default)]
    provider: Option<String>,
    /// The event's id in its system.
    pub(super) event_id: String,
    /// The sections let in, by code; empty lets in all.
    pub(super) sections: Vec<u16>,
    /// Their addresses, where the system names sections by addresses.
    pub(super) section_uris: Vec<String>,
    /// The pinned manifest key, in hex, where the server signs manifests.
    pub(super) manifest_key: Option<String>,
    /// What later requests are signed in by; empty where the validator's wallet signs in.
    pub(super) session: String,
    /// B.A.M: what signs in and signs on the ledger.
    #[serde(default)]
    validator: Option<bam::Validator>,
}

opaque_debug!(Registered);

/// What a server gave at a sign-in.
pub(super) struct Registration {
    pub(super) registered: Registered,
    pub(super) event: EventHash,
    pub(super) scanner: ScannerId,
    pub(super) certificate: Option<Vec<u8>>,
}

impl Registered {
    /// What the store holds.
    ///
    /// # Errors
    /// [`Error::Untrusted`].
    pub(super) fn read(stored: &StoredScanner) -> Result<Self, Error> {
        let unreadable = |_| Error::Untrusted { what: "the scanner's registration cannot be read" };
        serde_json::from_str(&stored.registered).map_err(unreadable)
    }

    /// What hashes ids of tickets, where it is known.
    ///
    /// # Errors
    /// [`Error::Untrusted`].
    pub(super) fn provider(&self) -> Result<Option<Provider>, Error> {
        let unreadable = |_| Error::Untrusted { what: "the scanner's provider cannot be read" };
        self.provider.as_deref().map(Provider::parse).transpose().map_err(unreadable)
    }

    fn write(&self) -> Result<Zeroizing<String>, Error> {
        secret_json(self).ok_or(Error::Untrusted { what: "the registration cannot be kept" })
    }
}

impl Scanner {
    /// Signs in with an admission code, which fixes the event and the sections. Its records begin a chain of their own.
    ///
    /// # Errors
    /// [`Error::Input`] naming the field, or while records of the post before are not sent; [`Error::NotFound`] for a code
    /// that the server does not know, [`Error::Vault`], [`Error::Database`], and what the request ends in.
    pub async fn sign_in(&self, sign_in: &GateSignIn) -> Result<(), Error> {
        let _one_at_a_time = self.turn.lock().await;
        self.check(sign_in)?;
        let http = self.http_for(&sign_in.config)?;
        let handle = self.key_handle(sign_in)?;
        let key = handle.clone();
        let public = ask(&self.vault, move |vault| Ok(vault.create_key(key)?)).await?;
        let public = DeviceKey::from_x963(&public)
            .map_err(|_| Error::Untrusted { what: "the key vault's public key is no P-256 key" })?;
        let Registration { registered, event, scanner, certificate } = match sign_in.service {
            GateService::Extension => extension::register(&http, sign_in, public).await?,
            GateService::Ticketing => ticketing::register(&http, sign_in).await?,
            GateService::Bam => bam::register(&http, sign_in).await?,
        };
        let stored = StoredScanner {
            registered: registered.write()?,
            event,
            scanner,
            key_handle: handle,
            chain: Some(ChainId::of(scanner, random()?)),
            certificate,
        };
        self.forget_manifest_of_others(&stored, &registered)?;
        self.store.set_scanner(&stored)?;
        self.take_up(stored)
    }

    /// A manifest that another system, or another key, vouched for says nothing here, and its sequence neither. Its floors
    /// stay.
    fn forget_manifest_of_others(&self, next: &StoredScanner, as_what: &Registered) -> Result<(), Error> {
        let is_same = |post: &Post| {
            let before = Registered::read(&post.scanner).ok();
            let same = before.map(|one| (one.service, one.manifest_key));
            post.scanner.event == next.event && same == Some((as_what.service, as_what.manifest_key.clone()))
        };
        if self.post().is_ok_and(|post| is_same(&post)) {
            return Ok(());
        }
        let held = match self.store.gate_manifest(next.event) {
            Err(Error::Recovery { .. }) => None,
            other => other?.and_then(|body| Manifest::from_body(body).ok()),
        };
        let floors = held.iter().flat_map(Manifest::tickets).map(|row| (row.id, row.floor));
        let floors: Vec<_> = floors.filter(|(_, floor)| *floor > 0).collect();
        self.store.forget_gate_manifest(next.event, &floors)
    }

    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.http.set_retry_policy(policy);
    }

    /// What requests to a server go through: its configuration's pins count.
    fn http_for(&self, config: &SystemConfig) -> Result<Arc<Http>, Error> {
        Ok(Arc::new(self.http.pinned(&config.pins)?))
    }

    fn check(&self, sign_in: &GateSignIn) -> Result<(), Error> {
        let wrong = |field, reason: &str| Err(Error::Input { field, reason: reason.to_owned() });
        if sign_in.admission_code.trim().is_empty() {
            return wrong("admission_code", "must not be empty");
        }
        if sign_in.name.is_empty() || sign_in.name.len() > MAX_NAME {
            return wrong("name", "it has 1 to 64 bytes of UTF-8");
        }
        let unsent = match self.post() {
            Ok(post) => self.store.tallies(post.scanner.event, None)?.1,
            Err(_) => 0,
        };
        if unsent > 0 && !sign_in.leave_unsent {
            let reason =
                format!("{unsent} records are not sent yet; sync first, or leave them on this device");
            return Err(Error::Input { field: "leave_unsent", reason });
        }
        Ok(())
    }

    /// The same code at the same server gets the same key again, so that a lost answer registers no second scanner. Another
    /// installation gets another.
    fn key_handle(&self, sign_in: &GateSignIn) -> Result<String, Error> {
        let device = self.store.device_id(&crate::device::new_id()?)?;
        let named = [device.as_str(), &sign_in.config.url, &sign_in.admission_code].join("\u{1F}");
        Ok(format!("gate-{}", hex::encode(&digest(&SHA256, named.as_bytes()).as_ref()[..16])))
    }

    /// Brings the manifest up to date. The one in use stays unless a newer one holds.
    ///
    /// # Errors
    /// [`Error::Input`] before a sign-in, [`Error::Manifest`], [`Error::SignedOut`] for a scanner that its server no
    /// longer knows, [`Error::Database`], and what the request ends in.
    pub async fn prepare(self: &Arc<Self>) -> Result<(), Error> {
        let _one_at_a_time = self.turn.lock().await;
        self.prepare_in_turn().await
    }

    async fn prepare_in_turn(self: &Arc<Self>) -> Result<(), Error> {
        let post = self.post()?;
        let registered = Registered::read(&post.scanner)?;
        match registered.service {
            GateService::Extension => self.prepare_by_extension(&post, &registered).await,
            GateService::Ticketing => self.prepare_by_ticketing(&post, registered).await,
            GateService::Bam => self.prepare_by_bam(&post, &registered).await,
        }
    }

    /// Hands over the records that the server does not have, in batches that each count by themselves: what was broken off
    /// goes on with the next call. Then brings the manifest up to date.
    ///
    /// # Errors
    /// As [`Scanner::prepare`].
    pub async fn sync(self: &Arc<Self>) -> Result<GateSyncReport, Error> {
        let _one_at_a_time = self.turn.lock().await;
        let post = self.post()?;
        let registered = Registered::read(&post.scanner)?;
        let mut report = GateSyncReport::default();
        let sent = match registered.service {
            GateService::Extension => self.send_by_extension(&post, &registered, &mut report).await,
            GateService::Ticketing => self.send_by_ticketing(&post, &registered, &mut report).await,
            GateService::Bam => self.send_by_bam(&post, &registered, &mut report).await,
        };
        let prepared = self.prepare_in_turn().await;
        report.unsent = self.store.tallies(post.scanner.event, None)?.1;
        sent.and(prepared)?;
        Ok(report)
    }

    /// Takes a manifest into use, on a thread that may block: it may take long to judge by and to write.
    async fn use_manifest_apart(
        self: &Arc<Self>,
        scanner: StoredScanner,
        manifest: Manifest,
    ) -> Result<(), Error> {
        let me = Arc::clone(self);
        apart(move || me.use_manifest(scanner, manifest)).await
    }

    /// Marks rows as sent and counts them.
    fn mark_sent(&self, rows: &[(i64, Option<String>)], report: &mut GateSyncReport) -> Result<(), Error> {
        self.store.mark_records_sent(rows)?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        report.sent += count(rows.len());
        report.conflicts += count(rows.iter().filter(|(_, conflict)| conflict.is_some()).count());
        Ok(())
    }
}

/// The longest name of a door, in bytes.
const MAX_NAME: usize = 64;
