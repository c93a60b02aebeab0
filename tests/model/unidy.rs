//! What happens to the tickets of the brands: by the person, by the brands' staff, and by other people.

#[path = "unidy/action.rs"]
pub(crate) mod action;
#[path = "unidy/mirror.rs"]
pub(crate) mod mirror;

use serde_json::{Map, Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::model::{AccountState, NoBarcodeReason, TransferAnswer, TransferState};
use ticket_wallet_sandbox::{TransferEnd, UnidyOffer};

use self::action::{Change, UnidyAction};
use crate::book::{Offered, offer_of};
use crate::home::{Home, OUTSIDER, UNIDY};
use crate::shown::View;
use crate::world::{World, allowed};

/// A Unidy ticket that the wallet shows.
struct Picked {
    ticket: String,
    subject: String,
    home: Home,
    active: bool,
}

impl World {
    pub(super) async fn at_unidy(&mut self, action: &UnidyAction) {
        match action {
            UnidyAction::Answer(n) => self.answer_unidy(*n),
            UnidyAction::Transfer { ticket, within } => self.transfer_unidy(*ticket, *within),
            UnidyAction::Cancel(n) => self.cancel_unidy(*n),
            UnidyAction::AnswerOffer { offer, accept } => self.answer_offer(*offer, *accept).await,
            UnidyAction::Change { ticket, change } => self.change(*ticket, *change),
            UnidyAction::Appear(n) => self.appear(UNIDY[n % UNIDY.len()]),
            UnidyAction::Disappear(n) => self.disappear(*n),
            UnidyAction::Offer(n) => self.offer_from_outside(*n),
            UnidyAction::EndTransfer { transfer, accept } => self.end_transfer_unidy(*transfer, *accept),
        }
    }

    /// Those that the wallet shows, in the order of their brands' ids.
    fn shown_unidy(&self) -> Vec<Picked> {
        let shown = self.view.iter().filter_map(|(ticket, shown)| {
            let home = self.home_of(&shown.account)?;
            let subject = format!("{}/{}", home.brand?, shown.remote_id);
            Some(Picked { ticket: ticket.clone(), subject, home, active: shown.status == "Active" })
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort_by(|a, b| a.subject.cmp(&b.subject));
        shown
    }

    fn pick_unidy(&self, number: usize, which: impl Fn(&Picked) -> bool) -> Option<Picked> {
        let mut shown = self.shown_unidy();
        shown.retain(which);
        let index = number.checked_rem(shown.len())?;
        Some(shown.swap_remove(index))
    }

    /// Unidy knows no holder's answers: the change is refused and stays to be seen.
    fn answer_unidy(&mut self, number: usize) {
        let Some(picked) = self.pick_unidy(number, |_| true) else { return };
        self.answer_about(&picked.ticket, &picked.subject);
    }

    fn transfer_unidy(&mut self, number: usize, within: bool) {
        let Some(picked) = self.pick_unidy(number, |picked| picked.active) else { return };
        let others = UNIDY.iter().find(|home| home.brand == picked.home.brand && **home != picked.home);
        let recipient = match others.filter(|_| within) {
            Some(other) => self.sandbox.users()[other.user].name.clone(),
            None => self.fresh_address(),
        };
        if let Some(item) = allowed(self.phone().wallet.transfer(picked.ticket, recipient.clone())) {
            self.book.accept(&item, &picked.subject, Some(offer_of(&picked.subject, &recipient)));
        }
    }

    fn cancel_unidy(&mut self, number: usize) {
        let mut under_way: Vec<_> = self.outbox().into_iter().map(|item| item.ticket_id).collect();
        let known = self.phone().wallet.transfers(None).unwrap();
        let pending = known.into_iter().filter(|one| one.state == TransferState::Pending);
        under_way.extend(pending.map(|one| one.ticket_id));
        let Some(picked) = self.pick_unidy(number, |picked| under_way.contains(&picked.ticket)) else {
            return;
        };
        self.cancel_of(&picked.ticket, &picked.subject);
    }

    /// The person answers what others hand over to them. Each account is told of its own only.
    async fn answer_offer(&mut self, number: usize, accept: bool) {
        let mut told = Vec::new();
        for home in UNIDY {
            let account = self.account_at(home).filter(|account| account.state == AccountState::SignedIn);
            let Some(account) = account else { continue };
            let incoming = allowed(self.phone().wallet.incoming_transfers(account.id.clone()).await);
            for offer in incoming.into_iter().flatten() {
                let known = self.offer(home, &offer.token).unwrap();
                assert_eq!(
                    (known.recipient, known.status),
                    (account.user_name.clone(), "pending".to_owned())
                );
                told.push((home, known.ticket_id, offer.token, account.id.clone()));
            }
        }
        told.sort();
        let Some((home, _, token, account)) = number.checked_rem(told.len()).map(|n| told.swap_remove(n))
        else {
            return;
        };
        let wallet = &self.phone().wallet;
        let answered = match accept {
            true => wallet.accept_transfer(account, token.clone()).await,
            false => wallet.decline_transfer(account, token.clone()).await,
        };
        let status = self.offer(home, &token).unwrap().status;
        match allowed(answered) {
            Some(TransferAnswer::Accepted) => assert_eq!((status.as_str(), accept), ("accepted", true)),
            Some(TransferAnswer::Declined) => assert_eq!((status.as_str(), accept), ("declined", false)),
            // The list of open offers does not tell who ended one.
            Some(TransferAnswer::Over) => assert_eq!((status.as_str(), accept), ("declined", false)),
            Some(TransferAnswer::Unknown) | None => {}
        }
    }

    fn offer(&self, home: Home, token: &str) -> Option<UnidyOffer> {
        let offers = self.sandbox.unidy_offers(home.brand.unwrap()).unwrap();
        offers.into_iter().find(|offer| offer.token == token)
    }

    /// All offers that were ever made at the brands, as the book compares them.
    pub(super) fn offers(&self) -> Vec<Offered> {
        let of_brand = |brand: &'static str| {
            let offers = self.sandbox.unidy_offers(brand).unwrap().into_iter();
            offers.map(move |offer| Offered {
                text: offer_of(&format!("{brand}/{}", offer.ticket_id), &offer.recipient),
                pending: offer.status == "pending",
                token: offer.token,
            })
        };
        mirror::BRANDS.into_iter().flat_map(of_brand).collect()
    }

    pub(super) fn change(&mut self, number: usize, change: Change) {
        let Some(held) = self.mirror.numbered(number) else { return };
        let word = self.fresh("changed");
        let members = members(change, &word, &held.record());
        let brand = held.home.brand.unwrap();
        assert!(self.sandbox.edit_unidy_ticket(brand, &held.id, &members).unwrap());
    }

    pub(super) fn appear(&mut self, home: Home) {
        let id = self.fresh("added");
        let user = &self.sandbox.users()[home.user].name;
        let members = json!({
            "title": format!("Nachgekauft {id}"), "state": "active", "reference": id, "price": 22.5, "currency": "EUR",
            "ticket_category_id": "category-of-the-late", "starts_at": "2027-03-28T20:30:00.000+02:00", "ends_at": null,
            "seating": null, "venue": "Kulturhalle", "metadata": {"seat": {"block": "B", "row": "4", "seat": "11"}},
            "wallet_export": {"qr_code": format!("CODE-{id}")},
        });
        let members = members.as_object().unwrap();
        assert!(self.sandbox.add_unidy_ticket(home.brand.unwrap(), user, &id, members).unwrap());
    }

    pub(super) fn disappear(&mut self, number: usize) {
        let Some(held) = self.mirror.numbered(number) else { return };
        assert!(self.sandbox.remove_unidy_ticket(held.home.brand.unwrap(), &held.id).unwrap());
    }

    /// Somebody without this wallet offers a ticket to whom it has an account of.
    fn offer_from_outside(&mut self, number: usize) {
        let (brand, users) = (OUTSIDER.brand.unwrap(), self.sandbox.users());
        let theirs = self.sandbox.unidy_tickets(brand, &users[OUTSIDER.user].name).unwrap();
        let Some(record) = number.checked_rem(theirs.len()).map(|n| &theirs[n]) else { return };
        let record: Value = serde_json::from_str(record).unwrap();
        let to = UNIDY.iter().find(|home| home.brand == OUTSIDER.brand).unwrap();
        let id = record["id"].as_str().unwrap();
        // A ticket that is not active, or offered already, is offered to nobody.
        self.sandbox.offer_unidy_ticket(brand, id, &users[to.user].name).unwrap();
    }

    fn end_transfer_unidy(&mut self, number: usize, accept: bool) {
        let of_brand = |brand: &'static str| {
            let offers = self.sandbox.unidy_offers(brand).unwrap();
            offers
                .into_iter()
                .filter(|offer| offer.status == "pending")
                .map(move |offer| (brand, offer.token))
        };
        let mut pending: Vec<_> = mirror::BRANDS.into_iter().flat_map(of_brand).collect();
        let Some((brand, token)) = number.checked_rem(pending.len()).map(|n| pending.swap_remove(n)) else {
            return;
        };
        let end = if accept { TransferEnd::Accepted } else { TransferEnd::Declined };
        self.sandbox.end_unidy_transfer(brand, &token, end).unwrap();
    }

    /// That a ticket which admits and is not being handed over shows the code of its record, and no ticket another.
    pub(super) fn check_codes(&self, home: Home, view: &View, account: &str) {
        let (outbox, offers) = (self.outbox(), self.offers());
        for (id, held) in view.iter().filter(|(_, shown)| shown.account == account) {
            let record: Value = serde_json::from_str(&held.record).unwrap();
            let codes = [&record["metadata"]["barcode"], &record["wallet_export"]["qr_code"]];
            let code = codes.iter().find_map(|code| code.as_str());
            let subject = format!("{}/{}", home.brand.unwrap(), held.remote_id);
            let offered =
                offers.iter().any(|offer| offer.pending && offer.text.starts_with(&format!("{subject}>")));
            let free = !offered && outbox.iter().all(|item| item.ticket_id != *id);
            match self.phone().wallet.present(id.clone(), None) {
                Ok(shown) => assert_eq!(Some(shown.text.as_str()), code),
                Err(WalletError::NoBarcode { why, .. }) => {
                    assert!(!free || why != NoBarcodeReason::HandedOver, "{why:?}: {held:#?}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// After a sync that nothing disturbed: which transfers are pending, as far as the wallet knows them.
    pub(super) fn check_transfers(&self) {
        for home in UNIDY {
            let Some(account) = self.account_at(home) else { continue };
            for transfer in self.phone().wallet.transfers(Some(account.id)).unwrap() {
                let pending = self.offer(home, &transfer.remote_id).unwrap().status == "pending";
                assert_eq!(transfer.state == TransferState::Pending, pending, "{:?}", transfer.state);
            }
        }
    }
}

/// The members of a ticket that a change sets.
fn members(change: Change, word: &str, before: &Value) -> Map<String, Value> {
    let set = match change {
        Change::Title => json!({ "title": word }),
        Change::State(state) => json!({ "state": state }),
        Change::Category => json!({ "ticket_category_id": word }),
        Change::Metadata => json!({ "metadata": { "note": word, "barcode": word } }),
        Change::Seat => json!({ "seating": format!("Reihe 3, Platz {word}") }),
        Change::MetadataSeat => json!({
            "seating": null, "metadata": { "seat": { "block": word, "row": "12", "seat": 7 } },
        }),
        Change::Start => json!({ "starts_at": "2027-05-01T18:30:00.000+02:00", "ends_at": null }),
        Change::Code => json!({ "metadata": null, "wallet_export": { "qr_code": word } }),
        // Nothing else tells of it: neither the time of the last change nor the number of tickets.
        Change::Silent => json!({ "text": word, "updated_at": before["updated_at"] }),
    };
    set.as_object().unwrap().clone()
}
