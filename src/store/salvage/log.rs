//! SQLite's write-ahead log: which pages it holds that were committed (SQLite, "WAL-mode File Format", section 2).

use super::pages::PAGE;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const MAGIC: u32 = 0x377F_0682;

/// Puts the log's committed pages in the place of the database's.
pub(super) fn lay_over(log: &[u8], pages: &mut Vec<Vec<u8>>) {
    let Some((header, frames)) = log.split_at_checked(HEADER) else { return };
    let Some(big_endian) = byte_order(header) else { return };
    let mut sum = checksum(big_endian, (0, 0), &header[..24]);
    if sum != (number(header, 24), number(header, 28)) {
        return;
    }
    let mut uncommitted = Vec::new();
    for frame in frames.chunks_exact(FRAME_HEADER + PAGE) {
        let (head, page) = frame.split_at(FRAME_HEADER);
        sum = checksum(big_endian, checksum(big_endian, sum, &head[..8]), page);
        // A frame of an earlier log, or one that was not written to its end: nothing after it counts.
        if head[8..16] != header[16..24] || sum != (number(head, 16), number(head, 20)) {
            return;
        }
        uncommitted.push((number(head, 0), page));
        let size = number(head, 4);
        if size > 0 {
            commit(&mut uncommitted, size, pages);
        }
    }
}

fn commit(frames: &mut Vec<(u32, &[u8])>, size: u32, pages: &mut Vec<Vec<u8>>) {
    // Larger than any wallet: a size that cannot be is no size.
    let Some(size) = usize::try_from(size).ok().filter(|size| *size <= 1 << 20) else { return };
    pages.resize(size, Vec::new());
    for (number, page) in frames.drain(..) {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(place) = index.and_then(|index| pages.get_mut(index)) {
            *place = page.to_vec();
        }
    }
}

/// Whether checksums take big-endian words; `None` for what is no log of our pages.
fn byte_order(header: &[u8]) -> Option<bool> {
    let magic = number(header, 0);
    let ours = magic & !1 == MAGIC && number(header, 8) == u32::try_from(PAGE).ok()?;
    ours.then_some(magic & 1 == 1)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Continues the checksum of the log over whole pairs of words.
fn checksum(big_endian: bool, (mut s0, mut s1): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |at: &[u8]| {
        let four = at.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for pair in bytes.chunks_exact(8) {
        s0 = s0.wrapping_add(word(&pair[..4])).wrapping_add(s1);
        s1 = s1.wrapping_add(word(&pair[4..])).wrapping_add(s0);
    }
    (s0, s1)
}
