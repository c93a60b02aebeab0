//! A wallet whose app is started and ended again and again, and what was promised to its person.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Child;

use tempfile::TempDir;
use ticket_wallet::model::{BarcodeProfile, SignIn, SystemConfig, TicketFilter, TicketSystem, WriteKind};
use ticket_wallet_sandbox::{JournalEntry, Sandbox, SandboxConfig};

use crate::app::{MARK, open, start};
use crate::book::{Book, sends_itself};
use crate::tenants::subject;

/// How an app's process ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It breaks off at a point of its work, after it has passed it so often.
    At {
        point: &'static str,
        passes: u64,
    },
    /// It is killed after so many acknowledgements, and a bit later.
    Killed {
        lines: u64,
        polls: u64,
    },
    ByItself,
}

pub(crate) struct Story {
    sandbox: Sandbox,
    folder: TempDir,
    book: Book,
    subjects: BTreeMap<String, String>,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        let config = SandboxConfig { tickets_per_user: 6, page_limit: 4, ..SandboxConfig::default() };
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
        let mut app = start(self.folder.path(), end, seed, early);
        let mut lines = BufReader::new(app.stdout.take().unwrap()).lines();
        if let End::Killed { lines: after, polls } = end {
            let before = self.sandbox.requests().len();
            let heard: Vec<_> = lines.by_ref().take(usize::try_from(*after).unwrap()).collect();
            heard.into_iter().for_each(|line| self.hear(&line.unwrap()));
            self.linger(&mut app, before, *polls);
            app.kill().unwrap();
        }
        lines.for_each(|line| self.hear(&line.unwrap()));
        !app.wait().unwrap().success()
    }

    /// Lets the app go on for as long as so many looks at the server's log take.
    fn linger(&self, app: &mut Child, before: usize, polls: u64) {
        for _ in 0..polls {
            if self.sandbox.requests().len() > before + 20 || app.try_wait().unwrap().is_some() {
                return;
            }
        }
    }

    fn hear(&mut self, line: &str) {
        let Some((_, told)) = line.split_once(MARK) else { return };
        let [id, kind, ticket, text] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let kinds = [WriteKind::SaveTicketHolder, WriteKind::CreateTransfer];
        let kind = *kinds.iter().find(|one| format!("{one:?}") == kind).unwrap();
        self.book.note((id.parse().unwrap(), kind), "", &self.subjects[ticket], Some(text.to_owned()));
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
