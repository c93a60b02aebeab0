//! Events, as far as tickets need them: `GET /events/{event}`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::super::unidy::raw::{self, Members};
use super::record::last_part;
use super::time::read_time;
use super::{Ticketing, body};
use crate::error::Error;
use crate::model::expiry::Zone;
use crate::remote::bounds;
use crate::remote::{Request, Session};

const EVENT: &str = "GET events/:event";

/// An event. A field of an unexpected type counts as absent; the record holds it all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingEvent {
    /// Its address below the API's.
    pub uri: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// The venue's name.
    pub venue: Option<String>,
    /// Start, Unix seconds.
    pub starts_at: Option<i64>,
    /// End, Unix seconds.
    pub ends_at: Option<i64>,
    /// The names of its sections by their ids.
    pub sections: BTreeMap<String, String>,
    record: String,
}

opaque_debug!(TicketingEvent);

impl TicketingEvent {
    /// Reads a record. `None` when it is no object, or nests deeper than 100 levels.
    pub fn read(record: &str, zone: Zone) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let sections = members.raw("sections").and_then(raw::items).unwrap_or_default();
        let named = |section: &&str| {
            let section = Members::read(section)?;
            let id = section.label("self").or_else(|| section.label("uri"))?;
            Some((last_part(&id).to_owned(), section.text("name")?))
        };
        Some(Self {
            uri: members.text("self"),
            title: members.text("title").filter(|title| !title.is_empty()),
            venue: members.object("venue").and_then(|venue| venue.text("name")),
            starts_at: members.text("start").and_then(|text| read_time(&text, zone)),
            ends_at: members.text("end").and_then(|text| read_time(&text, zone)),
            sections: sections.iter().filter_map(named).collect(),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl Ticketing {
    /// A single event.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`], [`Error::Reply`];
    /// [`Error::Input`] naming `event_id`.
    pub async fn event(&self, session: &Session, event_id: &str) -> Result<TicketingEvent, Error> {
        let url = self.event_url(event_id, "")?;
        let reply = self.ask(session, || Request::get(url.clone(), EVENT)).await?;
        TicketingEvent::read(body(&reply)?.get(), self.zone).ok_or_else(|| reply.unreadable("body"))
    }

    /// An event, asked for once; `None` where it may not be read, or is none.
    pub(super) async fn known_event(
        &self,
        session: &Session,
        event_id: &str,
    ) -> Result<Option<Arc<TicketingEvent>>, Error> {
        let lock = || self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(event_id) {
            return Ok(known.clone());
        }
        let found = match self.event(session, event_id).await {
            Ok(event) => Some(Arc::new(event)),
            Err(Error::Status { status: 400..=404 | 410, .. }) => None,
            Err(other) => return Err(other),
        };
        lock().insert(event_id.to_owned(), found.clone());
        Ok(found)
    }
}
