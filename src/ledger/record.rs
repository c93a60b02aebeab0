//! One decision at one scanner.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

use super::LedgerError;
use super::certificate::{Certificate, ScannerId};
use super::exchange::Place;
use crate::barcode::{CODE_LEN, DeviceSignature, NONCE_LEN, SIGNATURE_LEN};
use crate::bytes::{Malformed, Reader, put_text};
use crate::manifest::Profile;
use crate::model::{EventHash, TicketHash};

const MAGIC: &[u8; 4] = b"TWR1";
const LABEL: &[u8] = b"ticket-wallet/1/record\0";
/// Flag: the scanner's clock was confirmed by a server.
pub const CLOCK_CONFIRMED: u8 = 1;
const HAS_CODE: u8 = 2;
const HAS_NONCE: u8 = 4;
/// Offset of the flags.
const FLAGS_AT: usize = 103;
/// Offset of the evidence.
const EVIDENCE_AT: usize = 106;
/// The longest reason of an override, in bytes.
const MAX_REASON: usize = 200;
/// The longest record in bytes, signature included: an override with code, nonce and reason.
pub(super) const MAX_RECORD: usize = EVIDENCE_AT + CODE_LEN + NONCE_LEN + 1 + MAX_REASON + SIGNATURE_LEN;

/// A chain of records: a scanner's, until its store is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub [u8; 16]);

impl ChainId {
    /// A scanner's chain: its id, and what tells it from the scanner's other chains.
    pub fn of(scanner: ScannerId, random: [u8; 8]) -> Self {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&scanner.0);
        id[8..].copy_from_slice(&random);
        Self(id)
    }

    /// Whether it is one of this scanner's.
    pub fn is_of(self, scanner: ScannerId) -> bool {
        self.0.starts_with(&scanner.0)
    }
}

/// The place of a record: shown as its chain in 32 hex digits, a slash, and its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The chain.
    pub chain: ChainId,
    /// The place in it, from 1.
    pub sequence: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", hex::encode(self.chain.0), self.sequence)
    }
}

impl FromStr for RecordId {
    type Err = NoRecordId;

    fn from_str(text: &str) -> Result<Self, NoRecordId> {
        let (chain, sequence) = text.split_once('/').ok_or(NoRecordId)?;
        let mut bytes = [0; 16];
        hex::decode_to_slice(chain, &mut bytes).map_err(|_| NoRecordId)?;
        Ok(Self { chain: ChainId(bytes), sequence: sequence.parse().map_err(|_| NoRecordId)? })
    }
}

/// A text that names no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record is named by 32 hex digits, a slash and a number")]
pub struct NoRecordId;

/// An enum whose values have fixed numbers in a record.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $number:tt),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name { $($(#[$one])* $variant = $number),* }

        impl $name {
            /// Reads its number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

numbered! {
    /// What a record is about.
    Kind {
        /// Somebody was let in.
        Admission = 1,
        /// Somebody was refused.
        Refusal = 2,
        /// Somebody left.
        Exit = 3,
        /// An admission of the same chain is taken back.
        Undo = 4,
        /// Staff let somebody in against the verdict.
        Override = 5,
    }
}

numbered! {
    /// What a scanner says of a code.
    Verdict {
        /// Let in.
        Admit = 0,
        /// No code of a format that counts here.
        Malformed = 1,
        /// No known key has this key id.
        UnknownIssuer = 2,
        /// A known key has this id, but the signature is not its own.
        BadIssuerSignature = 3,
        /// The device did not sign this frame, or not with a venue nonce that counts here.
        BadDeviceSignature = 4,
        /// Shown too long ago.
        Stale = 5,
        /// Shown in the future.
        FromTheFuture = 6,
        /// Not valid yet.
        NotYetValid = 7,
        /// The wallet must go online and renew.
        LeaseExpired = 8,
        /// A ticket of another event.
        WrongEvent = 9,
        /// A ticket of another section.
        WrongSection = 10,
        /// The ticket is let in by another kind of code.
        WrongProfile = 11,
        /// The ticket has changed hands since.
        Superseded = 12,
        /// The ticket was cancelled.
        Revoked = 13,
        /// The ticket is blocked.
        Blocked = 14,
        /// The ticket is listed for resale.
        Listed = 15,
        /// This frame, or a later one, was used.
        Replayed = 16,
        /// A venue nonce is needed that this scanner does not have.
        NonceUnavailable = 17,
        /// The ticket has let in as often as it may.
        AlreadyAdmitted = 18,
        /// No ticket of this event has this code.
        UnknownTicket = 19,
    }
}

/// What a record holds to prove itself by.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The bytes of the signed code.
    pub code: Option<[u8; CODE_LEN]>,
    /// The venue nonce that the device signed.
    pub nonce: Option<[u8; NONCE_LEN]>,
    /// Of an undo: the sequence of the admission that it takes back.
    pub undone: Option<u32>,
    /// Of an override: why.
    pub reason: Option<String>,
}

/// What a record says.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordFields {
    /// The chain.
    pub chain: ChainId,
    /// The scanner.
    pub scanner: ScannerId,
    /// The record's place in its chain, from 1.
    pub sequence: u32,
    /// SHA-256 of the record before, signature included; zeros in the first.
    pub previous: [u8; 32],
    /// The event.
    pub event: EventHash,
    /// The ticket; `None` where the code names none.
    pub ticket: Option<TicketHash>,
    /// The ticket's generation; 0 for one that is not signed.
    pub generation: u16,
    /// How many persons, 1 or more.
    pub persons: u16,
    /// Unix milliseconds.
    pub time_ms: u64,
    /// When the code says it was shown, Unix seconds; `None` where it does not.
    pub presented_at: Option<u32>,
    /// What the record is about.
    pub kind: Kind,
    /// What the scanner said.
    pub verdict: Verdict,
    /// The kind of code that was read.
    pub profile: Profile,
    /// Whether a server had confirmed the scanner's clock.
    pub clock_confirmed: bool,
    /// What it proves itself by.
    pub evidence: Evidence,
}

/// A well-formed record. That its signature holds is asked with [`Record::check`].
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    bytes: Vec<u8>,
    fields: RecordFields,
}

opaque_debug!(Evidence, RecordFields, Record);

impl RecordFields {
    /// The bytes that the scanner signs, behind [`Record::message`]'s label.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for fields that do not belong together.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.chain.0);
        bytes.extend(self.scanner.0);
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.previous);
        bytes.extend(self.event.0);
        bytes.extend(self.ticket.map_or([0; 12], |ticket| ticket.0));
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.persons.to_be_bytes());
        bytes.extend(self.time_ms.to_be_bytes());
        bytes.extend(self.presented_at.unwrap_or(0).to_be_bytes());
        let evidence = self.evidence.to_bytes();
        bytes.extend([self.kind as u8, self.verdict as u8, self.profile as u8, self.flags()]);
        let length = u16::try_from(evidence.len()).map_err(|_| Malformed { offset: bytes.len() })?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(evidence);
        let written = Self::parse(&bytes)?;
        // What reads back otherwise was not sayable: a ticket of zeros, a reason that was cut.
        if written == *self { Ok(bytes) } else { Err(Malformed { offset: 0 }.into()) }
    }

    /// Whether somebody was let in, by the code or by staff.
    pub fn lets_in(&self) -> bool {
        matches!(self.kind, Kind::Admission | Kind::Override)
    }

    fn flags(&self) -> u8 {
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        flag(self.clock_confirmed, CLOCK_CONFIRMED)
            | flag(self.evidence.code.is_some(), HAS_CODE)
            | flag(self.evidence.nonce.is_some(), HAS_NONCE)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.magic(MAGIC)?;
        let (chain, scanner) = (ChainId(reader.array()?), ScannerId(reader.array()?));
        let sequence = reader.u32()?;
        let (previous, event) = (reader.array()?, EventHash(reader.array()?));
        let ticket = Some(TicketHash(reader.array()?)).filter(|ticket| ticket.0 != [0; 12]);
        let (generation, persons) = (reader.u16()?, reader.u16()?);
        let (time_ms, presented_at) = (reader.u64()?, Some(reader.u32()?).filter(|at| *at != 0));
        let kind = numbered(&mut reader, Kind::from_number)?;
        let verdict = numbered(&mut reader, Verdict::from_number)?;
        let profile = numbered(&mut reader, Profile::from_number)?;
        let flags = reader.u8()?;
        let length_at = reader.malformed();
        if usize::from(reader.u16()?) != reader.len() {
            return Err(length_at);
        }
        let evidence = Evidence::read(&mut reader, kind, flags)?;
        reader.end()?;
        let fields = Self {
            chain,
            scanner,
            sequence,
            previous,
            event,
            ticket,
            generation,
            persons,
            time_ms,
            presented_at,
            kind,
            verdict,
            profile,
            clock_confirmed: flags & CLOCK_CONFIRMED != 0,
            evidence,
        };
        fields.fault().map_or(Ok(fields), |offset| Err(Malformed { offset }))
    }

    /// The offset of the first field that does not belong to the others.
    fn fault(&self) -> Option<usize> {
        let lets_in = matches!(self.kind, Kind::Admission | Kind::Exit | Kind::Undo);
        let (is_signed, has_code) = (self.profile == Profile::Signed, self.evidence.code.is_some());
        let may_have_code = is_signed && matches!(self.kind, Kind::Admission | Kind::Override);
        let must_have_code = is_signed && self.kind == Kind::Admission;
        let rules = [
            (self.sequence > 0, 28),
            ((self.sequence == 1) == (self.previous == [0; 32]), 32),
            (self.ticket.is_some() || !lets_in, 72),
            ((self.ticket.is_some() && is_signed) == (self.generation > 0), 84),
            (self.persons > 0, 86),
            ((self.verdict == Verdict::Admit) == lets_in, 101),
            (if has_code { may_have_code } else { !must_have_code }, FLAGS_AT),
            (self.evidence.undone.is_none_or(|undone| (1..self.sequence).contains(&undone)), EVIDENCE_AT),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, offset)| offset)
    }
}

fn numbered<T>(reader: &mut Reader<'_>, named: impl Fn(u8) -> Option<T>) -> Result<T, Malformed> {
    let here = reader.malformed();
    named(reader.u8()?).ok_or(here)
}

impl Evidence {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.code.iter().flatten());
        bytes.extend(self.nonce.iter().flatten());
        bytes.extend(self.undone.iter().flat_map(|sequence| sequence.to_be_bytes()));
        if let Some(reason) = &self.reason {
            put_text(&mut bytes, reason);
        }
        bytes
    }

    fn read(reader: &mut Reader<'_>, kind: Kind, flags: u8) -> Result<Self, Malformed> {
        let (code, nonce) = (flags & HAS_CODE != 0, flags & HAS_NONCE != 0);
        if flags > (CLOCK_CONFIRMED | HAS_CODE | HAS_NONCE) || (nonce && !code) {
            return Err(Malformed { offset: FLAGS_AT });
        }
        Ok(Self {
            code: code.then(|| reader.array()).transpose()?,
            nonce: nonce.then(|| reader.array()).transpose()?,
            undone: (kind == Kind::Undo).then(|| reader.u32()).transpose()?,
            reason: (kind == Kind::Override)
                .then(|| reader.text(1, MAX_REASON).map(str::to_owned))
                .transpose()?,
        })
    }
}

impl Record {
    /// Reads a record; whose it is, is not checked yet.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        let end = bytes.len().checked_sub(SIGNATURE_LEN).ok_or(Malformed { offset: bytes.len() })?;
        let fields = RecordFields::parse(&bytes[..end])?;
        Ok(Self { bytes: bytes.to_vec(), fields })
    }

    /// What a scanner signs: a label, a zero byte, and the bytes.
    pub fn message(bytes: &[u8]) -> Vec<u8> {
        [LABEL, bytes].concat()
    }

    /// Joins fields and the scanner's signature over [`Record::message`] of their bytes.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for fields that do not belong together.
    pub fn from_parts(fields: RecordFields, signature: DeviceSignature) -> Result<Self, LedgerError> {
        let mut bytes = fields.to_bytes()?;
        bytes.extend(signature.to_bytes());
        Ok(Self { bytes, fields })
    }

    /// Whether the record is this scanner's, of its event and within its time.
    ///
    /// # Errors
    /// [`LedgerError`] other than [`LedgerError::Malformed`].
    pub fn check(&self, certificate: &Certificate) -> Result<(), LedgerError> {
        let RecordFields { event, scanner, chain, time_ms, .. } = self.fields;
        super::signed_by(&self.bytes, Self::message, certificate, (event, scanner, chain, time_ms))
    }

    /// Its place.
    pub fn id(&self) -> RecordId {
        RecordId { chain: self.fields.chain, sequence: self.fields.sequence }
    }

    /// Its place among those that claim it.
    pub fn place(&self) -> Place {
        Place { chain: self.fields.chain, sequence: self.fields.sequence, hash: self.hash() }
    }

    /// What it says.
    pub fn fields(&self) -> &RecordFields {
        &self.fields
    }

    /// The bytes as they travel and are kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes, by which the next record and others name it.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.bytes).as_ref());
        hash
    }
}
