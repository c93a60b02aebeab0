//! Tickets of the signed-in user: `GET v1/ticket`, from all tenants, and on a tenant's host `GET event/v1/ticket`,
//! `…/ticket/:id` and `…/ticket/bc/:blockchainId`.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::raw::{record, records};
use super::wire::{BamEvent, BamTicket};
use super::{Bam, RelationExpression, TicketPlace, path_id};
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

/// The documented parameters of the lists, and the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketQuery {
    /// Only tickets in this format.
    pub format: Option<TicketFormat>,
    /// Only tickets that stand so; a tenant's list takes it, that of all tenants is not documented to.
    pub status: Option<TicketStatus>,
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
            ("status", self.status.as_ref().map(|status| encode(status.as_text()))),
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
#[derive(Clone)]
pub struct TicketPage {
    /// Each ticket as documented, and the whole record as it came, number for number.
    pub items: Vec<(BamTicket, Box<RawValue>)>,
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
        page(&self.list(session, self.global("v1/ticket")?, "GET v1/ticket", query, None).await?)
    }

    /// One page of the signed-in user's tickets of one tenant; of all that `query` leaves in an organiser sees what the
    /// server shows it.
    ///
    /// # Errors
    /// As [`Bam::tickets`]; [`Error::Input`] when the tenant's name cannot stand in an address.
    pub async fn tenant_tickets(
        &self,
        session: &Session,
        tenant: Option<&str>,
        query: &TicketQuery,
    ) -> Result<TicketPage, Error> {
        let url = self.tenant_url(tenant, "event/v1/ticket")?;
        page(&self.list(session, url, "GET event/v1/ticket", query, None).await?)
    }

    /// One ticket with everything the wallet shows: as documented, and the whole record as it came.
    ///
    /// # Errors
    /// As [`Bam::tickets`]; [`Error::Input`] naming `id`.
    pub async fn ticket(
        &self,
        session: &Session,
        (tenant, id): TicketPlace<'_>,
    ) -> Result<(BamTicket, Box<RawValue>), Error> {
        let url = self.tenant_url(tenant, &format!("event/v1/ticket/{}", path_id(id)?))?;
        self.single(session, url, "GET event/v1/ticket/:id").await
    }

    /// The same by the id that the ledger knows the ticket by.
    ///
    /// # Errors
    /// As [`Bam::ticket`].
    pub async fn ticket_by_ledger_id(
        &self,
        session: &Session,
        (tenant, ledger_id): TicketPlace<'_>,
    ) -> Result<(BamTicket, Box<RawValue>), Error> {
        let url = self.tenant_url(tenant, &format!("event/v1/ticket/bc/{}", path_id(ledger_id)?))?;
        self.single(session, url, "GET event/v1/ticket/bc/:blockchainId").await
    }

    async fn single(
        &self,
        session: &Session,
        mut url: Url,
        endpoint: &'static str,
    ) -> Result<(BamTicket, Box<RawValue>), Error> {
        let query = TicketQuery { with: self.relations.clone(), ..TicketQuery::default() };
        url.set_query(Some(&query.to_query()));
        let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
        let record = record(&reply)?;
        let ticket = ticket(&record).ok_or_else(|| reply.unreadable("data.id"))?;
        Ok((ticket, record))
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
        let reply = self.list(session, self.global("v1/ticket")?, "GET v1/ticket", query, etag).await?;
        if reply.is_not_modified() && etag.is_some() {
            return Ok(None);
        }
        Ok(Some((page(&reply)?, reply.etag().map(str::to_owned))))
    }

    async fn list(
        &self,
        session: &Session,
        mut url: Url,
        endpoint: &'static str,
        query: &TicketQuery,
        etag: Option<&str>,
    ) -> Result<Reply, Error> {
        url.set_query(Some(&query.to_query()).filter(|query| !query.is_empty()).map(String::as_str));
        let request = || Request { if_none_match: etag, ..Request::get(url.clone(), endpoint) };
        session.send(&self.http, self, request).await
    }

    /// Reads a ticket's record.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no id.
    pub fn read_ticket(&self, record: &RawValue) -> Result<BamTicket, Error> {
        let unreadable = || Error::Reply { endpoint: "GET /tickets".to_owned(), field: "id".to_owned() };
        ticket(record).ok_or_else(unreadable)
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
        record: &RawValue,
    ) -> Result<PulledTicket, Error> {
        let config = ticket.ticket_config.as_deref();
        let event = config.and_then(|config| config.event.as_deref());
        let organizer = event.and_then(|event| event.organizer_id.as_deref());
        let tenant = self.tenant_of_organizer(session, organizer).await?;
        let provider = self.provider(tenant.as_deref())?;
        let remote_id = ticket.id.clone().unwrap_or_default();
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
            body: record.get().to_owned(),
        })
    }

    fn event(
        &self,
        provider: &Provider,
        event: &BamEvent,
        record: &RawValue,
    ) -> Result<Option<PulledEvent>, Error> {
        let Some(remote_id) = event.id.clone().filter(|id| !id.is_empty()) else { return Ok(None) };
        let hash =
            provider.event(&remote_id).map_err(|e| Error::Input { field: "event", reason: e.to_string() })?;
        Ok(Some(PulledEvent {
            hash,
            name: event.name.clone().unwrap_or_else(|| format!("Event {remote_id}")),
            remote_id,
            venue: event.location.clone(),
            starts_at: event.start_at.as_deref().and_then(unix_seconds),
            ends_at: event.end_at.as_deref().and_then(unix_seconds),
            time_zone: event.timezone_name.clone(),
            body: event_record(record).unwrap_or_default(),
        }))
    }
}

fn page(reply: &Reply) -> Result<TicketPage, Error> {
    let list = records(reply)?;
    let items = list.items.into_iter().enumerate().map(|(index, record)| {
        let ticket = ticket(&record).ok_or_else(|| reply.unreadable(&format!("data[{index}].id")));
        Ok((ticket?, record))
    });
    Ok(TicketPage { items: items.collect::<Result<_, Error>>()?, total: list.total })
}

fn ticket(record: &RawValue) -> Option<BamTicket> {
    BamTicket::read(record.get()).filter(|ticket| ticket.id.as_ref().is_some_and(|id| !id.is_empty()))
}

/// The text of `ticket_config.event`.
fn event_record(record: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Ticket<'a> {
        #[serde(borrow)]
        ticket_config: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Config<'a> {
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let Ticket { ticket_config } = serde_json::from_str(record.get()).ok()?;
    let Config { event } = serde_json::from_str(ticket_config.get()).ok()?;
    Some(event.get().to_owned())
}

fn unix_seconds(rfc3339: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::bam::Decimal;
    use proptest::prelude::*;

    #[test]
    fn query_names_every_documented_parameter() {
        let query = TicketQuery {
            format: Some(TicketFormat::Secure),
            status: Some(TicketStatus::Reserved),
            with_enrollment_id: true,
            sort_by: Some("updated_at".to_owned()),
            direction: Some(Direction::Descending),
            with: RelationExpression::parse("[ticket_holder,ticket_config.event]").unwrap(),
            limit: Some(100),
            offset: 200,
        };
        assert_eq!(
            query.to_query(),
            "format=SECURE&status=reserved&with_enrollment_id=true&sort_by=updated%5Fat&direction=desc\
             &with=%5Bticket%5Fholder%2Cticket%5Fconfig%2Eevent%5D&limit=100&offset=200"
        );
        assert_eq!(TicketQuery::default().to_query(), "");
    }

    #[test]
    fn records_are_read_tolerantly() {
        let ticket = BamTicket::read(
            r#"{
                "id": "17", "seq_num": 3, "status": 5, "format": null, "seat_id": 12, "new_field": {"a": 1e999},
                "ticket_discount": "none", "timeslot": [4], "ticket_holder": {"address": [1]}, "sector": {"id": 4, "name": "Nord", "capacity": [1], "name": "Süd"},
                "ticket_config": {
                    "face_value": 64.50, "currency": "EUR", "tax_rate": "19.0",
                    "event": {"id": 12345678901234567890123, "organizer_id": 2}
                }
            }"#,
        )
        .unwrap();
        assert_eq!((ticket.id.as_deref(), ticket.seq_num), (Some("17"), Some(3)));
        assert!(ticket.format.is_none() && ticket.ticket_discount.is_none() && ticket.timeslot.is_none());
        assert_eq!(ticket.ticket_holder.unwrap().address.unwrap().to_string(), "[1]");
        assert_eq!((ticket.status.as_deref(), ticket.seat_id.as_deref()), (Some("5"), Some("12")));
        let sector = ticket.sector.unwrap();
        assert_eq!((sector.name.as_deref(), sector.capacity), (Some("Süd"), None));
        let config = ticket.ticket_config.unwrap();
        assert_eq!(config.price().unwrap().to_string(), "64.50 EUR");
        let written = |number: Option<Decimal>| number.unwrap().to_string();
        assert_eq!(
            (written(config.face_value), written(config.tax_rate)),
            ("64.50".to_owned(), "19.0".to_owned())
        );
        let event = config.event.unwrap();
        assert_eq!(event.id.as_deref(), Some("12345678901234567890123"));
        assert_eq!(event.organizer_id.as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_ticket_is_none() {
        for json in ["7", "null", "[]", "[7]", "{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":{}}"#] {
            assert!(ticket(&serde_json::from_str::<Box<RawValue>>(json).unwrap()).is_none(), "{json}");
        }
    }

    #[test]
    fn the_event_s_record_keeps_its_text() {
        let record = r#"{"id":1,"ticket_config":{"event": {"b":2.0, "a":12345678901234567890123.10} }}"#;
        let record: Box<RawValue> = serde_json::from_str(record).unwrap();
        assert_eq!(event_record(&record).as_deref(), Some(r#"{"b":2.0, "a":12345678901234567890123.10}"#));
    }

    const ODD_VALUES: [&str; 13] = [
        "null",
        "true",
        "-0",
        "1.5e3",
        "1e999",
        r#""""#,
        r#""\ud800""#,
        r#""7""#,
        "[]",
        "[1]",
        "{}",
        r#"{"event":[]}"#,
        r#"{"event":{"id":1,"id":2}}"#,
    ];

    proptest! {
        #[test]
        fn a_record_of_any_members_is_read_or_refused(
            name in "(id|status|seq_num|ticket_config|ticket_discount|sector|updated_at|x)",
            value in prop::sample::select(ODD_VALUES.to_vec()),
        ) {
            let record = format!(r#"{{"id":7,"{name}":{value}}}"#);
            let record: Box<RawValue> = serde_json::from_str(&record).unwrap();
            if let Some(ticket) = ticket(&record) {
                prop_assert!(ticket.id.is_some());
            } else {
                prop_assert_eq!(name, "id");
            }
        }
    }
}
