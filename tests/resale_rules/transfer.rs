//! Everything that anybody may try with a transfer.

use ticket_wallet::model::TransferState;
use ticket_wallet::resale::{TransferAction, TransferRole, transfer_step};

const ROLES: [TransferRole; 3] = [TransferRole::Sender, TransferRole::Recipient, TransferRole::Server];
const ACTIONS: [TransferAction; 4] =
    [TransferAction::Accept, TransferAction::Decline, TransferAction::Cancel, TransferAction::Expire];

/// What becomes of a pending transfer, for each role: accept, decline, cancel, expire.
const IN_TIME: [[&str; 4]; 3] = [
    ["NotYours", "NotYours", "cancelled", "NotYours"],
    ["accepted", "declined", "NotYours", "NotYours"],
    ["NotYours", "NotYours", "NotYours", "TooEarly"],
];
const TOO_LATE: [[&str; 4]; 3] = [
    ["NotYours", "NotYours", "cancelled", "NotYours"],
    ["Expired", "declined", "NotYours", "NotYours"],
    ["NotYours", "NotYours", "NotYours", "expired"],
];

fn step(state: &str, by: (TransferRole, TransferAction), now: i64, closes_at: Option<i64>) -> String {
    let after = transfer_step(&TransferState::from_text(state), by, now, closes_at);
    after.map_or_else(|refusal| format!("{refusal:?}"), |state| state.as_text().to_owned())
}

#[test]
fn a_pending_transfer_takes_what_is_its_sides_to_do() {
    for (role, (in_time, too_late)) in ROLES.into_iter().zip(IN_TIME.into_iter().zip(TOO_LATE)) {
        for (action, (before, after)) in ACTIONS.into_iter().zip(in_time.into_iter().zip(too_late)) {
            let at = |now, closes_at| step("pending", (role, action), now, closes_at);
            for (now, closes_at) in [(99, Some(100)), (i64::MAX, None), (i64::MIN, Some(i64::MIN + 1))] {
                assert_eq!(at(now, closes_at), before, "{role:?}, {action:?} at {now} before {closes_at:?}");
            }
            for (now, closes_at) in [(100, Some(100)), (101, Some(100)), (0, Some(i64::MIN))] {
                assert_eq!(at(now, closes_at), after, "{role:?}, {action:?} at {now} after {closes_at:?}");
            }
        }
    }
}

#[test]
fn a_transfer_that_has_ended_takes_nothing_and_says_how_it_ended() {
    let ends = [
        ("accepted", "Accepted"),
        ("declined", "Declined"),
        ("cancelled", "Cancelled"),
        ("expired", "Expired"),
        ("ended", "Ended"),
        ("lost in the post", "UnknownState"),
    ];
    for (state, refusal) in ends {
        for by in ROLES.into_iter().flat_map(|role| ACTIONS.map(|action| (role, action))) {
            assert_eq!(step(state, by, 0, None), refusal, "{by:?}");
            assert_eq!(step(state, by, 100, Some(100)), refusal, "{by:?}");
        }
    }
}
