//! The organiser's side, on the tenant's host: reserving tickets for a user, freeing and issuing them, sending tickets to
//! addresses, and looking at what came of it. No write of these can be repeated safely: whoever does not know how one
//! ended looks first.

mod form;

pub(super) use form::{id_value, ids_field, prefix};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::form::{group_body, ids_body, reserve_body};
use super::raw::{record, records};
use super::{Bam, BamTicketConfig, RelationExpression, TicketPlace, TicketQuery, path_id, wire};
use crate::error::Error;
use crate::model::{GroupOrder, OfficeTicket, Reservation, TicketStatus};
use crate::remote::{Reply, Request, Session};

/// What a record tells an organiser.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(deserialize_with = "wire::lenient")]
    id: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    status: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    event_id: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    ticket_config_id: Option<i64>,
    #[serde(deserialize_with = "wire::lenient")]
    enrollment_id: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    ticket_config: Option<Box<BamTicketConfig>>,
    #[serde(deserialize_with = "wire::lenient")]
    format: Option<String>,
    #[serde(deserialize_with = "wire::lenient")]
    sector_id: Option<i64>,
    #[serde(deserialize_with = "wire::lenient")]
    sector: Option<WithId>,
    #[serde(deserialize_with = "wire::lenient")]
    timeslot_id: Option<i64>,
    #[serde(deserialize_with = "wire::lenient")]
    timeslot: Option<WithId>,
}

/// A sub-object of which the id alone counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WithId {
    #[serde(deserialize_with = "wire::lenient")]
    id: Option<i64>,
}

/// What a ticket was reserved as, as far as its record tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReservedAs {
    /// The ticket configuration's id.
    pub ticket_config_id: Option<i64>,
    /// The owner's enrolment.
    pub owner: Option<String>,
    /// `PDF`, `SECURE` or another text.
    pub format: Option<String>,
    /// The sector's id.
    pub sector_id: Option<i64>,
    /// The time slot's id.
    pub timeslot_id: Option<i64>,
}

impl ReservedAs {
    /// What a ticket's record tells; nothing where it is no record.
    pub fn of(ticket: &OfficeTicket) -> Self {
        let told: Told = wire::expected(&ticket.body_json).unwrap_or_default();
        Self {
            ticket_config_id: ticket.ticket_config_id,
            owner: ticket.enrollment_id.clone(),
            format: told.format,
            sector_id: told.sector_id.or(told.sector.and_then(|sector| sector.id)),
            timeslot_id: told.timeslot_id.or(told.timeslot.and_then(|timeslot| timeslot.id)),
        }
    }
}

impl Bam {
    /// The tenant that an organiser's call goes to: the one that is named, else the tenant of the organizer signed in for,
    /// else the configuration's default.
    ///
    /// # Errors
    /// As [`Bam::tenant_of`].
    pub async fn office_tenant(
        &self,
        session: &Session,
        named: Option<&str>,
    ) -> Result<Option<String>, Error> {
        match named {
            Some(tenant) => Ok(Some(tenant.to_owned())),
            None => self.tenant_of(session, self.organizer_id).await,
        }
    }

    /// Reserves tickets for a user: `POST /ticket/reserve`. Gives the tickets, which are `reserved` then.
    ///
    /// # Errors
    /// [`Error::Input`] naming `event_id`, `owner_enrollment_id`, `format`, `items`, `quantity` or another member, before
    /// anything is sent; as [`Session::send`]; [`Error::Status`], [`Error::Reply`]. [`Error::is_uncertain`] tells whether
    /// they may be reserved all the same.
    pub async fn reserve(&self, session: &Session, order: &Reservation) -> Result<Vec<OfficeTicket>, Error> {
        let body = reserve_body(order)?;
        let call = ("ticket/reserve", "POST /ticket/reserve");
        tickets(&self.office(session, order.tenant.as_deref(), call, &body).await?)
    }

    /// Frees reserved tickets, which can be bought or reserved again: `POST /ticket/free`. Gives what the server says of
    /// them, which may be nothing.
    ///
    /// # Errors
    /// [`Error::Input`] naming `ids`; else as [`Bam::reserve`].
    pub async fn free(
        &self,
        session: &Session,
        tenant: Option<&str>,
        ids: &[String],
    ) -> Result<Vec<OfficeTicket>, Error> {
        self.by_ids(session, tenant, ("ticket/free", "POST /ticket/free"), ids).await
    }

    /// Issues reserved tickets to the user they are reserved for: `POST /ticket/issue`. Gives what the server says of
    /// them, which may be nothing. They are issued when [`Bam::office_ticket`] says so, for the ledger comes first.
    ///
    /// # Errors
    /// As [`Bam::free`].
    pub async fn issue(
        &self,
        session: &Session,
        tenant: Option<&str>,
        ids: &[String],
    ) -> Result<Vec<OfficeTicket>, Error> {
        self.by_ids(session, tenant, ("ticket/issue", "POST /ticket/issue"), ids).await
    }

    /// Sends tickets to e-mail addresses: `POST /ticket/send-group`. Gives the tickets; their status is not told.
    ///
    /// # Errors
    /// [`Error::Input`] naming `owner_emails` or a member as with [`Bam::reserve`]; else as that.
    pub async fn send_group(
        &self,
        session: &Session,
        order: &GroupOrder,
    ) -> Result<Vec<OfficeTicket>, Error> {
        let body = group_body(order)?;
        let call = ("ticket/send-group", "POST /ticket/send-group");
        tickets(&self.office(session, order.tenant.as_deref(), call, &body).await?)
    }

    /// The reserved tickets of an event that the tenant's list shows: `GET event/v1/ticket?status=reserved`. Whether it
    /// shows an organiser what is reserved for others is not documented.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`]; [`Error::Reply`] also for a list that ends before its total.
    pub async fn reserved_tickets(
        &self,
        session: &Session,
        tenant: Option<&str>,
        event_id: i64,
    ) -> Result<Vec<OfficeTicket>, Error> {
        let tenant = self.office_tenant(session, tenant).await?;
        let query = TicketQuery {
            status: Some(TicketStatus::Reserved),
            with_enrollment_id: true,
            with: RelationExpression::parse("[ticket_config.event,sector,timeslot]").unwrap_or_default(),
            ..TicketQuery::default()
        };
        let query = query.to_query();
        let url = self.tenant_url(tenant.as_deref(), "event/v1/ticket")?;
        let event_id = event_id.to_string();
        let mut found = Vec::new();
        self.every_record(session, (url, &query, "GET event/v1/ticket"), |record| {
            let Some(told) = Told::read(record) else { return false };
            if told.event() == Some(event_id.as_str()) {
                found.push(told.ticket(record));
            }
            true
        })
        .await?;
        // A server that does not know the filter gives tickets of every status.
        found.retain(|ticket| ticket.status == TicketStatus::Reserved);
        Ok(found)
    }

    /// How one ticket stands: `GET event/v1/ticket/:id`, with its owner's enrolment.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] (404 where it is not shown to the organiser), [`Error::Reply`];
    /// [`Error::Input`] naming `id`.
    pub async fn office_ticket(
        &self,
        session: &Session,
        (tenant, id): TicketPlace<'_>,
    ) -> Result<OfficeTicket, Error> {
        let mut url = self.tenant_url(tenant, &format!("event/v1/ticket/{}", path_id(id)?))?;
        url.set_query(Some("with_enrollment_id=true&with=ticket_config"));
        let request = || Request::get(url.clone(), "GET event/v1/ticket/:id");
        let reply = session.send(&self.http, self, request).await?;
        let record = record(&reply)?;
        let told = Told::read(&record).ok_or_else(|| reply.unreadable("data.id"))?;
        Ok(told.ticket(&record))
    }

    async fn by_ids(
        &self,
        session: &Session,
        tenant: Option<&str>,
        call: (&str, &'static str),
        ids: &[String],
    ) -> Result<Vec<OfficeTicket>, Error> {
        let body = ids_body((self.ids_form, &self.ids_field), ids)?;
        let reply = self.office(session, tenant, call, &body).await?;
        if !reply.is_success() {
            return Err(reply.error());
        }
        // What is answered is not documented: only tickets in it count.
        Ok(tickets(&reply).unwrap_or_default())
    }

    async fn office(
        &self,
        session: &Session,
        tenant: Option<&str>,
        (path, endpoint): (&str, &'static str),
        body: &Value,
    ) -> Result<Reply, Error> {
        let tenant = self.office_tenant(session, tenant).await?;
        let url = self.tenant_url(tenant.as_deref(), &format!("{}{path}", self.organizer_prefix))?;
        session.send(&self.http, self, || Request::post(url.clone(), endpoint, body)).await
    }
}

impl Told {
    /// Reads a record; one that is only an id is the ticket of that id. `None` without an id.
    fn read(record: &RawValue) -> Option<Self> {
        let id = || {
            let json = record.get();
            let number = json.starts_with(|c: char| c.is_ascii_digit()).then(|| json.to_owned());
            number.or_else(|| serde_json::from_str(json).ok())
        };
        let told =
            wire::expected::<Self>(record.get()).or_else(|| Some(Self { id: id(), ..Self::default() }));
        told.filter(|told| told.id.as_ref().is_some_and(|id| !id.is_empty()))
    }

    fn event(&self) -> Option<&str> {
        let event = self.ticket_config.as_ref().and_then(|config| config.event.as_ref());
        self.event_id.as_deref().or_else(|| event?.id.as_deref())
    }

    fn ticket(self, record: &RawValue) -> OfficeTicket {
        let config = self.ticket_config.as_ref().and_then(|config| config.id.as_ref()?.parse().ok());
        OfficeTicket {
            remote_id: self.id.unwrap_or_default(),
            status: TicketStatus::from_text(self.status.as_deref().unwrap_or_default()),
            ticket_config_id: self.ticket_config_id.or(config),
            enrollment_id: self.enrollment_id,
            body_json: record.get().to_owned(),
            unidy: None,
        }
    }
}

fn tickets(reply: &Reply) -> Result<Vec<OfficeTicket>, Error> {
    let items = records(reply)?.items;
    let read = items.iter().enumerate().map(|(index, item)| {
        let told = Told::read(item).ok_or_else(|| reply.unreadable(&format!("data[{index}].id")))?;
        Ok(told.ticket(item))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<OfficeTicket> {
        let record: Box<RawValue> = serde_json::from_str(json).unwrap();
        Told::read(&record).map(|told| told.ticket(&record))
    }

    #[test]
    fn a_record_tells_what_it_has_in_any_of_its_forms() {
        let full = r#"{"id": 12345678901234567890123, "status":"Reserved","enrollment_id":"e-1","ticket_config_id":"7"}"#;
        let ticket = read(full).unwrap();
        assert_eq!(ticket.remote_id, "12345678901234567890123");
        assert_eq!((&ticket.status, ticket.ticket_config_id), (&TicketStatus::Reserved, Some(7)));
        assert_eq!((ticket.enrollment_id.as_deref(), ticket.body_json.as_str()), (Some("e-1"), full));
        let nested =
            read(r#"{"id":"a-1","status":"minted","ticket_config":{"id":8,"event":{"id":9}}}"#).unwrap();
        assert_eq!((nested.remote_id.as_str(), nested.ticket_config_id), ("a-1", Some(8)));
        assert_eq!(nested.status.as_text(), "minted");
        for (json, id) in [("17", "17"), ("\"x-17\"", "x-17")] {
            let bare = read(json).unwrap();
            assert_eq!((bare.remote_id.as_str(), bare.status.as_text()), (id, ""), "{json}");
        }
        for json in
            ["{}", "null", "[]", "[7]", "true", "\"\"", r#"{"id":null}"#, r#"{"id":[1]}"#, r#"{"id":""}"#]
        {
            assert!(read(json).is_none(), "{json}");
        }
    }

    #[test]
    fn what_a_ticket_was_reserved_as_is_told_by_ids_or_by_sub_objects() {
        let told = |json: &str| ReservedAs::of(&read(json).unwrap());
        let full = ReservedAs {
            ticket_config_id: Some(7),
            owner: Some("e-1".to_owned()),
            format: Some("PDF".to_owned()),
            sector_id: Some(4),
            timeslot_id: Some(3),
        };
        let start = r#"{"id":1,"ticket_config_id":7,"enrollment_id":"e-1","format":"PDF","#;
        for rest in [
            r#""sector_id":"4","timeslot_id":3}"#,
            r#""sector":{"id":4,"name":"Block"},"timeslot":{"id":"3"}}"#,
            r#""sector_id":4,"sector":{"id":5},"timeslot_id":3,"timeslot":null}"#,
        ] {
            assert_eq!(told(&format!("{start}{rest}")), full, "{rest}");
        }
        assert_eq!(told("17"), ReservedAs::default());
        assert_eq!(told(r#"{"id":1,"sector":[4],"timeslot":7,"format":null}"#), ReservedAs::default());
    }

    #[test]
    fn the_event_is_told_by_the_ticket_or_by_its_configuration() {
        for json in [
            r#"{"id":1,"event_id":"9"}"#,
            r#"{"id":1,"ticket_config":{"event":{"id":9}}}"#,
            r#"{"id":1,"event_id":9,"ticket_config":{"event":{"id":8}}}"#,
        ] {
            let told = Told::read(&serde_json::from_str::<Box<RawValue>>(json).unwrap()).unwrap();
            assert_eq!(told.event(), Some("9"), "{json}");
        }
    }
}
