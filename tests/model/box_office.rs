//! The server's side, asked and changed by plain HTTP: what the wallet under test must agree with.

use std::collections::BTreeMap;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use ticket_wallet_sandbox::Sandbox;

use crate::tenants::subject;

/// What a server's ticket is compared by: its record without what times and formats add.
pub(crate) type Listed = BTreeMap<String, (Value, Value)>;

pub(crate) fn listed(records: impl Iterator<Item = Value>) -> Listed {
    records
        .map(|record| {
            let answers = record["ticket_holder"]["response"].clone();
            (subject(&record), (json!([record["status"], record["seat_id"]]), answers))
        })
        .collect()
}

/// A user's own access to the server, beside the wallet.
pub(crate) struct Visitor<'a> {
    sandbox: &'a Sandbox,
    client: &'a Client,
    token: String,
}

impl<'a> Visitor<'a> {
    /// `None` when a fault struck.
    pub(crate) async fn sign_in(sandbox: &'a Sandbox, client: &'a Client, user: usize) -> Option<Self> {
        let user = &sandbox.users()[user];
        let visitor = Self { sandbox, client, token: String::new() };
        let body = json!({ "username": user.name, "password": user.password });
        let reply = visitor.ask(Method::POST, "/account/v1/auth/login", Some(body)).await?;
        Some(Self { token: reply["data"]["token"].as_str()?.to_owned(), ..visitor })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let url = format!("{}{path}", self.sandbox.url());
        let request = self.client.request(method, url).bearer_auth(&self.token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        request.send().await.ok()?.json().await.ok()
    }

    /// Waits until the server has dealt with what it got before.
    pub(crate) async fn knock(sandbox: &'a Sandbox, client: &'a Client) {
        let visitor = Self { sandbox, client, token: String::new() };
        visitor.ask(Method::GET, "/sandbox/requests", None).await.unwrap();
    }

    /// All tickets of the user.
    pub(crate) async fn tickets(&self) -> Option<Listed> {
        let path = "/v1/ticket?limit=100&with=%5Bticket_config.%5Bevent%5D,ticket_holder%5D";
        let reply = self.ask(Method::GET, path, None).await?;
        Some(listed(reply["data"].as_array()?.iter().cloned()))
    }

    /// Answers about a ticket's holder, in place of what is there; whether it came through is not told.
    pub(crate) async fn answer(&self, subject: &str, dish: &str) {
        let (tenant, id) = subject.split_once('/').unwrap();
        let path = format!("/t/{tenant}/event/v1/ticket/{id}/ticket_holder");
        let there = self.ask(Method::GET, &path, None).await.unwrap_or_default();
        let body = Some(json!({ "response": { "dish": dish } }));
        match there["data"][0]["id"].as_i64() {
            None => self.ask(Method::POST, &path, body).await,
            Some(holder) => self.ask(Method::PATCH, &format!("{path}/{holder}"), body).await,
        };
    }
}
