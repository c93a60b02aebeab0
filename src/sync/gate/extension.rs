//! Gates of the extension: a signed manifest under a pinned key, and every record.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{GateSyncReport, Post, Registered, Registration, Scanner};
use crate::barcode::{DeviceKey, IssuerKey};
use crate::device::{apart, new_id};
use crate::error::Error;
use crate::ledger::{Item, RecordId, ScannerId};
use crate::manifest::{Manifest, ManifestError};
use crate::model::GateSignIn;
use crate::remote::extension::{
    Extension, GateAnswer, GateSignIn as WireSignIn, MAX_RECORDS, ManifestReply, Uploaded, gate_session,
};
use crate::remote::{Http, Session, api_url};
use crate::store::{Store, StoredRecord};

pub(super) async fn register(
    http: &Http,
    sign_in: &GateSignIn,
    scanner_key: DeviceKey,
) -> Result<Registration, Error> {
    let extension = discover(http, &sign_in.config).await?;
    let wire = WireSignIn { admission_code: &sign_in.admission_code, scanner_key, name: &sign_in.name };
    let gate = match extension.register(http, &new_id()?, &wire).await? {
        GateAnswer::SignedIn(gate) => *gate,
        GateAnswer::UnknownCode => return Err(Error::NotFound { what: "admission code" }),
        GateAnswer::UsedUp => {
            let reason =
                "as many scanners have signed in with this code as may; ask for another one".to_owned();
            return Err(Error::Input { field: "admission_code", reason });
        }
    };
    Ok(Registration {
        registered: Registered {
            service: sign_in.service,
            config: sign_in.config.clone(),
            name: sign_in.name.clone(),
            provider: Some(gate.provider.to_string()),
            event_id: gate.event_id,
            sections: gate.sections.into_keys().collect(),
            section_uris: Vec::new(),
            manifest_key: Some(hex::encode(gate.manifest_key.to_bytes())),
            session: gate.session.to_string(),
            validator: None,
        },
        event: gate.event,
        scanner: gate.scanner,
        certificate: Some(gate.certificate),
    })
}

async fn discover(http: &Http, config: &crate::model::SystemConfig) -> Result<Extension, Error> {
    let base = api_url(config.extension_url.as_deref().unwrap_or(&config.url))?;
    let found = Extension::discover(http, &base).await?.filter(Extension::offers_gates);
    found.ok_or_else(|| Error::Input {
        field: "url",
        reason: "this server has no gates to sign in to".to_owned(),
    })
}

impl Registered {
    /// The key that was pinned at the sign-in.
    pub(in crate::sync) fn pinned(&self) -> Result<IssuerKey, Error> {
        let bytes = self.manifest_key.as_deref().and_then(|key| hex::decode(key).ok()).unwrap_or_default();
        IssuerKey::from_bytes(&bytes)
            .map_err(|_| Error::Untrusted { what: "the pinned manifest key is no key" })
    }

    fn gate_session(&self) -> Session {
        gate_session(Zeroizing::new(self.session.clone()))
    }
}

impl Scanner {
    pub(super) async fn prepare_by_extension(
        self: &Arc<Self>,
        post: &Post,
        registered: &Registered,
    ) -> Result<(), Error> {
        let (key, session) = (registered.pinned()?, registered.gate_session());
        let http = self.http_for(&registered.config)?;
        let extension = discover(&http, &registered.config).await?;
        let held = post.knowledge.as_ref().map(|known| known.manifest().head().sequence);
        let taken = match extension.manifest(&http, &session, held).await? {
            ManifestReply::NotChanged => return Ok(()),
            ManifestReply::Manifest(bytes) => return self.take_offered(bytes, &key).await,
            ManifestReply::Delta(bytes) => self.take_offered(bytes, &key).await,
        };
        // A delta of another history is no reason to stay behind: the whole manifest is asked for.
        if !matches!(taken, Err(Error::Manifest(ManifestError::WrongBase | ManifestError::WrongResult))) {
            return taken;
        }
        match extension.manifest(&http, &session, None).await? {
            ManifestReply::Manifest(bytes) => self.take_offered(bytes, &key).await,
            _ => taken,
        }
    }

    /// Takes a manifest or delta into use, on a thread that may block.
    async fn take_offered(self: &Arc<Self>, signed: Vec<u8>, key: &IssuerKey) -> Result<(), Error> {
        let (me, key) = (Arc::clone(self), *key);
        apart(move || me.take_as_good(&signed, &key)).await
    }

    /// Where the manifest in use was lost, an older one than that is refused all the same.
    fn take_as_good(&self, signed: &[u8], key: &IssuerKey) -> Result<(), Error> {
        let post = self.post()?;
        if post.knowledge.is_some() {
            return self.take_manifest(signed, key);
        }
        let offered = Manifest::read(signed, key)?;
        let event = post.scanner.event;
        let held = self.store.gate_sequence(event, &hex::encode(key.to_bytes()))?;
        let sequence = offered.head().sequence;
        if offered.head().event == event && sequence < held {
            return Err(ManifestError::Rollback { held, offered: sequence }.into());
        }
        self.use_manifest(post.scanner.clone(), offered)
    }

    pub(super) async fn send_by_extension(
        &self,
        post: &Post,
        registered: &Registered,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let session = registered.gate_session();
        let http = self.http_for(&registered.config)?;
        let extension = discover(&http, &registered.config).await?;
        let pulled = self.pull_records(post, (&http, &extension), &session, report).await;
        loop {
            let limit = u32::try_from(MAX_RECORDS).unwrap_or(u32::MAX);
            let batch = self.store.unsent_records(post.scanner.event, 0, limit)?;
            if batch.is_empty() {
                return pulled;
            }
            let records: Vec<_> = batch.iter().map(|stored| stored.record.as_bytes()).collect();
            let answer = extension.upload_records(&http, &session, &new_id()?, &records).await?;
            let rows: Vec<_> = batch
                .iter()
                .enumerate()
                .map(|(index, stored)| (stored.id, conflict(&answer, index, stored)))
                .collect();
            self.mark_sent(&rows, report)?;
        }
    }

    /// Takes on what the server took since it was last asked: so nothing goes up that is there already.
    async fn pull_records(
        &self,
        post: &Post,
        (http, extension): (&Http, &Extension),
        session: &Session,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let (mut feed, mut is_anew) = (Feed::of(&self.store, post.scanner.scanner)?, false);
        loop {
            let Some(page) = extension.records_after(http, session, feed.cursor.as_deref()).await? else {
                if is_anew {
                    return Err(Error::Untrusted { what: "the server forgets each cursor that it gives" });
                }
                // What it had it may have lost: what it tells again need not go up again, the rest does.
                self.store.mark_records_unsent(post.scanner.event)?;
                (feed.cursor, is_anew) = (None, true);
                continue;
            };
            let certificates = page.certificates.into_iter().map(Item::Certificate);
            let items = certificates.chain(page.records.into_iter().map(Item::Record)).collect();
            report.received += self.take_in(post, items, true)?.added;
            let is_further = feed.cursor.as_ref() != Some(&page.cursor);
            feed.cursor = Some(page.cursor);
            feed.keep(&self.store)?;
            if !page.more || !is_further {
                return Ok(());
            }
        }
    }
}

/// How far a scanner has read what its server took. The records before are kept when this is.
#[derive(Serialize, Deserialize)]
struct Feed {
    scanner: String,
    cursor: Option<String>,
}

impl Feed {
    fn of(store: &Store, scanner: ScannerId) -> Result<Self, Error> {
        let scanner = hex::encode(scanner.0);
        let kept = store.gate_progress()?.and_then(|json| serde_json::from_str::<Self>(&json).ok());
        let anew = || Self { scanner: scanner.clone(), cursor: None };
        Ok(kept.filter(|feed| feed.scanner == scanner).unwrap_or_else(anew))
    }

    fn keep(&self, store: &Store) -> Result<(), Error> {
        let json = serde_json::to_string(self);
        store.set_gate_progress(&json.map_err(|_| Error::Untrusted { what: "progress cannot be kept" })?)
    }
}

/// What the server holds against a record: that it refused it, or has another one at its place.
fn conflict(answer: &Uploaded, index: usize, stored: &StoredRecord) -> Option<String> {
    let RecordId { chain, sequence } = stored.record.id();
    let refused = answer.refused.iter().find(|(at, _)| *at == index).map(|(_, reason)| reason.clone());
    refused.or_else(|| answer.forks.contains(&(chain, sequence)).then(|| "fork".to_owned()))
}
