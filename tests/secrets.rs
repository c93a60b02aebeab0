//! Promise: no password, token, key or barcode is in what the library says of its values and of its errors.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/box_office.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod box_office;
#[path = "support/brands.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod brands;
#[path = "box_office/desk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod desk;
#[path = "secrets/echo.rs"]
mod echo;
#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/scanner.rs"]
mod scanner;
#[path = "secrets/systems.rs"]
mod systems;
#[path = "secrets/texpo.rs"]
mod texpo;
#[path = "secrets/ticketing.rs"]
mod ticketing;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use std::sync::{Arc, Mutex};

use phone::{Phone, TestClock, sandbox, sign_in, vault_in};
use scanner::Scanner;
use serde_json::Value;
use ticket_wallet::host::{
    HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError, SoftwareVault,
};
use ticket_wallet::model::{
    SignIn, StoredAccount, SystemConfig, TicketFilter, TicketSystem, Tokens, UnidyConfig,
};
use ticket_wallet::remote::Request;
use ticket_wallet::{Config, Wallet, WalletError, WalletListener, WalletState, diagnose_wallet};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};
use url::Url;

/// What no sandbox knows: a password that is wrong.
const WRONG_PASSWORD: &str = "wr0ng-passw0rd-Ü 7";

/// Every state that was told.
#[derive(Default)]
struct Heard(Mutex<Vec<WalletState>>);

impl WalletListener for Heard {
    fn on_state(&self, state: WalletState) {
        self.0.lock().unwrap().push(state);
    }
}

/// What a phone keeps for itself: the secrets in the file of its vault.
fn own_secrets(phone: &Phone) -> Vec<String> {
    fn add(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.len() >= 32 => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| add(item, found)),
            Value::Object(members) => members.values().for_each(|member| add(member, found)),
            _ => {}
        }
    }
    let file = std::fs::read(phone.folder.path().join("vault.json")).unwrap();
    let mut found = Vec::new();
    add(&serde_json::from_slice(&file).unwrap(), &mut found);
    assert!(!found.is_empty());
    found
}

/// Looks at everything that is on the phone; gives the texts of the barcodes that it shows.
fn look_around(phone: &Phone, seen: &mut Scanner) -> Vec<String> {
    let wallet = &phone.wallet;
    seen.look("Wallet", wallet);
    seen.take("accounts", wallet.accounts());
    seen.take("now", wallet.now());
    seen.take("diagnose", wallet.diagnose());
    seen.take("outbox", wallet.outbox(None));
    seen.take("transfers", wallet.transfers(None));
    seen.take("tickets_by_event", wallet.tickets_by_event(TicketFilter::default()));
    let mut codes = Vec::new();
    for ticket in seen.take("tickets", wallet.tickets(TicketFilter::default())).unwrap_or_default() {
        seen.take("ticket", wallet.ticket(ticket.id.clone()));
        codes.extend(seen.take("present", wallet.present(ticket.id, None)).map(|frame| frame.text));
    }
    codes
}

fn assert_no_leak(seen: &Scanner, secrets: &[String]) {
    assert!(secrets.len() > 3 && secrets.iter().all(|secret| secret.len() >= 8), "{}", secrets.len());
    assert_eq!(seen.leaks(secrets), Vec::<&str>::new());
}

#[tokio::test]
async fn no_value_says_a_secret() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 6, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    let (mut seen, heard) = (Scanner::default(), Arc::new(Heard::default()));
    let listening: Arc<Heard> = Arc::clone(&heard);
    let subscription = phone.wallet.subscribe(listening).unwrap();
    seen.look("Subscription", &subscription);
    seen.look("SignIn", &sign_in(&sandbox, 0));
    let account = seen.take("sign_in", phone.wallet.sign_in(sign_in(&sandbox, 0)).await).unwrap();
    let run = phone.wallet.start_sync(None);
    seen.look("SyncRun", &run);
    seen.take("run", run.run().await);
    let mut codes = look_around(&phone, &mut seen);
    assert!(!codes.is_empty());
    let shown = phone.signed_tickets();
    let (first, second) = (shown[0].id.clone(), shown[1].id.clone());
    let wallet = &phone.wallet;
    seen.take("save_ticket_holder", wallet.save_ticket_holder(first.clone(), r#"{"size":"M"}"#.to_owned()));
    seen.take("transfer", wallet.transfer(second.clone(), "ada@example.org".to_owned()));
    seen.take("surrender", wallet.surrender(first.clone()));
    seen.take("move_here", wallet.move_here(first.clone()));
    seen.take("pin", wallet.pin(first, true));
    seen.take("sync", wallet.sync(Some(account.id.clone())).await);
    seen.take("cancel_transfer", wallet.cancel_transfer(second));
    seen.take("rekey", wallet.rekey());
    seen.take("sync", wallet.sync(None).await);
    codes.extend(look_around(&phone, &mut seen));
    wallet.pause().await;
    seen.take("a paused call", wallet.accounts());
    seen.take("resume", wallet.resume());
    seen.take("a sign-out with changes", wallet.sign_out("nobody".to_owned(), false).await);
    seen.take("sign_out", wallet.sign_out(account.id, true).await);
    seen.look("WalletState", &*heard.0.lock().unwrap());
    assert!(seen.len() > 50 && heard.0.lock().unwrap().len() > 1);
    let secrets = [sandbox.secrets(), codes, own_secrets(&phone)].concat();
    assert_no_leak(&seen, &secrets);
}

/// Every kind of fault, as a part of a sync or of a sign-in.
fn faults() -> Vec<Fault> {
    let later = || "7".to_owned();
    vec![
        Fault::Unauthorized,
        Fault::TooMany { retry_after: later() },
        Fault::Unavailable { retry_after: later() },
        Fault::TruncatedJson,
        Fault::Reset,
        Fault::LostReply,
        Fault::ClockOff { seconds: 86_400 },
        Fault::DateText { text: "soon".to_owned() },
        Fault::RetryAfterOnSuccess { retry_after: later() },
        Fault::ServerError,
        Fault::Gone,
    ]
}

#[tokio::test]
async fn no_failure_says_a_secret() {
    let (mut seen, mut secrets) = (Scanner::default(), vec![WRONG_PASSWORD.to_owned()]);
    for path in [
        "/auth/login",
        "/auth/refresh",
        "/v1/ticket",
        "/organizer/",
        "/.well-known/",
        "/credentials",
        "/transfers",
    ] {
        for fault in faults() {
            let clock = TestClock::new();
            let config = SandboxConfig { tickets_per_user: 3, ..SandboxConfig::default() };
            let sandbox = sandbox(&clock, config).await;
            let phone = Phone::new(&clock);
            let what = format!("{fault:?} at {path}");
            let rule = FaultRule { method: None, path_contains: path.to_owned(), skip: 0, times: 9, fault };
            if path == "/auth/login" {
                sandbox.fault(rule);
                seen.take(&what, phone.wallet.sign_in(sign_in(&sandbox, 0)).await);
            } else {
                phone.sign_in(&sandbox, 0).await;
                if path == "/auth/refresh" {
                    sandbox.revoke_tokens().unwrap();
                }
                sandbox.fault(rule);
                seen.take(&what, phone.wallet.sync(None).await);
                if let Some(ticket) = phone.tickets().first() {
                    seen.take(&what, phone.wallet.transfer(ticket.id.clone(), "ada@example.org".to_owned()));
                    seen.take(&what, phone.wallet.sync(None).await);
                }
                seen.take(&what, phone.wallet.outbox(None));
            }
            secrets.extend(sandbox.secrets());
        }
    }
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    let wrong = SignIn { password: WRONG_PASSWORD.to_owned(), ..sign_in(&sandbox, 0) };
    seen.take("a wrong password", phone.wallet.sign_in(wrong).await);
    phone.sign_in(&sandbox, 0).await;
    sandbox.revoke_sessions().unwrap();
    seen.take("an ended session", phone.wallet.sync(None).await);
    misuse(&phone, &sandbox, &mut seen).await;
    damage(&phone, &mut seen);
    secrets.extend(sandbox.secrets());
    secrets.extend(own_secrets(&phone));
    assert!(seen.len() > 200, "{}", seen.len());
    assert_no_leak(&seen, &secrets);
}

/// Secrets in the place of what is no secret: the error names the field and not the value.
async fn misuse(phone: &Phone, sandbox: &Sandbox, seen: &mut Scanner) {
    let wallet = &phone.wallet;
    for secret in [WRONG_PASSWORD.to_owned(), sandbox.users()[0].password.clone()] {
        let text = || secret.clone();
        seen.take("a ticket's id", wallet.ticket(text()));
        seen.take("a ticket to present", wallet.present(text(), Some(text().into_bytes())));
        seen.take("a ticket to transfer", wallet.transfer(text(), text()));
        seen.take("answers", wallet.save_ticket_holder(text(), text()));
        seen.take("an edit", wallet.edit_write(1, text()));
        seen.take("an account to sync", wallet.sync(Some(text())).await);
        seen.take("an account to sign out", wallet.sign_out(text(), false).await);
        let good = sign_in(sandbox, 0);
        let port = good.config.url.rsplit(':').next().unwrap();
        let configs = [
            SystemConfig::at(text()),
            SystemConfig::at(format!("http://mira:{secret}@127.0.0.1:{port}")),
            SystemConfig::at(format!("http://{secret}")),
            SystemConfig { tenant_url: Some(text()), ..good.config.clone() },
            SystemConfig { extension_url: Some(text()), ..good.config.clone() },
            SystemConfig { relations: Some(format!("[{secret}")), ..good.config.clone() },
        ];
        for config in configs {
            seen.take("a configuration", wallet.sign_in(SignIn { config, ..good.clone() }).await);
        }
        let vault: Arc<SoftwareVault> = vault_in(phone.folder.path());
        let config = Config::in_folder(format!("/dev/null/{}", "folder"));
        seen.take("a folder", Wallet::open(config, vault, None, None));
    }
}

/// Wallets that do not open.
fn damage(phone: &Phone, seen: &mut Scanner) {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(phone.folder.path()).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let config = || Config { send_by_itself: false, ..Config::in_folder(copy.path().to_str().unwrap()) };
    for name in ["wallet.db", "wallet.kcv", "wallet.key", "vault.json"] {
        let path = copy.path().join(name);
        let before = std::fs::read(&path).unwrap();
        for bytes in [vec![7; before.len()], before[..before.len() / 2].to_vec(), Vec::new()] {
            std::fs::write(&path, bytes).unwrap();
            let vault = vault_in(copy.path());
            let opened: Result<Wallet, WalletError> = Wallet::open(config(), vault.clone(), None, None);
            seen.take(name, opened);
            seen.look(name, &diagnose_wallet(config(), vault, None));
        }
        std::fs::write(&path, before).unwrap();
    }
}

/// Types that hold secrets and are handed to or by an app.
#[test]
fn no_type_that_holds_a_secret_says_it() {
    let secrets: Vec<String> = (1..=9).map(|n| format!("s3cret-number-{n}")).collect();
    let [a, b, c, d, e, f, g, h, i] = &*secrets else { panic!() };
    let mut seen = Scanner::default();
    let config = SystemConfig {
        unidy: Some(UnidyConfig {
            sdk_key: Some(a.clone()),
            client_secret: Some(b.clone()),
            ..UnidyConfig::default()
        }),
        ..SystemConfig::at("https://brand.example.org")
    };
    let tokens = Tokens {
        access: c.clone().into(),
        refresh: Some(d.clone().into()),
        session_id: Some(e.clone().into()),
    };
    let account = StoredAccount {
        id: "1".to_owned(),
        system: TicketSystem::Unidy,
        config: config.clone(),
        user_name: "mira".to_owned(),
        tokens: Some(tokens.clone()),
    };
    let sign_in = SignIn {
        system: TicketSystem::Unidy,
        config: config.clone(),
        user_name: "mira".to_owned(),
        password: f.clone(),
    };
    let header = || HttpHeader { name: "Authorization".to_owned(), value: format!("Bearer {g}") };
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: format!("https://brand.example.org/?code={h}"),
        headers: vec![header()],
        body: Some(i.clone().into_bytes()),
        timeout_ms: 1,
        max_reply_bytes: 1,
        pins: vec![],
    };
    let response = HttpResponse { status: 200, headers: vec![header()], body: i.clone().into_bytes() };
    seen.look("SystemConfig", &config);
    seen.look("Tokens", &tokens);
    seen.look("StoredAccount", &account);
    seen.look("SignIn", &sign_in);
    seen.look("HttpHeader", &header());
    seen.look("HttpRequest", &request);
    seen.look("HttpResponse", &response);
    seen.look("SoftwareVault", &SoftwareVault::new("/nowhere".to_owned()));
    assert_no_leak(&seen, &secrets);
    // The control: these are the secrets that a `Debug` of all fields would say.
    let told = format!("{} {:?} {:?}", sign_in.password, tokens.access, request.body);
    let mut all = Scanner::default();
    all.look("all", &told);
    assert_eq!(all.leaks(&secrets).len(), 1);
}

/// An app whose transport says in its error what it was given.
struct Chatty;

impl HttpTransport for Chatty {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let body = String::from_utf8(request.body.unwrap_or_default()).unwrap();
        Err(HttpTransportError::Failed { reason: format!("{} {body}", request.url) })
    }
}

/// The control: each way to a scanner is open, and a planted secret is noticed in every form.
#[tokio::test]
async fn a_planted_secret_is_noticed() {
    #[derive(Debug)]
    struct Careless {
        _password: String,
    }
    let secret = "c4reless Passwörd\n\"7\"";
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtaXJhIn0xMjM0.c2lnbmF0dXJlLW9mLXRva2Vu";
    let encoded = scanner::forms(secret).into_iter().chain(scanner::forms(token));
    for form in encoded {
        let mut seen = Scanner::default();
        seen.look("text", &"nothing");
        seen.hear("error", &WalletError::Internal { reason: format!("… {form} …") });
        assert!(!seen.leaks(&[secret.to_owned(), token.to_owned()]).is_empty(), "{form}");
        assert!(seen.leaks(&["another-secret".to_owned()]).is_empty());
    }
    let mut seen = Scanner::default();
    seen.look("Careless", &Careless { _password: secret.to_owned() });
    seen.look("bytes", &token.as_bytes());
    assert_eq!(seen.leaks(&[secret.to_owned(), token.to_owned()]).len(), 2);
    // What an app's own transport says is the app's; here it shows that errors are looked into.
    let phone = Phone::over(&TestClock::new(), Arc::new(Chatty));
    let mut chatty = box_office::BoxOffice::open(box_office::Lies::default()).sign_in();
    chatty.password = WRONG_PASSWORD.to_owned();
    let mut seen = Scanner::default();
    seen.take("a chatty transport", phone.wallet.sign_in(chatty).await);
    assert_eq!(seen.leaks(&[WRONG_PASSWORD.to_owned()]).len(), 2);
    let request = Request::get(Url::parse("https://api.example.org").unwrap(), "GET it");
    assert!(request.headers.is_empty());
}
