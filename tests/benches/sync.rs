//! Syncs: the first one beside one that finds nothing changed; what they ask for, and the memory that they take.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::Command;

use criterion::{BatchSize, Criterion, criterion_group};
use ticket_wallet_sandbox::Sandbox;

#[path = "../support/stocked.rs"]
mod stocked;

/// Names the job of a child process: sign in and sync, once or twice, and say how much memory that took.
const CHILD: &str = "--sync-in-a-process-of-its-own";

fn sync(criterion: &mut Criterion) {
    let runtime = stocked::runtime();
    let sandbox = runtime.block_on(stocked::sandbox(10_000));
    let user = &sandbox.users()[0];
    let fresh = || {
        let folder = tempfile::tempdir().unwrap();
        let wallet = stocked::open(folder.path());
        runtime.block_on(stocked::sign_in(&wallet, &sandbox.url(), &user.name, &user.password));
        (folder, wallet)
    };
    let mut group = criterion.benchmark_group("sync of 10,000 tickets");
    group.sample_size(10);
    group.bench_function("first", |b| {
        b.iter_batched(
            fresh,
            |(folder, wallet)| {
                runtime.block_on(wallet.sync(None)).unwrap();
                (folder, wallet)
            },
            BatchSize::PerIteration,
        );
    });
    let (_folder, wallet) = fresh();
    runtime.block_on(wallet.sync(None)).unwrap();
    group.bench_function("unchanged", |b| b.iter(|| runtime.block_on(wallet.sync(None)).unwrap()));
    group.finish();
}

/// Requests, bytes and memory of a first sync, and of an unchanged one after it.
fn traffic(tickets: usize) {
    let sandbox = stocked::runtime().block_on(stocked::sandbox(tickets));
    let folder = tempfile::tempdir().unwrap();
    for what in ["first", "unchanged"] {
        let (requests, bytes) = (sandbox.requests().len(), sandbox.bytes_sent());
        let peak = child(&sandbox, folder.path(), what);
        println!(
            "{what} sync of {tickets}: {} requests, {} bytes received, peak memory {peak} KiB",
            sandbox.requests().len() - requests,
            sandbox.bytes_sent() - bytes
        );
    }
}

/// Runs a sync in a process of its own; returns its peak of resident memory in KiB.
fn child(sandbox: &Sandbox, folder: &Path, what: &str) -> u64 {
    let user = &sandbox.users()[0];
    let arguments = [CHILD, what, folder.to_str().unwrap(), &sandbox.url(), &user.name, &user.password];
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn be_the_child(arguments: &[String]) {
    let [what, folder, url, user, password] = arguments else { return };
    let wallet = stocked::open(Path::new(folder));
    stocked::runtime().block_on(async {
        if what == "first" {
            stocked::sign_in(&wallet, url, user, password).await;
        }
        wallet.sync(None).await.unwrap();
    });
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}

criterion_group!(benches, sync);

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == CHILD) {
        return be_the_child(&arguments[1..]);
    }
    if arguments.iter().any(|argument| argument == "--bench") {
        traffic(1_000);
        traffic(10_000);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
