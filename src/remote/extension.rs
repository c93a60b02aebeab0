//! The extension: what a ticketing server adds to serve device-bound credentials. The same endpoints beside every system;
//! `tests/sandbox/openapi` holds their description.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::address::join;
use super::session::Refresh;
use super::{Http, Request, Session};
use crate::barcode::{Credential, DeviceKey, DeviceSignature, IssuerKey};
use crate::error::Error;

/// The largest batch that a server takes.
pub const MAX_BATCH: usize = 100;
/// The version of the extension that is spoken here.
const VERSION: u64 = 1;

/// A tenant's extension, as discovered.
#[derive(Debug, Clone)]
pub struct Extension {
    base: Url,
    features: Vec<String>,
    issuer_keys: Vec<IssuerKey>,
}

/// A ticket to bind to a device key.
#[derive(Debug)]
pub struct BindItem<'a> {
    /// The system's ticket id.
    pub ticket_id: &'a str,
    /// The device's public key.
    pub device_key: DeviceKey,
}

/// A credential to renew.
#[derive(Debug)]
pub struct RenewItem<'a> {
    /// The system's ticket id.
    pub ticket_id: &'a str,
    /// What is held.
    pub credential: &'a Credential,
    /// When the statement was signed, Unix seconds.
    pub at: u32,
    /// The device's statement.
    pub signature: DeviceSignature,
}

/// A credential that the server sent; nothing of it is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The credential.
    pub credential: Credential,
    /// When to renew, Unix seconds.
    pub renew_after: i64,
}

/// The server's answer for one ticket of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Bound or renewed.
    Issued(Issued),
    /// Refused, with the problem's `type`.
    Refused(String),
}

#[derive(Deserialize)]
struct Discovery {
    version: u64,
    base: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    issuer_keys: Vec<String>,
}

#[derive(Deserialize)]
struct Item {
    credential: Option<String>,
    renew_after: Option<String>,
    problem: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
}

impl Extension {
    /// Asks whether the extension is served at `origin`: `GET /.well-known/ticket-wallet`. `None` when it is not, or in
    /// a version that is not spoken here.
    ///
    /// # Errors
    /// As [`Http::send`]; [`Error::Status`] for any answer but 2xx, 404 and 410, [`Error::Reply`].
    pub async fn discover(http: &Http, origin: &Url) -> Result<Option<Self>, Error> {
        let endpoint = "GET /.well-known/ticket-wallet";
        let reply = http.send(Request::get(join(origin, ".well-known/ticket-wallet")?, endpoint)).await?;
        if matches!(reply.status, 404 | 410) {
            return Ok(None);
        }
        let found: Discovery = reply.json()?;
        if found.version != VERSION {
            return Ok(None);
        }
        // `base` is a path: joined to an origin it can lead nowhere else.
        let base = origin.join(&found.base).ok().filter(|base| base.origin() == origin.origin());
        let base = base.ok_or_else(|| reply.unreadable("base"))?;
        let key = |text: &String| IssuerKey::from_bytes(&BASE64URL.decode(text).ok()?).ok();
        let issuer_keys: Option<Vec<_>> = found.issuer_keys.iter().map(key).collect();
        let issuer_keys = issuer_keys.ok_or_else(|| reply.unreadable("issuer_keys"))?;
        Ok(Some(Self { base, features: found.features, issuer_keys }))
    }

    /// Whether the server binds credentials to devices.
    pub fn offers_credentials(&self) -> bool {
        self.features.iter().any(|feature| feature == "credentials") && !self.issuer_keys.is_empty()
    }

    /// The keys with which the server signs credentials.
    pub fn issuer_keys(&self) -> &[IssuerKey] {
        &self.issuer_keys
    }

    /// Binds up to [`MAX_BATCH`] tickets: `POST /credentials`. One answer for each, in order.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when the batch as a whole was refused, [`Error::Reply`].
    pub async fn bind(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        items: &[BindItem<'_>],
    ) -> Result<Vec<Answer>, Error> {
        let body = items.iter().map(|item| {
            json!({ "ticket_id": item.ticket_id, "device_key": BASE64URL.encode(item.device_key.to_x963()) })
        });
        let call = ("credentials", "POST /credentials");
        self.batch(http, session, system, call, idempotency_key, Value::Array(body.collect())).await
    }

    /// Renews up to [`MAX_BATCH`] leases: `POST /credentials/renew`. One answer for each, in order.
    ///
    /// # Errors
    /// As [`Extension::bind`].
    pub async fn renew(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        items: &[RenewItem<'_>],
    ) -> Result<Vec<Answer>, Error> {
        let body = items.iter().map(|item| {
            json!({
                "ticket_id": item.ticket_id,
                "credential": BASE64URL.encode(item.credential.as_bytes()),
                "at": rfc3339(item.at),
                "signature": BASE64URL.encode(item.signature.to_bytes()),
            })
        });
        let call = ("credentials/renew", "POST /credentials/renew");
        self.batch(http, session, system, call, idempotency_key, Value::Array(body.collect())).await
    }

    async fn batch(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        (path, endpoint): (&str, &'static str),
        idempotency_key: &str,
        body: Value,
    ) -> Result<Vec<Answer>, Error> {
        let url = join(&self.base, path)?;
        let request = || Request {
            idempotency_key: Some(idempotency_key),
            ..Request::post(url.clone(), endpoint, &body)
        };
        let reply = session.send(http, system, request).await?;
        let items: Vec<Item> = reply.json()?;
        if items.len() != body.as_array().map_or(0, Vec::len) {
            return Err(reply.unreadable("the number of answers"));
        }
        let answers = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| answer(item).ok_or_else(|| reply.unreadable(&format!("[{index}]"))));
        answers.collect()
    }
}

fn answer(item: Item) -> Option<Answer> {
    if let Some(problem) = item.problem {
        return Some(Answer::Refused(problem.kind));
    }
    let credential = Credential::from_bytes(&BASE64URL.decode(item.credential?).ok()?).ok()?;
    let renew_after = DateTime::parse_from_rfc3339(&item.renew_after?).ok()?.timestamp();
    Some(Answer::Issued(Issued { credential, renew_after }))
}

fn rfc3339(unix_s: u32) -> String {
    DateTime::from_timestamp(i64::from(unix_s), 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}
