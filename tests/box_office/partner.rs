//! A partner's tickets at Unidy.

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::{OfficeWriteState, UnidyOrder, UnidyTicketQuery, UnidyUpdate};
use ticket_wallet::{BoxOffice, WalletError};
use ticket_wallet_sandbox::{
    CreatedForm, Fault, FaultRule, ListForm, Sandbox, SandboxConfig, UnidyChoices, UpdateVerb,
};

use crate::brands::server_of;
use crate::desk::{ids, open};
use crate::phone::{TestClock, sandbox};

struct Partner {
    clock: TestClock,
    sandbox: Sandbox,
    office: BoxOffice,
    account: String,
    _folder: TempDir,
}

async fn partner(unidy: UnidyChoices) -> Partner {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), &clock);
    let account = office.sign_in(server_of(&sandbox, "nord", "partner")).await.unwrap().id;
    Partner { clock, sandbox, office, account, _folder: folder }
}

impl Partner {
    /// The fields of a new ticket like one that is there.
    async fn fields(&self) -> Value {
        let page = self.office.partner_tickets(self.account.clone(), 1).await.unwrap();
        let like: Value = serde_json::from_str(&page.tickets[0].body_json).unwrap();
        json!({
            "title": "Sommerfest", "reference": "S-1", "state": "active", "price": "12.50", "currency": "EUR",
            "starts_at": "2026-12-01T18:00:00.000+01:00", "ends_at": null, "metadata": {"barcode": "4711", "n": 1.10},
            "user_id": like["user_id"], "ticket_category_id": like["ticket_category_id"],
        })
    }

    fn lose(&self, method: &str) {
        self.sandbox.fault(FaultRule {
            method: Some(method.to_owned()),
            path_contains: "/tickets".to_owned(),
            skip: 0,
            times: 1,
            fault: Fault::LostReply,
        });
    }

    fn applied(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind.contains(kind)).count()
    }
}

#[tokio::test]
async fn tickets_are_made_changed_and_deleted_in_every_form_of_reply() {
    for (partner_list, created) in [
        (ListForm::Results, CreatedForm::Body),
        (ListForm::Named, CreatedForm::Location),
        (ListForm::Bare, CreatedForm::Body),
    ] {
        let partner = partner(UnidyChoices { partner_list, created, ..UnidyChoices::default() }).await;
        let (office, account) = (&partner.office, partner.account.clone());
        let fields = partner.fields().await;
        let made = office.create_ticket(account.clone(), fields.to_string()).await.unwrap();
        let id = ids(&made).swap_remove(0);
        let held = office.partner_ticket(account.clone(), id.clone()).await.unwrap();
        let held: Value = serde_json::from_str(&held.body_json).unwrap();
        assert_eq!((&held["title"], &held["metadata"]), (&fields["title"], &fields["metadata"]));
        let changed = office
            .update_ticket(account.clone(), id.clone(), json!({"state": "passive"}).to_string())
            .await
            .unwrap();
        assert_eq!(changed.state, OfficeWriteState::Done);
        office.delete_ticket(account.clone(), id.clone()).await.unwrap();
        let gone = office.partner_ticket(account.clone(), id).await.unwrap_err();
        assert!(matches!(gone, WalletError::Refused { status: 404, .. }), "{gone:?}");
        assert!(!office.categories(account).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_session_of_a_server_is_renewed_by_its_secret() {
    let partner = partner(UnidyChoices::default()).await;
    partner.sandbox.revoke_tokens().unwrap();
    partner.clock.pass_s(3 * 3_600);
    assert!(!partner.office.partner_tickets(partner.account.clone(), 1).await.unwrap().tickets.is_empty());
}

#[tokio::test]
async fn lost_answers_end_in_done_or_unknown() {
    let partner = partner(UnidyChoices::default()).await;
    let (office, account) = (&partner.office, partner.account.clone());
    let fields = partner.fields().await.to_string();
    let id = ids(&office.create_ticket(account.clone(), fields.clone()).await.unwrap()).swap_remove(0);
    partner.lose("PATCH");
    let changed = json!({"state": "inactive"}).to_string();
    let write = office.update_ticket(account.clone(), id.clone(), changed).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Done);
    partner.lose("DELETE");
    assert_eq!(office.delete_ticket(account.clone(), id).await.unwrap().state, OfficeWriteState::Done);
    partner.lose("POST");
    let write = office.create_ticket(account.clone(), fields).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown, "no server's number is unique");
    let kinds = ["create", "update", "delete"].map(|kind| partner.applied(kind));
    assert_eq!(kinds, [2, 1, 1]);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_here() {
    let partner = partner(UnidyChoices::default()).await;
    for bad in ["", "[]", "7", "{"] {
        let refused =
            partner.office.create_ticket(partner.account.clone(), bad.to_owned()).await.unwrap_err();
        assert!(matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "fields_json"));
    }
}

#[tokio::test]
async fn what_is_held_in_another_form_is_no_refusal() {
    let partner = partner(UnidyChoices::default()).await;
    let (office, account) = (&partner.office, partner.account.clone());
    let fields = partner.fields().await.to_string();
    let id = ids(&office.create_ticket(account.clone(), fields).await.unwrap()).swap_remove(0);
    for (asked, state) in [
        (r#"{"price": 1.10}"#, OfficeWriteState::Done),
        (r#"{"metadata": {"n": 12345678901234567890.1230, "e": 1e2}}"#, OfficeWriteState::Done),
        (r#"{"state": "passive", "metadata": {"b": [1.10], "a": null}}"#, OfficeWriteState::Done),
        // The server writes it as a number, in its own zone, and leaves out what it does not know.
        (r#"{"price": "1.10"}"#, OfficeWriteState::Unknown),
        (r#"{"starts_at": "2026-12-01T17:00:00Z"}"#, OfficeWriteState::Unknown),
        (r#"{"state": "active", "nickname": "x"}"#, OfficeWriteState::Unknown),
    ] {
        partner.lose("PATCH");
        let write = office.update_ticket(account.clone(), id.clone(), asked.to_owned()).await.unwrap();
        assert_eq!(write.state, state, "{asked}");
        partner.clock.pass_s(121);
        assert_eq!(office.look_up_write(write.id).await.unwrap().state, state, "{asked}");
    }
    // One that never arrived left everything as it was, as one does whose fields are not taken.
    partner.sandbox.fault(FaultRule {
        method: Some("PATCH".to_owned()),
        path_contains: "/tickets".to_owned(),
        skip: 0,
        times: 1,
        fault: Fault::Reset,
    });
    let write = office.update_ticket(account, id, r#"{"state": "inactive"}"#.to_owned()).await.unwrap();
    partner.clock.pass_s(121);
    assert_eq!(office.look_up_write(write.id).await.unwrap().state, OfficeWriteState::Unknown);
    assert_eq!(partner.applied("update"), 6);
}

#[tokio::test]
async fn numbers_arrive_digit_for_digit() {
    let partner = partner(UnidyChoices::default()).await;
    let (office, account) = (&partner.office, partner.account.clone());
    let metadata = r#"{"n": 12345678901234567890.123, "m": [1.10, -0.0, 1e2]}"#;
    let fields = partner.fields().await.to_string();
    let fields = fields.replace(r#"{"barcode":"4711","n":1.1}"#, metadata);
    assert!(fields.contains(metadata), "{fields}");
    let made = office.create_ticket(account.clone(), fields).await.unwrap();
    assert!(made.request_json.contains(metadata), "{}", made.request_json);
    let id = ids(&made).swap_remove(0);
    let held = office.partner_ticket(account.clone(), id.clone()).await.unwrap();
    assert!(held.body_json.contains(metadata), "{}", held.body_json);
    assert_eq!(held.unidy.unwrap().metadata_json.as_deref(), Some(metadata));
    let changed = r#"{"metadata":{"k":0.1000000000000000000001}}"#;
    let write = office.update_ticket(account.clone(), id.clone(), changed.to_owned()).await.unwrap();
    assert!(write.request_json.contains("0.1000000000000000000001"), "{}", write.request_json);
    let kept = office.writes(account.clone(), 1).unwrap().swap_remove(0);
    assert_eq!(kept.request_json, write.request_json);
    let held = office.partner_ticket(account, id).await.unwrap();
    assert!(held.body_json.contains("0.1000000000000000000001"), "{}", held.body_json);
}

#[tokio::test]
async fn pages_go_on_to_the_end_whatever_tells_it() {
    for (partner_list, count_only) in [
        (ListForm::Results, false),
        (ListForm::Results, true),
        (ListForm::Named, false),
        (ListForm::Bare, false),
    ] {
        // A server's own pages are shorter than what is asked for.
        let choices = UnidyChoices { partner_list, count_only, default_limit: 10, ..UnidyChoices::default() };
        let partner = partner(choices).await;
        let mut found = Vec::new();
        for number in 1..100 {
            let page = partner.office.partner_tickets(partner.account.clone(), number).await.unwrap();
            assert!(!page.more || page.tickets.len() == 25, "{partner_list:?} {count_only}");
            found.extend(page.tickets.into_iter().map(|ticket| ticket.remote_id));
            if !page.more {
                break;
            }
        }
        let all = UnidyTicketQuery { limit: Some(250), ..UnidyTicketQuery::default() };
        let all = partner.office.find_partner_tickets(partner.account.clone(), all).await.unwrap();
        assert!(!all.more && all.tickets.len() > 50);
        let all: Vec<_> = all.tickets.into_iter().map(|ticket| ticket.remote_id).collect();
        assert_eq!(found, all, "{partner_list:?} {count_only}");
    }
}

#[tokio::test]
async fn a_list_is_filtered_and_ordered_as_it_is_asked_for() {
    let partner = partner(UnidyChoices::default()).await;
    let find = async |query: UnidyTicketQuery| {
        let query = UnidyTicketQuery { limit: Some(250), ..query };
        let page = partner.office.find_partner_tickets(partner.account.clone(), query).await.unwrap();
        page.tickets.into_iter().map(|ticket| ticket.unidy.unwrap()).collect::<Vec<_>>()
    };
    let none = UnidyTicketQuery::default;
    let all = find(none()).await;
    let one = all.iter().find(|one| one.payment_state.is_some()).unwrap();
    let state = find(UnidyTicketQuery { state: Some("passive".to_owned()), ..none() }).await;
    assert!(state.iter().all(|one| one.state.as_deref() == Some("passive")) && state.len() < all.len());
    let paid = find(UnidyTicketQuery { payment_state: one.payment_state.clone(), ..none() }).await;
    assert!(paid.iter().all(|it| it.payment_state == one.payment_state) && !paid.is_empty());
    let category = one.ticket_category_id.clone();
    let of_category = find(UnidyTicketQuery { ticket_category_id: category.clone(), ..none() }).await;
    assert!(of_category.iter().all(|it| it.ticket_category_id == category) && !of_category.is_empty());
    let user = find(UnidyTicketQuery { user_id: one.user_id.clone(), ..none() }).await;
    assert!(user.iter().all(|it| it.user_id == one.user_id) && user.len() < all.len());
    let service = find(UnidyTicketQuery { service_id: Some(4_711), ..none() }).await;
    assert!(service.is_empty());
    for descending in [true, false] {
        let order_by = Some(UnidyOrder::StartsAt);
        let found = find(UnidyTicketQuery { order_by, descending: Some(descending), ..none() }).await;
        let starts: Vec<_> = found.iter().map(|one| one.starts_at.unwrap()).collect();
        let mut sorted = starts.clone();
        sorted.sort_unstable_by(|a, b| if descending { b.cmp(a) } else { a.cmp(b) });
        assert_eq!((starts, found.len()), (sorted, all.len()));
    }
    let page = UnidyTicketQuery { page: Some(2), limit: Some(3), ..none() };
    let page = partner.office.find_partner_tickets(partner.account.clone(), page).await.unwrap();
    assert!(page.more && page.tickets.len() == 3);
    assert_eq!(page.tickets[0].unidy.as_ref().unwrap().reference, all[3].reference);
}

#[tokio::test]
async fn a_ticket_is_changed_with_the_configured_verb() {
    for (takes, sent, done) in [
        (UpdateVerb::Patch, None, true),
        (UpdateVerb::Patch, Some(UnidyUpdate::Put), false),
        (UpdateVerb::Put, Some(UnidyUpdate::Put), true),
        (UpdateVerb::Put, Some(UnidyUpdate::Patch), false),
        (UpdateVerb::Any, Some(UnidyUpdate::Put), true),
    ] {
        let partner = partner(UnidyChoices { update: takes, ..UnidyChoices::default() }).await;
        let mut sign_in = server_of(&partner.sandbox, "nord", "partner");
        sign_in.config.unidy.as_mut().unwrap().update = sent;
        let account = partner.office.sign_in(sign_in).await.unwrap().id;
        let page = partner.office.partner_tickets(account.clone(), 1).await.unwrap();
        let (id, before) = (page.tickets[0].remote_id.clone(), page.tickets[0].unidy.clone().unwrap());
        let fields = r#"{"venue": "Arena"}"#.to_owned();
        let write = partner.office.update_ticket(account.clone(), id.clone(), fields).await;
        let held = partner.office.partner_ticket(account, id).await.unwrap().unidy.unwrap();
        if done {
            assert_eq!(write.unwrap().state, OfficeWriteState::Done);
            assert_eq!((held.venue.as_deref(), &held.title), (Some("Arena"), &before.title));
        } else {
            assert!(matches!(write, Err(WalletError::Refused { status: 405, .. })), "{takes:?}");
            assert_eq!(held.venue, before.venue);
        }
    }
}
