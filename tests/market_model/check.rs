//! What must hold after each step, and whose a ticket is by the server's own record.

use std::collections::BTreeMap;

use ticket_wallet_sandbox::JournalEntry;

use crate::fairground::{CLUB, Fairground, Ticket};

impl Fairground {
    /// No two wallets hold credentials of the same generation of a ticket.
    pub(crate) fn check(&self) {
        let generations = self.holders.iter().enumerate().map(|(place, _)| self.generations(place));
        let held: Vec<_> = generations.collect();
        assert_eq!(twice(&held), None, "two wallets hold the same generation of a ticket");
    }

    /// The generations of the credentials that a phone holds.
    pub(crate) fn generations(&self, phone: usize) -> BTreeMap<usize, u16> {
        let of = |ticket: usize| {
            let detail = self.wallet(phone).ticket(self.id(ticket)).ok()?;
            Some((ticket, detail.generation?))
        };
        (0..self.tickets.len()).filter_map(of).collect()
    }

    /// What the server did to each ticket, in order.
    pub(crate) fn journals(&self) -> Vec<Vec<JournalEntry>> {
        let entries = self.sandbox.journal().unwrap();
        let of = |ticket: &Ticket| {
            let subject = format!("{CLUB}/{}", ticket.remote);
            entries.iter().filter(|entry| entry.subject == subject).cloned().collect()
        };
        self.tickets.iter().map(of).collect()
    }

    /// Whose each ticket is: the model. A ticket changes hands by a sale and by an accepted transfer, and each time from
    /// the one to the other.
    pub(crate) fn owners(&self) -> Vec<usize> {
        let changes = |entry: &&JournalEntry| matches!(&*entry.kind, "resale.sell" | "transfer.accept");
        let owner = |(ticket, journal): (&Ticket, Vec<JournalEntry>)| {
            journal.iter().filter(changes).fold(ticket.first, |owner, entry| {
                let to = usize::from(entry.user.starts_with("jonas"));
                assert_ne!(to, owner, "ticket {} was got by who had it: {}", ticket.id, entry.kind);
                to
            })
        };
        self.tickets.iter().zip(self.journals()).map(owner).collect()
    }

    /// The tickets to which something was done, or of which a code was shown, and one more.
    pub(crate) fn touched(&self) -> Vec<usize> {
        let first = |entry: &JournalEntry| entry.kind == "credential.bind" && entry.detail["generation"] == 1;
        let touched = |(ticket, journal): (&Ticket, &Vec<JournalEntry>)| {
            !ticket.codes.is_empty() || journal.iter().any(|entry| !first(entry))
        };
        let journals = self.journals();
        let is_touched: Vec<_> = self.tickets.iter().zip(&journals).map(touched).collect();
        let other = is_touched.iter().position(|touched| !touched);
        (0..is_touched.len()).filter(|ticket| is_touched[*ticket] || Some(*ticket) == other).collect()
    }
}

/// A ticket and generation that are there twice.
pub(crate) fn twice(held: &[BTreeMap<usize, u16>]) -> Option<(usize, u16)> {
    let mut seen = std::collections::BTreeSet::new();
    held.iter().flatten().map(|(ticket, generation)| (*ticket, *generation)).find(|one| !seen.insert(*one))
}
