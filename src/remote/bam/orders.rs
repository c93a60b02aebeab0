//! Orders and their tickets as files, on the tenant's host: `GET event/v1/order`, `…/order/:id`,
//! `…/order/:id/download_tickets`, `POST …/order/:id/email_tickets`; and one's own offers, `GET orderbook/v1/offer/mine`.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::raw::record;
use super::wire::{Decimal, expected, lenient};
use super::{Bam, TicketFile, TicketPlace, path_id};
use crate::error::Error;
use crate::model::{Money, Offer, Order, OrderStatus};
use crate::remote::{Reply, Request, Session};

const DOWNLOAD: &str = "GET event/v1/order/:id/download_tickets";
/// `[order_item.ticket,order_contact]`, encoded.
const WITH: &str = "with=%5Border_item.ticket%2Corder_contact%5D";

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireOrder {
    #[serde(deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    format: Option<String>,
    #[serde(deserialize_with = "lenient")]
    total: Option<Decimal>,
    #[serde(deserialize_with = "lenient")]
    refunded_amount: Option<Decimal>,
    #[serde(deserialize_with = "lenient")]
    currency: Option<String>,
    #[serde(deserialize_with = "lenient")]
    created_at: Option<String>,
    #[serde(deserialize_with = "lenient")]
    order_item: Option<Vec<WireItem>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireItem {
    #[serde(deserialize_with = "lenient")]
    ticket: Option<Vec<WireId>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireId {
    #[serde(deserialize_with = "lenient")]
    id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireOffer {
    #[serde(deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    price: Option<Decimal>,
    #[serde(deserialize_with = "lenient")]
    currency: Option<String>,
    #[serde(deserialize_with = "lenient")]
    event_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    ticket_config_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    seq_num: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    valid_until: Option<String>,
}

impl Bam {
    /// The signed-in user's orders at a tenant, page by page.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`] also for a list that ends before its total.
    pub async fn orders(&self, session: &Session, tenant: Option<&str>) -> Result<Vec<Order>, Error> {
        let mut orders = Vec::new();
        let call = (self.tenant_url(tenant, "event/v1/order")?, WITH, "GET event/v1/order");
        self.every_record(session, call, |record| {
            let before = orders.len();
            orders.extend(read_order(record, tenant));
            orders.len() > before
        })
        .await?;
        Ok(orders)
    }

    /// One order.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `id`.
    pub async fn order(&self, session: &Session, (tenant, id): TicketPlace<'_>) -> Result<Order, Error> {
        let mut url = self.tenant_url(tenant, &format!("event/v1/order/{}", path_id(id)?))?;
        url.set_query(Some(WITH));
        let request = || Request::get(url.clone(), "GET event/v1/order/:id");
        let reply = session.send(&self.http, self, request).await?;
        read_order(&record(&reply)?, tenant).ok_or_else(|| reply.unreadable("data.id"))
    }

    /// All tickets of an order as a file.
    ///
    /// # Errors
    /// As [`Bam::order`]; [`Error::Reply`] for what is neither a PDF nor a ZIP file, and beyond 16 MiB.
    pub async fn download_tickets(
        &self,
        session: &Session,
        (tenant, id): TicketPlace<'_>,
    ) -> Result<TicketFile, Error> {
        let path = format!("event/v1/order/{}/download_tickets", path_id(id)?);
        let url = self.tenant_url(tenant, &path)?;
        let reply = session.send(&self.http, self, || Request::get(url.clone(), DOWNLOAD)).await?;
        TicketFile::read(reply)
    }

    /// Has the tickets of an order sent to the order's e-mail address once more.
    ///
    /// # Errors
    /// As [`Bam::order`]. Each call that reaches the server sends an e-mail.
    pub async fn email_tickets(&self, session: &Session, (tenant, id): TicketPlace<'_>) -> Result<(), Error> {
        let url = self.tenant_url(tenant, &format!("event/v1/order/{}/email_tickets", path_id(id)?))?;
        let body = json!({});
        let endpoint = "POST event/v1/order/:id/email_tickets";
        let reply: Reply =
            session.send(&self.http, self, || Request::post(url.clone(), endpoint, &body)).await?;
        if reply.is_success() { Ok(()) } else { Err(reply.error()) }
    }

    /// The tickets that the signed-in user offers to others at a tenant.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`], also for a list that ends before its total.
    pub async fn own_offers(&self, session: &Session, tenant: Option<&str>) -> Result<Vec<Offer>, Error> {
        let url = self.tenant_url(tenant, "orderbook/v1/offer/mine")?;
        let mut offers = Vec::new();
        let take = |item: &RawValue| read_offer(item).map(|offer| offers.push(offer)).is_some();
        self.every_record(session, (url, "", "GET orderbook/v1/offer/mine"), take).await?;
        Ok(offers)
    }
}

fn read_order(record: &RawValue, tenant: Option<&str>) -> Option<Order> {
    let order: WireOrder = expected(record.get())?;
    let money = |amount: Option<Decimal>| Money::parse(amount?.as_str(), order.currency.as_deref()?).ok();
    let items = order.order_item.unwrap_or_default();
    let tickets = items.into_iter().flat_map(|item| item.ticket.unwrap_or_default());
    Some(Order {
        remote_id: order.id.filter(|id| !id.is_empty())?,
        tenant: tenant.map(str::to_owned),
        status: OrderStatus::from_text(order.status.as_deref().unwrap_or_default()),
        format: order.format,
        total: money(order.total),
        refunded: money(order.refunded_amount),
        created_at: order
            .created_at
            .and_then(|at| DateTime::parse_from_rfc3339(&at).ok().map(|at| at.timestamp())),
        ticket_ids: tickets.filter_map(|ticket| ticket.id).collect(),
        body_json: record.get().to_owned(),
    })
}

fn read_offer(record: &RawValue) -> Option<Offer> {
    let offer: WireOffer = expected(record.get())?;
    let price = offer.price.zip(offer.currency);
    Some(Offer {
        remote_id: offer.id.filter(|id| !id.is_empty())?,
        kind: offer.kind,
        price: price.and_then(|(price, currency)| Money::parse(price.as_str(), &currency).ok()),
        event_id: offer.event_id,
        ticket_config_id: offer.ticket_config_id,
        seq_num: offer.seq_num,
        valid_until: offer.valid_until,
        body_json: record.get().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn orders_are_read_tolerantly_and_amounts_exactly() {
        let full = r#"{"id":"77","status":"paid","format":"PDF","total":129.10,"refunded_amount":"0.10","currency":"EUR",
            "created_at":"2026-11-01T10:00:00.000Z","order_item":[{"id":1,"ticket":[{"id":5},{"id":"6"},{}]},{"ticket":7}],
            "new":[12345678901234567890123.10]}"#;
        let order = read_order(&raw(full), Some("org1")).unwrap();
        assert_eq!((order.remote_id.as_str(), order.tenant.as_deref()), ("77", Some("org1")));
        assert_eq!((order.status, order.created_at), (OrderStatus::Paid, Some(1_793_527_200)));
        let money = |minor| Some(Money { minor, currency: "EUR".to_owned() });
        assert_eq!((order.total, order.refunded), (money(12910), money(10)));
        assert_eq!(
            (order.ticket_ids, order.body_json.as_str()),
            (vec!["5".to_owned(), "6".to_owned()], full)
        );
        let bare =
            read_order(&raw(r#"{"id":1,"status":"lost","total":1.005,"currency":"EUR"}"#), None).unwrap();
        assert_eq!((bare.status.as_text(), bare.total, bare.created_at), ("lost", None, None));
        assert!(read_order(&raw("{}"), None).is_none() && read_order(&raw("[]"), None).is_none());
    }

    #[test]
    fn offers_are_read_tolerantly() {
        let text = r#"{"id":4,"type":"MARKET","price":45,"currency":"EUR","seq_num":"12","event_id":9,"valid_until":1795305600000}"#;
        let offer = read_offer(&raw(text)).unwrap();
        assert_eq!(
            (offer.remote_id.as_str(), offer.kind.as_deref(), offer.seq_num),
            ("4", Some("MARKET"), Some(12))
        );
        assert_eq!(offer.price, Some(Money { minor: 4500, currency: "EUR".to_owned() }));
        assert_eq!(
            (offer.event_id.as_deref(), offer.valid_until.as_deref()),
            (Some("9"), Some("1795305600000"))
        );
        assert!(read_offer(&raw(r#"{"price":45}"#)).is_none());
    }
}
