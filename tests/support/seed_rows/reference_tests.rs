//! What is read of a reference, and of changed ones.

use std::collections::BTreeSet;

use super::{Kind, SEEDS, Seed};

fn seed() -> &'static Seed {
    SEEDS.iter().find(|seed| seed.name == "ticketing").unwrap()
}

fn told(seed: &Seed) -> BTreeSet<(String, String)> {
    seed.rows().into_iter().map(|row| (row.id, row.text)).collect()
}

#[test]
fn ticketings_reference_is_read() {
    let rows = seed().rows();
    use Kind as K;
    let kinds = [K::Endpoint, K::Parameter, K::Header, K::Error, K::Heading, K::Address, K::Member];
    let count = |kind| rows.iter().filter(|row| row.kind == kind).count();
    assert_eq!(kinds.map(count), [3, 8, 6, 6, 22, 5, 29]);
    for id in [
        "X-API-Key: a9427bf35dd3d3011a1277c9c344ae07",
        "X-Client-Version: 3.0.0",
        "message: Your request could not be authenticated.",
        "error: Please upgrade your client to complete this request",
        "https://qa.ticketingevents.com/v3/",
        "Ticket Transfers",
        "POST /events/{event}/tokens",
        "POST /events/{event}/tokens {event}",
        "POST /events/{event}/tokens /sections",
        "POST /events/{event}/tokens Content-Type",
        "POST /events/{event}/tokens example /sections/1",
        "POST /events/{event}/tokens → /code",
        "POST /events/{event}/tokens → example /global",
        "GET /events/{event}/tokens ?records",
        "GET /events/{event}/tokens ?records=25",
        "GET /events/{event}/tokens ?page=1",
        "GET /events/{event}/tokens ?global=true",
        "GET /events/{event}/tokens → /entries",
        "GET /events/{event}/tokens → example /entries/1",
        "GET /events/{event}/tokens/{token} {token}",
        "GET /events/{event}/tokens/{token} → /self: URI of the token resource",
    ] {
        assert!(rows.iter().any(|row| row.id == id), "{id}");
    }
}

#[test]
fn a_sentence_anywhere_is_a_row_and_no_line_says_nothing() {
    const NEW: &str = "A new thing is said here.";
    let lines: Vec<_> = seed().text.lines().collect();
    let changed = |lines: Vec<&str>| Seed { text: lines.join("\n").leak(), ..*seed() };
    let before = told(seed());
    let mut depth = 0_i32;
    for (index, line) in lines.iter().enumerate() {
        // Not inside of an example that goes over several lines, nor within a call.
        let within = depth > 0 || line.trim_start().starts_with(['\'', '-']);
        let one_line = line.contains('{') && line.contains('}');
        depth += i32::from(line.contains('{') && !one_line) - i32::from(line.contains('}') && !one_line);
        if within || line.trim().is_empty() {
            continue;
        }
        let more = changed([&lines[..index], &[NEW], &lines[index..]].concat());
        let is_new = |(id, text): &(String, String)| id.contains(NEW) || text.contains(NEW);
        let read = std::panic::catch_unwind(|| told(&more));
        assert!(read.is_err() || read.is_ok_and(|told| told.iter().any(is_new)), "before line {}", index + 1);
        let less = changed([&lines[..index], &lines[index + 1..]].concat());
        let read = std::panic::catch_unwind(|| told(&less) != before || !less.idle_asides().is_empty());
        assert!(read.unwrap_or(true) || repeats(&lines, index), "without {line}");
    }
}

/// Whether the aside of a line stands elsewhere too, so that nothing is missed without it.
fn repeats(lines: &[&str], index: usize) -> bool {
    let line = lines[index].trim();
    seed().asides.contains(&line) && lines.iter().filter(|other| other.trim() == line).count() > 1
}
