//! What tests of Unidy need from the sandbox: addresses, keys, clients, switches.

use std::fmt;
use std::io;
use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::brand::UnidyMail;
use super::caller::Site;
use super::choices::UnidyChoices;
use super::error::UnidyError;
use super::local_time::stamp;
use super::oauth::client::{self, NewUnidyClient, UnidyClient};
use super::record::Record;
use super::{maintenance, ticket};
use crate::app::App;
use crate::sandbox::Sandbox;

/// How Unidy is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnidyAccess {
    /// The brands; users sign in to each with the name and password of [`Sandbox::users`].
    pub brands: Vec<UnidyBrand>,
}

/// A brand: a tenant of Unidy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnidyBrand {
    /// Its name.
    pub name: String,
    /// Where it is reached, without a slash at its end.
    pub url: String,
    /// The key of its SDK API.
    pub sdk_key: String,
    /// Its OAuth clients.
    pub clients: Vec<UnidyClient>,
}

impl UnidyBrand {
    /// The client of this name.
    pub fn client(&self, name: &str) -> Option<&UnidyClient> {
        self.clients.iter().find(|client| client.name == name)
    }
}

impl fmt::Debug for UnidyBrand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnidyBrand").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What state a user's account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnidyAccount {
    /// Signs in.
    Active,
    /// Is locked: `account_locked`.
    Locked,
    /// Was never confirmed: `account_unconfirmed`.
    Unconfirmed,
    /// Lacks what the brand wants to know: `missing_required_fields`.
    Incomplete,
    /// Belongs to another brand so far: `brand_connection_required`.
    Unconnected,
}

impl UnidyAccount {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Unconfirmed => "unconfirmed",
            Self::Incomplete => "incomplete",
            Self::Unconnected => "unconnected",
        }
    }
}

impl Sandbox {
    /// How Unidy is reached: two brands with their keys and clients.
    ///
    /// # Errors
    /// When the database fails.
    pub fn unidy(&self) -> io::Result<UnidyAccess> {
        access(self.app()).map_err(io::Error::other)
    }

    /// What Unidy's documents leave open, as it is done now.
    pub fn unidy_choices(&self) -> UnidyChoices {
        self.app().unidy.choices()
    }

    /// Does what Unidy's documents leave open in another way from now on.
    pub fn set_unidy_choices(&self, choices: UnidyChoices) {
        self.app().unidy.set_choices(choices);
    }

    /// All e-mails that the brands sent, in order.
    pub fn unidy_mails(&self) -> Vec<UnidyMail> {
        self.app().unidy.mails()
    }

    /// Puts a user's account at a brand into a state. Returns whether there is such an account.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_unidy_account(&self, brand: &str, user: &str, state: UnidyAccount) -> io::Result<bool> {
        self.app().db.write(|db| set_account(db, brand, user, state)).map_err(io::Error::other)
    }

    /// Registers another OAuth client with a brand.
    ///
    /// # Errors
    /// When the database fails or the system has no random numbers to give.
    pub fn add_unidy_client(&self, brand: &str, client: NewUnidyClient) -> io::Result<UnidyClient> {
        add_client(self.app(), brand, client).map_err(failed)
    }

    /// Sets members of a ticket, as the brand's own staff would; a member's new value may be any JSON. Returns whether
    /// there is such a ticket.
    ///
    /// # Errors
    /// When the database fails.
    pub fn edit_unidy_ticket(&self, brand: &str, id: &str, members: &Map<String, Value>) -> io::Result<bool> {
        edit_ticket(self.app(), brand, id, members).map_err(failed)
    }

    /// A user's tickets at a brand as it serves them now, each the text of its JSON, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub fn unidy_tickets(&self, brand: &str, user: &str) -> io::Result<Vec<String>> {
        let choices = self.unidy_choices();
        self.app().db.read(|db| ticket::of_user(db, brand, user, &choices)).map_err(failed)
    }

    /// Gives a user a new ticket with this id and these members, whose other times are now. Returns whether there is such
    /// a user at the brand.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_unidy_ticket(
        &self,
        brand: &str,
        user: &str,
        id: &str,
        members: &Map<String, Value>,
    ) -> io::Result<bool> {
        add_ticket(self.app(), brand, user, id, members).map_err(failed)
    }

    /// Takes a ticket out of a brand. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn remove_unidy_ticket(&self, brand: &str, id: &str) -> io::Result<bool> {
        self.app().db.write(|db| ticket::delete(db, brand, id)).map_err(io::Error::other)
    }
}

pub(super) fn failed(error: UnidyError) -> io::Error {
    io::Error::other(format!("{error:?}"))
}

/// How Unidy is reached.
pub(crate) fn access(app: &App) -> rusqlite::Result<UnidyAccess> {
    let brands = app.db.read(|db| {
        let brand = |brand: &Arc<super::brand::Brand>| {
            Ok(UnidyBrand {
                name: brand.name.clone(),
                url: brand.url.clone(),
                sdk_key: brand.sdk_key.clone(),
                clients: client::all(db, &brand.name)?,
            })
        };
        app.unidy.brands.iter().map(brand).collect::<rusqlite::Result<_>>()
    })?;
    Ok(UnidyAccess { brands })
}

/// Puts an account into a state.
pub(crate) fn set_account(
    db: &Connection,
    brand: &str,
    user: &str,
    state: UnidyAccount,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE unidy_user SET account = ?3
        WHERE brand = ?1 AND user_id = (SELECT id FROM user WHERE name = ?2)";
    db.execute(sql, (brand, user, state.name())).map(|count| count > 0)
}

/// Registers a client.
pub(crate) fn add_client(app: &App, brand: &str, new: NewUnidyClient) -> Result<UnidyClient, UnidyError> {
    app.unidy.brand(brand).ok_or_else(UnidyError::not_found)?;
    let client = app.db.write(|db| client::add(db, brand, new))?;
    if let Some(secret) = &client.client_secret {
        app.give_out(secret);
    }
    Ok(client)
}

/// Gives a user a new ticket.
fn add_ticket(
    app: &Arc<App>,
    brand: &str,
    user: &str,
    id: &str,
    members: &Map<String, Value>,
) -> Result<bool, UnidyError> {
    let site = Site::open(app, brand)?;
    app.db.write(|db| {
        let Some(owner) = site.by_email(db, user)? else { return Ok(false) };
        let now = stamp(app.now_s().saturating_mul(1000), site.choices.zone());
        let mut record = Record::default();
        record.set("id", &json!(id))?;
        for (name, value) in members.iter().filter(|(name, _)| *name != "id") {
            record.set(name, value)?;
        }
        for name in ["created_at", "updated_at"] {
            record.set(name, &json!(now))?;
        }
        record.set("user_id", &json!(owner.unidy_id))?;
        ticket::replace(db, brand, &record, false)?;
        Ok(true)
    })
}

/// Sets members of a ticket; its `updated_at` moves unless it is one of them.
pub(crate) fn edit_ticket(
    app: &App,
    brand: &str,
    id: &str,
    members: &Map<String, Value>,
) -> Result<bool, UnidyError> {
    maintenance::run(app)?;
    let choices = app.unidy.choices();
    app.db.write(|db| {
        let Some(ticket) = ticket::find(db, brand, id, &choices)? else { return Ok(false) };
        let now = stamp(app.now_s().saturating_mul(1000), choices.zone());
        let mut record = ticket.record()?;
        record.set("updated_at", &json!(now))?;
        for (name, value) in members.iter().filter(|(name, _)| *name != "id") {
            record.set(name, value)?;
        }
        ticket::replace(db, brand, &record, ticket.document)?;
        Ok(true)
    })
}
