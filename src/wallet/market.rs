//! Selling and buying tickets.

use super::{Wallet, ticket_hash};
use crate::device::new_id;
use crate::error::WalletError;
use crate::model::{
    Listing, MarketPage, MarketQuery, Money, Offering, OutboxItem, Purchase, TicketHash, Write, WriteState,
};
use crate::resale::{Breakdown, ListingAsk, ListingAsked, MarketAction, PriceRules};
use crate::store::ListingStanding;
use crate::sync::purchase;

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// What counts for selling a ticket: whether it may be sold, for how much, and what it costs.
    ///
    /// # Errors
    /// [`WalletError::NotOffered`] where its system has no market, [`WalletError::NotFound`], [`WalletError::Refused`],
    /// [`WalletError::Unreachable`], [`WalletError::NeedsSignIn`], [`WalletError::Storage`].
    pub async fn resale_rules(&self, ticket_id: String) -> Result<PriceRules, WalletError> {
        let id = ticket_hash(&ticket_id)?;
        let account_id = self.store.ticket(id, 0)?.account_id;
        let work = async { self.runner.desk(&account_id).await?.resale_rules(id).await };
        Ok(self.runner.online(work).await?)
    }

    /// What a price would come to for buyer and seller, by the server. Nothing is listed.
    ///
    /// # Errors
    /// As [`Wallet::resale_rules`]; the server's refusals with their code: `price-over-cap`, `resale-closed`, …
    pub async fn preview_price(&self, ticket_id: String, price: Money) -> Result<Breakdown, WalletError> {
        let id = ticket_hash(&ticket_id)?;
        let account_id = self.store.ticket(id, 0)?.account_id;
        let work = async { self.runner.desk(&account_id).await?.preview_price(id, &price).await };
        Ok(self.runner.online(work).await?)
    }

    /// Offers a ticket for sale; it is sent as soon as the network allows. Where the event hides the barcodes of listed
    /// tickets, this one shows none from the moment at which it is sent, until the listing ends without a sale and a sync
    /// has bound the ticket again, which costs no move. `expires_at` is in Unix seconds.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for a ticket that is listed or on its way to somebody, a price of nothing or less, or an
    /// end that no server can be told: before 1970 or after 2106;
    /// [`WalletError::NotOffered`] where no market of the extension is served beside the ticket's system; as
    /// [`Wallet::save_ticket_holder`].
    pub fn list_for_sale(
        &self,
        ticket_id: String,
        price: Money,
        expires_at: Option<i64>,
    ) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let (id, price) = (ticket_hash(&ticket_id)?, positive(price)?);
        if expires_at.is_some_and(|at| u32::try_from(at).is_err()) {
            return Err(WalletError::input("expires_at", "Unix seconds from 1970 to 2106 are needed here"));
        }
        self.refuse_unsendable(id, MarketAction::List)?;
        let standing = self.store.listing_standing(id)?;
        self.decide(ListingAsk::Create, &standing)?;
        self.refuse_on_its_way(id)?;
        self.accept(id, Write::CreateListing { price, expires_at, shown: false, statement: None })
    }

    /// Asks for another price for a listed ticket; it is sent as soon as the network allows, and refused where the listing
    /// was changed elsewhere meanwhile.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for a ticket that is not listed, or whose listing waits for an answer; as
    /// [`Wallet::save_ticket_holder`].
    pub fn edit_listing(&self, ticket_id: String, price: Money) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let (id, price) = (ticket_hash(&ticket_id)?, positive(price)?);
        let standing = self.store.listing_standing(id)?;
        match self.decide(ListingAsk::Edit, &standing)? {
            ListingAsked::Replace => {
                let row = standing.write.as_ref().ok_or_else(not_listed)?;
                let mut write = row.new.write.clone();
                if let Write::CreateListing { price: asked, .. } | Write::EditListing { price: asked, .. } =
                    &mut write
                {
                    *asked = price;
                }
                let row = self.store.edit_write(row.id, write, &new_id()?, self.dated_now()?)?;
                Ok(self.decided(row))
            }
            _ => {
                let listing = standing.server.ok_or_else(not_listed)?;
                let (listing_id, expected) = (listing.remote_id, listing.version);
                self.accept(id, Write::EditListing { listing_id, price, expected })
            }
        }
    }

    /// Takes a listing back. One that was never sent is only taken out of the outbox, and `None` returned; a change of its
    /// price that was not sent goes with it.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for a ticket that is not listed, is sold, or whose buyer is paying; as
    /// [`Wallet::save_ticket_holder`].
    pub fn withdraw_listing(&self, ticket_id: String) -> Result<Option<OutboxItem>, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        let standing = self.store.listing_standing(id)?;
        let asked = self.decide(ListingAsk::Withdraw, &standing)?;
        if asked == ListingAsked::Discard {
            let row = standing.write.as_ref().ok_or_else(not_listed)?;
            let row = self.store.discard_write(row.id)?;
            self.decided(row);
            return Ok(None);
        }
        let listing = standing.server.as_ref().ok_or_else(not_listed)?;
        let write =
            Write::WithdrawListing { listing_id: listing.remote_id.clone(), expected: listing.version };
        if let Some(row) = standing.write.as_ref().filter(|_| asked == ListingAsked::Replace) {
            let row = self.store.edit_write(row.id, write, &new_id()?, self.dated_now()?)?;
            return Ok(Some(self.decided(row)));
        }
        self.accept(id, write).map(Some)
    }

    /// The listings of one account's tickets, or of all, as far as is known: those that ended too. Local.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn my_listings(&self, account_id: Option<String>) -> Result<Vec<Listing>, WalletError> {
        let _work = self.runner.activity().begin()?;
        let mut found = Vec::new();
        for (account, ticket) in self.store.listed_tickets(account_id.as_deref())? {
            found.extend(self.store.listing_standing(ticket)?.shown(&account, ticket));
        }
        Ok(found)
    }

    /// A page of what others offer for an event, the cheapest first.
    ///
    /// # Errors
    /// As [`Wallet::resale_rules`].
    pub async fn market(&self, account_id: String, query: MarketQuery) -> Result<MarketPage, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.market(&query).await };
        Ok(self.runner.online(work).await?)
    }

    /// One ticket that somebody offers, as it is now.
    ///
    /// # Errors
    /// As [`Wallet::resale_rules`].
    pub async fn offering(
        &self,
        account_id: String,
        tenant: Option<String>,
        listing_id: String,
    ) -> Result<Offering, WalletError> {
        let work =
            async { self.runner.desk(&account_id).await?.offering(tenant.as_deref(), &listing_id).await };
        Ok(self.runner.online(work).await?)
    }

    /// Buys a listed ticket for no more than `max_total`, fees included. Needs the network. The purchase is kept before its
    /// first byte leaves: where the answer is lost, the wallet finds out by itself, and `purchases` tells it; what was surely
    /// not bought is an error and leaves nothing. One that waits for its payment is the account's once that was made and the
    /// wallet has heard of it: by a sync, or by itself.
    ///
    /// # Errors
    /// [`WalletError::Unreachable`] when nothing was bought because the server was not reached; [`WalletError::Refused`]
    /// with its code: `sold`, `reserved`, `price-changed`, …; as [`Wallet::resale_rules`], [`WalletError::OutboxFull`].
    pub async fn buy(
        &self,
        account_id: String,
        tenant: Option<String>,
        listing_id: String,
        max_total: Money,
    ) -> Result<Purchase, WalletError> {
        let max_total = positive(max_total)?;
        let work = async {
            let desk = self.runner.desk(&account_id).await?;
            let acquiring = desk.purchase(tenant.as_deref(), &listing_id, max_total).await?;
            // What is sent then takes its own turn.
            drop(desk);
            self.runner.buy(acquiring).await
        };
        let bought = self.runner.online(work).await?;
        self.wake();
        Ok(bought)
    }

    /// The purchases of one account or of all that are not over: those that wait for their payment, whose answer was lost,
    /// or that were refused while the wallet asked by itself. Local.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn purchases(&self, account_id: Option<String>) -> Result<Vec<Purchase>, WalletError> {
        let _work = self.runner.activity().begin()?;
        let rows = self.store.outbox(account_id.as_deref(), None)?;
        Ok(rows.iter().filter_map(|row| purchase(row, None)).collect())
    }
}

impl Wallet {
    fn decide(&self, ask: ListingAsk, standing: &ListingStanding) -> Result<ListingAsked, WalletError> {
        let refused = standing.write.as_ref().filter(|row| row.state == WriteState::Rejected);
        match refused.map(|row| (row.id, &row.new.write, ask)) {
            // Whoever takes a listing back has no use for another price.
            Some((_, Write::EditListing { .. } | Write::WithdrawListing { .. }, ListingAsk::Withdraw)) => {
                return Ok(ListingAsked::Replace);
            }
            Some((id, ..)) => {
                let reason =
                    format!("change {id} of its listing was refused; edit, retry or discard that first");
                return Err(WalletError::input("ticket_id", reason));
            }
            None => {}
        }
        let decided = ask.decide(standing.state(), standing.intent());
        decided.map_err(|why| WalletError::input("ticket_id", why.to_string()))
    }

    /// Refuses to hand on a ticket that is for sale.
    pub(super) fn refuse_listed(&self, ticket: TicketHash) -> Result<(), WalletError> {
        let standing = self.store.listing_standing(ticket)?;
        let is_open = standing.state().is_some_and(crate::resale::ListingState::is_open);
        if is_open || standing.intent().is_some() {
            return Err(WalletError::input(
                "ticket_id",
                "the ticket is for sale; withdraw its listing first",
            ));
        }
        Ok(())
    }
}

pub(super) fn positive(amount: Money) -> Result<Money, WalletError> {
    if amount.minor <= 0 {
        return Err(WalletError::input("price", "an amount above zero is needed here"));
    }
    Money::new(amount.minor, &amount.currency).map_err(|why| WalletError::input("price", why.to_string()))
}

fn not_listed() -> WalletError {
    WalletError::input("ticket_id", "the ticket is not listed")
}
