//! What tests of TickeTing need from the sandbox: addresses, keys, switches.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::choices::TicketingChoices;
use super::world::{Key, Ticket, World, code, section_uri};
use crate::app::{App, random};
use crate::sandbox::Sandbox;

/// How TickeTing is reached. Holders of tickets sign in with the names and passwords of [`Sandbox::users`], hosts with those
/// of [`Sandbox::organizers`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketingServed {
    /// Where the API is, without a slash at its end.
    pub url: String,
    /// A key that may do everything.
    pub integration_key: String,
    /// The events.
    pub events: Vec<TicketingEventAccess>,
}

/// An event of TickeTing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketingEventAccess {
    /// Its id.
    pub id: u64,
    /// What it is called.
    pub title: String,
    /// The addresses of its sections.
    pub sections: Vec<String>,
    /// The id of its own token.
    pub global_token: u64,
    /// That token's code.
    pub global_code: String,
}

impl fmt::Debug for TicketingServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketingServed").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for TicketingEventAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketingEventAccess").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// How TickeTing is reached.
    pub fn ticketing(&self) -> TicketingServed {
        served(self.app(), &self.url())
    }

    /// What TickeTing's documents leave open, as it is done now.
    pub fn ticketing_choices(&self) -> TicketingChoices {
        self.app().ticketing.choices()
    }

    /// Does what TickeTing's documents leave open in another way from now on.
    pub fn set_ticketing_choices(&self, choices: TicketingChoices) {
        self.app().ticketing.set_choices(choices);
    }

    /// The number of a user's account; `None` for nobody.
    pub fn ticketing_account(&self, user: &str) -> Option<String> {
        let world = self.app().ticketing.world();
        world.accounts.iter().find(|account| account.name == user).map(|account| account.number.clone())
    }

    /// Issues so many more tokens for an event's first section.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn add_ticketing_tokens(&self, event: u64, count: usize) -> io::Result<()> {
        let mut world = self.app().ticketing.world();
        let section = world.events.iter().find(|one| one.id == event).and_then(|one| one.sections.first());
        let Some(section) = section.map(|section| section.id) else { return Ok(()) };
        for _ in 0..count {
            world.add_token(event, vec![section], false)?;
        }
        Ok(())
    }

    /// Issues one more ticket for an event's first section; gives its serial. `None` where there is no such event.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn add_ticketing_ticket(&self, event: u64) -> io::Result<Option<String>> {
        let now = self.app().now_s();
        let bytes = random::<18>()?;
        let serial = format!("{}-{}", code::<6>(&bytes), code::<12>(&bytes[6..]));
        let mut world = self.app().ticketing.world();
        let section = world.events.iter().find(|one| one.id == event).and_then(|one| one.sections.first());
        let Some(section) = section.map(|section| section.id) else { return Ok(None) };
        let id = world.new_id();
        world.tickets.push(Ticket {
            id,
            serial: serial.clone(),
            event,
            section,
            owner: 0,
            status: "Issued",
            issued: now,
            redeemed: None,
            modified: now,
        });
        Ok(Some(serial))
    }

    /// Takes a ticket from its owner. Returns whether there was one.
    pub fn remove_ticketing_ticket(&self, serial: &str) -> bool {
        let mut world = self.app().ticketing.world();
        let before = world.tickets.len();
        world.tickets.retain(|ticket| ticket.serial != serial);
        world.tickets.len() < before
    }
}

/// How TickeTing is reached.
pub(crate) fn served(app: &App, root: &str) -> TicketingServed {
    let world = app.ticketing.world();
    let key = world.keys.iter().find(|(_, key)| matches!(key, Key::Integration));
    let event = |event: &super::world::Event| {
        let global = world.tokens.iter().find(|token| token.event == event.id && token.global);
        TicketingEventAccess {
            id: event.id,
            title: event.title.clone(),
            sections: event.sections.iter().map(|section| section_uri(event.id, section.id)).collect(),
            global_token: global.map(|token| token.id).unwrap_or_default(),
            global_code: global.map(|token| token.code.clone()).unwrap_or_default(),
        }
    };
    TicketingServed {
        url: format!("{root}{}", super::BASE),
        integration_key: key.map(|(key, _)| key.clone()).unwrap_or_default(),
        events: world.events.iter().map(event).collect(),
    }
}

impl World {
    /// Every secret that clients know from the start.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.keys.keys().cloned().chain(self.tokens.iter().map(|token| token.code.clone())).collect()
    }

    /// Ends all sessions.
    pub(crate) fn end_sessions(&mut self) {
        self.keys.retain(|_, key| !matches!(key, Key::Session { .. }));
    }
}
