//! Tickets and events: the server's copy, written page by page, read as narrow rows.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};

use super::Store;
use super::credentials::put_refusal;
use super::documents::put_static_code;
use crate::error::Error;
use crate::model::{
    BarcodeProfile, Event, PulledEvent, PulledTicket, TicketDetail, TicketFilter, TicketFormat, TicketHash,
    TicketStatus, TicketSummary,
};

/// Tickets without a start come last.
const NO_START: i64 = i64::MAX;
/// A ticket missing from this many complete pulls in a row is a tombstone.
pub(super) const TOMBSTONE: i64 = 2;

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageEnd<'a> {
    /// How many items of this pull are stored with this page.
    pub position: i64,
    /// Whether this was the last page of a list that has everything: what it lacks is absent.
    pub complete: bool,
    /// The change feed's cursor after this page.
    pub cursor: Option<&'a str>,
    /// Tickets of which the server said with this page that they are gone.
    pub gone: &'a [TicketHash],
}

/// What is known of an earlier pull of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullState {
    /// The change feed's cursor.
    pub cursor: Option<String>,
    /// What the server called the list that was last seen whole, and not changed since.
    pub etag: Option<String>,
    /// When that was, Unix seconds.
    pub completed_at: Option<i64>,
    /// Whether everything was seen since the pull began.
    pub complete: bool,
    /// The number of the pull.
    pub pull: i64,
}

/// What a page changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageChanges {
    /// Tickets that were not here.
    pub added: u32,
    /// Tickets whose record differs.
    pub changed: u32,
    /// Tickets that became tombstones with this page.
    pub removed: u32,
}

impl Store {
    /// Begins a complete pull of a resource and returns its number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_pull(&self, account_id: &str, resource: &str) -> Result<i64, Error> {
        self.write("the pull cannot be begun", |tx| {
            let pull: i64 = tx.query_row(
                "UPDATE account SET pulls = pulls + 1 WHERE id = ?1 RETURNING pulls",
                [account_id],
                |row| row.get(0),
            )?;
            tx.execute(
                "INSERT OR REPLACE INTO cursor (account_id, resource, pull, position, complete)
                 VALUES (?1, ?2, ?3, 0, 0)",
                (account_id, resource, pull),
            )?;
            Ok(pull)
        })
    }

    /// Keeps one page and its cursor in one transaction. The last page of a pull also counts the absent.
    ///
    /// # Errors
    /// [`Error::Database`]; nothing of the page is kept then.
    pub fn store_page(
        &self,
        account_id: &str,
        resource: &str,
        pull: i64,
        page: &[PulledTicket],
        end: PageEnd<'_>,
    ) -> Result<PageChanges, Error> {
        self.write("the tickets cannot be kept", |tx| {
            let mut changes = PageChanges::default();
            for ticket in page {
                store_ticket(tx, account_id, pull, ticket, &mut changes)?;
            }
            fail::fail_point!("page-under-way");
            tx.execute(
                "UPDATE cursor SET position = ?4, complete = max(complete, ?5), token = ?6
                 WHERE account_id = ?1 AND resource = ?2 AND pull = ?3",
                (account_id, resource, pull, end.position, end.complete, end.cursor),
            )?;
            for ticket in end.gone {
                changes.removed += bury(tx, account_id, *ticket)?;
            }
            if end.complete {
                changes.removed += count_absences(tx, account_id, pull)?;
            }
            Ok(changes)
        })
    }

    /// What is known of an earlier pull of a resource.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn pull_state(&self, account_id: &str, resource: &str) -> Result<PullState, Error> {
        let found = self.read("the cursor cannot be read", |db| {
            db.prepare_cached(
                "SELECT token, etag, completed_at, complete, pull FROM cursor WHERE account_id = ?1 AND resource = ?2",
            )?
            .query_row((account_id, resource), |row| {
                Ok(PullState {
                    cursor: row.get(0)?,
                    etag: row.get(1)?,
                    completed_at: row.get(2)?,
                    complete: row.get(3)?,
                    pull: row.get(4)?,
                })
            })
            .optional()
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Remembers what the server calls a list that was just seen whole.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn remember_list(
        &self,
        account_id: &str,
        resource: &str,
        etag: Option<&str>,
        now: i64,
    ) -> Result<(), Error> {
        self.write("the cursor cannot be kept", |tx| {
            tx.execute(
                "UPDATE cursor SET etag = ?3, completed_at = ?4 WHERE account_id = ?1 AND resource = ?2 AND complete",
                (account_id, resource, etag, now),
            )
            .map(drop)
        })
    }

    /// Tickets that a complete pull missed once, with tenant and the system's id, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn missed(
        &self,
        account_id: &str,
        limit: u32,
    ) -> Result<Vec<(TicketHash, Option<String>, String)>, Error> {
        self.read("the missing tickets cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT t.id, b.tenant, b.remote_id FROM ticket t JOIN ticket_body b ON b.ticket_id = t.id
                 WHERE t.account_id = ?1 AND t.absences = 1 ORDER BY t.list_order, t.id LIMIT ?2",
            )?;
            let rows = statement.query_map((account_id, limit), |row| {
                Ok((TicketHash(row.get(0)?), row.get(1)?, row.get(2)?))
            })?;
            rows.collect()
        })
    }

    /// Keeps what the server says of a ticket that an account missed: whether it is gone. One that another account of
    /// the wallet has got meanwhile stays as it is. Returns whether it became a tombstone.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn settle_missed(&self, account_id: &str, ticket: TicketHash, gone: bool) -> Result<bool, Error> {
        self.write("the missing ticket cannot be kept", |tx| {
            let absences = if gone { TOMBSTONE } else { 0 };
            let settled = tx.execute(
                "UPDATE ticket SET absences = ?3 WHERE account_id = ?1 AND id = ?2",
                (account_id, &ticket.0[..], absences),
            )?;
            Ok(gone && settled > 0)
        })
    }

    /// One page of the list, soonest first, as it stands at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tickets(&self, filter: &TicketFilter, now: i64) -> Result<Vec<TicketSummary>, Error> {
        self.read("the tickets cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {SUMMARY} FROM ticket
                 WHERE list_order >= :from AND absences < {TOMBSTONE} AND (:account IS NULL OR account_id = :account)
                 ORDER BY list_order, id LIMIT :limit OFFSET :offset"
            ))?;
            let rows = statement.query_map(
                named_params! {
                    ":from": filter.starting_from.unwrap_or(i64::MIN), ":account": filter.account_id,
                    ":limit": filter.limit, ":offset": filter.offset,
                },
                |row| summary(row, now),
            )?;
            rows.collect()
        })
    }

    /// One row of the list as it stands at `now` (Unix seconds); of a tombstone too.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn ticket(&self, id: TicketHash, now: i64) -> Result<TicketSummary, Error> {
        self.read("the ticket cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!("SELECT {SUMMARY} FROM ticket WHERE id = ?1"))?;
            statement.query_row([&id.0[..]], |row| summary(row, now)).optional()
        })?
        .ok_or(Error::NotFound { what: "ticket" })
    }

    /// Everything about one ticket but its credential.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn ticket_detail(&self, id: TicketHash, now: i64) -> Result<TicketDetail, Error> {
        let summary = self.ticket(id, now)?;
        self.read("the ticket cannot be read", |db| detail(db, id, summary))
    }

    /// The events of these hashes (hex) that are known.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn events(&self, hashes: &[&str]) -> Result<Vec<Event>, Error> {
        self.read("the events cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT hash, remote_id, name, venue, starts_at, ends_at, time_zone FROM event WHERE hash = unhex(?1)",
            )?;
            let found = hashes.iter().map(|hash| statement.query_row([hash], |row| event(row, 0)).optional());
            found.filter_map(Result::transpose).collect()
        })
    }
}

const SUMMARY: &str =
    "id, account_id, title, category, format, status, profile, starts_at, venue, section, seat, ends_at, expires_at,
     event";

fn summary(row: &Row<'_>, now: i64) -> rusqlite::Result<TicketSummary> {
    let status = TicketStatus::from_text(row.get_ref(5)?.as_str()?);
    let expires_at = row.get(12)?;
    Ok(TicketSummary {
        id: hex::encode(row.get_ref(0)?.as_blob()?),
        account_id: row.get(1)?,
        title: row.get(2)?,
        category: row.get(3)?,
        format: TicketFormat::from_text(row.get_ref(4)?.as_str()?),
        effective_status: status.at(expires_at, now),
        status,
        expires_at,
        event_hash: row.get_ref(13)?.as_blob_or_null()?.map(hex::encode),
        ends_at: row.get(11)?,
        profile: match row.get_ref(6)?.as_str()? {
            "signed" => BarcodeProfile::Signed,
            "static" => BarcodeProfile::Static,
            _ => BarcodeProfile::None,
        },
        starts_at: row.get(7)?,
        venue: row.get(8)?,
        section: row.get(9)?,
        seat: row.get(10)?,
    })
}

fn detail(db: &Connection, id: TicketHash, summary: TicketSummary) -> rusqlite::Result<TicketDetail> {
    let mut statement = db.prepare_cached(
        "SELECT b.remote_id, b.holder, b.body, e.hash, e.remote_id, e.name, e.venue, e.starts_at, e.ends_at, e.time_zone
         FROM ticket_body b LEFT JOIN event e ON e.hash = b.event WHERE b.ticket_id = ?1",
    )?;
    statement.query_row([&id.0[..]], |row| {
        let known = row.get_ref(3)?.as_blob_or_null()?.is_some();
        let event = known.then(|| event(row, 3)).transpose()?;
        Ok(TicketDetail {
            summary,
            remote_id: row.get(0)?,
            holder: row.get(1)?,
            body_json: whole_json(row.get(2)?)?,
            event,
            generation: None,
            lease_end: None,
            no_barcode: None,
            unidy: None,
            listing: None,
        })
    })
}

/// An event out of seven columns from `first` on.
fn event(row: &Row<'_>, first: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        hash: hex::encode(row.get_ref(first)?.as_blob()?),
        remote_id: row.get(first + 1)?,
        name: row.get(first + 2)?,
        venue: row.get(first + 3)?,
        starts_at: row.get(first + 4)?,
        ends_at: row.get(first + 5)?,
        time_zone: row.get(first + 6)?,
    })
}

fn store_ticket(
    tx: &Transaction<'_>,
    account_id: &str,
    pull: i64,
    ticket: &PulledTicket,
    changes: &mut PageChanges,
) -> rusqlite::Result<()> {
    let id = &ticket.id.0[..];
    let before: Option<(String, String)> = tx
        .prepare_cached(
            "SELECT t.account_id, b.body FROM ticket_body b JOIN ticket t ON t.id = b.ticket_id WHERE b.ticket_id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match &before {
        None => changes.added += 1,
        Some((_, body)) if *body != ticket.body => changes.changed += 1,
        Some(_) => {}
    }
    // What an account gave up is not given up by the next that has the ticket.
    if before.is_some_and(|(account, _)| account != account_id) {
        put_refusal(tx, ticket.id, None)?;
    }
    if let Some(event) = &ticket.event {
        store_event(tx, event)?;
    }
    store_row(tx, account_id, pull, ticket)?;
    tx.prepare_cached(
        "INSERT INTO ticket_body (ticket_id, tenant, remote_id, event, holder, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (ticket_id) DO UPDATE SET tenant = ?2, remote_id = ?3, event = ?4, holder = ?5, body = ?6",
    )?
    .execute((
        id,
        &ticket.tenant,
        &ticket.remote_id,
        ticket.event.as_ref().map(|event| &event.hash.0[..]),
        &ticket.holder,
        &ticket.body,
    ))?;
    ticket.static_code.iter().try_for_each(|code| put_static_code(tx, ticket.id, code, false))
}

/// Keeps a ticket that came by a purchase or a transfer, as if the account's last pull had brought it.
pub(super) fn put_acquired(
    tx: &Transaction<'_>,
    account_id: &str,
    ticket: &PulledTicket,
) -> rusqlite::Result<()> {
    let pull = tx.query_row("SELECT pulls FROM account WHERE id = ?1", [account_id], |row| row.get(0))?;
    store_ticket(tx, account_id, pull, ticket, &mut PageChanges::default())
}

/// A signed ticket stays signed, whatever a later answer says or leaves out.
fn store_row(
    tx: &Transaction<'_>,
    account_id: &str,
    pull: i64,
    ticket: &PulledTicket,
) -> rusqlite::Result<()> {
    let event = ticket.event.as_ref();
    let starts_at = event.and_then(|event| event.starts_at);
    tx.prepare_cached(
        "INSERT INTO ticket (id, account_id, list_order, title, category, format, status, profile, starts_at, venue,
                             section, seat, ends_at, expires_at, event, pull)
         VALUES (:id, :account, :list_order, :title, :category, :format, :status, :profile, :starts_at, :venue,
                 :section, :seat, :ends_at, :expires_at, :event, :pull)
         ON CONFLICT (id) DO UPDATE SET
            account_id = :account, list_order = :list_order, title = :title, category = :category, format = :format,
            status = :status, profile = CASE profile WHEN 'signed' THEN 'signed' ELSE :profile END,
            starts_at = :starts_at, venue = :venue, section = :section, seat = :seat, ends_at = :ends_at,
            expires_at = :expires_at, event = :event, pull = :pull, absences = 0",
    )?
    .execute(named_params! {
        ":id": &ticket.id.0[..], ":account": account_id, ":list_order": starts_at.unwrap_or(NO_START),
        ":title": event.map_or(ticket.category.as_deref().unwrap_or("Ticket"), |event| &event.name),
        ":category": ticket.category, ":format": ticket.format.as_text(), ":status": ticket.status.as_text(),
        ":profile": ticket.profile.as_text(), ":starts_at": starts_at,
        ":venue": event.and_then(|event| event.venue.as_deref()), ":section": ticket.section, ":seat": ticket.seat,
        ":ends_at": event.and_then(|event| event.ends_at), ":expires_at": ticket.expires_at,
        ":event": event.map(|event| &event.hash.0[..]), ":pull": pull,
    })?;
    Ok(())
}

fn store_event(tx: &Transaction<'_>, event: &PulledEvent) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO event (hash, remote_id, name, venue, starts_at, ends_at, time_zone, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (hash) DO UPDATE SET
            remote_id = ?2, name = ?3, venue = ?4, starts_at = ?5, ends_at = ?6, time_zone = ?7, body = ?8",
    )?
    .execute((
        &event.hash.0[..],
        &event.remote_id,
        &event.name,
        &event.venue,
        event.starts_at,
        event.ends_at,
        &event.time_zone,
        &event.body,
    ))?;
    Ok(())
}

/// Makes a tombstone of a ticket; returns how many it made.
fn bury(tx: &Transaction<'_>, account_id: &str, ticket: TicketHash) -> rusqlite::Result<u32> {
    let buried = tx.execute(
        "UPDATE ticket SET absences = ?3 WHERE account_id = ?1 AND id = ?2 AND absences < ?3",
        (account_id, &ticket.0[..], TOMBSTONE),
    )?;
    Ok(u32::from(buried > 0))
}

/// Counts one absence for each ticket that the complete pull did not have; returns how many became tombstones.
fn count_absences(tx: &Transaction<'_>, account_id: &str, pull: i64) -> rusqlite::Result<u32> {
    tx.execute(
        "UPDATE ticket SET absences = absences + 1 WHERE account_id = ?1 AND pull < ?2",
        (account_id, pull),
    )?;
    let buried: u32 = tx.query_row(
        "SELECT count(*) FROM ticket WHERE account_id = ?1 AND pull < ?2 AND absences = ?3",
        (account_id, pull, TOMBSTONE),
        |row| row.get(0),
    )?;
    Ok(buried)
}

/// Puts a holder as a server answered it into the ticket's record; what the answer does not tell of stays.
pub(super) fn put_ticket_holder(
    tx: &Transaction<'_>,
    ticket: TicketHash,
    record: &str,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE ticket_body SET body = json_set(body, '$.ticket_holder', json_set(
            json_patch(coalesce(body -> '$.ticket_holder', '{}'), ?2), '$.response', ?2 -> '$.response'))
         WHERE ticket_id = ?1",
        (&ticket.0[..], record),
    )?;
    Ok(())
}

/// JSON has no zeros: where one stands, the row goes on to a bad page.
fn whole_json(json: String) -> rusqlite::Result<String> {
    if json.contains('\0') { Err(rusqlite::Error::InvalidQuery) } else { Ok(json) }
}
