//! Who asks: which version, and with which key.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::choices::TicketingChoices;
use super::error::TicketingError;
use super::world::{Event, Key};
use crate::app::App;

/// A client of a version that is still served.
pub(crate) struct Client {
    pub(crate) app: Arc<App>,
    pub(crate) choices: TicketingChoices,
    key: Option<String>,
}

/// A client with a key that counts.
pub(crate) struct Caller {
    pub(crate) app: Arc<App>,
    pub(crate) choices: TicketingChoices,
    pub(crate) key: String,
    pub(crate) who: Who,
}

/// Whom a key belongs to.
#[derive(Clone)]
pub(crate) enum Who {
    /// An account, by its place.
    Account { account: usize, is_host: bool },
    /// An integration.
    Integration,
    /// A gate of an event, for these sections.
    Gate { event: u64, sections: Vec<u64> },
}

impl Client {
    /// The client's key, where it sent one.
    pub(crate) fn identify(self) -> Result<Caller, TicketingError> {
        let key = self.key.filter(|key| !key.is_empty()).ok_or_else(TicketingError::unauthenticated)?;
        let who = who(&self.app, &self.choices, &key).ok_or_else(TicketingError::restricted)?;
        Ok(Caller { app: self.app, choices: self.choices, key, who })
    }
}

fn who(app: &App, choices: &TicketingChoices, key: &str) -> Option<Who> {
    let world = app.ticketing.world();
    match world.keys.get(key)? {
        Key::Integration => Some(Who::Integration),
        Key::Session { account, started, .. } => {
            let life = choices.session_life_s.map(i64::from);
            if life.is_some_and(|life| started.saturating_add(life) <= app.now_s()) {
                return None;
            }
            Some(Who::Account { account: *account, is_host: world.accounts.get(*account)?.is_host })
        }
        Key::Gate { token } => {
            let token = world.tokens.iter().find(|one| one.id == *token)?;
            Some(Who::Gate { event: token.event, sections: token.sections.clone() })
        }
    }
}

impl Caller {
    /// Whether the caller manages the event: its tokens.
    pub(crate) fn manages(&self) -> Result<(), TicketingError> {
        match self.who {
            Who::Account { is_host: true, .. } | Who::Integration => Ok(()),
            _ => Err(TicketingError::restricted()),
        }
    }

    /// The sections of an event that the caller redeems tickets for.
    pub(crate) fn redeems(&self, event: &Event) -> Result<Vec<u64>, TicketingError> {
        match &self.who {
            Who::Gate { event: of, sections } if *of == event.id => Ok(sections.clone()),
            Who::Account { is_host: true, .. } | Who::Integration => {
                Ok(event.sections.iter().map(|section| section.id).collect())
            }
            _ => Err(TicketingError::restricted()),
        }
    }

    /// Whether the caller acts for an account.
    pub(crate) fn acts_for(&self, account: usize) -> Result<(), TicketingError> {
        match &self.who {
            Who::Integration => Ok(()),
            Who::Account { account: own, .. } if *own == account => Ok(()),
            _ => Err(TicketingError::restricted()),
        }
    }

    /// Who did it, for the journal.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Account { account, .. } => {
                let world = self.app.ticketing.world();
                world.accounts.get(*account).map(|account| account.name.clone()).unwrap_or_default()
            }
            Who::Integration => "integration".to_owned(),
            Who::Gate { event, .. } => format!("gate of {event}"),
        }
    }
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = TicketingError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, TicketingError> {
        let choices = app.ticketing.choices();
        let told = header(&parts.headers, "x-client-version").and_then(|text| version(&text));
        if told.is_none() || told < version(&choices.least_version) {
            return Err(TicketingError::upgrade());
        }
        Ok(Self { app: Arc::clone(app), choices, key: header(&parts.headers, "x-api-key") })
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = TicketingError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, TicketingError> {
        Client::from_request_parts(parts, app).await?.identify()
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// `3.0.0` as numbers.
fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}
