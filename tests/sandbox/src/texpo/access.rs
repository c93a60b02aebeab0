//! What tests of TEXPO need from the sandbox: its address, who manages it, switches, and what its staff does by hand.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choices::TexpoChoices;
use super::plan;
use super::state::{Entry, NETWORK};
use crate::app::App;
use crate::sandbox::Sandbox;
use crate::unidy::record::Record;

/// How TEXPO is reached. Users sign in with the name and password of [`Sandbox::users`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TexpoAccess {
    /// Where it is reached, without a slash at its end.
    pub url: String,
    /// The network's id.
    pub network_id: String,
    /// Who has the permission `network.manage`: the name to sign in with.
    pub manager: String,
    /// Their password.
    pub password: String,
}

impl fmt::Debug for TexpoAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TexpoAccess").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// How TEXPO is reached.
    pub fn texpo(&self) -> TexpoAccess {
        access(self.app())
    }

    /// What TEXPO's documents leave open, as it is done now.
    pub fn texpo_choices(&self) -> TexpoChoices {
        self.app().texpo.choices()
    }

    /// Does what TEXPO's documents leave open in another way from now on.
    pub fn set_texpo_choices(&self, choices: TexpoChoices) {
        self.app().texpo.set_choices(choices);
    }

    /// Puts a catalogue of so many entries in the place of the one that is there.
    pub fn set_texpo_catalogue(&self, entries: usize) {
        self.app().texpo.data().entries = plan::catalogue(entries, self.app().now_s());
    }

    /// The catalogue as it is kept: each entry's JSON as it was sent.
    pub fn texpo_catalogue(&self) -> Vec<String> {
        self.app().texpo.data().entries.iter().map(|entry| entry.body.clone()).collect()
    }

    /// Puts an entry into the catalogue as it stands, in the place of the one with its `productId`. Returns whether it is a
    /// JSON object with one.
    pub fn put_texpo_entry(&self, json: &str) -> bool {
        put(self.app(), json)
    }

    /// Takes an entry out of the catalogue. Returns whether there was one.
    pub fn remove_texpo_entry(&self, product_id: &str) -> bool {
        let mut data = self.app().texpo.data();
        let before = data.entries.len();
        data.entries.retain(|entry| entry.product_id != product_id);
        data.entries.len() < before
    }

    /// Has a user buy an entry; tells the ticket's id. `None` when there is no such entry.
    pub fn buy_texpo_ticket(&self, user: &str, product_id: &str) -> Option<String> {
        buy(self.app(), user, product_id)
    }

    /// Takes a ticket from its buyer. Returns whether there was one.
    pub fn remove_texpo_ticket(&self, ticket_id: &str) -> bool {
        remove(self.app(), ticket_id)
    }
}

/// How TEXPO is reached.
pub(crate) fn access(app: &App) -> TexpoAccess {
    let manager = app.organizers.first();
    TexpoAccess {
        url: app.texpo.url.clone(),
        network_id: NETWORK.to_owned(),
        manager: manager.map(|manager| manager.name.clone()).unwrap_or_default(),
        password: manager.map(|manager| manager.password.clone()).unwrap_or_default(),
    }
}

/// Puts an entry into the catalogue.
pub(crate) fn put(app: &App, json: &str) -> bool {
    let product_id = Record::read(json).ok().and_then(|record| record.text("productId"));
    let Some(product_id) = product_id else { return false };
    let entry = Entry { product_id, body: json.to_owned() };
    let mut data = app.texpo.data();
    match data.entry_mut(&entry.product_id) {
        Some(held) => *held = entry,
        None => data.entries.push(entry),
    }
    true
}

/// Has a user buy an entry.
pub(crate) fn buy(app: &App, user: &str, product_id: &str) -> Option<String> {
    let now_s = app.now_s();
    let mut data = app.texpo.data();
    let entry = data.entry_mut(product_id)?.clone();
    Some(data.buy(user, &entry, now_s))
}

/// Takes a ticket from its buyer.
pub(crate) fn remove(app: &App, ticket_id: &str) -> bool {
    let mut data = app.texpo.data();
    let before = data.purchased.len();
    data.purchased.retain(|ticket| ticket.ticket_id != ticket_id);
    data.purchased.len() < before
}

/// An entry's JSON out of its members.
pub(crate) fn text(members: Map<String, Value>) -> String {
    Value::Object(members).to_string()
}
