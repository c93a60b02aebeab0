//! Promise: what a network's manager does to TEXPO's catalogue is kept before it leaves, and a lost answer ends in done,
//! rejected or unknown, never in a silent double.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::sync::Arc;

use expo::{Expo, all_fields, usd};
use phone::{TestClock, vault_in};
use tempfile::TempDir;
use ticket_wallet::model::{
    Capability, OfficeWrite, OfficeWriteKind, OfficeWriteState, ProductFields, SignIn, TexpoConfig,
};
use ticket_wallet::{BoxOffice, Config, Wallet, WalletError};
use ticket_wallet_sandbox::{DuplicateForm, EmptyForm, Fault, FaultRule, TexpoChoices};

struct Manager {
    expo: Expo,
    office: BoxOffice,
    account: String,
    folder: TempDir,
}

fn open(folder: &TempDir, clock: &TestClock) -> BoxOffice {
    let (path, clock) = (folder.path(), clock.clone());
    let config = Config::in_folder(path.to_str().unwrap());
    let office = BoxOffice::open(config, vault_in(path), Some(Arc::new(clock.clone())), None).unwrap();
    office.set_retry_policy(clock.policy());
    office
}

impl Manager {
    async fn new() -> Self {
        let expo = Expo::new().await;
        let sign_in = expo.manager_sign_in();
        Self::signed_in(expo, sign_in).await
    }

    async fn signed_in(expo: Expo, sign_in: SignIn) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let office = open(&folder, &expo.clock);
        let account = office.sign_in(sign_in).await.unwrap().id;
        Self { expo, office, account, folder }
    }

    fn restart(self) -> Self {
        let Self { expo, office, account, folder } = self;
        drop(office);
        let office = open(&folder, &expo.clock);
        Self { expo, office, account, folder }
    }

    async fn create(&self, fields: ProductFields) -> Result<OfficeWrite, WalletError> {
        self.office.create_product(self.account.clone(), "new-1".to_owned(), fields).await
    }

    async fn update(&self, fields: ProductFields) -> Result<OfficeWrite, WalletError> {
        self.office.update_product(self.account.clone(), "new-1".to_owned(), fields).await
    }

    async fn delete(&self) -> Result<OfficeWrite, WalletError> {
        self.office.delete_product(self.account.clone(), "new-1".to_owned()).await
    }

    /// The list is lost as well, for so many times from the one after the next on.
    fn lose(&self, method: &str, lists: u32) {
        self.expo.fault(method, 1, Fault::LostReply);
        if lists > 0 {
            let path_contains = "getPurchasableTickets".to_owned();
            let fault = Fault::ServerError;
            self.expo.sandbox.fault(FaultRule { method: None, path_contains, skip: 1, times: lists, fault });
        }
    }

    fn kept(&self) -> Vec<OfficeWrite> {
        self.office.writes(self.account.clone(), 10).unwrap()
    }

    /// How often each kind of write was applied.
    fn applied(&self) -> [usize; 3] {
        ["create", "update", "delete"].map(|kind| self.expo.applied(&format!("catalogue.{kind}")))
    }
}

fn cheaper() -> ProductFields {
    ProductFields { price: Some(usd(100)), ..ProductFields::default() }
}

#[tokio::test]
async fn entries_are_listed_made_changed_and_deleted() {
    let manager = Manager::new().await;
    let (office, account) = (&manager.office, manager.account.clone());
    assert_eq!(office.catalogue(account.clone()).await.unwrap().len(), 12);
    let more_json = Some(r#"{"tax": 19.00}"#.to_owned());
    let made = manager.create(ProductFields { more_json, ..all_fields() }).await.unwrap();
    assert_eq!((made.kind, made.state), (OfficeWriteKind::CreateProduct, OfficeWriteState::Done));
    assert!(made.request_json.contains(r#""price":64.10,"#) && made.request_json.contains(r#""tax":19.00"#));
    assert!(made.answer_json.unwrap().contains(r#""revision":12345678901234567890123"#));
    let held = office.product(account.clone(), "new-1".to_owned()).await.unwrap();
    assert_eq!((held.price.clone(), held.grants.clone()), (Some(usd(6410)), all_fields().grants.unwrap()));
    let changed = manager.update(cheaper()).await.unwrap();
    assert_eq!((changed.kind, changed.state), (OfficeWriteKind::UpdateProduct, OfficeWriteState::Done));
    let now = office.product(account.clone(), "new-1".to_owned()).await.unwrap();
    assert_eq!(now.body_json, held.body_json.replace("64.10", "1.00"), "nothing else");
    let deleted = manager.delete().await.unwrap();
    assert_eq!((deleted.kind, deleted.state), (OfficeWriteKind::DeleteProduct, OfficeWriteState::Done));
    for gone in [
        office.product(account.clone(), "new-1".to_owned()).await.map(drop),
        manager.update(cheaper()).await.map(drop),
    ] {
        assert!(matches!(gone, Err(WalletError::NotFound { .. })), "{gone:?}");
    }
    assert_eq!((manager.applied(), manager.kept().len()), ([1, 1, 1], 3));
}

#[tokio::test]
async fn lost_answers_are_read_back() {
    let manager = Manager::new().await;
    manager.lose("createPurchasableTicket", 0);
    assert_eq!(manager.create(all_fields()).await.unwrap().state, OfficeWriteState::Done);
    manager.lose("updatePurchasableTicket", 0);
    assert_eq!(manager.update(cheaper()).await.unwrap().state, OfficeWriteState::Done);
    manager.lose("deletePurchasableTicket", 0);
    assert_eq!(manager.delete().await.unwrap().state, OfficeWriteState::Done);
    assert_eq!(manager.applied(), [1, 1, 1]);
}

#[tokio::test]
async fn what_cannot_be_read_back_is_unknown_until_it_can() {
    let manager = Manager::new().await;
    manager.lose("createPurchasableTicket", 1);
    let write = manager.create(all_fields()).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    let manager = manager.restart();
    let found = manager.office.look_up_write(write.id).await.unwrap();
    assert_eq!(found.state, OfficeWriteState::Done);
    manager.lose("updatePurchasableTicket", 1);
    let write = manager.update(cheaper()).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    assert_eq!(manager.office.look_up_write(write.id).await.unwrap().state, OfficeWriteState::Done);
    assert_eq!(manager.applied(), [1, 1, 0]);
}

#[tokio::test]
async fn a_list_that_is_left_out_proves_nothing() {
    for empty in [EmptyForm::Nothing, EmptyForm::Object, EmptyForm::Data] {
        let manager = Manager::new().await;
        manager.create(all_fields()).await.unwrap();
        let silent = |it: &mut TexpoChoices| (it.empty, it.leaves_list_out) = (empty, true);
        // A deletion that never arrived, and whose entry no list shows.
        manager.expo.choose(silent);
        manager.expo.fault("deletePurchasableTicket", 1, Fault::Reset);
        let write = manager.delete().await.unwrap();
        manager.expo.clock.pass_s(121);
        let found = manager.office.look_up_write(write.id).await.unwrap();
        assert_eq!(found.state, OfficeWriteState::Unknown, "{empty:?}");
        // Nothing is made where it might replace another entry.
        let refused = manager.create(ProductFields { price: Some(usd(1)), ..all_fields() }).await;
        assert!(matches!(refused, Err(WalletError::Unreachable { .. })), "{refused:?}");
        assert_eq!((manager.applied(), manager.expo.count("createPurchasableTicket")), ([1, 0, 0], 1));
        // A creation that was carried out is not rejected for want of a list.
        manager.expo.choose(|_| ());
        manager.lose("createPurchasableTicket", 1);
        let made =
            manager.office.create_product(manager.account.clone(), "new-2".to_owned(), all_fields()).await;
        let lost = made.unwrap();
        manager.expo.choose(silent);
        manager.expo.clock.pass_s(121);
        let found = manager.office.look_up_write(lost.id).await.unwrap();
        assert_eq!(found.state, OfficeWriteState::Unknown, "{empty:?}");
        manager.expo.choose(|_| ());
        assert_eq!(manager.office.look_up_write(lost.id).await.unwrap().state, OfficeWriteState::Done);
    }
}

#[tokio::test]
async fn a_configured_network_may_leave_the_list_of_an_empty_catalogue_out() {
    let expo = Expo::new().await;
    expo.sandbox.set_texpo_catalogue(0);
    expo.choose(|it| it.leaves_list_out = true);
    let texpo = TexpoConfig { no_list_is_empty: true, ..expo.config() };
    let mut sign_in = expo.manager_sign_in();
    sign_in.config.texpo = Some(texpo);
    let manager = Manager::signed_in(expo, sign_in).await;
    assert_eq!(manager.create(all_fields()).await.unwrap().state, OfficeWriteState::Done);
}

#[tokio::test]
async fn a_success_that_does_not_show_the_entry_is_verified() {
    for silent in [false, true] {
        let manager = Manager::new().await;
        manager.expo.choose(|it| {
            it.shows_written = !silent;
            it.shows_another = !silent;
        });
        for write in [manager.create(all_fields()).await.unwrap(), manager.update(cheaper()).await.unwrap()] {
            assert_eq!(write.state, OfficeWriteState::Done);
            assert!(write.answer_json.unwrap().contains(r#""productId":"new-1""#), "the entry itself");
        }
        manager.delete().await.unwrap();
        let (list, path_contains) = (Fault::ServerError, "getPurchasableTickets".to_owned());
        manager.expo.sandbox.fault(FaultRule { method: None, path_contains, skip: 1, times: 2, fault: list });
        let write = manager.create(all_fields()).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Unknown, "no list tells of it");
        assert_eq!(manager.office.look_up_write(write.id).await.unwrap().state, OfficeWriteState::Done);
        assert_eq!(manager.applied(), [2, 1, 1]);
    }
}

#[tokio::test]
async fn a_write_that_was_sent_is_never_forgotten() {
    let manager = Manager::new().await;
    // Somebody else makes the entry after the catalogue was looked at.
    manager.expo.fault("createPurchasableTicket", 1, Fault::LatencyMs(10_000));
    let make = manager.create(all_fields());
    let other = async {
        while manager.expo.count("createPurchasableTicket") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(manager.expo.sandbox.put_texpo_entry(r#"{"productId":"new-1","price":5}"#));
    };
    let (refused, ()) = tokio::join!(make, other);
    assert!(
        matches!(refused, Err(WalletError::Refused { ref server_code, .. }) if server_code.as_deref() == Some("409"))
    );
    let kept = manager.kept().swap_remove(0);
    assert_eq!((kept.state, kept.server_code.as_deref()), (OfficeWriteState::Rejected, Some("409")));
}

#[tokio::test]
async fn what_a_gateway_says_of_a_write_is_looked_up() {
    for status in [502, 503, 504] {
        let manager = Manager::new().await;
        manager.create(all_fields()).await.unwrap();
        manager.expo.fault("updatePurchasableTicket", 1, Fault::Gateway { status, code: Some(409) });
        assert_eq!(manager.update(cheaper()).await.unwrap().state, OfficeWriteState::Done, "{status}");
        manager.expo.fault("deletePurchasableTicket", 1, Fault::Gateway { status, code: None });
        assert_eq!(manager.delete().await.unwrap().state, OfficeWriteState::Done, "{status}");
        for code in [401, 403, 705] {
            manager.expo.fault("createPurchasableTicket", 1, Fault::Gateway { status, code: Some(code) });
            assert_eq!(manager.create(all_fields()).await.unwrap().state, OfficeWriteState::Done, "{code}");
            manager.delete().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_rejected_once_it_cannot_arrive_any_more() {
    let manager = Manager::new().await;
    manager.create(all_fields()).await.unwrap();
    for method in ["createPurchasableTicket", "updatePurchasableTicket", "deletePurchasableTicket"] {
        manager.expo.fault(method, 1, Fault::Reset);
        let id = "new-2".to_owned();
        let write = match method {
            "createPurchasableTicket" => {
                manager.office.create_product(manager.account.clone(), id, all_fields()).await
            }
            "updatePurchasableTicket" => manager.update(cheaper()).await,
            _ => manager.delete().await,
        };
        let write = write.unwrap();
        assert_eq!(write.state, OfficeWriteState::Unknown, "{method}: it may still be on its way");
        manager.expo.clock.pass_s(121);
        let write = manager.office.look_up_write(write.id).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Rejected, "{method}");
    }
    assert_eq!(manager.applied(), [1, 0, 0]);
}

#[tokio::test]
async fn what_somebody_else_made_of_it_meanwhile_stays_unknown() {
    let manager = Manager::new().await;
    manager.create(all_fields()).await.unwrap();
    manager.lose("updatePurchasableTicket", 1);
    let write = manager.update(cheaper()).await.unwrap();
    assert!(manager.expo.sandbox.put_texpo_entry(r#"{"productId":"new-1","price":5}"#));
    manager.expo.clock.pass_s(3_600);
    assert_eq!(manager.office.look_up_write(write.id).await.unwrap().state, OfficeWriteState::Unknown);
}

#[tokio::test]
async fn making_the_same_again_is_done_and_another_under_its_id_is_refused() {
    for duplicate in [DuplicateForm::Refused, DuplicateForm::Overwrites, DuplicateForm::Keeps] {
        let manager = Manager::new().await;
        manager.expo.choose(|it| it.duplicate = duplicate);
        manager.create(all_fields()).await.unwrap();
        let again = manager.create(all_fields()).await.unwrap();
        assert_eq!(again.state, OfficeWriteState::Done);
        let other = manager.create(ProductFields { price: Some(usd(1)), ..all_fields() }).await.unwrap_err();
        assert!(matches!(other, WalletError::InvalidInput { ref field, .. } if field == "product_id"));
        assert_eq!(manager.expo.count("createPurchasableTicket"), 1, "nothing is overwritten");
        let held = manager.office.product(manager.account.clone(), "new-1".to_owned()).await.unwrap();
        assert_eq!(held.price, Some(usd(6410)));
        assert_eq!(manager.kept().len(), 2);
    }
}

#[tokio::test]
async fn a_missing_permission_is_told_up_to_the_facade() {
    for error_has_http_status in [true, false] {
        let expo = Expo::new().await;
        expo.choose(|it| it.error_has_http_status = error_has_http_status);
        let sign_in = expo.holder_sign_in(0);
        let holder = Manager::signed_in(expo, sign_in).await;
        let listed = holder.office.catalogue(holder.account.clone()).await.map(drop);
        let made = holder.create(all_fields()).await.map(drop);
        let deleted = holder.delete().await.map(drop);
        for outcome in [listed, made, deleted] {
            let denied = outcome.unwrap_err();
            assert_eq!(denied.code(), "permission_denied");
            let WalletError::PermissionDenied { permission, reason } = denied else { panic!("{denied}") };
            assert_eq!(permission.as_deref(), Some("network.manage"));
            assert!(reason.contains("network.manage"), "{reason}");
        }
        let kept = holder.kept();
        assert!(kept.iter().all(|write| write.state == OfficeWriteState::Rejected), "surely not carried out");
        let status = if error_has_http_status { 403 } else { 200 };
        for write in &kept {
            assert_eq!((write.status, write.server_code.as_deref()), (Some(status), Some("403")));
        }
        assert_eq!(kept.len(), 1, "the catalogue is looked at before an entry is made");
        assert_eq!(holder.applied(), [0, 0, 0]);
    }
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_code() {
    let manager = Manager::new().await;
    let refused = manager.delete().await.unwrap_err();
    assert!(
        matches!(refused, WalletError::Refused { status: 200, ref server_code, .. } if server_code.as_deref() == Some("404"))
    );
    let kept = manager.kept().swap_remove(0);
    assert_eq!((kept.state, kept.status), (OfficeWriteState::Rejected, Some(200)));
    assert_eq!(kept.server_code.as_deref(), Some("404"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_and_not_kept() {
    let manager = Manager::new().await;
    let more_json = Some("[]".to_owned());
    for (fields, field) in [
        (ProductFields { price: Some(usd(-1)), ..all_fields() }, "price"),
        (ProductFields { ends_at: Some(0), ..all_fields() }, "ends_at"),
        (ProductFields { more_json, ..all_fields() }, "more_json"),
    ] {
        for refused in [manager.create(fields.clone()).await, {
            let id = "expo-00001".to_owned();
            manager.office.update_product(manager.account.clone(), id, fields).await
        }] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, WalletError::InvalidInput { field: ref found, .. } if found == field));
        }
    }
    let nameless = manager.office.delete_product(manager.account.clone(), String::new()).await.unwrap_err();
    assert!(matches!(nameless, WalletError::InvalidInput { ref field, .. } if field == "product_id"));
    assert_eq!((manager.kept().len(), manager.applied()), (0, [0, 0, 0]));
}

#[tokio::test]
async fn five_thousand_entries_are_no_trouble() {
    let manager = Manager::new().await;
    manager.expo.sandbox.set_texpo_catalogue(5_000);
    let all = manager.office.catalogue(manager.account.clone()).await.unwrap();
    assert_eq!(all.len(), 5_000);
    let write =
        manager.office.update_product(manager.account.clone(), "expo-04999".to_owned(), cheaper()).await;
    assert_eq!(write.unwrap().state, OfficeWriteState::Done);
    assert_eq!(manager.create(all_fields()).await.unwrap().state, OfficeWriteState::Done);
    assert_eq!(manager.expo.sandbox.texpo_catalogue().len(), 5_001);
}

#[tokio::test]
async fn only_texpo_has_a_catalogue() {
    let manager = Manager::new().await;
    let bam = phone::sign_in(&manager.expo.sandbox, 0);
    let other = manager.office.sign_in(bam).await.unwrap().id;
    let refused = manager.office.catalogue(other).await.unwrap_err();
    assert!(matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "account_id"));
    let refused = manager.office.reserved(manager.account.clone(), None, 1).await.unwrap_err();
    assert!(matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "account_id"));
    let folder = tempfile::tempdir().unwrap();
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let wallet = Wallet::open(config, vault_in(folder.path()), None, None).unwrap();
    let account = wallet.sign_in(manager.expo.manager_sign_in()).await.unwrap().id;
    assert!(wallet.capabilities(account).unwrap().contains(&Capability::ManageCatalogue));
}
