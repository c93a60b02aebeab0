//! A sandbox, and what it recorded in each step.

use std::collections::BTreeMap;

use serde_json::Value;
use ticket_wallet::model::TicketSummary;
use ticket_wallet_sandbox::{
    BamChoices, RecordedRequest, Sandbox, SandboxConfig, TexpoChoices, TicketingChoices, UnidyChoices,
};

use crate::brands::sign_in_to;
use crate::phone::{Phone, TestClock, sandbox};

/// The brand whose first user has the document's own ticket.
pub(crate) const BRAND: &str = "nord";

/// The requests of each step, by its name.
pub(crate) type Steps = BTreeMap<&'static str, Vec<RecordedRequest>>;

pub(crate) struct Run {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    steps: Steps,
}

impl Run {
    pub(crate) async fn begin() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        Self { clock, sandbox, steps: Steps::new() }
    }

    /// Runs a step and keeps what the sandbox recorded meanwhile. What it switches is switched back.
    pub(crate) async fn step(&mut self, name: &'static str, work: impl AsyncFnOnce(&Self)) {
        let before = self.sandbox.recorded().len();
        work(self).await;
        let requests = self.sandbox.recorded().split_off(before);
        assert_eq!(self.steps.insert(name, requests), None, "{name} runs twice");
        self.sandbox.set_bam_choices(BamChoices::default());
        self.sandbox.set_unidy_choices(UnidyChoices::default());
        self.sandbox.set_ticketing_choices(TicketingChoices::default());
        self.sandbox.set_texpo_choices(TexpoChoices::default());
    }

    pub(crate) fn steps(&self) -> &Steps {
        &self.steps
    }

    pub(crate) fn choose_unidy(&self, change: impl FnOnce(&mut UnidyChoices)) {
        let mut choices = self.sandbox.unidy_choices();
        change(&mut choices);
        self.sandbox.set_unidy_choices(choices);
    }

    /// A phone with a user's tickets of all tenants of B.A.M, and the account's id.
    pub(crate) async fn bam_holder(&self, user: usize) -> (Phone, String) {
        let phone = Phone::new(&self.clock);
        let account = phone.sign_in(&self.sandbox, user).await.id;
        phone.wallet.sync(None).await.unwrap();
        (phone, account)
    }

    /// A phone with a user's tickets of the brand, and the account's id.
    pub(crate) async fn unidy_holder(&self, user: usize) -> (Phone, String) {
        let phone = Phone::new(&self.clock);
        let account = phone.wallet.sign_in(sign_in_to(&self.sandbox, BRAND, user)).await.unwrap().id;
        phone.wallet.sync(None).await.unwrap();
        (phone, account)
    }
}

/// Each ticket of a phone with its system's record.
pub(crate) fn records(phone: &Phone) -> Vec<(TicketSummary, Value)> {
    phone.tickets().into_iter().map(|ticket| (ticket.clone(), record(phone, &ticket.id))).collect()
}

/// A ticket's record as its system gave it.
pub(crate) fn record(phone: &Phone, id: &str) -> Value {
    serde_json::from_str(&phone.wallet.ticket(id.to_owned()).unwrap().body_json).unwrap()
}

/// The ticket whose record has this text as a member.
pub(crate) fn ticket_with(phone: &Phone, member: &str, text: &str) -> TicketSummary {
    let found = records(phone).into_iter().find(|(_, record)| record[member] == text);
    found.unwrap_or_else(|| panic!("no ticket with {member} = {text}")).0
}
