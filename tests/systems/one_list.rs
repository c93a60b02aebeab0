//! The list over all accounts.

use std::collections::BTreeSet;

use serde_json::Value;
use ticket_wallet::WalletError;
use ticket_wallet::model::{Capability, Money, TicketFilter, TicketSystem};
use ticket_wallet::resale::NotOfferedReason;

use crate::phone::TestClock;
use crate::together::{count, everywhere};

#[tokio::test]
async fn one_list_has_them_all_offline_and_groups_them_by_event() {
    let clock = TestClock::new();
    let (phone, [near, far], accounts) = everywhere(&clock).await;
    phone.wallet.sync(None).await.unwrap();
    near.stop().await;
    far.stop().await;
    let phone = phone.restart();
    let tickets = phone.tickets();
    let of: BTreeSet<_> = tickets.iter().map(|ticket| ticket.account_id.clone()).collect();
    assert_eq!(of, accounts.iter().cloned().collect());
    let starts: Vec<_> = tickets.iter().map(|ticket| ticket.starts_at.unwrap_or(i64::MAX)).collect();
    assert!(starts.is_sorted(), "soonest first, whatever the system");

    let all = TicketFilter { limit: 10_000, ..TicketFilter::default() };
    let groups = phone.wallet.tickets_by_event(all).unwrap();
    let grouped: Vec<_> = groups.iter().flat_map(|group| &group.tickets).map(|ticket| &ticket.id).collect();
    assert_eq!(grouped.iter().collect::<BTreeSet<_>>().len(), tickets.len());
    assert_eq!(grouped.len(), tickets.len(), "each ticket stands in one group");
    for group in &groups {
        let hashes: BTreeSet<_> = group.tickets.iter().map(|ticket| ticket.event_hash.clone()).collect();
        assert_eq!(hashes.len(), 1);
        assert_eq!(group.event.as_ref().map(|event| event.hash.clone()), group.tickets[0].event_hash);
        assert_eq!(group.title, group.tickets[0].title);
        assert!(group.event.is_some() || group.tickets.len() == 1);
    }
    assert!(groups.iter().any(|group| group.tickets.len() > 1));
    let events: Vec<_> =
        groups.iter().filter_map(|group| group.event.as_ref()).map(|event| &event.hash).collect();
    assert_eq!(events.iter().collect::<BTreeSet<_>>().len(), events.len(), "no event stands twice");
}

#[tokio::test]
async fn a_detail_holds_the_systems_own_record() {
    let clock = TestClock::new();
    let (phone, _servers, _accounts) = everywhere(&clock).await;
    phone.wallet.sync(None).await.unwrap();
    for ticket in phone.tickets() {
        let detail = phone.wallet.ticket(ticket.id.clone()).unwrap();
        let record: Value = serde_json::from_str(&detail.body_json).unwrap();
        let id = ["id", "serial", "ticketId"].iter().find_map(|name| match &record[name] {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        let id = id.unwrap();
        assert_eq!(id, detail.remote_id);
        assert_eq!(detail.summary, ticket);
    }
}

#[tokio::test]
async fn what_an_account_can_do_is_declared() {
    let clock = TestClock::new();
    let (phone, _servers, accounts) = everywhere(&clock).await;
    let can = |index: usize| phone.wallet.capabilities(accounts[index].clone()).unwrap();
    assert!(can(0).contains(&Capability::Orders) && !can(0).contains(&Capability::SignedBarcodes));
    assert!((0..accounts.len()).all(|index| !can(index).contains(&Capability::IssueTickets)), "holders");
    assert!(!can(2).contains(&Capability::IncomingTransfers) && !can(2).contains(&Capability::HolderAnswers));
    phone.wallet.sync(None).await.unwrap();
    assert!(can(2).contains(&Capability::IncomingTransfers));
    assert!(can(0).contains(&Capability::SignedBarcodes) && can(0).contains(&Capability::Transfers));
    assert!(!can(2).contains(&Capability::SignedBarcodes));

    // What a system does not have is refused with its name.
    let error = phone.wallet.orders(accounts[2].clone(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "account_id: only B.A.M has this");
    assert!(phone.wallet.incoming_transfers(accounts[0].clone()).await.unwrap().is_empty());
    let error = phone.wallet.accept_transfer(accounts[0].clone(), "t".to_owned()).await.unwrap_err();
    let at_once = WalletError::NotOffered {
        why: NotOfferedReason::AtOnce,
        reason: NotOfferedReason::AtOnce.to_string(),
    };
    assert_eq!(error, at_once);
    let plain = phone.tickets().into_iter().find(|ticket| ticket.account_id == accounts[2]).unwrap().id;
    let price: Money = "64.50 EUR".parse().unwrap();
    let refusals = [
        phone.wallet.resale_rules(plain.clone()).await.map(drop),
        phone.wallet.preview_price(plain.clone(), price.clone()).await.map(drop),
        phone.wallet.list_for_sale(plain, price, None).map(drop),
    ];
    let none = Err(WalletError::NotOffered {
        why: NotOfferedReason::NoResale,
        reason: NotOfferedReason::NoResale.to_string(),
    });
    assert!(refusals.iter().all(|refused| *refused == none), "{refusals:?}");
}

#[tokio::test]
async fn signing_one_account_out_leaves_the_others() {
    let clock = TestClock::new();
    let (phone, _servers, accounts) = everywhere(&clock).await;
    phone.wallet.sync(None).await.unwrap();
    let counts: Vec<_> = accounts.iter().map(|account| count(&phone, account)).collect();
    phone.wallet.sign_out(accounts[2].clone(), false).await.unwrap();
    let left: Vec<_> = accounts.iter().map(|account| count(&phone, account)).collect();
    assert_eq!(left, [&counts[..2], &[0], &counts[3..]].concat());
    let systems: Vec<_> =
        phone.wallet.accounts().unwrap().into_iter().map(|account| account.system).collect();
    assert_eq!(systems.iter().filter(|system| **system == TicketSystem::Unidy).count(), 1);
}
