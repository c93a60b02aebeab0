//! Promise: a damaged wallet says so, and recovery saves from it every row that can be read, exactly, and deletes nothing.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/files.rs"]
mod files;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/stock.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stock;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use files::{Files, assert_same, files};
use phone::{TestClock, open};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::types::Value;
use stock::{
    Content, KEPT_TABLES, PAGE, database, laid_out, passes_the_gate, read_all, recover, rows, stock,
    syncs_and_shows,
};
use ticket_wallet::error::RecoveryReason;
use ticket_wallet::model::{OutboxItem, WriteState};
use ticket_wallet::{RecoveryReport, WalletError};

/// What is not part of the wallet, or is SQLite's own to change.
const APART: [&str; 4] = ["vault.json", "vault.lock", "wallet.lock", "wallet.db-shm"];

/// Where the rows of the kept tables stand in a sound database, and the rows themselves.
struct Places {
    /// How many rows of a table are lost with a page: all of a leaf, the one that goes on there, none.
    lost_with: BTreeMap<usize, (String, usize)>,
    rows: BTreeMap<&'static str, Vec<Vec<Value>>>,
}

impl Places {
    fn of(files: &Files) -> Self {
        let folder = laid_out(files);
        let database = database(folder.path());
        let mut statement = database
            .prepare("SELECT pageno, name, pagetype, ncell FROM dbstat WHERE name NOT LIKE 'sqlite_a%'")
            .unwrap();
        let lost_with = statement
            .query_map([], |row| {
                let (kind, cells): (String, isize) = (row.get(2)?, row.get(3)?);
                let lost = match kind.as_str() {
                    "leaf" => cells.unsigned_abs(),
                    "overflow" => 1,
                    _ => 0,
                };
                Ok((row.get::<_, isize>(0)?.unsigned_abs(), (row.get(1)?, lost)))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let rows = KEPT_TABLES.map(|table| (table, rows(&database, table))).into();
        Self { lost_with, rows }
    }

    /// How many rows of a table are lost with a page.
    fn lost(&self, table: &str, page: usize) -> usize {
        self.lost_with.get(&page).filter(|(name, _)| name == table).map_or(0, |(_, lost)| *lost)
    }
}

/// The rows of each kept table after a recovery are copies of some that were there; returns how many are missing.
fn missing(places: &Places, folder: &Path, what: &str) -> BTreeMap<&'static str, usize> {
    let database = database(folder);
    let mut missing = BTreeMap::new();
    for (table, mut before) in places.rows.clone() {
        let mut after = rows(&database, table);
        if table == "outbox" {
            let held = Value::Text("held".to_owned());
            assert!(after.iter().all(|row| row[7] == held), "{what}: a change that is not held");
            before.iter_mut().for_each(|row| row[7] = held.clone());
        }
        if table == "device_key" {
            // A key's row may be made anew from its credential.
            [&mut before, &mut after].into_iter().flatten().for_each(|row| row.truncate(2));
        }
        assert!(after.iter().all(|row| before.contains(row)), "{what}: {table} has a row that was not there");
        missing.insert(table, before.len() - after.len());
    }
    missing
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap()
}

/// Recovers these files; nothing of them goes, and the report says what was saved.
fn recovered(files_before: &Files, what: &str) -> (tempfile::TempDir, RecoveryReport) {
    let folder = laid_out(files_before);
    let report = recover(folder.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let kept = files(&folder.path().join(report.kept_in.as_ref().unwrap_or_else(|| panic!("{what}: sound"))));
    // An empty log is as good as none.
    let is_part =
        |name: &str, bytes: &[u8]| !(APART.contains(&name) || name.ends_with("-wal") && bytes.is_empty());
    let parts = |files: &Files| -> Files {
        let parts = files.iter().filter(|(name, bytes)| is_part(name, bytes));
        parts.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    };
    assert_same(&parts(files_before), &parts(&kept), what);
    (folder, report)
}

fn damaged(files: &Files, name: &str, at: usize) -> Files {
    let mut files = files.clone();
    files.get_mut(name).unwrap()[at] ^= 0x55;
    files
}

/// Bytes that this thread has read so far.
fn bytes_read() -> usize {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// Opening and reading everything shows what was there or tells the damage, and reads the files a few times at most.
/// Returns whether it told.
fn tells_or_shows(files: &Files, content: &Content, clock: &TestClock, what: &str) -> bool {
    let folder = laid_out(files);
    let before = bytes_read();
    let read = read_all(folder.path(), clock);
    let bytes = bytes_read() - before;
    let limit = 6 * files.values().map(Vec::len).sum::<usize>();
    assert!(bytes < limit, "{what}: {bytes} bytes read, {limit} are many");
    match read {
        Ok(read) => {
            assert!(read == *content, "{what}: something else is shown");
            false
        }
        Err(WalletError::NeedsRecovery { why: RecoveryReason::Damaged, .. }) => true,
        Err(other) => panic!("{what}: {other:?}"),
    }
}

/// The three places of a page that are damaged: its header, its middle, its check.
const SPOTS: [usize; 3] = [20, PAGE / 2, PAGE - 32];

#[tokio::test]
async fn each_page_in_turn_is_damaged() {
    let stock = stock().await;
    let places = Places::of(&stock.closed);
    let pages = stock.closed["wallet.db"].len() / PAGE;
    let mut told = 0;
    for page in 1..=pages {
        let what = |spot| format!("page {page} of {pages} at {spot}");
        let damaged = |spot| damaged(&stock.closed, "wallet.db", (page - 1) * PAGE + spot);
        for spot in SPOTS {
            let noticed = tells_or_shows(&damaged(spot), &stock.closed_content, &stock.clock, &what(spot));
            told += usize::from(noticed);
        }
        let spot = SPOTS[page % SPOTS.len()];
        saves_what_is_not_there(&places, &damaged(spot), page, pages, &what(spot));
    }
    assert!(told > pages, "{told} of {} damages were noticed by reading", 3 * pages);
}

/// Recovery from one damaged page loses the rows on that page and no other.
fn saves_what_is_not_there(places: &Places, files: &Files, page: usize, pages: usize, what: &str) {
    let (folder, report) = recovered(files, what);
    assert_eq!(report.why, Some(RecoveryReason::Damaged), "{what}");
    assert_eq!((report.pages, report.damaged_pages), (count(pages), 1), "{what}");
    let missing = missing(places, folder.path(), what);
    for table in ["account", "credential", "outbox"] {
        assert_eq!(missing[table], places.lost(table, page), "{what}: {table}");
    }
    assert!(missing["device_key"] <= places.lost("device_key", page), "{what}: keys");
    reports(&report, places, &missing, what);
}

fn reports(report: &RecoveryReport, places: &Places, missing: &BTreeMap<&'static str, usize>, what: &str) {
    let saved = |table: &str| count(places.rows[table].len() - missing[table]);
    let told = (report.accounts, report.credentials, report.outbox);
    assert_eq!(told, (saved("account"), saved("credential"), saved("outbox")), "{what}: the report");
}

#[tokio::test]
async fn a_log_lies_over_damaged_pages() {
    let stock = stock().await;
    let (closed, places) = (Places::of(&stock.closed), Places::of(&stock.open));
    let pages = stock.open["wallet.db"].len() / PAGE;
    let mut told = 0;
    for page in 1..=pages {
        let what = format!("page {page} of {pages} below a log");
        let files = damaged(&stock.open, "wallet.db", (page - 1) * PAGE + SPOTS[page % SPOTS.len()]);
        if tells_or_shows(&files, &stock.open_content, &stock.clock, &what) {
            told += 1;
            let (folder, report) = recovered(&files, &what);
            let missing = missing(&places, folder.path(), &what);
            for table in ["account", "credential", "outbox"] {
                assert!(missing[table] <= closed.lost(table, page), "{what}: {table}");
            }
            reports(&report, &places, &missing, &what);
        }
    }
    assert!(told > 10 && told < pages, "{told} of {pages} damages were noticed");
}

/// A log that is damaged in the middle counts up to there, as one does that was not written to its end.
#[tokio::test]
async fn a_damaged_log_counts_up_to_the_damage() {
    let stock = stock().await;
    let frames = (stock.open["wallet.db-wal"].len() - 32) / (24 + PAGE);
    let (first, last) = (stock.closed_content.outbox.len(), stock.open_content.outbox.len());
    let mut seen = Vec::new();
    for frame in 0..frames {
        let what = format!("frame {frame} of {frames}");
        let files = damaged(&stock.open, "wallet.db-wal", 32 + frame * (24 + PAGE) + 500);
        let folder = laid_out(&files);
        let content = read_all(folder.path(), &stock.clock).unwrap_or_else(|e| panic!("{what}: {e:?}"));
        assert!((first..last).contains(&content.outbox.len()), "{what}");
        assert!(stock.open_content.outbox.starts_with(&content.outbox), "{what}");
        assert!(content.tickets == stock.open_content.tickets, "{what}");
        seen.push(content.outbox.len());
    }
    assert!(seen.is_sorted() && seen[0] == first && seen[frames - 1] == last - 1, "{seen:?}");
}

#[tokio::test]
async fn cut_and_lengthened_files_are_told_or_shown() {
    let stock = stock().await;
    let places = Places::of(&stock.closed);
    let database = &stock.closed["wallet.db"];
    let pages = database.len() / PAGE;
    let cuts = (0..pages).step_by(9).map(|page| page * PAGE).chain([1, 100, 5000, database.len() - 1]);
    for length in cuts {
        let what = format!("cut to {length} bytes");
        let mut files = stock.closed.clone();
        files.get_mut("wallet.db").unwrap().truncate(length);
        assert!(tells_or_shows(&files, &stock.closed_content, &stock.clock, &what), "{what}: not told");
        let (folder, report) = recovered(&files, &what);
        let missing = missing(&places, folder.path(), &what);
        for table in ["account", "credential", "outbox"] {
            let gone: usize = (length / PAGE + 1..=pages).map(|page| places.lost(table, page)).sum();
            // A row that goes on to two lost pages counts twice there.
            assert!(missing[table] <= gone, "{what}: {table}");
        }
        reports(&report, &places, &missing, &what);
    }
    for (length, byte) in [(1, 7), (PAGE, 0), (10 * PAGE, 0x0D), (3 * PAGE + 5, 0xFF)] {
        let what = format!("{length} bytes of {byte} appended");
        let mut files = stock.closed.clone();
        files.get_mut("wallet.db").unwrap().extend(vec![byte; length]);
        tells_or_shows(&files, &stock.closed_content, &stock.clock, &what);
        let folder = laid_out(&files);
        recover(folder.path()).unwrap();
        let database = stock::database(folder.path());
        for table in KEPT_TABLES {
            assert_eq!(rows(&database, table).len(), places.rows[table].len(), "{what}: {table}");
        }
    }
}

/// What is done to a page.
#[derive(Debug, Clone)]
enum Harm {
    Flip(usize),
    Zero,
    Noise(u8),
    /// The page has the content of another.
    Copy(usize),
}

fn harms() -> impl Strategy<Value = Vec<(usize, Harm)>> {
    let harm = prop_oneof![
        (0..PAGE).prop_map(Harm::Flip),
        Just(Harm::Zero),
        any::<u8>().prop_map(Harm::Noise),
        (0..1000_usize).prop_map(Harm::Copy),
    ];
    prop::collection::vec((0..1000_usize, harm), 1..12)
}

fn harmed(files: &Files, harms: &[(usize, Harm)]) -> Files {
    let mut files = files.clone();
    let database = files.get_mut("wallet.db").unwrap();
    let pages = database.len() / PAGE;
    for (page, harm) in harms {
        let at = page % pages * PAGE;
        match harm {
            Harm::Flip(byte) => database[at + byte] ^= 1,
            Harm::Zero => database[at..at + PAGE].fill(0),
            Harm::Noise(byte) => {
                database[at..at + PAGE].iter_mut().zip(0_u8..=255).for_each(|(b, n)| *b = n ^ byte)
            }
            Harm::Copy(from) => database.copy_within(from % pages * PAGE..(from % pages + 1) * PAGE, at),
        }
    }
    files
}

#[tokio::test]
async fn several_pages_are_damaged_at_once() {
    let stock = stock().await;
    for (state, files, content) in
        [("closed", &stock.closed, &stock.closed_content), ("with a log", &stock.open, &stock.open_content)]
    {
        let places = Places::of(files);
        let config = Config { cases: counts::in_step(counts::DAMAGES), ..Config::default() };
        let result = TestRunner::new(config).run(&harms(), |harms| {
            let files = harmed(files, &harms);
            let told = tells_or_shows(&files, content, &stock.clock, state);
            let folder = laid_out(&files);
            let report = recover(folder.path()).unwrap();
            prop_assert!(report.why.is_some() || !told, "damage that recovery does not see");
            if report.why.is_some() {
                let missing = missing(&places, folder.path(), state);
                reports(&report, &places, &missing, state);
            }
            prop_assert!(open(folder.path(), &stock.clock).is_ok());
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{state}: {error}"));
    }
}

#[tokio::test]
async fn a_recovered_wallet_is_of_full_use() {
    let stock = stock().await;
    // The page of the schema, and those with the list of tickets.
    for page in [1, 5, 8] {
        let what = format!("page {page}");
        let (folder, _) = recovered(&damaged(&stock.closed, "wallet.db", (page - 1) * PAGE + 20), &what);
        let wallet = open(folder.path(), &stock.clock).unwrap();
        let users = |accounts: Vec<ticket_wallet::model::Account>| {
            accounts.into_iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(users(wallet.accounts().unwrap()), users(stock.closed_content.accounts.clone()));
        syncs_and_shows(&wallet, &stock.sandbox).await;
        for ticket in &stock.closed_content.shown {
            passes_the_gate(&wallet, ticket);
        }
        let held = wallet.outbox(None).unwrap();
        let before = stock.closed_content.outbox.clone();
        assert!(
            held == before
                .into_iter()
                .map(|one| OutboxItem { state: WriteState::Held, ..one })
                .collect::<Vec<_>>()
        );
        let (again, not): (Vec<_>, Vec<_>) = held.into_iter().partition(|one| one.id % 2 == 0);
        not.iter().for_each(|one| wallet.discard_write(one.id).unwrap());
        for one in &again {
            assert_eq!(wallet.retry_write(one.id).unwrap().state, WriteState::Waiting, "{what}");
        }
        // One of a ticket is sent in a sync, and the next follows.
        for _ in 0..3 {
            wallet.sync(None).await.unwrap();
        }
        let left = wallet.outbox(None).unwrap();
        assert!(left.iter().all(|one| one.state == WriteState::Rejected), "{what}: {} are left", left.len());
        assert!(left.len() < again.len(), "{what}: nothing was sent");
        assert!(recover(folder.path()).is_err(), "{what}: in use");
        drop(wallet);
        let before = files(folder.path());
        let report = recover(folder.path()).unwrap();
        assert_eq!((report.why, report.kept_in), (None, None), "{what}");
        assert_same(&before, &files(folder.path()), &what);
    }
}

#[tokio::test]
async fn what_a_database_lost_at_its_end_is_told() {
    let stock = stock().await;
    let pages = stock.closed["wallet.db"].len() / PAGE;
    for left in [1, 10, pages - 1] {
        let what = format!("cut to {left} of {pages} pages");
        let mut files = stock.closed.clone();
        files.get_mut("wallet.db").unwrap().truncate(left * PAGE);
        let (_folder, report) = recovered(&files, &what);
        assert_eq!((report.pages, report.damaged_pages), (count(pages), count(pages - left)), "{what}");
    }
    // Without its first page, what is known of its tables tells how many there were at least.
    let mut files = damaged(&stock.closed, "wallet.db", PAGE / 2);
    files.get_mut("wallet.db").unwrap().truncate(10 * PAGE);
    let (_folder, report) = recovered(&files, "cut to 9 good pages");
    assert_eq!(report.pages - report.damaged_pages, 9);
    assert!(report.pages > 10, "{} pages", report.pages);
}
