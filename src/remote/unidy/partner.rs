//! The partner API: tickets made and changed by an organiser's own systems, and the categories that they belong to.
//!
//! Nothing makes a repeated request recognisable. After a lost answer to [`Unidy::create_ticket`] the list of tickets tells
//! whether one with the same reference is there.

use std::fmt;

use serde_json::{Map, Value, json};
use url::Url;

use super::query;
use super::raw::Members;
use super::record::UnidyTicket;
use super::{Unidy, body, input};
use crate::error::Error;
use crate::model::{Money, UnidyApi, UnidyConfig};
use crate::remote::address::{join, segment};
use crate::remote::{Reply, Request, Session};

const CREATE: &str = "POST api/v1/tickets";
const UPDATE: &str = "PATCH api/v1/tickets/:id";
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
    /// Any JSON.
    pub metadata: Option<Value>,
    /// Members besides these; they come last, and replace those of the same name.
    pub more: Map<String, Value>,
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
    /// The members that say something, as JSON. The price is a number, or a text where no number of JSON's stands for it
    /// exactly.
    pub fn to_json(&self) -> Value {
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let members = [
            ("title", text(&self.title)),
            ("text", text(&self.text)),
            ("reference", text(&self.reference)),
            ("state", text(&self.state)),
            ("payment_state", text(&self.payment_state)),
            ("price", self.price.as_ref().map(amount)),
            ("currency", self.price.as_ref().map(|price| json!(price.currency))),
            ("starts_at", text(&self.starts_at)),
            ("ends_at", text(&self.ends_at)),
            ("venue", text(&self.venue)),
            ("seating", text(&self.seating)),
            ("user_id", text(&self.user_id)),
            ("ticket_category_id", text(&self.ticket_category_id)),
            ("metadata", self.metadata.clone()),
        ];
        let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(known.chain(self.more.clone()).collect())
    }
}

/// An amount in major units, as a number if that reads back as the same amount.
fn amount(money: &Money) -> Value {
    let shown = money.to_string();
    let text = shown.split(' ').next().unwrap_or(&shown);
    let number = serde_json::from_str::<Value>(text).ok();
    let exact = |number: &Value| Money::parse(&number.to_string(), &money.currency).as_ref() == Ok(money);
    number.filter(exact).unwrap_or_else(|| json!(text))
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
        let (url, asked) = (self.partner.tickets(&self.brand, None)?, change.to_json());
        let reply = session.send(&self.http, self, || Request::post(url.clone(), CREATE, &asked)).await?;
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

    /// Changes a ticket, and gives it as the server has it then.
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
        let (url, asked) = (self.partner.tickets(&self.brand, Some(id))?, change.to_json());
        let reply = session.send(&self.http, self, || Request::patch(url.clone(), UPDATE, &asked)).await?;
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
        let more = meta.map_or(full, |meta| !meta.is_last());
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
        assert_eq!(TicketChange::default().to_json(), json!({}));
        let change = TicketChange {
            title: Some("A".to_owned()),
            price: Some(Money::parse("64.10", "EUR").unwrap()),
            metadata: Some(json!(false)),
            more: Map::from_iter([("title".to_owned(), json!("B")), ("new".to_owned(), json!([1]))]),
            ..TicketChange::default()
        };
        let expected =
            json!({ "title": "B", "price": 64.1, "currency": "EUR", "metadata": false, "new": [1] });
        assert_eq!(change.to_json(), expected);
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
            let text = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
            prop_assert_eq!(Money::parse(&text, &money.currency), Ok(money.clone()));
            prop_assert!(minor.unsigned_abs() > 99_999_999 || sent.is_number());
        }
    }
}
