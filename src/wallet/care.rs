//! The wallet's own care: pausing, keys, recovery, signing out, and what is wrong when something is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Wallet, WalletTime};
use crate::config::Config;
use crate::device::ask;
use crate::error::{Error, RecoveryReason, WalletError};
use crate::host::{HostClock, KeyVault};
use crate::model::{Account, GateCertification, StoredAccount, TicketSystem, WriteState};
use crate::remote::bam;
use crate::store::{self, FileState, RecoveryReport};
use crate::sync;

/// Work under way is given this long when the wallet is paused.
const PAUSE_MS: i64 = 5_000;
const PAUSE_STEP: Duration = Duration::from_millis(10);

/// How an account stands.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct AccountDiagnosis {
    /// The account.
    pub account: Account,
    /// Tickets that are listed.
    pub tickets: u32,
    /// Barcodes held.
    pub barcodes: u32,
    /// Changes that are sent by themselves.
    pub waiting: u32,
    /// Changes that wait for the person.
    pub undecided: u32,
    /// What the session's token says of it (B.A.M), in the order of the documentation; nothing of any other token. The
    /// token itself is not among it, and its signature is not verified: the server alone can.
    pub claims: Vec<TokenClaim>,
}

/// A claim of a token (RFC 7519, section 4).
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct TokenClaim {
    /// Its name.
    pub name: String,
    /// Its value: a text as it is, anything else as JSON, cut after 1,000 characters.
    pub value: String,
}

/// How a wallet stands, for support and for whoever develops with it. It holds no secret.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Diagnosis {
    /// Why it does not open: the error's code and its words. `None` when it does.
    pub problem: Option<String>,
    /// What helps.
    pub advice: Option<String>,
    /// Whether [`recover_wallet`] is what helps, and why.
    pub recovery: Option<RecoveryReason>,
    /// The database's file and its log.
    pub files: FileState,
    /// The time and how far it is trusted.
    pub time: Option<WalletTime>,
    /// The accounts.
    pub accounts: Vec<AccountDiagnosis>,
    /// Keys that wait to be deleted from the vault.
    pub keys_to_delete: u32,
    /// Records of a gate's ledger: where the folder is a gate's.
    pub records: u32,
    /// How many of them no server has.
    pub unsent_records: u32,
    /// Whether others take what a gate records now: where the folder is a gate's, and the time is known.
    pub certification: GateCertification,
}

opaque_debug!(AccountDiagnosis, Diagnosis, TokenClaim);

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Closes the wallet's files, for example before the system suspends the app. New calls fail with
    /// [`WalletError::Paused`]; those under way have 5 seconds, then they are interrupted. What they had sent is found
    /// out after [`Wallet::resume`]. A wallet that is resumed meanwhile stays open.
    pub async fn pause(&self) {
        let pause = self.end_work().await;
        self.store.pause(|| self.runner.activity().is_wanted(pause));
    }

    /// Opens the files again and goes on. A wallet that is not paused stays as it is.
    ///
    /// # Errors
    /// As [`Wallet::open`].
    pub fn resume(&self) -> Result<(), WalletError> {
        let pause = self.runner.activity().call_off();
        self.store.resume(&*self.vault)?;
        self.runner.activity().resume(pause);
        self.wake();
        Ok(())
    }

    /// Gives the database a new key. It takes about as long as reading and writing the whole file; a crash in the middle
    /// loses nothing.
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`], [`WalletError::Storage`], [`WalletError::Paused`].
    pub fn rekey(&self) -> Result<(), WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.rekey(&*self.vault)?)
    }

    /// Deletes the wallet, paused or not: its keys in the vault, its files, and what recoveries put aside. It cannot be
    /// undone, and this object is of no more use. Opened on a gate's folder, it deletes the gate: see
    /// [`Diagnosis::unsent_records`] first.
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`] when the vault could not be used, [`WalletError::Storage`] when some file could not
    /// be deleted: call it again with this object, which knows what is left. As [`Wallet::resume`]: nothing was deleted,
    /// and the wallet is paused.
    pub async fn wipe(&self) -> Result<(), WalletError> {
        let pause = self.end_work().await;
        let mut keys = self.keys_to_wipe.lock().await;
        match self.store.resume(&*self.vault) {
            // By a call before this one, which found out what there was to delete.
            Err(Error::Wiped) => {}
            resumed => *keys = resumed.and_then(|()| self.store.key_handles())?,
        }
        let (mut left, mut deleted) = (Vec::new(), Ok(()));
        for key in keys.iter() {
            let handle = key.clone();
            if let Err(error) = ask(&self.vault, move |vault| Ok(vault.delete_key(handle)?)).await {
                left.push(key.clone());
                deleted = deleted.and(Err(error));
            }
        }
        *keys = left;
        // The files go in any case: without them the keys open nothing and sign nothing.
        self.store.wipe()?;
        // From now on calls say what happened, and not that they may come later.
        self.runner.activity().resume(pause);
        Ok(deleted?)
    }

    /// Removes an account with its tickets, barcodes and keys, and nothing else. With `discard_changes` false it is
    /// refused while changes of the person wait in the outbox.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::InvalidInput`] naming `discard_changes`, [`WalletError::Paused`],
    /// [`WalletError::Storage`].
    pub async fn sign_out(&self, account_id: String, discard_changes: bool) -> Result<(), WalletError> {
        Ok(self.runner.sign_out(&account_id, discard_changes).await?)
    }

    /// How the wallet stands. Reads the whole database, to check every page.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::NeedsRecovery`], [`WalletError::Storage`].
    pub fn diagnose(&self) -> Result<Diagnosis, WalletError> {
        let _work = self.runner.activity().begin()?;
        let outbox = self.store.outbox(None, None)?;
        let mut accounts = Vec::new();
        for account in self.store.accounts()? {
            let (tickets, barcodes) = self.store.count(&account.id)?;
            let of_account = outbox.iter().filter(|row| row.new.account_id == account.id);
            let (waiting, undecided): (Vec<_>, Vec<_>) =
                of_account.partition(|row| matches!(row.state, WriteState::Waiting | WriteState::Sent));
            accounts.push(AccountDiagnosis {
                claims: claims(&account),
                account: account.into(),
                tickets,
                barcodes,
                waiting: count(waiting.len()),
                undecided: count(undecided.len()),
            });
        }
        let (records, unsent_records) = self.store.count_records()?;
        let time = self.now().ok();
        let certification = match (self.store.scanner()?, &time) {
            (Some(scanner), Some(time)) => sync::certification(&scanner, time.unix_ms),
            _ => GateCertification::NotNeeded,
        };
        Ok(Diagnosis {
            problem: None,
            advice: None,
            recovery: None,
            files: self.store.file_state()?,
            time,
            accounts,
            keys_to_delete: count(self.store.doomed_keys()?.len()),
            records,
            unsent_records,
            certification,
        })
    }
}

impl Wallet {
    /// Refuses new work and gives what is under way its time, then interrupts it; returns the number of this pause.
    async fn end_work(&self) -> u64 {
        let activity = self.runner.activity();
        let pause = activity.refuse();
        let begun = self.time.elapsed_ms();
        let passed = || self.time.elapsed_ms()?.checked_sub(begun?);
        // A clock that cannot be read or that began anew gives no time.
        while activity.is_awaited(pause) && passed().is_some_and(|ms| (0..PAUSE_MS).contains(&ms)) {
            tokio::time::sleep(PAUSE_STEP).await;
        }
        activity.interrupt(pause);
        pause
    }
}

/// How a wallet stands that is not open, whether it opens or not; a gate's store too. Where there is none, none is made.
#[uniffi::export]
pub fn diagnose_wallet(
    config: Config,
    vault: Arc<dyn KeyVault>,
    clock: Option<Arc<dyn HostClock>>,
) -> Diagnosis {
    let folder = config.folder.clone();
    let diagnosed = there(&config)
        .and_then(|()| Wallet::open(Config { send_by_itself: false, ..config }, vault, clock, None))
        .and_then(|wallet| wallet.diagnose());
    let problem = match diagnosed {
        Ok(diagnosis) => return diagnosis,
        Err(problem) => problem,
    };
    let (recovery, advice) = match &problem {
        WalletError::NeedsRecovery { why, reason } => (Some(*why), Some(reason.clone())),
        _ => (None, None),
    };
    Diagnosis {
        problem: Some(format!("{}: {problem}", problem.code())),
        advice,
        recovery,
        files: store::file_state_of(Path::new(&folder)),
        time: None,
        accounts: Vec::new(),
        keys_to_delete: 0,
        records: 0,
        unsent_records: 0,
        certification: GateCertification::NotNeeded,
    }
}

/// Makes a wallet that answers [`WalletError::NeedsRecovery`] usable again: puts its files aside, makes new ones, saves
/// what can be read of accounts, barcodes and changes that were not sent. Then open it and sync: the tickets come back
/// from their servers. Of a gate's store, the scanner and its records are saved. Of a wallet that opens and is sound, nothing
/// is changed.
///
/// # Errors
/// [`WalletError::KeyUnavailable`]: try again when the vault can be used; nothing was changed.
/// [`WalletError::NotFound`] where there is none, [`WalletError::InUse`], [`WalletError::Storage`].
#[uniffi::export]
pub fn recover_wallet(config: Config, vault: Arc<dyn KeyVault>) -> Result<RecoveryReport, WalletError> {
    there(&config)?;
    match store::recover(Path::new(&config.folder), &*vault) {
        // The vault's answer is about the store's key here, never about a ticket's.
        Err(Error::Vault(error)) => Err(WalletError::KeyUnavailable { reason: error.to_string() }),
        report => Ok(report?),
    }
}

fn there(config: &Config) -> Result<(), WalletError> {
    if store::is_there(Path::new(&config.folder)) {
        return Ok(());
    }
    Err(WalletError::NotFound { reason: format!("there is no wallet in {}", config.folder) })
}

fn claims(account: &StoredAccount) -> Vec<TokenClaim> {
    let token = account.tokens.as_ref().filter(|_| account.system == TicketSystem::Bam);
    let claims = token.map(|tokens| bam::claims(&tokens.access)).unwrap_or_default();
    claims.into_iter().map(|(name, value)| TokenClaim { name, value }).collect()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
