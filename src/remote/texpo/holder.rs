//! What a holder has: tickets to buy, tickets that they bought, and these as PDF.

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::Texpo;
use super::catalogue::products;
use super::record::PurchasedTicket;
use crate::error::Error;
use crate::host::MAX_DOCUMENT_BYTES;
use crate::model::{
    BarcodeProfile, Product, Provider, ProviderError, PulledEvent, PulledTicket, TicketFormat, TicketStatus,
};
use crate::remote::address::segment;
use crate::remote::unidy::raw;
use crate::remote::{Request, Session};

const PURCHASABLE: (&str, &str) =
    ("rpc/ticket.getPurchasableTickets", "POST /api/v0/rpc/ticket.getPurchasableTickets");
const PURCHASED: (&str, &str) =
    ("rpc/ticket.getPurchasedTickets", "POST /api/v0/rpc/ticket.getPurchasedTickets");
const DOCUMENT: &str = "GET /api/v0/resource/ticket/:id";

impl Texpo {
    /// The tickets that a holder can buy.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Answer`], [`Error::Status`], [`Error::Reply`].
    pub async fn purchasable(&self, session: &Session) -> Result<Vec<Product>, Error> {
        let (url, empty) = (self.holder_url(PURCHASABLE.0)?, json!({}));
        let request = || Request::post(url.clone(), PURCHASABLE.1, &empty);
        let reply = session.send(&self.http, self, request).await?;
        products(&self.open(&reply)?, PURCHASABLE.1)
    }

    /// The tickets that the holder bought, all of them. The method is documented over a websocket only.
    ///
    /// # Errors
    /// As [`Texpo::purchasable`].
    pub async fn purchased(&self, session: &Session) -> Result<Vec<PurchasedTicket>, Error> {
        let (url, empty) = (self.holder_url(PURCHASED.0)?, json!({}));
        let reply =
            session.send(&self.http, self, || Request::post(url.clone(), PURCHASED.1, &empty)).await?;
        let Some(list) = self.open(&reply)?.member("tickets") else { return Ok(Vec::new()) };
        let items = raw::items(&list).ok_or_else(|| reply.unreadable("data.tickets"))?;
        let read = items.into_iter().enumerate().map(|(index, item)| {
            let field = || reply.unreadable(&format!("data.tickets[{index}].ticketId"));
            PurchasedTicket::read(item).ok_or_else(field)
        });
        read.collect()
    }

    /// A ticket as PDF, of 16 MiB at most.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Answer`], [`Error::Status`] (404 for one that there is not), [`Error::Reply`] for what
    /// is no PDF.
    pub async fn document(&self, session: &Session, ticket_id: &str) -> Result<Vec<u8>, Error> {
        let url = self.holder_url(&format!("resource/ticket/{}", segment(ticket_id)))?;
        let request =
            || Request { max_reply_bytes: MAX_DOCUMENT_BYTES, ..Request::get(url.clone(), DOCUMENT) };
        let reply = session.send(&self.http, self, request).await?;
        // ISO 32000-1, annex H.3.4.1: within the first kilobyte.
        let head = &reply.bytes()[..reply.bytes().len().min(1024)];
        if reply.is_success() && head.windows(5).any(|window| window == b"%PDF-") {
            return Ok(reply.into_bytes());
        }
        self.open(&reply)?;
        Err(reply.unreadable("body"))
    }

    /// Takes out of a record what the wallet shows.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no id; [`Error::Input`] for ids that cannot be hashed.
    pub fn read_ticket(&self, record: &str) -> Result<PulledTicket, Error> {
        let unreadable = || Error::Reply { endpoint: PURCHASED.1.to_owned(), field: "ticketId".to_owned() };
        self.normalise(&PurchasedTicket::read(record).ok_or_else(unreadable)?)
    }

    /// A purchased ticket as the wallet keeps it: it is its owner's, and a PDF.
    ///
    /// Its event has the id `name@start`, with the start in UTC: tickets of one name that start together are for one event,
    /// as far as TEXPO tells. A ticket without a name or a start has none.
    ///
    /// # Errors
    /// [`Error::Input`] for ids that cannot be hashed.
    pub fn normalise(&self, ticket: &PurchasedTicket) -> Result<PulledTicket, Error> {
        let provider = self.provider()?;
        let hashed = |e: ProviderError| Error::Input { field: "id", reason: e.to_string() };
        let event = event(&provider, &ticket.product);
        let name = ticket.product.ticket_name.clone();
        let category =
            if event.is_none() { name.or_else(|| ticket.product.event_name.clone()) } else { name };
        Ok(PulledTicket {
            id: provider.ticket(&ticket.ticket_id).map_err(hashed)?,
            tenant: None,
            remote_id: ticket.ticket_id.clone(),
            event,
            category,
            format: TicketFormat::Pdf,
            status: TicketStatus::Issued,
            profile: BarcodeProfile::None,
            section: None,
            seat: None,
            expires_at: None,
            static_code: None,
            holder: None,
            body: ticket.product.body_json.clone(),
        })
    }

    /// The whole list of purchased tickets as the wallet keeps them.
    ///
    /// # Errors
    /// As [`Texpo::purchased`]; [`Error::Input`] for ids that cannot be hashed.
    pub async fn pull(&self, session: &Session) -> Result<Vec<PulledTicket>, Error> {
        self.purchased(session).await?.iter().map(|ticket| self.normalise(ticket)).collect()
    }
}

fn event(provider: &Provider, product: &Product) -> Option<PulledEvent> {
    let name = product.event_name.as_ref().filter(|name| !name.is_empty())?;
    let starts_at = product.starts_at?;
    let start = DateTime::from_timestamp(starts_at, 0)?.to_rfc3339_opts(SecondsFormat::Secs, true);
    let remote_id = format!("{name}@{start}");
    Some(PulledEvent {
        // A name that cannot be hashed is no event's.
        hash: provider.event(&remote_id).ok()?,
        remote_id,
        name: name.clone(),
        venue: None,
        starts_at: Some(starts_at),
        ends_at: product.ends_at,
        time_zone: None,
        body: String::new(),
    })
}
