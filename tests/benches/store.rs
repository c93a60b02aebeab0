//! The encrypted store beside plain SQLite with the same rows.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use rusqlite::Connection;
use ticket_wallet::model::TicketFilter;

#[path = "../support/stocked.rs"]
mod stocked;

const TICKETS: usize = 10_000;
const LIST: &str =
    "SELECT id, account_id, title, category, format, status, profile, starts_at, venue, section, seat
                    FROM ticket WHERE absences < 2 ORDER BY list_order, id LIMIT 200";
const TO_SHOW: &str = "SELECT t.title, b.body, c.bytes FROM ticket t JOIN ticket_body b ON b.ticket_id = t.id
                       JOIN credential c ON c.ticket_id = t.id WHERE t.id = ?1";

/// The same tables and rows without encryption.
fn plain_copy(folder: &Path) -> PathBuf {
    let plain = folder.join("plain.db");
    let encrypted = encrypted(folder);
    encrypted.execute("ATTACH ?1 AS plain KEY ''", [plain.to_str().unwrap()]).unwrap();
    encrypted.query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(())).unwrap();
    encrypted.execute_batch("DETACH plain").unwrap();
    plain
}

/// The wallet's database without the wallet.
fn encrypted(folder: &Path) -> Connection {
    let db = Connection::open(folder.join("wallet.db")).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\"", stocked::raw_key(folder))).unwrap();
    db
}

/// Writes every ticket's record into another table, as durably as the wallet does.
fn rewrite(db: &Connection) {
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         DROP TABLE IF EXISTS written; CREATE TABLE written (id BLOB PRIMARY KEY, body TEXT) STRICT;",
    )
    .unwrap();
    for first in (0..10_000_i64).step_by(100) {
        let sql =
            "INSERT INTO written SELECT ticket_id, body FROM ticket_body ORDER BY rowid LIMIT 100 OFFSET ?1";
        assert_eq!(db.execute(sql, [first]).unwrap(), 100);
    }
    db.execute_batch("DROP TABLE written").unwrap();
}

fn list_plain(db: &Connection) -> usize {
    let mut statement = db.prepare_cached(LIST).unwrap();
    let rows = statement.query_map([], |row| {
        let texts = (2..11)
            .map(|column| row.get::<_, rusqlite::types::Value>(column))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((row.get::<_, Vec<u8>>(0)?, texts))
    });
    rows.unwrap().map(Result::unwrap).count()
}

fn store(criterion: &mut Criterion) {
    let stocked::Stocked { folder, wallet, ticket } = stocked::wallet(TICKETS);
    let folder = folder.path();
    let plain = plain_copy(folder);

    let mut group = criterion.benchmark_group("list 200 of 10,000");
    group.bench_function("wallet", |b| b.iter(|| wallet.tickets(TicketFilter::default()).unwrap()));
    let db = Connection::open(&plain).unwrap();
    group.bench_function("plain SQLite", |b| b.iter(|| assert_eq!(list_plain(&db), 200)));
    group.finish();
    drop((wallet, db));

    let mut group = criterion.benchmark_group("write 10,000 rows, 100 in each transaction");
    group.sample_size(10);
    group.bench_function("encrypted", |b| b.iter(|| rewrite(&encrypted(folder))));
    group.bench_function("plain SQLite", |b| b.iter(|| rewrite(&Connection::open(&plain).unwrap())));
    group.finish();

    let mut group = criterion.benchmark_group("list 200 of 10,000 after a cold open");
    group.bench_function("wallet", |b| {
        b.iter(|| stocked::open(folder).tickets(TicketFilter::default()).unwrap())
    });
    group.bench_function("plain SQLite", |b| {
        b.iter(|| assert_eq!(list_plain(&Connection::open(&plain).unwrap()), 200))
    });
    group.finish();

    let mut group = criterion.benchmark_group("cold open to first barcode");
    group.bench_function("wallet", |b| {
        b.iter(|| stocked::open(folder).present(ticket.clone(), None).unwrap())
    });
    let id = hex::decode(&ticket).unwrap();
    group.bench_function("plain SQLite, no barcode", |b| {
        b.iter(|| {
            let db = Connection::open(&plain).unwrap();
            db.query_row(TO_SHOW, [&id], |row| row.get::<_, Vec<u8>>(2)).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
