//! What the wallet shows, taken out of a ticket's record.

use chrono::{DateTime, SecondsFormat};

use super::Unidy;
use super::record::UnidyTicket;
use crate::error::Error;
use crate::model::expiry::{effective_state, expires_at};
use crate::model::{
    BarcodeProfile, Provider, ProviderError, PulledEvent, PulledTicket, TicketFormat, TicketStatus,
};

impl Unidy {
    /// A ticket as the wallet keeps it.
    ///
    /// Its event has the id `category@start`, with the start in UTC, and the ticket's title for a name: tickets of one
    /// category that start together are for one event, as far as Unidy tells. A ticket without a category or a start has
    /// none; its title is then kept as its category.
    ///
    /// # Errors
    /// [`Error::Input`] for ids that cannot be hashed.
    pub fn normalise(&self, ticket: &UnidyTicket) -> Result<PulledTicket, Error> {
        let provider = self.provider()?;
        let hashed = |e: ProviderError| Error::Input { field: "id", reason: e.to_string() };
        let event = event(&provider, ticket)?;
        let category = if event.is_none() { ticket.title.clone() } else { None };
        let static_code = ticket.static_codes().into_iter().next();
        let status = status(ticket);
        let stays = status == TicketStatus::Passive && !self.config.passive_expires;
        Ok(PulledTicket {
            id: provider.ticket(&ticket.id).map_err(hashed)?,
            tenant: None,
            remote_id: ticket.id.clone(),
            event,
            category,
            format: TicketFormat::Other { text: String::new() },
            status,
            profile: if static_code.is_some() { BarcodeProfile::Static } else { BarcodeProfile::None },
            expires_at: self.expires_at(ticket).filter(|_| !stays),
            static_code,
            section: ticket.section(),
            seat: ticket.seat(),
            holder: None,
            body: ticket.record().to_owned(),
        })
    }

    /// When a ticket expires, Unix seconds: see [`expires_at`].
    pub fn expires_at(&self, ticket: &UnidyTicket) -> Option<i64> {
        expires_at(ticket.starts_at_s(), ticket.ends_at_s(), self.zone)
    }

    /// Where a ticket stands at `now`, Unix seconds, by the documented rule: see [`effective_state`]. The server itself may
    /// call it active for up to a quarter of an hour longer.
    pub fn effective_state(&self, ticket: &UnidyTicket, now: i64) -> TicketStatus {
        effective_state(&status(ticket), self.expires_at(ticket), now, self.config.passive_expires)
    }
}

fn status(ticket: &UnidyTicket) -> TicketStatus {
    TicketStatus::from_text(ticket.state.as_deref().unwrap_or_default())
}

fn event(provider: &Provider, ticket: &UnidyTicket) -> Result<Option<PulledEvent>, Error> {
    let (Some(category), Some(starts_at)) = (&ticket.ticket_category_id, ticket.starts_at_s()) else {
        return Ok(None);
    };
    let Some(start) = DateTime::from_timestamp(starts_at, 0) else { return Ok(None) };
    let remote_id = format!("{category}@{}", start.to_rfc3339_opts(SecondsFormat::Secs, true));
    let hash =
        provider.event(&remote_id).map_err(|e| Error::Input { field: "event", reason: e.to_string() })?;
    Ok(Some(PulledEvent {
        hash,
        name: ticket.title.clone().unwrap_or_else(|| remote_id.clone()),
        remote_id,
        venue: ticket.venue.clone(),
        starts_at: Some(starts_at),
        ends_at: ticket.ends_at_s(),
        time_zone: None,
        body: String::new(),
    }))
}
