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
    let encrypted = Connection::open(folder.join("wallet.db")).unwrap();
    encrypted.execute_batch(&format!("PRAGMA key = \"x'{}'\"", stocked::raw_key(folder))).unwrap();
    encrypted.execute("ATTACH ?1 AS plain KEY ''", [plain.to_str().unwrap()]).unwrap();
    encrypted.query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(())).unwrap();
    encrypted.execute_batch("DETACH plain").unwrap();
    plain
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
