//! The orders that the season's tickets were bought with, and offers of some of them.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Transaction};

use crate::moment::timestamp;

/// For so long an offer stands.
const OFFERED_DAYS: i64 = 14;

/// How tickets were bought: those of one owner and format at a tenant are one order.
#[derive(Debug)]
pub(super) struct Bought<'a> {
    pub(super) tenant: &'a str,
    pub(super) owner_id: i64,
    pub(super) format: &'a str,
    pub(super) at: DateTime<Utc>,
}

/// Adds a ticket to its order. Each ticket is an item of its own, whose id is the ticket's.
pub(super) fn write_item(
    db: &Transaction<'_>,
    bought: &Bought<'_>,
    ticket_id: i64,
    config_id: i64,
) -> rusqlite::Result<()> {
    let order_id = order(db, bought)?;
    db.prepare_cached(
        "INSERT INTO order_item (tenant, id, order_id, price, quantity)
            SELECT tenant, ?2, ?3, json_extract(body, '$.face_value'), 1 FROM ticket_config
            WHERE tenant = ?1 AND id = ?4",
    )?
    .execute((bought.tenant, ticket_id, order_id, config_id))?;
    Ok(())
}

/// The order's id; ids count from 1 in each tenant.
fn order(db: &Transaction<'_>, bought: &Bought<'_>) -> rusqlite::Result<i64> {
    let sql = "SELECT id FROM ticket_order WHERE tenant = ?1 AND owner_id = ?2 AND format = ?3";
    let known = db
        .prepare_cached(sql)?
        .query_row((bought.tenant, bought.owner_id, bought.format), |row| row.get(0))
        .optional()?;
    let create = || {
        db.query_row(
            "INSERT INTO ticket_order (tenant, id, owner_id, format, status, payment_id, payment_created_at,
                contact, created_at)
            SELECT ?1, fresh.id, user.id, ?3, 'paid', format('pi_%s_%d', ?1, fresh.id), ?4,
                json_object('id', fresh.id, 'email', user.name, 'billing_email', user.name), ?4
            FROM user, (SELECT 1 + count(*) AS id FROM ticket_order WHERE tenant = ?1) AS fresh
            WHERE user.id = ?2 RETURNING id",
            (bought.tenant, bought.owner_id, bought.format, timestamp(bought.at)),
            |row| row.get(0),
        )
    };
    known.map_or_else(create, Ok)
}

/// At each tenant each owner offers the last SECURE ticket that is activated, at a tenth over its price.
pub(super) fn write_offers(db: &Transaction<'_>, now: DateTime<Utc>) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO offer (tenant, id, ticket_id, kind, price, valid_until)
            SELECT ticket.tenant, owner_id, max(ticket.id), 'MARKET',
                round(1.1 * json_extract(body, '$.face_value'), 2), ?1
            FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            WHERE format = 'SECURE' AND status = 'activated' GROUP BY ticket.tenant, owner_id",
        [(now + TimeDelta::days(OFFERED_DAYS)).timestamp_millis()],
    )?;
    Ok(())
}
