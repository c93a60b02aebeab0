//! What organisers send: each write is kept before its first byte leaves, is never repeated by itself, and ends as done,
//! rejected or unknown. After a lost answer the server is asked what it holds, as far as it tells.

mod exchange;
mod ledger;
mod reserved;
mod texpo;
mod ticketing;
mod unidy;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::desk::Desk;
use crate::error::Error;
use crate::model::{
    GroupOrder, OfficeTicket, OfficeWrite, OfficeWriteKind, OfficeWriteState, Reservation, TicketStatus,
};
use crate::remote::bounds::Gathering;
use crate::store::OfficeOutcome;

/// A request that has not been carried out by now never will be: servers and what stands before them give up sooner.
const IN_FLIGHT_S: i64 = 120;

/// What a server holds after a write whose answer was lost.
enum Found {
    /// As the write left it.
    Done(Value),
    /// The same, told by JSON that is kept as it is written.
    Told(String),
    /// As it was before.
    Unchanged,
    /// It cannot be told.
    Unclear,
    /// The same; this may be it.
    Maybe(Value),
    /// Otherwise than the write would have left it, for good.
    Otherwise(Value),
}

/// Tickets of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct TicketIds<'a> {
    /// The tenant; the configuration's own without it.
    pub tenant: Option<&'a str>,
    /// The system's ids.
    pub ids: &'a [String],
}

impl Desk<'_> {
    /// Reserves tickets for a user.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::Status`] when the server refuses, as [`crate::remote::Http::send`] when surely nothing
    /// was sent, [`Error::Database`]. A lost answer is no error but a write of unknown outcome.
    pub async fn reserve(&self, order: &Reservation) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let tenant = bam.office_tenant(&self.session, order.tenant.as_deref()).await?;
        let order = &Reservation { tenant: tenant.clone(), ..order.clone() };
        // What is reserved already cannot be what this asks for; a server that does not list it tells nothing later.
        let before = bam.reserved_tickets(&self.session, tenant.as_deref(), order.event_id).await.ok();
        let before =
            before.map(|tickets| tickets.iter().map(|one| one.remote_id.clone()).collect::<Vec<_>>());
        let asked = json!({
            "tenant": tenant, "event_id": order.event_id, "owner_id": order.owner_enrollment_id,
            "format": order.format, "before": before, "items": items(&order.items),
        });
        let id = self.begin(OfficeWriteKind::Reserve, &asked)?;
        let answer = bam.reserve(&self.session, order).await;
        self.settle(id, answer.map(|tickets| told(tickets.as_slice()))).await
    }

    /// Frees reserved tickets.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn free(&self, tickets: TicketIds<'_>) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let tenant = bam.office_tenant(&self.session, tickets.tenant).await?;
        let id = self.begin(OfficeWriteKind::Free, &json!({ "tenant": tenant, "ids": tickets.ids }))?;
        let answer = bam.free(&self.session, tenant.as_deref(), tickets.ids).await;
        self.settle(id, answer.map(|tickets| told(tickets.as_slice()))).await
    }

    /// Issues reserved tickets. The ledger comes first, so that they are issued some time after the server has accepted.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn issue(&self, tickets: TicketIds<'_>) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let tenant = bam.office_tenant(&self.session, tickets.tenant).await?;
        let id = self.begin(OfficeWriteKind::Issue, &json!({ "tenant": tenant, "ids": tickets.ids }))?;
        let answer = bam.issue(&self.session, tenant.as_deref(), tickets.ids).await;
        self.settle(id, answer.map(|tickets| told(tickets.as_slice()))).await
    }

    /// Sends tickets to e-mail addresses. Nothing that can be read tells what became of a lost answer.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn send_group(&self, order: &GroupOrder) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let tenant = bam.office_tenant(&self.session, order.tenant.as_deref()).await?;
        let order = &GroupOrder { tenant: tenant.clone(), ..order.clone() };
        let asked = json!({
            "tenant": tenant, "event_id": order.event_id, "format": order.format, "items": items(&order.items),
            "note": order.note, "owner_emails": order.owner_emails,
        });
        let id = self.begin(OfficeWriteKind::SendGroup, &asked)?;
        let answer = bam.send_group(&self.session, order).await;
        self.settle(id, answer.map(|tickets| told(tickets.as_slice()))).await
    }

    /// The reserved tickets of an event, where the server lists them.
    ///
    /// # Errors
    /// As [`crate::remote::Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn reserved(&self, tenant: Option<&str>, event_id: i64) -> Result<Vec<OfficeTicket>, Error> {
        self.bam()?.reserved_tickets(&self.session, tenant, event_id).await
    }

    /// How tickets stand, in the order of their ids.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn ticket_states(&self, tickets: TicketIds<'_>) -> Result<Vec<OfficeTicket>, Error> {
        let bam = self.bam()?;
        let tenant = bam.office_tenant(&self.session, tickets.tenant).await?;
        let mut found = Vec::with_capacity(tickets.ids.len());
        for id in tickets.ids {
            found.push(bam.office_ticket(&self.session, (tenant.as_deref(), id)).await?);
        }
        Ok(found)
    }

    /// The addresses of a brand's own pages.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn pages(&self) -> Result<Vec<String>, Error> {
        let ui = self.unidy()?.ui()?;
        Ok([ui.tickets, ui.dashboard_tickets, ui.api_docs].map(String::from).to_vec())
    }

    /// One of a partner's ticket categories, as its JSON.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn category(&self, id: &str) -> Result<String, Error> {
        Ok(self.unidy()?.category(&self.session, id).await?.record().to_owned())
    }

    /// A partner's ticket categories, each as its JSON.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn categories(&self) -> Result<Vec<String>, Error> {
        let unidy = self.unidy()?;
        let (mut all, mut gathering) = (Vec::new(), Gathering::of("GET categories"));
        for page in 1.. {
            let (found, more) = unidy.categories(&self.session, page).await?;
            gathering.add(found.iter().map(|category| category.record().len()).sum())?;
            all.extend(found.iter().map(|category| category.record().to_owned()));
            if !more {
                break;
            }
        }
        Ok(all)
    }

    /// Asks the server once more what became of a write.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] for a write of another account, [`Error::Database`].
    pub async fn look_up(&self, id: i64) -> Result<OfficeWrite, Error> {
        let write = self.store().office_write(id)?;
        if write.account_id != self.account.id {
            return Err(Error::Input { field: "id", reason: "this write is of another account".to_owned() });
        }
        if matches!(write.state, OfficeWriteState::Done | OfficeWriteState::Rejected) {
            return Ok(write);
        }
        match write.kind {
            OfficeWriteKind::MarkForSale | OfficeWriteKind::TransferOnLedger => {
                self.settle_ledger_by_reading(&write).await
            }
            _ => self.settle_by_reading(&write).await,
        }
    }

    pub(super) fn begin(&self, kind: OfficeWriteKind, asked: &Value) -> Result<i64, Error> {
        self.begin_text(kind, &asked.to_string())
    }

    fn begin_text(&self, kind: OfficeWriteKind, asked: &str) -> Result<i64, Error> {
        let id = self.store().begin_office_write(&self.account.id, kind, asked, self.now_s()?)?;
        self.sent_before.store(self.session.sent(), Ordering::Relaxed);
        Ok(id)
    }

    async fn settle(&self, id: i64, answer: Result<Value, Error>) -> Result<OfficeWrite, Error> {
        let error = match answer {
            Ok(answer) => return self.keep(id, OfficeWriteState::Done, Some(answer)),
            Err(error) => error,
        };
        let is_input = matches!(error, Error::Input { .. });
        if is_input && self.session.sent() == self.sent_before.load(Ordering::Relaxed) {
            self.store().forget_office_write(id)?;
            return Err(error);
        }
        if is_input || error.is_uncertain() {
            let write = self.settle_by_reading(&self.store().office_write(id)?).await?;
            return self.with_report(write, error);
        }
        let (status, server_code) = match &error {
            Error::Status { status, server_code, .. } => (Some(*status), server_code.clone()),
            Error::Answer { status, code, .. } => (Some(*status), Some(code.to_string())),
            Error::Permission { status, server_code, .. } => (Some(*status), server_code.clone()),
            Error::UpgradeNeeded { .. } => (Some(412), None),
            _ => (None, None),
        };
        let state = OfficeWriteState::Rejected;
        self.store().settle_office_write(id, &OfficeOutcome { state, answer: None, status, server_code })?;
        Err(error)
    }

    /// What a server that failed wants to be told, beside the write of unknown outcome.
    fn with_report(&self, write: OfficeWrite, error: Error) -> Result<OfficeWrite, Error> {
        match error {
            Error::ServerFault { report, .. } if write.state == OfficeWriteState::Unknown => {
                let told = write.answer_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
                let mut answer: Value = told.unwrap_or_else(|| json!({}));
                answer["report"] = serde_json::from_str(&report).unwrap_or_default();
                self.keep(write.id, write.state, Some(answer))
            }
            _ => Ok(write),
        }
    }

    async fn settle_by_reading(&self, write: &OfficeWrite) -> Result<OfficeWrite, Error> {
        // What cannot be read now is not known; it can be looked up again.
        let found = self.read_back(write).await.unwrap_or(Found::Unclear);
        let settled = self.has_landed(write.created_at)?;
        match found {
            Found::Done(answer) => self.keep(write.id, OfficeWriteState::Done, Some(answer)),
            Found::Told(answer) => self.keep_text(write.id, OfficeWriteState::Done, Some(answer)),
            Found::Unchanged if settled => self.keep(write.id, OfficeWriteState::Rejected, None),
            Found::Unchanged | Found::Unclear => self.keep(write.id, OfficeWriteState::Unknown, None),
            Found::Maybe(answer) => self.keep(write.id, OfficeWriteState::Unknown, Some(answer)),
            Found::Otherwise(answer) => self.keep(write.id, OfficeWriteState::Rejected, Some(answer)),
        }
    }

    /// Whether a request that was sent then, Unix seconds, has arrived by now, or never will.
    fn has_landed(&self, sent_at: i64) -> Result<bool, Error> {
        Ok(self.now_s()?.saturating_sub(sent_at) >= IN_FLIGHT_S)
    }

    pub(super) fn keep(
        &self,
        id: i64,
        state: OfficeWriteState,
        answer: Option<Value>,
    ) -> Result<OfficeWrite, Error> {
        self.keep_text(id, state, answer.map(|answer| answer.to_string()))
    }

    fn keep_text(
        &self,
        id: i64,
        state: OfficeWriteState,
        answer: Option<String>,
    ) -> Result<OfficeWrite, Error> {
        self.store()
            .settle_office_write(id, &OfficeOutcome { state, answer, status: None, server_code: None })
    }

    async fn read_back(&self, write: &OfficeWrite) -> Result<Found, Error> {
        let asked: Value = serde_json::from_str(&write.request_json).unwrap_or_default();
        match write.kind {
            OfficeWriteKind::Reserve => self.find_reserved(write, &asked).await,
            OfficeWriteKind::Free => self.find_states(self.bam()?, &asked, &[TicketStatus::Available]).await,
            OfficeWriteKind::Issue => {
                use TicketStatus::{Activated, Confirmed, Invalidated, Issued};
                self.find_states(self.bam()?, &asked, &[Confirmed, Issued, Activated, Invalidated]).await
            }
            OfficeWriteKind::SendGroup | OfficeWriteKind::CreateTicket => Ok(Found::Unclear),
            OfficeWriteKind::IssueToken
            | OfficeWriteKind::UpdateToken
            | OfficeWriteKind::DeleteToken
            | OfficeWriteKind::Admit => self.read_back_at_ticketing(write, &asked).await,
            OfficeWriteKind::StartTransfer
            | OfficeWriteKind::ClaimTransfer
            | OfficeWriteKind::CancelTransfer
            | OfficeWriteKind::PlaceOrder
            | OfficeWriteKind::CancelOrder => self.read_back_exchange(write, &asked).await,
            OfficeWriteKind::MarkForSale
            | OfficeWriteKind::TransferOnLedger
            | OfficeWriteKind::DeleteOffer => self.read_back_market(write, &asked).await,
            OfficeWriteKind::AcceptTransfer | OfficeWriteKind::DeclineTransfer => {
                let accept = write.kind == OfficeWriteKind::AcceptTransfer;
                Ok(match self.read_back_answer(&asked, accept).await {
                    OfficeWriteState::Done => Found::Done(json!({})),
                    OfficeWriteState::Rejected => Found::Otherwise(json!({})),
                    OfficeWriteState::Sent | OfficeWriteState::Unknown => Found::Unclear,
                })
            }
            OfficeWriteKind::CreateProduct
            | OfficeWriteKind::UpdateProduct
            | OfficeWriteKind::DeleteProduct => self.find_product(write).await,
            OfficeWriteKind::UpdateTicket => self.find_fields(write).await,
            OfficeWriteKind::DeleteTicket => {
                let gone = self.unidy()?.is_gone(&self.session, text(&asked, "ticket_id")).await?;
                Ok(match gone {
                    Some(true) => Found::Done(json!({})),
                    Some(false) => Found::Unchanged,
                    None => Found::Unclear,
                })
            }
        }
    }
}

fn text<'a>(asked: &'a Value, name: &str) -> &'a str {
    asked[name].as_str().unwrap_or_default()
}

fn items(items: &[crate::model::ReservationItem]) -> Value {
    let item = |one: &crate::model::ReservationItem| {
        json!({
            "ticket_config_id": one.ticket_config_id, "quantity": one.quantity,
            "timeslot_id": one.timeslot_id, "sector_id": one.sector_id,
        })
    };
    items.iter().map(item).collect()
}

/// Tickets as they are kept with a write.
fn told(tickets: &[OfficeTicket]) -> Value {
    let one = |ticket: &OfficeTicket| {
        json!({
            "id": ticket.remote_id, "status": ticket.status.as_text(),
            "ticket_config_id": ticket.ticket_config_id, "enrollment_id": ticket.enrollment_id,
        })
    };
    json!({ "tickets": tickets.iter().map(one).collect::<Vec<_>>() })
}
