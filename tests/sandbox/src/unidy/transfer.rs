//! Handing a ticket to somebody else: offers by e-mail that the recipient answers.

mod outside;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::body;
use super::brand::UnidyMail;
use super::caller::{Holder, Person, Site};
use super::error::UnidyError;
use super::local_time::stamp;
use super::ticket::{self, Stored};
use crate::app::random;
use crate::journal;

pub use outside::UnidyOffer;

/// A transfer as it is kept.
struct Offer {
    token: String,
    ticket_id: String,
    sender_id: i64,
    recipient: String,
    status: String,
    created_at: i64,
    expires_at: i64,
}

/// A transfer as it is served.
#[derive(Serialize)]
pub(super) struct Transfer {
    token: String,
    status: String,
    recipient_email: String,
    sender_email: String,
    expires_at: String,
    created_at: String,
    ticket: Box<RawValue>,
}

#[derive(Serialize)]
pub(super) struct Transfers {
    incoming: Vec<Transfer>,
    outgoing: Vec<Transfer>,
}

/// What a party does to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Decline,
    Cancel,
}

const SELECT: &str = "SELECT token, ticket_id, sender_id, recipient, status, created_at, expires_at
    FROM unidy_transfer";

impl Offer {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            token: row.get(0)?,
            ticket_id: row.get(1)?,
            sender_id: row.get(2)?,
            recipient: row.get(3)?,
            status: row.get(4)?,
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
        })
    }

    fn status_at(&self, now_s: i64) -> &str {
        if self.status == "pending" && now_s >= self.expires_at { "expired" } else { &self.status }
    }

    /// The offer as it is served; `None` when its ticket is gone.
    fn served(&self, site: &Site, db: &Connection) -> Result<Option<Transfer>, UnidyError> {
        let Some(ticket) = ticket::find(db, &site.brand.name, &self.ticket_id, &site.choices)? else {
            return Ok(None);
        };
        let sender = site.by_id(db, self.sender_id)?.map(|sender| sender.email);
        let zone = site.choices.zone();
        Ok(Some(Transfer {
            token: self.token.clone(),
            status: self.status_at(site.app.now_s()).to_owned(),
            recipient_email: self.recipient.clone(),
            sender_email: sender.unwrap_or_default(),
            expires_at: stamp(self.expires_at.saturating_mul(1000), zone),
            created_at: stamp(self.created_at.saturating_mul(1000), zone),
            ticket: ticket.served(&site.choices)?,
        }))
    }
}

/// `GET /api/sdk/v1/ticket_transfers`: what is pending and has not expired, and the rest where that is chosen.
pub(super) async fn list(holder: Holder) -> Result<Json<Transfers>, UnidyError> {
    let site = &holder.site;
    switched_on(site)?;
    site.app.db.read(|db| {
        let open = |party: &str, value: &dyn rusqlite::ToSql| -> Result<Vec<Transfer>, UnidyError> {
            let sql = format!(
                "{SELECT} WHERE brand = ?1 AND (?4 OR status = 'pending' AND expires_at > ?2) AND {party} = ?3
                    ORDER BY rowid"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let now_s = site.app.now_s();
            let offers = statement
                .query_map((&site.brand.name, now_s, value, site.choices.ended_transfers), Offer::read)?;
            offers
                .filter_map(|offer| {
                    offer.map_or_else(|e| Some(Err(e.into())), |it| it.served(site, db).transpose())
                })
                .collect()
        };
        Ok(Json(Transfers {
            incoming: open("recipient", &holder.user.email)?,
            outgoing: open("sender_id", &holder.user.id)?,
        }))
    })
}

/// `POST /api/sdk/v1/tickets/{id}/transfer`
pub(super) async fn create(
    holder: Holder,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Transfer>), UnidyError> {
    let site = &holder.site;
    switched_on(site)?;
    let body = body::object(&body)?;
    site.app.db.write(|db| {
        let found = ticket::find(db, &site.brand.name, &id, &site.choices)?;
        let ticket = found.ok_or_else(UnidyError::not_found)?;
        check_owner(site, db, &ticket, &id, holder.user.id)?;
        let offer = offer(site, db, &holder.user, &id, body::text(&body, "recipient_email")?)?;
        let transfer = offer.served(site, db)?.ok_or_else(UnidyError::not_found)?;
        Ok((StatusCode::CREATED, Json(transfer)))
    })
}

/// Offers a ticket of this user.
fn offer(
    site: &Site,
    db: &Connection,
    owner: &Person,
    id: &str,
    recipient: &str,
) -> Result<Offer, UnidyError> {
    let found = ticket::find(db, &site.brand.name, id, &site.choices)?;
    let recipient = recipient.trim().to_lowercase();
    if !body::is_email(&recipient) {
        return Err(UnidyError::field("recipient_email", "is invalid"));
    }
    if recipient == owner.email {
        return Err(UnidyError::refused("recipient_is_owner"));
    }
    check_active(&found.ok_or_else(UnidyError::not_found)?)?;
    let pending = "SELECT 1 FROM unidy_transfer
        WHERE brand = ?1 AND ticket_id = ?2 AND status = 'pending' AND expires_at > ?3";
    let now_s = site.app.now_s();
    if db.query_row(pending, (&site.brand.name, id, now_s), |_| Ok(())).optional()?.is_some() {
        return Err(UnidyError::refused("transfer_already_pending"));
    }
    let offer = Offer {
        token: super::encode(&random::<24>()?),
        ticket_id: id.to_owned(),
        sender_id: owner.id,
        recipient,
        status: "pending".to_owned(),
        created_at: now_s,
        expires_at: now_s.saturating_add(site.choices.transfer_life_s.into()),
    };
    send(site, db, &offer)?;
    insert(site, db, &offer)?;
    note(site, db, &owner.email, "create", &offer)?;
    Ok(offer)
}

/// `POST /api/sdk/v1/ticket_transfers/{token}/accept`
pub(super) async fn accept(
    holder: Holder,
    Path((_, token)): Path<(String, String)>,
) -> Result<Json<Transfer>, UnidyError> {
    answer(&holder, &token, Answer::Accept)
}

/// `POST /api/sdk/v1/ticket_transfers/{token}/decline`
pub(super) async fn decline(
    holder: Holder,
    Path((_, token)): Path<(String, String)>,
) -> Result<Json<Transfer>, UnidyError> {
    answer(&holder, &token, Answer::Decline)
}

/// `POST /api/sdk/v1/ticket_transfers/{token}/cancel`
pub(super) async fn cancel(
    holder: Holder,
    Path((_, token)): Path<(String, String)>,
) -> Result<Json<Transfer>, UnidyError> {
    answer(&holder, &token, Answer::Cancel)
}

fn answer(holder: &Holder, token: &str, answer: Answer) -> Result<Json<Transfer>, UnidyError> {
    let site = &holder.site;
    switched_on(site)?;
    site.app.db.write(|db| {
        let offer = find(site, db, token)?.ok_or_else(UnidyError::not_found)?;
        check_party(&offer, &holder.user, answer)?;
        if offer.status != "pending" {
            return Err(UnidyError::refused("transfer_not_pending"));
        }
        if site.app.now_s() >= offer.expires_at {
            return Err(UnidyError::new(StatusCode::GONE, "transfer_expired"));
        }
        if answer == Answer::Accept {
            hand_over(site, db, &offer, &holder.user)?;
        }
        let offer = close(site, db, offer, answer, &holder.user.email)?;
        let transfer = offer.served(site, db)?.ok_or_else(UnidyError::not_found)?;
        Ok(Json(transfer))
    })
}

fn find(site: &Site, db: &Connection, token: &str) -> rusqlite::Result<Option<Offer>> {
    let sql = format!("{SELECT} WHERE brand = ?1 AND token = ?2");
    db.query_row(&sql, (&site.brand.name, token), Offer::read).optional()
}

/// Ends an offer as it was answered.
fn close(
    site: &Site,
    db: &Connection,
    mut offer: Offer,
    answer: Answer,
    by: &str,
) -> Result<Offer, UnidyError> {
    let (status, name) = match answer {
        Answer::Accept => ("accepted", "accept"),
        Answer::Decline => ("declined", "decline"),
        Answer::Cancel => ("canceled", "cancel"),
    };
    db.execute("UPDATE unidy_transfer SET status = ?2 WHERE token = ?1", (&offer.token, status))?;
    status.clone_into(&mut offer.status);
    note(site, db, by, name, &offer)?;
    Ok(offer)
}

fn switched_on(site: &Site) -> Result<(), UnidyError> {
    if site.choices.transfers { Ok(()) } else { Err(UnidyError::forbidden("feature_disabled")) }
}

/// Only the owner hands a ticket on; who did so before is told that.
fn check_owner(
    site: &Site,
    db: &Connection,
    ticket: &Stored,
    id: &str,
    user_id: i64,
) -> Result<(), UnidyError> {
    if ticket.user_id == user_id {
        return Ok(());
    }
    let handed_on = "SELECT 1 FROM unidy_transfer
        WHERE brand = ?1 AND ticket_id = ?2 AND sender_id = ?3 AND status = 'accepted'";
    match db.query_row(handed_on, (&site.brand.name, id, user_id), |_| Ok(())).optional()? {
        Some(()) => Err(UnidyError::refused("ticket_already_transferred")),
        None => Err(UnidyError::forbidden("not_ticket_owner")),
    }
}

fn check_active(ticket: &Stored) -> Result<(), UnidyError> {
    match ticket.record()?.text("state").as_deref() {
        Some("active") => Ok(()),
        _ => Err(UnidyError::refused("ticket_not_active")),
    }
}

/// The recipient accepts and declines, the sender cancels.
fn check_party(offer: &Offer, user: &Person, answer: Answer) -> Result<(), UnidyError> {
    match answer {
        Answer::Cancel if user.id != offer.sender_id => Err(UnidyError::forbidden("not_transfer_sender")),
        Answer::Accept | Answer::Decline if user.email != offer.recipient => {
            Err(UnidyError::forbidden("recipient_mismatch"))
        }
        _ => Ok(()),
    }
}

/// Tells the recipient about an offer, or invites somebody who has no account.
fn send(site: &Site, db: &Connection, offer: &Offer) -> Result<(), UnidyError> {
    let known = site.by_email(db, &offer.recipient)?.is_some();
    if !site.choices.mail {
        let refused = if known { "offer_email_failed" } else { "recipient_invite_failed" };
        return Err(UnidyError::refused(refused));
    }
    site.app.unidy.send(UnidyMail {
        brand: site.brand.name.clone(),
        to: offer.recipient.clone(),
        kind: if known { "ticket_transfer" } else { "invitation" }.to_owned(),
        secret: offer.token.clone(),
    });
    Ok(())
}

fn insert(site: &Site, db: &Connection, offer: &Offer) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO unidy_transfer
                (token, brand, ticket_id, sender_id, recipient, status, created_at, expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &offer.token,
            &site.brand.name,
            &offer.ticket_id,
            offer.sender_id,
            &offer.recipient,
            &offer.status,
            offer.created_at,
            offer.expires_at,
        ),
    )?;
    Ok(())
}

/// Gives the ticket to its new owner.
fn hand_over(site: &Site, db: &Connection, offer: &Offer, user: &Person) -> Result<(), UnidyError> {
    let found = ticket::find(db, &site.brand.name, &offer.ticket_id, &site.choices)?;
    let ticket = found.ok_or_else(UnidyError::not_found)?;
    if ticket.user_id != offer.sender_id {
        return Err(UnidyError::refused("ticket_already_transferred"));
    }
    check_active(&ticket)?;
    let mut record = ticket.record()?;
    let now = stamp(site.app.now_s().saturating_mul(1000), site.choices.zone());
    record.set("user_id", &json!(user.unidy_id))?;
    record.set("updated_at", &json!(now))?;
    ticket::replace(db, &site.brand.name, &record, ticket.document)
}

fn note(site: &Site, db: &Connection, user: &str, what: &str, offer: &Offer) -> rusqlite::Result<()> {
    let subject = format!("{}/{}", site.brand.name, offer.ticket_id);
    let detail: Value = json!({"recipient_email": offer.recipient, "status": offer.status});
    journal::record(db, user, &format!("unidy.transfer.{what}"), &subject, None, &detail)
}
