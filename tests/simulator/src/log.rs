//! The delivery log: what each scanner was brought, and what it decided. The checks know nothing else.

use std::collections::{HashMap, HashSet};

use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::ledger::{Certificate, Item, Record, RecordId, ScannerId};

/// A scanner from its sign-in until its store is lost.
pub(crate) struct Life {
    pub(crate) is_honest: bool,
    pub(crate) scanner: ScannerId,
    /// The sequence of its manifest.
    pub(crate) manifest: u32,
    /// Whose records it can check.
    certificates: HashMap<ScannerId, Certificate>,
    /// Tickets that honest scanners let in, this one or those whose records were delivered; the highest generation.
    heard: HashMap<u32, u16>,
    /// Entries at honest scanners that it wrote or was brought.
    pub(crate) has: HashSet<u32>,
}

/// An entry at an honest scanner.
pub(crate) struct Entry {
    pub(crate) life: usize,
    pub(crate) ticket: u32,
    pub(crate) record: RecordId,
    /// Whether its scanner had no honest one's record of an entry before.
    pub(crate) is_first_heard: bool,
}

/// What is known of a ticket beside its entries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// A lying scanner saw it, or took its code from others' records.
    pub(crate) in_wrong_hands: bool,
    /// An entry was taken back, or staff overrode a refusal.
    pub(crate) corrected: bool,
}

pub(crate) struct DeliveryLog {
    pinned: IssuerKey,
    pub(crate) lives: Vec<Life>,
    pub(crate) entries: Vec<Entry>,
    by_record: HashMap<RecordId, u32>,
    pub(crate) marks: HashMap<u32, Marks>,
}

impl DeliveryLog {
    pub(crate) fn new(pinned: IssuerKey) -> Self {
        let (lives, entries) = (Vec::new(), Vec::new());
        Self { pinned, lives, entries, by_record: HashMap::new(), marks: HashMap::new() }
    }

    /// Somebody signs in.
    pub(crate) fn begin(
        &mut self,
        certificate: &[u8],
        is_honest: bool,
        manifest: u32,
    ) -> Result<usize, String> {
        let own = Certificate::read(certificate, &self.pinned).map_err(|e| format!("certificate: {e}"))?;
        self.lives.push(Life {
            is_honest,
            scanner: own.scanner,
            manifest,
            certificates: HashMap::from([(own.scanner, own)]),
            heard: HashMap::new(),
            has: HashSet::new(),
        });
        Ok(self.lives.len() - 1)
    }

    /// Whether an honest scanner's entry of the ticket is known to a scanner, and its highest generation.
    pub(crate) fn heard(&self, life: usize, ticket: u32) -> Option<u16> {
        self.lives.get(life).and_then(|life| life.heard.get(&ticket).copied())
    }

    /// An honest scanner let somebody in.
    pub(crate) fn enter(&mut self, life: usize, ticket: u32, generation: u16, record: RecordId) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let is_first_heard = self.heard(life, ticket).is_none();
        self.entries.push(Entry { life, ticket, record, is_first_heard });
        self.by_record.insert(record, number);
        self.knows(life, number, ticket, generation);
    }

    /// A message is there. `is_vouched` says that its bearer has checked every record.
    pub(crate) fn deliver(&mut self, to: usize, items: &[Item], is_vouched: bool) {
        for item in items {
            if let Item::Certificate(signed) = item
                && let Ok(one) = Certificate::read(signed, &self.pinned)
                && let Some(life) = self.lives.get_mut(to)
            {
                life.certificates.insert(one.scanner, one);
            }
        }
        for item in items {
            let Item::Record(bytes) = item else { continue };
            let Ok(record) = Record::from_bytes(bytes) else { continue };
            if record.fields().lets_in() {
                self.deliver_entry(to, &record, is_vouched);
            }
        }
    }

    fn deliver_entry(&mut self, to: usize, record: &Record, is_vouched: bool) {
        let Some(number) = self.by_record.get(&record.id()).copied() else { return };
        let (Some(life), Some(entry)) = (self.lives.get(to), self.entries.get(number as usize)) else {
            return;
        };
        let is_of_its_scanner =
            self.lives.get(entry.life).is_some_and(|wrote| wrote.scanner == record.fields().scanner);
        let certificate = life.certificates.get(&record.fields().scanner);
        let holds = certificate.is_some_and(|one| is_vouched || record.check(one).is_ok());
        if is_of_its_scanner && holds {
            let ticket = entry.ticket;
            self.knows(to, number, ticket, record.fields().generation);
        }
    }

    fn knows(&mut self, life: usize, entry: u32, ticket: u32, generation: u16) {
        if let Some(life) = self.lives.get_mut(life) {
            life.has.insert(entry);
            let highest = life.heard.entry(ticket).or_default();
            *highest = generation.max(*highest);
        }
    }

    pub(crate) fn marks(&self, ticket: u32) -> Marks {
        self.marks.get(&ticket).copied().unwrap_or_default()
    }

    pub(crate) fn mark(&mut self, ticket: u32, new: Marks) {
        let marks = self.marks.entry(ticket).or_default();
        marks.in_wrong_hands |= new.in_wrong_hands;
        marks.corrected |= new.corrected;
    }
}
