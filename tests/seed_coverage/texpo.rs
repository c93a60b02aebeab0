//! TEXPO's manager: the catalogue with every member, each method's permission, and what is said of errors; and which request
//! shows what the document says.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::{
    Money, OfficeWriteState, Product, ProductFields, ProductGrant, ProductType, SignIn, SystemConfig,
    TexpoConfig, TicketSystem,
};
use ticket_wallet::{BoxOffice, Config, WalletError};
use ticket_wallet_sandbox::SuccessError;

use crate::claims::Claim;
use crate::expo::{Client, client};
use crate::phone::vault_in;
use crate::request::Asked;
use crate::run::Run;

const LIST: &str = "texpo::lists_the_catalogue";
const CREATE: &str = "texpo::makes_entries";
const UPDATE: &str = "texpo::changes_entries";
const DELETE: &str = "texpo::deletes_an_entry";
const PERMISSION: &str = "texpo::needs_the_permission";

/// Each method with where it is sent to, and the step that shows it.
const METHODS: [(&str, &str, &str); 4] = [
    ("POST /jsonRpc/ticket.createPurchasableTicket", "/texpo/jsonRpc/ticket.createPurchasableTicket", CREATE),
    ("POST /jsonRpc/ticket.updatePurchasableTicket", "/texpo/jsonRpc/ticket.updatePurchasableTicket", UPDATE),
    ("POST /jsonRpc/ticket.deletePurchasableTicket", "/texpo/jsonRpc/ticket.deletePurchasableTicket", DELETE),
    ("POST /jsonRpc/ticket.getPurchasableTickets", "/texpo/jsonRpc/ticket.getPurchasableTickets", LIST),
];

/// The claims about a row.
pub(crate) fn claims_about(row: &str) -> Vec<Claim> {
    let Some((endpoint, path, step)) = METHODS.into_iter().find(|(endpoint, ..)| row.starts_with(endpoint))
    else {
        return Vec::new();
    };
    let said = row[endpoint.len()..].trim_start();
    let asked = |status| Asked::new("POST", path, status);
    let claim = |step, asked| Claim::new("texpo", row, step, asked);
    match said.split_once(' ') {
        _ if said == "Permissions:" || said.starts_with("network.manage") => {
            vec![claim(PERMISSION, asked(403)), claim(step, asked(200))]
        }
        Some(("request", member)) if member != "{}" => {
            let pointer = member.split('=').next().unwrap_or(member);
            vec![claim(step, asked(200).body(pointer))]
        }
        Some(("reply", member)) if member.starts_with("/error/") => {
            vec![claim(step, asked(200)), claim(PERMISSION, asked(403))]
        }
        _ => vec![claim(step, asked(200))],
    }
}

/// A network's box office.
struct Office {
    office: BoxOffice,
    account: String,
    _folder: TempDir,
}

impl Office {
    async fn open(run: &Run, user: &str, password: &str) -> Self {
        let access = run.sandbox.texpo();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let clock = Arc::new(run.clock.clone());
        let office = BoxOffice::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
        let texpo = TexpoConfig { network_id: Some(access.network_id), ..TexpoConfig::default() };
        let sign_in = SignIn {
            system: TicketSystem::Texpo,
            config: SystemConfig { texpo: Some(texpo), ..SystemConfig::at(access.url) },
            user_name: user.to_owned(),
            password: password.to_owned(),
        };
        let account = office.sign_in(sign_in).await.unwrap().id;
        Self { office, account, _folder: folder }
    }

    async fn of_manager(run: &Run) -> Self {
        let access = run.sandbox.texpo();
        // What a success says of errors is read in each step.
        let mut choices = run.sandbox.texpo_choices();
        choices.success_error = SuccessError::Zero;
        run.sandbox.set_texpo_choices(choices);
        Self::open(run, &access.manager, &access.password).await
    }

    async fn product(&self, id: &str) -> Product {
        self.office.product(self.account.clone(), id.to_owned()).await.unwrap()
    }

    async fn create(&self, id: &str, fields: &ProductFields) -> Value {
        let write = self.office.create_product(self.account.clone(), id.to_owned(), fields.clone());
        let write = write.await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Done);
        serde_json::from_str::<Value>(&write.answer_json.unwrap()).unwrap()["ticket"].take()
    }
}

fn fields(ticket_type: ProductType, cents: i64) -> ProductFields {
    ProductFields {
        event_name: Some("Expo 東".to_owned()),
        starts_at: Some(1_795_824_000),
        ends_at: Some(1_795_852_800),
        ticket_type: Some(ticket_type),
        ticket_name: Some("Tageskarte".to_owned()),
        ticket_description: Some("Alle Hallen".to_owned()),
        price: Some(Money { minor: cents, currency: "USD".to_owned() }),
        thumbnail_id: Some("thumb-1".to_owned()),
        discount: Some("-10%".to_owned()),
        grants: Some(vec![ProductGrant::from_texts("userRole", "visitor:hall-7")]),
        more_json: None,
    }
}

/// The entry as the document writes it.
fn written(id: &str, ticket_type: &str, price: f64) -> Value {
    json!({
        "productId": id, "eventName": "Expo 東", "eventStartDate": 1_795_824_000, "eventEndDate": 1_795_852_800,
        "ticketType": ticket_type, "ticketName": "Tageskarte", "ticketDescription": "Alle Hallen", "price": price,
        "thumbnailId": "thumb-1", "discount": "-10%",
        "grants": [{"grantType": "userRole", "grantTarget": "visitor:hall-7"}],
    })
}

fn types() -> [(ProductType, &'static str); 3] {
    let days = |day, of| ProductType::Days { day, of };
    [(ProductType::Single, "single"), (days(1, 3), "days:1of3"), (days(2, 3), "days:2of3")]
}

/// Every documented member, and whatever else there is.
fn assert_holds(held: &Value, asked: &Value) {
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&held[name], value, "{name}");
    }
}

pub(crate) async fn lists_the_catalogue(run: &Run) {
    let manager = Office::of_manager(run).await;
    for (kind, text) in types() {
        assert!(run.sandbox.put_texpo_entry(&written(&format!("list-{text}"), text, 64.5).to_string()));
        let all = manager.office.catalogue(manager.account.clone()).await.unwrap();
        let found = all.into_iter().find(|product| product.product_id == format!("list-{text}")).unwrap();
        let expected = fields(kind, 6450);
        assert_eq!((found.event_name, found.ticket_type), (expected.event_name, expected.ticket_type));
        assert_eq!((found.starts_at, found.ends_at), (expected.starts_at, expected.ends_at));
        assert_eq!((found.ticket_name, found.price), (expected.ticket_name, expected.price));
        assert_eq!(found.ticket_description, expected.ticket_description);
        assert_eq!((found.thumbnail_id, found.discount), (expected.thumbnail_id, expected.discount));
        assert_eq!(found.grants, expected.grants.unwrap());
        assert_holds(
            &serde_json::from_str(&found.body_json).unwrap(),
            &written(&format!("list-{text}"), text, 64.5),
        );
    }
}

pub(crate) async fn makes_entries(run: &Run) {
    let manager = Office::of_manager(run).await;
    for (kind, text) in types() {
        let id = format!("made-{text}");
        let answer = manager.create(&id, &fields(kind.clone(), 6450)).await;
        assert_holds(&answer, &written(&id, text, 64.5));
        let held = manager.product(&id).await;
        assert_eq!((held.ticket_type, held.price.unwrap().minor), (Some(kind), 6450));
    }
    // It is unique: another one does not take its place.
    let other = fields(ProductType::Single, 1);
    let taken = manager.office.create_product(manager.account.clone(), "made-single".to_owned(), other).await;
    assert!(matches!(taken, Err(WalletError::InvalidInput { ref field, .. }) if field == "product_id"));
}

pub(crate) async fn changes_entries(run: &Run) {
    let manager = Office::of_manager(run).await;
    manager.create("changed-1", &fields(ProductType::Single, 1)).await;
    for (kind, text) in types() {
        let write = manager
            .office
            .update_product(manager.account.clone(), "changed-1".to_owned(), fields(kind, 6450))
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&write.answer_json.unwrap()).unwrap();
        assert_holds(&answer["ticket"], &written("changed-1", text, 64.5));
        let held = manager.product("changed-1").await;
        assert_holds(&serde_json::from_str(&held.body_json).unwrap(), &written("changed-1", text, 64.5));
    }
}

pub(crate) async fn deletes_an_entry(run: &Run) {
    let manager = Office::of_manager(run).await;
    manager.create("deleted-1", &fields(ProductType::Single, 1)).await;
    let id = || "deleted-1".to_owned();
    let write = manager.office.delete_product(manager.account.clone(), id()).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Done);
    let gone = manager.office.product(manager.account.clone(), id()).await;
    assert!(matches!(gone, Err(WalletError::NotFound { .. })));
}

pub(crate) async fn needs_the_permission(run: &Run) {
    let user = &run.sandbox.users()[0];
    let holder = Office::open(run, &user.name, &user.password).await;
    let (office, account) = (&holder.office, || holder.account.clone());
    let mut choices = run.sandbox.texpo_choices();
    choices.error_has_http_status = true;
    run.sandbox.set_texpo_choices(choices);
    let denied = |outcome: Result<(), WalletError>| {
        let Err(WalletError::PermissionDenied { permission, reason }) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(permission.as_deref(), Some("network.manage"));
        // The server's message is prose, and stays where it is.
        assert_eq!(reason.matches("network.manage").count(), 1, "{reason}");
    };
    denied(office.catalogue(account()).await.map(drop));
    denied(office.delete_product(account(), "expo-00001".to_owned()).await.map(drop));
    // The box office lists the catalogue before it sends these: here they are sent by the client that it stands on.
    let access = run.sandbox.texpo();
    let config = TexpoConfig { network_id: Some(access.network_id), ..TexpoConfig::default() };
    let texpo = client(&run.clock, None, &access.url, config);
    let tokens = texpo.login(&user.name, &user.password).await.unwrap();
    let client = Client::new(texpo, tokens);
    let product = client.texpo.new_product("expo-00001", &fields(ProductType::Single, 1)).unwrap();
    let created = client.texpo.create_product(&client.session, &product).await;
    let updated = client.texpo.update_product(&client.session, &product).await;
    for outcome in [created, updated] {
        denied(outcome.map(drop).map_err(WalletError::from));
    }
}
