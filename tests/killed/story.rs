//! A wallet whose app is started and ended again and again, and what was promised to its person.

use std::collections::BTreeMap;
use std::process::Child;

use serde_json::Value;
use tempfile::TempDir;
use ticket_wallet::model::{BarcodeProfile, SignIn, SystemConfig, TicketFilter, TicketSystem, WriteKind};
use ticket_wallet_sandbox::{JournalEntry, Sandbox, SandboxConfig, TicketEdit};

use crate::app::{MARK, TEST, open};
use crate::book::{Book, sends_itself};
use crate::child::{self, End, Session};
use crate::tenants::subject;

pub(crate) struct Story {
    sandbox: Sandbox,
    folder: TempDir,
    book: Book,
    subjects: BTreeMap<String, String>,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        Self::begin_with(false).await
    }

    /// One whose server tells what has changed, where it has a feed.
    pub(crate) async fn begin_with(feed: bool) -> Self {
        let config = SandboxConfig { tickets_per_user: 6, page_limit: 4, feed, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let user = &sandbox.users()[0];
        let wallet = open(folder.path());
        let sign_in = SignIn {
            system: TicketSystem::Bam,
            config: SystemConfig::at(sandbox.url()),
            user_name: user.name.clone(),
            password: user.password.clone(),
        };
        wallet.sign_in(sign_in).await.unwrap();
        wallet.sync(None).await.unwrap();
        let tickets = wallet.tickets(TicketFilter::default()).unwrap();
        let subjects = tickets.into_iter().map(|ticket| {
            let body = wallet.ticket(ticket.id.clone()).unwrap().body_json;
            (ticket.id, subject(&serde_json::from_str(&body).unwrap()))
        });
        let subjects = subjects.collect();
        Self { sandbox, folder, book: Book::default(), subjects }
    }

    /// Runs the app to its end and writes down what it acknowledged. Returns whether it ended before its work was done.
    pub(crate) fn run_app(&mut self, end: &End, seed: u64, early: bool) -> bool {
        let session = Session { folder: self.folder.path().to_owned(), seed, early };
        let (mut heard, sandbox, before) = (Vec::new(), &self.sandbox, self.sandbox.requests().len());
        // Lets the app go on for as long as so many looks at the server's log take.
        let linger = |app: &mut Child, polls| {
            for _ in 0..polls {
                if sandbox.requests().len() > before + 20 || app.try_wait().unwrap().is_some() {
                    return;
                }
            }
        };
        let broke_off = child::run(TEST, &session, end, linger, |line| heard.push(line.to_owned()));
        heard.iter().for_each(|line| self.hear(line));
        broke_off
    }

    fn hear(&mut self, line: &str) {
        let Some((_, told)) = line.split_once(MARK) else { return };
        let [id, kind, ticket, text] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let kinds = [WriteKind::SaveTicketHolder, WriteKind::CreateTransfer];
        let kind = *kinds.iter().find(|one| format!("{one:?}") == kind).unwrap();
        self.book.note((id.parse().unwrap(), kind), "", &self.subjects[ticket], Some(text.to_owned()));
    }

    /// All tickets get another seat at the server.
    pub(crate) fn change_seats(&self, seat: &str) {
        for subject in self.subjects.values() {
            let (tenant, id) = subject.split_once('/').unwrap();
            let edit = TicketEdit { seat_id: Some(seat.to_owned()), ..TicketEdit::default() };
            assert!(self.sandbox.edit_ticket(tenant, id.parse().unwrap(), &edit).unwrap());
        }
    }

    /// Syncs, and checks that the wallet has this seat for all of its tickets.
    pub(crate) async fn check_seats(&self, seat: &str) {
        let wallet = open(self.folder.path());
        wallet.sync(None).await.unwrap();
        for id in self.subjects.keys() {
            let body: Value = serde_json::from_str(&wallet.ticket(id.clone()).unwrap().body_json).unwrap();
            assert_eq!(body["seat_id"], seat, "{id}");
        }
    }

    fn journal(&self) -> Vec<JournalEntry> {
        self.sandbox.journal().unwrap()
    }

    /// Opens the wallet and checks every promise.
    pub(crate) fn check_book(&mut self) {
        let wallet = open(self.folder.path());
        self.book.check(&wallet.outbox(None).unwrap(), &self.journal(), &[]);
    }

    /// The same, and that the wallet goes on: it shows its tickets and a sync ends.
    pub(crate) async fn check(&mut self) {
        self.check_book();
        let wallet = open(self.folder.path());
        assert_eq!(wallet.tickets(TicketFilter::default()).unwrap().len(), self.subjects.len());
        assert!(wallet.diagnose().unwrap().files.sound.unwrap());
    }

    /// Syncs until nothing is on its way, and checks every promise again.
    pub(crate) async fn go_on_and_check(&mut self) {
        let wallet = open(self.folder.path());
        for _ in 0..4 {
            let _ = wallet.sync(None).await;
        }
        let outbox = wallet.outbox(None).unwrap();
        let first = |id: &str| outbox.iter().find(|item| item.ticket_id == id);
        let profile = |id: &str| wallet.ticket(id.to_owned()).unwrap().summary.profile;
        let stuck = outbox.iter().find(|item| {
            sends_itself(item)
                && first(&item.ticket_id) == Some(item)
                && profile(&item.ticket_id) == BarcodeProfile::Signed
        });
        assert!(stuck.is_none(), "{:?}", stuck.map(|item| (item.kind, item.state)));
        self.book.check(&outbox, &self.journal(), &[]);
    }

    /// How many changes the server has applied, none of which still waits.
    pub(crate) fn all_applied(&self) -> usize {
        assert!(open(self.folder.path()).outbox(None).unwrap().iter().all(|item| !sends_itself(item)));
        self.journal().iter().filter(|entry| entry.kind.starts_with("ticket_holder")).count()
    }
}
