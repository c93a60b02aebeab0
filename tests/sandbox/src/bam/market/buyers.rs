//! Buyers of B.A.M's market as a test plays them, and the organizers' hand on its rules. No money moves: a purchase is
//! marked as simulated in the journal.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{patch, post};
use axum::{Json, Router};
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BamError, Party};
use crate::app::App;
use crate::journal;
use crate::sandbox::Sandbox;

/// The routes for tests that speak only HTTP.
pub(crate) fn control_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/offers/{tenant}/{id}/buy", post(buy_offer))
        .route("/sandbox/market-rules/{tenant}", patch(change_rules))
}

#[derive(Deserialize)]
struct Buyer {
    user: String,
}

async fn buy_offer(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(buyer): Json<Buyer>,
) -> Result<StatusCode, BamError> {
    let bought = app.db.write(|db| buy(&app, db, &tenant, id, &buyer.user))?;
    if bought { Ok(StatusCode::NO_CONTENT) } else { Err(BamError::not_found("Offer")) }
}

async fn change_rules(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Json(members): Json<Value>,
) -> Result<StatusCode, BamError> {
    let changed = app.db.write(|db| patch_rules(db, &tenant, &members))?;
    if changed { Ok(StatusCode::NO_CONTENT) } else { Err(BamError::not_found("Ruleset")) }
}

fn patch_rules(db: &Connection, tenant: &str, members: &Value) -> rusqlite::Result<bool> {
    let sql = "UPDATE market_ruleset SET body = json_patch(body, ?2) WHERE tenant = ?1";
    db.execute(sql, (tenant, members.to_string())).map(|changed| changed > 0)
}

/// Somebody buys an offer that stands: a user of the sandbox, or, by any other name, somebody outside it. One that is made
/// to a certain buyer is sold to that one only.
fn buy(app: &App, db: &Connection, tenant: &str, id: i64, buyer: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT ticket.id, seller.enrollment_id, seller.name, price FROM offer
        JOIN ticket ON ticket.tenant = offer.tenant AND ticket.id = ticket_id
        JOIN user AS seller ON seller.id = owner_id
        LEFT JOIN user AS buyer ON buyer.name = ?3
        WHERE offer.tenant = ?1 AND offer.id = ?2 AND valid_until > ?4 AND seller.name <> ?3
            AND (buyer_id IS NULL OR buyer_id = buyer.enrollment_id)";
    let found = db.query_row(sql, (tenant, id, buyer, app.now_s() * 1000), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, f64>(3)?))
    });
    let Some((ticket, enrollment, seller, price)) = found.optional()? else { return Ok(false) };
    let detail = json!({"offer_id": id, "seller": seller, "paid": price, "simulated": true});
    journal::record(db, buyer, "offer.buy", &format!("{tenant}/{ticket}"), None, &detail)?;
    Party { app, db, tenant, enrollment: &enrollment }.change_hands(ticket, buyer)?;
    Ok(true)
}

impl Party<'_> {
    /// The buyer that takes every offer at once, if a test plays one.
    pub(super) fn tempt(&self, offer: i64) -> rusqlite::Result<()> {
        match self.app.bam_choices().eager_buyer {
            Some(buyer) => buy(self.app, self.db, self.tenant, offer, &buyer).map(drop),
            None => Ok(()),
        }
    }
}

impl Sandbox {
    /// Somebody buys an offer on B.A.M's market: a user of the sandbox, or, by any other name, somebody outside it. Returns
    /// whether the offer stood for this buyer.
    ///
    /// # Errors
    /// When the database fails.
    pub fn buy_bam_offer(&self, tenant: &str, offer_id: i64, buyer: &str) -> io::Result<bool> {
        self.app().db.write(|db| buy(self.app(), db, tenant, offer_id, buyer)).map_err(io::Error::other)
    }

    /// Changes members of a tenant's rules for B.A.M's market, named as on the wire; `null` takes one away. Returns whether
    /// the tenant has rules.
    ///
    /// # Errors
    /// When the database fails.
    pub fn change_bam_market_rules(&self, tenant: &str, members: &Value) -> io::Result<bool> {
        self.app().db.write(|db| patch_rules(db, tenant, members)).map_err(io::Error::other)
    }
}
