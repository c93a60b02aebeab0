//! A plain database file put together from good pages (SQLite, "Database File Format").

use std::collections::HashSet;

use rusqlite::Connection;

use super::copy::SAVED;
use super::pages::{PAGE, RESERVED};
use super::tree::{
    FILE_HEADER, Pages, TABLE_INTERIOR, TABLE_LEAF, USABLE, extent, lost_leaves, readable_part,
};
use crate::store::schema::{self, Map};

/// Children of a page that is made here; there would be room for some more.
const CHILDREN: usize = 500;

/// The file as it was. `roots` are the pages with which its tables begin.
pub(super) fn with_own_schema(pages: &Pages, roots: &HashSet<u32>) -> Option<Vec<u8>> {
    let first = pages.first()?.clone()?;
    Some(assemble(first, pages, roots))
}

/// The file with a first page of our own, which leads to the tables that are saved. `None` for a version that is not
/// known here.
pub(super) fn with_schema_of(map: &Map, pages: &Pages) -> Option<Vec<u8>> {
    let roots = map.roots.values().copied().collect();
    Some(assemble(schema_page(map)?, pages, &roots))
}

/// What can be read of good pages; for each bad one a page that leads to the leaves that have lost their tree. A row of
/// such a leaf is found in each table that has a bad page: only its own takes it.
fn assemble(first: Vec<u8>, pages: &Pages, roots: &HashSet<u32>) -> Vec<u8> {
    let mut file = vec![first];
    let others = pages.iter().skip(1).map(|page| readable_page(page.as_deref(), pages));
    file.extend(others);
    file.resize(extent(pages, roots).max(1), Vec::new());
    file.push(one_empty_row());
    let empty = number(file.len());
    let mut lost = lost_leaves(pages, roots);
    while lost.len() > CHILDREN {
        let parents = lost.chunks(CHILDREN).map(|group| {
            file.push(interior(group, empty));
            number(file.len())
        });
        lost = parents.collect();
    }
    let stand_in = if lost.is_empty() { one_empty_row() } else { interior(&lost, empty) };
    file.iter_mut().filter(|page| page.is_empty()).for_each(|page| page.clone_from(&stand_in));
    let count = number(file.len());
    // No log; the size as it is; the marks that make SQLite believe that size.
    file[0][18..20].fill(1);
    file[0][24..32].copy_from_slice(&[[0, 0, 0, 1], count.to_be_bytes()].concat());
    file[0][92..96].copy_from_slice(&[0, 0, 0, 1]);
    file.concat()
}

/// Nothing for a bad page.
fn readable_page(page: Option<&[u8]>, pages: &Pages) -> Vec<u8> {
    match page {
        Some(page) if page.first() == Some(&TABLE_LEAF) => {
            readable_part(page, pages).unwrap_or_else(one_empty_row)
        }
        Some(page) => page.to_vec(),
        None => Vec::new(),
    }
}

/// A page that leads to these, at most [`CHILDREN`], and to an `empty` one: SQLite takes none with a single child. Its
/// keys are of no use: it is only walked through.
fn interior(children: &[u32], empty: u32) -> Vec<u8> {
    let cells: Vec<_> = children.iter().map(|child| [&child.to_be_bytes()[..], &[0]].concat()).collect();
    b_tree(&[&[TABLE_INTERIOR][..], &[0; 7], &empty.to_be_bytes()].concat(), &[], &cells)
}

/// A leaf with one row of one NULL, the least that SQLite walks over; no table takes it.
fn one_empty_row() -> Vec<u8> {
    b_tree(&leaf_header(), &[], &[vec![2, 0, 2, 0]])
}

fn leaf_header() -> Vec<u8> {
    [&[TABLE_LEAF][..], &[0; 7]].concat()
}

/// A page of a tree: what stands before it, its header, the pointers, and the cells at the end of the page.
fn b_tree(header: &[u8], before: &[u8], cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = [before, header].concat();
    let start = before.len();
    page[start + 3..start + 5].copy_from_slice(&short(cells.len()));
    let mut content = Vec::new();
    let mut at = USABLE;
    for cell in cells {
        at = at.saturating_sub(cell.len());
        page.extend(short(at));
        content.splice(0..0, cell.iter().copied());
    }
    page[start + 5..start + 7].copy_from_slice(&short(at));
    page.resize(at, 0);
    page.extend(content);
    page.resize(PAGE, 0);
    page
}

/// A first page with the tables of the map's version that are saved, each beginning where the map says.
fn schema_page(map: &Map) -> Option<Vec<u8>> {
    let mut known = Connection::open_in_memory().ok()?;
    schema::migrate_to(&mut known, map.version).ok()?;
    let mut cells = Vec::new();
    for (name, table, sql) in entries(&known).ok()? {
        let kind = if name == table { "table" } else { "index" };
        let root = map.roots.get(&name)?;
        let rowid = u8::try_from(cells.len() + 1).ok()?;
        cells.push(schema_cell(rowid, kind, &name, &table, *root, sql.as_deref().map(terse).as_deref()));
    }
    let room = USABLE - FILE_HEADER - leaf_header().len();
    let needed: usize = cells.iter().map(|cell| cell.len() + 2).sum();
    (needed <= room).then(|| b_tree(&leaf_header(), &file_header(map.version), &cells))
}

/// A statement of a migration without its comments and indentation: all of them have to fit in the first page.
fn terse(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

type Entry = (String, String, Option<String>);

/// Name, table and statement of the saved tables and of the indexes that belong to their keys.
fn entries(known: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = known.prepare(
        "SELECT name, tbl_name, sql FROM sqlite_master
         WHERE tbl_name = ?1 AND (type = 'table' OR sql IS NULL) ORDER BY type DESC, name",
    )?;
    let mut found = Vec::new();
    for table in SAVED {
        for entry in statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            found.push(entry?);
        }
    }
    Ok(found)
}

/// A row of the schema table: type, name, table, first page, statement.
fn schema_cell(rowid: u8, kind: &str, name: &str, table: &str, root: u32, sql: Option<&str>) -> Vec<u8> {
    let text_type = |text: &str| varint(text.len() * 2 + 13);
    const FOUR_BYTES: u8 = 4;
    const NULL: u8 = 0;
    let types = [
        text_type(kind),
        text_type(name),
        text_type(table),
        vec![FOUR_BYTES],
        sql.map_or_else(|| vec![NULL], text_type),
    ]
    .concat();
    let values = [
        kind.as_bytes(),
        name.as_bytes(),
        table.as_bytes(),
        &root.to_be_bytes(),
        sql.unwrap_or_default().as_bytes(),
    ]
    .concat();
    // Five types of at most three bytes each: the header's own length takes one.
    let record = [&varint(types.len() + 1)[..], &types, &values].concat();
    [&varint(record.len())[..], &[rowid], &record].concat()
}

fn file_header(version: usize) -> Vec<u8> {
    let mut header = vec![0; FILE_HEADER];
    header[..16].copy_from_slice(b"SQLite format 3\0");
    header[16..18].copy_from_slice(&short(PAGE));
    header[20] = u8::try_from(RESERVED).unwrap_or(u8::MAX);
    // Fixed by the format: payload fractions, schema cookie and format, UTF-8.
    header[21..24].copy_from_slice(&[64, 32, 32]);
    header[43] = 1;
    header[47] = 4;
    header[59] = 1;
    header[60..64].copy_from_slice(&number(version).to_be_bytes());
    header
}

/// SQLite's variable-length integer, of at most three bytes here.
fn varint(value: usize) -> Vec<u8> {
    let group = |shift: usize| u8::try_from(value >> shift & 0x7F).unwrap_or(0);
    match value {
        0..0x80 => vec![group(0)],
        0x80..0x4000 => vec![group(7) | 0x80, group(0)],
        _ => vec![group(14) | 0x80, group(7) | 0x80, group(0)],
    }
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes()
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_schema_of_this_version_fits_in_the_first_page() {
        let mut known = Connection::open_in_memory().unwrap();
        schema::migrate(&mut known).unwrap();
        let map = schema::map(&known).unwrap();
        assert_eq!(schema_page(&map).unwrap().len(), PAGE);
    }

    #[test]
    fn a_statement_keeps_all_but_comments_and_indentation() {
        assert_eq!(
            terse("CREATE TABLE a ( -- one\n    b TEXT,  -- two\n    c BLOB\n)"),
            "CREATE TABLE a ( b TEXT, c BLOB )"
        );
    }
}
