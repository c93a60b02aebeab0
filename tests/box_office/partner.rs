//! A partner's tickets at Unidy.

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::OfficeWriteState;
use ticket_wallet::{BoxOffice, WalletError};
use ticket_wallet_sandbox::{CreatedForm, Fault, FaultRule, ListForm, Sandbox, SandboxConfig, UnidyChoices};

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
