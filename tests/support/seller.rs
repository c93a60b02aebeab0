//! A holder at B.A.M with a certificate, who sells and hands tickets over.

use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::model::{
    LedgerSale, Money, Offer, OfficeWrite, OfficeWriteState, TicketFormat, TicketSummary,
};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

use crate::phone::{Phone, TestClock, sandbox};
use crate::tenants::tenant;

pub(crate) const DAY_S: i64 = 86_400;

pub(crate) struct Seller {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) phone: Phone,
    pub(crate) account: String,
}

/// A ticket with what tells it apart at its server.
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) tenant: &'static str,
    pub(crate) record: Value,
}

impl Held {
    /// Tenant and id, as the journal writes them.
    pub(crate) fn subject(&self) -> String {
        format!("{}/{}", self.tenant, self.record["id"])
    }

    pub(crate) fn face_value(&self) -> Money {
        Money::parse(&self.record["ticket_config"]["face_value"].to_string(), "EUR").unwrap()
    }

    pub(crate) fn is_of(&self, offer: &Offer) -> bool {
        let config = self.record["ticket_config"]["id"].to_string();
        offer.seq_num == self.record["seq_num"].as_i64() && offer.ticket_config_id == Some(config)
    }
}

impl Seller {
    pub(crate) async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        let phone = Phone::new(&clock);
        let account = phone.sign_in(&sandbox, 0).await.id;
        phone.wallet.enroll(account.clone()).await.unwrap();
        phone.wallet.sync(None).await.unwrap();
        Self { clock, sandbox, phone, account }
    }

    pub(crate) fn restart(self) -> Self {
        let Self { clock, sandbox, phone, account } = self;
        Self { clock, sandbox, phone: phone.restart(), account }
    }

    pub(crate) fn held(&self, ticket: &TicketSummary) -> Held {
        let detail = self.phone.wallet.ticket(ticket.id.clone()).unwrap();
        let record: Value = serde_json::from_str(&detail.body_json).unwrap();
        Held { id: ticket.id.clone(), tenant: tenant(&record), record }
    }

    /// A ticket of a format that admits and is not on offer.
    pub(crate) async fn ticket(&self, format: TicketFormat) -> Held {
        self.ticket_at(format, None).await
    }

    /// The same of one tenant, if any is named.
    pub(crate) async fn ticket_at(&self, format: TicketFormat, tenant: Option<&str>) -> Held {
        for ticket in self.phone.tickets() {
            let held = self.held(&ticket);
            let is_offered = self.offers(held.tenant).await.iter().any(|offer| held.is_of(offer));
            let starts_later = ticket.starts_at.is_some_and(|at| at * 1000 > self.clock.wall_ms());
            let here = tenant.is_none_or(|tenant| tenant == held.tenant);
            if here && ticket.format == format && ticket.status.admits() && starts_later && !is_offered {
                return held;
            }
        }
        panic!("no such ticket");
    }

    pub(crate) async fn offers(&self, tenant: &str) -> Vec<Offer> {
        let wallet = &self.phone.wallet;
        wallet.own_offers(self.account.clone(), Some(tenant.to_owned())).await.unwrap()
    }

    pub(crate) fn sale(&self, price: Money) -> LedgerSale {
        LedgerSale { price, until: self.clock.wall_ms() / 1000 + DAY_S, buyer: None }
    }

    pub(crate) async fn sell(&self, held: &Held) -> Result<OfficeWrite, WalletError> {
        self.phone.wallet.mark_for_sale(held.id.clone(), self.sale(held.face_value())).await
    }

    /// Strikes one request of the ledger, counted from 0.
    pub(crate) fn fault(&self, method: &str, path: &str, skip: u32, fault: Fault) {
        self.sandbox.fault(FaultRule {
            method: Some(method.to_owned()),
            path_contains: path.to_owned(),
            skip,
            times: 1,
            fault,
        });
    }

    /// How often something was done to a ticket, by the journal.
    pub(crate) fn done(&self, kind: &str, held: &Held) -> usize {
        let journal = self.sandbox.journal().unwrap();
        journal.iter().filter(|entry| entry.kind == kind && entry.subject == held.subject()).count()
    }

    /// Requests so far that reached the sandbox with this in their line.
    pub(crate) fn requests(&self, part: &str) -> usize {
        self.sandbox.requests().iter().filter(|line| line.contains(part)).count()
    }

    /// A user of the sandbox with an enrolment of their own.
    pub(crate) async fn other(&self) -> (Phone, String) {
        let other = Phone::new(&self.clock);
        let account = other.sign_in(&self.sandbox, 1).await.id;
        let enrollment = other.wallet.enroll(account).await.unwrap().enrollment_id;
        (other, enrollment)
    }
}

/// What a write was answered with.
pub(crate) fn answer(write: &OfficeWrite) -> Value {
    write.answer_json.as_deref().map_or(json!(null), |json| serde_json::from_str(json).unwrap())
}

/// The id of the offer that a write made.
pub(crate) fn offer_id(write: &OfficeWrite) -> String {
    assert_eq!(write.state, OfficeWriteState::Done, "{:?}", write.answer_json);
    answer(write)["offer_id"].as_str().unwrap().to_owned()
}

/// A ticket that the wallet has bound and shows.
pub(crate) async fn bound(seller: &Seller) -> Held {
    for ticket in seller.phone.signed_tickets() {
        let held = seller.held(&ticket);
        let offered = seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer));
        let shown = seller.phone.wallet.present(held.id.clone(), None).is_ok();
        if ticket.format == TicketFormat::Secure && shown && !offered {
            return held;
        }
    }
    panic!("no such ticket");
}

/// The generation of the credential that a phone holds of a ticket.
pub(crate) fn generation(phone: &Phone, held: &Held) -> Option<u16> {
    phone.wallet.ticket(held.id.clone()).unwrap().generation
}

pub(crate) fn lists(phone: &Phone, held: &Held) -> bool {
    phone.tickets().iter().any(|ticket| ticket.id == held.id)
}
