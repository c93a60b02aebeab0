//! Two accounts of one wallet, as on a family's phone: one sells, the other buys.

use ticket_wallet::ledger::Verdict;
use ticket_wallet_sandbox::{ListingChange, MarketRules};

use crate::fair::{CLUB, Door, Fair, eur};

/// The ticket is sold to the other account of the same wallet, and the sale ends.
async fn sold_within(rules: &MarketRules) {
    let fair = Fair::with(rules).await;
    let phone = &fair.seller.phone;
    let account = phone.sign_in(&fair.seller.sandbox, 1).await.id;
    phone.wallet.sync(None).await.unwrap();
    let (old, keys) = (Fair::frame(phone, &fair.ticket).unwrap(), phone.vault_keys());
    fair.list().await;
    let listing = fair.listing_id();
    let most = eur(100_000);
    let bought = phone.wallet.buy(account.clone(), Some(CLUB.to_owned()), listing.to_string(), most).await;
    fair.pay(&bought.unwrap()).await;
    phone.wallet.sync(Some(account.clone())).await.unwrap();
    assert_eq!(phone.wallet.ticket(fair.ticket.clone()).unwrap().summary.account_id, account);
    for state in ["sold", "reissued", "paid_out"] {
        let change = ListingChange::State(state.to_owned());
        fair.seller.sandbox.change_listing(CLUB, listing, &change).unwrap();
        fair.seller.settle().await;
        assert_eq!(fair.seller.hidden(&fair.ticket), None, "{state}");
    }
    assert_eq!(phone.vault_keys(), keys, "the buyer's key is in place of the seller's");
    let (new, door) = (Fair::frame(phone, &fair.ticket).unwrap(), Door::open(&fair).await);
    assert_eq!((door.scan(&old), door.scan(&new)), (Verdict::Superseded, Verdict::Admit));
}

#[tokio::test]
async fn a_ticket_is_sold_to_another_account_of_the_same_wallet() {
    sold_within(&MarketRules::default()).await;
}

#[tokio::test]
async fn so_is_one_whose_barcode_was_shown_until_it_was_paid_for() {
    sold_within(&MarketRules { barcode_shown: true, ..MarketRules::default() }).await;
}
