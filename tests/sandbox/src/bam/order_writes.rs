//! Buying tickets: an order, its contact, its payment, and giving the tickets back. None takes an idempotency key.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::BamError;
use super::fields::{Body, Fields, unreadable};
use super::issuing;
use super::orders::{Order, OrderShape};
use super::session::{Holder, signed_in};
use super::stock::{Taker, Wanted, event_of, give_back};
use crate::app::{App, random};
use crate::journal;
use crate::moment::timestamp_s;

const FORMATS: [&str; 3] = ["PDF", "SECURE", "PKPASS"];
/// What an order's contact must have.
const CONTACT: [&str; 4] = ["first_name", "last_name", "email", "billing_email"];
const WITH: &str = "[order_item.ticket,order_contact]";

/// `POST /t/{tenant}/event/v1/order`: the tickets are reserved, and the order waits for its payment.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    app.tenant(&tenant).ok_or_else(|| BamError::not_found("Tenant"))?;
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, app.bam_choices().string_ids)?;
    app.db.write(|db| {
        let format = fields.choice("format", &FORMATS)?;
        let items = fields.objects("order_item")?;
        let wanted = items.iter().map(Wanted::read).collect::<Result<Vec<_>, _>>()?;
        let order_id = insert(&app, db, &caller, &tenant, format, &fields)?;
        for (wanted, item) in wanted.iter().zip(&items) {
            let event_id = event_of(db, &tenant, wanted.ticket_config_id)?;
            let taker = Taker {
                tenant: &tenant,
                event_id: event_id.ok_or_else(|| BamError::not_found("Ticket config"))?,
                owner_id: caller.id,
                format,
                by_organizer: false,
                order_item_id: Some(insert_item(db, &tenant, order_id, wanted)?),
                now_s: app.now_s(),
            };
            wanted.check(db, &taker, item)?;
            wanted.check_sale(db, &taker)?;
            wanted.take(db, &taker)?;
        }
        let order = Order::find(db, &caller, &tenant, &order_id.to_string())?;
        record(db, &caller, "order.create", &order, json!({"ticket_ids": order.ticket_ids(db)?}))?;
        Ok(Json(json!({"data": OrderShape::parse(WITH)?.of(db, &order)?})))
    })
}

fn insert(
    app: &App,
    db: &Connection,
    caller: &Holder,
    tenant: &str,
    format: &str,
    fields: &Fields<'_>,
) -> Result<i64, BamError> {
    let hold_token = fields.given("hold_token").map(|_| fields.text("hold_token")).transpose()?;
    Ok(db.query_row(
        "INSERT INTO ticket_order (tenant, id, owner_id, format, status, hold_token, created_at)
            SELECT ?1, 1 + coalesce(max(id), 0), ?2, ?3, 'draft', ?4, ?5 FROM ticket_order WHERE tenant = ?1
            RETURNING id",
        (tenant, caller.id, format, hold_token, timestamp_s(app.now_s())),
        |row| row.get(0),
    )?)
}

fn insert_item(db: &Connection, tenant: &str, order_id: i64, wanted: &Wanted) -> rusqlite::Result<i64> {
    db.query_row(
        "INSERT INTO order_item (tenant, id, order_id, price, quantity)
            SELECT ?1, 1 + (SELECT coalesce(max(id), 0) FROM order_item WHERE tenant = ?1), ?2,
                coalesce((SELECT json_extract(body, '$.face_value') FROM ticket_config
                    WHERE tenant = ?1 AND id = ?3), 0), ?4
            RETURNING id",
        (tenant, order_id, wanted.ticket_config_id, wanted.quantity),
        |row| row.get(0),
    )
}

/// `POST /t/{tenant}/event/v1/order/{id}/order_contact`
pub(super) async fn contact(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    let Json(mut body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    CONTACT.iter().try_for_each(|name| fields.text(name).map(drop))?;
    app.db.write(|db| {
        let order = Order::find(db, &caller, &tenant, &id)?;
        body["id"] = json!(order.id);
        let sql = "UPDATE ticket_order SET contact = ?3 WHERE tenant = ?1 AND id = ?2";
        db.execute(sql, (&tenant, order.id, body.to_string()))?;
        record(db, &caller, "order.contact", &order, json!({}))?;
        Ok(Json(json!({"data": body})))
    })
}

/// `POST /t/{tenant}/payment/v1/payment/stripe?order_id=`: begins the payment, which the buyer ends elsewhere (see
/// [`end_payment`]). An order for nothing is paid at once.
pub(super) async fn pay(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    let id = query.get("order_id").ok_or_else(|| BamError::bad_parameter("order_id"))?;
    app.db.write(|db| {
        let mut order = Order::find(db, &caller, &tenant, id)?;
        if order.status != "draft" {
            return Err(BamError::new(StatusCode::BAD_REQUEST, "NOT_PAYABLE", "The order cannot be paid"));
        }
        let payment_id = format!("pi_{}", hex::encode(random::<8>()?));
        db.execute(
            "UPDATE ticket_order SET payment_id = ?3, payment_created_at = ?4 WHERE tenant = ?1 AND id = ?2",
            (&tenant, order.id, &payment_id, timestamp_s(app.now_s())),
        )?;
        order.set_status(db, "payment_processing")?;
        record(db, &caller, "order.pay", &order, json!({}))?;
        if order.total == 0.0 {
            paid(&app, db, &mut order)?;
        }
        Ok(Json(json!({"data": intent(&app, &order, &payment_id)?})))
    })
}

/// As Stripe tells it; amounts are cents.
fn intent(app: &App, order: &Order, payment_id: &str) -> Result<Value, BamError> {
    let client_secret = format!("{payment_id}_secret_{}", hex::encode(random::<8>()?));
    app.give_out(&client_secret);
    Ok(json!({
        "publishable_key": "pk_test_sandbox",
        "payment_intent": {
            "id": payment_id,
            "object": "payment_intent",
            "amount": (order.total * 100.0).round(),
            "client_secret": client_secret,
            "created": app.now_s(),
            "currency": "eur",
            "livemode": false,
            "metadata": {"id": order.id.to_string()},
            "status": if order.status == "paid" { "succeeded" } else { "requires_payment_method" },
        },
    }))
}

/// Ends the payment of an order as its buyer. Returns whether one was waiting for that.
pub(crate) fn end_payment(
    app: &App,
    db: &Connection,
    tenant: &str,
    id: i64,
    is_paid: bool,
) -> Result<bool, BamError> {
    let organizer = Holder { id: 0, organizer: Some(tenant.to_owned()), is_validator: false };
    let Ok(mut order) = Order::find(db, &organizer, tenant, &id.to_string()) else { return Ok(false) };
    if order.status != "payment_processing" {
        return Ok(false);
    }
    if is_paid {
        paid(app, db, &mut order)?;
    } else {
        order.set_status(db, "payment_failed")?;
        for ticket in order.ticket_ids(db)? {
            give_back(db, tenant, ticket, app.now_s())?;
        }
    }
    Ok(true)
}

fn paid(app: &App, db: &Connection, order: &mut Order) -> rusqlite::Result<()> {
    order.set_status(db, "paid")?;
    let choices = app.bam_choices();
    order
        .ticket_ids(db)?
        .into_iter()
        .try_for_each(|ticket| issuing::begin(db, &choices, &order.tenant, ticket, app.now_s()))
}

/// `POST /t/{tenant}/event/v1/order/{id}/refund`: the tickets that are named, or all.
pub(super) async fn refund(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, app.bam_choices().string_ids)?;
    let named = fields.given("ticket_ids").map(|_| fields.ids("ticket_ids")).transpose()?;
    app.db.write(|db| {
        let mut order = Order::find(db, &caller, &tenant, &id)?;
        let all = order.ticket_ids(db)?;
        let tickets = named.unwrap_or_else(|| all.clone());
        if !order.is_paid() || tickets.is_empty() {
            return Err(BamError::new(
                StatusCode::CONFLICT,
                "NOT_REFUNDABLE",
                "The order cannot be refunded",
            ));
        }
        if tickets.iter().any(|ticket| !all.contains(ticket)) {
            return Err(fields.invalid("ticket_ids"));
        }
        for ticket in &tickets {
            refund_ticket(db, &order, *ticket)?;
            give_back(db, &tenant, *ticket, app.now_s())?;
        }
        let status = if tickets.len() == all.len() { "refunded" } else { "partially_refunded" };
        order.set_status(db, status)?;
        record(db, &caller, "order.refund", &order, json!({"ticket_ids": tickets}))?;
        Ok(Json(json!({"data": {"success": true}})))
    })
}

/// Pays a ticket's price back; the ticket belongs to the order no more.
fn refund_ticket(db: &Connection, order: &Order, ticket: i64) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE ticket_order SET refunded = round(refunded + (SELECT price FROM order_item
            JOIN ticket ON ticket.tenant = order_item.tenant AND order_item_id = order_item.id
            WHERE ticket.tenant = ?1 AND ticket.id = ?3), 2)
            WHERE tenant = ?1 AND id = ?2",
        (&order.tenant, order.id, ticket),
    )?;
    Ok(())
}

/// `POST /t/{tenant}/event/v1/order/{id}/email_tickets`: nothing is sent but counted.
pub(super) async fn email(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    app.db.write(|db| {
        let order = Order::find(db, &caller, &tenant, &id)?;
        if !order.is_paid() {
            return Err(not_paid());
        }
        record(db, &caller, "order.email", &order, json!({}))?;
        Ok(Json(json!({"data": {"success": true}})))
    })
}

/// 409: there are no tickets to have yet.
pub(super) fn not_paid() -> BamError {
    BamError::new(StatusCode::CONFLICT, "NOT_PAID", "The order is not paid")
}

fn record(
    db: &Connection,
    caller: &Holder,
    kind: &str,
    order: &Order,
    detail: Value,
) -> rusqlite::Result<()> {
    let sql = "SELECT name FROM user WHERE id = ?1";
    let user: String = db.query_row(sql, [caller.id], |row| row.get(0))?;
    let subject = format!("{}/order/{}", order.tenant, order.id);
    journal::record(db, &user, kind, &subject, None, &detail)
}
