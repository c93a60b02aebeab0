//! Promise: what hosts and event staff write to TickeTing is kept before it is sent, ends in done, rejected or unknown, and
//! is never carried out twice in silence.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

#[path = "ticketing_office/admitting.rs"]
mod admitting;
#[path = "ticketing_office/issuing.rs"]
mod issuing;

use std::sync::Arc;

use festival::Festival;
use phone::vault_in;
use serde_json::Value;
use tempfile::TempDir;
use ticket_wallet::model::{OfficeWrite, SignIn};
use ticket_wallet::{BoxOffice, Config};

/// A host's place of work.
struct Office {
    festival: Festival,
    office: BoxOffice,
    account: String,
    folder: TempDir,
}

impl Office {
    async fn new() -> Self {
        let festival = Festival::new().await;
        let folder = tempfile::tempdir().unwrap();
        let office = open(&folder, &festival);
        let account = office.sign_in(festival.sign_in_as_host()).await.unwrap().id;
        Self { festival, office, account, folder }
    }

    /// Signed in by somebody else too.
    async fn sign_in(&self, sign_in: SignIn) -> String {
        self.office.sign_in(sign_in).await.unwrap().id
    }

    fn restart(self) -> Self {
        let Self { festival, office, account, folder } = self;
        drop(office);
        let office = open(&folder, &festival);
        Self { festival, office, account, folder }
    }

    fn account(&self) -> String {
        self.account.clone()
    }

    fn event(&self) -> String {
        self.festival.event(0)
    }
}

fn open(folder: &TempDir, festival: &Festival) -> BoxOffice {
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let clock = Arc::new(festival.clock.clone());
    let office = BoxOffice::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
    office.set_retry_policy(festival.clock.policy());
    office
}

/// What became of a write.
fn answer(write: &OfficeWrite) -> Value {
    serde_json::from_str(write.answer_json.as_deref().unwrap()).unwrap()
}
