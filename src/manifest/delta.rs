//! From one manifest to a later one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::head::{HEAD_LEN, Head};
use super::row::{self, ROW_LEN};
use super::tables::{KINDS, Kind, Tables, put, put_any};
use super::{MAGIC as MANIFEST_MAGIC, Manifest, ManifestError, checked, sha256, tables};
use crate::barcode::IssuerKey;
use crate::bytes::put_text;

pub(super) const MAGIC: &[u8; 4] = b"TWD1";
pub(crate) const LABEL: &[u8] = b"ticket-wallet/1/delta\0";
/// The magic, two hashes, and a manifest's head without its magic.
const DELTA_HEAD_LEN: usize = 4 + 32 + 32 + HEAD_LEN - 4;

/// What a delta begins with.
struct DeltaHead {
    base: [u8; 32],
    result: [u8; 32],
    head: Head,
}

/// The bytes of the delta from one manifest to another, without a signature. `None` where none gives the second: a ticket's
/// row or a whole table is gone.
pub fn delta(from: &Manifest, to: &Manifest) -> Option<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(from.hash());
    bytes.extend(to.hash());
    to.head.write(&mut bytes);
    for kind in KINDS {
        let (before, after) = (from.tables.rows(&from.bytes, kind), to.tables.rows(&to.bytes, kind));
        if before == after {
            continue;
        }
        match kind {
            Kind::Tickets => put(&mut bytes, kind as u8, &changed_rows(before, after)),
            Kind::Seats => put(&mut bytes, kind as u8, &changed_seats(from, to)),
            _ => put(&mut bytes, kind as u8, after),
        }
    }
    let before: BTreeMap<_, _> = from.tables.additions(&from.bytes).collect();
    for (kind, rows) in to.tables.additions(&to.bytes).filter(|(kind, rows)| before.get(kind) != Some(rows)) {
        put_any(&mut bytes, kind, rows);
    }
    from.with_body(&bytes).is_ok().then_some(bytes)
}

fn changed_rows(before: &[u8], after: &[u8]) -> Vec<u8> {
    let before = by_id(before);
    let (rows, _) = after.as_chunks::<ROW_LEN>();
    rows.iter().filter(|row| before.get(&row[..12]) != Some(row)).flatten().copied().collect()
}

fn changed_seats(from: &Manifest, to: &Manifest) -> Vec<u8> {
    let before: BTreeMap<_, _> = from.tables.seats(&from.bytes).map(|(id, seat)| (id.0, seat)).collect();
    let mut rows = Vec::new();
    for (id, seat) in to.tables.seats(&to.bytes).filter(|(id, seat)| before.get(&id.0) != Some(seat)) {
        rows.extend(id.0);
        put_text(&mut rows, seat);
    }
    rows
}

impl Manifest {
    /// The manifest that comes out of a signed delta.
    ///
    /// # Errors
    /// [`ManifestError`]; this one stays as it is.
    pub fn apply(&self, signed: &[u8], key: &IssuerKey) -> Result<Self, ManifestError> {
        self.with_body(&checked(signed, LABEL, key)?)
    }

    /// The manifest that comes out when what a later one has takes its place in this one, as with a delta: rows of tickets
    /// and seats one by one, other tables whole.
    ///
    /// # Errors
    /// [`ManifestError`]; this one stays as it is.
    pub(crate) fn merged(&self, later: &Self) -> Result<Self, ManifestError> {
        let body = self.with(&later.head, &later.bytes, &later.tables);
        if body.len() + super::SIGNATURE_LEN > super::MAX_BYTES {
            return Err(ManifestError::TooLong);
        }
        Self::from_body(body)?.after(self)
    }

    fn with_body(&self, bytes: &[u8]) -> Result<Self, ManifestError> {
        let (head, tables) = tables::read(bytes, MAGIC, DELTA_HEAD_LEN, |reader| {
            Ok(DeltaHead { base: reader.array()?, result: reader.array()?, head: Head::read(reader)? })
        })?;
        row::by_code(tables.rows(bytes, Kind::Tickets), &tables.malformed(Kind::Tickets))?;
        self.head.may_be_followed_by(&head.head)?;
        if head.base != self.hash() {
            return Err(ManifestError::WrongBase);
        }
        let result = self.with(&head.head, bytes, &tables);
        if sha256(&result) != head.result {
            return Err(ManifestError::WrongResult);
        }
        Self::from_body(result)?.after(self)
    }

    fn with(&self, head: &Head, delta: &[u8], changed: &Tables) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + delta.len());
        bytes.extend(MANIFEST_MAGIC);
        head.write(&mut bytes);
        for kind in KINDS {
            let (before, change) = (self.tables.rows(&self.bytes, kind), changed.rows(delta, kind));
            let rows = match kind {
                _ if change.is_empty() => Cow::Borrowed(before),
                Kind::Tickets => merged_rows(before, change).into(),
                Kind::Seats => self.merged_seats(delta, changed).into(),
                _ => change.into(),
            };
            put(&mut bytes, kind as u8, &rows);
        }
        let mut additions: BTreeMap<_, _> = self.tables.additions(&self.bytes).collect();
        additions.extend(changed.additions(delta));
        additions.into_iter().for_each(|(kind, rows)| put_any(&mut bytes, kind, rows));
        bytes
    }

    fn merged_seats(&self, delta: &[u8], changed: &Tables) -> Vec<u8> {
        let all = self.tables.seats(&self.bytes).chain(changed.seats(delta));
        let seats: BTreeMap<_, _> = all.map(|(id, seat)| (id.0, seat)).collect();
        let mut rows = Vec::new();
        for (id, seat) in seats {
            rows.extend(id);
            put_text(&mut rows, seat);
        }
        rows
    }
}

/// Both tables rise, and so does what comes out.
fn merged_rows(before: &[u8], change: &[u8]) -> Vec<u8> {
    let ((before, _), (change, _)) = (before.as_chunks::<ROW_LEN>(), change.as_chunks::<ROW_LEN>());
    let mut rows = Vec::with_capacity((before.len() + change.len()) * ROW_LEN);
    let mut before = before.iter().peekable();
    for row in change {
        while let Some(earlier) = before.next_if(|one| one[..12] < row[..12]) {
            rows.extend(earlier);
        }
        before.next_if(|one| one[..12] == row[..12]);
        rows.extend(row);
    }
    before.for_each(|row| rows.extend(row));
    rows
}

fn by_id(rows: &[u8]) -> BTreeMap<&[u8], &[u8; ROW_LEN]> {
    rows.as_chunks::<ROW_LEN>().0.iter().map(|row| (&row[..12], row)).collect()
}
