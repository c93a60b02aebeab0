//! The market: rules of resale, a holder's listings, what others offer, and buying it.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use super::{BASE64URL, Extension, Issued, issued, rfc3339, stated, unix_seconds};
use crate::barcode::DeviceKey;
use crate::error::Error;
use crate::model::{HeldReservation, MarketQuery, Money, Percentage, Statement};
use crate::remote::address::{api_url, join, segment};
use crate::remote::{Http, Refresh, Reply, Request, Session};
use crate::resale::{BarcodePolicy, Breakdown, Fee, ListingState, PriceBasis, PriceRules};

use base64::Engine as _;

/// So many pages of an account's own listings are read.
const OWN_PAGES: usize = 100;
/// The state of a reservation that was paid for.
const PAID: &str = "paid";

/// A listing as the server tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct WireListing {
    /// Its id.
    pub id: String,
    /// The system's ticket id.
    pub ticket_id: String,
    /// The system's event id.
    pub event_id: String,
    /// Where it stands.
    pub state: ListingState,
    /// Grows with every change.
    pub version: i64,
    /// What the seller asks for.
    pub price: Money,
    /// What that comes to.
    pub breakdown: Option<Breakdown>,
    /// When it was listed, Unix seconds.
    pub created_at: i64,
    /// When it ends by itself, Unix seconds.
    pub expires_at: Option<i64>,
    /// Section, seat and category.
    pub place: [Option<String>; 3],
}

/// A page of what others offer.
#[derive(Clone, PartialEq, Eq)]
pub struct WireOffers {
    /// The listings.
    pub items: Vec<WireListing>,
    /// Where the next page begins; `None` on the last.
    pub cursor: Option<String>,
}

/// What became of buying a ticket, or of accepting one.
#[derive(Clone)]
pub struct Acquired {
    /// `paid`, `pending` and the like; `None` where nothing was to be paid.
    pub state: Option<String>,
    /// What is waited for.
    pub reservation: Option<HeldReservation>,
    /// The system's record of the ticket, once it is the account's.
    pub ticket: Option<Box<RawValue>>,
    /// Its credential; nothing of it is checked yet.
    pub issued: Option<Issued>,
}

opaque_debug!(WireListing, WireOffers, Acquired);

/// Who asks, and through what.
#[derive(Clone, Copy)]
pub struct Asker<'a, S> {
    /// The client.
    pub http: &'a Http,
    /// The account's session.
    pub session: &'a Session,
    /// The account's system.
    pub system: &'a S,
}

#[derive(Deserialize)]
struct RulesBody {
    allowed: bool,
    reason: Option<String>,
    currency: Option<String>,
    face_value: Option<Money>,
    total_paid: Option<Money>,
    #[serde(default)]
    basis: String,
    cap_percent: Option<Percentage>,
    cap_minor: Option<i64>,
    min_minor: Option<i64>,
    #[serde(default)]
    seller_fee_percent: Percentage,
    #[serde(default)]
    buyer_fee_percent: Percentage,
    fixed_fees: Option<FixedFees>,
    barcode_while_listed: Option<String>,
    closes_at: Option<String>,
}

#[derive(Deserialize)]
struct FixedFees {
    buyer: Option<Money>,
    seller: Option<Money>,
}

#[derive(Deserialize)]
struct ListingBody {
    id: String,
    ticket_id: String,
    #[serde(default)]
    event_id: String,
    state: String,
    reason: Option<String>,
    version: i64,
    price: Money,
    breakdown: Option<Breakdown>,
    created_at: String,
    expires_at: Option<String>,
    section: Option<String>,
    seat: Option<String>,
    category: Option<String>,
}

#[derive(Deserialize)]
struct ListBody {
    items: Vec<ListingBody>,
    cursor: Option<String>,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct AcquiredBody {
    reservation: Option<String>,
    state: Option<String>,
    payment_url: Option<String>,
    #[serde(default)]
    simulated: bool,
    total: Option<Money>,
    expires_at: Option<String>,
    ticket: Option<Box<RawValue>>,
    credential: Option<String>,
    renew_after: Option<String>,
}

impl Extension {
    /// Whether the server has a market.
    pub fn offers_resale(&self) -> bool {
        self.offers("resale")
    }

    /// What counts for a ticket: `GET /resale/rules`.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn resale_rules<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        ticket_id: &str,
    ) -> Result<PriceRules, Error> {
        let mut url = join(&self.base, "resale/rules")?;
        url.query_pairs_mut().append_pair("ticket", ticket_id);
        let reply = get(asker, url, "GET /resale/rules").await?;
        let body: RulesBody = reply.json()?;
        body.read().map_err(|field| reply.unreadable(field))
    }

    /// What a price would come to: `POST /resale/preview`.
    ///
    /// # Errors
    /// As [`Extension::resale_rules`].
    pub async fn preview<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        ticket_id: &str,
        price: &Money,
    ) -> Result<Breakdown, Error> {
        let url = join(&self.base, "resale/preview")?;
        let body = json!({ "ticket_id": ticket_id, "price": price });
        let request = || Request::post(url.clone(), "POST /resale/preview", &body);
        asker.session.send(asker.http, asker.system, request).await?.json()
    }

    /// Lists a ticket, and gives its credential up with it where the event says so: `POST /resale/listings`.
    ///
    /// # Errors
    /// As [`Extension::take_over`]; [`Error::Reply`] naming `ticket_id` for an answer about another ticket.
    pub async fn create_listing<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        key: &str,
        (ticket_id, price, expires_at): (&str, &Money, Option<i64>),
        statement: Option<&Statement>,
    ) -> Result<WireListing, Error> {
        let mut body = json!({ "ticket_id": ticket_id, "price": price });
        if let Some(at) = expires_at.and_then(|at| u32::try_from(at).ok()) {
            body["expires_at"] = rfc3339(at).into();
        }
        if let Some(statement) = statement {
            body["surrender"] = stated(statement)?;
        }
        let call = (join(&self.base, "resale/listings")?, "POST /resale/listings");
        let reply = self.write(asker.http, asker.session, asker.system, call, key, &body).await?;
        let made = read(&reply)?;
        if made.ticket_id == ticket_id { Ok(made) } else { Err(reply.unreadable("ticket_id")) }
    }

    /// The account's own listings, on however many pages they come: `GET /resale/listings?mine`.
    ///
    /// # Errors
    /// As [`Extension::resale_rules`]; [`Error::Reply`] naming `cursor`, [`Error::Untrusted`] for a list that does not end.
    pub async fn own_listings<S: Refresh>(&self, asker: &Asker<'_, S>) -> Result<Vec<WireListing>, Error> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..OWN_PAGES {
            let mut url = join(&self.base, "resale/listings")?;
            url.query_pairs_mut().append_pair("mine", "true");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let reply = get(asker, url, "GET /resale/listings?mine").await?;
            let list: ListBody = reply.json()?;
            for body in list.items {
                found.push(body.read(&reply)?);
            }
            match list.cursor.filter(|_| list.more) {
                None => return Ok(found),
                same if same == cursor => return Err(reply.unreadable("cursor")),
                next => cursor = next,
            }
        }
        Err(Error::Untrusted { what: "a list of listings does not end" })
    }

    /// A page of what others offer: `GET /resale/listings?event=`.
    ///
    /// # Errors
    /// As [`Extension::resale_rules`].
    pub async fn market<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        query: &MarketQuery,
    ) -> Result<WireOffers, Error> {
        let mut url = join(&self.base, "resale/listings")?;
        let numbers = [
            query.limit.map(|limit| ("limit", limit.to_string())),
            query.max_price.as_ref().map(|price| ("max_price", price.minor.to_string())),
            query.section.clone().map(|section| ("section", section)),
            query.cursor.clone().map(|cursor| ("cursor", cursor)),
        ];
        url.query_pairs_mut().append_pair("event", &query.event_id);
        for (name, value) in numbers.into_iter().flatten() {
            url.query_pairs_mut().append_pair(name, &value);
        }
        let reply = get(asker, url, "GET /resale/listings?event").await?;
        let list: ListBody = reply.json()?;
        let items = list.items.into_iter().map(|body| body.read(&reply)).collect::<Result<_, _>>()?;
        Ok(WireOffers { items, cursor: list.cursor.filter(|_| list.more) })
    }

    /// One listing: `GET /resale/listings/{id}`.
    ///
    /// # Errors
    /// As [`Extension::resale_rules`].
    pub async fn listing<S: Refresh>(&self, asker: &Asker<'_, S>, id: &str) -> Result<WireListing, Error> {
        read_of(&get(asker, self.listing_url(id)?, "GET /resale/listings/:id").await?, id)
    }

    /// Another price for a listing in the version that was seen: `PATCH /resale/listings/{id}`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn edit_listing<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        key: &str,
        (id, version): (&str, i64),
        price: &Money,
    ) -> Result<WireListing, Error> {
        let (url, body) = (self.listing_url(id)?, json!({ "price": price }));
        let request = || Request {
            idempotency_key: Some(key),
            headers: if_match(version),
            ..Request::patch(url.clone(), "PATCH /resale/listings/:id", &body)
        };
        read_of(&asker.session.send(asker.http, asker.system, request).await?, id)
    }

    /// Takes a listing back in the version that was seen: `DELETE /resale/listings/{id}`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn withdraw_listing<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        key: &str,
        (id, version): (&str, i64),
    ) -> Result<WireListing, Error> {
        let url = self.listing_url(id)?;
        let request = || Request {
            idempotency_key: Some(key),
            headers: if_match(version),
            ..Request::delete(url.clone(), "DELETE /resale/listings/:id")
        };
        read_of(&asker.session.send(asker.http, asker.system, request).await?, id)
    }

    /// Buys a listing for a device key, for no more than `max_total`: `POST /resale/listings/{id}/purchase`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn purchase<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        key: &str,
        (id, device_key): (&str, &DeviceKey),
        max_total: &Money,
    ) -> Result<Acquired, Error> {
        let url = join(&self.base, &format!("resale/listings/{}/purchase", segment(id)))?;
        let call = (url, "POST /resale/listings/:id/purchase");
        let body = json!({ "device_key": BASE64URL.encode(device_key.to_x963()), "max_total": max_total });
        acquired(&self.write(asker.http, asker.session, asker.system, call, key, &body).await?)
    }

    /// How a purchase stands that waits for its payment: `GET /resale/reservations/{id}`.
    ///
    /// # Errors
    /// As [`Extension::resale_rules`].
    pub async fn reservation<S: Refresh>(&self, asker: &Asker<'_, S>, id: &str) -> Result<Acquired, Error> {
        let url = join(&self.base, &format!("resale/reservations/{}", segment(id)))?;
        let reply = get(asker, url, "GET /resale/reservations/:id").await?;
        let found = acquired(&reply)?;
        match &found.reservation {
            Some(other) if other.id != id => Err(reply.unreadable("reservation")),
            _ => Ok(found),
        }
    }

    /// Accepts a transfer for a device key: `POST /transfers/{id}/accept`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn accept_transfer<S: Refresh>(
        &self,
        asker: &Asker<'_, S>,
        key: &str,
        (id, device_key): (&str, &DeviceKey),
    ) -> Result<Acquired, Error> {
        let url = join(&self.base, &format!("transfers/{}/accept", segment(id)))?;
        let call = (url, "POST /transfers/:id/accept");
        let body = json!({ "device_key": BASE64URL.encode(device_key.to_x963()) });
        acquired(&self.write(asker.http, asker.session, asker.system, call, key, &body).await?)
    }

    fn listing_url(&self, id: &str) -> Result<Url, Error> {
        join(&self.base, &format!("resale/listings/{}", segment(id)))
    }
}

async fn get<S: Refresh>(asker: &Asker<'_, S>, url: Url, endpoint: &'static str) -> Result<Reply, Error> {
    asker.session.send(asker.http, asker.system, || Request::get(url.clone(), endpoint)).await
}

fn if_match(version: i64) -> Vec<(&'static str, Zeroizing<String>)> {
    vec![("if-match", Zeroizing::new(format!("\"{version}\"")))]
}

fn read(reply: &Reply) -> Result<WireListing, Error> {
    reply.json::<ListingBody>()?.read(reply)
}

/// The listing that was asked for, and no other.
fn read_of(reply: &Reply, id: &str) -> Result<WireListing, Error> {
    let listing = read(reply)?;
    if listing.id == id { Ok(listing) } else { Err(reply.unreadable("id")) }
}

/// What a purchase or an acceptance came to. An answer with neither ticket nor reservation is none.
fn acquired(reply: &Reply) -> Result<Acquired, Error> {
    let body: AcquiredBody = reply.json()?;
    let time = |text: &Option<String>| text.as_deref().and_then(unix_seconds);
    let reservation = body.reservation.clone().map(|id| HeldReservation {
        id,
        payment_url: body.payment_url.clone().filter(|url| api_url(url).is_ok()),
        simulated: body.simulated,
        total: body.total.clone(),
        expires_at: time(&body.expires_at),
        is_paid: body.state.as_deref() == Some(PAID),
    });
    if reservation.is_none() && body.ticket.is_none() {
        return Err(reply.unreadable("ticket"));
    }
    let issued = match (&body.credential, &body.renew_after) {
        (Some(credential), Some(renew_after)) => {
            Some(issued(credential, renew_after).ok_or_else(|| reply.unreadable("credential"))?)
        }
        _ => None,
    };
    Ok(Acquired { state: body.state, reservation, ticket: body.ticket, issued })
}

impl RulesBody {
    /// # Errors
    /// The member that cannot be read: the currency, where no amount tells that of a ticket that may be sold; fees in
    /// another; a time that is none.
    fn read(self) -> Result<PriceRules, &'static str> {
        let amounts = [&self.face_value, &self.total_paid];
        let told = amounts.into_iter().flatten().map(|amount| amount.currency.clone()).next();
        let currency = self.currency.or(told);
        let currency = if self.allowed { currency.ok_or("currency")? } else { currency.unwrap_or_default() };
        let fixed = |amount: Option<&Money>| match amount {
            Some(amount) if self.allowed && amount.currency != currency => Err("fixed_fees"),
            amount => Ok(amount.map_or(0, |amount| amount.minor)),
        };
        let fees = self.fixed_fees.as_ref();
        let buyer = fixed(fees.and_then(|fees| fees.buyer.as_ref()))?;
        let seller = fixed(fees.and_then(|fees| fees.seller.as_ref()))?;
        let closes_at = match &self.closes_at {
            Some(text) => Some(unix_seconds(text).ok_or("closes_at")?),
            None => None,
        };
        Ok(PriceRules {
            allowed: self.allowed,
            reason: self.reason,
            currency,
            basis: PriceBasis::from_text(&self.basis),
            cap_percent: self.cap_percent,
            cap_minor: self.cap_minor,
            min_minor: self.min_minor,
            seller_fee: Fee { percent: self.seller_fee_percent, fixed_minor: seller },
            buyer_fee: Fee { percent: self.buyer_fee_percent, fixed_minor: buyer },
            barcode_while_listed: BarcodePolicy::of_server(self.barcode_while_listed.as_deref()),
            closes_at,
            face_value: self.face_value,
            total_paid: self.total_paid,
        })
    }
}

impl ListingBody {
    fn read(self, reply: &Reply) -> Result<WireListing, Error> {
        Ok(WireListing {
            state: ListingState::from_server(&self.state, self.reason.as_deref()),
            id: self.id,
            ticket_id: self.ticket_id,
            event_id: self.event_id,
            version: self.version,
            price: self.price,
            breakdown: self.breakdown,
            created_at: unix_seconds(&self.created_at).ok_or_else(|| reply.unreadable("created_at"))?,
            expires_at: self.expires_at.as_deref().and_then(unix_seconds),
            place: [self.section, self.seat, self.category],
        })
    }
}
