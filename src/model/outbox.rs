//! Writes that the wallet has accepted and the servers may not know of yet.

use serde::{Deserialize, Deserializer, Serialize};

use super::market::HeldReservation;
use super::money::Money;

/// A write to a ticketing system, as it is kept until its outcome is known. The subject of each is a ticket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Write {
    /// The answers about a ticket's holder (B.A.M `ticket_holder`).
    SaveTicketHolder {
        /// A JSON object.
        response: serde_json::Value,
        /// The answers that the person saw when they wrote these, `null` for none; `None` when any may be replaced.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        expected: Option<serde_json::Value>,
    },
    /// Binds the ticket to this device (extension `POST /credentials`).
    Bind {
        /// Device key in the vault.
        handle: String,
        /// Whether to take it over from another device, which costs a move.
        #[serde(rename = "move")]
        take_over: bool,
    },
    /// Renews the credential's lease (extension `POST /credentials/renew`).
    Renew {
        /// What the device stated.
        statement: Statement,
    },
    /// Gives the credential up (extension `POST /credentials/{ticket}/surrender`).
    Surrender {
        /// What the device stated; signed when it is first sent.
        statement: Option<Statement>,
    },
    /// Hands the ticket to somebody (extension `POST /transfers`), and surrenders its credential.
    CreateTransfer {
        /// E-mail address or name, as the system takes it.
        recipient: String,
        /// What the device stated, where the ticket is bound; signed when it is first sent.
        statement: Option<Statement>,
    },
    /// Takes a transfer back (extension `POST /transfers/{id}/cancel`).
    CancelTransfer {
        /// The system's transfer id.
        transfer_id: String,
    },
    /// Offers the ticket for sale (extension `POST /resale/listings`), and surrenders its credential where the event hides
    /// barcodes of listed tickets.
    CreateListing {
        /// What the seller asks for.
        price: Money,
        /// When the listing shall end by itself, Unix seconds.
        expires_at: Option<i64>,
        /// Whether the event goes on showing the barcode; known once it is first sent.
        #[serde(default)]
        shown: bool,
        /// What the device stated, where the ticket is bound; signed when it is first sent.
        statement: Option<Statement>,
    },
    /// Asks for another price (extension `PATCH /resale/listings/{id}`).
    EditListing {
        /// The system's listing id.
        listing_id: String,
        /// What the seller asks for now.
        price: Money,
        /// The version that the person saw.
        expected: i64,
    },
    /// Takes a listing back (extension `DELETE /resale/listings/{id}`).
    WithdrawListing {
        /// The system's listing id.
        listing_id: String,
        /// The version that is taken back; the latest that is known.
        expected: i64,
    },
    /// Buys a listing (extension `POST /resale/listings/{id}/purchase`).
    Purchase {
        /// The tenant that serves the market.
        tenant: Option<String>,
        /// The system's listing id.
        listing_id: String,
        /// Device key in the vault, made for the ticket that is bought.
        handle: String,
        /// What the buyer pays at most.
        max_total: Money,
        /// What the server holds for the account until it is paid for.
        #[serde(default)]
        reservation: Option<HeldReservation>,
    },
    /// Accepts a ticket that somebody hands over (extension `POST /transfers/{id}/accept`).
    AcceptTransfer {
        /// The tenant that serves the transfer.
        tenant: Option<String>,
        /// The system's transfer id.
        transfer_id: String,
        /// Device key in the vault, made for the ticket.
        handle: String,
    },
    /// Declines one (extension `POST /transfers/{id}/decline`).
    DeclineTransfer {
        /// The tenant that serves the transfer.
        tenant: Option<String>,
        /// The system's transfer id.
        transfer_id: String,
    },
}

/// A statement that a device signed about its credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Unix seconds.
    pub at: u32,
    /// `r ‖ s`, 64 bytes as hex.
    pub signature: String,
}

opaque_debug!(Write, Statement);

/// A member that is there, be it `null`.
fn even_null<'de, D: Deserializer<'de>>(value: D) -> Result<Option<serde_json::Value>, D::Error> {
    Deserialize::deserialize(value).map(Some)
}

/// What a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum WriteKind {
    /// Answers about the holder.
    SaveTicketHolder,
    /// Binding to this device.
    Bind,
    /// Renewing a lease.
    Renew,
    /// Giving the barcode up.
    Surrender,
    /// Handing the ticket over.
    CreateTransfer,
    /// Taking a transfer back.
    CancelTransfer,
    /// Listing the ticket for sale.
    CreateListing,
    /// Changing a listing's price.
    EditListing,
    /// Taking a listing back.
    WithdrawListing,
    /// Buying a ticket.
    Purchase,
    /// Accepting a ticket that somebody hands over.
    AcceptTransfer,
    /// Declining one.
    DeclineTransfer,
}

impl Write {
    /// Its kind.
    pub fn kind(&self) -> WriteKind {
        match self {
            Self::SaveTicketHolder { .. } => WriteKind::SaveTicketHolder,
            Self::Bind { .. } => WriteKind::Bind,
            Self::Renew { .. } => WriteKind::Renew,
            Self::Surrender { .. } => WriteKind::Surrender,
            Self::CreateTransfer { .. } => WriteKind::CreateTransfer,
            Self::CancelTransfer { .. } => WriteKind::CancelTransfer,
            Self::CreateListing { .. } => WriteKind::CreateListing,
            Self::EditListing { .. } => WriteKind::EditListing,
            Self::WithdrawListing { .. } => WriteKind::WithdrawListing,
            Self::Purchase { .. } => WriteKind::Purchase,
            Self::AcceptTransfer { .. } => WriteKind::AcceptTransfer,
            Self::DeclineTransfer { .. } => WriteKind::DeclineTransfer,
        }
    }

    /// Whether the wallet makes it by itself at a sync, and makes it again when it fails.
    pub fn is_automatic(&self) -> bool {
        matches!(self, Self::Bind { take_over: false, .. } | Self::Renew { .. })
    }

    /// Whether somebody waits for its outcome: it is not sent later.
    pub fn is_awaited(&self) -> bool {
        matches!(self, Self::Purchase { .. } | Self::AcceptTransfer { .. } | Self::DeclineTransfer { .. })
    }

    /// Whether its server does it once only, however often it is sent with its key.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self, Self::SaveTicketHolder { .. })
    }

    /// What it carries that a person wrote: the answers as JSON, the recipient, or the price.
    pub fn content(&self) -> Option<String> {
        match self {
            Self::SaveTicketHolder { response, .. } => Some(response.to_string()),
            Self::CreateTransfer { recipient, .. } => Some(recipient.clone()),
            Self::CreateListing { price, .. } | Self::EditListing { price, .. } => Some(price.to_string()),
            Self::Purchase { max_total, .. } => Some(max_total.to_string()),
            _ => None,
        }
    }

    /// What the device states about its credential with it.
    pub fn statement_mut(&mut self) -> Option<&mut Option<Statement>> {
        match self {
            Self::Surrender { statement }
            | Self::CreateTransfer { statement, .. }
            | Self::CreateListing { statement, .. } => Some(statement),
            _ => None,
        }
    }

    /// Whether the ticket's credential ends with it.
    pub fn ends_credential(&self) -> bool {
        matches!(self, Self::Surrender { .. } | Self::CreateTransfer { .. } | Self::CreateListing { .. })
    }

    /// The device key that was made for a ticket which is not here yet.
    pub fn acquired_key(&self) -> Option<&str> {
        match self {
            Self::Purchase { handle, .. } | Self::AcceptTransfer { handle, .. } => Some(handle),
            _ => None,
        }
    }
}

/// Where a write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum WriteState {
    /// To be sent, by itself.
    Waiting,
    /// Sent, the answer is not known yet; the wallet finds out by itself.
    Sent,
    /// The server or this library refused it: `reason` says why. It stays until it is retried, edited or discarded.
    Rejected,
    /// The answer was lost and nothing tells what became of it. It is never repeated by itself: retry or discard it.
    Unknown,
    /// Not sent by itself: saved from a damaged wallet, or nobody waits for it any more; retry or discard it.
    Held,
}

/// Why a write was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum RejectionReason {
    /// The server refused it; status and code say how.
    Refused,
    /// Somebody changed the same thing elsewhere meanwhile.
    ChangedElsewhere,
    /// It waited for too long.
    Expired,
    /// The device no longer has what it takes: no credential, no key.
    NotPossible,
}

closed_enum!(WriteState {
    Waiting = "waiting",
    Sent = "sent",
    Rejected = "rejected",
    Unknown = "unknown",
    Held = "held",
});
closed_enum!(RejectionReason {
    Refused = "refused",
    ChangedElsewhere = "changed_elsewhere",
    Expired = "expired",
    NotPossible = "not_possible",
});

impl RejectionReason {
    /// What happened and what helps, for a person.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Refused => "the ticketing system refused it; change it, try again, or discard it",
            Self::ChangedElsewhere => {
                "it was changed elsewhere meanwhile; sync, look at it, then try again or discard it"
            }
            Self::Expired => "it could not be sent for too long; try again or discard it",
            Self::NotPossible => "this device no longer holds the ticket's barcode; discard it",
        }
    }
}

/// A write as the app sees it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct OutboxItem {
    /// Names it in `retry_write`, `edit_write` and `discard_write`.
    pub id: i64,
    /// The account that it is sent for.
    pub account_id: String,
    /// The ticket it is about.
    pub ticket_id: String,
    /// What it does.
    pub kind: WriteKind,
    /// Where it stands.
    pub state: WriteState,
    /// When it was made, Unix seconds.
    pub created_at: i64,
    /// How often it was sent and may have been carried out.
    pub attempts: u32,
    /// What it carries that a person wrote: the answers as JSON, the recipient, or an amount.
    pub content: Option<String>,
    /// Why it was rejected.
    pub rejection: Option<RejectionReason>,
    /// The server's HTTP status with which it was.
    pub status: Option<u16>,
    /// The server's error code.
    pub server_code: Option<String>,
}

opaque_debug!(OutboxItem);

/// A transfer of a ticket, as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TransferState {
    /// Waits for the recipient.
    Pending,
    /// The ticket is theirs.
    Accepted,
    /// They do not want it.
    Declined,
    /// Taken back.
    Cancelled,
    /// Not accepted in time.
    Expired,
    /// Over; the system does not say how.
    Ended,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

open_enum!(TransferState {
    Pending = "pending",
    Accepted = "accepted",
    Declined = "declined",
    Cancelled = "cancelled",
    Expired = "expired",
    Ended = "ended",
});

/// A transfer of one of the account's tickets.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Transfer {
    /// The system's id.
    pub remote_id: String,
    /// The ticket.
    pub ticket_id: String,
    /// Who shall get it.
    pub recipient: String,
    /// Where it stands.
    pub state: TransferState,
    /// Until when it can be accepted, Unix seconds.
    pub expires_at: Option<i64>,
}

opaque_debug!(Transfer);
