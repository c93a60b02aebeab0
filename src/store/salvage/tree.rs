//! Trees of pages, as far as salvage reads them (SQLite, "B-tree Pages").

use std::collections::HashSet;
use std::ops::Range;

use super::pages::{PAGE, RESERVED};

/// Pages as SQLite knows them, `None` for a bad one.
pub(super) type Pages = [Option<Vec<u8>>];

/// Kinds of pages, the first byte of their header.
pub(super) const TABLE_LEAF: u8 = 0x0D;
pub(super) const TABLE_INTERIOR: u8 = 0x05;
/// The first page's tree begins after the file's header.
pub(super) const FILE_HEADER: usize = 100;
/// Bytes of a page that SQLite uses.
pub(super) const USABLE: usize = PAGE - RESERVED;
const LEAF_HEADER: usize = 8;

/// How many pages the file had, which may have been cut off: as many as its first page says where that is good, and at least
/// as many as there must be.
pub(super) fn pages_before(pages: &Pages, roots: &HashSet<u32>) -> usize {
    const SIZE_IN_PAGES: usize = 28;
    let told = page_at(pages, 1).map_or(0, |first| long(first, SIZE_IN_PAGES));
    pages.len().max(limited(told)).max(extent(pages, roots))
}

/// How many pages there must be: up to the last that is good, or that a good page or one of the roots leads to.
pub(super) fn extent(pages: &Pages, roots: &HashSet<u32>) -> usize {
    let good = (1..).zip(pages).filter(|(_, page)| page.is_some()).map(|(number, _)| number);
    let led_to = (1..).zip(pages).flat_map(|(number, page)| children(number, page.as_deref()));
    let last = good.chain(led_to).chain(roots.iter().copied()).max().unwrap_or(0);
    limited(last)
}

/// More than this no wallet has: a number that cannot be is no page's.
fn limited(number: u32) -> usize {
    usize::try_from(number.min(1 << 20)).unwrap_or(0)
}

/// Good leaves of tables to which no good pages lead from the roots.
pub(super) fn lost_leaves(pages: &Pages, roots: &HashSet<u32>) -> Vec<u32> {
    let mut reached = HashSet::new();
    let mut next: Vec<u32> = roots.iter().copied().chain([1]).collect();
    while let Some(number) = next.pop() {
        if reached.insert(number) {
            next.extend(children(number, page_at(pages, number)));
        }
    }
    let leaves = (1..).zip(pages).skip(1).filter(|(_, page)| is_table_leaf(page));
    leaves.map(|(number, _)| number).filter(|number| !reached.contains(number)).collect()
}

fn is_table_leaf(page: &Option<Vec<u8>>) -> bool {
    page.as_ref().is_some_and(|page| page.first() == Some(&TABLE_LEAF))
}

fn page_at(pages: &Pages, number: u32) -> Option<&[u8]> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    pages.get(index)?.as_deref()
}

/// The pages that an interior page of a table leads to; none for any other page.
fn children(number: u32, page: Option<&[u8]>) -> Vec<u32> {
    let start = if number == 1 { FILE_HEADER } else { 0 };
    let Some(page) = page.filter(|page| page.get(start) == Some(&TABLE_INTERIOR)) else { return Vec::new() };
    let cells = (0..short(page, start + 3)).map(|cell| long(page, short(page, start + 12 + 2 * cell)));
    cells.chain([long(page, start + 8)]).collect()
}

/// A leaf without the rows of which a part lies on a bad page; `None` when nothing is left of it.
pub(super) fn readable_part(leaf: &[u8], pages: &Pages) -> Option<Vec<u8>> {
    let pointers: Vec<_> = (0..short(leaf, 3)).map(|cell| short(leaf, LEAF_HEADER + 2 * cell)).collect();
    let whole: Vec<_> = pointers.into_iter().filter(|at| is_whole(leaf, *at, pages)).collect();
    let mut left = leaf.to_vec();
    left.get_mut(3..5)?.copy_from_slice(&u16::try_from(whole.len()).ok()?.to_be_bytes());
    for (cell, at) in whole.iter().enumerate() {
        let place: Range<usize> = LEAF_HEADER + 2 * cell..LEAF_HEADER + 2 * cell + 2;
        left.get_mut(place)?.copy_from_slice(&u16::try_from(*at).ok()?.to_be_bytes());
    }
    (!whole.is_empty()).then_some(left)
}

/// Whether the pages are good on which a row goes on that is too long for its leaf.
fn is_whole(leaf: &[u8], at: usize, pages: &Pages) -> bool {
    let Some((length, length_size)) = varint(leaf, at) else { return false };
    let Some((_, rowid_size)) = varint(leaf, at + length_size) else { return false };
    let here = local(length);
    let mut left = length - here;
    let mut pointer = long(leaf, at + length_size + rowid_size + here);
    while left > 0 {
        let Some(page) = page_at(pages, pointer) else { return false };
        pointer = long(page, 0);
        left = left.saturating_sub(USABLE - 4);
    }
    true
}

/// How many bytes of a row of this length stand in its leaf.
fn local(length: usize) -> usize {
    const MOST: usize = USABLE - 35;
    const LEAST: usize = (USABLE - 12) * 32 / 255 - 23;
    if length <= MOST {
        return length;
    }
    let even = LEAST + (length - LEAST) % (USABLE - 4);
    if even <= MOST { even } else { LEAST }
}

/// A variable-length integer and its size in bytes.
fn varint(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for size in 1..=9 {
        let byte = *bytes.get(at + size - 1)?;
        if size == 9 {
            return Some((usize::try_from(value << 8 | u64::from(byte)).ok()?, size));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, size));
        }
    }
    None
}

fn short(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 2).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}
