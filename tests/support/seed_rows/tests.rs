//! What is read of the documents, and of changed ones.

use super::*;

fn ids(seed: &Seed) -> Vec<String> {
    seed.rows().into_iter().map(|row| row.id).collect()
}

fn count(seed: &Seed, kind: Kind) -> usize {
    seed.rows().iter().filter(|row| row.kind == kind).count()
}

#[test]
fn b_a_m_s_document_is_read() {
    let [bam, ..] = &SEEDS;
    use Kind as K;
    let kinds = [K::Endpoint, K::Parameter, K::Value, K::Token, K::State, K::Statement];
    assert_eq!(kinds.map(|kind| count(bam, kind)), [4, 13, 7, 1, 3, 8]);
    let ids = ids(bam);
    assert_eq!(ids.len(), 36);
    for id in [
        "PDF & pkpass, where tickets are delivered as attachments in the order confirmation email",
        "GET v1/ticket",
        "GET v1/ticket ?format=PDF",
        "GET v1/ticket ?direction=desc",
        "GET v1/ticket ?with=[ticket_holder,ticket_config.event]",
        "POST /ticket/reserve /ticket_reservation_items/timeslot_id",
        "POST /ticket/reserve → reserved",
        "POST /ticket/free → available",
        "POST /ticket/issue → issued",
    ] {
        assert!(ids.iter().any(|known| known == id), "{id}");
    }
}

#[test]
fn unidys_document_is_read() {
    let [_, unidy, ..] = &SEEDS;
    use Kind as K;
    let kinds = [K::Member, K::Address, K::Item, K::Statement];
    assert_eq!(kinds.map(|kind| count(unidy, kind)), [50, 3, 6, 10]);
    let ids = ids(unidy);
    assert_eq!(ids.len(), 69);
    for id in [
        "/metadata/seat/priceCategory/isoNetAmount/amount",
        "/metadata/performer/1/imgUrl",
        "/ends_at",
        "https://{brand URL}/dashboard/tickets",
        "authorizationCode",
        "passive",
        "Every ticket is associated with one ticket category.",
    ] {
        assert!(ids.iter().any(|known| known == id), "{id}");
    }
    assert_eq!(unidy.examples().len(), 1);
}

#[test]
fn texpos_document_is_read() {
    let [_, _, texpo, ..] = &SEEDS;
    use Kind as K;
    let kinds = [K::Endpoint, K::Value, K::Address, K::Token, K::Parameter, K::Member, K::Statement];
    assert_eq!(kinds.map(|kind| count(texpo, kind)), [4, 33, 4, 8, 26, 46, 0]);
    let ids = ids(texpo);
    assert_eq!(ids.len(), 121);
    for id in [
        "POST /jsonRpc/ticket.getPurchasableTickets",
        "POST /jsonRpc/ticket.deletePurchasableTicket HTTP Method: POST",
        "POST /jsonRpc/ticket.updatePurchasableTicket network.manage /networkId",
        "POST /jsonRpc/ticket.createPurchasableTicket request /ticket/grants/*/grantTarget=roleId:roleTarget",
        "POST /jsonRpc/ticket.createPurchasableTicket reply /data/ticket/ticketType=days:2of3",
        "POST /jsonRpc/ticket.getPurchasableTickets reply /data/tickets/*/price",
        "POST /jsonRpc/ticket.getPurchasableTickets reply /error/message",
        "POST /jsonRpc/ticket.deletePurchasableTicket reply {}",
    ] {
        assert!(ids.iter().any(|known| known == id), "{id}");
    }
}

#[test]
fn each_aside_stands_in_its_document() {
    for seed in &SEEDS {
        assert_eq!(seed.idle_asides(), [""; 0], "{}", seed.name);
    }
}

#[test]
fn whatever_is_added_is_a_new_row() {
    let [bam, unidy, texpo, ..] = &SEEDS;
    for (seed, after, line, expected) in [
        (bam, "asc or desc", "  • page is the page", "GET v1/ticket ?page"),
        (bam, "config,", "      • seat - A or B", "POST /ticket/reserve /ticket_reservation_items/seat=B"),
        (bam, "in the issued state.", "  4. Undo it with DELETE /ticket/:id at once.", "DELETE /ticket/:id"),
        (bam, "Ticket status flow", "A ticket may be lost.", "A ticket may be lost."),
        (bam, "Back to top", "Errors", "Errors"),
        (unidy, "\"seating\": null,", "\"gate\": {\"a/b\": 1},", "/gate/a~1b"),
        (unidy, "/api-docs", "- Status: https://{brand URL}/status", "https://{brand URL}/status"),
        (unidy, "passive", "paused", "paused"),
        (texpo, "Delete purchasable ticket", "/jsonRpc/ticket.xjsonRpcBuy it", "POST /jsonRpc/ticket.x"),
        (
            texpo,
            "\"price\": float",
            "\"tax\": float  // tax in USD",
            "POST /jsonRpc/ticket.createPurchasableTicket request /ticket/tax",
        ),
        (unidy, "- A single user", "- Users are never alone.", "Users are never alone."),
    ] {
        let at = seed.text.find(after).unwrap();
        let end = at + seed.text[at..].find('\n').unwrap_or(seed.text.len() - at);
        let changed = changed(seed, format!("{}\n{line}{}", &seed.text[..end], &seed.text[end..]));
        let (before, now) = (ids(seed), ids(&changed));
        let new: Vec<_> = now.iter().filter(|id| !before.contains(id)).collect();
        assert!(new.iter().any(|id| *id == expected), "{line}: {new:?}");
        assert!(before.iter().all(|id| now.contains(id)), "{line}");
    }
}

#[test]
fn a_sentence_anywhere_is_a_row_and_no_line_says_nothing() {
    const NEW: &str = "A new thing is said here.";
    for seed in SEEDS.iter().filter(|seed| !seed.is_reference()) {
        let lines: Vec<_> = seed.text.lines().collect();
        let told =
            |seed: &Seed| -> BTreeSet<_> { seed.rows().into_iter().map(|row| (row.id, row.text)).collect() };
        let before = told(seed);
        for index in (0..lines.len()).filter(|index| !is_in_example(&lines, *index)) {
            let more = [&lines[..index], &[NEW], &lines[index..]].concat().join("\n");
            let new = told(&changed(seed, more));
            let is_new = |(id, text): &(String, String)| id.starts_with(NEW) || text.starts_with(NEW);
            assert!(new.iter().any(is_new), "{} before line {}", seed.name, index + 1);
            let less = changed(seed, [&lines[..index], &lines[index + 1..]].concat().join("\n"));
            let is_missed = told(&less) != before || !less.idle_asides().is_empty();
            assert!(is_missed || lines[index].trim().is_empty(), "{} without {}", seed.name, lines[index]);
        }
    }
}

fn changed(seed: &Seed, text: String) -> Seed {
    Seed { text: text.leak(), ..*seed }
}

/// Whether a line stands between the first and the last brace of an example.
fn is_in_example(lines: &[&str], index: usize) -> bool {
    let first = lines.iter().position(|line| line.trim() == "{");
    let last = lines.iter().rposition(|line| line.trim() == "}");
    first.zip(last).is_some_and(|(first, last)| (first..=last).contains(&index))
}
