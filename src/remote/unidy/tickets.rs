//! Lists of tickets and single ones, of the API that the account is of: `GET api/sdk/v1/tickets` or the partner's.

use url::Url;

use super::query::{self, MAX_LIMIT, UnidyOrder, UnidyTicketPage, UnidyTicketQuery};
use super::record::UnidyTicket;
use super::{Unidy, body};
use crate::error::Error;
use crate::model::{PulledTicket, UnidyApi};
use crate::remote::address::segment;
use crate::remote::{Reply, Request, Session};

impl Unidy {
    /// One page of the tickets: with the SDK's API those of the person who is signed in, with the partner's those that the
    /// OAuth app may see.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn tickets(
        &self,
        session: &Session,
        query: &UnidyTicketQuery,
    ) -> Result<UnidyTicketPage, Error> {
        let mut url = self.tickets_url()?;
        url.set_query(Some(&query.to_query()).filter(|query| !query.is_empty()).map(String::as_str));
        let endpoint = self.either("GET api/sdk/v1/tickets", "GET api/v1/tickets");
        let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
        self.page(&reply, query.limit.map(|limit| limit.clamp(1, MAX_LIMIT)))
    }

    /// A single ticket.
    ///
    /// # Errors
    /// As [`Unidy::tickets`]; [`Error::Status`] with 404 for one that there is not.
    pub async fn ticket(&self, session: &Session, id: &str) -> Result<UnidyTicket, Error> {
        let (url, endpoint) = self.ticket_place(id)?;
        let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
        self.one(&reply)
    }

    /// Whether a ticket is gone: asking for it alone gives 404 or 410. `None` when the server does not say.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it cannot be asked now.
    pub async fn is_gone(&self, session: &Session, id: &str) -> Result<Option<bool>, Error> {
        let (url, endpoint) = self.ticket_place(id)?;
        let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
        match reply.status {
            404 | 410 => Ok(Some(true)),
            408 | 425 | 429 | 500 | 502..600 => Err(reply.error()),
            _ => Ok(reply.is_success().then_some(false)),
        }
    }

    /// Up to `limit` tickets of the whole list in the order of their making, from an offset on, as the wallet keeps them;
    /// and how many there are in all, or one more than there are so far where the server does not say. `None` when this is
    /// the whole list.
    ///
    /// Unidy counts pages, not tickets: the page is asked for in which the offset lies, and what stands before it there is
    /// left out. So fewer than `limit` come where an offset is not a page's first, or a limit is above 250.
    ///
    /// # Errors
    /// As [`Unidy::tickets`]; [`Error::Input`] for ids that cannot be hashed.
    pub async fn pull(
        &self,
        session: &Session,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<PulledTicket>, Option<i64>), Error> {
        let limit = limit.clamp(1, MAX_LIMIT);
        let (number, before) = (offset / limit + 1, offset % limit);
        let page = self.tickets(session, &pull_query(number, limit)).await?;
        if page.meta.is_none() && self.does_not_page(session, &page, number, limit).await? {
            // Whatever was asked for, the list is there whole.
            return Ok((self.normalised(&page, offset)?, None));
        }
        let so_far = i64::from(offset - before) + i64::try_from(page.tickets.len()).unwrap_or(0);
        let total = page.meta.and_then(|meta| meta.count);
        let total = total.unwrap_or(so_far + i64::from(!page.is_last()));
        Ok((self.normalised(&page, before)?, Some(total)))
    }

    /// Whether a server gives its whole list each time: more than was asked for, or a second page that begins as the first
    /// does.
    async fn does_not_page(
        &self,
        session: &Session,
        page: &UnidyTicketPage,
        number: u32,
        limit: u32,
    ) -> Result<bool, Error> {
        let length = u32::try_from(page.tickets.len()).unwrap_or(u32::MAX);
        let Some(begins) = page.tickets.first().filter(|_| number > 1 && length == limit) else {
            return Ok(length > limit);
        };
        // Further on it is known that the second page is not the first.
        if number > 2 {
            return Ok(false);
        }
        let first = self.tickets(session, &pull_query(1, limit)).await?;
        Ok(first.tickets.first().is_some_and(|ticket| ticket.id == begins.id))
    }

    fn normalised(&self, page: &UnidyTicketPage, skip: u32) -> Result<Vec<PulledTicket>, Error> {
        let tickets = page.tickets.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
        tickets.map(|ticket| self.normalise(ticket)).collect()
    }

    fn page(&self, reply: &Reply, asked: Option<u32>) -> Result<UnidyTicketPage, Error> {
        let body = body(reply)?;
        let (records, meta) = query::list(body.get(), self.partner.tickets_name())
            .ok_or_else(|| reply.unreadable("results"))?;
        let tickets = records.into_iter().enumerate().map(|(index, record)| {
            UnidyTicket::read(record).ok_or_else(|| reply.unreadable(&format!("results[{index}].id")))
        });
        Ok(UnidyTicketPage { tickets: tickets.collect::<Result<_, _>>()?, meta, asked })
    }

    pub(super) fn one(&self, reply: &Reply) -> Result<UnidyTicket, Error> {
        UnidyTicket::read(body(reply)?.get()).ok_or_else(|| reply.unreadable("id"))
    }

    pub(super) fn tickets_url(&self) -> Result<Url, Error> {
        match self.config.api {
            UnidyApi::Sdk => self.sdk("tickets"),
            UnidyApi::Partner => self.partner.tickets(&self.brand, None),
        }
    }

    fn ticket_place(&self, id: &str) -> Result<(Url, &'static str), Error> {
        let url = match self.config.api {
            UnidyApi::Sdk => self.sdk(&format!("tickets/{}", segment(id)))?,
            UnidyApi::Partner => self.partner.tickets(&self.brand, Some(id))?,
        };
        Ok((url, self.either("GET api/sdk/v1/tickets/:id", "GET api/v1/tickets/:id")))
    }

    fn either<T>(&self, sdk: T, partner: T) -> T {
        match self.config.api {
            UnidyApi::Sdk => sdk,
            UnidyApi::Partner => partner,
        }
    }
}

/// A stable order: what is made meanwhile comes last.
fn pull_query(page: u32, limit: u32) -> UnidyTicketQuery {
    UnidyTicketQuery {
        page: Some(page),
        limit: Some(limit),
        order_by: Some(UnidyOrder::CreatedAt),
        descending: Some(false),
        ..UnidyTicketQuery::default()
    }
}
