//! An event's tickets: all of them, or what has changed since the list was read.
//!
//! TickeTing lists with `modified_since` the tickets whose status has changed after that time, by its own clock and to the
//! second. So the time that counts is the one that its replies tell, and never this device's. A ticket that the door may no
//! longer see, or that is no more, is in no list of changes: the whole list is read again from time to time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::session;
use crate::error::Error;
use crate::ledger::ScannerId;
use crate::remote::ticketing::{EventTicketQuery, PageQuery, Ticketing, TicketingPage, TicketingTicket};
use crate::store::Store;
use crate::sync::gate::Registered;

/// More pages than any event has tickets.
pub(super) const MAX_PAGES: u32 = 10_000;
/// Records on a page.
pub(super) const PAGE: u32 = 100;
/// A list is read again that came out shorter than the server counts: tickets moved between its pages.
const READINGS: u32 = 3;
/// Changes are asked for from so long before the list was read last: a server's clocks may differ, and what it lists may
/// lag behind what it has done.
const OVERLAP_S: i64 = 600;
/// The whole list is read again after so many seconds.
const WHOLE_EVERY_S: i64 = 3_600;

/// How far a gate's server was read, and what it left unclear. Times are Unix seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// Of which scanner: a sign-in, whatever its event, zone or sections, begins anew.
    scanner: String,
    /// When the list was read last, by the server's clock.
    read_at: Option<i64>,
    /// When it was read last as a whole, by the server's clock.
    whole_at: Option<i64>,
    /// Records whose tickets the server redeems for nobody: since when, by this device's clock.
    pub(super) doubts: BTreeMap<i64, i64>,
}

impl Progress {
    /// What is kept of this scanner; one that cannot be read is none.
    pub(super) fn of(store: &Store, scanner: ScannerId) -> Result<Self, Error> {
        let scanner = hex::encode(scanner.0);
        let kept = store.gate_progress()?.and_then(|json| serde_json::from_str::<Self>(&json).ok());
        let anew = || Self { scanner: scanner.clone(), ..Self::default() };
        Ok(kept.filter(|kept| kept.scanner == scanner).unwrap_or_else(anew))
    }

    pub(super) fn keep(&self, store: &Store) -> Result<(), Error> {
        let json = serde_json::to_string(self);
        store.set_gate_progress(&json.map_err(|_| Error::Untrusted { what: "progress cannot be kept" })?)
    }

    /// From when on changes are enough, at `now`; `None` when the whole list is due.
    pub(super) fn since(&self, now: i64) -> Option<i64> {
        let is_recent = self.whole_at.is_some_and(|at| (0..WHOLE_EVERY_S).contains(&(now - at)));
        self.read_at.filter(|_| is_recent).map(|at| at - OVERLAP_S)
    }

    /// What `read` brought is in the manifest in use.
    pub(super) fn has_read(&mut self, read: &Read) {
        if read.is_whole {
            (self.read_at, self.whole_at) = (read.at, read.at);
        } else {
            self.read_at = read.at.or(self.read_at);
        }
    }
}

/// Tickets as the server listed them.
pub(super) struct Read {
    pub(super) tickets: Vec<TicketingTicket>,
    /// Whether it is the whole list, or changes only.
    pub(super) is_whole: bool,
    /// The server's time when it gave the first page; `None` where it does not tell, and then the next list is whole.
    pub(super) at: Option<i64>,
}

/// Reads what has changed after `since`, else the whole list. `now` is this device's time: of it and the server's the earlier
/// one counts, so that one that is ahead leaves nothing out.
pub(super) async fn read(
    system: &Ticketing,
    registered: &Registered,
    since: Option<i64>,
    now: i64,
) -> Result<Read, Error> {
    let changed = match since {
        Some(since) => listed(system, registered, Some(since)).await.map(Some),
        None => Ok(None),
    };
    let (listed, is_whole) = match changed {
        Ok(Some(changed)) => (changed, false),
        // A server may call an empty list no resource, or know no such parameter.
        Ok(None) | Err(Error::Status { status: 400 | 404, .. }) => {
            (listed(system, registered, None).await?, true)
        }
        Err(error) => return Err(error),
    };
    let (tickets, date_s) = listed;
    Ok(Read { tickets, is_whole, at: date_s.map(|at| at.min(now)) })
}

/// All pages of a list, and when the first was given.
async fn listed(
    system: &Ticketing,
    registered: &Registered,
    modified_since: Option<i64>,
) -> Result<(Vec<TicketingTicket>, Option<i64>), Error> {
    let (mut all, mut begun) = (BTreeMap::new(), None);
    for reading in 1..=READINGS {
        let (pages, date_s, total) = walk(system, registered, modified_since).await?;
        // The earliest time counts: what came with it is kept, unless it comes again.
        begun = if reading == 1 { date_s } else { begun };
        let found: BTreeSet<_> = pages.iter().map(|ticket| ticket.serial.clone()).collect();
        let is_complete = total.is_none_or(|total| usize::try_from(total).is_ok_and(|it| found.len() >= it));
        all.extend(pages.into_iter().map(|ticket| (ticket.serial.clone(), ticket)));
        if is_complete {
            all.retain(|serial, _| found.contains(serial));
            break;
        }
    }
    Ok((all.into_values().collect(), begun))
}

/// Every page once: the tickets, when the first was given, and how many there are as the last one says.
async fn walk(
    system: &Ticketing,
    registered: &Registered,
    modified_since: Option<i64>,
) -> Result<(Vec<TicketingTicket>, Option<i64>, Option<u64>), Error> {
    let session = session(&registered.session);
    let (mut tickets, mut date_s) = (Vec::new(), None);
    for number in 1..=MAX_PAGES {
        let page = PageQuery { page: Some(number), records: Some(PAGE) };
        let query = EventTicketQuery { page, modified_since };
        let found: TicketingPage<_> = system.event_tickets(&session, &registered.event_id, query).await?;
        date_s = if number == 1 { found.date_s } else { date_s };
        let (more, total) = (found.more(), found.total);
        tickets.extend(found.entries);
        if !more {
            return Ok((tickets, date_s, total));
        }
    }
    Err(Error::Untrusted { what: "the server's list of tickets does not end" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(at: i64) -> Read {
        Read { tickets: Vec::new(), is_whole: true, at: Some(at) }
    }

    #[test]
    fn the_whole_list_is_due_at_first_and_after_an_hour() {
        let mut progress = Progress::default();
        assert_eq!(progress.since(10_000), None);
        progress.has_read(&whole(10_000));
        assert_eq!(progress.since(10_000), Some(9_400));
        progress.has_read(&Read { at: Some(13_000), is_whole: false, ..whole(0) });
        assert_eq!(progress.since(13_599), Some(12_400));
        assert_eq!(progress.since(13_600), None);
        assert_eq!(progress.since(9_999), None, "a clock that went back");
    }

    #[test]
    fn a_server_that_tells_no_time_is_read_whole() {
        let mut progress = Progress::default();
        progress.has_read(&Read { at: None, ..whole(0) });
        assert_eq!(progress.since(10_000), None);
        progress.has_read(&whole(10_000));
        progress.has_read(&Read { at: None, is_whole: false, ..whole(0) });
        assert_eq!(progress.since(10_100), Some(9_400), "changes that came without a time count for none");
    }
}
