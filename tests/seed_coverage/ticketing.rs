//! TickeTing: a host's admission tokens, and what the server says to requests that it refuses.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::{
    OfficeWriteState, SignIn, SystemConfig, TicketSystem, TicketingAccess, TicketingConfig, TokenQuery,
};
use ticket_wallet::{BoxOffice, Config, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule, TicketingServed};

use crate::phone::{Phone, vault_in};
use crate::run::Run;

/// The event and the sections of the document's examples.
const EVENT: &str = "16993717817996";
const SECTIONS: [&str; 2] =
    ["/events/16993717817996/sections/16993964783416", "/events/16993717817996/sections/16993964783417"];

/// A host at work.
struct Host {
    served: TicketingServed,
    office: BoxOffice,
    account: String,
    _folder: TempDir,
}

impl Host {
    async fn open(run: &Run, sign_in: SignIn) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let clock = Arc::new(run.clock.clone());
        let office = BoxOffice::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
        office.set_retry_policy(run.clock.policy());
        let account = office.sign_in(sign_in).await.unwrap().id;
        Self { served: run.sandbox.ticketing(), office, account, _folder: folder }
    }

    async fn signed_in(run: &Run) -> Self {
        let host = &run.sandbox.organizers()[0];
        Self::open(run, sign_in(run, TicketingConfig::default(), &host.name, &host.password)).await
    }

    async fn issue(&self) -> Value {
        let sections = SECTIONS.map(str::to_owned).to_vec();
        let writes =
            self.office.issue_tokens(self.account.clone(), EVENT.to_owned(), sections, 1).await.unwrap();
        assert_eq!(writes[0].state, OfficeWriteState::Done);
        let answer: Value = serde_json::from_str(writes[0].answer_json.as_deref().unwrap()).unwrap();
        answer["tokens"][0].clone()
    }
}

fn sign_in(run: &Run, config: TicketingConfig, name: &str, password: &str) -> SignIn {
    let config = SystemConfig { ticketing: Some(config), ..SystemConfig::at(run.sandbox.ticketing().url) };
    SignIn {
        system: TicketSystem::Ticketing,
        config,
        user_name: name.to_owned(),
        password: password.to_owned(),
    }
}

/// Asks for the event's tokens with just these headers; gives the status and the body.
async fn ask(url: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request =
        headers.iter().fold(client.get(url), |request, (name, value)| request.header(*name, *value));
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap())
}

pub(crate) async fn issues_a_token(run: &Run) {
    let host = Host::signed_in(run).await;
    let token = host.issue().await;
    let id = token["id"].as_str().unwrap();
    assert_eq!(token["uri"], format!("/events/{EVENT}/tokens/{id}"));
    assert!(id.parse::<u64>().unwrap() > 17_370_490_770_000);
    assert_eq!(token["code"].as_str().unwrap().len(), 8);
    assert_eq!((&token["sections"], &token["global"]), (&json!(SECTIONS), &json!(false)));
    // One for each member of the staff.
    let other = host.issue().await;
    assert_ne!((&token["id"], &token["code"]), (&other["id"], &other["code"]));
    // As the document's example has it.
    let mut choices = run.sandbox.ticketing_choices();
    choices.new_tokens_are_global = true;
    run.sandbox.set_ticketing_choices(choices);
    assert_eq!(host.issue().await["global"], true);
    let nowhere = host.office.issue_tokens(host.account.clone(), EVENT.to_owned(), Vec::new(), 1).await.err();
    assert!(matches!(nowhere, Some(WalletError::InvalidInput { ref field, .. }) if field == "sections"));
}

pub(crate) async fn lists_tokens(run: &Run) {
    let host = Host::signed_in(run).await;
    host.issue().await;
    let list = async |query: TokenQuery| {
        host.office.tokens(host.account.clone(), EVENT.to_owned(), query).await.unwrap()
    };
    let all = list(TokenQuery::default()).await;
    assert!(all.tokens[0].global && all.tokens.len() as u64 == all.total.unwrap() && all.page == 1);
    let asked = list(TokenQuery { page: Some(1), records: Some(25), global: None }).await;
    assert!(asked.tokens == all.tokens && !asked.more, "these are the defaults");
    let global = list(TokenQuery { page: Some(1), records: Some(25), global: Some(true) }).await;
    assert_eq!((global.tokens.len(), &global.tokens[0].sections), (1, &SECTIONS.map(str::to_owned).to_vec()));
    let others = list(TokenQuery { global: Some(false), ..TokenQuery::default() }).await;
    assert!(others.tokens == all.tokens[1..] && others.total == all.total.map(|total| total - 1));
    let second = list(TokenQuery { page: Some(2), records: Some(1), global: None }).await;
    assert!(second.tokens == all.tokens[1..2] && second.page == 2);
}

pub(crate) async fn reads_a_token(run: &Run) {
    let host = Host::signed_in(run).await;
    let token = host.issue().await;
    let id = token["id"].as_str().unwrap().to_owned();
    let read = host.office.token(host.account.clone(), EVENT.to_owned(), id).await.unwrap();
    let typed = json!({
        "id": read.id, "uri": read.uri, "code": read.code, "global": read.global, "sections": read.sections,
    });
    assert_eq!(typed, token);
    let body: Value = serde_json::from_str(&read.body_json).unwrap();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["self", "code", "global", "sections"]);
}

pub(crate) async fn lets_staff_redeem_for_their_sections(run: &Run) {
    let host = Host::signed_in(run).await;
    for code in
        [host.served.events[0].global_code.clone(), host.issue().await["code"].as_str().unwrap().to_owned()]
    {
        let access = host.office.look_up_code(host.account.clone(), code).await.unwrap();
        assert_eq!(
            (access.event_id.as_str(), access.sections),
            (EVENT, SECTIONS.map(str::to_owned).to_vec())
        );
        let config =
            TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..TicketingConfig::default() };
        let gate = Host::open(run, sign_in(run, config, "Gate", &access.key)).await;
        let listed = gate.office.event_tickets(gate.account, EVENT.to_owned(), None, 1).await.unwrap();
        assert!(!listed.tickets.is_empty());
    }
}

pub(crate) async fn is_let_in_by_a_session_or_a_key(run: &Run) {
    // A host's session and an integration key may list the tokens, a customer's session its own tickets.
    let host = Host::signed_in(run).await;
    let key = host.served.integration_key.clone();
    let config =
        TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..TicketingConfig::default() };
    let integration = Host::open(run, sign_in(run, config, "integration", &key)).await;
    for office in [host, integration] {
        let listed =
            office.office.tokens(office.account.clone(), EVENT.to_owned(), TokenQuery::default()).await;
        assert!(listed.is_ok());
    }
    let user = &run.sandbox.users()[0];
    let phone = Phone::new(&run.clock);
    phone.wallet.sign_in(sign_in(run, TicketingConfig::default(), &user.name, &user.password)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(phone.tickets().len(), 24);
}

pub(crate) async fn is_refused_with_the_documents_words(run: &Run) {
    let served = run.sandbox.ticketing();
    let (url, key) = (format!("{}/events/{EVENT}/tokens", served.url), served.integration_key.as_str());
    let version = ("X-Client-Version", "3.0.0");
    let restricted = json!({ "message": "You are restricted from accessing this resource." });
    let upgrade = json!({ "error": "Please upgrade your client to complete this request" });
    let unauthenticated = json!({ "message": "Your request could not be authenticated." });
    for (headers, expected) in [
        (vec![version], (401, unauthenticated.clone())),
        (vec![version, ("X-API-Key", "")], (401, unauthenticated)),
        (vec![version, ("X-API-Key", "a9427bf35dd3d3011a1277c9c344ae07")], (403, restricted)),
        (vec![("X-API-Key", key)], (412, upgrade.clone())),
        (vec![("X-API-Key", key), ("X-Client-Version", "2.9.9")], (412, upgrade)),
    ] {
        assert_eq!(ask(&url, &headers).await, expected, "{headers:?}");
    }
    assert_eq!(ask(&url, &[version, ("X-API-Key", key)]).await.0, 200);
    let endpoint =
        json!({ "message": "The requested endpoint /invalid/endpoint does not exist on this server." });
    let invalid = format!("{}/invalid/endpoint", served.url);
    assert_eq!(ask(&invalid, &[version, ("X-API-Key", key)]).await, (404, endpoint));
    let resource = json!({ "error": "There is presently no resource with the given URI." });
    let unknown = format!("{}/events/0000000", served.url);
    assert_eq!(ask(&unknown, &[version, ("X-API-Key", key)]).await, (404, resource));
    let words = "There was a server error while excuting this request. Please see system logs for details.";
    fail(run, 1);
    assert_eq!(ask(&url, &[version, ("X-API-Key", key)]).await, (500, json!({ "message": words })));
    reaches_the_app_without_a_session_and_an_endpoint(run).await;
}

/// The 401 and the 404 of an unknown endpoint, as the connector tells them.
async fn reaches_the_app_without_a_session_and_an_endpoint(run: &Run) {
    let (phone, user) = (Phone::new(&run.clock), &run.sandbox.users()[0]);
    let sign_in = sign_in(run, TicketingConfig::default(), &user.name, &user.password);
    let account = phone.wallet.sign_in(sign_in).await.unwrap().id;
    let unknown = phone.wallet.claim_transfer(account, "/invalid/endpoint".to_owned()).await;
    let code = Some("unknown_endpoint".to_owned());
    assert!(
        matches!(unknown, Err(WalletError::Refused { status: 404, ref server_code, .. }) if *server_code == code)
    );
    let host = Host::signed_in(run).await;
    let (method, path_contains) = (Some("GET".to_owned()), "/tokens".to_owned());
    run.sandbox.fault(FaultRule { method, path_contains, skip: 0, times: 1, fault: Fault::Unauthorized });
    let refused = host.office.tokens(host.account, EVENT.to_owned(), TokenQuery::default()).await;
    assert!(matches!(refused, Err(WalletError::NeedsSignIn { .. })));
}

fn fail(run: &Run, times: u32) {
    let (method, path_contains) = (Some("GET".to_owned()), "/tokens".to_owned());
    run.sandbox.fault(FaultRule { method, path_contains, skip: 0, times, fault: Fault::ServerError });
}

pub(crate) async fn tells_the_app_each_refusal(run: &Run) {
    let host = Host::signed_in(run).await;
    let tokens = async |event: &str| {
        host.office.tokens(host.account.clone(), event.to_owned(), TokenQuery::default()).await.err()
    };
    let code = Some("unknown_resource".to_owned());
    let unknown = tokens("0000000").await;
    assert!(
        matches!(unknown, Some(WalletError::Refused { status: 404, ref server_code, .. }) if *server_code == code)
    );
    fail(run, 3);
    let Some(WalletError::ServerFault { report, .. }) = tokens(EVENT).await else { panic!("no report") };
    for named in ["events/:event/tokens", "GET", "X-API-Key", "X-Client-Version", "payload"] {
        assert!(report.contains(named) && !report.contains(EVENT), "{report}");
    }
    let mut choices = run.sandbox.ticketing_choices();
    choices.least_version = "3.0.1".to_owned();
    run.sandbox.set_ticketing_choices(choices);
    assert!(matches!(tokens(EVENT).await, Some(WalletError::UpgradeNeeded { .. })));
    run.sandbox.set_ticketing_choices(Default::default());
    // A customer may not, and a session that has ended must be begun anew.
    let user = &run.sandbox.users()[0];
    let customer =
        Host::open(run, sign_in(run, TicketingConfig::default(), &user.name, &user.password)).await;
    let refused =
        customer.office.tokens(customer.account.clone(), EVENT.to_owned(), TokenQuery::default()).await;
    let code = Some("restricted".to_owned());
    assert!(
        matches!(refused, Err(WalletError::Refused { status: 403, ref server_code, .. }) if *server_code == code)
    );
    run.sandbox.revoke_sessions().unwrap();
    assert!(matches!(tokens(EVENT).await, Some(WalletError::NeedsSignIn { .. })));
}
