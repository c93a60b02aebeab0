//! Sessions that end during a drain, and two accounts in one wallet.

use std::thread;

use ticket_wallet::WalletError;
use ticket_wallet::model::{AccountState, WriteState};
use ticket_wallet_sandbox::Fault;
use tokio::runtime::Handle;

use crate::desk::{Desk, answers, rule};
use crate::phone::sign_in;

#[tokio::test]
async fn a_session_that_ends_during_a_drain_is_renewed() {
    for fault in [Fault::Unauthorized, Fault::LostReply] {
        let desk = Desk::new().await;
        let ticket = desk.shown().swap_remove(0);
        desk.answer(&ticket, "soup");
        desk.sandbox.revoke_tokens().unwrap();
        desk.sandbox.fault(rule("POST", "/ticket_holder", 1, fault));
        desk.settle().await;
        assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
        assert!(desk.sandbox.requests().iter().any(|request| request.ends_with("/auth/refresh")));
    }
}

#[tokio::test]
async fn a_write_waits_for_a_session_that_is_over() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.transfer(ticket.clone(), "zoe@example.org".to_owned()).unwrap();
    desk.sandbox.revoke_sessions().unwrap();
    for _ in 0..2 {
        assert!(matches!(desk.sync().await, Err(WalletError::NeedsSignIn { .. })));
        assert_eq!(desk.outbox_states(), [WriteState::Waiting]);
        assert_eq!(desk.hidden(&ticket), None, "it was surely not applied");
    }
    assert_eq!(desk.phone.wallet.accounts().unwrap()[0].state, AccountState::NeedsSignIn);
    desk.phone.sign_in(&desk.sandbox, 0).await;
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["transfer.create"]);
}

#[tokio::test]
async fn signing_out_removes_one_account_and_nothing_else() {
    let desk = Desk::new().await;
    let mine = desk.shown();
    let keys_of_one = desk.phone.vault_keys();
    let other = desk.phone.sign_in(&desk.sandbox, 1).await.id;
    desk.sync().await.unwrap();
    let theirs: Vec<_> = desk.shown().into_iter().filter(|id| !mine.contains(id)).collect();
    let keys_of_two = desk.phone.vault_keys();
    assert!(!theirs.is_empty() && keys_of_two > keys_of_one);
    desk.answer(&mine[0], "soup");
    desk.answer(&theirs[0], "cake");

    let refused = desk.phone.wallet.sign_out(desk.account.clone(), false).await;
    assert!(matches!(refused, Err(WalletError::InvalidInput { field, .. }) if field == "discard_changes"));
    assert_eq!((desk.outbox().len(), desk.phone.wallet.accounts().unwrap().len()), (2, 2));

    desk.phone.wallet.sign_out(desk.account.clone(), true).await.unwrap();
    assert_eq!(desk.the_only_write().account_id, other);
    assert_eq!(desk.shown(), theirs, "the other's barcodes are shown");
    assert!(desk.phone.tickets().iter().all(|ticket| ticket.account_id == other));
    assert_eq!(desk.phone.vault_keys(), keys_of_two - keys_of_one);
    assert!(matches!(desk.phone.wallet.ticket(mine[0].clone()), Err(WalletError::NotFound { .. })));
    desk.settle().await;
    assert_eq!(desk.applied(&theirs[0]), ["ticket_holder.create"]);
    assert_eq!(desk.totals()["ticket_holder.create"], 1, "what was discarded is not sent");

    desk.phone.wallet.sign_out(other, false).await.unwrap();
    assert!(desk.phone.wallet.accounts().unwrap().is_empty() && desk.phone.tickets().is_empty());
    assert_eq!(desk.phone.vault_keys(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_accepted_while_its_account_is_signed_out_keeps_it() {
    let desk = Desk::new().await;
    let wallet = &desk.phone.wallet;
    let ticket = desk.phone.tickets().swap_remove(0).id;
    let runtime = Handle::current();
    for round in 0..20 {
        let (saved, signed_out) = thread::scope(|scope| {
            let saving = scope.spawn(|| wallet.save_ticket_holder(ticket.clone(), answers("soup")));
            let leaving = scope.spawn(|| runtime.block_on(wallet.sign_out(desk.account.clone(), false)));
            (saving.join().unwrap(), leaving.join().unwrap())
        });
        assert_ne!(saved.is_ok(), signed_out.is_ok(), "round {round}");
        if let Ok(item) = saved {
            wallet.discard_write(item.id).unwrap();
        } else {
            desk.phone.sign_in(&desk.sandbox, 0).await;
            desk.sync().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_keeps_no_other_from_its_turn() {
    let desk = Desk::new().await;
    let down = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.sign_in(sign_in(&down.sandbox, 1)).await.unwrap();
    down.sandbox.stop().await;
    desk.answer(&ticket, "soup");
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}
