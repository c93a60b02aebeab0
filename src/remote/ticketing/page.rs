//! Lists and their pages.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::super::unidy::raw::{self, Members};
use super::{Ticketing, body};
use crate::error::Error;
use crate::remote::{Request, Session};

/// The number of records that a page has when nobody says.
const DEFAULT_RECORDS: u32 = 25;

/// Which page of a list to ask for. The default asks for nothing, and gets the server's first page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Counted from 1.
    pub page: Option<u32>,
    /// How many records it has at most.
    pub records: Option<u32>,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingPage<T> {
    /// What is on it.
    pub entries: Vec<T>,
    /// How many there are in all, where the server says.
    pub total: Option<u64>,
    /// Which page it is, counted from 1.
    pub page: u32,
    /// How many a page has at most, as the server says; else as was asked.
    pub records: u32,
    /// Whether the list came without pages, and is whole.
    pub is_whole: bool,
    /// When the server gave it, by its own clock, where it says: Unix seconds.
    pub date_s: Option<i64>,
}

impl<T> std::fmt::Debug for TicketingPage<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketingPage(..)")
    }
}

impl<T> TicketingPage<T> {
    /// Whether more pages follow. Where the server does not say how many there are in all, a full page may be followed by
    /// another.
    pub fn more(&self) -> bool {
        if self.is_whole || self.entries.is_empty() {
            return false;
        }
        match self.total {
            Some(total) => u64::from(self.page).saturating_mul(u64::from(self.records)) < total,
            None => usize::try_from(self.records).is_ok_and(|records| self.entries.len() >= records),
        }
    }
}

/// The parameters of a query, in their order.
#[derive(Default)]
pub(super) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    pub(super) fn of(page: PageQuery) -> Self {
        let number = |number: u32| number.max(1).to_string();
        Self::default().with("page", page.page.map(number)).with("records", page.records.map(number))
    }

    pub(super) fn with(mut self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        self.0.extend(value.map(|value| (name, value.into())));
        self
    }

    pub(super) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    fn set(&self, url: &mut Url) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        url.set_query(Some(pairs.join("&")).filter(|query| !query.is_empty()).as_deref());
    }
}

/// A list to ask for.
pub(super) struct List {
    pub(super) url: Url,
    /// Method and path without ids.
    pub(super) endpoint: &'static str,
    pub(super) page: PageQuery,
    pub(super) parameters: Parameters,
}

impl Ticketing {
    /// One page of a list. A page beyond the end, which the server calls no resource, is an empty one.
    pub(super) async fn list<T>(
        &self,
        session: &Session,
        list: List,
        read: impl Fn(&str) -> Option<T> + Send + Sync,
    ) -> Result<TicketingPage<T>, Error> {
        let List { mut url, endpoint, page, parameters } = list;
        parameters.set(&mut url);
        let asked = page.page.unwrap_or(1).max(1);
        let size = page.records.unwrap_or(DEFAULT_RECORDS).max(1);
        let reply = match self.ask(session, || Request::get(url.clone(), endpoint)).await {
            Err(Error::Status { status: 404, server_code, .. })
                if server_code.as_deref() == Some(super::UNKNOWN_RESOURCE)
                    && (asked > 1 || self.config.empty_is_not_found) =>
            {
                let entries = Vec::new();
                return Ok(TicketingPage {
                    entries,
                    total: None,
                    page: asked,
                    records: size,
                    is_whole: false,
                    date_s: None,
                });
            }
            other => other?,
        };
        let body = body(&reply)?;
        let (records, is_whole, members) = match raw::items(body.get()) {
            Some(items) => (Some(items), true, None),
            None => {
                let members = Members::read(body.get());
                (members.as_ref().and_then(|it| raw::items(it.raw("entries")?)), false, members)
            }
        };
        let records = records.ok_or_else(|| reply.unreadable("entries"))?;
        let entries = records.into_iter().enumerate().map(|(index, record)| {
            read(record).ok_or_else(|| reply.unreadable(&format!("entries[{index}]")))
        });
        let entries = entries.collect::<Result<_, _>>()?;
        let told =
            |name: &str| members.as_ref().and_then(|it| it.number(name)).and_then(|n| u64::try_from(n).ok());
        let small = |name: &str| told(name).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        Ok(TicketingPage {
            entries,
            total: told("total"),
            page: small("page").unwrap_or(asked),
            records: small("records").unwrap_or(size),
            is_whole,
            date_s: reply.date_s(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(entries: usize, total: Option<u64>, page: u32, is_whole: bool) -> TicketingPage<()> {
        TicketingPage { entries: vec![(); entries], total, page, records: 25, is_whole, date_s: None }
    }

    #[test]
    fn the_last_page_is_known() {
        assert!(page(25, Some(26), 1, false).more() && !page(1, Some(26), 2, false).more());
        assert!(page(25, None, 3, false).more() && !page(24, None, 3, false).more());
        assert!(!page(0, Some(26), 1, false).more() && !page(80, None, 1, true).more());
        assert!(page(25, Some(u64::MAX), u32::MAX, false).more());
    }

    #[test]
    fn parameters_are_encoded() {
        let mut url = Url::parse("https://h/v3/x").unwrap();
        let query = PageQuery { page: Some(0), records: Some(50) };
        Parameters::of(query).with("ticket", Some("A&B=ü ")).with("none", None::<String>).set(&mut url);
        assert_eq!(url.as_str(), "https://h/v3/x?page=1&records=50&ticket=A%26B%3D%C3%BC%20");
        Parameters::default().set(&mut url);
        assert_eq!(url.as_str(), "https://h/v3/x");
    }
}
