//! The same at the box office: a write that is answered so may have been carried out, and is kept as that.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tempfile::TempDir;
use ticket_wallet::model::{
    OfficeWrite, OfficeWriteKind, OfficeWriteState, ProductFields, SignIn, SystemConfig, TicketSystem,
    TicketingAccess, TicketingConfig,
};
use ticket_wallet::{BoxOffice, Config, WalletError};

use crate::Case;
use crate::every_reply::{admission, group, hostile, reservation, sections};
use crate::phone::{TestClock, vault_in};
use crate::tiny_server::{Answer, Asked, TinyServer};

/// A box office with an account at a server that lets in, and answers everything else as the test wants.
struct Office {
    office: BoxOffice,
    account: String,
    answer: Arc<Mutex<Answer>>,
    _folder: TempDir,
}

impl Office {
    async fn new(system: TicketSystem) -> Self {
        let answer = Arc::new(Mutex::new(Answer::status(404)));
        let told = Arc::clone(&answer);
        let session = json!({ "data": { "token": "t", "refresh_token": "r", "sessionId": "s" } }).to_string();
        let server = TinyServer::start(move |asked: &Asked| match asked.path.ends_with("/auth/login") {
            true => Answer::ok(session.clone()),
            false => told.lock().unwrap().clone(),
        });
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let clock = Arc::new(TestClock::new());
        let office = BoxOffice::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
        let by_key =
            TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..TicketingConfig::default() };
        let config = SystemConfig { ticketing: Some(by_key), ..SystemConfig::at(server.url()) };
        let (user_name, password) = ("mira".to_owned(), "password".to_owned());
        let account = office.sign_in(SignIn { system, config, user_name, password }).await.unwrap().id;
        Self { office, account, answer, _folder: folder }
    }

    async fn send(&self, kind: OfficeWriteKind) -> Result<OfficeWrite, WalletError> {
        let (office, account) = (&self.office, self.account.clone());
        match kind {
            OfficeWriteKind::Reserve => office.reserve(account, reservation()).await,
            OfficeWriteKind::SendGroup => office.send_group(account, group()).await,
            OfficeWriteKind::Admit => office.admit(account, admission()).await,
            OfficeWriteKind::IssueToken => {
                let issued = office.issue_tokens(account, "9".to_owned(), sections(), 1).await;
                issued.map(|mut writes| writes.swap_remove(0))
            }
            OfficeWriteKind::CreateProduct => {
                office.create_product(account, "p".to_owned(), ProductFields::default()).await
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_write_that_is_answered_so_is_of_unknown_outcome() {
    for (system, kinds) in [
        (TicketSystem::Bam, [OfficeWriteKind::Reserve, OfficeWriteKind::SendGroup].as_slice()),
        (TicketSystem::Ticketing, &[OfficeWriteKind::Admit, OfficeWriteKind::IssueToken]),
        (TicketSystem::Texpo, &[OfficeWriteKind::CreateProduct]),
    ] {
        let office = Office::new(system).await;
        for Case { name, answer, .. } in hostile() {
            *office.answer.lock().unwrap() = answer;
            for kind in kinds {
                match office.send(*kind).await {
                    Ok(OfficeWrite { state: OfficeWriteState::Unknown, answer_json: None, .. }) => {}
                    // What is there is read first, and without it nothing is sent.
                    Err(WalletError::Unreachable { .. }) if *kind == OfficeWriteKind::CreateProduct => {}
                    other => panic!("{name} as {kind:?}: {:?}", other.map(|write| write.state)),
                }
            }
        }
    }
}
