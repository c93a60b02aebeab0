//! The market of the demo: a ticket listed, hidden, sold to a second wallet, and the seller's old code refused.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{
    MarketQuery, NoBarcodeReason, Provider, PurchaseState, SignIn, SystemConfig, TicketSummary, TicketSystem,
};
use ticket_wallet::{Gate, Wallet};
use ticket_wallet_sandbox::{MarketRules, Sandbox};
use url::Url;

use super::door::internal;
use super::{Demo, no_network};
use crate::failure::Failure;
use crate::home;

/// The event whose tickets are sold.
struct Place {
    tenant: String,
    event: i64,
    provider: Provider,
}

impl Demo<'_> {
    /// Sells a second ticket of the same event, and has a gate without network judge both people's codes.
    pub(super) async fn sell(
        &self,
        folder: &Path,
        sandbox: &Sandbox,
        (seller, ticket): (&Wallet, &TicketSummary),
        gate: &Gate,
    ) -> Result<(), Failure> {
        let place = place(sandbox, seller, ticket)?;
        let id = self.second_ticket(sandbox, seller, &place).await?;
        gate.prepare().await?;
        let old = seller.present(id.clone(), None)?;
        let price = self.list_for_sale(seller, &id).await?;
        let buyer = home::open_in(folder, Some(Arc::new(self.clock.clone())))?;
        self.buy(sandbox, &buyer, &place, price).await?;
        sandbox.fault(no_network());
        let new = buyer.present(id, None)?;
        let scan = |step, what, text: &str, expected| {
            self.scan(gate, (step, what), (text, old.issuer_key.as_slice()), expected)
        };
        scan("bought", "The buyer's code, of the next generation,", &new.text, Verdict::Admit)?;
        scan("superseded", "The code that the seller kept", &old.text, Verdict::Superseded)?;
        sandbox.clear_faults();
        Ok(())
    }

    async fn second_ticket(
        &self,
        sandbox: &Sandbox,
        seller: &Wallet,
        place: &Place,
    ) -> Result<String, Failure> {
        let failed = |e| Failure::system("the sandbox has no second ticket", e);
        let rules = MarketRules { payment_page: false, ..MarketRules::default() };
        sandbox.set_market_rules(&place.tenant, place.event, &rules).map_err(failed)?;
        let user = sandbox.users().first().map(|user| user.name.clone()).unwrap_or_default();
        let added = sandbox.add_ticket(&user, &place.tenant, place.event).map_err(failed)?;
        let added = added.ok_or_else(|| internal("the sandbox added no ticket".to_owned()))?;
        seller.sync(None).await?;
        let id = place.provider.ticket(&added.to_string()).map_err(|why| internal(why.to_string()))?;
        Ok(id.to_string())
    }

    /// Returns the price.
    async fn list_for_sale(&self, seller: &Wallet, id: &str) -> Result<i64, Failure> {
        let rules = seller.resale_rules(id.to_owned()).await?;
        let price = rules.face_value.ok_or_else(|| internal("the market tells no face value".to_owned()))?;
        let breakdown = seller.preview_price(id.to_owned(), price.clone()).await?;
        seller.list_for_sale(id.to_owned(), price.clone(), None)?;
        seller.sync(None).await?;
        let hidden = seller.ticket(id.to_owned())?.no_barcode;
        if hidden != Some(NoBarcodeReason::Listed) {
            return Err(internal(format!("the listed ticket's barcode: {hidden:?}")));
        }
        let text = format!(
            "A second ticket is listed for {price}: its barcode was given up in the same call. The buyer pays {}, the seller gets \
             {}.",
            breakdown.buyer_total, breakdown.seller_proceeds
        );
        self.say("listed", &text, json!({ "ticket": id, "breakdown": breakdown }))?;
        Ok(price.minor)
    }

    async fn buy(&self, sandbox: &Sandbox, buyer: &Wallet, place: &Place, price: i64) -> Result<(), Failure> {
        let user =
            sandbox.users().get(1).ok_or_else(|| internal("the sandbox has no second user".to_owned()))?;
        let account = buyer
            .sign_in(SignIn {
                system: TicketSystem::Bam,
                config: SystemConfig::at(sandbox.url()),
                user_name: user.name.clone(),
                password: user.password.clone(),
            })
            .await?;
        let query = MarketQuery {
            event_id: place.event.to_string(),
            tenant: Some(place.tenant.clone()),
            ..MarketQuery::default()
        };
        let offers = buyer.market(account.id.clone(), query).await?.offers;
        let offer = offers.into_iter().find(|offer| offer.price.minor == price);
        let offer = offer.ok_or_else(|| internal("the market does not offer the ticket".to_owned()))?;
        let most = offer.breakdown.map_or(offer.price, |breakdown| breakdown.buyer_total);
        let bought = buyer.buy(account.id, offer.tenant, offer.listing_id, most.clone()).await?;
        if bought.state != PurchaseState::Bought {
            return Err(internal(format!("the purchase: {:?}", bought.state)));
        }
        let text = format!(
            "{} buys it for {most} and has a key of the next generation. The payment is simulated: no money moves.",
            user.name
        );
        self.say("sold", &text, json!({ "ticket": bought.ticket_id, "total": most, "simulated": true }))
    }
}

fn place(sandbox: &Sandbox, seller: &Wallet, ticket: &TicketSummary) -> Result<Place, Failure> {
    let missing = || internal("the sandbox has no market at the ticket's event".to_owned());
    let event = seller.ticket(ticket.id.clone())?.event.ok_or_else(missing)?;
    let url = Url::parse(&sandbox.url()).map_err(|why| internal(why.to_string()))?;
    let codes = sandbox.admission_codes().map_err(|e| Failure::system("the sandbox cannot be read", e))?;
    for code in codes {
        let provider =
            Provider::new("bam", &url, Some(&code.tenant)).map_err(|why| internal(why.to_string()))?;
        // Another tenant may have an event of this number.
        let is_it = code.event_id.to_string() == event.remote_id
            && provider.event(&event.remote_id).is_ok_and(|hash| hash.to_string() == event.hash);
        if is_it {
            return Ok(Place { tenant: code.tenant, event: code.event_id, provider });
        }
    }
    Err(missing())
}
