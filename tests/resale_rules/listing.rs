//! Every event in every state of a listing.

use std::collections::BTreeSet;

use ticket_wallet::resale::{CloseReason, ListingEvent, ListingRefusal, ListingState, ends_at};

/// The columns of [`TABLE`].
fn events() -> [ListingEvent; 11] {
    let reason = CloseReason::Scanned;
    [
        ListingEvent::Approved,
        ListingEvent::Paused,
        ListingEvent::Resumed,
        ListingEvent::Reserved,
        ListingEvent::ReservationTimedOut,
        ListingEvent::Paid,
        ListingEvent::Reissued,
        ListingEvent::PaidOut,
        ListingEvent::Withdrawn,
        ListingEvent::CutOff,
        ListingEvent::Closed { reason },
    ]
}

/// For each state what each event makes of it: a state by its server's text, or the refusal by its name.
#[rustfmt::skip]
const TABLE: [(&str, [&str; 11]); 11] = [
//                 approved   paused        resumed       reserved      timed out      paid           reissued    paid out    withdrawn    cut off       closed
    ("under_review", ["active", "NotForSale", "NotForSale", "NotForSale", "NotReserved", "NotReserved", "TooEarly", "TooEarly", "withdrawn", "NotForSale", "closed"]),
    ("active",     ["Already",  "paused",     "Already",    "reserved",   "NotReserved", "NotReserved", "TooEarly", "TooEarly", "withdrawn", "expired",    "closed"]),
    ("paused",     ["Already",  "Already",    "active",     "NotForSale", "NotReserved", "NotReserved", "TooEarly", "TooEarly", "withdrawn", "expired",    "closed"]),
    ("reserved",   ["Reserved", "Reserved",   "Reserved",   "Already",    "active",      "sold",        "TooEarly", "TooEarly", "Reserved",  "Reserved",   "closed"]),
    ("sold",       ["Sold",     "Sold",       "Sold",       "Sold",       "Sold",        "Sold",        "reissued", "TooEarly", "Sold",      "Sold",       "Sold"]),
    ("reissued",   ["Sold",     "Sold",       "Sold",       "Sold",       "Sold",        "Sold",        "Already",  "paid_out", "Sold",      "Sold",       "Sold"]),
    ("paid_out",   ["Ended"; 11]),
    ("withdrawn",  ["Ended"; 11]),
    ("expired",    ["Ended"; 11]),
    ("closed",     ["Ended"; 11]),
    ("auctioned",  ["UnknownState"; 11]),
];

fn states() -> Vec<ListingState> {
    TABLE.iter().map(|(text, _)| state(text)).collect()
}

fn state(text: &str) -> ListingState {
    ListingState::from_server(text, Some("scanned"))
}

fn named(after: &Result<ListingState, ListingRefusal>) -> String {
    after.as_ref().map_or_else(|refusal| format!("{refusal:?}"), |state| state.as_text().to_owned())
}

#[test]
fn each_event_is_taken_or_refused_as_the_table_says() {
    for (text, row) in TABLE {
        for (event, expected) in events().into_iter().zip(row) {
            let what = format!("{event:?} of {text}");
            assert_eq!(named(&state(text).after(event)), expected, "{what}");
        }
    }
}

#[test]
fn the_table_has_every_edge_of_the_machine_and_no_other() {
    let mut edges = BTreeSet::new();
    for before in states() {
        for event in events() {
            edges.extend(
                before.after(event).map(|to| format!("{} > {}", before.as_text(), to.as_text())).ok(),
            );
        }
    }
    let drawn = "active > closed, active > expired, active > paused, active > reserved, active > withdrawn, \
                 paused > active, paused > closed, paused > expired, paused > withdrawn, reissued > paid_out, \
                 reserved > active, reserved > closed, reserved > sold, sold > reissued, under_review > active, \
                 under_review > closed, under_review > withdrawn";
    assert_eq!(edges.into_iter().collect::<Vec<_>>().join(", "), drawn);
}

#[test]
fn what_a_look_may_have_missed_is_what_events_lead_to() {
    for first in states() {
        let mut reached = vec![first.clone()];
        let mut at = 0;
        while let Some(now) = reached.get(at).cloned() {
            at += 1;
            for event in events() {
                let next = now.after(event).ok();
                reached.extend(next.filter(|next| !reached.contains(next)));
            }
        }
        for later in states() {
            let either_unknown = [&first, &later].iter().any(|it| matches!(it, ListingState::Unknown { .. }));
            let expected = either_unknown || reached.contains(&later);
            let what = format!("{} to {}", first.as_text(), later.as_text());
            assert_eq!(first.may_become(&later), expected, "{what}");
        }
    }
}

#[test]
fn every_end_is_one_of_three_kinds() {
    for state in states() {
        let kinds = [state.is_open(), state.is_sold(), state.has_ended()];
        let unknown = matches!(state, ListingState::Unknown { .. });
        assert_eq!(kinds.iter().filter(|it| **it).count(), usize::from(!unknown), "{state:?}");
    }
}

#[test]
fn a_servers_text_is_read_in_either_case_and_an_unknown_one_stays_as_it_came() {
    for (text, _) in TABLE {
        let read = state(text);
        assert_eq!(read.as_text(), text);
        if text != "auctioned" {
            assert_eq!(state(&text.to_ascii_uppercase()), read);
        }
    }
    for raw in ["auctioned", "ACTIVE ", "", "Verkauft", "paid-out", "\u{1F3AB}"] {
        let read = ListingState::from_server(raw, Some("x"));
        assert_eq!(read, ListingState::Unknown { raw: raw.to_owned() });
        assert_eq!((read.as_text(), read.reason_text()), (raw, None));
    }
}

#[test]
fn a_closed_listing_keeps_its_reason() {
    let closed = |reason| ListingState::from_server("closed", reason);
    let reasons = [
        ("scanned", CloseReason::Scanned),
        ("revoked", CloseReason::Revoked),
        ("Transferred", CloseReason::Transferred),
        ("event_cancelled", CloseReason::EventCancelled),
        ("fraud?", CloseReason::Other { text: "fraud?".to_owned() }),
    ];
    for (text, reason) in reasons {
        let read = closed(Some(text));
        assert_eq!(read, ListingState::Closed { reason });
        assert!(read.reason_text().is_some_and(|kept| kept.eq_ignore_ascii_case(text)));
    }
    assert_eq!(closed(None), ListingState::Closed { reason: CloseReason::Other { text: String::new() } });
    assert_eq!((closed(None).as_text(), closed(None).reason_text()), ("closed", None));
    assert_eq!(ListingState::from_server("active", Some("scanned")).reason_text(), None);
}

#[test]
fn a_listing_or_transfer_ends_at_its_own_time_and_never_after_the_market_closes() {
    let cases = [
        ((None, None), None),
        ((Some(5), None), Some(5)),
        ((None, Some(7)), Some(7)),
        ((Some(5), Some(7)), Some(5)),
        ((Some(9), Some(7)), Some(7)),
    ];
    for ((own, closes), at) in cases {
        assert_eq!(ends_at(own, closes), at);
    }
}
