//! The market in a sync: listings made, changed and taken back from the outbox, tickets bought and accepted, and how the
//! account's listings stand.

use super::engine::Run;
use super::forgotten::{ended, told};
use super::outbox::is_refusal;
use crate::device::new_id;
use crate::error::Error;
use crate::model::{HeldReservation, Money, RejectionReason, TicketHash, Write, WriteState};
use crate::remote::Connector;
use crate::remote::extension::{Acquired, Asker, Extension, WireListing};
use crate::resale::{BarcodePolicy, ListingState};
use crate::store::{Acquisition, Binding, BindingState, OutboxRow, Settled, StoredListing};

/// Those of one that ended without a sale.
const OVER: [&str; 2] = ["expired", "cancelled"];
/// The code of a purchase that is not paid for because its market asks for more than was agreed to.
const DEARER: &str = "total-over-max";

type Outcome = Result<Option<(OutboxRow, Settled)>, Error>;

impl Run<'_> {
    pub(super) fn asker(&self) -> Asker<'_, Connector> {
        Asker { http: self.system.http(), session: &self.session, system: &self.system }
    }

    /// A listing made, changed or taken back.
    pub(super) async fn send_of_listing(&mut self, row: OutboxRow, binding: &Binding) -> Outcome {
        let served = self.extension(binding.tenant.as_deref()).await?.cloned();
        let Some(extension) = served else { return Ok(None) };
        if !extension.offers_resale() {
            return Ok(Some((row, Settled::Rejected(RejectionReason::NotPossible, None, None))));
        }
        match row.new.write.clone() {
            Write::CreateListing { price, .. } => {
                self.send_new_listing(row, binding, &extension, &price).await
            }
            Write::EditListing { listing_id, price, .. } => {
                self.send_price(row, binding, &extension, (&listing_id, &price)).await
            }
            Write::WithdrawListing { listing_id, .. } => {
                self.send_withdrawal(row, binding, &extension, &listing_id).await
            }
            _ => Ok(None),
        }
    }

    /// Lists a ticket. The event's rules are asked for before the first byte: they say whether the barcode goes with it, and
    /// what they do not allow is not sent. An answer that was lost is looked for among the account's listings before anything
    /// is repeated.
    async fn send_new_listing(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
        extension: &Extension,
        price: &Money,
    ) -> Outcome {
        let ticket = binding.remote_id.as_str();
        if row.state == WriteState::Sent {
            let own = extension.own_listings(&self.asker()).await?;
            let made = own.into_iter().find(|one| one.ticket_id == ticket && one.state.is_open());
            if let Some(made) = made.filter(|made| made.price == *price) {
                let policy = policy_of(&row.new.write);
                return Ok(Some((row, listed(made, binding, policy))));
            }
        } else {
            let rules = extension.resale_rules(&self.asker(), ticket).await?;
            let checked = rules.check(price, self.engine.time.now()?.unix_s());
            if let Some(code) = checked.err().and_then(|why| why.code()) {
                return Ok(Some((row, refused_for(code.to_owned()))));
            }
            let is_shown = rules.barcode_while_listed == BarcodePolicy::Shown;
            let stated = if is_shown { None } else { self.state_surrender(&row, binding).await? };
            if let Write::CreateListing { shown, statement, .. } = &mut row.new.write {
                (*shown, *statement) = (is_shown, stated);
            }
        }
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let Write::CreateListing { expires_at, statement, .. } = &row.new.write else { return Ok(None) };
        let what = (ticket, price, *expires_at);
        let sent = extension.create_listing(&self.asker(), &row.new.key, what, statement.as_ref()).await;
        match sent {
            Err(error @ Error::Status { status: 400..500, .. }) if self.is_stale(&mut row)? => {
                if is_refusal(&error) { Ok(Some((row, Settled::Anew(new_id()?)))) } else { Err(error) }
            }
            sent => {
                let policy = policy_of(&row.new.write);
                Ok(Some((row, listed(sent?, binding, policy))))
            }
        }
    }

    /// Asks for another price. What the server holds is read before it is repeated.
    async fn send_price(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
        extension: &Extension,
        (id, price): (&str, &Money),
    ) -> Outcome {
        if row.state == WriteState::Sent {
            let now = extension.listing(&self.asker(), id).await?;
            if now.price == *price {
                let settled = self.standing(now, binding)?;
                return Ok(Some((row, settled)));
            }
        }
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let version = (id, expected(&row.new.write));
        match extension.edit_listing(&self.asker(), &row.new.key, version, price).await {
            Err(error) if is_refusal(&error) => self.refused(row, binding, extension, id, error).await,
            sent => {
                let settled = self.standing(sent?, binding)?;
                Ok(Some((row, settled)))
            }
        }
    }

    /// Takes a listing back. One that has ended otherwise without a sale is what the person wanted; one that was changed
    /// elsewhere is taken back as it is now.
    async fn send_withdrawal(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
        extension: &Extension,
        id: &str,
    ) -> Outcome {
        if row.state == WriteState::Sent {
            let now = extension.listing(&self.asker(), id).await?;
            if now.state.has_ended() {
                let settled = self.standing(now, binding)?;
                return Ok(Some((row, settled)));
            }
        }
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let version = (id, expected(&row.new.write));
        match extension.withdraw_listing(&self.asker(), &row.new.key, version).await {
            Err(error) if is_refusal(&error) => self.refused(row, binding, extension, id, error).await,
            sent => {
                let settled = self.standing(sent?, binding)?;
                Ok(Some((row, settled)))
            }
        }
    }

    /// What a refused change comes to: where the listing stands now is read and kept. One that its server has forgotten has ended,
    /// as whoever takes it back wanted.
    async fn refused(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
        extension: &Extension,
        id: &str,
        error: Error,
    ) -> Outcome {
        let Error::Status { status, server_code, .. } = error else { return Err(error) };
        let is_withdrawal = matches!(row.new.write, Write::WithdrawListing { .. });
        let Some(now) = told(extension.listing(&self.asker(), id).await)? else {
            let known = self.engine.store.listing(&self.account.id, (binding.ticket, id))?;
            let gone = Settled::Rejected(RejectionReason::ChangedElsewhere, Some(status), server_code);
            let withdrawn =
                known.filter(|_| is_withdrawal).map(|known| Settled::Listed(Box::new(ended(known))));
            return Ok(Some((row, withdrawn.unwrap_or(gone))));
        };
        let (state, version) = (now.state.clone(), now.version);
        let settled = self.standing(now, binding)?;
        if let Settled::Listed(listing) = &settled {
            self.engine.store.save_listings(&self.account.id, std::slice::from_ref(listing))?;
        }
        if is_withdrawal && state.has_ended() {
            return Ok(Some((row, settled)));
        }
        if let (412, Write::WithdrawListing { expected, .. }) = (status, &mut row.new.write) {
            *expected = version;
            return Ok(Some((row, Settled::Anew(new_id()?))));
        }
        let elsewhere = status == 412 || state.is_sold() || state.has_ended();
        let reason = if elsewhere { RejectionReason::ChangedElsewhere } else { RejectionReason::Refused };
        Ok(Some((row, Settled::Rejected(reason, Some(status), server_code))))
    }

    /// The account's listing as the server tells it now, under the policy that is known of it.
    fn standing(&self, listing: WireListing, binding: &Binding) -> Result<Settled, Error> {
        let known = self.engine.store.listing(&self.account.id, (binding.ticket, &listing.id))?;
        Ok(listed(listing, binding, known.map(|known| known.policy).unwrap_or_default()))
    }

    /// How the account's listings stand.
    pub(super) async fn refresh_listings(&mut self) -> Result<(), Error> {
        for tenant in self.engine.store.listing_tenants(&self.account.id)? {
            let found = self.discovered(tenant.as_deref()).await?.filter(|found| found.offers_resale());
            let Some(extension) = found.cloned() else { continue };
            let own = extension.own_listings(&self.asker()).await;
            let Some(own) = self.forgive(own)? else { continue };
            let provider = self.system.provider(tenant.as_deref())?;
            let mut listings = Vec::new();
            for listing in own {
                let Ok(ticket) = provider.ticket(&listing.ticket_id) else { continue };
                let known = self.engine.store.listing(&self.account.id, (ticket, &listing.id))?;
                let policy = match known {
                    Some(known) => known.policy,
                    None if listing.state.is_open() => {
                        let rules = extension.resale_rules(&self.asker(), &listing.ticket_id).await;
                        self.forgive(rules)?.map(|rules| rules.barcode_while_listed).unwrap_or_default()
                    }
                    None => continue,
                };
                listings.push(stored(listing, ticket, policy));
            }
            listings.extend(self.unlisted_listings(&extension, tenant.as_deref(), &listings).await?);
            // The oldest first: what became of a ticket last counts.
            listings.reverse();
            self.engine.store.save_listings(&self.account.id, &listings)?;
        }
        Ok(())
    }

    /// A ticket bought or accepted, or one that is not taken: it need not be here yet.
    pub(super) async fn send_acquisition(&mut self, mut row: OutboxRow) -> Outcome {
        let (tenant, handle) = match row.new.write.clone() {
            Write::Purchase { tenant, handle, .. } | Write::AcceptTransfer { tenant, handle, .. } => {
                (tenant, Some(handle))
            }
            Write::DeclineTransfer { tenant, .. } => (tenant, None),
            _ => return Ok(None),
        };
        let Some(extension) = self.extension(tenant.as_deref()).await?.cloned() else { return Ok(None) };
        let standing = self.engine.store.listing_standing(row.new.subject)?;
        if standing.state().is_some_and(ListingState::is_open) {
            // What became of an own listing of it counts for what was held before, not for what comes now.
            self.refresh_listings().await?;
        }
        if let Write::Purchase { reservation: Some(held), .. } = &row.new.write {
            let acquired = extension.reservation(&self.asker(), &held.id).await?;
            return self.acquired(row, tenant.as_deref(), &extension, acquired).await;
        }
        let key = match handle {
            Some(handle) => self.create_keys(vec![handle]).await?.pop(),
            None => None,
        };
        fail::fail_point!("key-created");
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let no_key = || Error::Untrusted { what: "the key vault made no key" };
        let acquired = match &row.new.write {
            Write::Purchase { listing_id, max_total, .. } => {
                let what = (listing_id.as_str(), &key.ok_or_else(no_key)?);
                extension.purchase(&self.asker(), &row.new.key, what, max_total).await?
            }
            Write::AcceptTransfer { transfer_id, .. } => {
                let what = (transfer_id.as_str(), &key.ok_or_else(no_key)?);
                extension.accept_transfer(&self.asker(), &row.new.key, what).await?
            }
            Write::DeclineTransfer { transfer_id, .. } => {
                let (http, system) = (self.system.http(), &self.system);
                extension.decline_transfer(http, &self.session, system, &row.new.key, transfer_id).await?;
                return Ok(Some((row, Settled::Declined)));
            }
            _ => return Ok(None),
        };
        self.acquired(row, tenant.as_deref(), &extension, acquired).await
    }

    /// What became of a ticket that was said to be paid for before the pull, and that came with no answer of its own: the
    /// pull has brought it, or it has gone on to somebody else since.
    pub(super) fn settle_paid(&mut self) -> Result<(), Error> {
        let mut outcomes = Vec::new();
        for row in self.engine.store.outbox(Some(&self.account.id), None)? {
            let Write::Purchase { handle, reservation: Some(held), .. } = &row.new.write else { continue };
            if !held.is_paid {
                continue;
            }
            let settled = match self.engine.store.ticket(row.new.subject, 0) {
                Ok(ticket) if ticket.account_id == self.account.id => {
                    let handle = handle.clone();
                    Settled::Acquired(Box::new(Acquisition { ticket: None, handle, held: None }))
                }
                Ok(_) | Err(Error::NotFound { .. }) => Settled::Dropped,
                Err(error) => return Err(error),
            };
            outcomes.push((row, settled));
        }
        if outcomes.is_empty() { Ok(()) } else { self.settle(outcomes) }
    }

    /// What an answer about a ticket that comes to the account leads to. Its credential is checked first.
    async fn acquired(
        &mut self,
        row: OutboxRow,
        tenant: Option<&str>,
        extension: &Extension,
        answer: Acquired,
    ) -> Outcome {
        let Some(record) = answer.ticket else {
            let outcome = match (answer.state.as_deref(), answer.reservation) {
                (Some(state), _) if OVER.contains(&state) => refused_for(format!("reservation-{state}")),
                // Pending, paid, or in a state that is not known: nothing is concluded from it.
                (_, Some(held)) => reserved(&row.new.write, held),
                (_, None) => refused_for("reservation-unknown".to_owned()),
            };
            return Ok(Some((row, outcome)));
        };
        let pulled = self.system.read_ticket(&self.session, &record).await?;
        if pulled.id != row.new.subject {
            return Err(Error::Untrusted { what: "the server handed over another ticket" });
        }
        let ticket = self.with_profile(pulled).await?;
        let handle = row.new.write.acquired_key().unwrap_or_default().to_owned();
        let state = match self.engine.store.binding(ticket.id) {
            Err(Error::NotFound { .. }) => BindingState::default(),
            state => state?,
        };
        let binding = Binding {
            ticket: ticket.id,
            tenant: tenant.map(str::to_owned),
            remote_id: ticket.remote_id.clone(),
            event_remote_id: ticket.event.as_ref().map(|event| event.remote_id.clone()),
            state,
        };
        let held = match answer.issued {
            Some(issued) => {
                let key = self.create_keys(vec![handle.clone()]).await?.pop();
                let key = key.ok_or(Error::Untrusted { what: "the key vault made no key" })?;
                self.checked(&binding, &key, extension.issuer_keys(), issued)?
            }
            None => None,
        };
        Ok(Some((row, Settled::Acquired(Box::new(Acquisition { ticket: Some(ticket), handle, held })))))
    }
}

/// What waits for its payment, or for its ticket. Whoever asks for more than was agreed to, or for another currency, is not
/// paid: the first answer refuses it, and a later one, when the person may have paid, only shows no way to pay any more.
fn reserved(write: &Write, mut held: HeldReservation) -> Settled {
    let Write::Purchase { max_total, reservation, .. } = write else { return Settled::NotSent };
    let is_dearer = |total: &Money| total.currency != max_total.currency || total.minor > max_total.minor;
    let dearer = held.total.as_ref().is_some_and(is_dearer);
    if dearer && reservation.is_none() {
        return refused_for(DEARER.to_owned());
    }
    if dearer || held.is_paid {
        held.payment_url = None;
    }
    Settled::Reserved(Box::new(held))
}

fn refused_for(code: String) -> Settled {
    Settled::Rejected(RejectionReason::Refused, None, Some(code))
}

fn expected(write: &Write) -> i64 {
    match write {
        Write::EditListing { expected, .. } | Write::WithdrawListing { expected, .. } => *expected,
        _ => 0,
    }
}

fn policy_of(write: &Write) -> BarcodePolicy {
    match write {
        Write::CreateListing { shown: true, .. } => BarcodePolicy::Shown,
        _ => BarcodePolicy::Hidden,
    }
}

fn listed(listing: WireListing, binding: &Binding, policy: BarcodePolicy) -> Settled {
    Settled::Listed(Box::new(stored(listing, binding.ticket, policy)))
}

pub(super) fn stored(listing: WireListing, ticket: TicketHash, policy: BarcodePolicy) -> StoredListing {
    StoredListing {
        remote_id: listing.id,
        ticket,
        state: listing.state,
        policy,
        version: listing.version,
        price: listing.price,
        breakdown: listing.breakdown,
        created_at: listing.created_at,
        expires_at: listing.expires_at,
    }
}
