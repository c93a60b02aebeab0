//! The adminserver's four methods.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use axum::http::StatusCode;

use super::choices::{DuplicateForm, UpdateForm};
use super::reply::{Failure, Outcome};
use super::state::{Data, Entry, Session};
use super::{Call, entry};
use crate::journal;
use crate::unidy::record::Record;

#[derive(Deserialize)]
struct Ticket {
    ticket: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    product_id: String,
}

/// A method by its name.
pub(crate) fn dispatch(call: &Call<'_>, name: &str) -> Outcome {
    let write = match name {
        "ticket.getPurchasableTickets" => {
            call.manager()?;
            return list(call);
        }
        "ticket.createPurchasableTicket" => create,
        "ticket.updatePurchasableTicket" => update,
        "ticket.deletePurchasableTicket" => delete,
        _ => return Err(Failure::no_method()),
    };
    let manager = call.manager()?;
    write(call, &manager, &mut call.app.texpo.data())
}

/// The entries as `{"tickets": […]}`.
pub(crate) fn list(call: &Call<'_>) -> Outcome {
    if call.choices.leaves_list_out {
        return Ok(None);
    }
    let data = call.app.texpo.data();
    let entries = data.entries.iter().map(|entry| entry::served(entry, &call.choices));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(format!("{{\"tickets\":[{}]}}", entries.join(","))))
}

fn create(call: &Call<'_>, manager: &Session, data: &mut Data) -> Outcome {
    let (product_id, record) = sent(call)?;
    if let Some(held) = data.entry_mut(&product_id) {
        return match call.choices.duplicate {
            DuplicateForm::Refused => Err(Failure::new(StatusCode::CONFLICT, 409, "productId is taken")),
            DuplicateForm::Keeps => {
                let held = held.clone();
                shown(call, data, &held)
            }
            DuplicateForm::Overwrites => {
                held.body = serde_json::to_string(&record)?;
                let held = held.clone();
                wrote(call, manager, "catalogue.overwrite", &product_id)?;
                shown(call, data, &held)
            }
        };
    }
    let entry = Entry { product_id: product_id.clone(), body: serde_json::to_string(&record)? };
    data.entries.push(entry.clone());
    wrote(call, manager, "catalogue.create", &product_id)?;
    shown(call, data, &entry)
}

fn update(call: &Call<'_>, manager: &Session, data: &mut Data) -> Outcome {
    let (product_id, record) = sent(call)?;
    let Some(held) = data.entry_mut(&product_id) else { return unknown(call) };
    held.body = match call.choices.update {
        UpdateForm::Replaces => serde_json::to_string(&record)?,
        UpdateForm::Changes => {
            let mut merged = Record::read(&held.body)?;
            record.members().for_each(|(name, raw)| merged.set_raw(name, raw.to_owned()));
            serde_json::to_string(&merged)?
        }
    };
    let held = held.clone();
    wrote(call, manager, "catalogue.update", &product_id)?;
    shown(call, data, &held)
}

fn delete(call: &Call<'_>, manager: &Session, data: &mut Data) -> Outcome {
    let Deleted { product_id } = serde_json::from_slice(&call.body)?;
    let before = data.entries.len();
    data.entries.retain(|entry| entry.product_id != product_id);
    if data.entries.len() == before {
        return unknown(call);
    }
    wrote(call, manager, "catalogue.delete", &product_id)?;
    Ok(None)
}

fn sent(call: &Call<'_>) -> Result<(String, Record), Failure> {
    let Ticket { ticket } = serde_json::from_slice(&call.body)?;
    entry::read(&ticket, &call.choices)
}

fn unknown(call: &Call<'_>) -> Outcome {
    if call.choices.refuses_unknown { Err(Failure::not_found()) } else { Ok(None) }
}

fn shown(call: &Call<'_>, data: &Data, held: &Entry) -> Outcome {
    if !call.choices.shows_written {
        return Ok(None);
    }
    let another = data.entries.first().filter(|_| call.choices.shows_another);
    let held = another.unwrap_or(held);
    Ok(Some(format!("{{\"ticket\":{}}}", entry::served(held, &call.choices)?)))
}

fn wrote(call: &Call<'_>, manager: &Session, kind: &str, product_id: &str) -> Result<(), Failure> {
    let subject = format!("texpo/{product_id}");
    call.app.db.write(|db| journal::record(db, &manager.user, kind, &subject, None, &json!({})))?;
    Ok(())
}
