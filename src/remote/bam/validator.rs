//! What a device at an event's gates has of B.A.M: its validator, by a token or from the organizer's export, and the
//! ledger's `TICKET.INVALIDATE`.
//!
//! A transaction takes three steps: a proposal, the endorsement and the submission; each of the last two carries a signature
//! over the digest that the step before gave. Nothing here holds a key: the digest goes out, and a signature comes in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::enrollment::{self, Enrollment};
use super::{Bam, path_id, wire};
use crate::barcode::{BamCodeTicket, DeviceSignature};
use crate::error::Error;
use crate::remote::{Reply, Request, Session, api_url};

const VALIDATOR: &str = "GET account/v1/organizer/validator/:token";
const EXPORT: &str = "GET account/v1/organizer/:id/validator/export";
const PROPOSE: &str = "POST blockchain/v1/transaction/proposal";
const ENDORSE: &str = "POST blockchain/v1/transaction/proposal/:digest";
const SUBMIT: &str = "POST blockchain/v1/transaction/:digest";
/// The longest digest that is taken, in bytes of text.
const MAX_DIGEST: usize = 4096;

/// An event's validator.
#[derive(Clone, PartialEq, Eq)]
pub struct BamValidator {
    /// The event's id.
    pub event_id: String,
    /// The organizer, as the server names it.
    pub organizer: String,
    /// What it signs with on the ledger.
    pub wallet: Enrollment,
    /// The local validation server, where the event has one.
    pub server_url: Option<Url>,
}

/// A function of the ledger to call.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerCall {
    /// Its name, like `TICKET.INVALIDATE`.
    pub function: &'static str,
    /// The caller's certificate, PEM.
    pub certificate_pem: String,
    /// Its argument.
    pub argument: Value,
}

/// What a step gave to be signed, as the server wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDigest(String);

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerReceipt {
    /// The status as the server wrote it.
    pub status: String,
    /// What it says beside that, as JSON.
    pub info: Option<String>,
}

opaque_debug!(BamValidator, LedgerCall);

#[derive(Deserialize)]
struct WireValidator {
    #[serde(deserialize_with = "wire::lenient")]
    event_id: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    organizer: Option<String>,
    wallet: enrollment::Wallet,
    #[serde(default)]
    server_url: Option<String>,
}

#[derive(Deserialize)]
struct WireDigest {
    digest: String,
}

#[derive(Deserialize)]
struct WireReceipt {
    #[serde(deserialize_with = "wire::lenient")]
    status: Option<String>,
    #[serde(default)]
    info: Option<Box<RawValue>>,
}

impl LedgerCall {
    /// `TICKET.INVALIDATE` of the ticket that a code names, used at this time (Unix milliseconds).
    pub fn invalidate(ticket: BamCodeTicket, used_at_ms: i64, certificate_pem: String) -> Self {
        let used_at = DateTime::from_timestamp_millis(used_at_ms).unwrap_or_default();
        let argument = json!({
            "seq_num": ticket.seq_num,
            "ticket_config": { "id": ticket.ticket_config, "event": { "id": ticket.event } },
            "validation_time": used_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        Self { function: "TICKET.INVALIDATE", certificate_pem, argument }
    }
}

impl LedgerReceipt {
    /// Whether the ledger carried the transaction out.
    pub fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "SUCCESS" | "VALID")
    }
}

impl LedgerDigest {
    /// As the server wrote it.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The bytes that it stands for: hex, else Base64, else the text's own.
    pub fn to_bytes(&self) -> Vec<u8> {
        let decoded = hex::decode(&self.0).ok().or_else(|| BASE64.decode(&self.0).ok());
        decoded.unwrap_or_else(|| self.0.as_bytes().to_vec())
    }
}

impl Bam {
    /// The validator that a token is for. Whoever has the token needs no account.
    ///
    /// # Errors
    /// As [`crate::remote::Http::send`]; [`Error::Status`], with 404 for an unknown token; [`Error::Reply`];
    /// [`Error::Input`] naming `id`.
    pub async fn validator(&self, token: &str) -> Result<BamValidator, Error> {
        let url = self.global(&format!("account/v1/organizer/validator/{}", path_id(token)?))?;
        let reply = self.http.send(Request::get(url, VALIDATOR)).await?;
        let validator = reply.json().and_then(|found: wire::Data<_>| read(found.data, &reply));
        // The reply holds the key as well.
        drop(Zeroizing::new(reply.into_bytes()));
        validator
    }

    /// The validators of an organizer's event, or of all its events, for a local validation server.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `id`.
    pub async fn validators(
        &self,
        session: &Session,
        organizer_id: &str,
        event_id: Option<&str>,
    ) -> Result<Vec<BamValidator>, Error> {
        let path = format!("account/v1/organizer/{}/validator/export", path_id(organizer_id)?);
        let mut url = self.global(&path)?;
        if let Some(event) = event_id {
            url.query_pairs_mut().append_pair("event_id", event);
        }
        let reply = session.send(&self.http, self, || Request::get(url.clone(), EXPORT)).await?;
        let found = reply.json().and_then(|found: wire::Data<Vec<_>>| {
            found.data.into_iter().map(|one| read(one, &reply)).collect()
        });
        drop(Zeroizing::new(reply.into_bytes()));
        found
    }

    /// Proposes a transaction: the first step. Nothing has happened on the ledger yet.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn propose(
        &self,
        session: Option<&Session>,
        tenant: Option<&str>,
        call: &LedgerCall,
    ) -> Result<LedgerDigest, Error> {
        let body = json!({
            "fcn": call.function,
            "certificate": call.certificate_pem,
            "args": [call.argument.to_string()],
        });
        let url = self.tenant_url(tenant, "blockchain/v1/transaction/proposal")?;
        digest(&self.ledger(session, (url, PROPOSE), &body).await?)
    }

    /// Hands in the signature over a proposal's digest, in DER: the second step. A high s is made low.
    ///
    /// # Errors
    /// As [`Bam::propose`]; [`Error::Untrusted`] for a signature that is none.
    pub async fn endorse(
        &self,
        session: Option<&Session>,
        tenant: Option<&str>,
        proposal: &LedgerDigest,
        signature: &[u8],
    ) -> Result<LedgerDigest, Error> {
        let path = format!("blockchain/v1/transaction/proposal/{}", path_id(&proposal.0)?);
        let call = (self.tenant_url(tenant, &path)?, ENDORSE);
        digest(&self.ledger(session, call, &signed(signature)?).await?)
    }

    /// Hands in the signature over an endorsement's digest, in DER: the last step, which the ledger carries out. After a
    /// lost answer the ticket tells what became of it.
    ///
    /// # Errors
    /// As [`Bam::endorse`].
    pub async fn submit(
        &self,
        session: Option<&Session>,
        tenant: Option<&str>,
        endorsement: &LedgerDigest,
        signature: &[u8],
    ) -> Result<LedgerReceipt, Error> {
        let path = format!("blockchain/v1/transaction/{}", path_id(&endorsement.0)?);
        let call = (self.tenant_url(tenant, &path)?, SUBMIT);
        let reply = self.ledger(session, call, &signed(signature)?).await?;
        let WireReceipt { status, info } = reply.json::<wire::Data<WireReceipt>>()?.data;
        let status = status.ok_or_else(|| reply.unreadable("data.status"))?;
        Ok(LedgerReceipt { status, info: info.map(|info| info.get().to_owned()) })
    }

    /// A step with the session where there is one: the signature is what counts.
    async fn ledger(
        &self,
        session: Option<&Session>,
        (url, endpoint): (Url, &'static str),
        body: &Value,
    ) -> Result<Reply, Error> {
        match session {
            Some(session) => {
                session.send(&self.http, self, || Request::post(url.clone(), endpoint, body)).await
            }
            None => self.http.send(Request::post(url, endpoint, body)).await,
        }
    }
}

fn read(wire: WireValidator, reply: &Reply) -> Result<BamValidator, Error> {
    let text = |field: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty()).ok_or_else(|| reply.unreadable(field))
    };
    let server_url = wire.server_url.filter(|url| !url.is_empty());
    let server_url = server_url.map(|url| api_url(&url).map_err(|_| reply.unreadable("server_url")));
    Ok(BamValidator {
        event_id: text("event_id", wire.event_id)?,
        organizer: text("organizer", wire.organizer)?,
        wallet: enrollment::of_wallet(wire.wallet, reply)?,
        server_url: server_url.transpose()?,
    })
}

fn digest(reply: &Reply) -> Result<LedgerDigest, Error> {
    let WireDigest { digest } = reply.json::<wire::Data<WireDigest>>()?.data;
    if digest.is_empty() || digest.len() > MAX_DIGEST {
        return Err(reply.unreadable("data.digest"));
    }
    Ok(LedgerDigest(digest))
}

/// A signature as the ledger takes it: DER with a low s, in Base64.
fn signed(der: &[u8]) -> Result<Value, Error> {
    let lowered = DeviceSignature::from_der(der).and_then(DeviceSignature::to_der);
    let der = lowered.map_err(|_| Error::Untrusted { what: "the signature is not DER" })?;
    Ok(json!({ "signature": BASE64.encode(der) }))
}
