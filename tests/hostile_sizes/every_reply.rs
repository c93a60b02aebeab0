//! Every reply of every system that something is read from: whatever it holds, the caller gets a bounded, typed answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{
    AdmissionOrder, AdmissionQuery, GroupOrder, ProductFields, Reservation, ReservationItem, SectionCount,
    SystemConfig, TexpoConfig, TicketingAccess, TicketingConfig, TokenQuery, Tokens, UnidyApi, UnidyConfig,
    UnidyGrant,
};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::bam::{Bam, TicketQuery};
use ticket_wallet::remote::texpo::Texpo;
use ticket_wallet::remote::ticketing::{
    AccountTicketQuery, EventTicketQuery, OrderQuery, PageQuery, Ticketing, TransferRole,
};
use ticket_wallet::remote::unidy::{ExportFormat, Secret, TicketChange, Unidy, UnidyTicketQuery};

use crate::client;
use crate::phone::TestClock;
use crate::tiny_server::{Answer, Asked, TinyServer};
use crate::{Case, HEAD, MIB, case, endless, items, nested};

const TENANT: Option<&str> = Some("org1");

/// Clients of one server, which answers what is asked with what the test wants.
struct World {
    bam: Bam,
    sdk: Unidy,
    partner: Unidy,
    /// With which people sign in in the browser.
    code: Unidy,
    ticketing: Ticketing,
    by_key: Ticketing,
    texpo: Texpo,
    session: Session,
    server: TinyServer,
    answers: Arc<Mutex<Answers>>,
}

/// What is answered, and what in its place to requests for a path.
#[derive(Default)]
struct Answers {
    answer: Option<Answer>,
    honest: Vec<(&'static str, Answer)>,
}

impl Answers {
    fn to(&self, asked: &Asked) -> Answer {
        let honest = self.honest.iter().find(|(path, _)| asked.path == *path).map(|(_, answer)| answer);
        honest.or(self.answer.as_ref()).cloned().unwrap_or_else(|| Answer::status(404))
    }
}

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// A request to a system.
struct Call {
    name: &'static str,
    send: for<'a> fn(&'a World) -> Outcome<'a>,
    /// Whether its answer means something. Of a write, the status may be all that counts.
    is_read: bool,
}

macro_rules! calls {
    ($is_read:literal: $($name:literal => |$world:ident| $call:expr;)*) => {
        vec![$(Call {
            name: $name,
            send: |$world| Box::pin(async move { $call.await.map(|_| ()) }),
            is_read: $is_read,
        }),*]
    };
}

/// Those whose answers are read.
fn read() -> Vec<Call> {
    let mut all = bam();
    all.extend(unidy());
    all.extend(ticketing());
    all.extend(texpo());
    all
}

fn bam() -> Vec<Call> {
    calls! { true:
        "B.A.M sign-in" => |w| w.bam.login("mira", "pw");
        "reserve" => |w| w.bam.reserve(&w.session, &reservation());
        "send-group" => |w| w.bam.send_group(&w.session, &group());
        "reserved tickets" => |w| w.bam.reserved_tickets(&w.session, TENANT, 9);
        "the state of a ticket" => |w| w.bam.office_ticket(&w.session, (TENANT, "1"));
        "a tenant's name" => |w| w.bam.tenant_of(&w.session, Some(7));
        "tickets" => |w| w.bam.tickets(&w.session, &TicketQuery::default());
        "a tenant's tickets" => |w| w.bam.tenant_tickets(&w.session, TENANT, &TicketQuery::default());
        "a ticket" => |w| w.bam.ticket(&w.session, (TENANT, "1"));
        "a ticket of the ledger" => |w| w.bam.ticket_by_ledger_id(&w.session, (TENANT, "1"));
        "a code" => |w| w.bam.qr_code(&w.session, (TENANT, "1"));
        "a static code" => |w| w.bam.static_code(&w.session, (TENANT, "1"));
        "an event's key" => |w| w.bam.event_public_key(&w.session, TENANT, "7", "9");
        "a holder" => |w| w.bam.ticket_holder(&w.session, (TENANT, "1"));
        "questions" => |w| w.bam.holder_questions(&w.session, (TENANT, "1"), Some("2"));
        "answers, the first" => |w| w.bam.save_ticket_holder(&w.session, (TENANT, "1"), None, &json!({}));
        "answers" => |w| w.bam.save_ticket_holder(&w.session, (TENANT, "1"), Some("2"), &json!({}));
        "orders" => |w| w.bam.orders(&w.session, TENANT);
        "an order" => |w| w.bam.order(&w.session, (TENANT, "1"));
        "an order's file" => |w| w.bam.download_tickets(&w.session, (TENANT, "1"));
        "offers" => |w| w.bam.own_offers(&w.session, TENANT);
        "a certificate" => |w| w.bam.enroll(&w.session);
        "another certificate" => |w| w.bam.renew_certificate(&w.session);
    }
}

fn unidy() -> Vec<Call> {
    calls! { true:
        "the step of a sign-in" => |w| w.sdk.start("mira@example.org");
        "a sent code" => |w| w.sdk.send_code("sid");
        "a shown password" => |w| w.sdk.authenticate("sid", Secret::Password("pw"));
        "a Unidy list" => |w| w.sdk.tickets(&w.session, &UnidyTicketQuery::default());
        "a Unidy ticket" => |w| w.sdk.ticket(&w.session, "1");
        "a link to a document" => |w| w.sdk.export_link(&w.session, "1", ExportFormat::Pdf);
        "Unidy transfers" => |w| w.sdk.transfers(&w.session);
        "a begun transfer" => |w| w.sdk.create_transfer(&w.session, "1", "ada@example.org");
        "an accepted transfer" => |w| w.sdk.accept_transfer(&w.session, "t");
        "a declined transfer" => |w| w.sdk.decline_transfer(&w.session, "t");
        "a cancelled transfer" => |w| w.sdk.cancel_transfer(&w.session, "t");
        "a partner's list" => |w| w.partner.tickets(&w.session, &UnidyTicketQuery::default());
        "a partner's ticket" => |w| w.partner.ticket(&w.session, "1");
        "a created ticket" => |w| w.partner.create_ticket(&w.session, &TicketChange::default());
        "an updated ticket" => |w| w.partner.update_ticket(&w.session, "1", &TicketChange::default());
        "categories" => |w| w.partner.categories(&w.session, 1);
        "a category" => |w| w.partner.category(&w.session, "1");
        "OAuth discovery" => |w| w.partner.authorization_server();
    }
}

fn ticketing() -> Vec<Call> {
    calls! { true:
        "a TickeTing session" => |w| w.ticketing.start_session("mira", "pw");
        "the active session" => |w| w.ticketing.active_session(&w.session);
        "an event" => |w| w.by_key.event(&w.session, "9");
        "an account's tickets" => |w| w.by_key.account_tickets(&w.session, &AccountTicketQuery::default());
        "a pull" => |w| w.by_key.pull(&w.session, 100, 0);
        "an event's tickets" => |w| w.by_key.event_tickets(&w.session, "9", EventTicketQuery::default());
        "an issued token" => |w| w.by_key.issue_token(&w.session, "9", &sections());
        "tokens" => |w| w.by_key.tokens(&w.session, "9", &TokenQuery::default());
        "a token" => |w| w.by_key.token(&w.session, "9", "1");
        "an updated token" => |w| w.by_key.update_token(&w.session, "9", "1", &sections());
        "a code looked up" => |w| w.by_key.look_up_code(&w.session, "12345");
        "an admission" => |w| w.by_key.admit(&w.session, &admission());
        "admissions" => |w| w.by_key.admissions(&w.session, "9", &AdmissionQuery::default());
        "an account looked up" => |w| w.by_key.look_up_account(&w.session, "ada", None);
        "a transfer begun" => |w| w.by_key.start_transfer(&w.session, "/accounts/1", "/accounts/2", &counts());
        "a transfer" => |w| w.by_key.transfer(&w.session, "/transfers/1");
        "transfers" => |w| w.by_key.transfers(&w.session, TransferRole::Sender, None, PageQuery::default());
        "transfers like one" => |w| w.by_key.sent_like(&w.session, "/accounts/2", &counts());
        "a placed order" => |w| w.by_key.place_order(&w.session, None, &counts());
        "TickeTing orders" => |w| w.by_key.orders(&w.session, &OrderQuery::default());
        "a TickeTing order" => |w| w.by_key.order(&w.session, "1");
    }
}

fn texpo() -> Vec<Call> {
    calls! { true:
        "a TEXPO sign-in" => |w| w.texpo.login("mira", "pw");
        "a check of the session" => |w| w.texpo.check(&w.session);
        "the catalogue" => |w| w.texpo.products(&w.session);
        "a created entry" => |w| async {
            let product = w.texpo.new_product("p", &ProductFields::default())?;
            w.texpo.create_product(&w.session, &product).await
        };
        "an updated entry" => |w| async {
            let product = w.texpo.new_product("p", &ProductFields::default())?;
            w.texpo.update_product(&w.session, &product).await
        };
        "a deleted entry" => |w| w.texpo.delete_product(&w.session, "p");
        "tickets to buy" => |w| w.texpo.purchasable(&w.session);
        "bought tickets" => |w| w.texpo.purchased(&w.session);
        "a bought ticket's PDF" => |w| w.texpo.document(&w.session, "1");
        "the end of a TEXPO session" => |w| w.texpo.sign_out(&client::tokens("s"));
    }
}

/// Those of which a success is all that counts.
fn done() -> Vec<Call> {
    calls! { false:
        "free" => |w| w.bam.free(&w.session, TENANT, &["1".to_owned()]);
        "issue" => |w| w.bam.issue(&w.session, TENANT, &["1".to_owned()]);
        "an order sent again" => |w| w.bam.email_tickets(&w.session, (TENANT, "1"));
        "whether a ticket is gone" => |w| w.bam.is_gone(&w.session, (TENANT, "1"));
        "a deleted ticket" => |w| w.partner.delete_ticket(&w.session, "1");
        "a deleted token" => |w| w.by_key.delete_token(&w.session, "9", "1");
        "a cancelled TickeTing transfer" => |w| w.by_key.cancel_transfer(&w.session, "/transfers/1");
        "a cancelled order" => |w| w.by_key.cancel_order(&w.session, "1");
        "the end of a TickeTing session" => |w| w.ticketing.end_session(&client::tokens("s"));
    }
}

fn item() -> ReservationItem {
    ReservationItem { ticket_config_id: 1, quantity: 2, timeslot_id: None, sector_id: None }
}

pub(crate) fn reservation() -> Reservation {
    Reservation {
        tenant: TENANT.map(str::to_owned),
        event_id: 9,
        owner_enrollment_id: "user-1".to_owned(),
        format: "PDF".to_owned(),
        items: vec![item()],
    }
}

pub(crate) fn group() -> GroupOrder {
    GroupOrder {
        tenant: TENANT.map(str::to_owned),
        event_id: 9,
        format: "PDF".to_owned(),
        items: vec![item()],
        note: None,
        owner_emails: vec!["ada@example.org".to_owned()],
    }
}

pub(crate) fn admission() -> AdmissionOrder {
    AdmissionOrder {
        event_id: "9".to_owned(),
        redeemer: "gate".to_owned(),
        device: "phone".to_owned(),
        serials: vec!["1".to_owned()],
    }
}

pub(crate) fn sections() -> Vec<String> {
    vec!["1".to_owned()]
}

fn counts() -> [SectionCount; 1] {
    [SectionCount { section: "/events/9/sections/1".to_owned(), quantity: 1 }]
}

impl World {
    fn new() -> Self {
        let answers = Arc::new(Mutex::new(Answers::default()));
        let told = Arc::clone(&answers);
        let server = TinyServer::start(move |asked: &Asked| told.lock().unwrap().to(asked));
        let url = server.url();
        let clock = TestClock::new();
        let http = || {
            let http = client::http(None, &clock, vec![]);
            http.set_retry_policy(clock.policy());
            Arc::new(http)
        };
        let config = SystemConfig::at(&url);
        let unidy =
            |unidy| Unidy::new(http(), &SystemConfig { unidy: Some(unidy), ..config.clone() }).unwrap();
        let ticketing = |ticketing| {
            Ticketing::new(http(), &SystemConfig { ticketing: Some(ticketing), ..config.clone() }).unwrap()
        };
        let texpo = TexpoConfig { purchased_tickets: true, ..TexpoConfig::default() };
        let text = |text: &str| Some(text.to_owned());
        Self {
            bam: Bam::new(http(), &config).unwrap(),
            sdk: unidy(UnidyConfig { sdk_key: text("key"), ..UnidyConfig::default() }),
            partner: unidy(UnidyConfig {
                api: UnidyApi::Partner,
                grant: Some(UnidyGrant::ClientCredentials),
                client_id: text("id"),
                client_secret: text("secret"),
                ..UnidyConfig::default()
            }),
            code: unidy(UnidyConfig {
                api: UnidyApi::Partner,
                client_id: text("id"),
                redirect_uri: text("app:/back"),
                ..UnidyConfig::default()
            }),
            ticketing: ticketing(TicketingConfig::default()),
            by_key: ticketing(TicketingConfig {
                access: Some(TicketingAccess::IntegrationKey),
                account: text("1"),
                ..TicketingConfig::default()
            }),
            texpo: Texpo::new(http(), &SystemConfig { texpo: Some(texpo), ..config.clone() }).unwrap(),
            session: Session::new(client::tokens("t"), Box::new(|_: Option<&Tokens>| Ok(()))),
            server,
            answers,
        }
    }

    /// From now on this is answered.
    fn answers(&self, answer: Answer) {
        self.answers.lock().unwrap().answer = Some(answer);
    }

    /// A sign-in in the browser, from its beginning to its end.
    async fn by_code(&self) -> Result<(), Error> {
        let pending = self.code.begin_sign_in().await?;
        let back = format!("app:/back?code=c&state={}", *pending.state);
        self.code.complete_sign_in(&back, &pending, 1_000).await.map(drop)
    }

    /// To requests for this path, always.
    fn is_honest(&self, path: &'static str, json: &Value) {
        self.answers.lock().unwrap().honest.push((path, Answer::ok(json.to_string())));
    }
}

pub(crate) fn hostile() -> Vec<Case> {
    let in_data = |value: &str| Answer::ok(format!(r#"{{"data":{value},"paging":{{"total":100000}}}}"#));
    let (large, deep, wide) = ("the reply is larger than", "nested deeper than 100", "more than 10000 items");
    vec![
        case("50 MB that say so", large, Answer::ok(vec![b' '; 50 * MIB])),
        case("bytes without end", large, endless(&format!("{HEAD}\r\n"), vec![b' '; MIB])),
        case("depth 10,000", deep, in_data(&nested(10_000))),
        case("depth 10,000 and no more", deep, Answer::ok("[".repeat(10_000))),
        case("100,000 items", wide, in_data(&items("{}", 100_000))),
        case("100,000 items as the body", wide, Answer::ok(items("{}", 100_000))),
    ]
}

#[tokio::test]
async fn every_reply_is_bounded() {
    let world = World::new();
    for Case { name, answer, told } in hostile() {
        world.answers(answer);
        for call in read().iter().chain(&done()) {
            let outcome = (call.send)(&world).await;
            let what = format!("{name} as {}", call.name);
            match outcome {
                Err(error @ (Error::Network { .. } | Error::Reply { .. })) => {
                    let reason = error.to_string();
                    // What is no document needs no reading to be refused.
                    let refused = ["an order's file", "a bought ticket's PDF"].contains(&call.name);
                    assert!(reason.contains(told) || refused, "{what}: {reason}");
                }
                Ok(()) => assert!(!call.is_read && !told.contains("larger"), "{what} passed"),
                Err(other) => panic!("{what}: {other:?}"),
            }
        }
    }
}

/// A refusal is what its status says, whatever its body holds.
#[tokio::test]
async fn every_refusal_is_bounded() {
    let world = World::new();
    for body in [nested(10_000), items("{}", 100_000), format!(r#"{{"error":{}}}"#, nested(10_000))] {
        world.answers(Answer::ok(body).of_status(418));
        for call in read().iter().chain(&done()) {
            match (call.send)(&world).await {
                Err(Error::Status { status: 418, server_code: None, .. }) => {}
                // TEXPO tells its errors inside.
                Err(Error::Answer { status: 418, code: 0, .. }) => {}
                // Any answer but a refusal of the ticket says that it may be there.
                Ok(()) if call.name == "whether a ticket is gone" => {}
                other => panic!("{}: {other:?}", call.name),
            }
        }
    }
}

/// The replies of OAuth that come after the discovery: its server's tokens, and the keys that these are signed with.
#[tokio::test]
async fn token_replies_and_keys_are_bounded() {
    for (lies_at, path) in [("tokens", "/token"), ("keys", "/keys")] {
        for Case { name, answer, told } in hostile() {
            let world = World::new();
            let at = |path: &str| format!("{}{path}", world.server.url());
            let description = json!({
                "issuer": at(""), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
                "jwks_uri": at("/keys"), "code_challenge_methods_supported": ["S256"],
            });
            world.is_honest("/.well-known/openid-configuration", &description);
            if lies_at == "keys" {
                let part = |json: Value| BASE64URL.encode(json.to_string());
                let id_token =
                    [part(json!({ "alg": "RS256" })), part(json!({ "iss": at("") })), "AAAA".to_owned()];
                world.is_honest("/token", &json!({ "access_token": "a", "id_token": id_token.join(".") }));
            }
            world.answers(answer);
            let outcomes = match lies_at {
                "tokens" => vec![world.partner.client_credentials().await.map(drop), world.by_code().await],
                _ => vec![world.by_code().await],
            };
            for outcome in outcomes {
                match outcome {
                    Err(error @ (Error::Network { .. } | Error::Reply { .. })) => {
                        assert!(error.to_string().contains(told), "{name} as {lies_at}: {error}");
                    }
                    other => panic!("{name} as {lies_at}: {other:?}"),
                }
            }
            assert!(world.server.asked().iter().any(|asked| asked.path == path), "{name} as {lies_at}");
        }
    }
}

/// A list that goes on and on is gathered no further than there is room for.
#[tokio::test]
async fn a_list_is_gathered_to_a_bound() {
    let world = World::new();
    // Each page is within its own bound.
    let record = json!({ "id": "1", "number": "1", "self": "/transfers/1", "note": "x".repeat(31 << 20) });
    let lists = calls! { true:
        "data" => |w| w.bam.orders(&w.session, TENANT);
        "data" => |w| w.bam.reserved_tickets(&w.session, TENANT, 9);
        "entries" => |w| w.by_key.sent_like(&w.session, "/accounts/2", &counts());
    };
    for call in lists {
        let page = json!({ call.name: [record], "paging": { "total": 100_000 }, "total": 100_000 });
        world.answers(Answer::ok(page.to_string()));
        let before = world.server.asked().len();
        match (call.send)(&world).await {
            Err(error @ Error::Reply { .. }) => {
                assert!(
                    error.to_string().contains("the list has more than 128 MiB"),
                    "{}: {error}",
                    call.name
                );
            }
            other => panic!("{}: {other:?}", call.name),
        }
        assert_eq!(world.server.asked().len() - before, 5, "{}", call.name);
    }
}
