//! What TEXPO keeps: sessions, the catalogue, purchased tickets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use axum::http::StatusCode;

use super::choices::TexpoChoices;
use super::reply::Failure;
use super::{Call, plan};
use crate::app::lock;
use crate::seeded;

/// The network.
pub(crate) const NETWORK: &str = "expo-2026";

/// A user's id at TEXPO.
pub(crate) fn user_id(name: &str) -> String {
    hex::encode(&seeded::bytes(0, &format!("texpo user {name}"))[..12])
}

/// One network.
#[derive(Debug)]
pub(crate) struct Texpo {
    /// Where it is reached, without a slash at its end.
    pub(crate) url: String,
    choices: Mutex<TexpoChoices>,
    data: Mutex<Data>,
}

/// What it keeps.
#[derive(Debug, Default)]
pub(crate) struct Data {
    sessions: HashMap<String, Session>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) purchased: Vec<Purchased>,
    /// How many tickets were bought so far.
    pub(crate) bought: usize,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: String,
    /// Whether it is the adminserver's.
    pub(crate) is_admin: bool,
}

/// An entry of the catalogue: its id, and its JSON as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) product_id: String,
    pub(crate) body: String,
}

/// A ticket that somebody bought.
#[derive(Debug, Clone)]
pub(crate) struct Purchased {
    pub(crate) ticket_id: String,
    pub(crate) user: String,
    pub(crate) bought_at_s: i64,
    /// The entry as it was then.
    pub(crate) body: String,
}

impl Texpo {
    /// Sets the network up below the sandbox's address.
    pub(crate) fn new(choices: TexpoChoices, root: &str, users: &[String], now_s: i64) -> Self {
        let entries = plan::catalogue(plan::CATALOGUE, now_s);
        let mut data = Data { entries, ..Data::default() };
        for (index, user) in users.iter().enumerate() {
            for entry in data.entries.clone().iter().skip(index).step_by(2) {
                data.buy(user, entry, now_s);
            }
        }
        Self { url: format!("{root}/texpo"), choices: Mutex::new(choices), data: Mutex::new(data) }
    }

    /// What is switched on.
    pub(crate) fn choices(&self) -> TexpoChoices {
        lock(&self.choices).clone()
    }

    /// Switches.
    pub(crate) fn set_choices(&self, choices: TexpoChoices) {
        *lock(&self.choices) = choices;
    }

    /// What is kept.
    pub(crate) fn data(&self) -> MutexGuard<'_, Data> {
        lock(&self.data)
    }
}

impl Data {
    /// Keeps a session.
    pub(crate) fn sign_in(&mut self, id: &str, session: Session) {
        self.sessions.insert(id.to_owned(), session);
    }

    /// Ends a session. Returns whether there was one.
    pub(crate) fn sign_out(&mut self, id: &str) -> bool {
        self.sessions.remove(id).is_some()
    }

    /// Ends all sessions.
    pub(crate) fn revoke_sessions(&mut self) {
        self.sessions.clear();
    }

    /// The entry of this id.
    pub(crate) fn entry_mut(&mut self, product_id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.product_id == product_id)
    }

    /// Has a user buy an entry; tells the ticket's id.
    pub(crate) fn buy(&mut self, user: &str, entry: &Entry, now_s: i64) -> String {
        self.bought += 1;
        let ticket_id = format!("pt-{:06}", self.bought);
        self.purchased.push(Purchased {
            ticket_id: ticket_id.clone(),
            user: user.to_owned(),
            bought_at_s: now_s,
            body: entry.body.clone(),
        });
        ticket_id
    }
}

impl Call<'_> {
    /// Who is signed in, in this network.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        let named = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let data = self.app.texpo.data();
        let known = named("x-session-id").and_then(|id| data.sessions.get(id));
        let session = known.ok_or_else(Failure::unauthorized)?.clone();
        self.check_network(&self.choices.network_header).map(|()| session)
    }

    /// Whether the request is for this network.
    pub(crate) fn check_network(&self, header: &str) -> Result<(), Failure> {
        let named = self.headers.get(header).and_then(|value| value.to_str().ok());
        if !self.choices.network_required || named == Some(NETWORK) {
            return Ok(());
        }
        Err(Failure::unreadable("network header is missing or unknown"))
    }

    /// Who manages the network: the adminserver's sessions of its own staff.
    pub(crate) fn manager(&self) -> Result<Session, Failure> {
        let session = self.session()?;
        if !session.is_admin {
            return Err(Failure::unauthorized());
        }
        let manages = self.app.organizers.first().is_some_and(|staff| staff.name == session.user);
        let refused = || Failure::new(StatusCode::FORBIDDEN, self.choices.permission_code, "network.manage");
        manages.then_some(session).ok_or_else(refused)
    }
}
