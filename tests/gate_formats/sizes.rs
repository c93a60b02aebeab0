//! Large manifests, and what is made of any bytes and any content.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::ledger::{Certificate, Record};
use ticket_wallet::manifest::{
    Draft, DraftTicket, EntryPolicy, Epoch, Head, Manifest, ManifestError, Profile, TicketState, delta,
};
use ticket_wallet::model::{EventHash, TicketHash};

const MANIFEST: &[u8] = b"ticket-wallet/1/manifest\0";
const DELTA: &[u8] = b"ticket-wallet/1/delta\0";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn key() -> IssuerKey {
    IssuerKey::from_bytes(pair().public_key().as_ref()).unwrap()
}

fn signed(label: &[u8], body: &[u8]) -> Vec<u8> {
    let signature = pair().sign(&[label, body].concat());
    [body, signature.as_ref()].concat()
}

fn head(sequence: u32) -> Head {
    Head {
        event: EventHash(*b"event-id"),
        sequence,
        as_of: 1_790_000_000 + sequence,
        closes_at: None,
        policy: EntryPolicy::Single,
        entries: 1,
        nonce_required: false,
        unlisted: Profile::Signed,
    }
}

fn id(number: u32) -> TicketHash {
    // Spread as hashes are.
    let high = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let mut id = [0; 12];
    id[..8].copy_from_slice(&high);
    id[8..].copy_from_slice(&number.to_be_bytes());
    TicketHash(id)
}

/// Every second ticket is signed, the others have a serial.
fn ticket(number: u32) -> DraftTicket {
    let is_signed = number.is_multiple_of(2);
    DraftTicket {
        id: id(number),
        floor: u16::from(is_signed),
        section: (number % 40) as u16,
        state: TicketState::Valid,
        profile: if is_signed { Profile::Signed } else { Profile::Plain },
        entries: None,
        code: (!is_signed).then(|| format!("{number:06}-ABCDEFGHIJKL")),
        seat: None,
    }
}

fn draft(head: Head, tickets: Vec<DraftTicket>) -> Draft {
    Draft {
        head,
        issuers: Vec::new(),
        sections: (1..40).map(|code| (code, format!("Block {code}"))).collect(),
        days: Vec::new(),
        epochs: (0..500)
            .map(|n| Epoch { begin: n * 60, end: n * 60 + 59, nonce: u64::from(n).to_be_bytes() })
            .collect(),
        tickets,
        event_key: None,
        revoked: Vec::new(),
    }
}

#[test]
fn a_hundred_thousand_tickets_are_under_4_mb_and_a_hundred_changes_under_8_kb() {
    let mut now = draft(head(1), (0..100_000).map(ticket).collect());
    let bytes = signed(MANIFEST, &now.to_bytes().unwrap());
    assert!(bytes.len() <= 4_000_000, "{}", bytes.len());
    let first = Manifest::read(&bytes, &key()).unwrap();
    assert_eq!(first.ticket_count(), 100_000);
    for number in [0, 1, 99_998, 99_999] {
        assert_eq!(first.ticket(&id(number)).unwrap().section, (number % 40) as u16);
    }
    assert_eq!(first.ticket_with_code(b"099999-ABCDEFGHIJKL").unwrap().id, id(99_999));
    assert_eq!(first.ticket_with_code(b"099998-ABCDEFGHIJKL"), None, "a signed ticket has no serial");
    assert_eq!(first.ticket(&id(100_000)), None);

    now.head = head(2);
    for changed in now.tickets.iter_mut().take(90) {
        changed.state = TicketState::Revoked;
    }
    now.tickets.extend((100_000..100_010).map(ticket));
    let second = Manifest::read(&signed(MANIFEST, &now.to_bytes().unwrap()), &key()).unwrap();
    let change = signed(DELTA, &delta(&first, &second).unwrap());
    assert!(change.len() <= 8_192, "{}", change.len());
    assert!(first.apply(&change, &key()).unwrap() == second);

    // Seats are apart.
    for ticket in &mut now.tickets {
        ticket.seat = Some("Row 12, seat 34".to_owned());
    }
    let seated = Manifest::read(&signed(MANIFEST, &now.to_bytes().unwrap()), &key()).unwrap();
    assert_eq!(seated.seat(&id(5)), Some("Row 12, seat 34"));
    assert_eq!(seated.body().len() - second.body().len(), 5 + now.tickets.len() * 28);
}

#[test]
fn what_a_delta_cannot_say_is_no_delta() {
    let all = draft(head(1), (0..10).map(ticket).collect());
    let read = |draft: &Draft| Manifest::read(&signed(MANIFEST, &draft.to_bytes().unwrap()), &key()).unwrap();
    let fewer = Draft { head: head(2), tickets: all.tickets[1..].to_vec(), ..all.clone() };
    let no_sections = Draft { head: head(2), sections: BTreeMap::new(), ..all.clone() };
    for later in [fewer, no_sections] {
        assert_eq!(delta(&read(&all), &read(&later)), None);
    }
    let older = Draft { head: head(2), ..all.clone() };
    assert_eq!(delta(&read(&older), &read(&all)), None, "no way back");
}

fn any_ticket() -> impl Strategy<Value = DraftTicket> {
    let state = prop_oneof![
        Just(TicketState::Valid),
        Just(TicketState::Revoked),
        Just(TicketState::Blocked),
        Just(TicketState::Listed)
    ];
    let seat = proptest::option::of("\\PC{1,20}");
    (0_u32..200, 0_u8..3, 1_u16.., any::<u16>(), state, proptest::option::of(1_u8..), seat).prop_map(
        |(number, profile, floor, section, state, entries, seat)| DraftTicket {
            id: id(number),
            floor: if profile == 0 { floor } else { 0 },
            section,
            state,
            profile: [Profile::Signed, Profile::BamSigned, Profile::Plain][usize::from(profile)],
            entries,
            code: (profile != 0 || number % 2 == 0).then(|| number.to_string()),
            seat,
        },
    )
}

fn any_draft(sequence: u32) -> impl Strategy<Value = Draft> {
    proptest::collection::vec(any_ticket(), 0..40).prop_map(move |tickets| {
        let tickets: BTreeMap<_, _> = tickets.into_iter().map(|ticket| (ticket.id.0, ticket)).collect();
        draft(head(sequence), tickets.into_values().collect())
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(draft in any_draft(1)) {
        let manifest = Manifest::read(&signed(MANIFEST, &draft.to_bytes().unwrap()), &key()).unwrap();
        prop_assert_eq!(manifest.head(), &draft.head);
        prop_assert_eq!(manifest.ticket_count(), draft.tickets.len());
        for ticket in &draft.tickets {
            let row = manifest.ticket(&ticket.id).unwrap();
            prop_assert_eq!(
                (row.floor, row.section, row.state, row.profile, row.entries),
                (ticket.floor, ticket.section, ticket.state, ticket.profile, ticket.entries)
            );
            prop_assert_eq!(manifest.seat(&ticket.id), ticket.seat.as_deref());
            if let Some(code) = &ticket.code {
                prop_assert_eq!(manifest.ticket_with_code(code.as_bytes()), Some(row));
            }
        }
    }

    #[test]
    fn a_delta_gives_what_it_was_made_for(before in any_draft(1), later in any_draft(2)) {
        // Nothing is ever taken away.
        let mut tickets: BTreeMap<_, _> = before.tickets.iter().map(|one| (one.id.0, one.clone())).collect();
        for mut ticket in later.tickets {
            let seat = tickets.get(&ticket.id.0).and_then(|before| before.seat.clone());
            ticket.seat = ticket.seat.or(seat);
            tickets.insert(ticket.id.0, ticket);
        }
        let later = Draft { head: later.head, tickets: tickets.into_values().collect(), ..before.clone() };
        let read = |draft: &Draft| Manifest::read(&signed(MANIFEST, &draft.to_bytes().unwrap()), &key());
        let (before, later) = (read(&before).unwrap(), read(&later).unwrap());
        let change = signed(DELTA, &delta(&before, &later).unwrap());
        prop_assert!(before.apply(&change, &key()).unwrap() == later);
        prop_assert_eq!(later.apply(&change, &key()).unwrap_err(), ManifestError::WrongBase);
    }

    #[test]
    fn no_bytes_are_too_odd(
        draft in any_draft(1), at in any::<prop::sample::Index>(), with: u8, cut in any::<prop::sample::Index>()
    ) {
        let mut body = draft.to_bytes().unwrap();
        let at = at.index(body.len());
        body[at] ^= with;
        let _ = Manifest::read(&signed(MANIFEST, &body), &key());
        body.truncate(cut.index(body.len()));
        let _ = Manifest::read(&signed(MANIFEST, &body), &key());
        let _ = Certificate::read(&signed(b"ticket-wallet/1/scanner\0", &body), &key());
        let _ = Record::from_bytes(&body);
    }
}
