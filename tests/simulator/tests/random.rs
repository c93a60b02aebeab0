//! Promise: whatever becomes of scanners, their clocks and what they tell each other, and whatever some of them make up, a
//! ticket enters no more often than scanners could not know of each other, all honest ones report the same in the end, every
//! extra entry is named, and no honest ticket whose code no liar had is refused because of a lie.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../../support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "../../support/moments.rs"]
mod moments;
#[path = "../../support/threads.rs"]
mod threads;

use moments::Moments;
use proptest::prelude::*;
use threads::Runs;
use ticket_wallet_simulator::{Check, Options, Outcome, simulate};

/// A small event with some of every kind of trouble.
fn small(seed: u64) -> Options {
    let mut moments = Moments(seed);
    let mut between =
        |low: u32, high: u32| low + u32::try_from(moments.below(u64::from(high - low + 1))).unwrap();
    let scanners = between(3, 8);
    let rogues = between(0, 2.min(scanners - 2));
    // Two of them stay honest to the end.
    let lost = between(0, 1.min(scanners - rogues - 2));
    Options {
        seed,
        scanners,
        rogues,
        lost,
        wiped: between(0, 1.min(scanners - rogues - lost - 1)),
        restarted: between(0, 2),
        tickets: between(20, 60),
        minutes: between(5, 15),
        groups: between(1, 3),
        apart: between(0, 90),
        exchange_s: between(20, 120),
        delay_ms: between(0, 20_000),
        loss: between(0, 30),
        doubled: between(0, 30),
        max_bytes: [4_096, 8_192, 1 << 20][usize::try_from(between(0, 2)).unwrap()],
        skew_s: 120,
        skewed: between(0, 60),
        window_s: [30, 60, 255][usize::try_from(between(0, 2)).unwrap()],
        lies: between(1, 8),
        revoke_rogues: between(0, 1) == 1,
        again: between(0, 60),
        resold: between(0, 30),
        revoked: between(0, 20),
        undone: between(0, 10),
        overridden: between(0, 30),
        full: 0,
        deaf: 0,
    }
}

fn run(options: &Options) -> Outcome {
    simulate(options, |_| ()).unwrap_or_else(|reason| panic!("{reason}: {options:?}"))
}

fn any_holds(seed: u64) {
    let options = small(seed);
    let outcome = run(&options);
    assert!(outcome.failures().is_empty(), "{options:?}\n{}", outcome.text());
}

#[test]
fn any_small_event_holds() {
    let (simulations, seed) = (counts::in_step(counts::SIMULATIONS), moments::seed());
    println!("{simulations} simulations; PROPTEST_RNG_SEED={seed}");
    let kept = "tests/random.proptest-regressions";
    let inputs = || any::<u64>().no_shrink();
    Runs { kept, shrinks: 0, inputs, run: any_holds }.share(simulations, seed);
}

/// An event in which nothing goes wrong but that tickets are shown twice.
fn calm() -> Options {
    Options {
        scanners: 3,
        tickets: 30,
        minutes: 20,
        groups: 1,
        exchange_s: 15,
        delay_ms: 500,
        loss: 0,
        skewed: 0,
        lost: 0,
        restarted: 0,
        wiped: 0,
        rogues: 0,
        again: 100,
        resold: 0,
        revoked: 0,
        undone: 0,
        overridden: 0,
        ..Options::default()
    }
}

#[test]
fn a_scanner_that_throws_away_what_it_is_sent_is_noticed() {
    let failed = |options: &Options| {
        let outcome = run(options);
        let checks: Vec<_> = outcome.failures().iter().map(|failure| failure.check).collect();
        (checks, outcome.text())
    };
    let (none, text) = failed(&calm());
    assert_eq!(none, [], "{text}");
    let (found, text) = failed(&Options { deaf: 1, ..calm() });
    for check in [Check::Bound, Check::Agreement, Check::Named] {
        assert!(found.contains(&check), "{check:?}: {text}");
    }
    assert!(text.contains("FAILS"), "{text}");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let refused = |options: Options| simulate(&options, |_| ()).unwrap_err();
    assert!(refused(Options { loss: 101, ..calm() }).contains("share"));
    assert!(refused(Options { minutes: 0, ..calm() }).contains("count from 1"));
    assert!(refused(Options { rogues: 3, ..calm() }).contains("honest"));
}

#[test]
fn the_summary_has_the_course_of_time() {
    let outcome = run(&Options { tickets: 10, minutes: 5, ..calm() });
    let json = outcome.json();
    let admitted = json["counts"]["timeline"]["admitted"].as_array().unwrap();
    let sum: u64 = admitted.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(Some(sum), json["counts"]["admitted"].as_u64());
    assert_eq!(json["checks"].as_array().unwrap().len(), Check::ALL.len());
    assert!(outcome.svg().starts_with("<svg") && outcome.svg().contains("double entries"));
    assert!(outcome.text().contains("seed 1\n"));
}
