//! The extension: what a ticketing server adds to serve device-bound credentials, a market and gates. The same endpoints beside every system;
//! `tests/sandbox/openapi` holds their description.

mod feed;
mod gates;
mod market;
mod transfers;

pub use feed::{FeedItem, FeedPage};
pub use gates::{
    GateAnswer, GateSignIn, LedgerPage, MAX_RECORDS, ManifestReply, RegisteredGate, Uploaded, Vector,
    gate_session,
};
pub use market::{Acquired, Asker, WireListing, WireOffers};
pub use transfers::WireTransfer;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::address::{join, segment};
use super::session::Refresh;
use super::{Http, Reply, Request, Session};
use crate::barcode::{Credential, DeviceKey, IssuerKey};
use crate::error::Error;
use crate::model::Statement;

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
    /// The device's statement.
    pub statement: &'a Statement,
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

    /// Whether the server tells what has changed since a cursor.
    pub fn offers_feed(&self) -> bool {
        self.offers("tickets")
    }

    /// Whether the server hands tickets from one person to another.
    pub fn offers_transfers(&self) -> bool {
        self.offers("transfer")
    }

    fn offers(&self, feature: &str) -> bool {
        self.features.iter().any(|offered| offered == feature)
    }

    /// Whether the server binds credentials to devices.
    pub fn offers_credentials(&self) -> bool {
        self.offers("credentials") && !self.issuer_keys.is_empty()
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

    /// Takes a ticket over from the device that holds it: `POST /credentials?move=true`. Costs a move.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it was refused, [`Error::Reply`].
    pub async fn take_over(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        item: &BindItem<'_>,
    ) -> Result<Issued, Error> {
        let mut url = join(&self.base, "credentials")?;
        url.set_query(Some("move=true"));
        let body =
            json!({ "ticket_id": item.ticket_id, "device_key": BASE64URL.encode(item.device_key.to_x963()) });
        let call = (url, "POST /credentials?move=true");
        let reply = self.write(http, session, system, call, idempotency_key, &body).await?;
        match answer(reply.json()?) {
            Some(Answer::Issued(issued)) => Ok(issued),
            _ => Err(reply.unreadable("credential")),
        }
    }

    /// Gives a credential up: `POST /credentials/{ticket}/surrender`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn surrender(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        ticket_id: &str,
        statement: &Statement,
    ) -> Result<(), Error> {
        let call = (
            join(&self.base, &format!("credentials/{}/surrender", segment(ticket_id)))?,
            "POST /credentials/:ticket/surrender",
        );
        let reply = self.write(http, session, system, call, idempotency_key, &stated(statement)?).await?;
        match reply.status {
            204 => Ok(()),
            // A page of something in between is no server's word: the key would be given up for nothing.
            _ if reply.is_success() => Err(reply.unreadable("status")),
            _ => Err(reply.error()),
        }
    }

    async fn write(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        (url, endpoint): (Url, &'static str),
        idempotency_key: &str,
        body: &Value,
    ) -> Result<Reply, Error> {
        let request = || Request {
            idempotency_key: Some(idempotency_key),
            ..Request::post(url.clone(), endpoint, body)
        };
        session.send(http, system, request).await
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
            let mut stated = stated(item.statement)?;
            stated["ticket_id"] = item.ticket_id.into();
            stated["credential"] = BASE64URL.encode(item.credential.as_bytes()).into();
            Ok(stated)
        });
        let body = body.collect::<Result<Vec<_>, Error>>()?;
        let call = ("credentials/renew", "POST /credentials/renew");
        self.batch(http, session, system, call, idempotency_key, Value::Array(body)).await
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
        let call = (join(&self.base, path)?, endpoint);
        let reply = self.write(http, session, system, call, idempotency_key, &body).await?;
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
    issued(&item.credential?, &item.renew_after?).map(Answer::Issued)
}

fn issued(credential: &str, renew_after: &str) -> Option<Issued> {
    let credential = Credential::from_bytes(&BASE64URL.decode(credential).ok()?).ok()?;
    Some(Issued { credential, renew_after: unix_seconds(renew_after)? })
}

/// A device's statement as it is sent.
fn stated(statement: &Statement) -> Result<Value, Error> {
    let signature = hex::decode(&statement.signature)
        .map_err(|_| Error::Untrusted { what: "a kept statement is damaged" })?;
    Ok(json!({ "at": rfc3339(statement.at), "signature": BASE64URL.encode(signature) }))
}

fn unix_seconds(rfc3339: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.timestamp())
}

fn rfc3339(unix_s: u32) -> String {
    DateTime::from_timestamp(i64::from(unix_s), 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}
