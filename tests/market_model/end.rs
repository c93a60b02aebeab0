//! The end of a history: networks are there again, and everybody comes online.

use std::collections::BTreeSet;

use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{PurchaseState, WriteKind, WriteState};
use ticket_wallet::resale::ListingState;

use crate::fairground::{Door, Fairground, Seen};

/// Kinds of the journal, and what they are called in what was seen.
const KINDS: [(&str, &str); 7] = [
    ("resale.sell", "sold"),
    ("resale.list", "listed"),
    ("resale.edit", "edited"),
    ("resale.withdraw", "withdrawn"),
    ("transfer.accept", "accepted"),
    ("transfer.decline", "declined"),
    ("credential.move", "moved"),
];

/// Longer than a reservation waits.
const RESERVATION_S: i64 = 3_600;

impl Fairground {
    /// What must hold once everybody has been online, and what the history came to.
    pub(crate) async fn end(mut self) -> Seen {
        self.calm().await;
        self.settle().await;
        self.check();
        self.everything_has_one_owner();
        self.listings_agree().await;
        self.newest_gate_lets_in_the_owner_alone().await;
        self.clock.pass_s(RESERVATION_S);
        self.owners_get_their_codes().await;
        self.money_and_tickets_match();
        let entries = self.sandbox.journal().unwrap();
        for (kind, name) in KINDS {
            self.seen.note(name, entries.iter().filter(|entry| entry.kind == kind).count());
        }
        self.seen
    }

    /// Syncs all phones until nothing is on its way but purchases that wait for their payment. A change that was refused
    /// holds up what comes after it for its ticket: it is discarded.
    async fn settle(&self) {
        for _ in 0..12 {
            let mut waits = false;
            for phone in 0..self.holders.len() {
                let wallet = self.wallet(phone);
                let _ = wallet.sync(None).await;
                for item in wallet.outbox(None).unwrap() {
                    match item.state {
                        WriteState::Waiting | WriteState::Sent => waits |= item.kind != WriteKind::Purchase,
                        _ => wallet.discard_write(item.id).unwrap(),
                    }
                }
            }
            self.clock.pass_s(1);
            if !waits {
                return self.sync_all().await;
            }
        }
        panic!("a change is still on its way");
    }

    /// Everybody hears of what the others did.
    async fn sync_all(&self) {
        for _ in 0..2 {
            for phone in 0..self.holders.len() {
                self.wallet(phone).sync(None).await.unwrap();
            }
        }
    }

    /// Each ticket is listed by its owner's phones, and by nobody else's.
    fn everything_has_one_owner(&self) {
        let owners = self.owners();
        for holder in &self.holders {
            let listed: BTreeSet<_> = holder.phone.tickets().into_iter().map(|one| one.id).collect();
            for (ticket, owner) in self.tickets.iter().zip(&owners) {
                let lists = listed.contains(&ticket.id);
                assert_eq!(
                    lists,
                    holder.person == *owner,
                    "ticket {}, a phone of {}",
                    ticket.id,
                    holder.person
                );
            }
        }
    }

    /// What sellers see as offered is what the market offers.
    async fn listings_agree(&self) {
        let listings =
            (0..self.holders.len()).flat_map(|phone| self.wallet(phone).my_listings(None).unwrap());
        let active = listings.filter(|listing| listing.state == Some(ListingState::Active));
        let seen_by_sellers: BTreeSet<_> = active.filter_map(|listing| listing.remote_id).collect();
        let mut offered = BTreeSet::new();
        for phone in [0, 1] {
            offered.extend(self.offers(phone).await.unwrap());
        }
        assert_eq!(seen_by_sellers, offered);
    }

    /// Of all codes that anybody has shown or shows, a gate with the latest manifest lets in one of the owner's at most.
    async fn newest_gate_lets_in_the_owner_alone(&mut self) {
        let mut door = Door::open(&self.clock, &self.sandbox).await;
        let owners = self.owners();
        for ticket in self.touched() {
            let (owner, mut codes) = (owners[ticket], self.tickets[ticket].codes.clone());
            codes.extend(self.shown_now(ticket));
            codes.sort_by_key(|(person, _)| *person == owner);
            for (person, text) in codes {
                let verdict = door.scan(ticket, &text);
                assert!(
                    verdict != Verdict::Admit || person == owner,
                    "ticket {ticket}: let in for who sold it"
                );
                self.saw(verdict);
            }
        }
    }

    /// The codes that phones show of a ticket now, with their persons, the newest generation last. A phone from which its
    /// person moved the ticket to another goes on showing until it hears of that.
    fn shown_now(&self, ticket: usize) -> Vec<(usize, String)> {
        let show = |phone: usize| {
            let frame = self.wallet(phone).present(self.id(ticket), None).ok()?;
            let generation = self.wallet(phone).ticket(self.id(ticket)).unwrap().generation;
            Some((generation, self.holders[phone].person, frame.text))
        };
        let mut shown: Vec<_> = (0..self.holders.len()).filter_map(show).collect();
        shown.sort();
        shown.into_iter().map(|(_, person, text)| (person, text)).collect()
    }

    /// Whoever owns a ticket takes back what is under way, comes online, and is let in.
    async fn owners_get_their_codes(&mut self) {
        self.settle().await;
        let (owners, touched) = (self.owners(), self.touched());
        for ticket in &touched {
            for phone in self.phones_of(owners[*ticket]) {
                let _ = self.wallet(phone).withdraw_listing(self.id(*ticket));
                let _ = self.wallet(phone).cancel_transfer(self.id(*ticket));
            }
        }
        self.settle().await;
        for ticket in &touched {
            let phones = self.phones_of(owners[*ticket]);
            if phones.iter().all(|phone| self.wallet(*phone).present(self.id(*ticket), None).is_err()) {
                self.wallet(phones[0]).move_here(self.id(*ticket)).unwrap();
            }
        }
        self.settle().await;
        self.check();
        let mut door = Door::open(&self.clock, &self.sandbox).await;
        for ticket in touched {
            let mut shown = self.shown_now(ticket);
            let (person, newest) = shown.pop().unwrap_or_else(|| panic!("nobody shows ticket {ticket}"));
            assert_eq!(person, owners[ticket]);
            for (_, older) in shown {
                assert_ne!(door.scan(ticket, &older), Verdict::Admit, "ticket {ticket}");
            }
            let verdict = door.scan(ticket, &newest);
            assert_eq!(verdict == Verdict::Admit, !self.entered(ticket), "ticket {ticket}: {verdict:?}");
        }
    }

    fn phones_of(&self, person: usize) -> Vec<usize> {
        (0..self.holders.len()).filter(|phone| self.holders[*phone].person == person).collect()
    }

    /// A sale takes the ticket and the sum that was reserved for it, once; nobody waits for a ticket that is paid for.
    fn money_and_tickets_match(&self) {
        let mut sold = BTreeSet::new();
        for journal in self.journals() {
            for sale in journal.iter().filter(|entry| entry.kind == "resale.sell") {
                let listing = sale.detail["listing_id"].as_str().unwrap().to_owned();
                assert!(sold.insert(listing.clone()), "listing {listing} was sold twice");
                let reserved = journal.iter().rev().find(|entry| {
                    entry.kind == "resale.reserve" && entry.detail["listing_id"] == sale.detail["listing_id"]
                });
                let reserved = reserved.unwrap_or_else(|| panic!("listing {listing} was never reserved"));
                assert_eq!((&reserved.user, &reserved.detail["total"]), (&sale.user, &sale.detail["total"]));
                for listing in self.told_of(&listing) {
                    assert_eq!(listing, Some(ListingState::Sold), "its seller knows");
                }
            }
        }
        for phone in 0..self.holders.len() {
            for purchase in self.wallet(phone).purchases(None).unwrap() {
                let waits = matches!(purchase.state, PurchaseState::Reserved | PurchaseState::Unknown);
                assert!(!waits, "a purchase still waits: {}", purchase.listing_id);
            }
        }
    }

    /// What wallets say of a listing.
    fn told_of(&self, listing: &str) -> Vec<Option<ListingState>> {
        let all = (0..self.holders.len()).flat_map(|phone| self.wallet(phone).my_listings(None).unwrap());
        all.filter(|one| one.remote_id.as_deref() == Some(listing)).map(|one| one.state).collect()
    }
}
