//! Offers and answers of people who use no app here: a test's own hands.

use std::fmt;
use std::io;

use rusqlite::Connection;

use super::{Answer, Offer, SELECT, close, find, hand_over, offer};
use crate::extension::TransferEnd;
use crate::sandbox::Sandbox;
use crate::unidy::access::failed;
use crate::unidy::caller::Site;
use crate::unidy::error::UnidyError;
use crate::unidy::ticket;

/// A transfer of a ticket of Unidy's; `Debug` does not print its token or people.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyOffer {
    /// Its id.
    pub token: String,
    /// The ticket's id.
    pub ticket_id: String,
    /// Whose ticket it was when it was offered, an e-mail address.
    pub sender: String,
    /// Who shall get it, an e-mail address.
    pub recipient: String,
    /// `pending`, `accepted`, `declined`, `canceled` or `expired`; `gone` when it waited for an answer and its ticket was
    /// taken out.
    pub status: String,
}

impl fmt::Debug for UnidyOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnidyOffer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// All transfers that a brand ever had, in the order in which they were made.
    ///
    /// # Errors
    /// When there is no such brand or the database fails.
    pub fn unidy_offers(&self, brand: &str) -> io::Result<Vec<UnidyOffer>> {
        let site = Site::open(self.app(), brand).map_err(failed)?;
        self.app().db.read(|db| all(&site, db)).map_err(failed)
    }

    /// Offers a ticket in its owner's name. Returns whether the brand took the offer.
    ///
    /// # Errors
    /// When there is no such brand or the database fails.
    pub fn offer_unidy_ticket(&self, brand: &str, id: &str, recipient: &str) -> io::Result<bool> {
        let site = Site::open(self.app(), brand).map_err(failed)?;
        let offered = self.app().db.write(|db| {
            let Some(ticket) = ticket::find(db, brand, id, &site.choices)? else { return Ok(false) };
            let Some(owner) = site.by_id(db, ticket.user_id)? else { return Ok(false) };
            Ok::<_, UnidyError>(offer(&site, db, &owner, id, recipient).is_ok())
        });
        offered.map_err(failed)
    }

    /// Answers a pending transfer as its recipient. Returns whether there was one, of a ticket that is still active.
    ///
    /// # Errors
    /// When there is no such brand or the database fails.
    pub fn end_unidy_transfer(&self, brand: &str, token: &str, end: TransferEnd) -> io::Result<bool> {
        let site = Site::open(self.app(), brand).map_err(failed)?;
        self.app().db.write(|db| answer(&site, db, token, end)).map_err(failed)
    }
}

fn all(site: &Site, db: &Connection) -> Result<Vec<UnidyOffer>, UnidyError> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE brand = ?1 ORDER BY rowid"))?;
    let offers = statement.query_map([&site.brand.name], Offer::read)?;
    offers
        .map(|offer| {
            let offer = offer?;
            let ticket = ticket::find(db, &site.brand.name, &offer.ticket_id, &site.choices)?;
            let status = match offer.status_at(site.app.now_s()) {
                "pending" if ticket.is_none() => "gone",
                status => status,
            };
            Ok(UnidyOffer {
                status: status.to_owned(),
                sender: site.by_id(db, offer.sender_id)?.map(|sender| sender.email).unwrap_or_default(),
                token: offer.token,
                ticket_id: offer.ticket_id,
                recipient: offer.recipient,
            })
        })
        .collect()
}

fn answer(site: &Site, db: &Connection, token: &str, end: TransferEnd) -> Result<bool, UnidyError> {
    let waits = |offer: &Offer| offer.status_at(site.app.now_s()) == "pending";
    let Some(offer) = find(site, db, token)?.filter(waits) else { return Ok(false) };
    let by = offer.recipient.clone();
    if end == TransferEnd::Declined {
        close(site, db, offer, Answer::Decline, &by)?;
        return Ok(true);
    }
    let found = ticket::find(db, &site.brand.name, &offer.ticket_id, &site.choices)?;
    let Some(ticket) = found.filter(|ticket| ticket.user_id == offer.sender_id) else { return Ok(false) };
    if super::check_active(&ticket).is_err() {
        return Ok(false);
    }
    match site.by_email(db, &by)? {
        Some(recipient) => hand_over(site, db, &offer, &recipient)?,
        // Who has no account here takes the ticket out of the sandbox.
        None => drop(ticket::delete(db, &site.brand.name, &offer.ticket_id)?),
    }
    close(site, db, offer, Answer::Accept, &by)?;
    Ok(true)
}
