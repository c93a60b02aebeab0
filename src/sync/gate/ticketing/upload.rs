//! Admissions on their way to TickeTing.
//!
//! Its answer names the tickets that it has redeemed just now. That it redeems none has the same answer whether all were used
//! before or none counts; and an answer may be lost. Then its list of admissions tells who redeemed a ticket: this scanner's
//! id is random and nobody else's, so that the admissions on its device are its own, whatever the door was called then.

use std::collections::{BTreeMap, BTreeSet};

use super::list::{MAX_PAGES, PAGE, Progress};
use super::session;
use crate::error::Error;
use crate::ledger::{Kind, ScannerId};
use crate::model::{Admission, AdmissionOrder, AdmissionQuery, GateSyncReport};
use crate::remote::Session;
use crate::remote::ticketing::Ticketing;
use crate::store::StoredRecord;
use crate::sync::gate::Registered;
use crate::sync::scanner::{Post, Scanner, history};

/// Tickets redeemed in one request.
const BATCH: u32 = 50;
/// A ticket that the server neither redeems nor lists as redeemed is asked for again until so many seconds have passed: what
/// it lists may lag behind what it has done.
const LAG_S: i64 = 120;
/// The longest name of another door in a note, in characters.
const MAX_NAME: usize = 64;

/// What there is to do about a record.
enum Task {
    /// It stays on this device: TickeTing has no call for it.
    Stay,
    /// This ticket is to be redeemed.
    Redeem(String),
    /// An entry that this scanner has redeemed the ticket for already.
    Again,
    /// The server may still have an admission of this ticket that is none any more.
    TakenBack(String),
}

/// Who has redeemed a ticket.
enum Redeemed {
    Here,
    Elsewhere(String),
    Nowhere,
}

/// TickeTing's admissions of an event, to one device.
struct Desk<'a> {
    system: &'a Ticketing,
    session: Session,
    event_id: &'a str,
    redeemer: &'a str,
    device: String,
}

impl Scanner {
    /// Hands over what there is, batch by batch; each counts by itself.
    pub(super) async fn upload(
        &self,
        system: &Ticketing,
        post: &Post,
        registered: &Registered,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let batch = self.store.unsent_records(post.scanner.event, after, BATCH)?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = last.id;
            let rows = self.hand_over(system, post, registered, &batch).await?;
            self.mark_sent(&rows, report)?;
        }
    }

    /// Hands a batch over; gives the rows of which it is clear what became of them, and what is held against each.
    async fn hand_over(
        &self,
        system: &Ticketing,
        post: &Post,
        registered: &Registered,
        batch: &[StoredRecord],
    ) -> Result<Vec<(i64, Option<String>)>, Error> {
        let tasks = batch.iter().map(|stored| self.task(post, stored)).collect::<Result<Vec<_>, _>>()?;
        let mut wanted: BTreeMap<[u8; 8], BTreeSet<String>> = BTreeMap::new();
        for (stored, task) in batch.iter().zip(&tasks) {
            if let Task::Redeem(serial) = task {
                wanted.entry(stored.record.fields().scanner.0).or_default().insert(serial.clone());
            }
        }
        let mut redeemed = BTreeMap::new();
        for (scanner, serials) in wanted {
            let found = desk(system, registered, ScannerId(scanner)).redeem(serials).await?;
            redeemed.extend(found.into_iter().map(|(serial, by)| ((scanner, serial), by)));
        }
        let mut progress = Progress::of(&self.store, post.scanner.scanner)?;
        let before = progress.clone();
        let (now, mut rows) = (self.time.now()?.unix_s(), Vec::new());
        for (stored, task) in batch.iter().zip(&tasks) {
            let scanner = stored.record.fields().scanner;
            let conflict = match task {
                Task::Stay => None,
                Task::Again => Some("TickeTing counts a ticket's entry once".to_owned()),
                Task::TakenBack(serial) => {
                    let by = desk(system, registered, scanner).look_up(serial).await?;
                    matches!(by, Redeemed::Here)
                        .then(|| "TickeTing still has the admission: it takes none back".to_owned())
                }
                Task::Redeem(serial) => match redeemed.get(&(scanner.0, serial.clone())) {
                    Some(Redeemed::Here) => None,
                    Some(Redeemed::Elsewhere(by)) => Some(format!("redeemed elsewhere: {by}")),
                    Some(Redeemed::Nowhere) | None if progress.is_open(stored.id, now) => continue,
                    Some(Redeemed::Nowhere) | None => Some("not to be redeemed".to_owned()),
                },
            };
            rows.push((stored.id, conflict));
        }
        let ended: BTreeSet<_> = rows.iter().map(|(id, _)| *id).collect();
        progress.doubts.retain(|id, _| !ended.contains(id));
        if progress != before {
            progress.keep(&self.store)?;
        }
        Ok(rows)
    }

    fn task(&self, post: &Post, stored: &StoredRecord) -> Result<Task, Error> {
        let fields = stored.record.fields();
        let Some(serial) = stored.code.clone() else { return Ok(Task::Stay) };
        let of_ticket = match fields.ticket {
            Some(ticket) => self.store.ticket_records(fields.event, ticket)?,
            None => vec![stored.clone()],
        };
        let history = history(post, of_ticket.clone());
        let stands = |one: &&StoredRecord| {
            let id = one.record.id();
            history.all_entries().any(|entry| (entry.chain, entry.sequence) == (id.chain, id.sequence))
        };
        // Entries that were not taken back and that this scanner redeems or has redeemed the ticket for, the first first.
        let counts = |one: &&StoredRecord| {
            one.record.fields().scanner == fields.scanner && (one.id == stored.id || one.conflict.is_none())
        };
        let standing: Vec<_> = of_ticket.iter().filter(stands).filter(counts).map(|one| one.id).collect();
        Ok(match fields.kind {
            Kind::Admission | Kind::Override if standing.first() == Some(&stored.id) => Task::Redeem(serial),
            Kind::Admission | Kind::Override if standing.contains(&stored.id) => Task::Again,
            Kind::Undo if standing.is_empty() => Task::TakenBack(serial),
            _ => Task::Stay,
        })
    }
}

impl Progress {
    /// Whether it is too early to say that the server does not redeem this record's ticket.
    fn is_open(&mut self, record: i64, now: i64) -> bool {
        let since = self.doubts.entry(record).or_insert(now);
        // A clock that went back begins the wait anew.
        *since = now.min(*since);
        now - *since < LAG_S
    }
}

fn desk<'a>(system: &'a Ticketing, registered: &'a Registered, scanner: ScannerId) -> Desk<'a> {
    Desk {
        system,
        session: session(&registered.session),
        event_id: &registered.event_id,
        redeemer: &registered.name,
        device: hex::encode(scanner.0),
    }
}

impl Desk<'_> {
    /// Redeems tickets; tells of each who has redeemed it then.
    ///
    /// # Errors
    /// When it is not clear what became of some: the same call tells later.
    async fn redeem(&self, mut open: BTreeSet<String>) -> Result<BTreeMap<String, Redeemed>, Error> {
        let (mut told, mut was_lost) = (BTreeMap::new(), false);
        while !open.is_empty() {
            match self.admit(&open).await {
                // A server may redeem some at a time: as long as it does, it is asked for the rest.
                Ok(admitted) if admitted.iter().any(|serial| open.contains(serial)) => {
                    open.retain(|serial| !admitted.contains(serial));
                    told.extend(admitted.into_iter().map(|serial| (serial, Redeemed::Here)));
                }
                Ok(_) | Err(Error::Status { status: 400, .. }) => {
                    self.tell(&mut open, &mut told).await?;
                    told.extend(std::mem::take(&mut open).into_iter().map(|it| (it, Redeemed::Nowhere)));
                }
                // What is listed has arrived; the rest may not have, and is asked for once more.
                Err(error) if error.is_uncertain() => {
                    self.tell(&mut open, &mut told).await?;
                    if was_lost && !open.is_empty() {
                        return Err(error);
                    }
                    was_lost = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }

    /// Moves the tickets that somebody has redeemed.
    async fn tell(
        &self,
        open: &mut BTreeSet<String>,
        told: &mut BTreeMap<String, Redeemed>,
    ) -> Result<(), Error> {
        for serial in open.clone() {
            let by = self.look_up(&serial).await?;
            if !matches!(by, Redeemed::Nowhere) {
                open.remove(&serial);
                told.insert(serial, by);
            }
        }
        Ok(())
    }

    async fn admit(&self, serials: &BTreeSet<String>) -> Result<Vec<String>, Error> {
        let order = AdmissionOrder {
            event_id: self.event_id.to_owned(),
            redeemer: self.redeemer.to_owned(),
            device: self.device.clone(),
            serials: serials.iter().cloned().collect(),
        };
        let admissions = self.system.admit(&self.session, &order).await?;
        Ok(admissions.into_iter().map(|one| one.ticket).collect())
    }

    /// Who has redeemed a ticket, by the server's list; a server that does not filter is read to the end.
    async fn look_up(&self, serial: &str) -> Result<Redeemed, Error> {
        let mut elsewhere = None;
        for page in 1..=MAX_PAGES {
            let ticket = Some(serial.to_owned());
            let (page, records) = (Some(page), Some(PAGE));
            let query = AdmissionQuery { ticket, page, records, ..AdmissionQuery::default() };
            let found = match self.system.admissions(&self.session, self.event_id, &query).await {
                // A server may call an empty list no resource.
                Err(Error::Status { status: 404, .. }) => break,
                other => other?,
            };
            let more = found.more();
            for one in found.entries.into_iter().filter(|one| one.ticket == serial) {
                if one.device.as_deref() == Some(&self.device) {
                    return Ok(Redeemed::Here);
                }
                elsewhere.get_or_insert(one);
            }
            if !more {
                break;
            }
        }
        Ok(elsewhere.map_or(Redeemed::Nowhere, |one| Redeemed::Elsewhere(named(&one))))
    }
}

/// Where and when, as staff read it. The name is whatever somebody chose.
fn named(admission: &Admission) -> String {
    let name = admission.redeemer.as_deref().unwrap_or("unnamed");
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let at = admission.admitted_at.and_then(|at| chrono::DateTime::from_timestamp(at, 0));
    at.map_or(name.clone(), |at| format!("{name}, {}", at.format("%Y-%m-%d %H:%M:%S UTC")))
}
