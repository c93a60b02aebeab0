//! The handle's side of gates: what scanners sign in with, what the box office says, and what was admitted.

use std::io;

use serde_json::Value;

use crate::app::lock;
use crate::extension::{self, AdmissionCode, BadManifest, GateEventEdit, GatePlace, GateTicketEdit};
use crate::problem::Problem;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// The admission codes of every event whose tenant serves the extension: one for the event, one for each section.
    ///
    /// # Errors
    /// When the database fails.
    pub fn admission_codes(&self) -> io::Result<Vec<AdmissionCode>> {
        self.app().db.read(|db| extension::admission_codes(self.app(), db)).map_err(io::Error::other)
    }

    /// Says something of an event at its gates. Returns whether there is one.
    ///
    /// # Errors
    /// For a policy that is none, and when the database fails.
    pub fn edit_gate_event(&self, tenant: &str, event_id: i64, edit: &GateEventEdit) -> io::Result<bool> {
        let place = GatePlace { tenant: tenant.to_owned(), event: event_id };
        self.app().db.write(|db| extension::edit_gate_event(db, &place, edit)).map_err(failed)
    }

    /// Says something of a ticket at the gates. Returns whether there is one.
    ///
    /// # Errors
    /// For a state that is none, and when the database fails.
    pub fn edit_gate_ticket(&self, tenant: &str, ticket_id: i64, edit: &GateTicketEdit) -> io::Result<bool> {
        self.app().db.write(|db| extension::edit_gate_ticket(db, tenant, ticket_id, edit)).map_err(failed)
    }

    /// Revokes a scanner: of its records those count that are held by now. Returns whether there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn revoke_scanner(&self, scanner_id: &[u8]) -> io::Result<bool> {
        self.app().db.write(|db| extension::revoke_scanner(db, scanner_id)).map_err(failed)
    }

    /// Sends gates this in place of a good manifest, until it is `None`.
    pub fn set_bad_manifest(&self, bad: Option<BadManifest>) {
        *lock(&self.app().bad_manifest) = bad;
    }

    /// Who admitted what and when at each event, with forks and double entries.
    ///
    /// # Errors
    /// When the database fails.
    pub fn gate_report(&self) -> io::Result<Value> {
        self.app().db.read(|db| extension::gate_report(self.app(), db)).map_err(failed)
    }
}

fn failed(problem: Problem) -> io::Error {
    io::Error::other(problem.to_json().to_string())
}
