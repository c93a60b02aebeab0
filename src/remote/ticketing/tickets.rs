//! Tickets: an account's, `GET /accounts/{number}/tickets`, and an event's, `GET /events/{event}/tickets`.

use std::sync::atomic::Ordering;

use super::page::{List, PageQuery, Parameters, TicketingPage};
use super::record::TicketingTicket;
use super::time::write_time;
use super::{Ticketing, input};
use crate::error::Error;
use crate::model::PulledTicket;
use crate::remote::Session;
use crate::remote::address::segment;

const OF_ACCOUNT: &str = "GET accounts/:number/tickets";
const OF_EVENT: &str = "GET events/:event/tickets";

/// Which of an account's tickets to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountTicketQuery {
    /// Which page.
    pub page: PageQuery,
    /// Only for this event: its address.
    pub event: Option<String>,
    /// Only for this section: its address.
    pub section: Option<String>,
    /// Only with a serial like this.
    pub serial: Option<String>,
    /// Only in this status.
    pub status: Option<String>,
}

/// Which of an event's tickets to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventTicketQuery {
    /// Which page.
    pub page: PageQuery,
    /// Only those whose status has changed after this, Unix seconds.
    pub modified_since: Option<i64>,
}

impl Ticketing {
    /// One page of the tickets of the account that is configured, else of the session's own.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`], [`Error::Reply`];
    /// [`Error::Input`] naming `account` for a key without one.
    pub async fn account_tickets(
        &self,
        session: &Session,
        query: &AccountTicketQuery,
    ) -> Result<TicketingPage<TicketingTicket>, Error> {
        let number = self.account(session).await?;
        let list = List {
            url: self.url(&format!("accounts/{}/tickets", segment(&number)))?,
            endpoint: OF_ACCOUNT,
            page: query.page,
            parameters: Parameters::of(query.page)
                .with("event", query.event.clone())
                .with("section", query.section.clone())
                .with("serial", query.serial.clone())
                .with("status", query.status.clone()),
        };
        self.list(session, list, TicketingTicket::read).await
    }

    /// One page of the tickets for an event, for its staff.
    ///
    /// # Errors
    /// As [`Ticketing::account_tickets`]; [`Error::Input`] naming `event_id` or `modified_since`.
    pub async fn event_tickets(
        &self,
        session: &Session,
        event_id: &str,
        query: EventTicketQuery,
    ) -> Result<TicketingPage<TicketingTicket>, Error> {
        let form = self.config.dates.unwrap_or_default();
        let since = query.modified_since.map(|at| {
            write_time(at, form, self.zone).ok_or_else(|| input("modified_since", "no time of the calendar"))
        });
        let list = List {
            url: self.event_url(event_id, "/tickets")?,
            endpoint: OF_EVENT,
            page: query.page,
            parameters: Parameters::default()
                .with("modified_since", since.transpose()?)
                .and(Parameters::of(query.page)),
        };
        self.list(session, list, TicketingTicket::read).await
    }

    /// Up to `limit` tickets of the account's list from an offset on, as the wallet keeps them; and how many there are in
    /// all, or one more than there are so far where the server does not say. `None` when this is the whole list.
    ///
    /// TickeTing counts pages, not tickets, and a server may give fewer on a page than it was asked for: then its pages
    /// count. What stands before the offset on a page is left out.
    ///
    /// # Errors
    /// As [`Ticketing::account_tickets`]; [`Error::Input`] for ids that cannot be hashed.
    pub async fn pull(
        &self,
        session: &Session,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<PulledTicket>, Option<i64>), Error> {
        let known = self.page_size.load(Ordering::Relaxed);
        let mut size = if known == 0 { limit.max(1) } else { known };
        let mut page = self.pull_page(session, offset / size + 1, size).await?;
        if page.records < size && offset >= page.records {
            size = page.records;
            page = self.pull_page(session, offset / size + 1, size).await?;
        }
        if page.records < size {
            size = page.records;
        }
        self.page_size.store(size, Ordering::Relaxed);
        let before = if page.is_whole { offset } else { offset % size };
        let tickets = page.entries.iter().skip(usize::try_from(before).unwrap_or(usize::MAX));
        let mut pulled = Vec::new();
        for ticket in tickets {
            pulled.push(self.pulled(session, ticket).await?);
        }
        if page.is_whole {
            return Ok((pulled, None));
        }
        let so_far = i64::from(offset) + i64::try_from(pulled.len()).unwrap_or(0);
        let total = page.total.and_then(|total| i64::try_from(total).ok());
        Ok((pulled, Some(total.unwrap_or(so_far + i64::from(page.more())))))
    }

    /// Takes out of a record what the wallet shows.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no serial; as [`Ticketing::event`] while its event is looked up.
    pub async fn read_ticket(&self, session: &Session, record: &str) -> Result<PulledTicket, Error> {
        let unreadable = || Error::Reply { endpoint: OF_ACCOUNT.to_owned(), field: "serial".to_owned() };
        self.pulled(session, &TicketingTicket::read(record).ok_or_else(unreadable)?).await
    }

    /// Whether a ticket is gone: the account's list lacks it when asked for by its serial. `None` when the server does not
    /// say.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it cannot be asked now.
    pub async fn is_gone(&self, session: &Session, serial: &str) -> Result<Option<bool>, Error> {
        let query = AccountTicketQuery { serial: Some(serial.to_owned()), ..AccountTicketQuery::default() };
        let page = match self.account_tickets(session, &query).await {
            Err(Error::Status { status: 404, server_code, .. })
                if server_code.as_deref() == Some(super::UNKNOWN_RESOURCE) =>
            {
                return Ok(None);
            }
            other => other?,
        };
        if page.entries.iter().any(|ticket| ticket.serial == serial) {
            return Ok(Some(false));
        }
        // A server that does not filter gives other tickets.
        Ok(page.entries.is_empty().then_some(true))
    }

    async fn pull_page(
        &self,
        session: &Session,
        page: u32,
        records: u32,
    ) -> Result<TicketingPage<TicketingTicket>, Error> {
        let page = PageQuery { page: Some(page), records: Some(records) };
        self.account_tickets(session, &AccountTicketQuery { page, ..AccountTicketQuery::default() }).await
    }

    async fn pulled(&self, session: &Session, ticket: &TicketingTicket) -> Result<PulledTicket, Error> {
        let event = match &ticket.event_id {
            Some(id) => self.known_event(session, id).await?,
            None => None,
        };
        self.normalise(ticket, event.as_deref())
    }
}
