//! What a wallet may ask for, by what the server said and what was asked before.

use ticket_wallet::resale::{IntentEvent, ListingAsk, ListingAsked, ListingIntent, ListingState, NotAskable};

const INTENTS: [ListingIntent; 6] = [
    ListingIntent::Draft,
    ListingIntent::Submitting,
    ListingIntent::EditQueued,
    ListingIntent::Editing,
    ListingIntent::WithdrawQueued,
    ListingIntent::Withdrawing,
];
const ASKS: [ListingAsk; 3] = [ListingAsk::Create, ListingAsk::Edit, ListingAsk::Withdraw];

/// What create, edit and withdraw come to when nothing was asked before.
const BY_SERVER: [(&str, [&str; 3]); 12] = [
    ("", ["Queue", "NotListed", "NotListed"]),
    ("under_review", ["Listed", "Queue", "Queue"]),
    ("active", ["Listed", "Queue", "Queue"]),
    ("paused", ["Listed", "Queue", "Queue"]),
    ("reserved", ["Listed", "Reserved", "Reserved"]),
    ("sold", ["Sold", "Sold", "Sold"]),
    ("reissued", ["Sold", "Sold", "Sold"]),
    ("paid_out", ["Sold", "Sold", "Sold"]),
    ("withdrawn", ["Queue", "Ended", "Ended"]),
    ("expired", ["Queue", "Ended", "Ended"]),
    ("closed", ["Queue", "Ended", "Ended"]),
    ("auctioned", ["UnknownState", "UnknownState", "Queue"]),
];

/// The same when something was: whatever the server said before, its answer is still to come.
const BY_INTENT: [[&str; 3]; 6] = [
    ["Listed", "Replace", "Discard"],
    ["Listed", "Unanswered", "Unanswered"],
    ["Listed", "Replace", "Replace"],
    ["Listed", "Unanswered", "QueueBehind"],
    ["Listed", "Withdrawing", "Withdrawing"],
    ["Listed", "Withdrawing", "Withdrawing"],
];

fn server(text: &str) -> Option<ListingState> {
    Some(text).filter(|text| !text.is_empty()).map(|text| ListingState::from_server(text, None))
}

fn named(decided: Result<ListingAsked, NotAskable>) -> String {
    decided.map_or_else(|no| format!("{no:?}"), |yes| format!("{yes:?}"))
}

#[test]
fn each_ask_is_taken_or_refused_as_the_tables_say() {
    for (text, row) in BY_SERVER {
        for (ask, expected) in ASKS.into_iter().zip(row) {
            let decided = ask.decide(server(text).as_ref(), None);
            assert_eq!(named(decided), expected, "{ask:?} of {text:?}");
        }
        for (intent, row) in INTENTS.into_iter().zip(BY_INTENT) {
            for (ask, expected) in ASKS.into_iter().zip(row) {
                let decided = ask.decide(server(text).as_ref(), Some(intent));
                assert_eq!(named(decided), expected, "{ask:?} of {text:?} after {intent:?}");
            }
        }
    }
}

#[test]
fn what_was_sent_is_answered_and_what_was_not_can_be_dropped() {
    use ListingIntent::{Draft, EditQueued, Editing, Submitting, WithdrawQueued, Withdrawing};
    let steps = [(Draft, Submitting), (EditQueued, Editing), (WithdrawQueued, Withdrawing)];
    for (queued, sent) in steps {
        assert_eq!(queued.after(IntentEvent::FirstByte), Ok(Some(sent)));
        assert_eq!(sent.after(IntentEvent::FirstByte), Ok(Some(sent)), "the same request again");
        assert_eq!(queued.after(IntentEvent::Discarded), Ok(None));
        assert_eq!(sent.after(IntentEvent::Discarded), Err(NotAskable::Unanswered));
        assert_eq!(sent.after(IntentEvent::Answered), Ok(None));
        assert_eq!(queued.after(IntentEvent::Answered), Err(NotAskable::Unanswered));
        assert_eq!((queued.is_sent(), sent.is_sent()), (false, true));
    }
}

#[test]
fn each_intent_is_kept_under_a_text_of_its_own() {
    for intent in INTENTS {
        assert_eq!(ListingIntent::from_text(intent.as_text()), Some(intent));
    }
    assert_eq!(ListingIntent::from_text("active"), None);
}
