//! Orders, by section and quantity, as they were before sections became tiers: `/orders`.
//!
//! Nothing tells a repeated order from a new one. The server gives an order its number; after a lost answer the newest of
//! the list tells what there is.

use serde_json::json;

use super::super::unidy::raw::{self, Members};
use super::page::{List, PageQuery, Parameters, TicketingPage};
use super::record::address;
use super::transfers::counts;
use super::{Ticketing, body, input};
use crate::error::Error;
use crate::model::SectionCount;
use crate::remote::address::segment;
use crate::remote::bounds;
use crate::remote::{Reply, Request, Session};

const PLACE: &str = "POST orders";
const LIST: &str = "GET orders";
const GET: &str = "GET orders/:number";
const CANCEL: &str = "DELETE orders/:number";

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Which page.
    pub page: PageQuery,
    /// Only of this customer: the address of an account.
    pub customer: Option<String>,
    /// Only in this status.
    pub status: Option<String>,
}

/// What was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderItem {
    /// Number that the server gave it.
    pub number: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// How many.
    pub quantity: Option<u32>,
    /// Price of one, as it was written; no document says in which currency.
    pub price: Option<String>,
}

/// An order. Amounts are as they were written.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingOrder {
    /// Its address below the API's.
    pub uri: Option<String>,
    /// Names it: twelve hex digits, or what a server writes.
    pub number: String,
    /// In the server's words: `Placed`, `Cancelled`, `Timed Out`, `Fulfilled`, `Voided`, `Returned`, `Refunded`, or what it
    /// adds.
    pub status: Option<String>,
    /// When it was placed, in the server's words.
    pub placed: Option<String>,
    /// Sum before fees.
    pub subtotal: Option<String>,
    /// Fees.
    pub fees: Option<String>,
    /// Sum.
    pub total: Option<String>,
    /// What was ordered.
    pub items: Vec<OrderItem>,
    /// The customer's address.
    pub customer: Option<String>,
    record: String,
}

opaque_debug!(TicketingOrder);

impl TicketingOrder {
    /// Reads a record. `None` when it is no object, has no number, or nests deeper than 100 levels.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let items = members.raw("items").and_then(raw::items).unwrap_or_default();
        let item = |item: &&str| {
            let item = Members::read(item)?;
            Some(OrderItem {
                number: item.label("number"),
                name: item.text("name"),
                quantity: item.number("quantity").and_then(|quantity| u32::try_from(quantity).ok()),
                price: item.label("price"),
            })
        };
        Some(Self {
            uri: members.text("self"),
            number: members.label("number").filter(|number| !number.is_empty())?,
            status: members.text("status"),
            placed: members.text("placed"),
            subtotal: members.label("subtotal"),
            fees: members.label("fees"),
            total: members.label("total"),
            items: items.iter().filter_map(item).collect(),
            customer: address(&members, "customer"),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl Ticketing {
    /// Places an order, for the account itself or for a customer's address.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] with 400 when there are too few tickets; [`Error::UpgradeNeeded`],
    /// [`Error::ServerFault`], [`Error::Reply`]; [`Error::Input`] naming `items`.
    pub async fn place_order(
        &self,
        session: &Session,
        customer: Option<&str>,
        items: &[SectionCount],
    ) -> Result<TicketingOrder, Error> {
        let mut asked = json!({ "items": counts("items", items)? });
        if let Some(customer) = customer {
            asked["customer"] = json!(customer);
        }
        let url = self.url("orders")?;
        read(&self.ask(session, || Request::post(url.clone(), PLACE, &asked)).await?)
    }

    /// One page of the orders that the account may see.
    ///
    /// # Errors
    /// As [`Ticketing::place_order`].
    pub async fn orders(
        &self,
        session: &Session,
        query: &OrderQuery,
    ) -> Result<TicketingPage<TicketingOrder>, Error> {
        let list = List {
            url: self.url("orders")?,
            endpoint: LIST,
            page: query.page,
            parameters: Parameters::of(query.page)
                .with("customer", query.customer.clone())
                .with("status", query.status.clone()),
        };
        self.list(session, list, TicketingOrder::read).await
    }

    /// A single order.
    ///
    /// # Errors
    /// As [`Ticketing::place_order`]; [`Error::Status`] with 404 for one that there is not.
    pub async fn order(&self, session: &Session, number: &str) -> Result<TicketingOrder, Error> {
        let url = self.order_url(number)?;
        read(&self.ask(session, || Request::get(url.clone(), GET)).await?)
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// As [`Ticketing::order`]; [`Error::Status`] with 409 for one that is cancelled or settled.
    pub async fn cancel_order(&self, session: &Session, number: &str) -> Result<(), Error> {
        let url = self.order_url(number)?;
        self.ask(session, || Request::delete(url.clone(), CANCEL)).await.map(drop)
    }

    fn order_url(&self, number: &str) -> Result<url::Url, Error> {
        if number.trim().is_empty() {
            return Err(input("number", "must not be empty"));
        }
        self.url(&format!("orders/{}", segment(number)))
    }
}

fn read(reply: &Reply) -> Result<TicketingOrder, Error> {
    TicketingOrder::read(body(reply)?.get()).ok_or_else(|| reply.unreadable("number"))
}
