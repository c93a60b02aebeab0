//! What a gate knows of its event, signed by the event's server: manifests and the deltas between them, byte for byte as
//! `docs/gate.md` says.
//!
//! A manifest stays in the bytes it came in: 100,000 tickets are 3 MB and one index of 400 KB beside them.

mod delta;
mod draft;
mod head;
mod row;
mod tables;

use ring::digest::{SHA256, digest};

pub(crate) use delta::LABEL as DELTA_LABEL;
pub use delta::delta;
pub use draft::{Draft, DraftError, DraftTicket};
pub use head::{EntryPolicy, HEAD_LEN, Head};
pub use row::{CodeHash, Profile, ROW_LEN, TicketRow, TicketState};
pub use tables::{Epoch, Issuer, Kind, RevokedScanner};

use crate::barcode::{IssuerKey, NONCE_LEN};
use crate::bytes::Malformed;
use crate::model::TicketHash;
use tables::Tables;

/// Length of an Ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;
/// The longest manifest or delta that is read.
pub const MAX_BYTES: usize = 16 << 20;

pub(crate) const LABEL: &[u8] = b"ticket-wallet/1/manifest\0";
pub(crate) const MAGIC: &[u8; 4] = b"TWM1";

/// Why a manifest or delta is not used. The one that is in use stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not as described.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// Longer than [`MAX_BYTES`].
    #[error("longer than 16 MiB")]
    TooLong,
    /// Not signed by the pinned manifest key.
    #[error("not signed by the event's manifest key")]
    BadSignature,
    /// Of another event.
    #[error("of another event")]
    WrongEvent,
    /// Older than the one in use.
    #[error("older than the manifest in use: sequence {offered} after {held}")]
    Rollback {
        /// The sequence in use.
        held: u32,
        /// The sequence that was offered.
        offered: u32,
    },
    /// The sequence in use with other content: the server signed two.
    #[error("another manifest of the same sequence {sequence}")]
    Forked {
        /// The sequence of both.
        sequence: u32,
    },
    /// A delta of another manifest than the one in use.
    #[error("the delta does not begin at the manifest in use")]
    WrongBase,
    /// A delta does not give the manifest that it promises.
    #[error("the delta does not give the manifest that it names")]
    WrongResult,
    /// Two issuers have one key id.
    #[error("two issuers' keys have one id")]
    DoubledKey,
    /// The scanner that reads it is one of those whose records no longer count.
    #[error("this scanner is revoked")]
    ScannerRevoked,
}

/// Which kind of [`ManifestError`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ManifestRefusal {
    /// Not as described, or longer than 16 MiB.
    Malformed,
    /// Not signed by the key that was pinned at sign-in.
    BadSignature,
    /// Of another event.
    WrongEvent,
    /// Older than the one in use.
    Rollback,
    /// Another one of the same sequence.
    Forked,
    /// A delta that does not begin at the one in use.
    WrongBase,
    /// A delta that does not give what it names.
    WrongResult,
    /// Two issuers have one key id.
    DoubledKey,
    /// This scanner's records no longer count.
    ScannerRevoked,
}

impl From<ManifestError> for ManifestRefusal {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::Malformed(_) | ManifestError::TooLong => Self::Malformed,
            ManifestError::BadSignature => Self::BadSignature,
            ManifestError::WrongEvent => Self::WrongEvent,
            ManifestError::Rollback { .. } => Self::Rollback,
            ManifestError::Forked { .. } => Self::Forked,
            ManifestError::WrongBase => Self::WrongBase,
            ManifestError::WrongResult => Self::WrongResult,
            ManifestError::DoubledKey => Self::DoubledKey,
            ManifestError::ScannerRevoked => Self::ScannerRevoked,
        }
    }
}

/// A manifest whose signature holds and whose every byte was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Without the signature.
    bytes: Vec<u8>,
    head: Head,
    tables: Tables,
    /// Numbers of the rows that have a code, in the order of their codes.
    by_code: Vec<u32>,
}

opaque_debug!(Manifest);

impl Manifest {
    /// Reads a signed manifest.
    ///
    /// # Errors
    /// [`ManifestError::TooLong`], [`ManifestError::BadSignature`], [`ManifestError::Malformed`].
    pub fn read(signed: &[u8], key: &IssuerKey) -> Result<Self, ManifestError> {
        Self::from_body(checked(signed, LABEL, key)?)
    }

    /// Reads bytes that something else vouches for.
    pub(crate) fn from_body(bytes: Vec<u8>) -> Result<Self, ManifestError> {
        let (head, tables) = tables::read(&bytes, MAGIC, HEAD_LEN, Head::read)?;
        let by_code = row::by_code(tables.rows(&bytes, Kind::Tickets), &tables.malformed(Kind::Tickets))?;
        Ok(Self { bytes, head, tables, by_code })
    }

    /// What a server offers to whoever has `held`: a manifest, or a delta from it.
    ///
    /// # Errors
    /// [`ManifestError`]; the one in use stays.
    pub fn offered(held: Option<&Self>, signed: &[u8], key: &IssuerKey) -> Result<Self, ManifestError> {
        match held {
            Some(held) if signed.starts_with(delta::MAGIC) => held.apply(signed, key),
            Some(held) => Self::read(signed, key)?.after(held),
            None => Self::read(signed, key),
        }
    }

    /// The floors that `next` would lower, or leave out.
    pub fn floors_above(&self, next: &Self) -> Vec<(TicketHash, u16)> {
        let lowered = |row: &TicketRow| row.floor > next.ticket(&row.id).map_or(0, |row| row.floor);
        self.tickets().filter(lowered).map(|row| (row.id, row.floor)).collect()
    }

    /// Every ticket that has a row, by rising id.
    pub fn tickets(&self) -> impl Iterator<Item = TicketRow> + '_ {
        (0..u32::try_from(self.ticket_count()).unwrap_or(u32::MAX)).map(|number| row::at(self.rows(), number))
    }

    /// Takes this one for the one in use, unless that is newer. The same one again is fine.
    ///
    /// # Errors
    /// [`ManifestError::WrongEvent`], [`ManifestError::Rollback`], [`ManifestError::Forked`].
    pub fn after(self, held: &Self) -> Result<Self, ManifestError> {
        held.head.may_be_followed_by(&self.head)?;
        if self.head.sequence == held.head.sequence && self.bytes != held.bytes {
            return Err(ManifestError::Forked { sequence: held.head.sequence });
        }
        Ok(self)
    }

    /// What the head says.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// SHA-256 of the bytes without the signature: how a delta names the manifest.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }

    /// The bytes without the signature.
    pub fn body(&self) -> &[u8] {
        &self.bytes
    }

    /// How many tickets have a row.
    pub fn ticket_count(&self) -> usize {
        self.rows().len() / ROW_LEN
    }

    /// The row of a ticket.
    pub fn ticket(&self, id: &TicketHash) -> Option<TicketRow> {
        row::find(self.rows(), id)
    }

    /// The row of the ticket that has this code: a plain one as it was scanned, or `E…TC…T…` of a B.A.M ticket.
    pub fn ticket_with_code(&self, code: &[u8]) -> Option<TicketRow> {
        let hash = CodeHash::of(self.head.event, code);
        let found = self.by_code.binary_search_by_key(&hash, |number| row::at(self.rows(), *number).code);
        Some(row::at(self.rows(), self.by_code[found.ok()?]))
    }

    /// A ticket's seat.
    pub fn seat(&self, id: &TicketHash) -> Option<&str> {
        self.tables.seat(&self.bytes, id)
    }

    /// The name of a section.
    pub fn section(&self, code: u16) -> Option<&str> {
        self.tables.sections(&self.bytes).find(|(one, _)| *one == code).map(|(_, name)| name)
    }

    /// All sections: code and name.
    pub fn sections(&self) -> impl Iterator<Item = (u16, &str)> {
        self.tables.sections(&self.bytes)
    }

    /// The issuers' keys.
    pub fn issuers(&self) -> impl Iterator<Item = Issuer> + '_ {
        self.tables.issuers(&self.bytes)
    }

    /// The days of the event: begin and end, both in it.
    pub fn days(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.tables.days(&self.bytes)
    }

    /// The venue's nonces and their times.
    pub fn epochs(&self) -> impl Iterator<Item = Epoch> + '_ {
        self.tables.epochs(&self.bytes)
    }

    /// The nonces that count at a time: those of the epoch before, of the one it lies in, and of the one after. `None`
    /// when it lies in no epoch.
    pub fn nonces_at(&self, now: i64) -> Option<Vec<[u8; NONCE_LEN]>> {
        let epochs: Vec<_> = self.epochs().collect();
        let current = epochs.iter().position(|epoch| epoch.contains(now))?;
        let near = &epochs[current.saturating_sub(1)..epochs.len().min(current + 2)];
        Some(near.iter().map(|epoch| epoch.nonce).collect())
    }

    /// B.A.M's event key, X9.63 uncompressed.
    pub fn event_key(&self) -> Option<[u8; 65]> {
        self.tables.event_key(&self.bytes)
    }

    /// Scanners whose later records do not count.
    pub fn revoked_scanners(&self) -> impl Iterator<Item = RevokedScanner> + '_ {
        self.tables.revoked_scanners(&self.bytes)
    }

    fn rows(&self) -> &[u8] {
        self.tables.rows(&self.bytes, Kind::Tickets)
    }
}

/// The bytes before a signature that holds.
fn checked(signed: &[u8], label: &[u8], key: &IssuerKey) -> Result<Vec<u8>, ManifestError> {
    if signed.len() > MAX_BYTES {
        return Err(ManifestError::TooLong);
    }
    let body = signed.len().checked_sub(SIGNATURE_LEN).ok_or(Malformed { offset: signed.len() })?;
    let (body, signature) = signed.split_at(body);
    let mut message = [label, body].concat();
    if !key.verifies(&message, signature) {
        return Err(ManifestError::BadSignature);
    }
    // The one copy that is made.
    message.drain(..label.len());
    Ok(message)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
