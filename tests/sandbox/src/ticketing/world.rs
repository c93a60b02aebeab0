//! Everything that TickeTing keeps. Times are Unix seconds.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::choices::{DateForm, SectionForm, StatusCase, TicketingChoices, UnusedForm};
use crate::app::random;

/// Everything; `Debug` shows nothing of it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) events: Vec<Event>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) admissions: Vec<Admission>,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) orders: Vec<Order>,
    /// The next id of whatever is made.
    pub(crate) next_id: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// Somebody who can sign in.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) password: String,
    /// Whether it manages all events.
    pub(crate) is_host: bool,
}

/// What a key is.
#[derive(Clone)]
pub(crate) enum Key {
    /// A session of an account.
    Session { account: usize, started: i64, id: u64 },
    /// An integration key: may do everything.
    Integration,
    /// Of an admission token.
    Gate { token: u64 },
}

#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) venue: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) sections: Vec<Section>,
}

#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Price in cents.
    pub(crate) price: u32,
    pub(crate) capacity: u32,
}

#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) id: u64,
    pub(crate) serial: String,
    pub(crate) event: u64,
    pub(crate) section: u64,
    pub(crate) owner: usize,
    pub(crate) status: &'static str,
    pub(crate) issued: i64,
    pub(crate) redeemed: Option<i64>,
    pub(crate) modified: i64,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) event: u64,
    pub(crate) code: String,
    pub(crate) global: bool,
    pub(crate) sections: Vec<u64>,
}

#[derive(Clone)]
pub(crate) struct Admission {
    pub(crate) id: u64,
    pub(crate) event: u64,
    pub(crate) redeemer: String,
    pub(crate) device: String,
    pub(crate) serial: String,
    pub(crate) patron: usize,
    pub(crate) section: u64,
    pub(crate) admitted: i64,
}

#[derive(Clone)]
pub(crate) struct Transfer {
    pub(crate) id: u64,
    pub(crate) sender: usize,
    pub(crate) recipient: usize,
    pub(crate) status: &'static str,
    pub(crate) initiated: i64,
    pub(crate) serials: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) customer: usize,
    pub(crate) status: &'static str,
    pub(crate) placed: i64,
    /// Event, section and quantity.
    pub(crate) items: Vec<(u64, u64, u32)>,
}

impl World {
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    pub(crate) fn event(&self, id: &str) -> Option<&Event> {
        let id: u64 = id.parse().ok()?;
        self.events.iter().find(|event| event.id == id)
    }

    /// The event and section of an address, or of an id alone.
    pub(crate) fn section(&self, uri: &str) -> Option<(&Event, &Section)> {
        let id: u64 = uri.rsplit('/').next()?.parse().ok()?;
        let mut all = self.events.iter().flat_map(|event| event.sections.iter().map(move |it| (event, it)));
        let found = all.find(|(_, section)| section.id == id)?;
        let whole = section_uri(found.0.id, id);
        (uri == whole || !uri.contains('/')).then_some(found)
    }

    /// The account of an address or a number.
    pub(crate) fn account(&self, uri: &str) -> Option<usize> {
        let number = uri.strip_prefix("/accounts/").unwrap_or(uri);
        self.accounts.iter().position(|account| account.number == number)
    }

    /// Issues a token, with a key to go with it.
    pub(crate) fn add_token(
        &mut self,
        event: u64,
        sections: Vec<u64>,
        global: bool,
    ) -> std::io::Result<&Token> {
        let (id, code, key) = (self.new_id(), code::<8>(&random::<8>()?), hex::encode(random::<16>()?));
        self.keys.insert(key, Key::Gate { token: id });
        self.tokens.push(Token { id, event, code, global, sections });
        self.tokens.last().ok_or_else(|| std::io::Error::other("no token"))
    }

    /// The key of a token.
    pub(crate) fn key_of(&self, token: u64) -> Option<&str> {
        let is_its = |key: &Key| matches!(key, Key::Gate { token: of } if *of == token);
        self.keys.iter().find(|(_, key)| is_its(key)).map(|(text, _)| text.as_str())
    }
}

/// Capital letters and digits that follow from bytes.
pub(crate) fn code<const N: usize>(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bytes.iter().take(N).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

pub(crate) fn event_uri(event: u64) -> String {
    format!("/events/{event}")
}

pub(crate) fn section_uri(event: u64, section: u64) -> String {
    format!("/events/{event}/sections/{section}")
}

impl Account {
    pub(crate) fn uri(&self) -> String {
        format!("/accounts/{}", self.number)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "self": self.uri(), "number": self.number, "username": self.name })
    }
}

impl Token {
    pub(crate) fn to_json(&self) -> Value {
        let sections: Vec<_> = self.sections.iter().map(|id| section_uri(self.event, *id)).collect();
        json!({
            "self": format!("/events/{}/tokens/{}", self.event, self.id), "code": self.code,
            "global": self.global, "sections": sections,
        })
    }
}

impl Ticket {
    pub(crate) fn to_json(&self, world: &World, choices: &TicketingChoices) -> Value {
        let mut ticket = json!({
            "self": format!("/events/{}/tickets/{}", self.event, self.id),
            "serial": self.serial,
            "status": status(self.status, choices),
            "section": section(world, self.event, self.section, choices),
            "owner": owner(world, self.owner, choices),
            "issued": date(self.issued, choices),
        });
        let redeemed = match (self.redeemed, choices.unused) {
            (Some(at), _) => json!(date(at, choices)),
            (None, UnusedForm::NotAvailable) => json!("N/A"),
            (None, UnusedForm::Zero) => json!("0000-00-00T00:00:00"),
            (None, UnusedForm::Null) => Value::Null,
            (None, UnusedForm::Absent) => return ticket,
        };
        ticket["redeemed"] = redeemed;
        ticket
    }
}

impl Admission {
    pub(crate) fn to_json(&self, world: &World, choices: &TicketingChoices) -> Value {
        json!({
            "self": format!("/events/{}/admissions/{}", self.event, self.id),
            "redeemer": self.redeemer,
            "device": self.device,
            "ticket": self.serial,
            "patron": owner(world, self.patron, choices),
            "section": section(world, self.event, self.section, choices),
            "admitted": date(self.admitted, choices),
        })
    }
}

impl Event {
    pub(crate) fn to_json(&self, choices: &TicketingChoices) -> Value {
        let sections = self.sections.iter().map(|section| {
            json!({ "self": section_uri(self.id, section.id), "name": section.name, "capacity": section.capacity })
        });
        json!({
            "self": event_uri(self.id), "title": self.title, "status": "Published", "type": "Standard",
            "start": date(self.start, choices), "end": date(self.end, choices),
            "venue": { "self": "/venues/16993717817000", "name": self.venue },
            "sections": sections.collect::<Vec<_>>(),
        })
    }
}

fn section(world: &World, event: u64, id: u64, choices: &TicketingChoices) -> Value {
    let uri = section_uri(event, id);
    match choices.sections {
        SectionForm::Address => json!(uri),
        SectionForm::Record => {
            let name = world.section(&uri).map(|(_, section)| section.name.as_str());
            json!({ "self": uri, "name": name })
        }
    }
}

fn owner(world: &World, account: usize, choices: &TicketingChoices) -> Value {
    let account = world.accounts.get(account);
    match choices.sections {
        SectionForm::Address => json!(account.map(Account::uri)),
        SectionForm::Record => json!(account.map(Account::to_json)),
    }
}

/// A status as it is written.
pub(crate) fn status(status: &str, choices: &TicketingChoices) -> String {
    match choices.statuses {
        StatusCase::Title => status.to_owned(),
        StatusCase::Lower => status.to_lowercase(),
    }
}

/// A date of anything but a session.
pub(crate) fn date(at: i64, choices: &TicketingChoices) -> String {
    match choices.dates {
        DateForm::ByResource | DateForm::Iso => format!("{}+00:00", stamp(at, 'T')),
        DateForm::Plain => stamp(at, ' '),
    }
}

/// A date of a session.
pub(crate) fn session_date(at: i64, choices: &TicketingChoices) -> String {
    match choices.dates {
        DateForm::Iso => format!("{}+00:00", stamp(at, 'T')),
        DateForm::ByResource | DateForm::Plain => stamp(at, ' '),
    }
}

fn stamp(at: i64, between: char) -> String {
    let time = chrono::DateTime::from_timestamp(at, 0).unwrap_or_default();
    format!("{}{between}{}", time.format("%Y-%m-%d"), time.format("%H:%M:%S"))
}
