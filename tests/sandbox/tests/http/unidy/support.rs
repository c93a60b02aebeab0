//! Clients of Unidy.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use ticket_wallet_sandbox::{SandboxConfig, UnidyBrand, UnidyChoices};

use crate::support::{Answer, World};

/// Names of the users.
pub(crate) const MIRA: &str = "mira@example.org";
pub(crate) const JONAS: &str = "jonas@example.org";

/// A world and one of its brands.
pub(crate) struct Club {
    pub(crate) world: World,
    pub(crate) brand: UnidyBrand,
}

/// Somebody who is signed in with the SDK API.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) sid: String,
    pub(crate) jwt: String,
    pub(crate) refresh_token: String,
}

impl Session {
    pub(crate) fn read(reply: &Value) -> Self {
        let text = |name: &str| reply[name].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
        Self { sid: text("sid"), jwt: text("jwt"), refresh_token: text("refresh_token") }
    }
}

impl Club {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let world = World::start_with(change).await;
        let brand = world.sandbox.unidy().unwrap().brands[0].clone();
        Self { world, brand }
    }

    /// The other brand of the same world.
    pub(crate) fn other(&self) -> UnidyBrand {
        self.world.sandbox.unidy().unwrap().brands[1].clone()
    }

    pub(crate) fn choose(&self, change: impl FnOnce(&mut UnidyChoices)) {
        let mut choices = self.world.sandbox.unidy_choices();
        change(&mut choices);
        self.world.sandbox.set_unidy_choices(choices);
    }

    pub(crate) fn password(&self, user: &str) -> String {
        let users = self.world.sandbox.users();
        users.iter().find(|known| known.name == user).unwrap().password.clone()
    }

    /// A request to the brand.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.world.client.request(method, format!("{}{path}", self.brand.url))
    }

    /// A request of the SDK, in the name of somebody.
    pub(crate) fn sdk(&self, method: Method, path: &str, jwt: Option<&str>) -> RequestBuilder {
        let request = self.request(method, &format!("/api/sdk/v1{path}")).bearer_auth(&self.brand.sdk_key);
        match jwt {
            Some(jwt) => request.header("x-id-token", jwt),
            None => request,
        }
    }

    pub(crate) async fn get(&self, jwt: &str, path: &str) -> Answer {
        answer(self.sdk(Method::GET, path, Some(jwt))).await
    }

    pub(crate) async fn post(&self, jwt: &str, path: &str, body: Value) -> Answer {
        answer(self.sdk(Method::POST, path, Some(jwt)).json(&body)).await
    }

    /// Posts with the SDK key alone.
    pub(crate) async fn open(&self, path: &str, body: Value) -> Answer {
        answer(self.sdk(Method::POST, path, None).json(&body)).await
    }

    /// Signs a user in by password.
    pub(crate) async fn session(&self, user: &str) -> Session {
        let created = self.open("/sign_ins", json!({"email": user})).await.json();
        let path = format!("/sign_ins/{}/authenticate", created["sid"].as_str().unwrap());
        let proof = json!({"password": self.password(user)});
        Session::read(&self.open(&path, proof).await.json())
    }

    pub(crate) async fn jwt(&self, user: &str) -> String {
        self.session(user).await.jwt
    }

    /// All tickets of the user, over all pages.
    pub(crate) async fn tickets(&self, jwt: &str) -> Vec<Value> {
        let list = self.get(jwt, "/tickets?limit=250").await.json();
        assert_eq!(list["meta"]["next"], Value::Null, "more than a page");
        list["results"].as_array().unwrap().clone()
    }

    /// A ticket of the user by the reference that it bears.
    pub(crate) async fn ticket(&self, jwt: &str, reference: &str) -> Value {
        let tickets = self.tickets(jwt).await;
        let found = tickets.into_iter().find(|ticket| ticket["reference"] == reference);
        found.unwrap_or_else(|| panic!("no ticket {reference}"))
    }
}

/// The answer to a request, its body read.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let reply = request.send().await.unwrap();
    let (status, headers): (_, HeaderMap) = (reply.status(), reply.headers().clone());
    Answer { status, headers, text: reply.text().await.unwrap() }
}

/// The status and the name of an error.
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let name = body["error_identifier"].as_str().or(body["error"].as_str());
    (answer.status.as_u16(), name.unwrap_or_else(|| panic!("no error: {body}")).to_owned())
}

/// What an error's name and status are told as.
pub(crate) fn error(status: u16, name: &str) -> (u16, String) {
    (status, name.to_owned())
}
