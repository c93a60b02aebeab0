//! Vaults that are locked, lose keys or break off: what needs them waits or says so, and nothing else is kept back.

use std::sync::Arc;
use std::time::Duration;

use ticket_wallet::host::{KeyVault as _, KeyVaultError};
use ticket_wallet::model::{NoBarcodeReason, RejectionReason, WriteState};
use ticket_wallet::{Config, Wallet, WalletError};

use crate::desk::{Desk, small};
use crate::hooked_vault::{Call, HookedVault};
use crate::phone::{Phone, TestClock, sandbox, vault_in};

const ZOE: &str = "zoe@example.org";

/// What the vault does when it shall sign.
fn signs(vault: &HookedVault, mood: impl Fn(&str) -> Result<(), KeyVaultError> + Send + Sync + 'static) {
    vault.before(move |call| match call {
        Call::Sign(handle) => mood(handle),
        _ => Ok(()),
    });
}

fn fails(vault: &HookedVault, with: KeyVaultError) {
    signs(vault, move |_| Err(with.clone()));
}

async fn moody() -> (Desk, Arc<HookedVault>) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, small()).await;
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
    let wallet = Wallet::open(config, Arc::clone(&vault) as _, Some(Arc::new(clock.clone())), None).unwrap();
    wallet.set_retry_policy(clock.policy());
    let phone = Phone { folder, clock, wallet };
    let account = phone.sign_in(&sandbox, 0).await.id;
    let desk = Desk { sandbox, phone, account };
    desk.sync().await.unwrap();
    (desk, vault)
}

#[tokio::test]
async fn a_write_waits_while_the_vault_does_not_sign() {
    let (desk, vault) = moody().await;
    let [first, second] = &desk.shown()[..2] else { panic!("two barcodes") };
    desk.phone.wallet.transfer(first.clone(), ZOE.to_owned()).unwrap();
    desk.answer(second, "soup");
    for mood in [Some(KeyVaultError::Locked), Some(KeyVaultError::Cancelled), None] {
        signs(&vault, move |_| Err(mood.clone().unwrap_or_else(|| panic!("the vault breaks off"))));
        let (tenant, _) = desk.place(first);
        let added = desk.sandbox.add_ticket("mira@example.org", tenant, desk.event(first)).unwrap();
        let before = desk.phone.tickets().len();
        assert!(desk.sync().await.is_err(), "the failure is told");
        assert!(added.is_some() && desk.phone.tickets().len() == before + 1, "and the tickets are pulled");
        let waiting = desk.the_only_write();
        assert_eq!((waiting.state, waiting.attempts), (WriteState::Waiting, 0));
    }
    vault.rest();
    assert_eq!(desk.applied(second), ["ticket_holder.create"], "another ticket's write was sent");
    assert_eq!(desk.hidden(first), None);
    desk.settle().await;
    assert_eq!(desk.applied(first), ["transfer.create"]);
}

#[tokio::test]
async fn without_its_key_a_ticket_cannot_be_given_up() {
    for surrender in [false, true] {
        let (desk, vault) = moody().await;
        let ticket = desk.shown().swap_remove(0);
        if surrender {
            desk.phone.wallet.surrender(ticket.clone()).unwrap();
        } else {
            desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
        }
        fails(&vault, KeyVaultError::Missing);
        assert_eq!(desk.sync().await.unwrap().rejected, 1);
        assert_eq!(desk.the_only_write().rejection, Some(RejectionReason::NotPossible));
        assert!(desk.applied(&ticket).is_empty());
    }
}

#[tokio::test]
async fn a_ticket_whose_key_is_lost_keeps_its_credential_until_it_is_moved_here() {
    let (desk, vault) = moody().await;
    let [lost, sound] = &desk.shown()[..2] else { panic!("two barcodes") };
    fails(&vault, KeyVaultError::Invalidated);
    assert_eq!(desk.hidden(sound), Some(NoBarcodeReason::NeedsRebind));
    vault.rest();
    assert_eq!(desk.hidden(sound), None, "a key that signs again is no lost key");
    // The key that it shall sign with is gone.
    let keys = vault_in(desk.phone.folder.path());
    signs(&vault, move |handle| keys.delete_key(handle.to_owned()).and(Err(KeyVaultError::Missing)));
    assert_eq!(desk.hidden(lost), Some(NoBarcodeReason::NeedsRebind));
    vault.rest();
    assert_eq!(desk.hidden(sound), None, "of this ticket only");
    desk.settle().await;
    // The server holds the old key bound: a sync alone takes no move.
    assert_eq!(desk.hidden(lost), Some(NoBarcodeReason::NeedsRebind));
    assert_eq!(desk.generation(lost), Some(1), "what is held is kept");
    assert!(matches!(desk.phone.wallet.move_here(sound.clone()), Err(WalletError::InvalidInput { .. })));
    desk.phone.wallet.move_here(lost.clone()).unwrap();
    desk.settle().await;
    assert_eq!((desk.hidden(lost), desk.generation(lost)), (None, Some(2)));
    assert_eq!(desk.applied(lost), ["credential.move"]);
    assert_eq!(desk.hidden(sound), None);
}

/// A wallet whose last account is signed out while its vault deletes nothing.
async fn left_with_keys() -> (Desk, Arc<HookedVault>) {
    let (desk, vault) = moody().await;
    deletes_nothing(&vault);
    desk.phone.wallet.sign_out(desk.account.clone(), true).await.unwrap();
    assert!(desk.sync().await.is_err(), "there is no account");
    assert!(desk.phone.vault_keys() > 0 && keys_to_delete(&desk) > 0);
    (desk, vault)
}

fn deletes_nothing(vault: &HookedVault) {
    vault.before(|call| match call {
        Call::DeleteKey(_) => Err(KeyVaultError::Locked),
        _ => Ok(()),
    });
}

fn keys_to_delete(desk: &Desk) -> u32 {
    desk.phone.wallet.diagnose().unwrap().keys_to_delete
}

#[tokio::test]
async fn keys_of_the_last_account_go_though_the_vault_was_locked_when_it_was_signed_out() {
    let (desk, vault) = left_with_keys().await;
    vault.rest();
    assert!(desk.sync().await.is_err());
    assert_eq!((desk.phone.vault_keys(), keys_to_delete(&desk)), (0, 0), "with the next sync");
    for locked_when_opened in [false, true] {
        let (desk, _) = left_with_keys().await;
        let Desk { sandbox, phone: Phone { folder, clock, wallet }, account } = desk;
        drop(wallet);
        let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
        if locked_when_opened {
            deletes_nothing(&vault);
        }
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let wallet = Wallet::open(config, Arc::clone(&vault) as _, None, None).unwrap();
        let desk = Desk { sandbox, phone: Phone { folder, clock, wallet }, account };
        if locked_when_opened {
            desk.phone.wallet.pause().await;
            vault.rest();
            desk.phone.wallet.resume().unwrap();
        }
        let gone = async {
            while keys_to_delete(&desk) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok(), "by itself");
        assert_eq!(desk.phone.vault_keys(), 0);
    }
}
