//! What the person was promised: each change that was accepted, and what must hold of it ever after.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ticket_wallet::model::{OutboxItem, WriteKind, WriteState};
use ticket_wallet_sandbox::JournalEntry;

/// What was written and how often the server may have applied it. It is unlike anything else in the sequence, but for
/// transfers from one account of the wallet to another.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) at_most: usize,
    /// Offers of the same that were over when last looked at.
    over: usize,
}

/// A transfer at a brand of Unidy.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    /// Of what to whom: the content of the change that made it.
    pub(crate) text: String,
    pub(crate) token: String,
    pub(crate) pending: bool,
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
    /// The brand's token of the transfer that is to be taken back.
    pub(crate) takes_back: Option<String>,
    pub(crate) discarded: bool,
    /// Whether it was seen to have left the outbox.
    settled: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) intents: Vec<Intent>,
    /// What waited for the person when last looked at.
    undecided: BTreeMap<i64, WriteState>,
    /// All transfers at the brands when last looked at.
    offers: Vec<Offered>,
}

/// What an entry of the journal carries that a person wrote.
fn content(entry: &JournalEntry) -> Option<Cow<'_, str>> {
    let written = match entry.kind.as_str() {
        "ticket_holder.create" | "ticket_holder.update" => entry.detail["response"]["dish"].as_str(),
        "transfer.create" => entry.detail["recipient"].as_str(),
        "unidy.transfer.create" => {
            let recipient = entry.detail["recipient_email"].as_str()?;
            return Some(offer_of(&entry.subject, recipient).into());
        }
        _ => None,
    };
    written.map(Cow::Borrowed)
}

/// What stands for a transfer at a brand: one pending at a time may be of a ticket.
pub(crate) fn offer_of(subject: &str, recipient: &str) -> String {
    format!("{subject}>{recipient}")
}

fn times(journal: &[JournalEntry], text: &str) -> usize {
    journal.iter().filter(|entry| content(entry).as_deref() == Some(text)).count()
}

fn over(offers: &[Offered], text: &str) -> usize {
    offers.iter().filter(|offer| offer.text == text && !offer.pending).count()
}

/// How the journal names what carries nothing.
fn names(kind: WriteKind) -> &'static [&'static str] {
    match kind {
        WriteKind::Surrender => &["credential.surrender"],
        WriteKind::CancelTransfer => &["transfer.cancel", "unidy.transfer.cancel"],
        WriteKind::Bind => &["credential.bind", "credential.move"],
        _ => &[],
    }
}

impl Book {
    pub(crate) fn accept(&mut self, item: &OutboxItem, subject: &str, text: Option<String>) {
        self.note((item.id, item.kind), &item.account_id, subject, text);
    }

    /// A change that was told by its number and kind.
    pub(crate) fn note(
        &mut self,
        (id, kind): (i64, WriteKind),
        account: &str,
        subject: &str,
        text: Option<String>,
    ) {
        let contents = text.into_iter().map(|text| self.content(text)).collect();
        self.intents.push(Intent {
            id,
            account: account.to_owned(),
            subject: subject.to_owned(),
            kind,
            contents,
            takes_back: None,
            discarded: false,
            settled: false,
        });
    }

    fn content(&self, text: String) -> Content {
        Content { over: over(&self.offers, &text), text, at_most: 1 }
    }

    /// The person has put something else in the place of what a change carries.
    pub(crate) fn edited(&mut self, id: i64, text: String) {
        let content = self.content(text);
        self.intent(id).unwrap().contents.push(content);
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
    pub(crate) fn check(&mut self, outbox: &[OutboxItem], journal: &[JournalEntry], offers: &[Offered]) {
        self.offers = offers.to_vec();
        self.allow_again();
        self.nothing_lost(outbox, journal);
        self.nothing_twice(journal);
        self.in_order(journal);
        self.undecided_visible(outbox);
        for intent in &mut self.intents {
            intent.settled = outbox.iter().all(|item| item.id != intent.id);
        }
    }

    /// A brand tells of pending transfers only: one that was made and is over before its answer came through looks like
    /// one that was never made, and is made again. No more than that is allowed, and nothing once its outcome is known.
    fn allow_again(&mut self) {
        for intent in self.intents.iter_mut().filter(|intent| !intent.settled) {
            for content in &mut intent.contents {
                let over = over(&self.offers, &content.text);
                content.at_most += over - content.over;
                content.over = over;
            }
        }
    }

    fn nothing_lost(&self, outbox: &[OutboxItem], journal: &[JournalEntry]) {
        let gone = |intent: &&Intent| !intent.discarded && outbox.iter().all(|item| item.id != intent.id);
        for intent in self.intents.iter().filter(gone) {
            if let Some(content) = intent.contents.last() {
                assert!(times(journal, &content.text) > 0, "lost: {intent:?}");
                continue;
            }
            if let Some(token) = &intent.takes_back {
                let still = self.offers.iter().any(|offer| offer.token == *token && offer.pending);
                assert!(!still, "lost: {intent:?}");
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
                let same = self.intents.iter().flat_map(|intent| &intent.contents);
                let same = same.filter(|same| same.text == content.text);
                let at_most: usize = same.map(|same| same.at_most).sum();
                assert!(times <= at_most, "{times} times: {} of {intent:?}", content.text);
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
            let wrote =
                |intent: &&Intent| intent.contents.iter().any(|one| Some(&*one.text) == text.as_deref());
            let mut wrote = self.intents.iter().filter(wrote);
            // Of several that say the same it is not known which came first.
            let (Some(intent), None) = (wrote.next(), wrote.next()) else { continue };
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
