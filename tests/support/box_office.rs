//! A ticketing server of two tickets on a tiny server: honest unless a test makes it lie.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use ticket_wallet::model::{SignIn, SystemConfig, TicketSystem, UnidyConfig};
use ticket_wallet::{CredentialRequest, Issuer};

use crate::phone::TODAY_MS;
use crate::tiny_server::{Answer, Asked, TinyServer};

pub(crate) const TODAY: u32 = (TODAY_MS / 1000) as u32;
pub(crate) const TENANT: &str = "org1";
const EVENT: u32 = 9;
/// The second from which on a credential is renewed, after it was signed.
pub(crate) const RENEW_AFTER_S: u32 = 1000;

/// What an answer to a binding or renewal holds, made of what was asked for.
pub(crate) type Sign = Box<dyn Fn(CredentialRequest) -> Vec<u8> + Send>;

/// What is answered to a request in the place of the honest answer.
type Lie = Box<dyn Fn(&Asked) -> Option<Answer> + Send>;

/// What the server answers to each request.
type Answering = Box<dyn Fn(&Asked) -> Answer + Send>;

/// What the server answers. `None` leaves the honest answer.
#[derive(Default)]
pub(crate) struct Lies {
    /// In the place of the whole answer to a request.
    pub(crate) answer: Option<Lie>,
    /// Signs the credential of each ticket asked for.
    pub(crate) sign: Option<Sign>,
    /// The tenant that the organizer names.
    pub(crate) tenant: Option<String>,
    /// The extension's base.
    pub(crate) base: Option<String>,
}

pub(crate) struct BoxOffice {
    server: TinyServer,
    lies: Arc<Mutex<Lies>>,
    system: TicketSystem,
}

/// The issuer whose key the discovery names.
pub(crate) fn issuer() -> Issuer {
    Issuer::new(vec![1; 32]).unwrap()
}

impl BoxOffice {
    pub(crate) fn open(lies: Lies) -> Self {
        Self::open_over(lies, |answer| TinyServer::start(answer))
    }

    /// A Unidy brand in its place: two tickets as well, which can be had as documents.
    pub(crate) fn open_brand(lies: Lies) -> Self {
        Self::serve(TicketSystem::Unidy, lies, |answer| TinyServer::start(answer))
    }

    /// A brand whose server the test starts.
    pub(crate) fn open_brand_over(lies: Lies, start: impl FnOnce(Answering) -> TinyServer) -> Self {
        Self::serve(TicketSystem::Unidy, lies, start)
    }

    /// One whose server the test starts.
    pub(crate) fn open_over(lies: Lies, start: impl FnOnce(Answering) -> TinyServer) -> Self {
        Self::serve(TicketSystem::Bam, lies, start)
    }

    fn serve(system: TicketSystem, lies: Lies, start: impl FnOnce(Answering) -> TinyServer) -> Self {
        let lies = Arc::new(Mutex::new(lies));
        let told = Arc::clone(&lies);
        let server = start(Box::new(move |asked| {
            let lies = told.lock().unwrap();
            let lie = lies.answer.as_ref().and_then(|answer| answer(asked));
            lie.unwrap_or_else(|| match system {
                TicketSystem::Bam => Answer::ok(answer(asked, &lies).to_string()),
                _ => brand_answer(asked),
            })
        }));
        Self { server, lies, system }
    }

    pub(crate) fn lie(&self, lies: Lies) {
        *self.lies.lock().unwrap() = lies;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// How many bytes went out so far.
    pub(crate) fn sent(&self) -> u64 {
        self.server.sent()
    }

    pub(crate) fn sign_in(&self) -> SignIn {
        let mut config = SystemConfig::at(self.server.url());
        if self.system == TicketSystem::Unidy {
            let sdk_key = Some("sdk-key".to_owned());
            config.unidy = Some(UnidyConfig { sdk_key, ..UnidyConfig::default() });
        }
        SignIn { system: self.system, config, user_name: "mira".to_owned(), password: "pw".to_owned() }
    }
}

fn answer(asked: &Asked, lies: &Lies) -> Value {
    let path = asked.path.split('?').next().unwrap();
    let base = format!("/t/{TENANT}/wallet/v1");
    if path.ends_with("/auth/login") || path.ends_with("/auth/refresh") {
        json!({ "data": { "token": "t", "refresh_token": "r" } })
    } else if path == "/v1/ticket" {
        let tickets = [ticket(1), ticket(2)];
        json!({ "data": tickets, "paging": { "limit": 100, "offset": 0, "total": 2 } })
    } else if path.starts_with("/account/v1/organizer/") {
        json!({ "data": { "organization_name": lies.tenant.as_deref().unwrap_or(TENANT) } })
    } else if path.ends_with("/.well-known/ticket-wallet") {
        json!({
            "version": 1, "base": lies.base.as_ref().unwrap_or(&base), "features": ["credentials"],
            "issuer_keys": [BASE64URL.encode(issuer().public_key())],
        })
    } else if path.ends_with("/qrcode") {
        json!({ "data": {} })
    } else {
        let items = asked.json();
        items.as_array().unwrap().iter().map(|item| issued(asked, item, lies)).collect()
    }
}

fn brand_answer(asked: &Asked) -> Answer {
    let path = asked.path.split('?').next().unwrap();
    let session = json!({ "jwt": "t.t.t", "refresh_token": "r" });
    let json = match path {
        "/api/sdk/v1/sign_ins" => json!({ "sid": "s", "status": "pending_verification" }),
        _ if path.starts_with("/api/sdk/v1/sign_ins/") => session,
        "/api/sdk/v1/tickets" => {
            let tickets = ["1", "2"].map(|id| json!({ "id": id, "title": "Derby", "state": "active" }));
            json!({ "meta": { "count": 2, "page": 1, "limit": 250, "last": 1 }, "results": tickets })
        }
        _ if path.ends_with("/export_link") => {
            json!({ "url": format!("/documents/1.{}", asked.json()["format"].as_str().unwrap()), "expires_in": 300 })
        }
        "/documents/1.pdf" => return Answer::ok("%PDF-1.7"),
        "/documents/1.pkpass" => return Answer::ok("PK\u{3}\u{4}"),
        _ => return Answer::ok("{}").of_status(404),
    };
    Answer::ok(json.to_string())
}

/// A ticket of an event tomorrow.
pub(crate) fn ticket(id: u32) -> Value {
    json!({
        "id": id, "status": "issued", "format": "SECURE",
        "ticket_config": {
            "name": "Erwachsene",
            "event": { "id": EVENT, "name": "Derby", "organizer_id": 7, "start_at": "2026-11-22T18:30:00.000Z" },
        },
    })
}

/// Bound to the device key that was sent; renewed for the one in the credential that was sent.
fn issued(asked: &Asked, item: &Value, lies: &Lies) -> Value {
    let bytes = |name: &str| BASE64URL.decode(item[name].as_str().unwrap()).unwrap();
    let held = item["credential"].as_str().map(|_| bytes("credential"));
    let device_key = held.as_ref().map_or_else(
        || bytes("device_key"),
        |held| {
            ticket_wallet::barcode::Credential::from_bytes(held)
                .unwrap()
                .device_key()
                .unwrap()
                .to_x963()
                .to_vec()
        },
    );
    let now = TODAY + if held.is_some() { RENEW_AFTER_S + 1 } else { 0 };
    let request = CredentialRequest {
        provider: format!("bam:{}/{TENANT}", asked.host),
        event_id: EVENT.to_string(),
        ticket_id: item["ticket_id"].as_str().unwrap().to_owned(),
        section: 0,
        generation: 5,
        not_before: now - 3600,
        lease_end: now + 86_400,
        window_s: 30,
        nonce_required: false,
        device_key,
    };
    let credential = lies
        .sign
        .as_ref()
        .map_or_else(|| issuer().credential(request.clone()).unwrap(), |sign| sign(request.clone()));
    let renew_after = chrono::DateTime::from_timestamp((now + RENEW_AFTER_S).into(), 0).unwrap();
    json!({
        "ticket_id": request.ticket_id, "credential": BASE64URL.encode(credential), "generation": 5,
        "renew_after": renew_after.to_rfc3339(),
    })
}
