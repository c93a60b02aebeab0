//! Listings: the server's copy, and what of a ticket's barcode is shown by it and by what waits in the outbox.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::Store;
use super::credentials::{put_refusal, surrender};
use super::outbox::OutboxRow;
use crate::error::Error;
use crate::model::{Listing, Money, NoBarcodeReason, TicketHash, Write, WriteState};
use crate::resale::{BarcodePolicy, Breakdown, ListedBarcode, ListingIntent, ListingState, listed_barcode};

/// A listing of one of an account's tickets.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredListing {
    /// The system's id.
    pub remote_id: String,
    /// The ticket.
    pub ticket: TicketHash,
    /// Where it stands.
    pub state: ListingState,
    /// Whether the barcode is shown meanwhile.
    pub policy: BarcodePolicy,
    /// Grows with every change.
    pub version: i64,
    /// What the seller asks for.
    pub price: Money,
    /// What that comes to.
    pub breakdown: Option<Breakdown>,
    /// When it was listed, Unix seconds.
    pub created_at: i64,
    /// When it ends by itself, Unix seconds.
    pub expires_at: Option<i64>,
}

opaque_debug!(StoredListing);

/// Where a ticket's listing stands: the server's copy, and the writes about it that have no answer yet.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ListingStanding {
    /// What the server said last; of several listings, of the one that is open, else of the last.
    pub server: Option<StoredListing>,
    /// The oldest write that has no answer.
    pub write: Option<OutboxRow>,
    /// Whether a credential is held.
    pub holds_credential: bool,
}

opaque_debug!(ListingStanding);

const COLUMNS: &str = "remote_id, ticket_id, state, reason, policy, version, minor, currency, breakdown, created_at, expires_at";

impl Store {
    /// Where the listing of a ticket stands.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn listing_standing(&self, ticket: TicketHash) -> Result<ListingStanding, Error> {
        let writes = self.outbox(None, Some(ticket))?;
        self.read("the listings cannot be read", |db| {
            let write = writes.into_iter().find(|row| is_of_listing(&row.new.write));
            let holds_credential = db
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM credential WHERE ticket_id = ?1)")?
                .query_row([&ticket.0[..]], |row| row.get(0))?;
            Ok(ListingStanding { server: latest(db, ticket)?, write, holds_credential })
        })
    }

    /// The tickets of an account that are listed, were, or shall be.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn listed_tickets(&self, account_id: Option<&str>) -> Result<Vec<(String, TicketHash)>, Error> {
        self.read("the listings cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT account_id, ticket_id FROM listing WHERE ?1 IS NULL OR account_id = ?1
                 UNION SELECT account_id, subject FROM outbox
                 WHERE (?1 IS NULL OR account_id = ?1) AND payload ->> 'kind' = 'create_listing' ORDER BY 1, 2",
            )?;
            statement.query_map([account_id], |row| Ok((row.get(0)?, TicketHash(row.get(1)?))))?.collect()
        })
    }

    /// The tenants of an account's tickets of which a listing may go on: it was open when last heard of, or the server
    /// refused to bind a ticket because it is listed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn listing_tenants(&self, account_id: &str) -> Result<Vec<Option<String>>, Error> {
        self.read("the listings cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT DISTINCT b.tenant FROM listing l JOIN ticket_body b ON b.ticket_id = l.ticket_id
                 WHERE l.account_id = ?1 AND l.state NOT IN ('withdrawn', 'expired', 'closed', 'paid_out')
                 UNION SELECT DISTINCT b.tenant FROM ticket_body b JOIN ticket t ON t.id = b.ticket_id
                 WHERE t.account_id = ?1 AND b.refusal LIKE '%{}'",
                NoBarcodeReason::TICKET_LISTED
            ))?;
            statement.query_map([account_id], |row| row.get(0))?.collect()
        })
    }

    /// The tenants of an account's tickets.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn ticket_tenants(&self, account_id: &str) -> Result<Vec<Option<String>>, Error> {
        self.read("the tickets cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT DISTINCT b.tenant FROM ticket_body b JOIN ticket t ON t.id = b.ticket_id
                 WHERE t.account_id = ?1",
            )?;
            statement.query_map([account_id], |row| row.get(0))?.collect()
        })
    }

    /// An account's listings at a tenant of which it was not known when last heard of that they had ended, or were sold.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn going_listings(
        &self,
        account_id: &str,
        tenant: Option<&str>,
    ) -> Result<Vec<StoredListing>, Error> {
        self.read("the listings cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM listing WHERE account_id = ?1
                 AND ticket_id IN (SELECT ticket_id FROM ticket_body WHERE tenant IS ?2)
                 AND state NOT IN ('withdrawn', 'expired', 'closed', 'sold', 'reissued', 'paid_out')"
            ))?;
            statement.query_map((account_id, tenant), stored)?.collect()
        })
    }

    /// Brings listings up to date. One that has ended before it was ever heard of is nobody's concern.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_listings(&self, account_id: &str, listings: &[StoredListing]) -> Result<(), Error> {
        self.write("the listings cannot be kept", |tx| {
            for listing in listings {
                let known = find(tx, account_id, (listing.ticket, &listing.remote_id))?;
                if known.is_some() || listing.state.is_open() {
                    put_listing(tx, account_id, listing)?;
                }
            }
            Ok(())
        })
    }

    /// A ticket's listing of this id, as far as it is known here. Tenants number theirs alike: an id alone names none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn listing(
        &self,
        account_id: &str,
        name: (TicketHash, &str),
    ) -> Result<Option<StoredListing>, Error> {
        self.read("the listing cannot be read", |db| find(db, account_id, name))
    }
}

fn find(
    db: &Connection,
    account_id: &str,
    (ticket, remote_id): (TicketHash, &str),
) -> rusqlite::Result<Option<StoredListing>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM listing WHERE account_id = ?1 AND ticket_id = ?2 AND remote_id = ?3"
    ))?
    .query_row((account_id, &ticket.0[..], remote_id), stored)
    .optional()
}

/// The version of a listing as it is known here.
pub(super) fn version(
    tx: &Transaction<'_>,
    account_id: &str,
    name: (TicketHash, &str),
) -> rusqlite::Result<Option<i64>> {
    Ok(find(tx, account_id, name)?.map(|listing| listing.version))
}

fn latest(db: &Connection, ticket: TicketHash) -> rusqlite::Result<Option<StoredListing>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM listing WHERE ticket_id = ?1
         ORDER BY state IN ('withdrawn', 'expired', 'closed', 'sold', 'reissued', 'paid_out'), created_at DESC,
                  length(remote_id) DESC, remote_id DESC LIMIT 1"
    ))?
    .query_row([&ticket.0[..]], stored)
    .optional()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredListing> {
    let breakdown: Option<String> = row.get(8)?;
    let breakdown = breakdown.map(|json| serde_json::from_str(&json)).transpose();
    Ok(StoredListing {
        remote_id: row.get(0)?,
        ticket: TicketHash(row.get(1)?),
        state: ListingState::from_server(
            row.get_ref(2)?.as_str()?,
            row.get::<_, Option<String>>(3)?.as_deref(),
        ),
        policy: BarcodePolicy::of_server(Some(row.get_ref(4)?.as_str()?)),
        version: row.get(5)?,
        price: Money { minor: row.get(6)?, currency: row.get(7)? },
        breakdown: breakdown.map_err(|_| rusqlite::Error::InvalidQuery)?,
        created_at: row.get(9)?,
        expires_at: row.get(10)?,
    })
}

/// Keeps a listing, and what follows where it stands otherwise than before: a barcode that was given up, or that the ticket
/// may have again.
pub(super) fn put_listing(
    tx: &Transaction<'_>,
    account_id: &str,
    listing: &StoredListing,
) -> rusqlite::Result<()> {
    let before = find(tx, account_id, (listing.ticket, &listing.remote_id))?;
    // An answer that was overtaken tells what is over.
    if before.as_ref().is_some_and(|before| before.version > listing.version) {
        return Ok(());
    }
    let breakdown =
        listing.breakdown.as_ref().map(|breakdown| serde_json::to_string(breakdown).unwrap_or_default());
    tx.prepare_cached(&format!(
        "INSERT OR REPLACE INTO listing (account_id, {COLUMNS}) VALUES (?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    ))?
    .execute(rusqlite::params![
        listing.remote_id,
        &listing.ticket.0[..],
        listing.state.as_text(),
        listing.state.reason_text(),
        listing.policy.as_text(),
        listing.version,
        listing.price.minor,
        listing.price.currency,
        breakdown,
        listing.created_at,
        listing.expires_at,
        account_id,
    ])?;
    let was_sold = before.as_ref().is_some_and(|before| before.state.is_sold());
    // A sale takes what was held when it came, and nothing that the person, or another account, got since.
    if before.is_some_and(|before| before.state == listing.state)
        || was_sold && listing.state.is_sold()
        || !is_of(tx, account_id, listing.ticket)?
    {
        return Ok(());
    }
    let taken = match listed_barcode(listing.policy, Some(&listing.state), None) {
        ListedBarcode::Erased => true,
        ListedBarcode::Hidden { .. } => {
            !matches!(listing.state, ListingState::Unknown { .. } | ListingState::Closed { .. })
        }
        ListedBarcode::NeedsRebind | ListedBarcode::Shown => false,
    };
    if taken {
        return surrender(tx, listing.ticket);
    }
    match listing.state {
        ListingState::Unknown { .. } => Ok(()),
        _ => put_refusal(tx, listing.ticket, None),
    }
}

/// Whether a ticket is an account's, or of none that is known here.
fn is_of(tx: &Transaction<'_>, account_id: &str, ticket: TicketHash) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM ticket WHERE id = ?1 AND account_id <> ?2)")?
        .query_row((&ticket.0[..], account_id), |row| row.get(0))
}

fn is_of_listing(write: &Write) -> bool {
    matches!(write, Write::CreateListing { .. } | Write::EditListing { .. } | Write::WithdrawListing { .. })
}

impl ListingStanding {
    /// What this wallet has asked for and has no answer to. A refused write asks for nothing.
    pub fn intent(&self) -> Option<ListingIntent> {
        let row = self.write.as_ref()?;
        let sent = match row.state {
            WriteState::Waiting => false,
            WriteState::Sent | WriteState::Unknown => true,
            WriteState::Held => row.attempts > 0,
            WriteState::Rejected => return None,
        };
        Some(match (&row.new.write, sent) {
            (Write::CreateListing { .. }, false) => ListingIntent::Draft,
            (Write::CreateListing { .. }, true) => ListingIntent::Submitting,
            (Write::EditListing { .. }, false) => ListingIntent::EditQueued,
            (Write::EditListing { .. }, true) => ListingIntent::Editing,
            (_, false) => ListingIntent::WithdrawQueued,
            (_, true) => ListingIntent::Withdrawing,
        })
    }

    /// Where the server said that it stands.
    pub fn state(&self) -> Option<&ListingState> {
        self.server.as_ref().map(|listing| &listing.state)
    }

    /// What of the ticket's barcode is shown. A credential that is held is a later one than that which an ended listing, or
    /// a sale, took.
    pub fn barcode(&self) -> ListedBarcode {
        let policy = self.server.as_ref().map(|listing| listing.policy).unwrap_or_default();
        match listed_barcode(policy, self.state(), self.intent()) {
            ListedBarcode::Erased | ListedBarcode::NeedsRebind if self.holds_credential => {
                ListedBarcode::Shown
            }
            other => other,
        }
    }

    /// Why it shows none; `None` where its listing is no reason.
    pub fn no_barcode(&self) -> Option<NoBarcodeReason> {
        use crate::resale::HiddenReason as Why;
        Some(match self.barcode() {
            ListedBarcode::Shown => return None,
            ListedBarcode::NeedsRebind => NoBarcodeReason::NeedsRebind,
            ListedBarcode::Erased => NoBarcodeReason::Sold,
            ListedBarcode::Hidden { why } => match why {
                Why::Reserved => NoBarcodeReason::Reserved,
                Why::Revoked | Why::EventCancelled => NoBarcodeReason::NotUsable,
                Why::HandingOver | Why::OnItsWay => NoBarcodeReason::HandedOver,
                Why::Submitting | Why::Withdrawing | Why::UnderReview | Why::Listed | Why::UnknownState => {
                    NoBarcodeReason::Listed
                }
            },
        })
    }

    /// The listing as the app sees it; `None` for a ticket that was never for sale.
    pub fn shown(&self, account_id: &str, ticket: TicketHash) -> Option<Listing> {
        let intent = self.intent();
        if self.server.is_none() && intent.is_none() {
            return None;
        }
        let asked_price =
            self.write.as_ref().filter(|_| intent.is_some()).and_then(|row| match &row.new.write {
                Write::CreateListing { price, .. } | Write::EditListing { price, .. } => Some(price.clone()),
                _ => None,
            });
        let server = self.server.as_ref();
        Some(Listing {
            account_id: account_id.to_owned(),
            ticket_id: ticket.to_string(),
            remote_id: server.map(|listing| listing.remote_id.clone()),
            state: self.state().cloned(),
            intent,
            price: server.map(|listing| listing.price.clone()),
            asked_price,
            breakdown: server.and_then(|listing| listing.breakdown.clone()),
            expires_at: server.and_then(|listing| listing.expires_at),
            barcode: self.barcode(),
        })
    }
}
