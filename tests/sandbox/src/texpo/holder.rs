//! The holders' API.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::reply::{self, Failure, Outcome};
use super::{Call, catalogue, entry};
use crate::unidy::files;
use crate::unidy::record::Record;

/// A method by its name.
pub(crate) fn dispatch(call: &Call<'_>, name: &str) -> Outcome {
    match name {
        "rpc/ticket.getPurchasableTickets" => {
            call.session()?;
            catalogue::list(call)
        }
        "rpc/ticket.getPurchasedTickets" if call.choices.purchased_over_http => purchased(call),
        _ => Err(Failure::no_method()),
    }
}

fn purchased(call: &Call<'_>) -> Outcome {
    let session = call.session()?;
    let data = call.app.texpo.data();
    let own = data.purchased.iter().filter(|ticket| ticket.user == session.user);
    let own = own.map(|ticket| entry::purchased(ticket, &call.choices)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(format!("{{\"tickets\":[{}]}}", own.join(","))))
}

/// A ticket as PDF.
pub(crate) fn document(call: &Call<'_>, ticket_id: &str) -> Response {
    let found = call.session().and_then(|session| {
        let data = call.app.texpo.data();
        let own =
            |ticket: &&super::state::Purchased| ticket.ticket_id == ticket_id && ticket.user == session.user;
        let ticket = data.purchased.iter().find(own).ok_or_else(Failure::not_found)?;
        let record = Record::read(&ticket.body)?;
        let named = ["eventName", "ticketName", "ticketDescription"];
        let mut lines: Vec<_> = named.iter().filter_map(|name| record.text(name)).collect();
        lines.push(ticket.ticket_id.clone());
        Ok(files::pdf(&lines))
    });
    match found {
        Ok(file) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"))], file).into_response()
        }
        Err(failure) => reply::failed(&call.choices, &failure),
    }
}
