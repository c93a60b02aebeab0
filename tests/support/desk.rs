//! A phone at work against a sandbox, with what tests of writes ask of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use ticket_wallet::model::{NoBarcodeReason, OutboxItem, WriteState};
use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule, JournalEntry, Sandbox, SandboxConfig};

use crate::line::Line;
use crate::phone::{Phone, TestClock, sandbox};
use crate::tenants::tenant;

pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    pub(crate) phone: Phone,
    pub(crate) account: String,
}

/// Few tickets, of which some show a barcode.
pub(crate) fn small() -> SandboxConfig {
    SandboxConfig { tickets_per_user: 6, ..SandboxConfig::default() }
}

pub(crate) fn rule(method: &str, path: &str, times: u32, fault: Fault) -> FaultRule {
    FaultRule { method: Some(method.to_owned()), path_contains: path.to_owned(), skip: 0, times, fault }
}

impl Desk {
    /// Signed in as the first user, not synced.
    pub(crate) async fn signed_in(config: SandboxConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, config).await;
        let phone = Phone::new(&clock);
        let account = phone.sign_in(&sandbox, 0).await.id;
        Self { sandbox, phone, account }
    }

    /// Signed in and synced, with an app that carries the wallet's requests.
    pub(crate) async fn over(line: &Arc<Line>) -> Self {
        let desk = Self::signed_in_over(line, small()).await;
        desk.sync().await.unwrap();
        desk
    }

    /// Signed in, not synced, with an app that carries the wallet's requests.
    pub(crate) async fn signed_in_over(line: &Arc<Line>, config: SandboxConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, config).await;
        let phone = Phone::over(&clock, Arc::clone(line) as _);
        let account = phone.sign_in(&sandbox, 0).await.id;
        Self { sandbox, phone, account }
    }

    /// Signed in and synced.
    pub(crate) async fn new() -> Self {
        let desk = Self::signed_in(small()).await;
        desk.sync().await.unwrap();
        desk
    }

    pub(crate) async fn sync(&self) -> Result<SyncReport, WalletError> {
        self.phone.wallet.sync(None).await
    }

    /// Syncs until nothing is sent by itself any more; what fails on the way is not told.
    pub(crate) async fn settle(&self) {
        for _ in 0..5 {
            let _ = self.sync().await;
            if self.outbox().iter().all(|item| !sends_itself(item.state)) {
                return;
            }
        }
        panic!("writes are still on their way: {:?}", self.outbox_states());
    }

    /// Closes the wallet and opens it again.
    pub(crate) fn restart(self) -> Self {
        Self { phone: self.phone.restart(), ..self }
    }

    /// The ids of the tickets that show a barcode.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.phone.signed_tickets().into_iter().map(|ticket| ticket.id).collect()
    }

    pub(crate) fn outbox(&self) -> Vec<OutboxItem> {
        self.phone.wallet.outbox(None).unwrap()
    }

    pub(crate) fn outbox_states(&self) -> Vec<WriteState> {
        self.outbox().into_iter().map(|item| item.state).collect()
    }

    pub(crate) fn the_only_write(&self) -> OutboxItem {
        let mut items = self.outbox();
        assert_eq!(items.len(), 1, "{:?}", self.outbox_states());
        items.swap_remove(0)
    }

    /// Why a ticket shows no barcode.
    pub(crate) fn hidden(&self, ticket: &str) -> Option<NoBarcodeReason> {
        match self.phone.wallet.present(ticket.to_owned(), None) {
            Ok(_) => None,
            Err(WalletError::NoBarcode { why, .. }) => Some(why),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) fn generation(&self, ticket: &str) -> Option<u16> {
        self.phone.wallet.ticket(ticket.to_owned()).unwrap().generation
    }

    /// The server's record as the wallet holds it.
    pub(crate) fn record(&self, ticket: &str) -> Value {
        let body = self.phone.wallet.ticket(ticket.to_owned()).unwrap().body_json;
        serde_json::from_str(&body).unwrap()
    }

    /// Tenant and the system's id.
    pub(crate) fn place(&self, ticket: &str) -> (&'static str, i64) {
        let tenant = tenant(&self.record(ticket));
        let id = self.phone.wallet.ticket(ticket.to_owned()).unwrap().remote_id;
        (tenant, id.parse().unwrap())
    }

    pub(crate) fn event(&self, ticket: &str) -> i64 {
        self.record(ticket)["ticket_config"]["event"]["id"].as_i64().unwrap()
    }

    /// What the server applied to a ticket, in order.
    pub(crate) fn entries(&self, ticket: &str) -> Vec<JournalEntry> {
        let (tenant, id) = self.place(ticket);
        let subject = format!("{tenant}/{id}");
        self.sandbox.journal().unwrap().into_iter().filter(|entry| entry.subject == subject).collect()
    }

    /// The kinds of that but for the first binding.
    pub(crate) fn applied(&self, ticket: &str) -> Vec<String> {
        let first = |entry: &JournalEntry| entry.kind == "credential.bind" && entry.detail["generation"] == 1;
        let later = self.entries(ticket).into_iter().filter(|entry| !first(entry));
        later.map(|entry| entry.kind).collect()
    }

    /// How often each write of a user was applied, by kind.
    pub(crate) fn totals(&self) -> BTreeMap<String, usize> {
        let mut totals = BTreeMap::new();
        for entry in self.sandbox.journal().unwrap() {
            *totals.entry(entry.kind).or_default() += 1;
        }
        totals
    }

    /// Has the wallet keep answers about a ticket's holder, and returns the write's id.
    pub(crate) fn answer(&self, ticket: &str, dish: &str) -> i64 {
        let answers = answers(dish);
        self.phone.wallet.save_ticket_holder(ticket.to_owned(), answers).unwrap().id
    }

    /// The same user on another phone, synced.
    pub(crate) async fn other_phone(&self) -> Phone {
        let phone = Phone::new(&self.phone.clock);
        phone.sign_in(&self.sandbox, 0).await;
        phone.wallet.sync(None).await.unwrap();
        phone
    }
}

pub(crate) fn answers(dish: &str) -> String {
    serde_json::json!({ "dish": dish }).to_string()
}

pub(crate) fn sends_itself(state: WriteState) -> bool {
    matches!(state, WriteState::Waiting | WriteState::Sent)
}
