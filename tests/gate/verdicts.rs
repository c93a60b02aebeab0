//! Each verdict through the facade, in the order of the checks.

use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::{Profile, TicketState};
use ticket_wallet::model::Provider;
use ticket_wallet::{Issuer, ManifestKey, ManifestRequest, ManifestTicket, NonceEpoch};

use crate::phone::TestClock;
use crate::support::{bytes, vectors};
use crate::venue::{BamKey, PROVIDER, Shown, Venue};

const NONCE: [u8; 8] = *b"tonight!";

fn row(ticket: &str, change: impl FnOnce(&mut ManifestTicket)) -> ManifestTicket {
    let mut row = Venue::row(ticket, Profile::Signed, None);
    change(&mut row);
    row
}

/// Every ticket that a test below needs.
fn stocked(venue: &Venue) -> ManifestRequest {
    ManifestRequest {
        tickets: vec![
            row("superseded", |row| row.generation = 3),
            row("revoked", |row| row.state = TicketState::Revoked),
            row("blocked", |row| row.state = TicketState::Blocked),
            row("listed", |row| row.state = TicketState::Listed),
            row("photographed", |row| {
                row.code = Some("E4711TC1T5".to_owned());
                row.seat = Some("Row 3, seat 7".to_owned());
            }),
            Venue::row("plain", Profile::Plain, Some("4006381333931")),
            Venue::row("serial", Profile::Plain, Some("ABC123-0123456789AB")),
            ManifestTicket { section: 3, ..Venue::row("elsewhere", Profile::Plain, Some("SOUTH-1")) },
            Venue::row("static", Profile::BamSigned, Some("E4711TC1T6")),
        ],
        ..venue.request()
    }
}

/// What is wrong with a code.
type Fault = fn(&mut Shown);

async fn verdict(change: impl FnOnce(&mut Shown)) -> Verdict {
    let (clock, mut shown) = (TestClock::new(), Shown::of("90210"));
    let venue = Venue::new(&clock);
    venue.offer(&stocked(&venue));
    let door = venue.door().await;
    change(&mut shown);
    door.scan(&venue.show(&shown)).verdict
}

#[tokio::test]
async fn each_fault_of_a_signed_code_has_its_verdict_and_the_earlier_one_counts() {
    // In the order of the checks: each case has its own fault and all that come after it.
    let faults: [(Verdict, Fault); 11] = [
        (Verdict::Stale, |shown| shown.presented = -41),
        (Verdict::FromTheFuture, |shown| shown.presented = 11),
        (Verdict::NotYetValid, |shown| shown.not_before = 60),
        (Verdict::LeaseExpired, |shown| shown.lease_end = -1),
        (Verdict::WrongEvent, |shown| shown.event = "4712"),
        (Verdict::WrongSection, |shown| shown.section = 3),
        (Verdict::Superseded, |shown| shown.ticket = "superseded"),
        (Verdict::Revoked, |shown| shown.ticket = "revoked"),
        (Verdict::Blocked, |shown| shown.ticket = "blocked"),
        (Verdict::Listed, |shown| shown.ticket = "listed"),
        (Verdict::Admit, |_| {}),
    ];
    for (index, (expected, fault)) in faults.iter().enumerate() {
        assert_eq!(verdict(fault).await, *expected);
        for (later, other) in &faults[index + 1..] {
            // No issuer signs a lease that ends before it begins.
            if (*expected, *later) == (Verdict::NotYetValid, Verdict::LeaseExpired) {
                continue;
            }
            let both = verdict(|shown| {
                // The earlier one last: where both set one field it is the earlier that is shown.
                other(shown);
                fault(shown);
            });
            assert_eq!(both.await, *expected, "with {later:?}");
        }
    }
}

/// A ticket that several things speak against: the first of them counts.
#[tokio::test]
async fn profile_comes_before_generation_and_that_before_state_and_replay() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let revoked = |row: &mut ManifestTicket| row.state = TicketState::Revoked;
    let old_and_revoked = row("old", |row| (row.generation, row.state) = (3, TicketState::Revoked));
    let mut plain = Venue::row("plain", Profile::Plain, Some("4006381333931"));
    revoked(&mut plain);
    venue.offer(&ManifestRequest { tickets: vec![plain, old_and_revoked], ..venue.request() });
    let door = venue.door().await;
    for (ticket, generation, expected) in
        [("plain", 1, Verdict::WrongProfile), ("old", 2, Verdict::Superseded), ("old", 3, Verdict::Revoked)]
    {
        let shown = Shown { generation, ..Shown::of(ticket) };
        assert_eq!(door.scan(&venue.show(&shown)).verdict, expected, "{ticket} {generation}");
    }
    let used = venue.show(&Shown::of("used"));
    assert_eq!(door.scan(&used).verdict, Verdict::Admit);
    clock.pass_s(4);
    assert_eq!(door.scan(&used).verdict, Verdict::Replayed);
    let tickets = vec![row("used", revoked)];
    venue.offer(&ManifestRequest { sequence: 2, tickets, ..venue.request() });
    door.gate.prepare().await.unwrap();
    assert_eq!(door.scan(&used).verdict, Verdict::Revoked);
}

#[tokio::test]
async fn a_signature_that_does_not_hold_comes_before_all_else() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    venue.offer(&stocked(&venue));
    let door = venue.door().await;
    let stale = Shown { presented: -400, ..Shown::of("revoked") };
    let stranger = Issuer::new(vec![8; 32]).unwrap();
    assert_eq!(door.scan(&venue.show_signed_by(&stale, &stranger)).verdict, Verdict::UnknownIssuer);
    let good = venue.show(&stale);
    // The last group of the device's signature, changed for another.
    let end = if good.ends_with('0') { "1" } else { "0" };
    let spoilt = format!("{}{end}", &good[..good.len() - 1]);
    let spoilt = door.scan(&spoilt).verdict;
    assert!(matches!(spoilt, Verdict::BadDeviceSignature | Verdict::Malformed), "{spoilt:?}");
    let wrong_nonce = Shown { nonce: Some(NONCE), ..stale.clone() };
    assert_eq!(door.scan(&venue.show(&wrong_nonce)).verdict, Verdict::BadDeviceSignature);
    assert_eq!(door.scan("").verdict, Verdict::Malformed);
    assert_eq!(door.scan("TW1:I92M").verdict, Verdict::Malformed);
}

#[tokio::test]
async fn a_venue_nonce_counts_in_its_epoch_and_the_next_and_is_named_when_it_is_missing() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let now = u32::try_from(venue.now_s()).unwrap();
    let epochs =
        [(now - 600, *b"before!!"), (now, NONCE), (now + 600, *b"after!!!"), (now + 1_200, *b"later!!!")];
    let nonce_epochs =
        epochs.map(|(begin, nonce)| NonceEpoch { begin, end: begin + 599, nonce: nonce.to_vec() });
    venue.offer(&ManifestRequest {
        nonce_required: true,
        nonce_epochs: nonce_epochs.to_vec(),
        ..venue.request()
    });
    let door = venue.door().await;
    for (ticket, nonce, expected) in [
        ("a", Some(NONCE), Verdict::Admit),
        ("b", Some(*b"before!!"), Verdict::Admit),
        ("c", Some(*b"after!!!"), Verdict::Admit),
        ("d", Some(*b"later!!!"), Verdict::BadDeviceSignature),
        ("e", None, Verdict::BadDeviceSignature),
    ] {
        assert_eq!(
            door.scan(&venue.show(&Shown { nonce, ..Shown::of(ticket) })).verdict,
            expected,
            "{ticket}"
        );
    }
    clock.pass_s(4_000);
    let unknown = Shown { nonce: Some(NONCE), ..Shown::of("f") };
    assert_eq!(door.scan(&venue.show(&unknown)).verdict, Verdict::NonceUnavailable);
    // A forged credential is told as such, whatever the nonce.
    let stranger = Issuer::new(vec![8; 32]).unwrap();
    assert_eq!(door.scan(&venue.show_signed_by(&unknown, &stranger)).verdict, Verdict::UnknownIssuer);
}

#[tokio::test]
async fn codes_that_never_change_let_in_by_the_manifest_alone() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    venue.offer(&stocked(&venue));
    let door = venue.door().await;
    let plain = door.scan("4006381333931\r\n");
    assert_eq!((plain.verdict, plain.profile), (Verdict::Admit, Profile::Plain));
    assert!(!plain.certainty.is_proved, "anybody may have copied it");
    assert_eq!(door.scan("ABC123-0123456789AB:and what the printer adds").verdict, Verdict::Admit);
    assert_eq!(door.scan("SOUTH-1").verdict, Verdict::WrongSection);
    assert_eq!(door.scan("4006381333932").verdict, Verdict::UnknownTicket);
    clock.pass_s(4);
    assert_eq!(door.scan("4006381333931").verdict, Verdict::AlreadyAdmitted);
}

#[tokio::test]
async fn bams_code_lets_in_by_its_key_and_a_photograph_of_a_secure_tickets_code_does_not() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let bam = BamKey::new();
    let door = venue.door().await;
    let text = |seq| bam.code(seq);
    assert_eq!(door.scan(&text(6)).verdict, Verdict::UnknownIssuer, "there is no event key");
    let keyed = ManifestRequest { sequence: 2, event_key: Some(bam.public_key()), ..stocked(&venue) };
    venue.offer(&keyed);
    door.gate.prepare().await.unwrap();
    clock.pass_s(4);
    assert_eq!(door.scan(&text(6)).verdict, Verdict::Admit);
    assert_eq!(door.scan(&text(7)).verdict, Verdict::UnknownTicket);
    assert_eq!(door.scan(&BamKey::new().code(6)).verdict, Verdict::BadIssuerSignature);
    let photograph = door.scan(&text(5));
    assert_eq!((photograph.verdict, photograph.profile), (Verdict::WrongProfile, Profile::BamSigned));
    assert_eq!(photograph.seat.as_deref(), Some("Row 3, seat 7"));
    // The payload's text alone is no signature.
    assert_eq!(door.scan("E4711TC1T6").verdict, Verdict::WrongProfile);
    // And the ticket itself goes in.
    assert_eq!(door.scan(&venue.show(&Shown::of("photographed"))).verdict, Verdict::Admit);
    // A signed code of a ticket that has another kind goes nowhere.
    assert_eq!(door.scan(&venue.show(&Shown::of("static"))).verdict, Verdict::WrongProfile);
}

#[tokio::test]
async fn bams_code_needs_no_row_where_the_manifest_says_so() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let bam = BamKey::new();
    let mut tickets = stocked(&venue).tickets;
    tickets.push(ManifestTicket {
        state: TicketState::Blocked,
        ..Venue::row("kept out", Profile::BamSigned, Some("E4711TC1T9"))
    });
    let by_code = ManifestRequest {
        sequence: 2,
        unlisted: Profile::BamSigned,
        event_key: Some(bam.public_key()),
        tickets,
        ..venue.request()
    };
    venue.offer(&ManifestRequest { unlisted: Profile::Signed, sequence: 1, ..by_code.clone() });
    let door = venue.door().await;
    assert_eq!(door.scan(&bam.code(7)).verdict, Verdict::UnknownTicket);
    assert_eq!(door.scan(&bam.code_of("E4712TC1T7")).verdict, Verdict::WrongEvent);
    assert_eq!(door.scan(&venue.show(&Shown::of("90210"))).verdict, Verdict::Admit);
    venue.offer(&by_code);
    door.gate.prepare().await.unwrap();
    let door = door.restart();
    let admitted = door.scan(&bam.code(7));
    let id = Provider::parse(PROVIDER).unwrap().ticket("E4711TC1T7").unwrap();
    assert_eq!((admitted.verdict, admitted.profile), (Verdict::Admit, Profile::BamSigned));
    assert_eq!((admitted.ticket, admitted.section, admitted.generation), (Some(id.to_string()), None, 0));
    assert!(!admitted.certainty.is_proved, "anybody may have copied it");
    clock.pass_s(4);
    for (text, verdict) in [
        (bam.code(7), Verdict::AlreadyAdmitted),
        (bam.code(6), Verdict::Admit),
        // A row says more than the head: a photograph of a ticket whose own code is signed, and one that is blocked.
        (bam.code(5), Verdict::WrongProfile),
        (bam.code(9), Verdict::Blocked),
        (venue.show(&Shown::of("photographed")), Verdict::Admit),
        // And a signed code without a row is not what such tickets have.
        (venue.show(&Shown::of("90211")), Verdict::WrongProfile),
        (BamKey::new().code(8), Verdict::BadIssuerSignature),
        (bam.code_of("E4712TC1T8"), Verdict::WrongEvent),
        (BamKey::new().code_of("E4712TC1T8"), Verdict::WrongEvent),
        ("E4711TC1T8".to_owned(), Verdict::UnknownTicket),
        ("4006381333931".to_owned(), Verdict::Admit),
    ] {
        assert_eq!(door.scan(&text).verdict, verdict, "{text}");
    }
}

#[tokio::test]
async fn the_vectors_of_format_1_get_their_verdicts_at_a_gate() {
    let vectors = vectors();
    assert_eq!(vectors["provider"], PROVIDER);
    for case in vectors["cases"].as_array().unwrap() {
        let clock = TestClock::new();
        let now = case["now"].as_i64().unwrap();
        clock.set_wall_ms(now * 1000);
        let venue = Venue::new(&clock);
        let begin = u32::try_from(now).unwrap() - 600;
        let nonces = case["venue_nonces"].as_array().unwrap().iter().zip([begin, begin + 600]);
        venue.offer(&ManifestRequest {
            issuers: vec![ManifestKey {
                public_key: bytes(&vectors["issuer_public_key"]),
                valid_from: 0,
                valid_until: None,
            }],
            nonce_epochs: nonces
                .map(|(nonce, begin)| NonceEpoch { begin, end: begin + 599, nonce: bytes(nonce) })
                .collect(),
            ..venue.request()
        });
        let door = venue.door().await;
        let text = case["text"].as_str().unwrap();
        let expected = match case["verdict"].as_str().unwrap() {
            "Valid" => "Admit",
            // To a gate a text of no format is a code that its manifest does not know.
            "Malformed" if !text.is_empty() && !text.starts_with("TW1:") => "UnknownTicket",
            other => other,
        };
        let said = door.scan(text);
        assert_eq!(format!("{:?}", said.verdict), expected, "{}", case["name"]);
        if said.verdict == Verdict::Admit {
            assert_eq!(said.ticket.as_deref(), case["fields"]["ticket"].as_str());
            assert!(said.certainty.is_proved);
        }
    }
}
