//! B.A.M's holder: the list of tickets with each of its fields, and the two ways in which tickets are delivered.
//!
//! A wallet lists what it holds and filters nothing on the way: the fields of the list that it has no use for are sent by the
//! client that it stands on.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::model::{
    BarcodeProfile, LedgerSale, NoBarcodeReason, OrderStatus, SignIn, SystemConfig, TicketFormat,
    TicketStatus, TicketSummary,
};
use ticket_wallet::remote::bam::{Bam, Direction, RelationExpression, TicketQuery};
use ticket_wallet::remote::{Http, Session};

use crate::expo::NoTime;
use crate::phone::{Phone, TODAY_MS, sign_in};
use crate::run::{Run, record, records};
use crate::seed_rows::SEEDS;
use crate::tenants::tenant;

/// Tickets that the sandbox gives each user.
const OWNED: usize = 24;
const TENANTS: [&str; 3] = ["nordhafen", "weidental", "eschenried"];

pub(crate) async fn lists_the_tickets_of_all_tenants(run: &Run) {
    let (phone, _) = run.bam_holder(0).await;
    let records = records(&phone);
    let tenants: BTreeSet<_> = records.iter().map(|(_, record)| tenant(record)).collect();
    assert_eq!((records.len(), tenants.len()), (OWNED, 3));
    let (other, _) = run.bam_holder(1).await;
    let ids = |phone: &Phone| phone.tickets().into_iter().map(|ticket| ticket.id).collect::<BTreeSet<_>>();
    assert!(ids(&phone).is_disjoint(&ids(&other)), "each user gets their own");
}

pub(crate) async fn is_let_in_by_a_token(run: &Run) {
    let (phone, _) = run.bam_holder(0).await;
    run.sandbox.revoke_tokens().unwrap();
    // The token that has ended opens nothing; the one that replaces it does.
    phone.wallet.sync(None).await.unwrap();
    let (other, _) = run.bam_holder(1).await;
    assert_ne!(phone.tickets(), other.tickets());
}

pub(crate) async fn asks_for_sub_objects(run: &Run) {
    let expression = example();
    assert_eq!(RelationExpression::parse(&expression).unwrap().to_string(), expression);
    let phone = Phone::new(&run.clock);
    let plain = sign_in(&run.sandbox, 0);
    let config = SystemConfig { relations: Some(expression), ..plain.config };
    phone.wallet.sign_in(SignIn { config, ..plain }).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    for (_, record) in records(&phone) {
        assert!(record["ticket_holder"].is_object() && record["ticket_config"]["event"].is_object());
        assert!(record.get("sector").is_none() && record["ticket_config"].get("ticket_type").is_none());
    }
}

/// The document's RelationExpression.
fn example() -> String {
    let rows = SEEDS[0].rows();
    let found = rows.iter().find_map(|row| row.id.strip_prefix("GET v1/ticket ?with="));
    found.unwrap().to_owned()
}

pub(crate) async fn filters_by_pdf(run: &Run) {
    filters_by(run, TicketFormat::Pdf).await;
}

pub(crate) async fn filters_by_secure(run: &Run) {
    filters_by(run, TicketFormat::Secure).await;
}

async fn filters_by(run: &Run, format: TicketFormat) {
    let all = list(run, TicketQuery::default()).await;
    let filtered = list(run, TicketQuery { format: Some(format.clone()), ..TicketQuery::default() }).await;
    let expected: Vec<_> = all.iter().filter(|record| record["format"] == format.as_text()).collect();
    assert_eq!(filtered.iter().collect::<Vec<_>>(), expected);
    assert!((1..OWNED).contains(&filtered.len()));
}

pub(crate) async fn asks_for_the_enrollment(run: &Run) {
    for with_enrollment_id in [true, false] {
        let records = list(run, TicketQuery { with_enrollment_id, ..TicketQuery::default() }).await;
        assert!(records.iter().all(|record| record.get("enrollment_id").is_some() == with_enrollment_id));
        let owners: BTreeSet<_> = records.iter().map(|record| record["enrollment_id"].as_str()).collect();
        assert_eq!(owners.len(), 1, "all are the same owner's");
    }
}

pub(crate) async fn orders_ascending(run: &Run) {
    assert!(changed(run, Direction::Ascending).await.is_sorted());
}

pub(crate) async fn orders_descending(run: &Run) {
    assert!(changed(run, Direction::Descending).await.is_sorted_by(|before, after| before >= after));
}

/// When each ticket changed, in the order of the list.
async fn changed(run: &Run, direction: Direction) -> Vec<String> {
    let query = TicketQuery {
        sort_by: Some("updated_at".to_owned()),
        direction: Some(direction),
        ..TicketQuery::default()
    };
    let records = list(run, query).await;
    let changed: Vec<_> =
        records.iter().map(|record| record["updated_at"].as_str().unwrap().to_owned()).collect();
    assert!(changed.iter().collect::<BTreeSet<_>>().len() > 1, "an order can be told");
    changed
}

/// The enrolment that a user's tickets name as their owner.
pub(crate) async fn enrollment(run: &Run, user: usize) -> String {
    let query = TicketQuery { with_enrollment_id: true, ..TicketQuery::default() };
    let records = list_of(run, user, query).await;
    records[0]["enrollment_id"].as_str().unwrap().to_owned()
}

/// The records of one list of the first user.
async fn list(run: &Run, query: TicketQuery) -> Vec<Value> {
    list_of(run, 0, query).await
}

async fn list_of(run: &Run, user: usize, query: TicketQuery) -> Vec<Value> {
    let http = Http::new(None, Arc::new(run.clock.clone()), Vec::new(), Arc::new(NoTime));
    let bam = Bam::new(Arc::new(http), &SystemConfig::at(run.sandbox.url())).unwrap();
    let user = &run.sandbox.users()[user];
    let tokens = bam.login(&user.name, &user.password).await.unwrap();
    let session = Session::new(tokens, Box::new(|_| Ok(())));
    let page = bam.tickets(&session, &query).await.unwrap();
    assert!(page.is_whole());
    page.items.iter().map(|(_, record)| serde_json::from_str(record.get()).unwrap()).collect()
}

pub(crate) async fn has_tickets_delivered_by_e_mail(run: &Run) {
    let (phone, account) = run.bam_holder(0).await;
    let in_format = |format| phone.tickets().into_iter().filter(move |ticket| ticket.format == format);
    let by_mail: Vec<TicketSummary> = in_format(TicketFormat::Pdf).collect();
    assert!(!by_mail.is_empty());
    for ticket in by_mail {
        let shown = phone.wallet.present(ticket.id, None);
        let Err(WalletError::NoBarcode { why, .. }) = shown else { panic!("a PDF has no barcode here") };
        assert_eq!(why, NoBarcodeReason::DeliveredElsewhere);
    }
    // What the e-mail brings, the order brings too; and the e-mail can be had once more.
    let bought = buys_a_pass(run).await;
    phone.wallet.sync(None).await.unwrap();
    let is_bought =
        |(_, record): &&(TicketSummary, Value)| tenant(record) == TENANTS[0] && record["id"] == bought;
    let (ticket, _) = records(&phone).iter().find(is_bought).unwrap().clone();
    // Paid, and on its way to the ledger.
    assert_eq!((ticket.format.as_text(), ticket.status), ("PKPASS", TicketStatus::Confirmed));
    let mut media_types = BTreeSet::new();
    for tenant in TENANTS {
        let tenant = Some(tenant.to_owned());
        for order in phone.wallet.orders(account.clone(), tenant.clone()).await.unwrap() {
            let is_attached = matches!(order.format.as_deref(), Some("PDF" | "PKPASS"));
            if order.status != OrderStatus::Paid || !is_attached {
                continue;
            }
            let (wallet, id) = (&phone.wallet, order.remote_id);
            let kept = wallet.fetch_order_document(account.clone(), tenant.clone(), id.clone());
            let kept = kept.await.unwrap();
            assert_eq!(wallet.document(kept.id).unwrap().len() as u64, kept.size);
            media_types.insert(kept.media_type);
            wallet.email_order(account.clone(), tenant.clone(), id).await.unwrap();
        }
    }
    let expected = ["application/pdf", "application/vnd.apple.pkpass"].map(str::to_owned);
    assert_eq!(media_types, BTreeSet::from(expected));
}

/// The first user buys a pkpass for the first match in the first tenant's shop, which is no part of the wallet. Gives the
/// ticket's id.
pub(crate) async fn buys_a_pass(run: &Run) -> i64 {
    let (shop, user) = (reqwest::Client::builder().no_proxy().build().unwrap(), &run.sandbox.users()[0]);
    let post = async |path: String, token: &str, body: Value| {
        let request = shop.post(format!("{}{path}", run.sandbox.url())).bearer_auth(token).json(&body);
        let reply = request.send().await.unwrap().error_for_status().unwrap();
        reply.json::<Value>().await.unwrap()["data"].clone()
    };
    let who = json!({ "username": user.name, "password": user.password });
    let session = post("/account/v1/auth/login".to_owned(), "", who).await;
    let token = session["token"].as_str().unwrap();
    let [tenant, ..] = TENANTS;
    let item = json!({ "ticket_config_id": 1, "quantity": 1, "sector_id": 1 });
    let order = json!({ "format": "PKPASS", "order_item": [item] });
    let order = post(format!("/t/{tenant}/event/v1/order"), token, order).await;
    let id = order["id"].as_i64().unwrap();
    post(format!("/t/{tenant}/payment/v1/payment/stripe?order_id={id}"), token, json!({})).await;
    assert!(run.sandbox.end_payment(tenant, id, true).unwrap());
    order["order_item"][0]["ticket"][0]["id"].as_i64().unwrap()
}

pub(crate) async fn has_tickets_delivered_through_the_wallet(run: &Run) {
    let (phone, _) = run.bam_holder(0).await;
    let shown = phone.signed_tickets();
    assert!(!shown.is_empty());
    for ticket in shown {
        assert_eq!(record(&phone, &ticket.id)["format"], "SECURE");
        assert_eq!(phone.wallet.present(ticket.id, None).unwrap().profile, BarcodeProfile::Signed);
    }
}

pub(crate) async fn sees_its_offers_on_the_secondary_market(run: &Run) {
    let (phone, account) = run.bam_holder(0).await;
    let records = records(&phone);
    let mut offered = 0;
    for place in TENANTS {
        for offer in phone.wallet.own_offers(account.clone(), Some(place.to_owned())).await.unwrap() {
            let config: i64 = offer.ticket_config_id.unwrap().parse().unwrap();
            let number = offer.seq_num.unwrap();
            let is_it = |(_, record): &&(TicketSummary, Value)| {
                tenant(record) == place
                    && record["ticket_config"]["id"] == config
                    && record["seq_num"] == number
            };
            let (ticket, _) = records.iter().find(is_it).unwrap();
            assert_eq!(ticket.format, TicketFormat::Secure);
            offered += 1;
        }
    }
    assert!(offered > 0);
}

pub(crate) async fn resells_a_ticket_on_the_secondary_market(run: &Run) {
    let (phone, account) = run.bam_holder(0).await;
    phone.wallet.enroll(account.clone()).await.unwrap();
    let place = Some(TENANTS[2].to_owned());
    let offers = || phone.wallet.own_offers(account.clone(), place.clone());
    let before = offers().await.unwrap();
    let is_offered = |record: &Value| {
        before.iter().any(|offer| {
            offer.seq_num == record["seq_num"].as_i64()
                && offer.ticket_config_id == Some(record["ticket_config"]["id"].to_string())
        })
    };
    let (ticket, _) = records(&phone)
        .into_iter()
        .find(|(ticket, record)| {
            let here = tenant(record) == TENANTS[2] && ticket.format == TicketFormat::Secure;
            here && ticket.status.admits() && !is_offered(record)
        })
        .unwrap();
    let rules = phone.wallet.resale_rules(ticket.id.clone()).await.unwrap();
    assert!(rules.allowed);
    let price = rules.face_value.unwrap();
    let sale = LedgerSale { price: price.clone(), until: TODAY_MS / 1000 + 86_400, buyer: None };
    let sold = phone.wallet.mark_for_sale(ticket.id.clone(), sale).await.unwrap();
    let answer: Value = serde_json::from_str(&sold.answer_json.unwrap()).unwrap();
    let id = answer["offer_id"].as_str().unwrap().to_owned();
    let made = offers().await.unwrap().into_iter().find(|offer| offer.remote_id == id).unwrap();
    assert_eq!(made.price, Some(price));
    phone.wallet.delete_offer(ticket.id, id).await.unwrap();
    assert_eq!(offers().await.unwrap().len(), before.len());
}
