//! Promise: what holders hand over and order at TickeTing, by section and number, is kept before it is sent, ends in done,
//! rejected or unknown, and is never carried out twice in silence; signing out ends the session at the server.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use std::sync::Arc;
use std::time::{Duration, Instant};

use festival::Festival;
use phone::vault_in;
use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::{
    Capability, OfficeWrite, OfficeWriteKind, OfficeWriteState, SectionCount, TicketFilter, TransferAnswer,
    TransferState,
};
use ticket_wallet::resale::NotOfferedReason;
use ticket_wallet::{Config, Wallet, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule};

const DONE: OfficeWriteState = OfficeWriteState::Done;
const UNKNOWN: OfficeWriteState = OfficeWriteState::Unknown;
const REJECTED: OfficeWriteState = OfficeWriteState::Rejected;

/// Two persons with a wallet each.
struct Pair {
    festival: Festival,
    wallets: [Wallet; 2],
    accounts: [String; 2],
    folders: [TempDir; 2],
}

fn open(folder: &TempDir, festival: &Festival) -> Wallet {
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let clock = Arc::new(festival.clock.clone());
    let wallet = Wallet::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
    wallet.set_retry_policy(festival.clock.policy());
    wallet
}

impl Pair {
    async fn new() -> Self {
        let festival = Festival::new().await;
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let wallets = [open(&folders[0], &festival), open(&folders[1], &festival)];
        let sender = wallets[0].sign_in(festival.sign_in(0)).await.unwrap().id;
        let recipient = wallets[1].sign_in(festival.sign_in(1)).await.unwrap().id;
        Self { festival, wallets, accounts: [sender, recipient], folders }
    }

    /// The sender's wallet is closed and opened again.
    fn restart(self) -> Self {
        let Self { festival, wallets: [sender, recipient], accounts, folders } = self;
        drop(sender);
        let wallets = [open(&folders[0], &festival), recipient];
        Self { festival, wallets, accounts, folders }
    }

    fn counts(&self, quantity: u32) -> Vec<SectionCount> {
        vec![SectionCount { section: self.festival.sections(0)[0].clone(), quantity }]
    }

    async fn send(&self, quantity: u32) -> Result<OfficeWrite, WalletError> {
        let to = self.festival.user(1).0;
        self.wallets[0].start_transfer(self.accounts[0].clone(), to, self.counts(quantity)).await
    }

    async fn order(&self, quantity: u32) -> Result<OfficeWrite, WalletError> {
        self.wallets[0].place_order(self.accounts[0].clone(), self.counts(quantity)).await
    }

    async fn look_up(&self, write: &OfficeWrite) -> OfficeWrite {
        self.wallets[0].look_up_write(write.id).await.unwrap()
    }

    /// The reading after a write fails, the one before it does not.
    fn blind(&self, path: &str, skip: u32) {
        let (method, path_contains) = (Some("GET".to_owned()), path.to_owned());
        self.festival.sandbox.fault(FaultRule { method, path_contains, skip, times: 9, fault: Fault::Reset });
    }

    fn started(&self) -> usize {
        self.festival.applied("ticketing.transfer.start")
    }

    fn placed(&self) -> usize {
        self.festival.applied("ticketing.order.place")
    }
}

fn answer(write: &OfficeWrite) -> Value {
    serde_json::from_str(write.answer_json.as_deref().unwrap()).unwrap()
}

fn uri(write: &OfficeWrite) -> String {
    answer(write)["transfers"][0]["uri"].as_str().unwrap().to_owned()
}

fn number(write: &OfficeWrite) -> String {
    answer(write)["orders"][0]["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tickets_are_handed_over_claimed_and_taken_back() {
    let pair = Pair::new().await;
    let [sender, recipient] = &pair.wallets;
    let [from, to] = &pair.accounts;
    assert!(sender.capabilities(from.clone()).unwrap().contains(&Capability::SectionTransfers));
    let write = pair.send(2).await.unwrap();
    assert_eq!((write.state, write.kind), (DONE, OfficeWriteKind::StartTransfer));
    let incoming = recipient.section_transfers(to.clone(), true, 1).await.unwrap();
    assert!(!incoming.more && incoming.transfers.len() == 1);
    let one = &incoming.transfers[0];
    assert_eq!((one.uri.clone(), one.state.clone()), (uri(&write), TransferState::Pending));
    assert_eq!((&one.tickets, one.initiated_at), (&pair.counts(2), Some(pair.festival.now_s())));
    assert_eq!(one.recipient.as_ref(), Some(&pair.festival.user(1).1));
    let not_mine = sender.claim_transfer(from.clone(), uri(&write)).await;
    assert!(matches!(not_mine, Err(WalletError::Refused { status: 403, .. })), "{not_mine:?}");
    let claimed = recipient.claim_transfer(to.clone(), uri(&write)).await.unwrap();
    assert_eq!((claimed.state, claimed.kind), (DONE, OfficeWriteKind::ClaimTransfer));
    let late = sender.take_transfer_back(from.clone(), uri(&write)).await;
    assert!(matches!(late, Err(WalletError::Refused { status: 409, .. })), "{late:?}");
    let second = pair.send(1).await.unwrap();
    let back = sender.take_transfer_back(from.clone(), uri(&second)).await.unwrap();
    assert_eq!((back.state, back.kind), (DONE, OfficeWriteKind::CancelTransfer));
    let sent = sender.section_transfers(from.clone(), false, 1).await.unwrap().transfers;
    let states: Vec<_> = sent.into_iter().map(|one| one.state).collect();
    assert_eq!(states, [TransferState::Accepted, TransferState::Cancelled]);
    let many = pair.send(500).await;
    assert!(matches!(many, Err(WalletError::Refused { status: 400, .. })), "{many:?}");
    let nobody = sender.start_transfer(from.clone(), "nobody".to_owned(), pair.counts(1)).await;
    assert!(matches!(nobody, Err(WalletError::Refused { status: 404, .. })), "{nobody:?}");
    let none = sender.start_transfer(from.clone(), pair.festival.user(1).1, vec![]).await;
    assert!(matches!(none, Err(WalletError::InvalidInput { ref field, .. }) if field == "tickets"));
    let states: Vec<_> = sender.writes(from.clone(), 10).unwrap().into_iter().map(|one| one.state).collect();
    assert_eq!(states, [REJECTED, DONE, DONE, REJECTED, REJECTED, DONE]);
}

#[tokio::test]
async fn what_is_handed_over_is_listed_and_accepted_as_everywhere_and_cannot_be_declined() {
    let pair = Pair::new().await;
    let (write, [_, wallet], [_, account]) = (pair.send(2).await.unwrap(), &pair.wallets, &pair.accounts);
    let incoming = wallet.incoming_transfers(account.clone()).await.unwrap();
    let tokens: Vec<_> = incoming.iter().map(|one| (one.token.clone(), one.state.clone())).collect();
    assert_eq!(tokens, [(uri(&write), TransferState::Pending)]);
    let declined = wallet.decline_transfer(account.clone(), uri(&write)).await.unwrap_err();
    assert!(
        matches!(declined, WalletError::NotOffered { why: NotOfferedReason::NoDecline, .. }),
        "{declined}"
    );
    let accepted = wallet.accept_transfer(account.clone(), uri(&write)).await.unwrap();
    assert_eq!(accepted, TransferAnswer::Accepted);
    assert!(wallet.incoming_transfers(account.clone()).await.unwrap().is_empty());
    let again = wallet.accept_transfer(account.clone(), uri(&write)).await;
    assert!(matches!(again, Err(WalletError::Refused { status: 409, .. })), "{again:?}");
    let kinds: Vec<_> = wallet.writes(account.clone(), 10).unwrap().iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [OfficeWriteKind::ClaimTransfer; 2]);
    // A single ticket cannot be named: the system says which ones they are only once they are claimed.
    wallet.sync(None).await.unwrap();
    let ticket = wallet.tickets(TicketFilter::default()).unwrap().remove(0);
    let single = wallet.transfer(ticket.id, "mira@example.org".to_owned()).unwrap_err();
    assert!(
        matches!(single, WalletError::NotOffered { why: NotOfferedReason::BySectionOnly, .. }),
        "{single}"
    );
}

#[tokio::test]
async fn lost_answers_to_transfers_are_read_back() {
    for fault in [Fault::LostReply, Fault::Gateway { status: 502, code: Some(409) }] {
        let pair = Pair::new().await;
        let [sender, recipient] = &pair.wallets;
        let [from, to] = &pair.accounts;
        // Another of the same is there.
        let first = pair.send(1).await.unwrap();
        pair.festival.fault("POST", "/transfers", 1, fault.clone());
        let write = pair.send(1).await.unwrap();
        assert_eq!((write.state, pair.started()), (DONE, 2));
        assert_ne!(uri(&write), uri(&first));
        pair.festival.fault("POST", "/claims", 1, fault.clone());
        assert_eq!(recipient.claim_transfer(to.clone(), uri(&write)).await.unwrap().state, DONE);
        pair.festival.fault("DELETE", "/transfers/", 1, fault);
        assert_eq!(sender.take_transfer_back(from.clone(), uri(&first)).await.unwrap().state, DONE);
    }
}

#[tokio::test]
async fn a_transfer_that_was_claimed_meanwhile_was_carried_out() {
    let pair = Pair::new().await;
    pair.festival.fault("POST", "/transfers", 1, Fault::LostReply);
    pair.blind("/transfers", 1);
    let write = pair.send(2).await.unwrap();
    assert_eq!(write.state, UNKNOWN);
    pair.festival.sandbox.clear_faults();
    let incoming = pair.wallets[1].section_transfers(pair.accounts[1].clone(), true, 1).await.unwrap();
    let uri = incoming.transfers[0].uri.clone();
    pair.wallets[1].claim_transfer(pair.accounts[1].clone(), uri).await.unwrap();
    pair.festival.clock.pass_s(121);
    let pair = pair.restart();
    assert_eq!(pair.look_up(&write).await.state, DONE, "it waits for nobody any more, and is none the less");
    assert_eq!(pair.started(), 1);
}

#[tokio::test]
async fn transfers_that_nothing_tells_apart_stay_unknown() {
    let pair = Pair::new().await;
    pair.festival.fault("POST", "/transfers", 1, Fault::LostReply);
    pair.blind("/transfers", 1);
    let write = pair.send(1).await.unwrap();
    pair.festival.sandbox.clear_faults();
    // The same person hands the same over on another device.
    let other = pair.festival.holder(0).await;
    let ((_, from), (_, to)) = (pair.festival.user(0), pair.festival.user(1));
    other.ticketing.start_transfer(&other.session, &from, &to, &pair.counts(1)).await.unwrap();
    let found = pair.look_up(&write).await;
    assert_eq!((found.state, answer(&found)["candidates"].as_array().unwrap().len()), (UNKNOWN, 2));
    pair.wallets[0].forget_write(found.id).unwrap();
    // One that was made at another time is not this one.
    pair.festival.fault("POST", "/transfers", 1, Fault::Reset);
    let write = pair.send(2).await.unwrap();
    assert_eq!(write.state, UNKNOWN);
    pair.festival.clock.pass_s(3_600);
    other.ticketing.start_transfer(&other.session, &from, &to, &pair.counts(2)).await.unwrap();
    let found = pair.look_up(&write).await;
    assert_eq!((found.state, answer(&found)["candidates"].as_array().unwrap().len()), (UNKNOWN, 1));
}

#[tokio::test]
async fn what_never_arrived_is_rejected_once_it_cannot_arrive_any_more() {
    let pair = Pair::new().await;
    let from = pair.accounts[0].clone();
    let (transfer, order) = (pair.send(1).await.unwrap(), pair.order(2).await.unwrap());
    for (method, path) in
        [("POST", "/transfers"), ("DELETE", "/transfers/"), ("POST", "/orders"), ("DELETE", "/orders/")]
    {
        pair.festival.fault(method, path, 1, Fault::Reset);
        let write = match (method, path) {
            ("POST", "/transfers") => pair.send(1).await,
            ("POST", _) => pair.order(2).await,
            (_, "/orders/") => pair.wallets[0].cancel_order(from.clone(), number(&order)).await,
            _ => pair.wallets[0].take_transfer_back(from.clone(), uri(&transfer)).await,
        };
        let write = write.unwrap();
        assert_eq!(write.state, UNKNOWN, "{method} {path}");
        pair.festival.clock.pass_s(121);
        assert_eq!(pair.look_up(&write).await.state, REJECTED, "{method} {path}");
    }
    let to = pair.accounts[1].clone();
    pair.festival.fault("POST", "/claims", 1, Fault::Reset);
    let write = pair.wallets[1].claim_transfer(to, uri(&transfer)).await.unwrap();
    assert_eq!(write.state, UNKNOWN);
    pair.festival.clock.pass_s(121);
    assert_eq!(pair.wallets[1].look_up_write(write.id).await.unwrap().state, REJECTED);
    assert_eq!((pair.started(), pair.placed()), (1, 1));
}

#[tokio::test]
async fn orders_are_placed_listed_and_cancelled() {
    let pair = Pair::new().await;
    let (wallet, account) = (&pair.wallets[0], pair.accounts[0].clone());
    let write = pair.order(3).await.unwrap();
    assert_eq!((write.state, write.kind), (DONE, OfficeWriteKind::PlaceOrder));
    let listed = wallet.section_orders(account.clone(), 1).await.unwrap();
    assert_eq!((listed.orders.len(), listed.more), (1, false));
    let order = &listed.orders[0];
    assert_eq!((order.number.clone(), order.status.as_deref()), (number(&write), Some("Placed")));
    assert_eq!(order.placed_at, Some(pair.festival.now_s()));
    assert!(order.total.is_some() && order.body_json.contains("items"));
    let cancelled = wallet.cancel_order(account.clone(), number(&write)).await.unwrap();
    assert_eq!((cancelled.state, cancelled.kind), (DONE, OfficeWriteKind::CancelOrder));
    let again = wallet.cancel_order(account.clone(), number(&write)).await;
    assert!(matches!(again, Err(WalletError::Refused { status: 409, .. })), "{again:?}");
    let none = wallet.place_order(account, vec![]).await;
    assert!(matches!(none, Err(WalletError::InvalidInput { ref field, .. }) if field == "items"));
}

#[tokio::test]
async fn lost_answers_to_orders_are_read_back() {
    for fault in [Fault::LostReply, Fault::TruncatedJson, Fault::Gateway { status: 504, code: None }] {
        let pair = Pair::new().await;
        let account = pair.accounts[0].clone();
        let first = pair.order(2).await.unwrap();
        pair.festival.fault("POST", "/orders", 1, fault.clone());
        let write = pair.order(2).await.unwrap();
        assert_eq!((write.state, pair.placed()), (DONE, 2), "{fault:?}");
        assert_ne!(number(&write), number(&first));
        pair.festival.fault("DELETE", "/orders/", 1, Fault::LostReply);
        assert_eq!(pair.wallets[0].cancel_order(account, number(&write)).await.unwrap().state, DONE);
        // Two of the same that are new are not told apart.
        pair.festival.fault("POST", "/orders", 1, fault);
        pair.blind("/orders", 1);
        let lost = pair.order(2).await.unwrap();
        pair.festival.sandbox.clear_faults();
        let other = pair.festival.holder(0).await;
        other.ticketing.place_order(&other.session, None, &pair.counts(2)).await.unwrap();
        let found = pair.look_up(&lost).await;
        assert_eq!((found.state, answer(&found)["candidates"].as_array().unwrap().len()), (UNKNOWN, 2));
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_waits_for_nobody() {
    let pair = Pair::new().await;
    let ended = || pair.festival.count("DELETE /sessions/active");
    pair.wallets[0].sign_out(pair.accounts[0].clone(), false).await.unwrap();
    assert_eq!((ended(), pair.wallets[0].accounts().unwrap().len()), (1, 0));
    // A server that does not answer, or is not there, holds nobody back.
    pair.festival.fault("DELETE", "/sessions/active", 1, Fault::LatencyMs(3_600_000));
    let begun = Instant::now();
    pair.wallets[1].sign_out(pair.accounts[1].clone(), false).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(9) && pair.wallets[1].accounts().unwrap().is_empty());
    let id = pair.wallets[0].sign_in(pair.festival.sign_in(0)).await.unwrap().id;
    pair.festival.sandbox.stop().await;
    pair.wallets[0].sign_out(id, false).await.unwrap();
    assert!(pair.wallets[0].accounts().unwrap().is_empty());
}

#[tokio::test]
async fn other_systems_have_none_of_it() {
    let pair = Pair::new().await;
    let bam = pair.wallets[0].sign_in(phone::sign_in(&pair.festival.sandbox, 0)).await.unwrap().id;
    let refused = pair.wallets[0].section_orders(bam.clone(), 1).await.err();
    assert!(matches!(refused, Some(WalletError::InvalidInput { ref field, .. }) if field == "account_id"));
    let refused = pair.wallets[0].place_order(bam.clone(), pair.counts(1)).await.err();
    assert!(matches!(refused, Some(WalletError::InvalidInput { ref field, .. }) if field == "account_id"));
    assert_eq!(json!(pair.wallets[0].writes(bam, 5).unwrap().len()), json!(0));
}
