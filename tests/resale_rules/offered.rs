//! What each system can do about resale and transfer.

use ticket_wallet::model::TicketSystem;
use ticket_wallet::resale::{MarketAction, is_offered};

const ACTIONS: [MarketAction; 11] = [
    MarketAction::List,
    MarketAction::Edit,
    MarketAction::Withdraw,
    MarketAction::MyListings,
    MarketAction::Browse,
    MarketAction::Buy,
    MarketAction::Transfer,
    MarketAction::Accept,
    MarketAction::Decline,
    MarketAction::CancelTransfer,
    MarketAction::Move,
];

/// What each system says to each action without the extension: `yes`, or why not.
#[rustfmt::skip]
const TABLE: [(TicketSystem, [&str; 11]); 4] = [
    (TicketSystem::Bam, ["yes", "NoEdit", "yes", "yes", "BuyElsewhere", "BuyElsewhere", "yes", "AtOnce", "AtOnce", "AtOnce", "NotBound"]),
    (TicketSystem::Unidy, ["NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "yes", "yes", "yes", "yes", "NotBound"]),
    (TicketSystem::Ticketing, ["NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "BySectionOnly", "yes", "NoDecline", "yes", "NotBound"]),
    (TicketSystem::Texpo, ["NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "NoResale", "NoTransfer", "NoTransfer", "NoTransfer", "NoTransfer", "NotBound"]),
];

#[test]
fn what_a_system_cannot_do_is_said() {
    for (system, row) in TABLE {
        for (action, expected) in ACTIONS.into_iter().zip(row) {
            let said = is_offered(system, false, action);
            let said = said.map_or_else(|why| format!("{why:?}"), |()| "yes".to_owned());
            assert_eq!(said, expected, "{system:?}, {action:?}");
            assert_eq!(is_offered(system, true, action), Ok(()), "the extension has all of it");
        }
    }
}
