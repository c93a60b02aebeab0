//! The same in a process of its own, whose peak of memory is measured.

use std::env;
use std::process::Command;

use crate::box_office::{BoxOffice, Lies};
use crate::phone::{Phone, TestClock};
use crate::tiny_server::{Answer, Asked};
use crate::{MIB, bomb, endless, gzip, items};

/// The test that is the measured process when this is set, to the server's address.
const TEST: &str = "measured::a_process_that_syncs_tells_its_peak";
const URL: &str = "HOSTILE_SIZES_URL";
/// The costliest list takes 134; a process that only signs in takes 17.
const PEAK_MIB: usize = 200;

/// What a process that signs in and syncs comes to, and its peak in MiB.
fn measure(answer: Answer) -> (String, usize) {
    let lie = move |asked: &Asked| asked.path.starts_with("/v1/ticket").then(|| answer.clone());
    let office = BoxOffice::open(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]).env(URL, office.sign_in().config.url);
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = output
        .lines()
        .find_map(|line| line.split_once("measured ").map(|(_, told)| told))
        .unwrap_or_else(|| panic!("{output}"));
    let (peak, outcome) = line.split_once(' ').unwrap();
    (outcome.to_owned(), peak.parse::<usize>().unwrap() / 1024)
}

#[tokio::test]
async fn a_process_that_syncs_tells_its_peak() {
    let url = env::var(URL).ok();
    let honest = BoxOffice::open(Lies::default());
    let mut sign_in = honest.sign_in();
    if let Some(url) = &url {
        sign_in.config.url.clone_from(url);
    }
    let phone = Phone::new(&TestClock::new());
    phone.wallet.sign_in(sign_in).await.unwrap();
    let outcome = match phone.wallet.sync(None).await {
        Ok(report) => format!("{} received", report.received),
        Err(error) => error.code().to_owned(),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("measured {} {outcome}", peak.trim().trim_end_matches(" kB"));
    assert!(url.is_some() || outcome == "2 received", "{outcome}");
}

/// The costliest list that is taken: objects of one member, as many as may be.
fn costliest() -> String {
    let objects = items(r#"{"a":0}"#, 20);
    let tickets: Vec<String> = (1..=9_999).map(|id| format!(r#"{{"id":{id},"x":{objects}}}"#)).collect();
    format!(r#"{{"data":[{}]}}"#, tickets.join(","))
}

#[test]
fn memory_stays_bounded() {
    let zeros = format!(r#"{{"data":{}}}"#, items("0", 16 * MIB - 100));
    let objects = format!(r#"{{"data":{}}}"#, items(&items(r#"{"a":0}"#, 9_999), 400));
    let cases = [
        ("50 MB", Answer::ok(vec![b' '; 50 * MIB]), "unreachable"),
        ("bytes without end", endless("HTTP/1.1 200 X\r\n\r\n", vec![b' '; MIB]), "unreachable"),
        ("a gzip bomb of 10 GB", gzip(bomb(1_000)), "unreachable"),
        ("32 MiB of zeros", Answer::ok(zeros), "unreachable"),
        ("30 MB of objects", Answer::ok(objects), "unreachable"),
        ("the costliest list", Answer::ok(costliest()), "9999 received"),
    ];
    for (name, answer, expected) in cases {
        let (outcome, peak) = measure(answer);
        println!("{name}: {outcome}, {peak} MiB");
        assert_eq!(outcome, expected, "{name}");
        assert!(peak < PEAK_MIB, "{name}: {peak} MiB");
    }
}
