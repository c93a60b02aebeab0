//! The extension's answers against `openapi/extension.json`: every operation, every status, every kind of problem.

mod gates;
mod market;

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet::barcode::Purpose;
use ticket_wallet_sandbox::Fault;

use crate::support::{Answer, Ask, CLUB, Device, FEED, START_S, THEATRE, World, begin_write, binding};

/// A problem at the last generation of a ticket, which `last_generation.rs` comes to.
const OUT_OF_REACH: &str = "urn:ticket-wallet:problem:generations-used-up";

const DISCOVERY: &str = "/.well-known/ticket-wallet";
const BIND: &str = "/wallet/v1/credentials";
const RENEW_MANY: &str = "/wallet/v1/credentials/renew";
const RENEW: &str = "/wallet/v1/credentials/{ticket_id}/renew";
const SURRENDER: &str = "/wallet/v1/credentials/{ticket_id}/surrender";
const TRANSFERS: &str = "/wallet/v1/transfers";
const TRANSFER: &str = "/wallet/v1/transfers/{transfer_id}";
const CANCEL: &str = "/wallet/v1/transfers/{transfer_id}/cancel";

fn description() -> Value {
    serde_json::from_str(include_str!("../../openapi/extension.json")).unwrap()
}

/// A validator for a schema that may refer to the description's components.
fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = description()["components"].clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Follows a `$ref` of the description.
fn resolve(value: &Value) -> Value {
    match value["$ref"].as_str() {
        Some(reference) => description().pointer(reference.strip_prefix('#').unwrap()).unwrap().clone(),
        None => value.clone(),
    }
}

/// What the scenario saw.
struct Record {
    world: World,
    token: String,
    ticket: String,
    transfer: String,
    listing: String,
    reservation: String,
    device: Device,
    /// Operation and status.
    seen: BTreeSet<(String, String)>,
    problems: BTreeSet<String>,
}

impl Record {
    async fn start() -> Self {
        let world = World::start_with(|config| {
            config.feed = true;
            config.token_life_s = u32::MAX;
            config.scanners_per_code = 2;
        })
        .await;
        let token = world.token().await;
        let ticket = world.eligible(&token).await.remove(0);
        let (device, seen, problems) = (Device::new(), BTreeSet::new(), BTreeSet::new());
        let [transfer, listing, reservation] = [(); 3].map(|()| "0".to_owned());
        Self { world, token, ticket, transfer, listing, reservation, device, seen, problems }
    }

    fn path(&self, tenant: &str, operation: &str) -> String {
        let path = operation.replace("{ticket_id}", &self.ticket).replace("{transfer_id}", &self.transfer);
        let path = path.replace("{listing_id}", &self.listing).replace("{reservation_id}", &self.reservation);
        format!("/t/{tenant}{path}")
    }

    /// Holds an answer against the description.
    fn check(&mut self, method: &str, operation: &str, answer: &Answer) {
        let status = answer.status.as_str();
        let place = format!("{method} {operation} {status}");
        let responses = &description()["paths"][operation][method]["responses"];
        let response = resolve(&responses[status]);
        assert!(response["description"].is_string(), "{place} is not described: {}", answer.text);
        if response["content"]["application/octet-stream"].is_object() {
            assert_eq!(answer.header("content-type"), "application/octet-stream", "{place}");
        } else if let Some(content) = response["content"].as_object() {
            let described = &content[answer.header("content-type")]["schema"];
            let errors: Vec<_> =
                validator(described).iter_errors(&answer.json()).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{place}: {errors:?}\n{}", answer.text);
        } else {
            assert_eq!(answer.text, "", "{place}");
        }
        self.note_problems(answer);
        self.seen.insert((format!("{method} {operation}"), status.to_owned()));
    }

    fn note_problems(&mut self, answer: &Answer) {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let items = body.as_array().into_iter().flatten().map(|item| &item["problem"]);
        let kinds = items.chain([&body]).filter_map(|problem| problem["type"].as_str());
        self.problems.extend(kinds.map(str::to_owned));
    }

    async fn write(&mut self, operation: &str, key: &str, body: Value) -> Answer {
        self.write_to(&self.path(CLUB, operation), operation, key, body).await
    }

    /// Writes and checks the answer; what is done must also be described.
    async fn write_to(&mut self, path: &str, operation: &str, key: &str, body: Value) -> Answer {
        let answer = self.world.post_with_key(&self.token, path, key, body.clone()).await;
        self.check("post", operation, &answer);
        if answer.status.is_success() {
            let content = &description()["paths"][operation]["post"]["requestBody"]["content"];
            let described = validator(&content["application/json"]["schema"]);
            assert!(described.is_valid(&body), "{operation} took {body}");
        }
        answer
    }

    /// The refusals that every write knows.
    async fn common_refusals(&mut self, operation: &str) {
        let path = self.path(CLUB, operation);
        for fault in refusals() {
            self.world.fault(&path, fault);
            self.write(operation, "-", json!([])).await;
        }
        let theatre = self.path(THEATRE, operation);
        self.write_to(&theatre, operation, "-", json!([])).await;
        let (token, body) = (Some(self.token.as_str()), Some(json!([])));
        let ask = Ask { method: Method::POST, path: path.clone(), token, key: None, body };
        let answer = self.world.try_ask(ask).await.unwrap();
        self.check("post", operation, &answer);
        let huge = json!("x".repeat((1 << 20) - 1));
        let key = self.world.new_key();
        self.write(operation, &key, huge).await;
        let key = self.world.new_key();
        self.write(operation, &key, json!([])).await;
        assert_eq!(self.write(operation, &key, json!([{}])).await.problem(), "key-reused");
        let key = self.world.new_key();
        let _slow = begin_write(&self.world, &self.token, &path, &key, 2).await;
        let answer = self.write(operation, &key, json!([])).await;
        assert_eq!(answer.problem(), "in-progress");
    }

    async fn discovery(&mut self) {
        let found = self.world.get("", &self.path(CLUB, DISCOVERY)).await;
        self.check("get", DISCOVERY, &found);
        let missing = self.world.get("", &self.path(THEATRE, DISCOVERY)).await;
        self.check("get", DISCOVERY, &missing);
        for fault in refusals().into_iter().skip(1) {
            self.world.fault(DISCOVERY, fault);
            let refused = self.world.get("", &self.path(CLUB, DISCOVERY)).await;
            self.check("get", DISCOVERY, &refused);
        }
    }

    async fn read(&mut self, path: &str, operation: &str) -> Answer {
        let answer = self.world.get(&self.token, path).await;
        self.check("get", operation, &answer);
        answer
    }

    /// The refusals that every read knows.
    async fn refused_reads(&mut self, path: &str, operation: &str) {
        for fault in refusals() {
            self.world.fault(path, fault);
            self.read(path, operation).await;
        }
    }

    async fn feed(&mut self) {
        self.refused_reads(FEED, FEED).await;
        self.read("/.well-known/ticket-wallet", DISCOVERY).await;
        let user = self.world.sandbox.users()[0].name.clone();
        let id = self.world.sandbox.add_ticket(&user, CLUB, 1).unwrap().unwrap();
        assert!(self.world.sandbox.remove_ticket(&user, CLUB, id).unwrap());
        let whole = self.read(FEED, FEED).await.json();
        assert_eq!(whole["items"].as_array().unwrap().len(), 25);
        self.read(&format!("{FEED}?limit=0"), FEED).await;
        self.world.sandbox.expire_cursors();
        let old = format!("{FEED}?cursor={}", whole["cursor"].as_str().unwrap());
        assert_eq!(self.read(&old, FEED).await.problem(), "cursor-expired");
    }

    /// A ticket of the next event that no device holds.
    async fn spare_ticket(&self) -> String {
        let user = self.world.sandbox.users()[0].name.clone();
        self.world.sandbox.add_ticket(&user, CLUB, 1).unwrap().unwrap().to_string()
    }

    async fn transfers(&mut self) {
        for operation in [TRANSFERS, TRANSFER] {
            self.refused_reads(&self.path(CLUB, operation), operation).await;
            self.read(&self.path(THEATRE, operation), operation).await;
        }
        self.read(&self.path(CLUB, TRANSFER), TRANSFER).await;
        let bound = self.world.bind(&self.token, &self.ticket, &self.device).await;
        let surrender = self.device.statement(Purpose::Surrender, &bound, self.world.now(), "t1");
        let held = json!({"ticket_id": self.ticket, "recipient": "x", "surrender": surrender});
        let transfer = self.write(TRANSFERS, "t1", held.clone()).await.json();
        self.transfer = transfer["id"].as_str().unwrap().to_owned();
        assert_eq!(self.write(TRANSFERS, "t2", held).await.problem(), "transfer-pending");
        self.write(BIND, "t3", binding(&self.ticket.clone(), &self.device)).await;
        self.read(&self.path(CLUB, TRANSFERS), TRANSFERS).await;
        self.read(&self.path(CLUB, TRANSFER), TRANSFER).await;
        self.write(CANCEL, "t4", json!({})).await;
        assert_eq!(self.write(CANCEL, "t5", json!({})).await.problem(), "transfer-ended");
        self.world.pass(35 * 3600);
        let late = self.write(TRANSFERS, "t6", json!({"ticket_id": self.ticket, "recipient": "x"})).await;
        assert_eq!(late.problem(), "transfer-closed");
    }

    async fn bindings(&mut self) -> Value {
        let (ticket, other) = (self.ticket.clone(), Device::new());
        let bound = self.write(BIND, "b1", binding(&ticket, &self.device)).await.json();
        let mut attested = binding(&ticket, &self.device);
        attested["attestation"] = json!("AAAA");
        self.write(BIND, "b2", json!([attested, binding("9999", &other), binding(&ticket, &other)])).await;
        self.write(BIND, "b3", binding(&ticket, &other)).await;
        self.write(BIND, "b4", json!("text")).await;
        self.write(BIND, "b5", json!({"ticket_id": ticket, "device_key": "AAAA"})).await;
        self.write(BIND, "b6", binding("9999", &other)).await;
        let pdf = self.world.ids(&self.token, CLUB, |ticket| ticket["format"] == "PDF").await.remove(0);
        self.write(BIND, "b7", binding(&pdf, &other)).await;
        bound
    }

    async fn statements(&mut self, bound: &Value) {
        let renewal = self.device.statement(Purpose::Renew, bound, START_S, "r1");
        let renewed = self.write(RENEW, "r1", renewal).await.json();
        let mut item = self.device.statement(Purpose::Renew, bound, START_S, "r2");
        item["ticket_id"] = json!(self.ticket);
        let mut unknown = item.clone();
        unknown["ticket_id"] = json!("9999");
        self.write(RENEW_MANY, "r2", json!([item, unknown])).await;
        let current = self.world.bind(&self.token, &self.ticket, &self.device).await;
        assert_eq!(current["generation"], renewed["generation"]);
        let surrender = self.device.statement(Purpose::Surrender, &current, START_S, "s1");
        assert_eq!(self.write(SURRENDER, "s1", surrender.clone()).await.status, 204);
        self.write(SURRENDER, "s2", surrender).await;
        let stale = self.device.statement(Purpose::Renew, bound, START_S, "r3");
        self.world.bind(&self.token, &self.ticket, &self.device).await;
        self.write(RENEW, "r3", stale).await;
    }
}

fn refusals() -> [Fault; 3] {
    let retry_after = || "5".to_owned();
    [
        Fault::Unauthorized,
        Fault::TooMany { retry_after: retry_after() },
        Fault::Unavailable { retry_after: retry_after() },
    ]
}

fn operations() -> Vec<(String, Value)> {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((format!("{method} {path}"), operation.clone()));
        }
    }
    operations
}

fn examples(media: &Value) -> Vec<Value> {
    let examples = media["examples"].as_object().expect("examples");
    examples.values().map(|example| resolve(example)["value"].clone()).collect()
}

#[tokio::test]
async fn every_described_answer_is_given_and_every_given_answer_is_described() {
    let mut record = Record::start().await;
    record.discovery().await;
    for operation in [BIND, RENEW_MANY, RENEW, SURRENDER, TRANSFERS, CANCEL] {
        record.common_refusals(operation).await;
    }
    let bound = record.bindings().await;
    record.statements(&bound).await;
    record.feed().await;
    let (bought, transferred) = (record.ticket.clone(), record.transfer.clone());
    record.ticket = record.spare_ticket().await;
    record.market().await;
    (record.ticket, record.transfer) = (bought, transferred);
    record.transfers().await;
    record.closed_market().await;
    record.gates().await;
    for (name, operation) in operations() {
        for status in operation["responses"].as_object().unwrap().keys() {
            let key = (name.clone(), status.clone());
            assert!(record.seen.contains(&key), "{name} never answered {status}");
        }
    }
    let described = description()["components"]["schemas"]["ProblemType"]["enum"].clone();
    let described: BTreeSet<String> = serde_json::from_value(described).unwrap();
    record.problems.insert(OUT_OF_REACH.to_owned());
    assert_eq!(record.problems, described);
}

#[test]
fn every_example_is_what_it_is_an_example_of() {
    let mut bodies = 0;
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        let bodies_of = responses.values().map(resolve).chain([operation["requestBody"].clone()]);
        for content in bodies_of.filter_map(|body| body["content"].as_object().cloned()) {
            for media in content.values() {
                let validator = validator(&media["schema"]);
                for example in examples(media) {
                    assert!(validator.is_valid(&example), "{name}: {example}");
                    bodies += 1;
                }
            }
        }
    }
    assert!(bodies > 40, "only {bodies} examples");
}

#[test]
fn the_description_refuses_what_it_shall() {
    let schema = |name: &str| validator(&json!({"$ref": format!("#/components/schemas/{name}")}));
    let device_key = Device::new().public();
    let good = json!({"ticket_id": "1", "device_key": device_key});
    assert!(schema("Binding").is_valid(&good));
    assert!(!schema("Binding").is_valid(&json!({"ticket_id": 1, "device_key": device_key})));
    assert!(!schema("Binding").is_valid(&json!({"ticket_id": "1", "device_key": format!("{device_key}=")})));
    assert!(!schema("Bindings").is_valid(&json!(vec![good; 101])));
    let problem = |kind: &str| json!({"type": kind, "title": "t", "status": 409});
    assert!(schema("Problem").is_valid(&problem("urn:ticket-wallet:problem:superseded")));
    assert!(!schema("Problem").is_valid(&problem("about:blank")));
    assert!(!schema("Problem").is_valid(&problem("urn:ticket-wallet:problem:transfer-ended")));
    let removed = json!({"id": 1, "organizer_id": 101, "deleted": true});
    let page = |item: &Value| json!({"items": [item], "cursor": "1-1", "more": false});
    assert!(schema("Changes").is_valid(&page(&removed)));
    assert!(!schema("Changes").is_valid(&page(&json!({"id": 1, "deleted": true}))));
    assert!(!schema("Changes").is_valid(&page(&json!({"id": 1, "status": "issued"}))));
    let discovery =
        |features: Value| json!({"version": 1, "base": "/w", "features": features, "issuer_keys": []});
    assert!(schema("Discovery").is_valid(&discovery(json!(["tickets"]))));
    assert!(!schema("Discovery").is_valid(&discovery(json!(["credentials"]))));
}
