//! The extension's answers against `openapi/extension.json`: every operation, every status, every kind of problem.

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet::barcode::Purpose;
use ticket_wallet_sandbox::Fault;

use crate::support::{Answer, Ask, CLUB, Device, START_S, THEATRE, World, begin_write, binding};

/// A problem that takes 65535 generations of one ticket to see.
const OUT_OF_REACH: &str = "urn:ticket-wallet:problem:generations-used-up";

const DISCOVERY: &str = "/.well-known/ticket-wallet";
const BIND: &str = "/wallet/v1/credentials";
const RENEW_MANY: &str = "/wallet/v1/credentials/renew";
const RENEW: &str = "/wallet/v1/credentials/{ticket_id}/renew";
const SURRENDER: &str = "/wallet/v1/credentials/{ticket_id}/surrender";

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
    device: Device,
    /// Operation and status.
    seen: BTreeSet<(String, String)>,
    problems: BTreeSet<String>,
}

impl Record {
    async fn start() -> Self {
        let world = World::start().await;
        let token = world.token().await;
        let ticket = world.eligible(&token).await.remove(0);
        let (device, seen, problems) = (Device::new(), BTreeSet::new(), BTreeSet::new());
        Self { world, token, ticket, device, seen, problems }
    }

    fn path(&self, tenant: &str, operation: &str) -> String {
        format!("/t/{tenant}{}", operation.replace("{ticket_id}", &self.ticket))
    }

    /// Holds an answer against the description.
    fn check(&mut self, method: &str, operation: &str, answer: &Answer) {
        let status = answer.status.as_str();
        let place = format!("{method} {operation} {status}");
        let responses = &description()["paths"][operation][method]["responses"];
        let response = resolve(&responses[status]);
        assert!(response["description"].is_string(), "{place} is not described: {}", answer.text);
        if let Some(content) = response["content"].as_object() {
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
    for operation in [BIND, RENEW_MANY, RENEW, SURRENDER] {
        record.common_refusals(operation).await;
    }
    let bound = record.bindings().await;
    record.statements(&bound).await;
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
}
