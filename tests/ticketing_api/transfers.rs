//! Handing tickets to somebody, by section and quantity.

use ticket_wallet::model::SectionCount;
use ticket_wallet::remote::ticketing::{PageQuery, TicketingTransfer, TransferRole, UNKNOWN_RESOURCE};
use ticket_wallet_sandbox::Fault;

use crate::festival::{Festival, Staff, refusal};

async fn listed(staff: &Staff, role: TransferRole, status: Option<&str>) -> Vec<TicketingTransfer> {
    let mut all = Vec::new();
    for page in 1.. {
        let page = PageQuery { page: Some(page), records: Some(2) };
        let found = staff.ticketing.transfers(&staff.session, role, status, page).await.unwrap();
        let more = found.more();
        all.extend(found.entries);
        if !more {
            break;
        }
    }
    all
}

fn two_of(festival: &Festival) -> Vec<SectionCount> {
    vec![SectionCount { section: festival.sections(0)[0].clone(), quantity: 2 }]
}

async fn owned(staff: &Staff) -> u64 {
    staff.ticketing.account_tickets(&staff.session, &Default::default()).await.unwrap().total.unwrap()
}

#[tokio::test]
async fn tickets_are_handed_over_and_claimed() {
    let festival = Festival::new().await;
    let (sender, recipient) = (festival.holder(0).await, festival.holder(1).await);
    let ((_, from), (name, to)) = (festival.user(0), festival.user(1));
    let found = sender.ticketing.look_up_account(&sender.session, &name, None).await.unwrap();
    assert_eq!(found.uri, to);
    let nobody = sender.ticketing.look_up_account(&sender.session, "nobody", Some("Customer")).await;
    assert_eq!(refusal(nobody), (404, UNKNOWN_RESOURCE.to_owned()));
    let tickets = two_of(&festival);
    let made = sender.ticketing.start_transfer(&sender.session, &from, &found.uri, &tickets).await.unwrap();
    assert_eq!((made.status.as_deref(), &made.tickets), (Some("Pending"), &tickets));
    assert_eq!((made.sender.as_ref(), made.recipient.as_ref()), (Some(&from), Some(&to)));
    let again = sender.ticketing.transfer(&sender.session, &made.uri).await.unwrap();
    assert!(again == made && made.record().contains("initiated"));
    assert!(listed(&recipient, TransferRole::Recipient, None).await == [made.clone()]);
    assert!(listed(&recipient, TransferRole::Sender, None).await.is_empty());

    assert_eq!(refusal(sender.ticketing.claim_transfer(&sender.session, &made).await).0, 403);
    assert_eq!(recipient.ticketing.claim_transfer(&recipient.session, &made).await, Ok(true));
    assert_eq!((owned(&sender).await, owned(&recipient).await), (22, 26));
    assert_eq!(refusal(recipient.ticketing.claim_transfer(&recipient.session, &made).await).0, 409);
    assert_eq!(refusal(sender.ticketing.cancel_transfer(&sender.session, &made.uri).await).0, 409);
    assert!(listed(&sender, TransferRole::Sender, Some("Pending")).await.is_empty());
    let claimed = listed(&sender, TransferRole::Sender, Some("Claimed")).await;
    assert_eq!((claimed.len(), claimed[0].status.as_deref()), (1, Some("Claimed")));
}

#[tokio::test]
async fn a_transfer_is_taken_back_and_too_few_tickets_are_refused() {
    let festival = Festival::new().await;
    let sender = festival.holder(0).await;
    let (from, to) = (festival.user(0).1, festival.user(1).1);
    let start = async |from: &str, to: &str, tickets: &[SectionCount]| {
        sender.ticketing.start_transfer(&sender.session, from, to, tickets).await
    };
    let tickets = two_of(&festival);
    for _ in 0..2 {
        let made = start(&from, &to, &tickets).await.unwrap();
        sender.ticketing.cancel_transfer(&sender.session, &made.uri).await.unwrap();
    }
    assert_eq!(listed(&sender, TransferRole::Sender, Some("Cancelled")).await.len(), 2);
    let many = [SectionCount { quantity: 50, ..tickets[0].clone() }];
    assert_eq!(refusal(start(&from, &to, &many).await).0, 400);
    assert_eq!(refusal(start(&from, &from, &tickets).await).0, 409);
    assert_eq!(refusal(start(&to, &from, &tickets).await).0, 403);
    let unknown = sender.ticketing.transfer(&sender.session, "/transfers/17096551195817").await;
    assert_eq!(refusal(unknown), (404, UNKNOWN_RESOURCE.to_owned()));
}

/// A lost answer at each write leaves what can be read, and is repeated by nobody.
#[tokio::test]
async fn a_lost_answer_is_read_back() {
    let festival = Festival::new().await;
    let (sender, recipient) = (festival.holder(0).await, festival.holder(1).await);
    let (from, to) = (festival.user(0).1, festival.user(1).1);
    let tickets = two_of(&festival);
    let pending = async || sender.ticketing.sent_like(&sender.session, &to, &tickets).await.unwrap().unwrap();
    assert!(pending().await.is_empty());
    festival.fault("POST", "/transfers", 1, Fault::Reset);
    let lost = sender.ticketing.start_transfer(&sender.session, &from, &to, &tickets).await.err().unwrap();
    assert!(lost.is_uncertain() && pending().await.is_empty());
    festival.fault("POST", "/transfers", 1, Fault::LostReply);
    let lost = sender.ticketing.start_transfer(&sender.session, &from, &to, &tickets).await.err().unwrap();
    assert!(lost.is_uncertain());
    let found = pending().await;
    assert_eq!((found.len(), festival.applied("ticketing.transfer.start")), (1, 1));
    let one = [SectionCount { quantity: 1, ..tickets[0].clone() }];
    assert!(sender.ticketing.sent_like(&sender.session, &to, &one).await.unwrap().unwrap().is_empty());

    festival.fault("POST", "/claims", 1, Fault::LostReply);
    let lost = recipient.ticketing.claim_transfer(&recipient.session, &found[0]).await.err().unwrap();
    assert!(lost.is_uncertain());
    let now = recipient.ticketing.transfer(&recipient.session, &found[0].uri).await.unwrap();
    assert_eq!((now.status.as_deref(), festival.applied("ticketing.transfer.claimed")), (Some("Claimed"), 1));

    let made = sender.ticketing.start_transfer(&sender.session, &from, &to, &one).await.unwrap();
    festival.fault("DELETE", "/transfers/", 1, Fault::LostReply);
    let lost = sender.ticketing.cancel_transfer(&sender.session, &made.uri).await.err().unwrap();
    assert!(lost.is_uncertain());
    let now = sender.ticketing.transfer(&sender.session, &made.uri).await.unwrap();
    assert_eq!(
        (now.status.as_deref(), festival.applied("ticketing.transfer.cancelled")),
        (Some("Cancelled"), 1)
    );
}
