//! The encrypted store: SQLCipher in one file, one writer, one reader. Calls are synchronous and short.

mod accounts;
mod cipher;
mod credentials;
mod decisions;
mod documents;
mod envelope;
mod files;
mod gate;
mod ledger;
mod listings;
mod lock;
mod manifests;
mod office;
mod open;
mod outbox;
mod recover;
mod refusals;
mod rekey;
mod salvage;
mod schema;
mod settings;
mod sign_ins;
mod state;
mod tickets;
mod transfers;

use std::sync::{PoisonError, RwLock};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

pub use credentials::{Binding, BindingState, HeldCredential};
pub use decisions::{Basis, LedgerHead};
pub use documents::{CodeWanted, NewDocument, StoredEnrollment};
pub use gate::{NewRecord, StoredRecord, StoredScanner};
pub use ledger::{ChainTally, TakenIn};
pub use listings::{ListingStanding, StoredListing};
pub use office::OfficeOutcome;
pub use outbox::{Acquisition, NewWrite, OutboxRow, Settled};
pub use recover::{RecoveryReport, recover};
pub use refusals::{Beside, StoredRefusal};
pub use sign_ins::PendingSignIn;
pub use state::{FileState, file_state_of, is_there};
pub use tickets::{PageChanges, PageEnd};
pub use transfers::StoredTransfer;

use crate::error::{Error, RecoveryReason};
use files::Files;
use open::Connections;

/// The store of one wallet.
#[derive(Debug)]
pub struct Store {
    files: Files,
    state: RwLock<State>,
}

#[derive(Debug)]
enum State {
    Open(Box<Connections>),
    Paused,
    Wiped,
}

impl State {
    fn open(&self) -> Result<&Connections, Error> {
        match self {
            Self::Open(connections) => Ok(connections),
            Self::Paused => Err(Error::Paused),
            Self::Wiped => Err(Error::Wiped),
        }
    }
}

impl Store {
    /// Runs `work` in one transaction; it is kept when `work` succeeds, else nothing of it is.
    fn write<T>(
        &self,
        context: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut writer = state.open()?.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(database(context))
    }

    /// Takes what was deleted out of the log too, where its earlier pages still hold it.
    ///
    /// # Errors
    /// [`Error::Database`] where the log cannot be emptied now, [`Error::Paused`].
    pub fn forget_traces(&self) -> Result<(), Error> {
        let context = "the log cannot be emptied";
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let open = state.open()?;
        let writer = open.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let _no_reader = open.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match open::fold(&writer).map_err(database(context))? {
            true => Ok(()),
            false => Err(Error::Database { context, reason: "somebody reads it".to_owned() }),
        }
    }

    /// Runs a read on the reader, which sees all that was committed before.
    fn read<T>(
        &self,
        context: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let reader = state.open()?.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(&reader).map_err(database(context))
    }
}

/// Puts an SQLite error into words that name no value of a statement; damage is told from the rest.
fn database(context: &'static str) -> impl Fn(rusqlite::Error) -> Error + Copy {
    move |error| {
        let reason = match error {
            rusqlite::Error::SqliteFailure(failure, _) if is_damage(failure.code) => {
                return Error::Recovery { why: RecoveryReason::Damaged };
            }
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::OperationInterrupted => return Error::Paused,
                ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
                    "the files in the wallet's folder cannot be written".to_owned()
                }
                _ => rusqlite::ffi::code_to_str(failure.extended_code).to_owned(),
            },
            rusqlite::Error::QueryReturnedNoRows => "no such row".to_owned(),
            // A value that is not of its type: where a long row goes on to a bad page, SQLCipher reads zeros and tells
            // nobody before it reads the next page.
            _ => return Error::Recovery { why: RecoveryReason::Damaged },
        };
        Error::Database { context, reason }
    }
}

fn is_damage(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
}
