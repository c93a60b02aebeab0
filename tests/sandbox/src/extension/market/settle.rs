//! What happens to listings by itself: time goes by, tickets are let in, taken back or handed over.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::super::gates::{Place, admitted};
use super::listing::{COLUMNS, Listing, OPEN};
use crate::app::App;
use crate::problem::Problem;

/// Brings a tenant's listings up to now.
pub(in super::super) fn settle(app: &App, db: &Connection, tenant: &str) -> Result<(), Problem> {
    let now = app.now_s();
    for listing in open(db, tenant)? {
        if let Some(reason) = closed(app, db, tenant, &listing)? {
            let sql = "UPDATE listing SET state = 'closed', reason = ?2, version = version + 1 WHERE id = ?1";
            db.execute(sql, (listing.id, reason))?;
        }
    }
    db.execute(
        "UPDATE reservation SET state = CASE WHEN listing.state = 'reserved' THEN 'expired' ELSE 'cancelled' END
            FROM listing WHERE listing.id = listing_id AND reservation.state = 'pending'
            AND (reservation.expires_at <= ?1 OR listing.state <> 'reserved')",
        [now],
    )?;
    db.execute(
        "UPDATE listing SET state = 'active', version = version + 1 WHERE tenant = ?1 AND state = 'reserved'
            AND NOT EXISTS (SELECT 1 FROM reservation WHERE listing_id = listing.id AND reservation.state = 'pending')",
        [tenant],
    )?;
    db.execute(
        "UPDATE listing SET state = 'expired', version = version + 1
            WHERE tenant = ?1 AND state IN ('under_review', 'active', 'paused') AND expires_at <= ?2",
        (tenant, now),
    )?;
    Ok(())
}

fn open(db: &Connection, tenant: &str) -> rusqlite::Result<Vec<Listing>> {
    let sql =
        format!("SELECT {COLUMNS} FROM listing WHERE tenant = ?1 AND state IN ('{}')", OPEN.join("', '"));
    db.prepare_cached(&sql)?.query_map([tenant], Listing::read)?.collect()
}

/// Why an open listing is one no longer.
fn closed(
    app: &App,
    db: &Connection,
    tenant: &str,
    listing: &Listing,
) -> Result<Option<&'static str>, Problem> {
    let sql = "SELECT owner_id, status, coalesce((SELECT state FROM gate_ticket
            WHERE gate_ticket.tenant = ticket.tenant AND gate_ticket.ticket_id = ticket.id), '')
        FROM ticket WHERE tenant = ?1 AND id = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query((tenant, listing.ticket_id))?;
    let Some(row) = rows.next()? else { return Ok(Some("revoked")) };
    let (status, said) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
    Ok(match (row.get::<_, Option<i64>>(0)?, status.as_str(), said.as_str()) {
        (owner, ..) if owner != Some(listing.seller) => Some("transferred"),
        (_, "unavailable", _) => Some("event_cancelled"),
        (_, "invalidated", _) => Some("scanned"),
        (.., "revoked" | "blocked") => Some("revoked"),
        (_, "issued" | "activated", _) => {
            let place = Place { tenant: tenant.to_owned(), event: listing.event_id };
            let inside: BTreeSet<_> = admitted(app, db, &place)?;
            let ticket =
                app.tenant(tenant).and_then(|it| it.provider.ticket(&listing.ticket_id.to_string()).ok());
            ticket.filter(|ticket| inside.contains(&ticket.0)).map(|_| "scanned")
        }
        _ => Some("revoked"),
    })
}
