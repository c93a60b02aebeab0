//! `GET v1/ticket`: all tickets of the signed-in user, from all tenants.

use chrono::DateTime;
use serde::Deserialize as _;
use serde_json::Value;

use super::wire::{BamEvent, BamTicket, TicketList};
use super::{Bam, RelationExpression};
use crate::error::Error;
use crate::model::{
    BarcodeProfile, Provider, ProviderError, PulledEvent, PulledTicket, TicketFormat, TicketStatus,
};
use crate::remote::{Reply, Request, Session};

/// What the wallet shows of a ticket.
pub(super) const RELATIONS: &str =
    "[ticket_config.[event,ticket_type],sector,timeslot,ticket_holder,ticket_discount]";

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The documented parameters of `GET v1/ticket`, and the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketQuery {
    /// Only tickets in this format.
    pub format: Option<TicketFormat>,
    /// Whether to include the owner's enrolment id.
    pub with_enrollment_id: bool,
    /// Column to order by.
    pub sort_by: Option<String>,
    /// Order.
    pub direction: Option<Direction>,
    /// Sub-objects to include.
    pub with: RelationExpression,
    /// At most this many.
    pub limit: Option<u32>,
    /// Skip this many first.
    pub offset: u32,
}

impl TicketQuery {
    /// The query string, percent-encoded; parameters that say nothing are left out.
    pub fn to_query(&self) -> String {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let direction = self.direction.map(|direction| match direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        });
        let with = self.with.to_query_value();
        let pairs = [
            ("format", self.format.as_ref().map(|format| encode(format.as_text()))),
            ("with_enrollment_id", self.with_enrollment_id.then(|| "true".to_owned())),
            ("sort_by", self.sort_by.as_deref().map(encode)),
            ("direction", direction.map(str::to_owned)),
            ("with", (!with.is_empty()).then_some(with)),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("offset", (self.offset > 0).then(|| self.offset.to_string())),
        ];
        let present =
            pairs.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
        present.collect::<Vec<_>>().join("&")
    }
}

/// One page of the list.
#[derive(Clone, PartialEq)]
pub struct TicketPage {
    /// Each ticket as documented, and the whole record as it came.
    pub items: Vec<(BamTicket, Value)>,
    /// How many there are in all; `None` when the server does not page, and this is the whole list.
    pub total: Option<i64>,
}

opaque_debug!(TicketPage);

impl TicketPage {
    /// Whether a first page is the whole list.
    pub fn is_whole(&self) -> bool {
        self.total.is_none_or(|total| usize::try_from(total).is_ok_and(|total| self.items.len() >= total))
    }
}

impl Bam {
    /// One page of the signed-in user's tickets.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn tickets(&self, session: &Session, query: &TicketQuery) -> Result<TicketPage, Error> {
        page(&self.list(session, query, None).await?)
    }

    /// The same unless it is as it was when the server gave it this entity tag (RFC 9110, section 13.1.2); with its tag
    /// now.
    ///
    /// # Errors
    /// As [`Bam::tickets`].
    pub async fn tickets_unless(
        &self,
        session: &Session,
        query: &TicketQuery,
        etag: Option<&str>,
    ) -> Result<Option<(TicketPage, Option<String>)>, Error> {
        let reply = self.list(session, query, etag).await?;
        if reply.is_not_modified() && etag.is_some() {
            return Ok(None);
        }
        Ok(Some((page(&reply)?, reply.etag().map(str::to_owned))))
    }

    async fn list(&self, session: &Session, query: &TicketQuery, etag: Option<&str>) -> Result<Reply, Error> {
        let mut url = self.global("v1/ticket")?;
        url.set_query(Some(&query.to_query()).filter(|query| !query.is_empty()).map(String::as_str));
        let request = || Request { if_none_match: etag, ..Request::get(url.clone(), "GET v1/ticket") };
        session.send(&self.http, self, request).await
    }

    /// Reads a ticket's record.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no id.
    pub fn read_ticket(&self, record: &Value) -> Result<BamTicket, Error> {
        ticket(record)
            .ok_or_else(|| Error::Reply { endpoint: "GET /tickets".to_owned(), field: "id".to_owned() })
    }

    /// The query of a pull: everything the wallet shows, in a stable order.
    pub fn pull_query(&self, limit: u32, offset: u32) -> TicketQuery {
        TicketQuery { with: self.relations.clone(), limit: Some(limit), offset, ..TicketQuery::default() }
    }

    /// Takes out of a record what the wallet shows, and finds the tenant. Which barcode the ticket carries is not in it:
    /// that depends on what the tenant serves.
    ///
    /// # Errors
    /// As [`Session::send`] while the tenant is looked up; [`Error::Input`] for ids that cannot be hashed.
    pub async fn normalise(
        &self,
        session: &Session,
        ticket: &BamTicket,
        record: &Value,
    ) -> Result<PulledTicket, Error> {
        let config = ticket.ticket_config.as_deref();
        let event = config.and_then(|config| config.event.as_deref());
        let tenant = self.tenant_of(session, event.and_then(|event| event.organizer_id)).await?;
        let provider = self.provider(tenant.as_deref())?;
        let remote_id = ticket.id.unwrap_or_default().to_string();
        let hashed = |e: ProviderError| Error::Input { field: "id", reason: e.to_string() };
        let holder = ticket.ticket_holder.as_deref().map(|holder| {
            [&holder.first_name, &holder.last_name]
                .into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(" ")
        });
        Ok(PulledTicket {
            id: provider.ticket(&remote_id).map_err(hashed)?,
            tenant,
            remote_id,
            event: match event {
                Some(event) => self.event(&provider, event, record)?,
                None => None,
            },
            category: config.and_then(|config| config.name.clone()),
            format: TicketFormat::from_text(ticket.format.as_deref().unwrap_or_default()),
            status: TicketStatus::from_text(ticket.status.as_deref().unwrap_or_default()),
            profile: BarcodeProfile::None,
            section: ticket.sector.as_deref().and_then(|sector| sector.name.clone()),
            seat: ticket.seat_id.clone(),
            expires_at: None,
            static_code: None,
            holder: holder.filter(|name| !name.is_empty()),
            body: record.to_string(),
        })
    }

    fn event(
        &self,
        provider: &Provider,
        event: &BamEvent,
        record: &Value,
    ) -> Result<Option<PulledEvent>, Error> {
        let Some(id) = event.id else { return Ok(None) };
        let remote_id = id.to_string();
        let hash =
            provider.event(&remote_id).map_err(|e| Error::Input { field: "event", reason: e.to_string() })?;
        Ok(Some(PulledEvent {
            hash,
            remote_id,
            name: event.name.clone().unwrap_or_else(|| format!("Event {id}")),
            venue: event.location.clone(),
            starts_at: event.start_at.as_deref().and_then(unix_seconds),
            ends_at: event.end_at.as_deref().and_then(unix_seconds),
            time_zone: event.timezone_name.clone(),
            body: record.pointer("/ticket_config/event").map(Value::to_string).unwrap_or_default(),
        }))
    }
}

fn page(reply: &Reply) -> Result<TicketPage, Error> {
    let list: TicketList = reply.json()?;
    let items = list.data.into_iter().enumerate().map(|(index, record)| {
        let ticket = ticket(&record).ok_or_else(|| reply.unreadable(&format!("data[{index}].id")));
        Ok((ticket?, record))
    });
    Ok(TicketPage {
        items: items.collect::<Result<_, Error>>()?,
        total: list.paging.map(|paging| paging.total),
    })
}

fn ticket(record: &Value) -> Option<BamTicket> {
    BamTicket::deserialize(record).ok().filter(|ticket| ticket.id.is_some())
}

fn unix_seconds(rfc3339: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn query_names_every_documented_parameter() {
        let query = TicketQuery {
            format: Some(TicketFormat::Secure),
            with_enrollment_id: true,
            sort_by: Some("updated_at".to_owned()),
            direction: Some(Direction::Descending),
            with: RelationExpression::parse("[ticket_holder,ticket_config.event]").unwrap(),
            limit: Some(100),
            offset: 200,
        };
        assert_eq!(
            query.to_query(),
            "format=SECURE&with_enrollment_id=true&sort_by=updated%5Fat&direction=desc\
             &with=%5Bticket%5Fholder%2Cticket%5Fconfig%2Eevent%5D&limit=100&offset=200"
        );
        assert_eq!(TicketQuery::default().to_query(), "");
    }

    #[test]
    fn records_are_read_tolerantly() {
        let ticket: BamTicket = serde_json::from_value(json!({
            "id": "17", "seq_num": 3, "status": 5, "format": null, "seat_id": 12, "new_field": {"a": 1},
            "ticket_discount": "none", "sector": {"id": 4, "name": "Nord", "capacity": [1]},
            "ticket_config": {"face_value": 64.5, "currency": "EUR", "event": {"id": 9, "organizer_id": 2}},
        }))
        .unwrap();
        assert_eq!(
            (ticket.id, ticket.seq_num, ticket.format, ticket.ticket_discount),
            (Some(17), Some(3), None, None)
        );
        assert_eq!((ticket.status.as_deref(), ticket.seat_id.as_deref()), (Some("5"), Some("12")));
        let sector = ticket.sector.unwrap();
        assert_eq!((sector.name.as_deref(), sector.capacity), (Some("Nord"), None));
        let config = ticket.ticket_config.unwrap();
        assert_eq!(config.face_value.unwrap().to_string(), "64.5");
        assert_eq!(config.event.unwrap().organizer_id, Some(2));
    }
}
