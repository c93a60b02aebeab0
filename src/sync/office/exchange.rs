//! What a holder hands over and orders at TickeTing, by section and number. No system repeats these safely, so that they are
//! kept and read back as an organiser's writes are, and wait in no outbox.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::ticketing::{is_of, listed, texts};
use super::{Desk, Found, text};
use crate::error::Error;
use crate::model::{
    OfficeWrite, OfficeWriteKind, SectionCount, SectionOrder, SectionOrderPage, SectionTransfer,
    SectionTransferPage, TransferState,
};
use crate::remote::ticketing::{
    OrderQuery, PageQuery, Ticketing, TicketingOrder, TicketingTransfer, TransferRole, read_time,
};

/// Records asked for at once.
const RECORDS: u32 = 100;
/// So many pages are read to tell a new transfer or order from others.
const MAX_PAGES: u32 = 50;

/// What a lost answer may have left.
struct Candidate {
    id: String,
    /// Unix seconds.
    made_at: Option<i64>,
    told: Value,
}

impl Desk<'_> {
    /// Hands tickets over, to the address of an account or to whoever a name or an e-mail address identifies.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 404 for nobody, with 400 for too few tickets.
    pub async fn start_transfer(
        &self,
        recipient: &str,
        tickets: &[SectionCount],
    ) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let sender = ticketing.account_uri(&self.session).await?;
        let recipient = match recipient.starts_with('/') {
            true => recipient.to_owned(),
            false => ticketing.look_up_account(&self.session, recipient, None).await?.uri,
        };
        // What is there already cannot be what this asks for.
        let before = self.sent_like(ticketing, &recipient, tickets).await.ok().flatten();
        let before = before.map(|found| ids(&found));
        let asked = json!({ "recipient": recipient, "tickets": counts(tickets), "before": before });
        let id = self.begin(OfficeWriteKind::StartTransfer, &asked)?;
        let answer = ticketing.start_transfer(&self.session, &sender, &recipient, tickets).await;
        self.settle(id, answer.map(|transfer| json!({ "transfers": [told_transfer(&transfer)] }))).await
    }

    /// Takes what somebody hands over, named by its address.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 403 for somebody else's, with 409 for one that is not pending.
    pub async fn claim_transfer(&self, uri: &str) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let transfer = ticketing.transfer(&self.session, uri).await?;
        let id = self.begin(OfficeWriteKind::ClaimTransfer, &json!({ "uri": uri }))?;
        let answer = match ticketing.claim_transfer(&self.session, &transfer).await {
            Ok(true) => Ok(json!({ "transfers": [told_transfer(&transfer)] })),
            // It says that it did not, and not whether it was done before.
            Ok(false) => {
                Err(Error::Reply { endpoint: "POST transfers/:id/claims".into(), field: "success".into() })
            }
            Err(error) => Err(error),
        };
        self.settle(id, answer).await
    }

    /// Takes a transfer back, named by its address.
    ///
    /// # Errors
    /// As [`Desk::claim_transfer`].
    pub async fn cancel_section_transfer(&self, uri: &str) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let id = self.begin(OfficeWriteKind::CancelTransfer, &json!({ "uri": uri }))?;
        let answer = ticketing.cancel_transfer(&self.session, uri).await;
        self.settle(id, answer.map(|()| json!({}))).await
    }

    /// One page, counted from 1, of the account's transfers: those to it, or those that it sent.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn section_transfers(&self, incoming: bool, page: u32) -> Result<SectionTransferPage, Error> {
        let ticketing = self.ticketing()?;
        let role = if incoming { TransferRole::Recipient } else { TransferRole::Sender };
        let found = ticketing.transfers(&self.session, role, None, asked_page(page)).await?;
        let transfers = found.entries.iter().map(|one| shown_transfer(ticketing, one)).collect();
        Ok(SectionTransferPage { transfers, more: found.more() })
    }

    /// Places an order for the account itself.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 400 when there are too few tickets.
    pub async fn place_order(&self, items: &[SectionCount]) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let before = self.orders_like(ticketing, &quantities(items)).await.ok().flatten();
        let before = before.map(|found| ids(&found));
        let asked = json!({ "items": counts(items), "before": before });
        let id = self.begin(OfficeWriteKind::PlaceOrder, &asked)?;
        let answer = ticketing.place_order(&self.session, None, items).await;
        self.settle(id, answer.map(|order| json!({ "orders": [told_order(&order)] }))).await
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 409 for one that is cancelled or settled.
    pub async fn cancel_order(&self, number: &str) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let id = self.begin(OfficeWriteKind::CancelOrder, &json!({ "number": number }))?;
        let answer = ticketing.cancel_order(&self.session, number).await;
        self.settle(id, answer.map(|()| json!({}))).await
    }

    /// One page, counted from 1, of the orders that the account may see.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn section_orders(&self, page: u32) -> Result<SectionOrderPage, Error> {
        let ticketing = self.ticketing()?;
        let query = OrderQuery { page: asked_page(page), ..OrderQuery::default() };
        let found = ticketing.orders(&self.session, &query).await?;
        let orders = found.entries.iter().map(|one| shown_order(ticketing, one)).collect();
        Ok(SectionOrderPage { orders, more: found.more() })
    }

    /// What the server tells of a lost answer.
    pub(super) async fn read_back_exchange(
        &self,
        write: &OfficeWrite,
        asked: &Value,
    ) -> Result<Found, Error> {
        let ticketing = self.ticketing()?;
        match write.kind {
            OfficeWriteKind::StartTransfer if !asked["before"].is_null() => {
                let tickets = sections(&asked["tickets"]);
                let found = self.sent_like(ticketing, text(asked, "recipient"), &tickets).await?;
                Ok(found.map_or(Found::Unclear, |found| new_one(write, asked, found, "transfers")))
            }
            OfficeWriteKind::PlaceOrder if !asked["before"].is_null() => {
                let found = self.orders_like(ticketing, &quantities(&sections(&asked["items"]))).await?;
                Ok(found.map_or(Found::Unclear, |found| new_one(write, asked, found, "orders")))
            }
            OfficeWriteKind::ClaimTransfer | OfficeWriteKind::CancelTransfer => {
                let transfer = ticketing.transfer(&self.session, text(asked, "uri")).await?;
                let is_claim = write.kind == OfficeWriteKind::ClaimTransfer;
                let wanted = if is_claim { TransferState::Accepted } else { TransferState::Cancelled };
                let other = if is_claim { TransferState::Cancelled } else { TransferState::Accepted };
                let now = state(&transfer);
                Ok(if now == wanted {
                    Found::Done(json!({ "transfers": [told_transfer(&transfer)] }))
                } else if now == other || now == TransferState::Pending {
                    Found::Unchanged
                } else {
                    Found::Unclear
                })
            }
            OfficeWriteKind::CancelOrder => {
                let order = ticketing.order(&self.session, text(asked, "number")).await?;
                let is = |status: &str| {
                    order.status.as_deref().is_some_and(|now| now.eq_ignore_ascii_case(status))
                };
                Ok(match () {
                    () if is("Cancelled") => Found::Done(json!({ "orders": [told_order(&order)] })),
                    () if is("Placed") => Found::Unchanged,
                    () => Found::Unclear,
                })
            }
            _ => Ok(Found::Unclear),
        }
    }

    /// The transfers of just these tickets to this recipient, wherever they stand, that no write has answered; `None` where
    /// there are too many to look at.
    async fn sent_like(
        &self,
        ticketing: &Ticketing,
        recipient: &str,
        tickets: &[SectionCount],
    ) -> Result<Option<Vec<Candidate>>, Error> {
        let found = ticketing.sent_like(&self.session, recipient, tickets).await?;
        let Some(found) = found else { return Ok(None) };
        let answered = self.answered(OfficeWriteKind::StartTransfer)?;
        let strange = found.iter().filter(|one| !answered.contains(&one.uri));
        let candidate = |one: &TicketingTransfer| Candidate {
            id: one.uri.clone(),
            made_at: one.initiated.as_deref().and_then(|at| read_time(at, ticketing.zone())),
            told: told_transfer(one),
        };
        Ok(Some(strange.map(candidate).collect()))
    }

    /// The orders of these quantities, in whatever order, that no write has answered; `None` where there are too many to
    /// look at. An order does not say of which sections its items are.
    async fn orders_like(
        &self,
        ticketing: &Ticketing,
        wanted: &[u32],
    ) -> Result<Option<Vec<Candidate>>, Error> {
        let answered = self.answered(OfficeWriteKind::PlaceOrder)?;
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let query = OrderQuery { page: asked_page(page), ..OrderQuery::default() };
            let found = ticketing.orders(&self.session, &query).await?;
            let more = found.more();
            all.extend(found.entries.iter().filter_map(|order| {
                let mut held: Vec<u32> = order.items.iter().filter_map(|item| item.quantity).collect();
                held.sort_unstable();
                (held == wanted && !answered.contains(&order.number)).then(|| Candidate {
                    id: order.number.clone(),
                    made_at: order.placed.as_deref().and_then(|at| read_time(at, ticketing.zone())),
                    told: told_order(order),
                })
            }));
            if !more {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }
}

/// The one that was not there before and was made when the write was sent, by the account itself. Several, and one of
/// another time, may be it.
fn new_one(write: &OfficeWrite, asked: &Value, mut found: Vec<Candidate>, list: &str) -> Found {
    let before = &asked["before"];
    if ids(&found) == *before {
        return Found::Unchanged;
    }
    if before.is_string() {
        return Found::Unclear;
    }
    let known: BTreeSet<String> = texts(before).into_iter().collect();
    found.retain(|one| !known.contains(&one.id));
    match found.as_slice() {
        [] => Found::Unchanged,
        [one] if one.made_at.and_then(|at| is_of(write, at)) == Some(true) => {
            Found::Done(json!({ list: [one.told] }))
        }
        several => {
            Found::Maybe(json!({ "candidates": several.iter().map(|one| &one.told).collect::<Vec<_>>() }))
        }
    }
}

fn ids(found: &[Candidate]) -> Value {
    listed(&found.iter().map(|one| one.id.as_str()).collect())
}

fn asked_page(page: u32) -> PageQuery {
    PageQuery { page: Some(page.max(1)), records: Some(RECORDS) }
}

fn counts(items: &[SectionCount]) -> BTreeMap<&str, u32> {
    items.iter().map(|item| (item.section.as_str(), item.quantity)).collect()
}

/// The way back from [`counts`].
fn sections(counts: &Value) -> Vec<SectionCount> {
    let one = |(section, quantity): (&String, &Value)| {
        let quantity = u32::try_from(quantity.as_u64()?).ok()?;
        Some(SectionCount { section: section.clone(), quantity })
    };
    counts.as_object().into_iter().flatten().filter_map(one).collect()
}

fn quantities(items: &[SectionCount]) -> Vec<u32> {
    let mut quantities: Vec<u32> = items.iter().map(|item| item.quantity).collect();
    quantities.sort_unstable();
    quantities
}

fn state(transfer: &TicketingTransfer) -> TransferState {
    let status = transfer.status.as_deref().unwrap_or_default().to_ascii_lowercase();
    match status.as_str() {
        "claimed" => TransferState::Accepted,
        _ => TransferState::from_text(&status),
    }
}

fn told_transfer(transfer: &TicketingTransfer) -> Value {
    json!({
        "uri": transfer.uri, "status": transfer.status, "recipient": transfer.recipient,
        "tickets": counts(&transfer.tickets),
    })
}

fn told_order(order: &TicketingOrder) -> Value {
    json!({ "number": order.number, "status": order.status, "total": order.total })
}

fn shown_transfer(ticketing: &Ticketing, transfer: &TicketingTransfer) -> SectionTransfer {
    SectionTransfer {
        uri: transfer.uri.clone(),
        state: state(transfer),
        initiated_at: transfer.initiated.as_deref().and_then(|at| read_time(at, ticketing.zone())),
        tickets: transfer.tickets.clone(),
        sender: transfer.sender.clone(),
        recipient: transfer.recipient.clone(),
        body_json: transfer.record().to_owned(),
    }
}

fn shown_order(ticketing: &Ticketing, order: &TicketingOrder) -> SectionOrder {
    SectionOrder {
        number: order.number.clone(),
        status: order.status.clone(),
        placed_at: order.placed.as_deref().and_then(|at| read_time(at, ticketing.zone())),
        total: order.total.clone(),
        body_json: order.record().to_owned(),
    }
}
