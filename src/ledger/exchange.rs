//! What two scanners say to each other: a request, which tells what is held, and a delta, which brings what is not.

use std::collections::BTreeMap;

use super::head::{ChainHead, HEAD_LEN, HeadRank};
use super::held::ChainState;
use super::record::{ChainId, MAX_RECORD, RecordId};
use crate::bytes::{Malformed, Reader};
use crate::model::EventHash;

const REQUEST: &[u8; 4] = b"TWQ1";
const DELTA: &[u8; 4] = b"TWL1";
/// Bits of the byte behind the event: a place follows, a bound follows.
const PLACE: u8 = 1;
const BOUND: u8 = 2;
/// The longest delta that is read, in bytes.
pub const MAX_DELTA: usize = 1 << 20;
/// The longest certificate, in bytes.
const MAX_CERTIFICATE: usize = 1024;

/// A record's place, where two may be: chain, sequence and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The chain.
    pub chain: ChainId,
    /// The place in it; 0 is before the first.
    pub sequence: u32,
    /// SHA-256 of the record.
    pub hash: [u8; 32],
}

/// What somebody asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The event.
    pub event: EventHash,
    /// Everything up to here has come already, in an earlier answer.
    pub after: Option<Place>,
    /// Only chains before this one are asked for.
    pub below: Option<ChainId>,
    /// The asking scanner's certificate, signed.
    pub certificate: Vec<u8>,
    /// The asking scanner's own head.
    pub head: ChainHead,
    /// What it holds of the chains that are asked for. Of one that is not there it holds nothing.
    pub held: BTreeMap<ChainId, ChainState>,
}

/// A part of a delta. Each is signed, and nothing of it is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// A scanner's certificate.
    Certificate(Vec<u8>),
    /// The head of a chain.
    Head(Vec<u8>),
    /// A record.
    Record(Vec<u8>),
}

/// What somebody is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Delta {
    /// The event.
    pub event: EventHash,
    /// Where to go on, when there is more.
    pub more: Option<Place>,
    /// What came.
    pub items: Vec<Item>,
}

opaque_debug!(Request, Item, Delta);

impl Place {
    /// Before the first record of a chain.
    pub fn before(chain: ChainId) -> Self {
        Self { chain, sequence: 0, hash: [0; 32] }
    }

    /// Behind everything of the chains before this one.
    pub fn below(chain: ChainId) -> Self {
        let before = u128::from_be_bytes(chain.0).saturating_sub(1);
        Self { chain: ChainId(before.to_be_bytes()), sequence: u32::MAX, hash: [0xFF; 32] }
    }

    /// Without the hash.
    pub fn id(&self) -> RecordId {
        RecordId { chain: self.chain, sequence: self.sequence }
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.chain.0[..], &self.sequence.to_be_bytes(), &self.hash].concat()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { chain: ChainId(reader.array()?), sequence: reader.u32()?, hash: reader.array()? })
    }
}

impl Request {
    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = flag(self.after.is_some(), PLACE) | flag(self.below.is_some(), BOUND);
        let mut bytes = [&REQUEST[..], &self.event.0, &[flags]].concat();
        bytes.extend(self.after.iter().flat_map(|place| place.to_bytes()));
        bytes.extend(self.below.iter().flat_map(|chain| chain.0));
        put(&mut bytes, &self.certificate);
        bytes.extend(self.head.as_bytes());
        for (chain, state) in &self.held {
            bytes.extend(chain.0);
            bytes.extend(state.upto.to_be_bytes());
            bytes.extend(state.digest);
            bytes.extend(state.last.to_be_bytes());
            bytes.extend(state.all);
            bytes.extend(state.head.sequence.to_be_bytes());
            bytes.extend(state.head.time_ms.to_be_bytes());
            bytes.extend(state.head.digest);
        }
        bytes
    }

    /// Reads a request; who asks is not checked yet.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.magic(REQUEST)?;
        let event = EventHash(reader.array()?);
        let (after, below) = asked_for(&mut reader)?;
        let certificate = taken(&mut reader, MAX_CERTIFICATE)?.to_vec();
        let head_at = reader.offset();
        let head = ChainHead::parse(reader.array()?)
            .map_err(|in_head| Malformed { offset: head_at + in_head.offset })?;
        let mut held = BTreeMap::new();
        while !reader.is_empty() {
            let here = reader.malformed();
            let chain = ChainId(reader.array()?);
            let rises = held.last_key_value().is_none_or(|(last, _)| *last < chain);
            if !rises || below.is_some_and(|below| chain >= below) {
                return Err(here);
            }
            held.insert(chain, state(&mut reader)?);
        }
        Ok(Self { event, after, below, certificate, head, held })
    }
}

/// From where and up to which chain records are asked for.
fn asked_for(reader: &mut Reader<'_>) -> Result<(Option<Place>, Option<ChainId>), Malformed> {
    let here = reader.malformed();
    let flags = reader.u8()?;
    if flags & !(PLACE | BOUND) != 0 {
        return Err(here);
    }
    let after = (flags & PLACE != 0).then(|| Place::read(reader)).transpose()?;
    let here = reader.malformed();
    let below = (flags & BOUND != 0).then(|| reader.array().map(ChainId)).transpose()?;
    let least = after.map_or(ChainId([0; 16]), |place| place.chain);
    if below.is_some_and(|below| below <= least) { Err(here) } else { Ok((after, below)) }
}

/// What is held of a chain.
fn state(reader: &mut Reader<'_>) -> Result<ChainState, Malformed> {
    let (upto, digest_at, digest) = (reader.u32()?, reader.malformed(), reader.array()?);
    if upto == 0 && digest != [0; 16] {
        return Err(digest_at);
    }
    let (last_at, last) = (reader.malformed(), reader.u32()?);
    let (all_at, all) = (reader.malformed(), reader.array()?);
    if last < upto {
        return Err(last_at);
    }
    if last == upto && all != digest {
        return Err(all_at);
    }
    let (sequence, time_ms) = (reader.u32()?, reader.u64()?);
    let head = HeadRank { sequence, time_ms, digest: reader.array()? };
    Ok(ChainState { upto, digest, last, all, head })
}

impl Item {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let here = reader.malformed();
        let (item, most): (fn(Vec<u8>) -> Self, _) = match reader.u8()? {
            1 => (Self::Certificate, MAX_CERTIFICATE),
            2 => (Self::Head, HEAD_LEN),
            3 => (Self::Record, MAX_RECORD),
            _ => return Err(here),
        };
        Ok(item(taken(reader, most)?.to_vec()))
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Certificate(_) => 1,
            Self::Head(_) => 2,
            Self::Record(_) => 3,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Certificate(bytes) | Self::Head(bytes) | Self::Record(bytes) => bytes,
        }
    }

    /// How many bytes of a delta it takes.
    pub fn size(&self) -> usize {
        3 + self.bytes().len()
    }
}

impl Delta {
    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [&DELTA[..], &self.event.0, &[u8::from(self.more.is_some())]].concat();
        bytes.extend(self.more.iter().flat_map(|place| place.to_bytes()));
        for item in &self.items {
            bytes.push(item.kind());
            put(&mut bytes, item.bytes());
        }
        bytes
    }

    /// Reads a delta of [`MAX_DELTA`] bytes at most; its items are not checked yet.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_DELTA {
            return Err(Malformed { offset: MAX_DELTA });
        }
        let mut reader = Reader::new(bytes);
        reader.magic(DELTA)?;
        let (event, more) = (EventHash(reader.array()?), place_if(&mut reader)?);
        let mut items = Vec::new();
        while !reader.is_empty() {
            items.push(Item::read(&mut reader)?);
        }
        Ok(Self { event, more, items })
    }
}

fn place_if(reader: &mut Reader<'_>) -> Result<Option<Place>, Malformed> {
    let here = reader.malformed();
    match reader.u8()? {
        0 => Ok(None),
        PLACE => Place::read(reader).map(Some),
        _ => Err(here),
    }
}

/// Bytes behind two bytes of length.
fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(part);
}

fn taken<'a>(reader: &mut Reader<'a>, most: usize) -> Result<&'a [u8], Malformed> {
    let here = reader.malformed();
    let length = usize::from(reader.u16()?);
    if length <= most { reader.take(length) } else { Err(here) }
}
