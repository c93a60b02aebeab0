//! A seller, a buyer, the gate of their event, and what must hold of all three whatever happened.

use std::sync::Arc;

use tempfile::TempDir;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{
    GateService, GateSignIn, MarketQuery, Money, NoBarcodeReason, Offering, Purchase, SystemConfig,
};
use ticket_wallet::resale::ListingState;
use ticket_wallet::{Config, Gate, WalletError};
use ticket_wallet_sandbox::{MarketRules, SandboxConfig};

use crate::desk::{Desk, small};
use crate::line::Line;
use crate::phone::{Phone, TestClock, sandbox, vault_in};

/// The tenant, and its event that is next.
pub(crate) const CLUB: &str = "nordhafen";
pub(crate) const EVENT: i64 = 1;

pub(crate) struct Fair {
    /// The seller, and the sandbox.
    pub(crate) seller: Desk,
    pub(crate) buyer: Phone,
    pub(crate) buyers_account: String,
    /// A ticket of the seller's that shows a barcode.
    pub(crate) ticket: String,
    /// Its face value.
    pub(crate) face: i64,
    /// What the wallets' requests go over.
    pub(crate) lines: [Arc<Line>; 2],
}

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR").unwrap()
}

impl Fair {
    pub(crate) async fn new() -> Self {
        Self::with(&MarketRules::default()).await
    }

    pub(crate) async fn with(rules: &MarketRules) -> Self {
        let lines = [Line::new(), Line::new()];
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig { lease_s: 14 * 86_400, ..small() }).await;
        assert!(sandbox.set_market_rules(CLUB, EVENT, rules).unwrap());
        let phone = Phone::over(&clock, Arc::clone(&lines[0]) as _);
        let account = phone.sign_in(&sandbox, 0).await.id;
        let seller = Desk { sandbox, phone, account };
        seller.sync().await.unwrap();
        let ticket = seller
            .shown()
            .into_iter()
            .find(|ticket| seller.place(ticket).0 == CLUB && seller.event(ticket) == EVENT);
        let ticket = ticket.unwrap();
        let face = seller.phone.wallet.resale_rules(ticket.clone()).await.unwrap().face_value.unwrap().minor;
        let buyer = Phone::over(&clock, Arc::clone(&lines[1]) as _);
        let buyers_account = buyer.sign_in(&seller.sandbox, 1).await.id;
        buyer.wallet.sync(None).await.unwrap();
        Self { seller, buyer, buyers_account, ticket, face, lines }
    }

    /// The seller lists the ticket at its face value, and it is sent.
    pub(crate) async fn listed() -> Self {
        let fair = Self::new().await;
        fair.list().await;
        fair
    }

    pub(crate) async fn list(&self) {
        self.seller.phone.wallet.list_for_sale(self.ticket.clone(), eur(self.face), None).unwrap();
        self.seller.settle().await;
        assert_eq!(self.state(), Some(ListingState::Active));
    }

    /// Where the seller's wallet says that the listing stands.
    pub(crate) fn state(&self) -> Option<ListingState> {
        let detail = self.seller.phone.wallet.ticket(self.ticket.clone()).unwrap();
        detail.listing.and_then(|listing| listing.state)
    }

    pub(crate) fn listing_id(&self) -> i64 {
        let listings = self.seller.phone.wallet.my_listings(None).unwrap();
        listings[0].remote_id.as_ref().unwrap().parse().unwrap()
    }

    pub(crate) async fn offers(&self) -> Vec<Offering> {
        let query = MarketQuery {
            event_id: EVENT.to_string(),
            tenant: Some(CLUB.to_owned()),
            ..MarketQuery::default()
        };
        self.buyer.wallet.market(self.buyers_account.clone(), query).await.unwrap().offers
    }

    /// The buyer buys the listing for whatever it costs.
    pub(crate) async fn buy(&self, listing: i64) -> Result<Purchase, WalletError> {
        let (account, tenant) = (self.buyers_account.clone(), Some(CLUB.to_owned()));
        self.buyer.wallet.buy(account, tenant, listing.to_string(), eur(100_000)).await
    }

    /// Simulates the payment at the address that the purchase names.
    pub(crate) async fn pay(&self, purchase: &Purchase) {
        assert!(purchase.simulated);
        let url = purchase.payment_url.clone().unwrap();
        let page = reqwest::get(&url).await.unwrap().text().await.unwrap();
        assert!(page.contains("Simulated payment"), "{page}");
        assert!(reqwest::Client::new().post(&url).send().await.unwrap().status().is_success());
    }

    pub(crate) fn buyer_hidden(&self) -> Option<NoBarcodeReason> {
        match self.buyer.wallet.present(self.ticket.clone(), None) {
            Ok(_) => None,
            Err(WalletError::NoBarcode { why, .. }) => Some(why),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) fn frame(phone: &Phone, ticket: &str) -> Option<String> {
        phone.wallet.present(ticket.to_owned(), None).ok().map(|frame| frame.text)
    }

    /// Syncs both wallets until nothing of them is on its way.
    pub(crate) async fn settle(&self) {
        for _ in 0..3 {
            self.seller.settle().await;
            let _ = self.buyer.wallet.sync(None).await;
        }
    }

    /// Who owns the ticket by the server: `true` for the buyer.
    pub(crate) async fn is_buyers(&self) -> bool {
        let fresh = Phone::new(&self.seller.phone.clock);
        fresh.sign_in(&self.seller.sandbox, 1).await;
        fresh.wallet.sync(None).await.unwrap();
        fresh.tickets().iter().any(|ticket| ticket.id == self.ticket)
    }

    /// What must hold once both wallets have been online: one of them at most shows a code, a gate with the latest manifest
    /// admits the owner alone, and money and ticket are on matching sides.
    pub(crate) async fn holds(&self) {
        self.settle().await;
        let (seller, buyer) =
            (Self::frame(&self.seller.phone, &self.ticket), Self::frame(&self.buyer, &self.ticket));
        let is_buyers = self.is_buyers().await;
        assert!(seller.is_none() || buyer.is_none(), "two wallets show a code");
        let owners = if is_buyers { &buyer } else { &seller };
        let others = if is_buyers { &seller } else { &buyer };
        assert!(others.is_none(), "who does not own it shows a code");
        let kinds: Vec<_> =
            self.seller.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect();
        let moved = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
        assert_eq!(moved("resale.sell") + moved("transfer.accept"), usize::from(is_buyers), "{kinds:?}");
        let gate = Door::open(self).await;
        if let Some(code) = owners {
            assert_eq!(gate.scan(code), Verdict::Admit);
        }
    }
}

/// A gate of the event.
pub(crate) struct Door {
    gate: Gate,
    _folder: TempDir,
}

impl Door {
    /// One that has the latest manifest.
    pub(crate) async fn open(fair: &Fair) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
        let clock = fair.seller.phone.clock.clone();
        let gate = Gate::open(config, vault_in(folder.path()), Some(Arc::new(clock)), None).unwrap();
        let codes = fair.seller.sandbox.admission_codes().unwrap();
        let code = codes
            .into_iter()
            .find(|code| code.tenant == CLUB && code.event_id == EVENT && code.sections.is_empty());
        let sign_in = GateSignIn {
            service: GateService::Extension,
            config: SystemConfig::at(format!("{}/t/{CLUB}", fair.seller.sandbox.url())),
            admission_code: code.unwrap().code,
            name: "North door".to_owned(),
            leave_unsent: false,
        };
        gate.sign_in(sign_in).await.unwrap();
        Self { gate, _folder: folder }
    }

    pub(crate) fn scan(&self, text: &str) -> Verdict {
        self.gate.scan(text.as_bytes().to_vec(), 1).unwrap().verdict
    }

    /// Hands its records over.
    pub(crate) async fn upload(&self) {
        self.gate.sync().await.unwrap();
    }

    /// Brings its manifest up to date.
    pub(crate) async fn prepare(&self) {
        self.gate.prepare().await.unwrap();
    }
}
