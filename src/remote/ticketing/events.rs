//! Events, as far as tickets need them: `GET /events/{event}`.

use std::collections::{BTreeMap, HashMap, VecDeque};
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
/// So many events are known at once.
const MOST_KNOWN: usize = 256;
/// The records of those that are known come to no more, but for a single one.
const MOST_BYTES: usize = 4 << 20;
/// A client asks for no more: then an event's id stands for its name.
pub(super) const MOST_ASKED: u32 = 2_000;

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

    /// An event, asked for once as long as it is known; `None` where it may not be read, or is none, and once more events
    /// than [`MOST_ASKED`] were asked for.
    pub(super) async fn known_event(
        &self,
        session: &Session,
        event_id: &str,
    ) -> Result<Option<Arc<TicketingEvent>>, Error> {
        let lock = || self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().found(event_id) {
            return Ok(known);
        }
        if !lock().may_ask() {
            return Ok(None);
        }
        let found = match self.event(session, event_id).await {
            Ok(event) => Some(Arc::new(event)),
            Err(Error::Status { status: 400..=404 | 410, .. }) => None,
            Err(other) => return Err(other),
        };
        lock().keep(event_id, found.clone());
        Ok(found)
    }
}

/// Events by their ids, the latest that were asked for; `None` for those that may not be read.
#[derive(Debug, Default)]
pub(super) struct Known {
    events: HashMap<String, Option<Arc<TicketingEvent>>>,
    /// Their ids, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
    asked: u32,
}

impl Known {
    fn found(&self, event_id: &str) -> Option<Option<Arc<TicketingEvent>>> {
        self.events.get(event_id).cloned()
    }

    /// Counts a question, if there may be one more.
    fn may_ask(&mut self) -> bool {
        self.asked = self.asked.saturating_add(1);
        self.asked <= MOST_ASKED
    }

    fn keep(&mut self, event_id: &str, event: Option<Arc<TicketingEvent>>) {
        self.bytes += size(&event);
        if let Some(before) = self.events.insert(event_id.to_owned(), event) {
            self.bytes -= size(&before);
        } else {
            self.order.push_back(event_id.to_owned());
        }
        while self.order.len() > MOST_KNOWN || (self.bytes > MOST_BYTES && self.order.len() > 1) {
            let oldest = self.order.pop_front().and_then(|id| self.events.remove(&id));
            self.bytes -= oldest.as_ref().map_or(0, size);
        }
    }
}

fn size(event: &Option<Arc<TicketingEvent>>) -> usize {
    event.as_ref().map_or(0, |event| event.record.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(length: usize) -> Option<Arc<TicketingEvent>> {
        let record = format!("{{\"title\":\"{}\"}}", "x".repeat(length));
        TicketingEvent::read(&record, Zone::named("UTC").unwrap()).map(Arc::new)
    }

    #[test]
    fn few_events_and_few_bytes_are_known() {
        let mut known = Known::default();
        for number in 0..2 * MOST_KNOWN {
            known.keep(&number.to_string(), event(10));
        }
        assert_eq!((known.events.len(), known.order.len()), (MOST_KNOWN, MOST_KNOWN));
        assert!(known.found("0").is_none() && known.found(&(2 * MOST_KNOWN - 1).to_string()).is_some());
        for number in 0..10 {
            known.keep(&format!("large {number}"), event(MOST_BYTES / 3));
        }
        assert!(known.bytes <= MOST_BYTES && known.events.len() == known.order.len());
        known.keep("larger", event(2 * MOST_BYTES));
        assert_eq!(known.events.len(), 1, "the latest is known, whatever its size");
        known.keep("none", None);
        known.keep("none", event(1));
        assert_eq!((known.events.len(), known.bytes), (1, size(&event(1))));
    }

    #[test]
    fn so_many_are_asked_for_and_no_more() {
        let mut known = Known::default();
        assert_eq!((0..3 * MOST_ASKED).filter(|_| known.may_ask()).count(), MOST_ASKED as usize);
    }
}
