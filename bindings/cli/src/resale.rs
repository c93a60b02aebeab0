//! Selling tickets on, and buying those of others.

use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::model::{
    LedgerSale, Listing, MarketPage, MarketQuery, Money, Offering, Purchase, PurchaseState,
};
use ticket_wallet::resale::{BarcodePolicy, Breakdown, Fee, PriceCap, PriceRules};
use ticket_wallet::{Wallet, WalletError};

use crate::args::resale::{LedgerCommand, MarketOptions, ResaleCommand, SaleOptions};
use crate::box_office::written;
use crate::changes::accepted;
use crate::confirm::{agree, confirm};
use crate::failure::Failure;
use crate::holder::{known, utc};
use crate::online::{account, at_which};
use crate::output::{Output, table, titled};

pub(crate) async fn run(
    wallet: &Wallet,
    command: ResaleCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        ResaleCommand::Ledger { command } => return on_ledger(wallet, command, output).await,
        ResaleCommand::Rules { id } => rules(&wallet.resale_rules(id).await?, output)?,
        ResaleCommand::Preview { id, price } => {
            let breakdown = wallet.preview_price(id, price).await?;
            output.either(&breakdown_json(&breakdown), || breakdown_text(&breakdown))?;
        }
        ResaleCommand::List(options) => list(wallet, options, output).await?,
        ResaleCommand::Edit { id, price, yes } => {
            confirm_price(wallet, &id, &price, (yes, "Ask for this price"), output).await?;
            accepted(&wallet.edit_listing(id, price)?, output)?;
        }
        ResaleCommand::Withdraw { id } => match wallet.withdraw_listing(id)? {
            Some(item) => accepted(&item, output)?,
            None => output.either(&Value::Null, || "Taken back; it had not been sent.".to_owned())?,
        },
        ResaleCommand::Mine { account } => mine(wallet, known(wallet, account)?, output)?,
        ResaleCommand::Market(options) => market(wallet, options, output).await?,
        ResaleCommand::Buy { place, listing, max_total, yes } => {
            let account = account(wallet, place.account)?;
            let found = wallet.offering(account.clone(), place.tenant.clone(), listing.clone()).await;
            let offer = found.map_err(|error| at_which(place.tenant.clone(), error))?;
            confirm_purchase(&offer, &max_total, yes, output)?;
            return bought(&wallet.buy(account, place.tenant, listing, max_total).await?, output);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn on_ledger(wallet: &Wallet, command: LedgerCommand, output: &Output) -> Result<ExitCode, Failure> {
    let write = match command {
        LedgerCommand::Sell { id, price, until, to, yes } => {
            confirm_price(wallet, &id, &price, (yes, "Offer the ticket"), output).await?;
            wallet.mark_for_sale(id, LedgerSale { price, until, buyer: to }).await?
        }
        LedgerCommand::Withdraw { id, offer } => wallet.delete_offer(id, offer).await?,
        LedgerCommand::Send { id, to, yes } => {
            confirm(yes, "Hand the ticket over", output)?;
            wallet.transfer_on_ledger(id, to).await?
        }
    };
    written(&write, output)
}

async fn list(wallet: &Wallet, options: SaleOptions, output: &Output) -> Result<(), Failure> {
    let SaleOptions { id, price, expires_at, yes } = options;
    confirm_price(wallet, &id, &price, (yes, "List the ticket"), output).await?;
    accepted(&wallet.list_for_sale(id, price, expires_at)?, output)
}

/// Asks with what the price comes to; offline the server says that later, and refuses what it does not allow.
async fn confirm_price(
    wallet: &Wallet,
    id: &str,
    price: &Money,
    (yes, what): (bool, &str),
    output: &Output,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let told = match wallet.preview_price(id.to_owned(), price.clone()).await {
        Ok(breakdown) => breakdown_text(&breakdown),
        Err(WalletError::Unreachable { .. }) => {
            format!("Price   {price}\nThe server is not reached: fees are told once the ticket is listed.\n")
        }
        Err(other) => return Err(other.into()),
    };
    agree(&told, what, output)
}

fn confirm_purchase(offer: &Offering, max_total: &Money, yes: bool, output: &Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let told = offer.breakdown.as_ref().map_or_else(|| format!("Price   {}\n", offer.price), breakdown_text);
    agree(&told, &format!("Buy it for {max_total} at most"), output)
}

fn breakdown_json(breakdown: &Breakdown) -> Value {
    json!(breakdown)
}

fn breakdown_text(breakdown: &Breakdown) -> String {
    let rows = [
        ("Face value", &breakdown.face_value),
        ("Price", &breakdown.seller_price),
        ("Buyer's fee", &breakdown.buyer_fee),
        ("Buyer pays", &breakdown.buyer_total),
        ("Seller's fee", &breakdown.seller_fee),
        ("Seller gets", &breakdown.seller_proceeds),
    ];
    table(&rows.map(|(name, amount)| vec![name.to_owned(), amount.to_string()]))
}

fn rules(rules: &PriceRules, output: &Output) -> Result<(), Failure> {
    let cap = match rules.cap() {
        Ok(PriceCap::At { amount }) => Some(amount),
        _ => None,
    };
    let amount = |minor: i64| Money { minor, currency: rules.currency.clone() };
    let fixed = |fee: &Fee| (fee.fixed_minor != 0).then(|| amount(fee.fixed_minor));
    let fee = |fee: &Fee| match fixed(fee) {
        Some(fixed) => format!("{} % and {fixed}", fee.percent),
        None => format!("{} %", fee.percent),
    };
    let lowest = rules.min_minor.map(amount);
    let value = json!({
        "allowed": rules.allowed, "reason": rules.reason, "currency": rules.currency,
        "face_value": rules.face_value, "total_paid": rules.total_paid, "basis": rules.basis.as_text(),
        "cap_percent": rules.cap_percent.map(|percent| percent.to_string()), "cap": cap,
        "buyer_fee_percent": rules.buyer_fee.percent.to_string(),
        "seller_fee_percent": rules.seller_fee.percent.to_string(),
        "buyer_fixed_fee": fixed(&rules.buyer_fee), "seller_fixed_fee": fixed(&rules.seller_fee), "lowest": lowest,
        "barcode_while_listed": rules.barcode_while_listed.as_text(), "closes_at": rules.closes_at,
    });
    output.either(&value, || {
        if !rules.allowed {
            let reason = rules.reason.as_deref().unwrap_or("its organiser does not allow it");
            return format!("The ticket cannot be sold: {reason}.");
        }
        let hidden = rules.barcode_while_listed == BarcodePolicy::Hidden;
        let rows = [
            ("Highest price", cap.as_ref().map_or("none is set".to_owned(), Money::to_string)),
            ("Lowest price", lowest.as_ref().map_or("none is set".to_owned(), Money::to_string)),
            ("Buyer's fee", fee(&rules.buyer_fee)),
            ("Seller's fee", fee(&rules.seller_fee)),
            (
                "Barcode",
                if hidden { "given up while listed" } else { "shown until somebody pays" }.to_owned(),
            ),
            ("Closes", rules.closes_at.map_or("not told".to_owned(), |at| format!("{} UTC", utc(at)))),
        ];
        table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
    })
}

/// Where a ticket's listing stands, in words: what the server said, and what is asked for.
pub(crate) fn listing_text(listing: &Listing) -> String {
    let state = listing.state.as_ref().map_or("not listed yet", |state| state.as_text());
    let intent =
        listing.intent.map(|intent| format!("; asked for: {}", intent.as_text())).unwrap_or_default();
    format!("{state}{intent}")
}

pub(crate) fn listing_json(listing: &Listing) -> Value {
    json!({
        "ticket": listing.ticket_id, "account": listing.account_id, "listing": listing.remote_id,
        "state": listing.state.as_ref().map(|state| state.as_text()),
        "reason": listing.state.as_ref().and_then(|state| state.reason_text()),
        "intent": listing.intent.map(|intent| intent.as_text()), "price": listing.price,
        "asked_price": listing.asked_price, "breakdown": listing.breakdown, "expires_at": listing.expires_at,
        "barcode": format!("{:?}", listing.barcode),
    })
}

fn purchase_json(purchase: &Purchase) -> Value {
    json!({
        "listing": purchase.listing_id, "account": purchase.account_id, "ticket": purchase.ticket_id,
        "state": state_text(purchase.state), "total": purchase.total, "payment_url": purchase.payment_url,
        "simulated": purchase.simulated, "expires_at": purchase.expires_at,
    })
}

fn state_text(state: PurchaseState) -> &'static str {
    match state {
        PurchaseState::Bought => "bought",
        PurchaseState::Reserved => "reserved",
        PurchaseState::Unknown => "unknown",
        PurchaseState::Refused => "refused",
    }
}

fn mine(wallet: &Wallet, account: Option<String>, output: &Output) -> Result<(), Failure> {
    let listings = wallet.my_listings(account.clone())?;
    let purchases = wallet.purchases(account)?;
    let value = json!({
        "listings": listings.iter().map(listing_json).collect::<Vec<_>>(),
        "purchases": purchases.iter().map(purchase_json).collect::<Vec<_>>(),
    });
    output.either(&value, || {
        if listings.is_empty() && purchases.is_empty() {
            return "Nothing is listed or being bought.".to_owned();
        }
        let sold = listings.iter().map(|listing| {
            let price = listing.asked_price.as_ref().or(listing.price.as_ref());
            let state = listing.state.as_ref().map_or("", |state| state.as_text());
            let intent = listing.intent.map_or("", |intent| intent.as_text());
            let price = price.map(Money::to_string).unwrap_or_default();
            vec![listing.ticket_id.clone(), "sell".to_owned(), price, state.to_owned(), intent.to_owned()]
        });
        let bought = purchases.iter().map(|purchase| {
            let total = purchase.total.as_ref().map(Money::to_string).unwrap_or_default();
            let pay = purchase.payment_url.as_ref().map(|url| format!("pay at {url}")).unwrap_or_default();
            let state = state_text(purchase.state).to_owned();
            vec![purchase.ticket_id.clone(), "buy".to_owned(), total, state, pay]
        });
        titled(["TICKET", "WHAT", "AMOUNT", "STATE", "ASKED FOR"], sold.chain(bought))
    })
}

async fn market(wallet: &Wallet, options: MarketOptions, output: &Output) -> Result<(), Failure> {
    let account = account(wallet, options.place.account)?;
    let query = MarketQuery {
        event_id: options.event,
        tenant: options.place.tenant.clone(),
        section: options.section,
        max_price: options.max_price,
        limit: options.limit,
        cursor: options.cursor,
    };
    let page = wallet.market(account, query).await.map_err(|error| at_which(options.place.tenant, error))?;
    let value = |offer: &Offering| {
        json!({
            "listing": offer.listing_id, "event": offer.event_id, "section": offer.section, "seat": offer.seat,
            "category": offer.category, "price": offer.price, "breakdown": offer.breakdown,
            "expires_at": offer.expires_at,
        })
    };
    let offers: Vec<_> = page.offers.iter().map(value).collect();
    output.either(&json!({ "offers": offers, "cursor": page.cursor }), || market_text(&page))
}

/// A page may be empty and have others behind it.
fn market_text(page: &MarketPage) -> String {
    if page.offers.is_empty() && page.cursor.is_none() {
        return "Nobody offers a ticket.".to_owned();
    }
    let rows = page.offers.iter().map(|offer| {
        let total = offer.breakdown.as_ref().map(|all| all.buyer_total.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            offer.listing_id.clone(),
            text(&offer.category),
            text(&offer.section),
            text(&offer.seat),
            offer.price.to_string(),
            total,
        ]
    });
    let more = page.cursor.as_ref().map(|cursor| format!("More: --cursor {cursor}\n")).unwrap_or_default();
    titled(["LISTING", "CATEGORY", "SECTION", "SEAT", "PRICE", "YOU PAY"], rows) + &more
}

/// A lost answer is no success.
fn bought(purchase: &Purchase, output: &Output) -> Result<ExitCode, Failure> {
    output.either(&purchase_json(purchase), || match purchase.state {
        PurchaseState::Bought => {
            format!("Bought. Next: ticket-wallet show {}", purchase.ticket_id)
        }
        PurchaseState::Reserved => {
            let total = purchase.total.as_ref().map(Money::to_string).unwrap_or_default();
            let until = purchase.expires_at.map(|at| format!(" until {} UTC", utc(at))).unwrap_or_default();
            let simulated =
                if purchase.simulated { " The payment is simulated: no money moves." } else { "" };
            let url = purchase.payment_url.as_deref().unwrap_or("the address that the market names");
            format!("Reserved{until}. Pay {total} at {url}, then `ticket-wallet sync`.{simulated}")
        }
        PurchaseState::Unknown | PurchaseState::Refused => {
            "The answer was lost; `ticket-wallet sync` finds out what became of it.".to_owned()
        }
    })?;
    let is_known = matches!(purchase.state, PurchaseState::Bought | PurchaseState::Reserved);
    Ok(if is_known { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_page_is_not_the_end_of_a_market() {
        let page =
            |cursor: Option<&str>| MarketPage { offers: Vec::new(), cursor: cursor.map(str::to_owned) };
        assert_eq!(market_text(&page(None)), "Nobody offers a ticket.");
        assert!(market_text(&page(Some("6400-3"))).ends_with("More: --cursor 6400-3\n"));
    }
}
