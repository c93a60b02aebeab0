//! The tables of a manifest or delta: where each lies, and that its rows are as described.

use std::cmp::Ordering;
use std::ops::Range;
use std::str;

use super::ManifestError;
use super::row::ROW_LEN;
use crate::barcode::{DeviceKey, IssuerKey, NONCE_LEN};
use crate::bytes::{Malformed, Reader};
use crate::model::TicketHash;

const ISSUER_LEN: usize = 40;
const DAY_LEN: usize = 8;
const EPOCH_LEN: usize = 16;
const EVENT_KEY_LEN: usize = 65;
const REVOKED_LEN: usize = 60;
const REVOKED_KEY_LEN: usize = 24;
/// The longest name of a section, in bytes.
pub(super) const MAX_NAME: usize = 64;
/// The longest seat, in bytes.
pub(super) const MAX_SEAT: usize = 255;
/// Tables of these kinds and above may be passed over.
const OPTIONAL: u8 = 128;

/// A kind of table, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Issuers' keys.
    Issuers = 1,
    /// Names of sections.
    Sections = 2,
    /// Days of the event.
    Days = 3,
    /// Epochs of the venue nonce.
    Epochs = 4,
    /// Tickets.
    Tickets = 5,
    /// Seats.
    Seats = 6,
    /// B.A.M's event key.
    EventKey = 7,
    /// Revoked scanners.
    Revoked = 8,
}

pub(super) const KINDS: [Kind; 8] = [
    Kind::Issuers,
    Kind::Sections,
    Kind::Days,
    Kind::Epochs,
    Kind::Tickets,
    Kind::Seats,
    Kind::EventKey,
    Kind::Revoked,
];

/// An issuer's key and when it is known, Unix seconds; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// Raw Ed25519 key.
    pub key: [u8; 32],
    /// First second.
    pub from: u32,
    /// Last second.
    pub until: Option<u32>,
}

/// A time in which one venue nonce counts; Unix seconds, both ends in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// First second.
    pub begin: u32,
    /// Last second.
    pub end: u32,
    /// The nonce.
    pub nonce: [u8; NONCE_LEN],
}

opaque_debug!(Epoch);

impl Epoch {
    pub(super) fn contains(&self, now: i64) -> bool {
        (i64::from(self.begin)..=i64::from(self.end)).contains(&now)
    }
}

/// A scanner whose records count up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokedScanner {
    /// The scanner.
    pub scanner: [u8; 8],
    /// Its chain.
    pub chain: [u8; 16],
    /// The last record that counts; 0 where none does.
    pub last_good: u32,
    /// SHA-256 of that record.
    pub hash: [u8; 32],
}

/// Where the tables lie in the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tables {
    /// Those that are described; one that is not there is empty.
    known: [Range<usize>; KINDS.len()],
    /// Those that are passed over, by their kind.
    additions: Vec<(u8, Range<usize>)>,
}

/// Reads a head and what follows it: tables of rising kind up to the end.
pub(super) fn read<Head>(
    bytes: &[u8],
    magic: &[u8; 4],
    head_len: usize,
    head: impl FnOnce(&mut Reader<'_>) -> Result<Head, Malformed>,
) -> Result<(Head, Tables), ManifestError> {
    let mut reader = Reader::new(bytes);
    reader.magic(magic)?;
    let head = head(&mut reader)?;
    debug_assert_eq!(reader.offset(), head_len);
    let (mut tables, mut before) = (Tables::default(), 0);
    while !reader.is_empty() {
        let here = reader.malformed();
        let kind = reader.u8()?;
        let length_at = reader.malformed();
        let length = reader.u32()? as usize;
        let begin = reader.offset();
        let rows = reader.take(length).map_err(|_| length_at)?;
        if kind <= before || (rows.is_empty() && kind < OPTIONAL) {
            return Err(here.into());
        }
        before = kind;
        match KINDS.iter().find(|known| **known as u8 == kind) {
            Some(kind) => {
                check(*kind, rows, begin)?;
                tables.known[*kind as usize - 1] = begin..begin + length;
            }
            None if kind >= OPTIONAL => tables.additions.push((kind, begin..begin + length)),
            None => return Err(here.into()),
        }
    }
    Ok((head, tables))
}

/// Appends a table, unless it is empty.
pub(super) fn put(bytes: &mut Vec<u8>, kind: u8, rows: &[u8]) {
    if !rows.is_empty() {
        put_any(bytes, kind, rows);
    }
}

/// Appends a table, even an empty one. What is too long for its length is too long for a manifest.
pub(super) fn put_any(bytes: &mut Vec<u8>, kind: u8, rows: &[u8]) {
    bytes.push(kind);
    bytes.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(rows);
}

impl Tables {
    /// The rows of a table.
    pub(super) fn rows<'a>(&self, bytes: &'a [u8], kind: Kind) -> &'a [u8] {
        bytes.get(self.known[kind as usize - 1].clone()).unwrap_or_default()
    }

    /// The tables that are passed over: kind and content.
    pub(super) fn additions<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (u8, &'a [u8])> {
        self.additions.iter().filter_map(|(kind, range)| Some((*kind, bytes.get(range.clone())?)))
    }

    /// The error of a table's first row.
    pub(super) fn malformed(&self, kind: Kind) -> Malformed {
        Malformed { offset: self.known[kind as usize - 1].start }
    }

    pub(super) fn issuers<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = Issuer> + 'a {
        fixed::<ISSUER_LEN>(self.rows(bytes, Kind::Issuers)).filter_map(|mut row| {
            let (key, from, until) = (row.array().ok()?, row.u32().ok()?, row.u32().ok()?);
            Some(Issuer { key, from, until: Some(until).filter(|until| *until != 0) })
        })
    }

    pub(super) fn sections<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (u16, &'a str)> {
        let mut rows = Reader::new(self.rows(bytes, Kind::Sections));
        std::iter::from_fn(move || Some((rows.u16().ok()?, rows.text(1, MAX_NAME).ok()?)))
    }

    pub(super) fn days<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (u32, u32)> + 'a {
        fixed::<DAY_LEN>(self.rows(bytes, Kind::Days))
            .filter_map(|mut row| Some((row.u32().ok()?, row.u32().ok()?)))
    }

    pub(super) fn epochs<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = Epoch> + 'a {
        fixed::<EPOCH_LEN>(self.rows(bytes, Kind::Epochs)).filter_map(|mut row| {
            Some(Epoch { begin: row.u32().ok()?, end: row.u32().ok()?, nonce: row.array().ok()? })
        })
    }

    pub(super) fn seats<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (TicketHash, &'a str)> {
        let mut rows = Reader::new(self.rows(bytes, Kind::Seats));
        std::iter::from_fn(move || Some((TicketHash(rows.array().ok()?), rows.text(1, MAX_SEAT).ok()?)))
    }

    pub(super) fn seat<'a>(&self, bytes: &'a [u8], id: &TicketHash) -> Option<&'a str> {
        let mut rows = Reader::new(self.rows(bytes, Kind::Seats));
        loop {
            let (one, length) = (rows.array::<12>().ok()?, rows.u8().ok()?);
            let seat = rows.take(length.into()).ok()?;
            match one.cmp(&id.0) {
                Ordering::Less => {}
                Ordering::Equal => return str::from_utf8(seat).ok(),
                Ordering::Greater => return None,
            }
        }
    }

    pub(super) fn event_key(&self, bytes: &[u8]) -> Option<[u8; EVENT_KEY_LEN]> {
        self.rows(bytes, Kind::EventKey).try_into().ok()
    }

    pub(super) fn revoked_scanners<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = RevokedScanner> + 'a {
        fixed::<REVOKED_LEN>(self.rows(bytes, Kind::Revoked)).filter_map(|mut row| {
            Some(RevokedScanner {
                scanner: row.array().ok()?,
                chain: row.array().ok()?,
                last_good: row.u32().ok()?,
                hash: row.array().ok()?,
            })
        })
    }
}

fn fixed<const N: usize>(rows: &[u8]) -> impl Iterator<Item = Reader<'_>> {
    rows.as_chunks::<N>().0.iter().map(|row| Reader::new(row))
}

/// Whether a table's rows are as described, but for the values of a ticket's row.
fn check(kind: Kind, rows: &[u8], offset: usize) -> Result<(), Malformed> {
    match kind {
        Kind::Issuers => each::<ISSUER_LEN>(rows, offset, |row| {
            let key = IssuerKey::from_bytes(&row[..32]).is_ok();
            key && (row[36..] == [0; 4] || row[32..36] <= row[36..])
        }),
        Kind::Days => apart::<DAY_LEN>(rows, offset),
        Kind::Epochs => apart::<EPOCH_LEN>(rows, offset),
        Kind::Tickets => rising::<ROW_LEN>(rows, offset, 12),
        Kind::Revoked => {
            each::<REVOKED_LEN>(rows, offset, |row| (row[24..28] == [0; 4]) == (row[28..] == [0; 32]))?;
            rising::<REVOKED_LEN>(rows, offset, REVOKED_KEY_LEN)
        }
        Kind::EventKey if DeviceKey::from_x963(rows).is_err() => Err(Malformed { offset }),
        Kind::EventKey => Ok(()),
        Kind::Sections => named(rows, offset, |rows| Ok((rows.u16()?, rows.text(1, MAX_NAME)?))),
        Kind::Seats => named(rows, offset, |rows| Ok((rows.array::<12>()?, rows.text(1, MAX_SEAT)?))),
    }
}

fn each<const N: usize>(
    rows: &[u8],
    offset: usize,
    is_sound: impl Fn(&[u8; N]) -> bool,
) -> Result<(), Malformed> {
    let (chunks, rest) = rows.as_chunks::<N>();
    let wrong = chunks.iter().position(|row| !is_sound(row)).or((!rest.is_empty()).then_some(chunks.len()));
    wrong.map_or(Ok(()), |number| Err(Malformed { offset: offset + number * N }))
}

/// Rows that begin with a begin and an end: in order, without a common second.
fn apart<const N: usize>(rows: &[u8], offset: usize) -> Result<(), Malformed> {
    each::<N>(rows, offset, |row| row[..4] <= row[4..8])?;
    pairs::<N>(rows, offset, |before, after| before[4..8] < after[..4])
}

/// Rows whose first bytes rise.
fn rising<const N: usize>(rows: &[u8], offset: usize, key_len: usize) -> Result<(), Malformed> {
    each::<N>(rows, offset, |_| true)?;
    pairs::<N>(rows, offset, |before, after| before[..key_len] < after[..key_len])
}

fn pairs<const N: usize>(
    rows: &[u8],
    offset: usize,
    is_sound: impl Fn(&[u8; N], &[u8; N]) -> bool,
) -> Result<(), Malformed> {
    let (chunks, _) = rows.as_chunks::<N>();
    let wrong = chunks.windows(2).position(|pair| !is_sound(&pair[0], &pair[1]));
    wrong.map_or(Ok(()), |number| Err(Malformed { offset: offset + (number + 1) * N }))
}

/// Rows of a key and a text, by rising key.
fn named<'a, Key: Ord>(
    rows: &'a [u8],
    offset: usize,
    row: impl Fn(&mut Reader<'a>) -> Result<(Key, &'a str), Malformed>,
) -> Result<(), Malformed> {
    let (mut reader, mut before) = (Reader::new(rows), None);
    while !reader.is_empty() {
        let here = Malformed { offset: offset + reader.offset() };
        let (key, _) = row(&mut reader).map_err(|wrong| Malformed { offset: offset + wrong.offset })?;
        if before.as_ref().is_some_and(|before| *before >= key) {
            return Err(here);
        }
        before = Some(key);
    }
    Ok(())
}
