//! `event/v1/ticket/:id/ticket_holder` on the tenant's host: what a ticket's holder answered. One answer for each ticket;
//! a write that is repeated is done again, so that a lost answer is read back before.

use serde_json::{Value, json};
use url::Url;

use super::{Bam, wire};
use crate::error::Error;
use crate::remote::address::segment;
use crate::remote::{Reply, Request, Session};

/// Where a ticket is: tenant and the system's id.
pub type TicketPlace<'a> = (Option<&'a str>, &'a str);

impl Bam {
    /// The holder's record; `None` when there is none yet.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn ticket_holder(
        &self,
        session: &Session,
        place: TicketPlace<'_>,
    ) -> Result<Option<Value>, Error> {
        let url = self.holder_url(place, None)?;
        let request = || Request::get(url.clone(), "GET event/v1/ticket/:id/ticket_holder");
        let reply = session.send(&self.http, self, request).await?;
        let found: Value = reply.json::<wire::Data<Value>>()?.data;
        match found {
            Value::Array(list) => Ok(list.into_iter().next()),
            Value::Object(_) => Ok(Some(found)),
            Value::Null => Ok(None),
            _ => Err(reply.unreadable("data")),
        }
    }

    /// Writes the answers: `POST` where there are none yet, else `PATCH`. Returns the holder's record.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn save_ticket_holder(
        &self,
        session: &Session,
        place: TicketPlace<'_>,
        holder_id: Option<&str>,
        response: &Value,
    ) -> Result<Value, Error> {
        let url = self.holder_url(place, holder_id)?;
        let body = json!({ "response": response });
        let request = || match holder_id {
            None => Request::post(url.clone(), "POST event/v1/ticket/:id/ticket_holder", &body),
            Some(_) => Request {
                method: "PATCH",
                ..Request::post(url.clone(), "PATCH event/v1/ticket/:id/ticket_holder/:id", &body)
            },
        };
        let reply: Reply = session.send(&self.http, self, request).await?;
        Ok(reply.json::<wire::Data<Value>>()?.data)
    }

    /// Whether a ticket is gone: `GET event/v1/ticket/:id` answers 404 or 410. `None` when the server does not say.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it cannot be asked now.
    pub async fn is_gone(&self, session: &Session, place: TicketPlace<'_>) -> Result<Option<bool>, Error> {
        let url = self.tenant_url(place.0, &format!("event/v1/ticket/{}", place.1))?;
        let request = || Request::get(url.clone(), "GET event/v1/ticket/:id");
        let reply = session.send(&self.http, self, request).await?;
        match reply.status {
            404 | 410 => Ok(Some(true)),
            408 | 425 | 429 | 500 | 502..600 => Err(reply.error()),
            _ => Ok(reply.is_success().then_some(false)),
        }
    }

    fn holder_url(&self, (tenant, ticket): TicketPlace<'_>, holder: Option<&str>) -> Result<Url, Error> {
        let holder = holder.map_or_else(String::new, |id| format!("/{}", segment(id)));
        self.tenant_url(tenant, &format!("event/v1/ticket/{ticket}/ticket_holder{holder}"))
    }
}
