//! What the person was promised: each change that was accepted, and what must hold of it ever after.

use std::collections::BTreeMap;

use ticket_wallet::model::{OutboxItem, WriteKind, WriteState};
use ticket_wallet_sandbox::JournalEntry;

/// What was written, unlike anything else in the sequence, and how often the server may have applied it.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) at_most: usize,
}

/// A change that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: i64,
    pub(crate) account: String,
    /// Tenant and the system's id.
    pub(crate) subject: String,
    pub(crate) kind: WriteKind,
    /// The newest last; empty for what carries nothing.
    pub(crate) contents: Vec<Content>,
    pub(crate) discarded: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) intents: Vec<Intent>,
    /// What waited for the person when last looked at.
    undecided: BTreeMap<i64, WriteState>,
}

/// What an entry of the journal carries that a person wrote.
fn content(entry: &JournalEntry) -> Option<&str> {
    match entry.kind.as_str() {
        "ticket_holder.create" | "ticket_holder.update" => entry.detail["response"]["dish"].as_str(),
        "transfer.create" => entry.detail["recipient"].as_str(),
        _ => None,
    }
}

fn times(journal: &[JournalEntry], text: &str) -> usize {
    journal.iter().filter(|entry| content(entry) == Some(text)).count()
}

/// How the journal names what carries nothing.
fn names(kind: WriteKind) -> &'static [&'static str] {
    match kind {
        WriteKind::Surrender => &["credential.surrender"],
        WriteKind::CancelTransfer => &["transfer.cancel"],
        WriteKind::Bind => &["credential.bind", "credential.move"],
        _ => &[],
    }
}

impl Book {
    pub(crate) fn accept(&mut self, item: &OutboxItem, subject: &str, text: Option<String>) {
        let contents = text.into_iter().map(|text| Content { text, at_most: 1 }).collect();
        self.intents.push(Intent {
            id: item.id,
            account: item.account_id.clone(),
            subject: subject.to_owned(),
            kind: item.kind,
            contents,
            discarded: false,
        });
    }

    pub(crate) fn intent(&mut self, id: i64) -> Option<&mut Intent> {
        self.intents.iter_mut().find(|intent| intent.id == id)
    }

    /// The person has decided about a change.
    pub(crate) fn decided(&mut self, id: i64) {
        self.undecided.remove(&id);
    }

    /// What was written before is not to be applied from now on, if it was surely not sent.
    pub(crate) fn withdraw(&mut self, before: &OutboxItem, journal: &[JournalEntry]) {
        let unsent = before.state == WriteState::Waiting && before.attempts == 0;
        if let Some(content) = self.intent(before.id).and_then(|intent| intent.contents.last_mut())
            && unsent
        {
            content.at_most = times(journal, &content.text);
        }
    }

    /// What must hold at any time.
    pub(crate) fn check(&mut self, outbox: &[OutboxItem], journal: &[JournalEntry]) {
        self.nothing_lost(outbox, journal);
        self.nothing_twice(journal);
        self.in_order(journal);
        self.undecided_visible(outbox);
    }

    fn nothing_lost(&self, outbox: &[OutboxItem], journal: &[JournalEntry]) {
        let gone = |intent: &&Intent| !intent.discarded && outbox.iter().all(|item| item.id != intent.id);
        for intent in self.intents.iter().filter(gone) {
            if let Some(content) = intent.contents.last() {
                assert!(times(journal, &content.text) > 0, "lost: {intent:?}");
                continue;
            }
            let alike = |other: &&Intent| (&other.subject, other.kind) == (&intent.subject, intent.kind);
            let done = self.intents.iter().filter(gone).filter(alike).count();
            assert!(self.applied(intent, journal) >= done, "lost: {intent:?}");
        }
    }

    fn applied(&self, intent: &Intent, journal: &[JournalEntry]) -> usize {
        let named = |entry: &&JournalEntry| names(intent.kind).contains(&entry.kind.as_str());
        journal.iter().filter(|entry| entry.subject == intent.subject).filter(named).count()
    }

    fn nothing_twice(&self, journal: &[JournalEntry]) {
        for intent in &self.intents {
            for content in &intent.contents {
                let times = times(journal, &content.text);
                assert!(times <= content.at_most, "{times} times: {} of {intent:?}", content.text);
            }
            if matches!(intent.kind, WriteKind::Surrender | WriteKind::CancelTransfer) {
                let alike = |other: &&Intent| (&other.subject, other.kind) == (&intent.subject, intent.kind);
                let accepted = self.intents.iter().filter(alike).count();
                assert!(self.applied(intent, journal) <= accepted, "twice: {intent:?}");
            }
        }
    }

    fn in_order(&self, journal: &[JournalEntry]) {
        let mut newest = BTreeMap::new();
        for entry in journal {
            let text = content(entry);
            let wrote = |intent: &&Intent| intent.contents.iter().any(|one| Some(one.text.as_str()) == text);
            let Some(intent) = self.intents.iter().find(wrote) else { continue };
            let before = newest.insert(&entry.subject, intent.id).unwrap_or_default();
            assert!(before <= intent.id, "change {} was applied after {before}", intent.id);
        }
    }

    fn undecided_visible(&mut self, outbox: &[OutboxItem]) {
        let undecided = outbox.iter().filter(|item| !sends_itself(item));
        let now: BTreeMap<_, _> = undecided.map(|item| (item.id, item.state)).collect();
        for (id, state) in &self.undecided {
            assert_eq!(now.get(id), Some(state), "change {id} was {state:?} and nobody decided about it");
        }
        self.undecided = now;
    }

    /// Of an account that is gone, everything that was left is discarded.
    pub(crate) fn signed_out(&mut self, account: &str, left: &[OutboxItem]) {
        for item in left.iter().filter(|item| item.account_id == account) {
            self.undecided.remove(&item.id);
            if let Some(intent) = self.intent(item.id) {
                assert_eq!(intent.account, account);
                intent.discarded = true;
            }
        }
    }
}

pub(crate) fn sends_itself(item: &OutboxItem) -> bool {
    matches!(item.state, WriteState::Waiting | WriteState::Sent)
}

/// Whether nothing in front of a change keeps it from its turn.
pub(crate) fn is_free(item: &OutboxItem, outbox: &[OutboxItem]) -> bool {
    !outbox.iter().any(|other| other.ticket_id == item.ticket_id && other.id < item.id)
}
