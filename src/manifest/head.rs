//! The first bytes of a manifest.

use super::row::Profile;
use super::{MAGIC, ManifestError};
use crate::bytes::{Malformed, Reader};
use crate::model::EventHash;

/// Length of the fields between the magic and the tables, the magic included.
pub const HEAD_LEN: usize = 27;

/// How often a ticket lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryPolicy {
    /// Once.
    Single,
    /// Again after each exit.
    ReEntry,
    /// So many times.
    Entries,
    /// Once on each of so many days.
    Days,
}

const POLICIES: [EntryPolicy; 4] =
    [EntryPolicy::Single, EntryPolicy::ReEntry, EntryPolicy::Entries, EntryPolicy::Days];

/// What a manifest says of the event as a whole. Times are Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The event.
    pub event: EventHash,
    /// Rises with each manifest of the event, from 1.
    pub sequence: u32,
    /// The server's time when it was made.
    pub as_of: u32,
    /// From when on nothing is resold or transferred; `None` where nothing ever is.
    pub closes_at: Option<u32>,
    /// How often a ticket lets in.
    pub policy: EntryPolicy,
    /// How many times or days, 1 or more; a ticket's row may say otherwise.
    pub entries: u8,
    /// Whether each signed code must cover a venue nonce.
    pub nonce_required: bool,
    /// Which code lets in a ticket without a row; never [`Profile::Plain`], which needs one.
    pub unlisted: Profile,
}

const NONCE_REQUIRED: u8 = 1;

impl Head {
    /// Reads what comes after the magic.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let event = EventHash(reader.array()?);
        let here = reader.malformed();
        let sequence = reader.u32()?;
        let (as_of, closes_at) = (reader.u32()?, reader.u32()?);
        let policy_at = reader.malformed();
        let policy = *POLICIES.get(usize::from(reader.u8()?)).ok_or(policy_at)?;
        let entries_at = reader.malformed();
        let entries = reader.u8()?;
        let flags_at = reader.malformed();
        let flags = reader.u8()?;
        let unlisted = Profile::from_number(flags >> 1).filter(|profile| profile.works_without_row());
        let unlisted = unlisted.ok_or(flags_at);
        let wrong = [(sequence == 0, here), (entries == 0, entries_at)];
        if let Some((_, malformed)) = wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(malformed);
        }
        let closes_at = Some(closes_at).filter(|at| *at != 0);
        let nonce_required = flags & NONCE_REQUIRED != 0;
        Ok(Self { event, sequence, as_of, closes_at, policy, entries, nonce_required, unlisted: unlisted? })
    }

    /// The sequence in a manifest's bytes; `None` for bytes that are none.
    pub(crate) fn sequence_in(bytes: &[u8]) -> Option<u32> {
        let mut reader = Reader::new(bytes);
        reader.magic(MAGIC).ok()?;
        reader.array::<8>().ok()?;
        reader.u32().ok()
    }

    /// The bytes after the magic.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.event.0);
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.as_of.to_be_bytes());
        bytes.extend(self.closes_at.unwrap_or(0).to_be_bytes());
        bytes.push(self.policy as u8);
        bytes.push(self.entries);
        bytes.push(u8::from(self.nonce_required) | (self.unlisted as u8) << 1);
    }

    /// Whether a manifest with `next` may come after one with this.
    pub(super) fn may_be_followed_by(&self, next: &Self) -> Result<(), ManifestError> {
        if next.event != self.event {
            return Err(ManifestError::WrongEvent);
        }
        if next.sequence < self.sequence {
            return Err(ManifestError::Rollback { held: self.sequence, offered: next.sequence });
        }
        Ok(())
    }
}
