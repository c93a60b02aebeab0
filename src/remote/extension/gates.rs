//! The gate's side: signing a scanner in, manifests and deltas, records up and down. None of it needs an account: what
//! signs in is an admission code, and then the session that it gave.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Extension;
use crate::barcode::{DeviceKey, IssuerKey, NONCE_LEN};
use crate::error::Error;
use crate::ledger::{Certificate, ChainId, ScannerId};
use crate::manifest::{self, Epoch};
use crate::model::{EventHash, Provider, Tokens};
use crate::remote::address::join;
use crate::remote::{Http, Refresh, Reply, Request, Session};

/// The most records that go up in one request.
pub const MAX_RECORDS: usize = 500;
/// More than any record has, signature included.
const MAX_RECORD_BYTES: usize = 4096;
const REGISTER: &str = "POST /gates";
const MANIFEST: &str = "GET /gates/manifest";
const NONCES: &str = "GET /gates/nonce";
const UPLOAD: &str = "POST /gates/ledger";
const RECORDS: &str = "GET /gates/ledger";
const MANIFEST_MAGIC: &[u8] = b"TWM1";
const DELTA_MAGIC: &[u8] = b"TWD1";

/// What is held of each chain: every record up to this sequence.
pub type Vector = BTreeMap<ChainId, u32>;

/// A gate's session ends when its scanner is revoked, and nothing renews it but signing in.
struct GateSession;

impl Refresh for GateSession {
    async fn refresh(&self, _: &Http, _: &Tokens) -> Result<Tokens, Error> {
        Err(Error::SignedOut)
    }
}

/// What a scanner signs in with.
pub struct GateSignIn<'a> {
    /// The admission code, as staff got it.
    pub admission_code: &'a str,
    /// The scanner's public key.
    pub scanner_key: DeviceKey,
    /// The door, as staff call it; 1 to 64 bytes.
    pub name: &'a str,
}

/// What became of a sign-in.
#[derive(Clone, PartialEq, Eq)]
pub enum GateAnswer {
    /// The scanner is signed in.
    SignedIn(Box<RegisteredGate>),
    /// The server knows no such code.
    UnknownCode,
    /// As many scanners have signed in with the code as may.
    UsedUp,
}

/// A scanner that is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredGate {
    /// The scanner's id.
    pub scanner: ScannerId,
    /// Its certificate as it came: signed by the manifest key, for this scanner's key and event.
    pub certificate: Vec<u8>,
    /// The key to pin: it signs manifests, deltas and certificates.
    pub manifest_key: IssuerKey,
    /// What later requests are signed in by.
    pub session: Zeroizing<String>,
    /// The event inside signed bytes.
    pub event: EventHash,
    /// The provider's name.
    pub provider: Provider,
    /// The event's id in the ticketing system.
    pub event_id: String,
    /// The event's name, where the server tells it.
    pub event_name: Option<String>,
    /// The sections that the code lets in to, by code; all where there are none.
    pub sections: BTreeMap<u16, String>,
}

/// A manifest that a server sent, or what to make one from; nothing of it is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub enum ManifestReply {
    /// A whole signed manifest.
    Manifest(Vec<u8>),
    /// A signed delta.
    Delta(Vec<u8>),
    /// The one that is held is the latest.
    NotChanged,
}

/// What a server did with records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// What it holds now.
    pub held: Vector,
    /// Records that it refused: their place in the batch, and why.
    pub refused: Vec<(usize, String)>,
    /// Places at which it has two records.
    pub forks: Vec<(ChainId, u32)>,
}

/// Records that a server holds; nothing of them is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// Records, in the order in which the server took them.
    pub records: Vec<Vec<u8>>,
    /// Signed certificates of the scanners that wrote them.
    pub certificates: Vec<Vec<u8>>,
    /// Where the next page begins.
    pub cursor: String,
    /// Whether there are more.
    pub more: bool,
}

opaque_debug!(GateSignIn<'_>, GateAnswer, RegisteredGate, ManifestReply, LedgerPage);

#[derive(Deserialize)]
struct WireGate {
    scanner_id: String,
    certificate: String,
    manifest_key: String,
    session: Zeroizing<String>,
    event: WireEvent,
    #[serde(default)]
    sections: Vec<WireSection>,
}

#[derive(Deserialize)]
struct WireEvent {
    provider: String,
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireSection {
    code: u16,
    name: String,
}

#[derive(Deserialize)]
struct WireUploaded {
    held: BTreeMap<String, u32>,
    #[serde(default)]
    refused: Vec<WireRefused>,
    #[serde(default)]
    forks: Vec<WirePlace>,
}

#[derive(Deserialize)]
struct WireRefused {
    index: usize,
    reason: String,
}

#[derive(Deserialize)]
struct WirePlace {
    chain: String,
    sequence: u32,
}

#[derive(Deserialize)]
struct WirePage {
    records: Vec<String>,
    #[serde(default)]
    certificates: Vec<String>,
    cursor: String,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct WireEpoch {
    begin: u32,
    end: u32,
    nonce: Zeroizing<String>,
}

impl RegisteredGate {
    /// The session that later requests go with.
    pub fn session(&self) -> Session {
        gate_session(self.session.clone())
    }
}

/// A gate's session from what a sign-in gave.
pub fn gate_session(session: Zeroizing<String>) -> Session {
    Session::new(Tokens { access: session, refresh: None, session_id: None }, Box::new(|_| Ok(())))
}

impl Extension {
    /// Whether the server works with gates.
    pub fn offers_gates(&self) -> bool {
        self.offers("gate")
    }

    /// Signs a scanner in: `POST /gates`. The same code and key again give the same scanner, so that a lost answer is asked
    /// for anew. What comes back was held against itself: the certificate is signed by the manifest key, and names this
    /// key, the scanner's id, the event and the sections.
    ///
    /// # Errors
    /// As [`Http::send`]; [`Error::Status`] for any other refusal, [`Error::Reply`].
    pub async fn register(
        &self,
        http: &Http,
        idempotency_key: &str,
        sign_in: &GateSignIn<'_>,
    ) -> Result<GateAnswer, Error> {
        let body = json!({
            "admission_code": sign_in.admission_code,
            "scanner_key": BASE64URL.encode(sign_in.scanner_key.to_x963()),
            "name": sign_in.name,
        });
        let url = join(&self.base, "gates")?;
        let request = Request::post(url, REGISTER, &body);
        let reply = http.send(Request { idempotency_key: Some(idempotency_key), ..request }).await?;
        if !reply.is_success() {
            return refusal(&reply);
        }
        let gate = registered(reply.json()?, &sign_in.scanner_key).map_err(|field| reply.unreadable(field));
        // The reply holds the session as well.
        drop(Zeroizing::new(reply.into_bytes()));
        gate.map(|gate| GateAnswer::SignedIn(Box::new(gate)))
    }

    /// The latest manifest, or the delta from the one of a sequence to it: `GET /gates/manifest`.
    ///
    /// # Errors
    /// As [`Session::send`], [`Error::SignedOut`] for a scanner that was revoked; [`Error::Status`]; [`Error::Network`]
    /// for more than [`manifest::MAX_BYTES`]; [`Error::Reply`] for bytes that are neither.
    pub async fn manifest(
        &self,
        http: &Http,
        session: &Session,
        since: Option<u32>,
    ) -> Result<ManifestReply, Error> {
        let mut url = join(&self.base, "gates/manifest")?;
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("since", &since.to_string());
        }
        let max_reply_bytes = manifest::MAX_BYTES as u64;
        let request = || Request { max_reply_bytes, ..Request::get(url.clone(), MANIFEST) };
        let reply = session.send(http, &GateSession, request).await?;
        if reply.is_not_modified() || reply.status == 204 {
            return Ok(ManifestReply::NotChanged);
        }
        if !reply.is_success() {
            return Err(reply.error());
        }
        match reply.bytes() {
            bytes if bytes.starts_with(MANIFEST_MAGIC) => Ok(ManifestReply::Manifest(reply.into_bytes())),
            bytes if bytes.starts_with(DELTA_MAGIC) => Ok(ManifestReply::Delta(reply.into_bytes())),
            _ => Err(reply.unreadable("magic")),
        }
    }

    /// The venue's nonces: `GET /gates/nonce`. They stand in the manifest as well, and only there signed.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn venue_nonces(&self, http: &Http, session: &Session) -> Result<Vec<Epoch>, Error> {
        let url = join(&self.base, "gates/nonce")?;
        let reply = session.send(http, &GateSession, || Request::get(url.clone(), NONCES)).await?;
        let epochs: Vec<WireEpoch> = reply.json()?;
        let epoch = |(index, one): (usize, WireEpoch)| {
            let nonce = BASE64URL.decode(&*one.nonce).ok().and_then(|b| <[u8; NONCE_LEN]>::try_from(b).ok());
            let nonce = nonce.ok_or_else(|| reply.unreadable(&format!("[{index}].nonce")))?;
            Ok(Epoch { begin: one.begin, end: one.end, nonce })
        };
        epochs.into_iter().enumerate().map(epoch).collect()
    }

    /// Hands records over, [`MAX_RECORDS`] at most: `POST /gates/ledger`. Those that the server has are no error.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `records` for too many.
    pub async fn upload_records(
        &self,
        http: &Http,
        session: &Session,
        idempotency_key: &str,
        records: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Uploaded, Error> {
        if records.len() > MAX_RECORDS || records.iter().any(|one| one.as_ref().len() > MAX_RECORD_BYTES) {
            let reason = format!("{MAX_RECORDS} records of {MAX_RECORD_BYTES} bytes at most");
            return Err(Error::Input { field: "records", reason });
        }
        let body: Value = records.iter().map(|one| BASE64URL.encode(one)).collect();
        let call = (join(&self.base, "gates/ledger")?, UPLOAD);
        let reply = self.write(http, session, &GateSession, call, idempotency_key, &body).await?;
        let wire: WireUploaded = reply.json()?;
        let held = wire.held.iter().map(|(chain, sequence)| Some((chain_id(chain)?, *sequence)));
        let forks = wire.forks.iter().map(|place| Some((chain_id(&place.chain)?, place.sequence)));
        if let Some(strange) = wire.refused.iter().find(|one| one.index >= records.len()) {
            return Err(reply.unreadable(&format!("refused.index {}", strange.index)));
        }
        Ok(Uploaded {
            held: held.collect::<Option<_>>().ok_or_else(|| reply.unreadable("held"))?,
            forks: forks.collect::<Option<_>>().ok_or_else(|| reply.unreadable("forks"))?,
            refused: wire.refused.into_iter().map(|one| (one.index, one.reason)).collect(),
        })
    }

    /// Records that the server took after a cursor, from the first on without one: `GET /gates/ledger`. `None` for a cursor
    /// that it does not know any more: what it has is asked for from the beginning.
    ///
    /// # Errors
    /// As [`Extension::upload_records`].
    pub async fn records_after(
        &self,
        http: &Http,
        session: &Session,
        cursor: Option<&str>,
    ) -> Result<Option<LedgerPage>, Error> {
        let mut url = join(&self.base, "gates/ledger")?;
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let reply = session.send(http, &GateSession, || Request::get(url.clone(), RECORDS)).await?;
        if reply.status == 410 && cursor.is_some() {
            return Ok(None);
        }
        let page: WirePage = reply.json()?;
        let decoded = |field: &str, texts: &[String]| {
            let bytes = texts.iter().map(|text| BASE64URL.decode(text)).collect::<Result<Vec<_>, _>>();
            bytes.map_err(|_| reply.unreadable(field))
        };
        Ok(Some(LedgerPage {
            records: decoded("records", &page.records)?,
            certificates: decoded("certificates", &page.certificates)?,
            more: page.more,
            cursor: page.cursor,
        }))
    }
}

/// The two refusals that are about the code; any other is an error.
fn refusal(reply: &Reply) -> Result<GateAnswer, Error> {
    let error = reply.error();
    let code = match &error {
        Error::Status { server_code: Some(code), .. } => code.rsplit(':').next().unwrap_or_default(),
        _ => "",
    };
    match code {
        "unknown-code" => Ok(GateAnswer::UnknownCode),
        "code-used-up" => Ok(GateAnswer::UsedUp),
        _ => Err(error),
    }
}

/// What a sign-in gave, or the name of the field that is not what it should be.
fn registered(wire: WireGate, scanner_key: &DeviceKey) -> Result<RegisteredGate, &'static str> {
    let bytes = |text: &str| BASE64URL.decode(text).unwrap_or_default();
    let manifest_key = IssuerKey::from_bytes(&bytes(&wire.manifest_key)).map_err(|_| "manifest_key")?;
    let scanner = ScannerId(bytes(&wire.scanner_id).try_into().map_err(|_| "scanner_id")?);
    let provider = Provider::parse(&wire.event.provider).map_err(|_| "event.provider")?;
    let event = provider.event(&wire.event.id).map_err(|_| "event.id")?;
    let certificate = bytes(&wire.certificate);
    let said = Certificate::read(&certificate, &manifest_key).map_err(|_| "certificate")?;
    let sections: BTreeMap<_, _> = wire.sections.into_iter().map(|one| (one.code, one.name)).collect();
    if said.event != event || said.scanner != scanner || said.key != *scanner_key {
        return Err("certificate");
    }
    if !said.sections.iter().eq(sections.keys()) {
        return Err("sections");
    }
    if wire.session.is_empty() || !wire.session.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("session");
    }
    Ok(RegisteredGate {
        scanner,
        certificate,
        manifest_key,
        session: wire.session,
        event,
        provider,
        event_id: wire.event.id,
        event_name: wire.event.name,
        sections,
    })
}

fn chain_id(text: &str) -> Option<ChainId> {
    hex::decode(text).ok()?.try_into().ok().map(ChainId)
}
