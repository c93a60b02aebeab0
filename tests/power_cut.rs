//! Promise: a change that was accepted outlives a power cut at any moment, whatever part of what was not synced the disk
//! has kept.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]
#![allow(clippy::print_stdout, reason = "the seed of a run that fails")]

#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/disk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod disk;
#[path = "support/files.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod files;
#[path = "support/moments.rs"]
mod moments;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/stock.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stock;

use disk::{Cut, OnDisk};
use files::Files;
use moments::{Moments, seed};
use phone::open;
use stock::{Stock, laid_out, stock, write};
use ticket_wallet::Wallet;
use ticket_wallet::model::OutboxItem;

/// Writes and syncs of one run are about as many.
const STEPS: u64 = 260;

/// Changes are made, with the wallet paused and resumed in between, until the power is cut.
fn run(stock: &Stock, moments: &mut Moments, syncs: bool) -> (Cut, Vec<OutboxItem>) {
    let folder = laid_out(&stock.closed);
    disk::watch(folder.path(), usize::try_from(1 + moments.below(STEPS)).unwrap(), syncs);
    let mut wallet = open(folder.path(), &stock.clock).unwrap();
    let mut accepted = Vec::new();
    for _ in 0..12 {
        let ticket = moments.below(stock.closed_content.tickets.len() as u64);
        let ticket = &stock.closed_content.tickets[usize::try_from(ticket).unwrap()].summary.id;
        let length = [10, 500, 5_000, 40_000][usize::try_from(moments.below(4)).unwrap()];
        accepted.push(write(&wallet, ticket, length));
        disk::with(|disk| disk.acknowledged += 1);
        if moments.below(4) == 0 {
            drop(wallet);
            wallet = open(folder.path(), &stock.clock).unwrap();
        }
    }
    let cut = disk::stop();
    drop(wallet);
    (cut, accepted)
}

/// The disk after the cut: of each change that was not synced nothing, all, or some sectors are there.
fn remains(cut: &Cut, moments: &mut Moments) -> Files {
    let mut files = cut.others.clone();
    for (name, file) in &cut.files {
        let fates: Vec<u64> = file.pending.iter().map(|_| moments.below(3)).collect();
        let mut lands = |change: usize| match fates[change] {
            0 => false,
            1 => true,
            _ => moments.below(2) == 0,
        };
        files.insert(name.clone(), OnDisk::after(file, &mut lands));
    }
    files
}

/// Whether the wallet opens and has everything that was accepted before the cut, and no change that nobody made.
fn has_all(stock: &Stock, files: &Files, accepted: &[OutboxItem], acknowledged: usize) -> Result<(), String> {
    let folder = laid_out(files);
    let outbox = |wallet: Wallet| wallet.outbox(None);
    let found = open(folder.path(), &stock.clock).and_then(outbox).map_err(|error| error.to_string())?;
    let before = stock.closed_content.outbox.len();
    let made = found.get(before..).ok_or("changes of long ago are gone")?;
    if made.len() < acknowledged || !accepted.starts_with(made) {
        return Err(format!("{} of {acknowledged} changes are there", made.len()));
    }
    Ok(())
}

#[tokio::test]
async fn accepted_changes_outlive_a_power_cut() {
    let stock = stock().await;
    disk::insert();
    let (cuts, seed) = (counts::in_step(counts::CUTS), seed());
    println!("{cuts} cuts; PROPTEST_RNG_SEED={seed}");
    let mut moments = Moments(seed);
    let (mut cut_within, mut unsynced) = (0, 0);
    for number in 0..cuts {
        let (cut, accepted) = run(&stock, &mut moments, true);
        cut_within += u32::from(cut.acknowledged < accepted.len());
        unsynced += u32::from(cut.files.values().any(|file| !file.pending.is_empty()));
        let files = remains(&cut, &mut moments);
        has_all(&stock, &files, &accepted, cut.acknowledged)
            .unwrap_or_else(|why| panic!("cut {number}: {why}"));
    }
    assert!(cut_within > cuts / 4, "{cut_within} of {cuts} cuts fell within the run");
    assert!(unsynced > cuts / 4, "{unsynced} of {cuts} cuts found something not synced");

    // The same on a disk that forgets to sync: the test would notice.
    let mut lost = 0;
    for _ in 0..20 {
        let (cut, accepted) = run(&stock, &mut moments, false);
        let files = remains(&cut, &mut moments);
        lost += u64::from(has_all(&stock, &files, &accepted, cut.acknowledged).is_err());
    }
    println!(
        "{cut_within} cuts fell within the run, {unsynced} found something not synced; without syncs {lost} of 20"
    );
    assert!(lost > 10, "{lost} of 20 cuts were noticed without syncs");
}
