//! Promise: a wiped wallet leaves neither a file nor a key, or says what is left and goes on when it is asked again.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hooked_vault::{Call, HookedVault};
use phone::{Phone, TestClock, sandbox, vault_in};
use ticket_wallet::host::KeyVaultError;
use ticket_wallet::{Config, Wallet, WalletError, diagnose_wallet};
use ticket_wallet_sandbox::SandboxConfig;

/// A synced wallet with keys, opened over a vault that a test may hook.
async fn synced() -> (Phone, Arc<HookedVault>) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 6, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    assert!(phone.vault_keys() > 1);
    let Phone { folder, clock, wallet } = phone;
    drop(wallet);
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    let wallet = Wallet::open(config(folder.path()), Arc::clone(&vault) as _, None, None).unwrap();
    (Phone { folder, clock, wallet }, vault)
}

fn config(folder: &Path) -> Config {
    Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) }
}

/// What is left of a wallet but for the vault's own files and the lock, which others may hold already.
fn left(phone: &Phone) -> BTreeSet<String> {
    let entries = fs::read_dir(phone.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["vault.json", "vault.lock", "wallet.lock"].contains(&name.as_str())).collect()
}

#[tokio::test]
async fn a_wallet_leaves_nothing_whether_it_was_open_or_paused() {
    for paused in [false, true] {
        let (phone, _) = synced().await;
        if paused {
            phone.wallet.pause().await;
        }
        phone.wallet.wipe().await.unwrap();
        assert_eq!((left(&phone), phone.vault_keys()), (BTreeSet::new(), 0), "paused: {paused}");
        phone.wallet.wipe().await.unwrap();
        assert!(matches!(phone.wallet.accounts(), Err(WalletError::Storage { .. })));
    }
}

#[tokio::test]
async fn keys_that_the_vault_did_not_delete_are_deleted_by_the_next_call() {
    let (phone, vault) = synced().await;
    let keys = phone.vault_keys();
    for left_over in [keys, keys - 1] {
        let allowed = Mutex::new(keys - left_over);
        vault.before(move |call| {
            if matches!(call, Call::DeleteKey(_)) {
                let mut allowed = allowed.lock().unwrap();
                *allowed = allowed.checked_sub(1).ok_or(KeyVaultError::Locked)?;
            }
            Ok(())
        });
        assert!(matches!(phone.wallet.wipe().await, Err(WalletError::KeyUnavailable { .. })));
        assert_eq!((left(&phone), phone.vault_keys()), (BTreeSet::new(), left_over), "the files went");
    }
    vault.rest();
    phone.wallet.wipe().await.unwrap();
    assert_eq!(phone.vault_keys(), 0);
}

#[tokio::test]
async fn a_paused_wallet_whose_vault_is_locked_is_kept_whole() {
    let (phone, vault) = synced().await;
    phone.wallet.pause().await;
    let (files, keys) = (left(&phone), phone.vault_keys());
    vault.before(|_| Err(KeyVaultError::Locked));
    assert!(matches!(phone.wallet.wipe().await, Err(WalletError::KeyUnavailable { .. })));
    assert_eq!((left(&phone), phone.vault_keys()), (files, keys));
    vault.rest();
    phone.wallet.wipe().await.unwrap();
    assert_eq!((left(&phone), phone.vault_keys()), (BTreeSet::new(), 0));
}

#[tokio::test]
async fn what_recoveries_put_aside_goes_as_well() {
    for there in [&["kept-1"][..], &["kept-2", "kept-10"], &["kept-1", "kept-3", "recovering"]] {
        let (phone, vault) = synced().await;
        let folder = phone.folder.path();
        for name in there {
            fs::create_dir(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("wallet.db"), "x").unwrap();
        }
        // A crash left it.
        fs::write(folder.join("wallet.key.new"), "x").unwrap();
        fs::create_dir(folder.join("kept-sake")).unwrap();
        let Phone { folder, clock, wallet } = phone;
        assert_eq!(wallet.diagnose().unwrap().files.kept, there);
        drop(wallet);
        let found = diagnose_wallet(config(folder.path()), Arc::clone(&vault) as _, None).files.kept;
        let kept: Vec<_> = there.iter().filter(|name| **name != "recovering").collect();
        assert!(found.iter().eq(kept), "opening ends a recovery: {found:?}");
        let wallet = Wallet::open(config(folder.path()), vault, None, None).unwrap();
        let phone = Phone { folder, clock, wallet };
        phone.wallet.wipe().await.unwrap();
        assert_eq!(left(&phone), BTreeSet::from(["kept-sake".to_owned()]));
    }
}
