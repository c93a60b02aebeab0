//! A partner's tickets at Unidy. What is written is JSON of the caller's, which goes to the server, to the kept write and into
//! comparisons as it was written: a number keeps its digits.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Found, told};
use crate::error::Error;
use crate::model::{OfficePage, OfficeTicket, OfficeWrite, OfficeWriteKind, TicketStatus, UnidyTicketQuery};
use crate::remote::unidy::{TicketChange, UnidyTicket, is_same_json};
use crate::sync::desk::Desk;

/// Tickets on a page where nobody says how many: a server that does not tell where a list ends is asked for a known number,
/// so that a full page is told from the last.
const PAGE: u32 = 25;

/// An update as it is kept.
#[derive(Deserialize)]
struct Asked<'a> {
    ticket_id: String,
    #[serde(borrow)]
    fields: &'a RawValue,
}

impl Desk<'_> {
    /// Makes a ticket at a partner's Unidy out of a JSON object of its fields.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Input`] naming `fields_json` for what is no object.
    pub async fn create_ticket(&self, fields_json: &str) -> Result<OfficeWrite, Error> {
        let (unidy, change) = (self.unidy()?, change(fields_json)?);
        let asked = format!("{{\"fields\":{}}}", change.to_json()?);
        let id = self.begin_text(OfficeWriteKind::CreateTicket, &asked)?;
        let answer = unidy.create_ticket(&self.session, &change).await;
        self.settle(id, answer.map(|ticket| told(&[of_unidy(&ticket)]))).await
    }

    /// Changes fields of a ticket at a partner's Unidy.
    ///
    /// # Errors
    /// As [`Desk::create_ticket`].
    pub async fn update_ticket(&self, ticket_id: &str, fields_json: &str) -> Result<OfficeWrite, Error> {
        let (unidy, change) = (self.unidy()?, change(fields_json)?);
        let asked = format!("{{\"ticket_id\":{},\"fields\":{}}}", Value::from(ticket_id), change.to_json()?);
        let id = self.begin_text(OfficeWriteKind::UpdateTicket, &asked)?;
        let answer = unidy.update_ticket(&self.session, ticket_id, &change).await;
        self.settle(id, answer.map(|ticket| told(&[of_unidy(&ticket)]))).await
    }

    /// Deletes a ticket at a partner's Unidy.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn delete_ticket(&self, ticket_id: &str) -> Result<OfficeWrite, Error> {
        let unidy = self.unidy()?;
        let id = self.begin(OfficeWriteKind::DeleteTicket, &json!({ "ticket_id": ticket_id }))?;
        let answer = unidy.delete_ticket(&self.session, ticket_id).await;
        self.settle(id, answer.map(|()| json!({}))).await
    }

    /// One page of the tickets that the account may list at Unidy, and whether more come.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn unidy_tickets(&self, query: &UnidyTicketQuery) -> Result<OfficePage, Error> {
        let query = UnidyTicketQuery {
            page: query.page.or(Some(1)),
            limit: query.limit.or(Some(PAGE)),
            ..query.clone()
        };
        let found = self.unidy()?.tickets(&self.session, &query).await?;
        Ok(OfficePage { tickets: found.tickets.iter().map(of_unidy).collect(), more: !found.is_last() })
    }

    /// One of a partner's tickets.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn partner_ticket(&self, id: &str) -> Result<OfficeTicket, Error> {
        Ok(of_unidy(&self.unidy()?.ticket(&self.session, id).await?))
    }

    /// Whether a ticket has every field as it was asked for. One that has not tells nothing: servers round prices, write
    /// times in their own zone, and leave out members that they do not know.
    pub(super) async fn find_fields(&self, write: &OfficeWrite) -> Result<Found, Error> {
        let Ok(asked) = serde_json::from_str::<Asked<'_>>(&write.request_json) else {
            return Ok(Found::Unclear);
        };
        let ticket = self.unidy()?.ticket(&self.session, &asked.ticket_id).await?;
        let as_asked = TicketChange::of_fields(asked.fields.get()).is_some_and(|asked| {
            let held = TicketChange::of_fields(ticket.record()).unwrap_or_default().more;
            asked
                .more
                .iter()
                .all(|(name, asked)| held.get(name).is_some_and(|held| is_same_json(asked, held)))
        });
        Ok(if as_asked { Found::Done(told(&[of_unidy(&ticket)])) } else { Found::Unclear })
    }
}

fn change(fields_json: &str) -> Result<TicketChange, Error> {
    TicketChange::of_fields(fields_json).ok_or_else(|| Error::Input {
        field: "fields_json",
        reason: "write the fields as a JSON object".to_owned(),
    })
}

fn of_unidy(ticket: &UnidyTicket) -> OfficeTicket {
    OfficeTicket {
        remote_id: ticket.id.clone(),
        status: TicketStatus::from_text(ticket.state.as_deref().unwrap_or_default()),
        ticket_config_id: None,
        enrollment_id: None,
        body_json: ticket.record().to_owned(),
        unidy: Some(ticket.fields()),
    }
}
