//! What a device at an event's gates has of B.A.M: its validator, by a token or from the organizer's export.

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::enrollment::{self, Enrollment};
use super::{Bam, path_id, wire};
use crate::error::Error;
use crate::remote::{Reply, Request, Session, api_url};

const VALIDATOR: &str = "GET account/v1/organizer/validator/:token";
const EXPORT: &str = "GET account/v1/organizer/:id/validator/export";

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

opaque_debug!(BamValidator);

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
