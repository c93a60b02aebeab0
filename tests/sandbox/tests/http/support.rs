//! A sandbox with a clock that stands still, a client, and devices that sign.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use ticket_wallet::barcode::{Credential, DeviceSignature, Purpose, statement_message};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// 15 January 2027, 08:00:00 UTC.
pub(crate) const START_S: i64 = 1_800_000_000;
pub(crate) const CLUB: &str = "nordhafen";
pub(crate) const THEATRE: &str = "eschenried";

/// A sandbox, its clock and a client.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    clock_s: Arc<AtomicI64>,
    keys: AtomicU32,
}

/// An answer whose body was read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The last part of a problem's type, having checked that it is a whole problem of its status.
    pub(crate) fn problem(&self) -> String {
        let body = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{body}");
        assert_eq!(body["status"], self.status.as_u16());
        let kind = body["type"].as_str().unwrap().strip_prefix("urn:ticket-wallet:problem:");
        kind.unwrap().to_owned()
    }
}

/// A request to make.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: Option<&'a str>,
    /// The literal header value.
    pub(crate) key: Option<String>,
    pub(crate) body: Option<Value>,
}

async fn answer(request: RequestBuilder) -> reqwest::Result<Answer> {
    let reply = request.send().await?;
    let (status, headers) = (reply.status(), reply.headers().clone());
    Ok(Answer { status, headers, text: reply.text().await? })
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let clock_s = Arc::new(AtomicI64::new(START_S));
        let shared = Arc::clone(&clock_s);
        let clock = Arc::new(move || shared.load(Ordering::SeqCst) * 1000);
        let mut config = SandboxConfig { clock, ..SandboxConfig::default() };
        change(&mut config);
        let sandbox = Sandbox::start(config).await.unwrap();
        Self { sandbox, client: client(), clock_s, keys: AtomicU32::new(0) }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock_s.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock_s.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn fault(&self, path_contains: &str, fault: Fault) {
        let path_contains = path_contains.to_owned();
        self.sandbox.fault(FaultRule { method: None, path_contains, skip: 0, times: 1, fault });
    }

    /// An idempotency key that was not used before, without quotes.
    pub(crate) fn new_key(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) async fn try_ask(&self, ask: Ask<'_>) -> reqwest::Result<Answer> {
        answer(self.request(ask)).await
    }

    fn request(&self, ask: Ask<'_>) -> RequestBuilder {
        let mut request = self.client.request(ask.method, format!("{}{}", self.sandbox.url(), ask.path));
        if let Some(token) = ask.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = ask.body {
            request = request.json(&body);
        }
        request
    }

    /// The same about a version of what is there.
    pub(crate) async fn ask_about(&self, ask: Ask<'_>, version: Option<i64>) -> Answer {
        let mut request = self.request(ask);
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        answer(request).await.unwrap()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        let path = path.to_owned();
        let ask = Ask { method: Method::GET, path, token: Some(token), key: None, body: None };
        self.try_ask(ask).await.unwrap()
    }

    /// Posts with a new idempotency key.
    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        let key = self.new_key();
        self.post_with_key(token, path, &key, body).await
    }

    pub(crate) async fn post_with_key(&self, token: &str, path: &str, key: &str, body: Value) -> Answer {
        let (path, key) = (path.to_owned(), Some(format!("\"{key}\"")));
        let ask = Ask { method: Method::POST, path, token: Some(token), key, body: Some(body) };
        self.try_ask(ask).await.unwrap()
    }

    pub(crate) async fn open(&self, path: &str, body: Value) -> Answer {
        let path = path.to_owned();
        let ask = Ask { method: Method::POST, path, token: None, key: None, body: Some(body) };
        self.try_ask(ask).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        let path = path.to_owned();
        let ask = Ask { method: Method::PUT, path, token: None, key: None, body: Some(body) };
        self.try_ask(ask).await.unwrap()
    }

    /// Asks for something with no token; tells whether no reply came.
    pub(crate) async fn open_lost(&self, path: &str) -> bool {
        let ask = Ask { method: Method::GET, path: path.to_owned(), token: None, key: None, body: None };
        self.try_ask(ask).await.is_err()
    }

    /// Signs a user in; returns access and refresh token.
    pub(crate) async fn sign_in(&self, user: usize) -> (String, String) {
        let user = &self.sandbox.users()[user];
        let login = json!({"username": user.name, "password": user.password});
        let data = self.open("/account/v1/auth/login", login).await.json()["data"].clone();
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        (text("token"), text("refresh_token"))
    }

    pub(crate) async fn token(&self) -> String {
        self.sign_in(0).await.0
    }

    /// Signs the organizer of a tenant in; returns access and refresh token.
    pub(crate) async fn organizer_session(&self, tenant: &str) -> (String, String) {
        let user = self.sandbox.organizers().iter().find(|user| user.tenant == tenant).unwrap();
        let login = json!({"username": user.name, "password": user.password, "organizer_id": tenant});
        let data = self.open("/account/v1/auth/login", login).await.json()["data"].clone();
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        (text("token"), text("refresh_token"))
    }

    pub(crate) async fn organizer(&self, tenant: &str) -> String {
        self.organizer_session(tenant).await.0
    }

    /// What an access token says.
    pub(crate) fn claims(&self, token: &str) -> Value {
        serde_json::from_slice(&BASE64.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    }

    /// Posts; tells whether no reply came.
    pub(crate) async fn post_lost(&self, token: &str, path: &str, body: Value) -> bool {
        let path = path.to_owned();
        let ask = Ask { method: Method::POST, path, token: Some(token), key: None, body: Some(body) };
        self.try_ask(ask).await.is_err()
    }

    /// Ids of the user's tickets of a tenant for which `keep` holds.
    pub(crate) async fn ids(&self, token: &str, tenant: &str, keep: impl Fn(&Value) -> bool) -> Vec<String> {
        let list = self.get(token, &format!("/t/{tenant}/event/v1/ticket")).await.json();
        let tickets = list["data"].as_array().unwrap();
        tickets.iter().filter(|ticket| keep(ticket)).map(|ticket| ticket["id"].to_string()).collect()
    }

    /// The club's tickets that may have a credential.
    pub(crate) async fn eligible(&self, token: &str) -> Vec<String> {
        self.ids(token, CLUB, is_eligible).await
    }

    /// Binds a ticket of the club; panics unless that succeeds.
    pub(crate) async fn bind(&self, token: &str, ticket: &str, device: &Device) -> Value {
        let answer = self.post(token, CREDENTIALS, binding(ticket, device)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

/// The change feed.
pub(crate) const FEED: &str = "/wallet/v1/tickets";

/// The club's credentials.
pub(crate) const CREDENTIALS: &str = "/t/nordhafen/wallet/v1/credentials";

pub(crate) fn is_eligible(ticket: &Value) -> bool {
    ticket["format"] == "SECURE" && (ticket["status"] == "issued" || ticket["status"] == "activated")
}

pub(crate) fn binding(ticket: &str, device: &Device) -> Value {
    json!({"ticket_id": ticket, "device_key": device.public()})
}

pub(crate) fn credential(reply: &Value) -> Credential {
    Credential::from_bytes(&BASE64.decode(reply["credential"].as_str().unwrap()).unwrap()).unwrap()
}

pub(crate) fn rfc3339(unix_s: i64) -> String {
    chrono::DateTime::from_timestamp(unix_s, 0).unwrap().to_rfc3339()
}

fn client() -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// Sends the head of a write and none of its body: the write is in progress until the stream is dropped.
pub(crate) async fn begin_write(
    world: &World,
    token: &str,
    path: &str,
    key: &str,
    length: usize,
) -> TcpStream {
    let address = world.sandbox.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: \"{key}\"\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    let seen = world.sandbox.requests().len();
    stream.write_all(head.as_bytes()).await.unwrap();
    while world.sandbox.requests().len() == seen {
        tokio::task::yield_now().await;
    }
    stream
}

/// A phone's P-256 key.
pub(crate) struct Device(EcdsaKeyPair);

impl Device {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        Self(pair.unwrap())
    }

    pub(crate) fn public(&self) -> String {
        BASE64.encode(self.0.public_key().as_ref())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let der = self.0.sign(&SystemRandom::new(), message).unwrap();
        DeviceSignature::from_der(der.as_ref()).unwrap().to_bytes()
    }

    /// The members of a statement about a bound ticket, signed at `at` for one idempotency key.
    pub(crate) fn statement(&self, purpose: Purpose, bound: &Value, at: i64, key: &str) -> Value {
        let seconds = u32::try_from(at).unwrap();
        let message = statement_message(purpose, &credential(bound), seconds, key).unwrap();
        let mut statement = json!({"at": rfc3339(at), "signature": BASE64.encode(self.sign(&message))});
        if purpose == Purpose::Renew {
            statement["credential"] = bound["credential"].clone();
        }
        statement
    }
}
