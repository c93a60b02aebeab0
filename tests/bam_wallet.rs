//! Promise: through the wallet, a holder at B.A.M lists tickets with each documented parameter, looks up one order, and gets
//! a certificate of which a lost answer makes no second one.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/box_office.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod box_office;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use box_office::{BoxOffice, Lies};
use phone::{Phone, TestClock, sandbox};
use serde_json::Value;
use ticket_wallet::WalletError;
use ticket_wallet::model::{
    BamConfig, Capability, ListDirection, ServerTicketQuery, TicketFormat, TicketStatus,
};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

const DAY_S: i64 = 86_400;
const CLUB: &str = "nordhafen";

struct Holder {
    clock: TestClock,
    sandbox: Sandbox,
    phone: Phone,
    account: String,
}

impl Holder {
    async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        let phone = Phone::new(&clock);
        let account = phone.sign_in(&sandbox, 0).await.id;
        Self { clock, sandbox, phone, account }
    }

    async fn list(&self, query: ServerTicketQuery) -> (Vec<Value>, Option<u64>) {
        let page = self.phone.wallet.server_tickets(self.account.clone(), query).await.unwrap();
        let records = page.records.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
        (records, page.total)
    }

    fn fault(&self, path: &str, fault: Fault) {
        self.sandbox.fault(FaultRule {
            method: Some("POST".to_owned()),
            path_contains: path.to_owned(),
            skip: 0,
            times: 1,
            fault,
        });
    }

    async fn enroll(&self) -> Result<String, WalletError> {
        Ok(self.phone.wallet.enroll(self.account.clone()).await?.certificate_pem)
    }

    /// How many certificates were made and renewed.
    fn certificates(&self) -> [usize; 2] {
        let journal = self.sandbox.journal().unwrap();
        ["certificate.enroll", "certificate.renew"]
            .map(|kind| journal.iter().filter(|entry| entry.kind == kind).count())
    }

    fn restart(self) -> Self {
        let Self { clock, sandbox, phone, account } = self;
        Self { clock, sandbox, phone: phone.restart(), account }
    }
}

#[tokio::test]
async fn each_parameter_of_the_list_of_all_tenants_is_sent() {
    let holder = Holder::new().await;
    let (all, total) = holder.list(ServerTicketQuery::default()).await;
    assert!(all.len() > 4 && total == Some(all.len() as u64));
    assert!(all[0].get("enrollment_id").is_none() && all[0]["ticket_config"].get("event").is_none());
    for format in ["PDF", "SECURE"] {
        let query = ServerTicketQuery {
            format: Some(TicketFormat::from_text(format)),
            with_enrollment_id: true,
            sort_by: Some("updated_at".to_owned()),
            direction: Some(ListDirection::Descending),
            with: Some("[ticket_holder,ticket_config.event]".to_owned()),
            ..ServerTicketQuery::default()
        };
        let (found, _) = holder.list(query).await;
        assert!(!found.is_empty() && found.iter().all(|ticket| ticket["format"] == format), "{format}");
        assert!(found.iter().all(|ticket| ticket["enrollment_id"].is_string()));
        assert!(found.iter().all(|ticket| ticket["ticket_config"]["event"]["id"].is_i64()));
        let times: Vec<_> = found.iter().map(|ticket| ticket["updated_at"].as_str().unwrap()).collect();
        assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    }
    let order = |direction| ServerTicketQuery {
        sort_by: Some("id".to_owned()),
        direction: Some(direction),
        limit: Some(2),
        offset: 1,
        ..ServerTicketQuery::default()
    };
    let (up, _) = holder.list(order(ListDirection::Ascending)).await;
    let (down, total) = holder.list(order(ListDirection::Descending)).await;
    assert_eq!((up.len(), down.len(), total), (2, 2, Some(all.len() as u64)));
    assert!(up[0]["id"].as_i64() <= up[1]["id"].as_i64() && down[0]["id"].as_i64() >= down[1]["id"].as_i64());
    assert!(holder.phone.tickets().is_empty(), "nothing of it is kept");
}

#[tokio::test]
async fn a_tenants_list_knows_the_status_and_a_wrong_relation_is_named() {
    let holder = Holder::new().await;
    let query = |status| ServerTicketQuery {
        tenant: Some(CLUB.to_owned()),
        status: Some(status),
        ..ServerTicketQuery::default()
    };
    let (issued, _) = holder.list(query(TicketStatus::Issued)).await;
    assert!(!issued.is_empty() && issued.iter().all(|ticket| ticket["status"] == "issued"));
    assert!(holder.list(query(TicketStatus::Reserved)).await.0.is_empty());
    let wrong = ServerTicketQuery { with: Some("[a".to_owned()), ..ServerTicketQuery::default() };
    let before = holder.sandbox.requests().len();
    let refused = holder.phone.wallet.server_tickets(holder.account.clone(), wrong).await.unwrap_err();
    assert!(matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "with"), "{refused}");
    assert_eq!(holder.sandbox.requests().len(), before);
}

#[tokio::test]
async fn one_order_is_looked_up() {
    let holder = Holder::new().await;
    let (wallet, tenant) = (&holder.phone.wallet, Some(CLUB.to_owned()));
    for order in wallet.orders(holder.account.clone(), tenant.clone()).await.unwrap() {
        let one =
            wallet.order(holder.account.clone(), tenant.clone(), order.remote_id.clone()).await.unwrap();
        assert!(one == order, "{}", order.remote_id);
    }
    for (id, expected) in [("4711", 404), ("..", 0)] {
        let failed = wallet.order(holder.account.clone(), tenant.clone(), id.to_owned()).await.unwrap_err();
        let status = match failed {
            WalletError::Refused { status, .. } => status,
            WalletError::InvalidInput { ref field, .. } if field == "id" => 0,
            other => panic!("{other}"),
        };
        assert_eq!(status, expected, "{id}");
    }
}

#[tokio::test]
async fn a_certificate_whose_answer_was_lost_is_renewed_and_no_second_one_made() {
    for fault in [Fault::LostReply, Fault::TruncatedJson] {
        let holder = Holder::new().await;
        holder.fault("/certificate/enroll", fault.clone());
        assert!(holder.enroll().await.is_err());
        assert_eq!(holder.certificates(), [1, 0], "{fault:?}");
        assert_eq!(holder.phone.wallet.certificate(holder.account.clone()).unwrap(), None);
        // The app may end before it is tried again.
        let holder = holder.restart();
        let got = holder.enroll().await.unwrap();
        assert_eq!(holder.certificates(), [1, 1], "{fault:?}");
        let held = holder.phone.wallet.certificate(holder.account.clone()).unwrap().unwrap();
        assert!(held.certificate_pem == got);
        assert!(holder.enroll().await.unwrap() != got);
        assert_eq!(holder.certificates(), [1, 2], "one that is held is renewed");
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_once_it_cannot_arrive_any_more() {
    let holder = Holder::new().await;
    holder.fault("/certificate/enroll", Fault::Reset);
    assert!(holder.enroll().await.is_err());
    let at_once = holder.enroll().await.unwrap_err();
    assert!(matches!(at_once, WalletError::Refused { status: 404, .. }), "there is none to renew: {at_once}");
    assert_eq!(holder.certificates(), [0, 0]);
    holder.clock.pass_s(121);
    holder.enroll().await.unwrap();
    assert_eq!(holder.certificates(), [1, 0]);
}

#[tokio::test]
async fn a_second_phone_takes_no_key_away_from_the_first() {
    let holder = Holder::new().await;
    holder.enroll().await.unwrap();
    let other = Phone::new(&holder.clock);
    let account = other.sign_in(&holder.sandbox, 0).await.id;
    for _ in 0..2 {
        let refused = other.wallet.enroll(account.clone()).await.unwrap_err();
        assert!(matches!(refused, WalletError::Refused { status: 409, .. }), "{refused}");
    }
    assert_eq!(holder.certificates(), [1, 0]);
}

#[tokio::test]
async fn the_server_says_when_a_certificate_should_be_renewed() {
    let holder = Holder::new().await;
    let due = || holder.phone.wallet.certificate_is_due(holder.account.clone());
    assert_eq!(due().await.unwrap(), Some(false), "there is none");
    holder.enroll().await.unwrap();
    assert_eq!(due().await.unwrap(), Some(false));
    holder.clock.pass_s(340 * DAY_S);
    assert_eq!(due().await.unwrap(), Some(true));
    holder.enroll().await.unwrap();
    assert_eq!(due().await.unwrap(), Some(false));
    assert_eq!(holder.certificates(), [1, 1]);
}

#[tokio::test]
async fn two_organizers_of_one_clerk_are_two_accounts_and_the_clerk_s_own_a_third() {
    let server = BoxOffice::open(Lies::default());
    let phone = Phone::new(&TestClock::new());
    let sign_in = |bam: Option<BamConfig>| {
        let mut sign_in = server.sign_in();
        sign_in.config.bam = bam;
        phone.wallet.sign_in(sign_in)
    };
    let organizer = |id: i64| Some(BamConfig { organizer_id: Some(id), ..BamConfig::default() });
    let own = sign_in(None).await.unwrap().id;
    let (seven, eight) = (sign_in(organizer(7)).await.unwrap().id, sign_in(organizer(8)).await.unwrap().id);
    assert!(own != seven && seven != eight && eight != own);
    assert_eq!(sign_in(organizer(7)).await.unwrap().id, seven);
    assert_eq!(sign_in(Some(BamConfig::default())).await.unwrap().id, own);
    assert_eq!(phone.wallet.accounts().unwrap().len(), 3);
    // Stored wallets name an account without an organizer by system, address and user.
    let name = format!("bam\u{1F}{}\u{1F}mira", server.sign_in().config.url.trim_end_matches('/'));
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    assert_eq!(own, hex::encode(&digest.as_ref()[..8]));
    // A token that tells nothing of permissions leaves it to the sign-in.
    let issues = |account: &str| {
        phone.wallet.capabilities(account.to_owned()).unwrap().contains(&Capability::IssueTickets)
    };
    assert!(!issues(&own) && issues(&seven) && issues(&eight));
}
