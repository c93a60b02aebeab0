//! How far a scanner's chain goes, signed by it: by this others know whom they have heard, and what they still miss.

use ring::digest::{SHA256, digest};

use super::certificate::Certificate;
use super::record::ChainId;
use super::{LedgerError, ScannerId, signed_by};
use crate::barcode::{DeviceSignature, SIGNATURE_LEN};
use crate::bytes::{Malformed, Reader};
use crate::model::EventHash;

const MAGIC: &[u8; 4] = b"TWH1";
const LABEL: &[u8] = b"ticket-wallet/1/head\0";
/// Offset of the hash.
const HASH_AT: usize = 40;
/// Length of a chain head, signature included.
pub const HEAD_LEN: usize = 80 + SIGNATURE_LEN;

/// What a scanner says of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFields {
    /// The chain.
    pub chain: ChainId,
    /// The scanner.
    pub scanner: ScannerId,
    /// The event.
    pub event: EventHash,
    /// The sequence of its last record; 0 while it has none.
    pub sequence: u32,
    /// SHA-256 of that record; zeros while it has none.
    pub hash: [u8; 32],
    /// When this was said, Unix milliseconds.
    pub time_ms: u64,
}

/// What tells which of two heads of a chain says more: longer, then later, then by what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeadRank {
    /// The head's sequence.
    pub sequence: u32,
    /// Its time, Unix milliseconds.
    pub time_ms: u64,
    /// The first 16 bytes of SHA-256 of all that it says.
    pub digest: [u8; 16],
}

/// A well-formed chain head. That its signature holds is asked with [`ChainHead::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    bytes: [u8; HEAD_LEN],
    fields: HeadFields,
}

impl HeadFields {
    /// The bytes that the scanner signs, behind [`ChainHead::message`]'s label.
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &MAGIC[..],
            &self.chain.0,
            &self.scanner.0,
            &self.event.0,
            &self.sequence.to_be_bytes(),
            &self.hash,
            &self.time_ms.to_be_bytes(),
        ]
        .concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.magic(MAGIC)?;
        let (chain, scanner) = (ChainId(reader.array()?), ScannerId(reader.array()?));
        let event = EventHash(reader.array()?);
        let (sequence, hash) = (reader.u32()?, reader.array()?);
        let fields = Self { chain, scanner, event, sequence, hash, time_ms: reader.u64()? };
        reader.end()?;
        if (sequence == 0) == (hash == [0; 32]) { Ok(fields) } else { Err(Malformed { offset: HASH_AT }) }
    }
}

impl ChainHead {
    /// Reads a head; whose it is, is not checked yet.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        let bytes = <[u8; HEAD_LEN]>::try_from(bytes).map_err(|_| Malformed { offset: bytes.len() })?;
        Ok(Self::parse(bytes)?)
    }

    pub(super) fn parse(bytes: [u8; HEAD_LEN]) -> Result<Self, Malformed> {
        let fields = HeadFields::parse(&bytes[..HEAD_LEN - SIGNATURE_LEN])?;
        Ok(Self { bytes, fields })
    }

    /// What a scanner signs: a label, a zero byte, and the bytes.
    pub fn message(bytes: &[u8]) -> Vec<u8> {
        [LABEL, bytes].concat()
    }

    /// Joins fields and the scanner's signature over [`ChainHead::message`] of their bytes.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for a last record without a hash, or a hash without one.
    pub fn from_parts(fields: &HeadFields, signature: DeviceSignature) -> Result<Self, LedgerError> {
        Self::from_bytes(&[&fields.to_bytes()[..], &signature.to_bytes()].concat())
    }

    /// Whether this scanner said it, of its event and within its time.
    ///
    /// # Errors
    /// [`LedgerError`] other than [`LedgerError::Malformed`].
    pub fn check(&self, certificate: &Certificate) -> Result<(), LedgerError> {
        let HeadFields { event, scanner, chain, time_ms, .. } = self.fields;
        signed_by(&self.bytes, Self::message, certificate, (event, scanner, chain, time_ms))
    }

    /// What it says.
    pub fn fields(&self) -> &HeadFields {
        &self.fields
    }

    /// The bytes as they travel and are kept.
    pub fn as_bytes(&self) -> &[u8; HEAD_LEN] {
        &self.bytes
    }

    /// By which it is held against another one of its chain.
    pub fn rank(&self) -> HeadRank {
        let HeadFields { sequence, time_ms, .. } = self.fields;
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest(&SHA256, &self.bytes[..HEAD_LEN - SIGNATURE_LEN]).as_ref()[..16]);
        HeadRank { sequence, time_ms, digest: hash }
    }
}
