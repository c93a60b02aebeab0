//! Promise: a Unidy ticket goes to somebody else and comes back, and each reason for which it does not is told by its
//! documented name.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/club.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod club;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use club::{Club, Holder, refusal};
use serde_json::{Map, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{TransferState, UnidyApi, UnidyConfig};
use ticket_wallet::remote::unidy::{UnidyTicketQuery, UnidyTransfer};
use ticket_wallet_sandbox::{ErrorForm, Fault};

const FORMS: [ErrorForm; 4] = [ErrorForm::ByKind, ErrorForm::Identifier, ErrorForm::Details, ErrorForm::Both];

/// A ticket that can be handed on.
async fn active_ticket(holder: &Holder) -> String {
    let query = UnidyTicketQuery { state: Some("active".to_owned()), ..UnidyTicketQuery::default() };
    holder.unidy.tickets(&holder.session, &query).await.unwrap().tickets[0].id.clone()
}

struct Two {
    club: Club,
    from: Holder,
    to: Holder,
    ticket: String,
}

impl Two {
    async fn new() -> Self {
        let club = Club::new().await;
        let (from, to) = (club.holder(0).await, club.holder(1).await);
        let ticket = active_ticket(&from).await;
        Self { club, from, to, ticket }
    }

    async fn offer(&self) -> Result<UnidyTransfer, Error> {
        let email = self.club.email(1);
        self.from.unidy.create_transfer(&self.from.session, &self.ticket, &email).await
    }

    async fn has_ticket(&self, holder: &Holder) -> bool {
        holder.unidy.ticket(&holder.session, &self.ticket).await.is_ok()
    }
}

#[tokio::test]
async fn a_transfer_is_offered_listed_and_accepted() {
    let two = Two::new().await;
    let offer = two.offer().await.unwrap();
    assert_eq!(
        (&offer.status, offer.ticket.as_ref().unwrap().id.as_str()),
        (&TransferState::Pending, two.ticket.as_str())
    );
    assert_eq!(offer.recipient_email, Some(two.club.email(1)));
    assert_eq!(offer.sender_email, Some(two.club.email(0)));
    assert_eq!(offer.created_at, Some(two.club.now_s()));
    assert_eq!(offer.expires_at, Some(two.club.now_s() + 14 * 86_400));
    assert_eq!(format!("{offer:?}"), "UnidyTransfer(..)");

    let sent = two.from.unidy.transfers(&two.from.session).await.unwrap();
    assert!((&sent.incoming[..], &sent.outgoing[..]) == (&[][..], &[offer.clone()][..]));
    let got = two.to.unidy.transfers(&two.to.session).await.unwrap();
    assert!((&got.incoming[..], &got.outgoing[..]) == (&[offer.clone()][..], &[][..]));
    assert!(two.has_ticket(&two.from).await && !two.has_ticket(&two.to).await);

    let accepted = two.to.unidy.accept_transfer(&two.to.session, &offer.token).await.unwrap();
    assert_eq!(accepted.status, TransferState::Accepted);
    assert!(!two.has_ticket(&two.from).await && two.has_ticket(&two.to).await);
    let left = two.from.unidy.transfers(&two.from.session).await.unwrap();
    assert!(left.incoming.is_empty() && left.outgoing.is_empty());
}

#[tokio::test]
async fn a_transfer_is_declined_or_taken_back() {
    let two = Two::new().await;
    let offer = two.offer().await.unwrap();
    let declined = two.to.unidy.decline_transfer(&two.to.session, &offer.token).await.unwrap();
    assert_eq!(declined.status, TransferState::Declined);
    let offer = two.offer().await.unwrap();
    let cancelled = two.from.unidy.cancel_transfer(&two.from.session, &offer.token).await.unwrap();
    // The server writes `canceled`.
    assert_eq!(cancelled.status, TransferState::Cancelled);
    assert!(two.has_ticket(&two.from).await);
}

#[tokio::test]
async fn every_refusal_keeps_its_name_however_it_is_written() {
    for form in FORMS {
        let two = Two::new().await;
        let (club, from, to) = (&two.club, &two.from, &two.to);
        let with = |change: fn(&mut ticket_wallet_sandbox::UnidyChoices)| club.choose(change);
        club.choose(|choices| choices.errors = form);
        let code = |outcome: Result<UnidyTransfer, Error>| refusal(outcome).1;
        let recipient = club.email(1);
        let create = |ticket: String, to: String| async move {
            from.unidy.create_transfer(&from.session, &ticket, &to).await
        };

        with(|choices| choices.transfers = false);
        assert_eq!(code(two.offer().await), "feature_disabled");
        assert_eq!(refusal(from.unidy.transfers(&from.session).await).1, "feature_disabled");
        with(|choices| choices.transfers = true);
        with(|choices| choices.mail = false);
        assert_eq!(code(two.offer().await), "offer_email_failed");
        let stranger = "nobody@example.org".to_owned();
        assert_eq!(code(create(two.ticket.clone(), stranger.clone()).await), "recipient_invite_failed");
        with(|choices| choices.mail = true);
        assert_eq!(code(create(two.ticket.clone(), club.email(0)).await), "recipient_is_owner");
        let theirs = active_ticket(to).await;
        assert_eq!(code(create(theirs, recipient.clone()).await), "not_ticket_owner");
        let over = Map::from_iter([("state".to_owned(), json!("inactive"))]);
        club.sandbox.edit_unidy_ticket(&club.brand.name, &two.ticket, &over).unwrap();
        assert_eq!(code(two.offer().await), "ticket_not_active");
        let active = Map::from_iter([("state".to_owned(), json!("active"))]);
        club.sandbox.edit_unidy_ticket(&club.brand.name, &two.ticket, &active).unwrap();

        let offer = two.offer().await.unwrap();
        assert_eq!(refusal(two.offer().await), (422, "transfer_already_pending".to_owned()));
        let third = from.unidy.accept_transfer(&from.session, &offer.token).await;
        assert_eq!(code(third), "recipient_mismatch");
        assert_eq!(code(to.unidy.cancel_transfer(&to.session, &offer.token).await), "not_transfer_sender");
        to.unidy.accept_transfer(&to.session, &offer.token).await.unwrap();
        let again = to.unidy.accept_transfer(&to.session, &offer.token).await;
        assert_eq!(code(again), "transfer_not_pending");
        assert_eq!(code(two.offer().await), "ticket_already_transferred");
        let unknown = to.unidy.decline_transfer(&to.session, "no/such").await;
        assert_eq!(refusal(unknown), (404, "not_found".to_owned()));

        let back = to.unidy.create_transfer(&to.session, &two.ticket, &club.email(0)).await.unwrap();
        club.clock.pass_s(15 * 86_400);
        // The tickets' own time may be over by then.
        let late = from.unidy.accept_transfer(&from.session, &back.token).await;
        assert_eq!(refusal(late), (410, "transfer_expired".to_owned()), "{form:?}");
        assert!(to.unidy.transfers(&to.session).await.unwrap().outgoing.is_empty());
        let bad = create(two.ticket.clone(), "no address".to_owned()).await;
        assert_eq!(refusal(bad).0, 422);
    }
}

#[tokio::test]
async fn a_lost_answer_is_read_back_from_the_list() {
    let two = Two::new().await;
    two.club.fault("/transfer", 1, Fault::LostReply);
    let lost = two.offer().await.err().unwrap();
    assert!(lost.is_uncertain());
    let sent = two.from.unidy.transfers(&two.from.session).await.unwrap();
    let pending = sent
        .outgoing
        .iter()
        .find(|offer| offer.ticket.as_ref().is_some_and(|ticket| ticket.id == two.ticket));
    assert!(pending.is_some());
    assert_eq!(refusal(two.offer().await).1, "transfer_already_pending");
}

#[tokio::test]
async fn the_partner_api_has_no_transfers_and_is_not_asked() {
    let two = Two::new().await;
    let partner = two.club.unidy(UnidyConfig { api: UnidyApi::Partner, ..two.club.sdk_config() });
    let before = two.club.sandbox.requests().len();
    let session = &two.from.session;
    let refusals = [
        partner.transfers(session).await.err(),
        partner.create_transfer(session, "1", "a@example.org").await.err(),
        partner.accept_transfer(session, "1").await.err(),
        partner.decline_transfer(session, "1").await.err(),
        partner.cancel_transfer(session, "1").await.err(),
    ];
    assert!(refusals.iter().all(|error| matches!(error, Some(Error::Input { field: "api", .. }))));
    assert_eq!(two.club.sandbox.requests().len(), before);
}
