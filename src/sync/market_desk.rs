//! What of a market needs the network now: its rules, what others offer, buying, and tickets that others hand over by it.

use super::desk::Desk;
use super::runner::Runner;
use crate::device::new_id;
use crate::error::Error;
use crate::model::{
    IncomingTransfer, MarketPage, MarketQuery, Money, Offering, Purchase, PurchaseState, TicketHash,
    TransferAnswer, Write, WriteState,
};
use crate::remote::Connector;
use crate::remote::extension::{Asker, Extension, WireListing, WireTransfer};
use crate::resale::{Breakdown, MarketAction, NotOfferedReason, PriceRules};
use crate::store::{NewWrite, OutboxRow};

/// Begins the token of a transfer that comes by the extension: the tenant, a colon, and the server's id follow.
const TOKEN: &str = "extension:";

/// What is being acquired, before its first byte.
pub struct Acquiring {
    /// The account that it is for.
    pub account_id: String,
    /// The ticket.
    pub ticket: TicketHash,
    /// What to write.
    pub write: Write,
}

opaque_debug!(Acquiring);

impl Desk<'_> {
    fn asker(&self) -> Asker<'_, Connector> {
        Asker { http: self.system.http(), session: &self.session, system: &self.system }
    }

    async fn extension(&self, tenant: Option<&str>) -> Result<Option<Extension>, Error> {
        if !self.system.looks_for_extension() {
            return Ok(None);
        }
        let base = self.system.extension_base(tenant)?;
        Extension::discover(self.system.http(), &base).await
    }

    async fn market_of(&self, tenant: Option<&str>, action: MarketAction) -> Result<Extension, Error> {
        match self.extension(tenant).await?.filter(Extension::offers_resale) {
            Some(market) => Ok(market),
            None => Err(self.can(action).err().unwrap_or(Error::NotOffered(NotOfferedReason::NoResale))),
        }
    }

    /// What counts for selling a ticket: by the extension's market, else by B.A.M's own.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotOffered`] where its server has no market; as [`crate::remote::Session::send`],
    /// [`Error::Status`], [`Error::Reply`].
    pub async fn resale_rules(&self, ticket: TicketHash) -> Result<PriceRules, Error> {
        let binding = self.store().binding_of(ticket)?;
        match self.market_of(binding.tenant.as_deref(), MarketAction::List).await {
            Err(Error::NotOffered(_)) if self.system.bam().is_some() => self.ledger_rules(ticket).await,
            market => market?.resale_rules(&self.asker(), &binding.remote_id).await,
        }
    }

    /// What a price would come to.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`].
    pub async fn preview_price(&self, ticket: TicketHash, price: &Money) -> Result<Breakdown, Error> {
        let binding = self.store().binding_of(ticket)?;
        match self.market_of(binding.tenant.as_deref(), MarketAction::List).await {
            Err(Error::NotOffered(_)) if self.system.bam().is_some() => {
                self.ledger_preview(ticket, price).await
            }
            market => market?.preview(&self.asker(), &binding.remote_id, price).await,
        }
    }

    /// A page of what others offer. Servers are told a highest price without its currency: what is dearer, or in another
    /// one, was not asked for.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`].
    pub async fn market(&self, query: &MarketQuery) -> Result<MarketPage, Error> {
        let tenant = self.tenant(query.tenant.as_deref()).map(str::to_owned);
        let market = self.market_of(tenant.as_deref(), MarketAction::Buy).await?;
        let found = market.market(&self.asker(), query).await?;
        let is_asked = |listing: &WireListing| {
            let within =
                |most: &Money| listing.price.currency == most.currency && listing.price.minor <= most.minor;
            query.max_price.as_ref().is_none_or(within)
        };
        let offers = found.items.into_iter().filter(is_asked);
        let offers = offers.map(|listing| offering(listing, tenant.clone()));
        Ok(MarketPage { offers: offers.collect(), cursor: found.cursor })
    }

    /// One listing as it is now.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`].
    pub async fn offering(&self, tenant: Option<&str>, listing_id: &str) -> Result<Offering, Error> {
        let tenant = self.tenant(tenant).map(str::to_owned);
        let market = self.market_of(tenant.as_deref(), MarketAction::Buy).await?;
        Ok(offering(market.listing(&self.asker(), listing_id).await?, tenant))
    }

    /// A purchase of a listing, with a key of its own.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`].
    pub async fn purchase(
        &self,
        tenant: Option<&str>,
        listing_id: &str,
        max_total: Money,
    ) -> Result<Acquiring, Error> {
        let tenant = self.tenant(tenant).map(str::to_owned);
        let market = self.market_of(tenant.as_deref(), MarketAction::Buy).await?;
        let listing = market.listing(&self.asker(), listing_id).await?;
        let ticket = self.ticket(tenant.as_deref(), &listing.ticket_id)?;
        let (listing_id, handle) = (listing.id, new_id()?);
        let write = Write::Purchase { tenant, listing_id, handle, max_total, reservation: None };
        Ok(Acquiring { account_id: self.account.id.clone(), ticket, write })
    }

    fn ticket(&self, tenant: Option<&str>, remote_id: &str) -> Result<TicketHash, Error> {
        let hash = self.system.provider(tenant)?.ticket(remote_id);
        hash.map_err(|e| Error::Input { field: "ticket_id", reason: e.to_string() })
    }

    /// Tickets that others hand over by the extension, at the tenants of the account's tickets and its own.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`].
    pub async fn extension_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        let mut tenants = self.store().ticket_tenants(&self.account.id)?;
        tenants.push(self.account.config.default_tenant.clone());
        tenants.sort();
        tenants.dedup();
        let mut found = Vec::new();
        for tenant in tenants {
            for transfer in self.offered_at(tenant.as_deref()).await? {
                found.push(incoming(transfer, tenant.as_deref()));
            }
        }
        Ok(found)
    }

    async fn offered_at(&self, tenant: Option<&str>) -> Result<Vec<WireTransfer>, Error> {
        if tenant.is_none() && self.system.bam().is_some() {
            return Ok(Vec::new());
        }
        match self.extension(tenant).await?.filter(Extension::offers_transfers) {
            Some(extension) => {
                extension.incoming_transfers(self.system.http(), &self.session, &self.system).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// The answer to a ticket that somebody hands over by the extension; `None` for a token that is of something else.
    ///
    /// # Errors
    /// As [`Desk::resale_rules`]; [`Error::NotFound`] where nothing of this token is offered.
    pub async fn answer_to(&self, token: &str, accept: bool) -> Result<Option<Acquiring>, Error> {
        let Some((tenant, id)) = token.strip_prefix(TOKEN).and_then(|rest| rest.split_once(':')) else {
            return Ok(None);
        };
        let tenant = Some(tenant.to_owned()).filter(|tenant| !tenant.is_empty());
        let offered = self.offered_at(tenant.as_deref()).await?;
        let offer =
            offered.into_iter().find(|one| one.id == id).ok_or(Error::NotFound { what: "transfer" })?;
        let ticket = self.ticket(tenant.as_deref(), &offer.ticket_id)?;
        let write = match accept {
            true => Write::AcceptTransfer { tenant, transfer_id: offer.id, handle: new_id()? },
            false => Write::DeclineTransfer { tenant, transfer_id: offer.id },
        };
        Ok(Some(Acquiring { account_id: self.account.id.clone(), ticket, write }))
    }
}

/// A write that somebody waits for. However the wait ends, one of which no byte was sent is not sent any more; what became of
/// any other is found out by the worker.
struct Awaited<'a> {
    runner: &'a Runner,
    id: i64,
}

impl<'a> Awaited<'a> {
    fn new(runner: &'a Runner, id: i64) -> Self {
        runner.awaited().insert(id);
        Self { runner, id }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.runner.awaited().remove(&self.id);
        let store = self.runner.store();
        if store.outbox_row(self.id).is_ok_and(|row| is_unsent(&row)) {
            // One that is begun at this very moment stays, as what was begun.
            drop(store.discard_write(self.id));
        }
        self.runner.tell_outbox(None);
        self.runner.due().notify_one();
    }
}

fn is_unsent(row: &OutboxRow) -> bool {
    row.state == WriteState::Waiting || row.is_on_hold()
}

impl Runner {
    /// Keeps what is being acquired, then sends it. What was surely not done leaves nothing behind but its error; where the
    /// answer was lost, or is waited for, the row stays, and the wallet finds out by itself. So it does when nobody waits for
    /// the answer any more. One that a process left behind before its first byte is for the person to repeat.
    ///
    /// # Errors
    /// [`Error::Network`] and the like when the server was not reached, [`Error::Status`] when it refused,
    /// [`Error::Input`] while the same is under way, [`Error::NotFound`] when it was discarded meanwhile,
    /// [`Error::OutboxFull`], [`Error::Database`].
    pub async fn acquire(&self, acquiring: Acquiring) -> Result<Option<OutboxRow>, Error> {
        let (store, engine) = (self.store(), self.engine());
        for row in store.outbox(None, Some(acquiring.ticket))? {
            // What nobody waits for any more is replaced.
            if row.is_on_hold() && row.new.write.is_awaited() && !self.awaited().contains(&row.id) {
                store.discard_write(row.id)?;
                continue;
            }
            let reason = format!("change {} of this ticket is under way; see the outbox", row.id);
            return Err(Error::Input { field: "id", reason });
        }
        let now = engine.time.now()?;
        let new = NewWrite {
            account_id: acquiring.account_id.clone(),
            subject: acquiring.ticket,
            write: acquiring.write,
            key: new_id()?,
            created_at: now.unix_s(),
            dated: now.uncertainty.confirmed,
        };
        let id = store.hold(&new)?;
        let _awaited = Awaited::new(self, id);
        let sent = engine.send_now(&acquiring.account_id, id, self).await;
        let row = match store.outbox_row(id) {
            Err(Error::NotFound { .. }) => None,
            row => Some(row?),
        };
        match &row {
            None if matches!(sent, Ok(false)) => Err(Error::NotFound { what: "change in the outbox" }),
            Some(row) if row.state == WriteState::Rejected => {
                let row = store.discard_write(row.id)?;
                Err(refusal(&row))
            }
            Some(row) if is_unsent(row) => {
                store.discard_write(row.id)?;
                sent.and(Err(Error::Input {
                    field: "account_id",
                    reason: "its server offers no barcodes now; try again later".to_owned(),
                }))
            }
            _ => Ok(row),
        }
    }

    /// Buys: see [`Runner::acquire`].
    ///
    /// # Errors
    /// As [`Runner::acquire`].
    pub async fn buy(&self, acquiring: Acquiring) -> Result<Purchase, Error> {
        let new = NewWrite {
            account_id: acquiring.account_id.clone(),
            subject: acquiring.ticket,
            write: acquiring.write.clone(),
            key: String::new(),
            created_at: 0,
            dated: false,
        };
        let bought = OutboxRow::of(new);
        let row = self.acquire(acquiring).await?;
        let state = row.is_none().then_some(PurchaseState::Bought);
        purchase(row.as_ref().unwrap_or(&bought), state).ok_or(Error::NotFound { what: "purchase" })
    }

    /// Accepts or declines: see [`Runner::acquire`].
    ///
    /// # Errors
    /// As [`Runner::acquire`].
    pub async fn answer(&self, acquiring: Acquiring) -> Result<TransferAnswer, Error> {
        let accepts = matches!(acquiring.write, Write::AcceptTransfer { .. });
        Ok(match self.acquire(acquiring).await? {
            Some(_) => TransferAnswer::Unknown,
            None if accepts => TransferAnswer::Accepted,
            None => TransferAnswer::Declined,
        })
    }
}

/// A purchase as the app sees it; `None` for any other write, and for one that was never begun.
pub fn purchase(row: &OutboxRow, state: Option<PurchaseState>) -> Option<Purchase> {
    let Write::Purchase { listing_id, reservation, .. } = &row.new.write else { return None };
    if row.is_on_hold() {
        return None;
    }
    let by_row = match (row.state, reservation) {
        (WriteState::Rejected, _) => PurchaseState::Refused,
        (_, Some(held)) if !held.is_paid => PurchaseState::Reserved,
        _ => PurchaseState::Unknown,
    };
    let held = reservation.as_ref();
    Some(Purchase {
        account_id: row.new.account_id.clone(),
        listing_id: listing_id.clone(),
        ticket_id: row.new.subject.to_string(),
        state: state.unwrap_or(by_row),
        total: held.and_then(|held| held.total.clone()),
        payment_url: held.and_then(|held| held.payment_url.clone()),
        simulated: held.is_some_and(|held| held.simulated),
        expires_at: held.and_then(|held| held.expires_at),
    })
}

fn refusal(row: &OutboxRow) -> Error {
    let (_, status, server_code) =
        row.rejection.clone().unwrap_or((crate::model::RejectionReason::NotPossible, None, None));
    let endpoint = match row.new.write {
        Write::Purchase { .. } => "POST /resale/listings/:id/purchase",
        Write::AcceptTransfer { .. } => "POST /transfers/:id/accept",
        _ => "POST /transfers/:id/decline",
    };
    // A reservation that ran out is a conflict with what the server holds, whichever reply told it.
    let status = status.unwrap_or(409);
    Error::Status { endpoint: endpoint.to_owned(), status, server_code, retry_after_ms: None }
}

fn offering(listing: WireListing, tenant: Option<String>) -> Offering {
    let [section, seat, category] = listing.place;
    Offering {
        listing_id: listing.id,
        tenant,
        event_id: listing.event_id,
        ticket_remote_id: listing.ticket_id,
        section,
        seat,
        category,
        price: listing.price,
        breakdown: listing.breakdown,
        expires_at: listing.expires_at,
    }
}

fn incoming(transfer: WireTransfer, tenant: Option<&str>) -> IncomingTransfer {
    IncomingTransfer {
        token: format!("{TOKEN}{}:{}", tenant.unwrap_or_default(), transfer.id),
        sender: transfer.sender,
        title: transfer.title,
        state: transfer.state,
        expires_at: transfer.expires_at,
    }
}
