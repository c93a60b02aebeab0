//! Transactions of B.A.M's ledger.
//!
//! A transaction takes three steps: a proposal, the endorsement and the submission; each of the last two carries a signature
//! over the digest that the step before gave. Only the submission changes anything, and the ledger takes it once: its
//! digest is spent then.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use super::market::TransferPayload;
use super::office::id_value;
use super::{Bam, WalletKey, path_id, wire};
use crate::barcode::{BamCodeTicket, DeviceSignature};
use crate::error::Error;
use crate::model::LedgerSale;
use crate::remote::{Reply, Request, Session};

const PROPOSE: &str = "POST blockchain/v1/transaction/proposal";
const ENDORSE: &str = "POST blockchain/v1/transaction/proposal/:digest";
const SUBMIT: &str = "POST blockchain/v1/transaction/:digest";
/// The longest digest that is taken, in bytes of text.
const MAX_DIGEST: usize = 4096;
/// The longest status of a transaction that is told.
const MAX_STATUS: usize = 40;

/// A function of the ledger to call.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerCall {
    /// Its name, like `TICKET.INVALIDATE`.
    pub function: &'static str,
    /// The caller's certificate, PEM.
    pub certificate_pem: String,
    /// Its argument, JSON.
    pub argument: String,
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

/// A ticket as the ledger knows it. Ids are texts; those of digits are sent as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTicket {
    /// The event's id.
    pub event_id: String,
    /// The ticket configuration's id.
    pub ticket_config_id: String,
    /// The ticket's number within its configuration.
    pub seq_num: i64,
}

/// A transaction that has been endorsed and signed, and not submitted.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// What it is submitted under.
    pub endorsement: LedgerDigest,
    /// The signature over it, DER.
    pub signature: Vec<u8>,
}

opaque_debug!(LedgerCall, SignedTransaction);

#[derive(Serialize)]
struct WireOffered<'a> {
    seq_num: i64,
    ticket_config: Value,
    price: Box<RawValue>,
    locked_until: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireSale<'a> {
    tickets: [WireOffered<'a>; 1],
    seller_id: &'a str,
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
        Self { function: "TICKET.INVALIDATE", certificate_pem, argument: argument.to_string() }
    }

    /// `TICKET.MARK_FOR_SALE` of one ticket by its owner, whom the enrolment names.
    ///
    /// # Errors
    /// [`Error::Input`] naming `price` or `until`.
    pub fn mark_for_sale(
        ticket: &LedgerTicket,
        sale: &LedgerSale,
        seller_id: &str,
        certificate_pem: String,
    ) -> Result<Self, Error> {
        let no_price = |_| Error::Input { field: "price", reason: "it is no amount".to_owned() };
        let until = DateTime::from_timestamp(sale.until, 0);
        let until = until
            .ok_or_else(|| Error::Input { field: "until", reason: "it is no time".to_owned() })?
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        let (kind, buyer_id) = match &sale.buyer {
            Some(buyer) => ("DIRECT", Some(buyer.as_str())),
            None => ("MARKET", None),
        };
        let offered = WireOffered {
            seq_num: ticket.seq_num,
            ticket_config: json!({ "id": id_value(&ticket.ticket_config_id), "event": { "id": id_value(&ticket.event_id) } }),
            price: RawValue::from_string(sale.price.major()).map_err(no_price)?,
            locked_until: until,
            kind,
            buyer_id,
        };
        let argument =
            serde_json::to_string(&WireSale { tickets: [offered], seller_id }).map_err(no_price)?;
        Ok(Self { function: "TICKET.MARK_FOR_SALE", certificate_pem, argument })
    }

    /// `TICKET.TRANSFER` with the argument that the server made for it.
    pub fn transfer(payload: TransferPayload, certificate_pem: String) -> Self {
        Self { function: "TICKET.TRANSFER", certificate_pem, argument: payload.0 }
    }
}

impl LedgerReceipt {
    /// Whether the ledger carried the transaction out.
    pub fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "SUCCESS" | "VALID")
    }

    /// The status where it is a name as protocols have them, and no prose.
    pub fn name(&self) -> Option<&str> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = |text: &&str| !text.is_empty() && text.len() <= MAX_STATUS && text.bytes().all(is_part);
        Some(self.status.as_str()).filter(is_name)
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
            "args": [call.argument],
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

    /// The first two steps: proposes a transaction, signs it, has it endorsed and signs that. Nothing has happened on the
    /// ledger yet, so that it can be begun anew whatever came of it.
    ///
    /// # Errors
    /// As [`Bam::endorse`]; [`Error::Untrusted`] for a digest that is no hash.
    pub async fn sign_transaction(
        &self,
        session: Option<&Session>,
        tenant: Option<&str>,
        call: &LedgerCall,
        key: &WalletKey,
    ) -> Result<SignedTransaction, Error> {
        let proposal = self.propose(session, tenant, call).await?;
        let signature = key.sign_hash(&proposal.to_bytes())?;
        let endorsement = self.endorse(session, tenant, &proposal, &signature).await?;
        let signature = key.sign_hash(&endorsement.to_bytes())?;
        Ok(SignedTransaction { endorsement, signature })
    }
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
