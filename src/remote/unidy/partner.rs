//! The partner API: tickets made and changed by an organiser's own systems, and the categories that they belong to.
//!
//! Nothing makes a repeated request recognisable. After a lost answer to [`Unidy::create_ticket`] the list of tickets tells
//! whether one with the same reference is there.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::query;
use super::raw::Members;
use super::record::UnidyTicket;
use super::{Unidy, body, input};
use crate::error::Error;
use crate::model::{Money, UnidyApi, UnidyConfig, UnidyUpdate};
use crate::remote::address::{join, segment};
use crate::remote::{Reply, Request, Session};

const CREATE: &str = "POST api/v1/tickets";
const UPDATE: &str = "PATCH api/v1/tickets/:id";
const REPLACE: &str = "PUT api/v1/tickets/:id";
const DELETE: &str = "DELETE api/v1/tickets/:id";
const CATEGORIES: &str = "GET api/v1/ticket_categories";
const CATEGORY: &str = "GET api/v1/ticket_categories/:id";

/// Where the partner API keeps what.
pub(super) struct Paths {
    prefix: String,
    tickets: String,
    categories: String,
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{{{},{}}}", self.prefix, self.tickets, self.categories)
    }
}

impl Paths {
    pub(super) fn new(config: &UnidyConfig) -> Result<Self, Error> {
        let path = |field: &'static str, configured: &Option<String>, default: &str| {
            let path = configured.as_deref().unwrap_or(default).trim_matches('/').to_owned();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
            let parts_are_names = path.split('/').all(|part| !["", ".", ".."].contains(&part));
            let may_be_none = path.is_empty() && field == "partner_prefix";
            if path.chars().all(plain) && (parts_are_names || may_be_none) {
                Ok(path)
            } else {
                Err(input(field, "a path is names of letters, digits, - _ . ~, with / between them"))
            }
        };
        Ok(Self {
            prefix: path("partner_prefix", &config.partner_prefix, "api/v1")?,
            tickets: path("tickets_resource", &config.tickets_resource, "tickets")?,
            categories: path("categories_resource", &config.categories_resource, "ticket_categories")?,
        })
    }

    /// The member that holds the list of tickets where it is not alone.
    pub(super) fn tickets_name(&self) -> &str {
        last(&self.tickets)
    }

    pub(super) fn tickets(&self, brand: &Url, id: Option<&str>) -> Result<Url, Error> {
        self.place(brand, &self.tickets, id)
    }

    fn place(&self, brand: &Url, resource: &str, id: Option<&str>) -> Result<Url, Error> {
        let id = id.map_or_else(String::new, |id| format!("/{}", segment(id)));
        join(brand, format!("{}/{resource}{id}", self.prefix).trim_start_matches('/'))
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What to make of a ticket: of a new one all that it shall have, of one that is there only what shall change.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TicketChange {
    /// What it is called.
    pub title: Option<String>,
    /// What it says.
    pub text: Option<String>,
    /// The seller's number; not unique to the server, yet what a lost answer is read back by.
    pub reference: Option<String>,
    /// `active`, `passive` or `inactive`.
    pub state: Option<String>,
    /// Whether it is paid, in the server's words.
    pub payment_state: Option<String>,
    /// Price, with its currency.
    pub price: Option<Money>,
    /// RFC 3339.
    pub starts_at: Option<String>,
    /// RFC 3339.
    pub ends_at: Option<String>,
    /// Place.
    pub venue: Option<String>,
    /// Seat.
    pub seating: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// Its category.
    pub ticket_category_id: Option<String>,
    /// Any JSON, sent as it is written.
    pub metadata: Option<String>,
    /// Members besides these, each as JSON that is sent as it is written; they come last, and replace those of the same
    /// name.
    pub more: BTreeMap<String, String>,
}

/// A category of tickets. Its schema is not documented: what is not taken out here is in the record.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyCategory {
    /// Opaque.
    pub id: String,
    /// What it is called: `title`, or `name`.
    pub title: Option<String>,
    /// The currency of tickets that name none.
    pub currency: Option<String>,
    /// Where the button of tickets leads that have none of their own.
    pub button_cta_url: Option<String>,
    record: String,
}

opaque_debug!(TicketChange, UnidyCategory);

impl TicketChange {
    /// The members of a JSON object, each as it is written there; of two with one name the last counts. `None` for what is
    /// no object.
    pub fn of_fields(json: &str) -> Option<Self> {
        let members = Members::read(json)?;
        let more = members.all().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { more, ..Self::default() })
    }

    /// The members that say something, as JSON. The price is a number, or a text where no double stands for it exactly: a
    /// server may read numbers as doubles.
    ///
    /// # Errors
    /// [`Error::Input`] naming `metadata` or `more` where that is no JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        let text = |value: &Option<String>| value.clone().map(|text| Value::from(text).to_string());
        let members = [
            ("title", text(&self.title)),
            ("text", text(&self.text)),
            ("reference", text(&self.reference)),
            ("state", text(&self.state)),
            ("payment_state", text(&self.payment_state)),
            ("price", self.price.as_ref().map(amount)),
            ("currency", self.price.as_ref().map(|price| Value::from(price.currency.as_str()).to_string())),
            ("starts_at", text(&self.starts_at)),
            ("ends_at", text(&self.ends_at)),
            ("venue", text(&self.venue)),
            ("seating", text(&self.seating)),
            ("user_id", text(&self.user_id)),
            ("ticket_category_id", text(&self.ticket_category_id)),
            ("metadata", self.metadata.clone()),
        ];
        let known = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut parts = Vec::new();
        for (name, value) in known.filter(|(name, _)| !self.more.contains_key(*name)) {
            parts.push(member("metadata", name, &value)?);
        }
        for (name, value) in &self.more {
            parts.push(member("more", name, value)?);
        }
        Ok(format!("{{{}}}", parts.join(",")))
    }
}

/// `"name":value`, the value as it is written.
fn member(field: &'static str, name: &str, json: &str) -> Result<String, Error> {
    let read = serde_json::from_str::<&RawValue>(json);
    let value = read.map_err(|_| input(field, "each value is one piece of JSON"))?;
    Ok(format!("{}:{}", Value::from(name), value.get()))
}

/// An amount in major units, as a number if a double of it is the same amount.
fn amount(money: &Money) -> String {
    let major = money.major();
    let double = serde_json::from_str::<Value>(&major).ok();
    let exact = double.is_some_and(|it| Money::parse(&it.to_string(), &money.currency).as_ref() == Ok(money));
    if exact { major } else { Value::from(major).to_string() }
}

impl UnidyCategory {
    fn read(record: &str) -> Option<Self> {
        let members = Members::read(record)?;
        Some(Self {
            id: members.label("id").filter(|id| !id.is_empty())?,
            title: members.text("title").or_else(|| members.text("name")),
            currency: members.text("currency"),
            button_cta_url: members.text("button_cta_url"),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl Unidy {
    /// Makes a ticket, and gives it as the server has it: as it stands in the reply, or read from the `Location` there.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `api` where the account is not of
    /// the partner API. A failed reading after the ticket was made is an [`Error::Reply`], which
    /// [`Error::is_uncertain`] tells.
    pub async fn create_ticket(
        &self,
        session: &Session,
        change: &TicketChange,
    ) -> Result<UnidyTicket, Error> {
        self.needs(UnidyApi::Partner)?;
        let (url, asked) = (self.partner.tickets(&self.brand, None)?, change.to_json()?);
        let request = || Request { method: "POST", json: Some(&asked), ..Request::get(url.clone(), CREATE) };
        let reply = session.send(&self.http, self, request).await?;
        if !reply.is_success() {
            return Err(reply.error());
        }
        let id = reply.location().and_then(|location| self.id_at(&url, location));
        match (self.one(&reply), id) {
            (Ok(ticket), _) => Ok(ticket),
            (Err(_), Some(id)) => self.ticket(session, &id).await.map_err(|_| reply.unreadable("location")),
            (Err(unreadable), None) => Err(unreadable),
        }
    }

    /// Changes a ticket, and gives it as the server has it then: with `PATCH`, or with the `PUT` of the configuration. Either
    /// carries the members that change and no others.
    ///
    /// # Errors
    /// As [`Unidy::create_ticket`].
    pub async fn update_ticket(
        &self,
        session: &Session,
        id: &str,
        change: &TicketChange,
    ) -> Result<UnidyTicket, Error> {
        self.needs(UnidyApi::Partner)?;
        let (url, asked) = (self.partner.tickets(&self.brand, Some(id))?, change.to_json()?);
        let (method, endpoint) = match self.config.update.unwrap_or_default() {
            UnidyUpdate::Patch => ("PATCH", UPDATE),
            UnidyUpdate::Put => ("PUT", REPLACE),
        };
        let request = || Request { method, json: Some(&asked), ..Request::get(url.clone(), endpoint) };
        let reply = session.send(&self.http, self, request).await?;
        if !reply.is_success() {
            return Err(reply.error());
        }
        if reply.bytes().is_empty() {
            return self.ticket(session, id).await.map_err(|_| reply.unreadable("body"));
        }
        self.one(&reply)
    }

    /// Deletes a ticket.
    ///
    /// # Errors
    /// As [`Unidy::create_ticket`]; [`Error::Status`] with 404 for one that there is not (any more).
    pub async fn delete_ticket(&self, session: &Session, id: &str) -> Result<(), Error> {
        self.needs(UnidyApi::Partner)?;
        let url = self.partner.tickets(&self.brand, Some(id))?;
        let reply = session.send(&self.http, self, || Request::delete(url.clone(), DELETE)).await?;
        if reply.is_success() { Ok(()) } else { Err(reply.error()) }
    }

    /// The categories, one page of them, counted from 1, where the server pages; and whether more come.
    ///
    /// # Errors
    /// As [`Unidy::create_ticket`].
    pub async fn categories(
        &self,
        session: &Session,
        page: u32,
    ) -> Result<(Vec<UnidyCategory>, bool), Error> {
        self.needs(UnidyApi::Partner)?;
        let mut url = self.partner.place(&self.brand, &self.partner.categories, None)?;
        url.set_query(Some(&format!("page={}&limit={}", page.max(1), query::MAX_LIMIT)));
        let reply = session.send(&self.http, self, || Request::get(url.clone(), CATEGORIES)).await?;
        let body = body(&reply)?;
        let (records, meta) = query::list(body.get(), last(&self.partner.categories))
            .ok_or_else(|| reply.unreadable("results"))?;
        let read = records.into_iter().enumerate().map(|(index, record)| {
            UnidyCategory::read(record).ok_or_else(|| reply.unreadable(&format!("results[{index}].id")))
        });
        let read: Vec<_> = read.collect::<Result<_, Error>>()?;
        let full = usize::try_from(query::MAX_LIMIT).is_ok_and(|limit| read.len() == limit);
        let more = meta.and_then(query::PageMeta::ends).map_or(full, |ends| !ends);
        Ok((read, more))
    }

    /// A single category.
    ///
    /// # Errors
    /// As [`Unidy::create_ticket`].
    pub async fn category(&self, session: &Session, id: &str) -> Result<UnidyCategory, Error> {
        self.needs(UnidyApi::Partner)?;
        let url = self.partner.place(&self.brand, &self.partner.categories, Some(id))?;
        let reply: Reply = session.send(&self.http, self, || Request::get(url.clone(), CATEGORY)).await?;
        UnidyCategory::read(body(&reply)?.get()).ok_or_else(|| reply.unreadable("id"))
    }

    /// The id at the end of a location below the list of tickets; `None` for a location anywhere else.
    fn id_at(&self, list: &Url, location: &str) -> Option<String> {
        let url = list.join(location).ok().filter(|url| url.origin() == list.origin())?;
        let below = url.path().strip_prefix(list.path())?.strip_prefix('/')?.trim_end_matches('/');
        let id = percent_encoding::percent_decode_str(below).decode_utf8().ok()?;
        Some(id.into_owned()).filter(|id| !id.is_empty() && !below.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_says_what_it_says_and_no_more() {
        assert_eq!(TicketChange::default().to_json().unwrap(), "{}");
        let texts =
            |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let change = TicketChange {
            title: Some("A".to_owned()),
            text: Some("\"".to_owned()),
            price: Some(Money::parse("64.10", "EUR").unwrap()),
            metadata: Some(" 12345678901234567890.1230 ".to_owned()),
            more: texts(&[("title", "\"B\""), ("new", "[1.10, 1e2]")]),
            ..TicketChange::default()
        };
        let expected = r#"{"text":"\"","price":64.10,"currency":"EUR","metadata":12345678901234567890.1230,"new":[1.10, 1e2],"title":"B"}"#;
        assert_eq!(change.to_json().unwrap(), expected);
        for bad in ["", "1 2", "{", "1}, {"] {
            let metadata = TicketChange { metadata: Some(bad.to_owned()), ..TicketChange::default() };
            let more = TicketChange { more: texts(&[("n", bad)]), ..TicketChange::default() };
            for (change, named) in [(metadata, "metadata"), (more, "more")] {
                assert!(
                    matches!(change.to_json(), Err(Error::Input { field, .. }) if field == named),
                    "{bad}"
                );
            }
        }
    }

    #[test]
    fn fields_keep_their_digits() {
        let fields =
            r#" {"price": 1.10, "metadata": {"n": 12345678901234567890.123}, "a": null, "price": 2.20} "#;
        let sent = TicketChange::of_fields(fields).unwrap().to_json().unwrap();
        assert_eq!(sent, r#"{"a":null,"metadata":{"n": 12345678901234567890.123},"price":2.20}"#);
        assert!(["", "[]", "7", "{"].iter().all(|bad| TicketChange::of_fields(bad).is_none()));
    }

    #[test]
    fn paths_are_names() {
        let paths = |prefix: &str, tickets: &str| {
            let config = UnidyConfig {
                partner_prefix: Some(prefix.to_owned()),
                tickets_resource: Some(tickets.to_owned()),
                ..UnidyConfig::default()
            };
            Paths::new(&config)
        };
        let brand = Url::parse("https://nord.example/unidy/nord").unwrap();
        let place = |id| paths("/api/v2/", "users/7/tickets").unwrap().tickets(&brand, id).unwrap();
        assert_eq!(place(None).as_str(), "https://nord.example/unidy/nord/api/v2/users/7/tickets");
        assert!(place(Some("a/../b?c")).as_str().ends_with("/tickets/a%2F..%2Fb%3Fc"));
        assert_eq!(paths("api", "users/7/tickets").unwrap().tickets_name(), "tickets");
        let bare = paths("", "tickets").unwrap().tickets(&brand, None).unwrap();
        assert_eq!(bare.as_str(), "https://nord.example/unidy/nord/tickets");
        for bad in ["", "/"] {
            assert!(matches!(paths("x", bad), Err(Error::Input { field: "tickets_resource", .. })));
        }
        for bad in ["a//b", "../x", "a/./b", "a?b", "a#b", "a b", "ü"] {
            for (prefix, tickets, field) in [(bad, "x", "partner_prefix"), ("x", bad, "tickets_resource")] {
                let found = paths(prefix, tickets).err();
                assert!(matches!(found, Some(Error::Input { field: f, .. }) if f == field), "{bad}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_price_is_sent_exactly(minor: i64, currency in "(EUR|JPY|KWD)") {
            let money = Money { minor, currency };
            let sent = amount(&money);
            let text = sent.trim_matches('"');
            prop_assert_eq!(Money::parse(text, &money.currency), Ok(money.clone()));
            prop_assert!(minor.unsigned_abs() > 99_999_999 || text == sent);
        }
    }
}
