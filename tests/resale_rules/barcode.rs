//! The table of what is shown of a barcode.

use ticket_wallet::model::TransferState;
use ticket_wallet::resale::{
    BarcodePolicy, HiddenReason, ListedBarcode, ListingIntent, ListingState, TransferIntent, listed_barcode,
    transferred_barcode,
};

/// What the hidden and the shown policy make of each state when nothing sent is unanswered.
const BY_SERVER: [(&str, &str, &str, &str); 16] = [
    ("", "", "Shown", "Shown"),
    ("under_review", "", "UnderReview", "Shown"),
    ("active", "", "Listed", "Shown"),
    ("paused", "", "NeedsRebind", "Shown"),
    ("withdrawn", "", "NeedsRebind", "Shown"),
    ("expired", "", "NeedsRebind", "Shown"),
    ("reserved", "", "Reserved", "Reserved"),
    ("sold", "", "Erased", "Erased"),
    ("reissued", "", "Erased", "Erased"),
    ("paid_out", "", "Erased", "Erased"),
    ("closed", "scanned", "NeedsRebind", "Shown"),
    ("closed", "revoked", "Revoked", "Revoked"),
    ("closed", "transferred", "Erased", "Erased"),
    ("closed", "event_cancelled", "EventCancelled", "EventCancelled"),
    ("closed", "fraud?", "NeedsRebind", "Shown"),
    ("auctioned", "", "UnknownState", "UnknownState"),
];

fn named(shown: ListedBarcode) -> String {
    match shown {
        ListedBarcode::Hidden { why } => format!("{why:?}"),
        other => format!("{other:?}"),
    }
}

fn server(text: &str, reason: &str) -> Option<ListingState> {
    let state = |text| ListingState::from_server(text, Some(reason).filter(|it| !it.is_empty()));
    Some(text).filter(|text| !text.is_empty()).map(state)
}

#[test]
fn each_policy_shows_and_hides_as_the_table_says() {
    for (text, reason, hidden, shown) in BY_SERVER {
        let state = server(text, reason);
        for (policy, expected) in [(BarcodePolicy::Hidden, hidden), (BarcodePolicy::Shown, shown)] {
            let of = |intent| named(listed_barcode(policy, state.as_ref(), intent));
            let what = format!("{policy:?}, {text}, {reason}");
            assert_eq!(of(None), expected, "{what}");
            // What was not sent, and what is about the price alone, changes nothing.
            for unsent in [
                ListingIntent::Draft,
                ListingIntent::EditQueued,
                ListingIntent::Editing,
                ListingIntent::WithdrawQueued,
            ] {
                assert_eq!(of(Some(unsent)), expected, "{what}, {unsent:?}");
            }
            // What was sent hides it, but that nothing is left to hide once it is sold.
            for sent in [ListingIntent::Submitting, ListingIntent::Withdrawing] {
                let unanswered = if expected == "Erased" { "Erased".to_owned() } else { format!("{sent:?}") };
                assert_eq!(of(Some(sent)), unanswered, "{what}, {sent:?}");
            }
        }
    }
}

#[test]
fn a_policy_that_is_not_known_hides() {
    let read = [None, Some("hidden"), Some("HIDDEN"), Some("shown"), Some("Shown"), Some("sometimes")];
    let policies = read.map(BarcodePolicy::of_server);
    let (hidden, shown) = (BarcodePolicy::Hidden, BarcodePolicy::Shown);
    assert_eq!(policies, [hidden, hidden, hidden, shown, shown, hidden]);
}

#[test]
fn a_ticket_on_its_way_has_no_barcode_until_its_transfer_ends() {
    let table = [
        (None, "Shown", "HandingOver"),
        (Some("pending"), "OnItsWay", "HandingOver"),
        (Some("accepted"), "Erased", "Erased"),
        (Some("declined"), "NeedsRebind", "HandingOver"),
        (Some("cancelled"), "NeedsRebind", "HandingOver"),
        (Some("expired"), "NeedsRebind", "HandingOver"),
        (Some("ended"), "NeedsRebind", "HandingOver"),
        (Some("lost in the post"), "UnknownState", "HandingOver"),
    ];
    for (text, unsent, sent) in table {
        let state = text.map(TransferState::from_text);
        let of = |intent| named(transferred_barcode(state.as_ref(), intent));
        for intent in [None, Some(TransferIntent::Draft), Some(TransferIntent::CancelQueued)] {
            assert_eq!(of(intent), unsent, "{text:?}, {intent:?}");
        }
        for intent in [TransferIntent::Sending, TransferIntent::Cancelling] {
            assert_eq!(of(Some(intent)), sent, "{text:?}, {intent:?}");
        }
    }
}

#[test]
fn every_reason_has_words_of_its_own() {
    let reasons = [
        HiddenReason::Submitting,
        HiddenReason::Withdrawing,
        HiddenReason::UnderReview,
        HiddenReason::Listed,
        HiddenReason::Reserved,
        HiddenReason::Revoked,
        HiddenReason::EventCancelled,
        HiddenReason::UnknownState,
        HiddenReason::HandingOver,
        HiddenReason::OnItsWay,
    ];
    let words: std::collections::BTreeSet<_> = reasons.iter().map(|reason| reason.advice()).collect();
    assert_eq!(words.len(), reasons.len());
}
