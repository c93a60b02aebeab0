//! TickeTing's REST API v3 under `/ticketing/v3`: its hosts' side, its staff's and its customers'.
//!
//! **Documented**: both headers of every request, the errors 401, 403, 404 of two kinds, 412 and 500 with their words, and
//! admission tokens with their list.
//!
//! **Read in the vendor's SDK and its tests**: sessions, `GET /tokens/{code}`, changing and deleting tokens, an event's
//! tickets, admissions, an account's tickets, transfers, look-ups and orders, with the words of their errors.
//!
//! **Open, and a switch** in [`TicketingChoices`]: under which key errors stand, the least version, how dates, sections,
//! statuses and unused tickets are written, how long a page may be and what comes after the last, what a changed token is
//! answered with, how long a session lives, and whether signing in needs a key.
//!
//! Not served: accounts, hosts, venues, regions, categories, reports, and the settlement of orders.

mod access;
mod admissions;
mod caller;
mod choices;
mod control;
mod error;
mod fill;
mod orders;
mod page;
mod session;
mod tickets;
mod tokens;
mod transfers;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::routing::{get, post};

pub use access::{TicketingEventAccess, TicketingServed};
pub use choices::{
    DateForm, SectionForm, StatusCase, TicketingChoices, TicketingErrorKey, UnusedForm, UpdateReply,
};
pub(crate) use error::{TicketingError, in_form};
pub(crate) use world::World;

use crate::app::{App, lock};

/// Where the API is below the sandbox's address.
const BASE: &str = "/ticketing/v3";

/// What the routes of TickeTing share.
#[derive(Debug)]
pub(crate) struct Ticketing {
    choices: Mutex<TicketingChoices>,
    world: Mutex<World>,
}

impl Ticketing {
    pub(crate) fn new(choices: TicketingChoices, world: World) -> Self {
        Self { choices: Mutex::new(choices), world: Mutex::new(world) }
    }

    /// What is switched on.
    pub(crate) fn choices(&self) -> TicketingChoices {
        lock(&self.choices).clone()
    }

    /// Switches.
    pub(crate) fn set_choices(&self, choices: TicketingChoices) {
        *lock(&self.choices) = choices;
    }

    /// Everything that is kept.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    let api = Router::new()
        .route("/sessions", post(session::start))
        .route("/sessions/active", get(session::active).delete(session::end))
        .route("/tokens/{code}", get(tokens::look_up))
        .route("/events/{event}", get(tickets::event))
        .route("/events/{event}/tokens", get(tokens::list).post(tokens::issue))
        .route("/events/{event}/tokens/{token}", get(tokens::one).put(tokens::update).delete(tokens::delete))
        .route("/events/{event}/tickets", get(tickets::of_event))
        .route("/events/{event}/admissions", get(admissions::list).post(admissions::admit))
        .route("/accounts/{number}/tickets", get(tickets::of_account))
        .route("/accounts/{number}/transfers", get(transfers::list))
        .route("/transfers", post(transfers::start))
        .route("/transfers/{id}", get(transfers::one).delete(transfers::cancel))
        .route("/transfers/{id}/claims", post(transfers::claim))
        .route("/lookups", post(transfers::look_up))
        .route("/orders", get(orders::list).post(orders::place))
        .route("/orders/{number}", get(orders::one).delete(orders::cancel));
    Router::new().nest(BASE, api).merge(control::routes())
}

pub(crate) use fill::fill;

/// Whether a path is TickeTing's, so that its errors are.
pub(crate) fn serves(path: &str) -> bool {
    path == BASE || path.starts_with("/ticketing/v3/")
}
