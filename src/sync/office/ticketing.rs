//! What hosts and event staff send to TickeTing: admission tokens, and admissions.

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{Desk, Found, IN_FLIGHT_S, text};
use crate::error::Error;
use crate::model::{
    Admission, AdmissionOrder, AdmissionPage, AdmissionQuery, AdmissionToken, GateAccess, OfficePage,
    OfficeWrite, OfficeWriteKind, OfficeWriteState, TokenPage, TokenQuery,
};
use crate::remote::bounds::Gathering;
use crate::remote::ticketing::{EventTicketQuery, PageQuery, Ticketing, UNKNOWN_RESOURCE};

/// More tokens than a gate has staff.
const MAX_ISSUED: u32 = 1_000;
/// Records asked for at once.
const RECORDS: u32 = 100;
/// So many pages of tokens are read to tell new ones from others; of an event with more, a lost answer stays unknown.
const MAX_PAGES: u32 = 100;
/// Of so many tokens the ids are kept with a write; of more, what they come to.
const LISTED: usize = 64;
/// By so many seconds a server's clock differs from the trusted time without a doubt on whose an admission is.
const SKEW_S: i64 = 60;
/// No clock and no time zone that is taken for another is wrong by more.
const FAR_S: i64 = 26 * 3600;
/// So many earlier writes are looked at to tell whose a token or an admission is.
const EARLIER: u32 = 1_000;

impl Desk<'_> {
    /// Issues so many tokens, one write each, and stops at the first that is not carried out: the last of what is returned
    /// then says why.
    ///
    /// # Errors
    /// As [`Desk::reserve`], when already the first is not accepted.
    pub async fn issue_tokens(
        &self,
        event_id: &str,
        sections: &[String],
        count: u32,
    ) -> Result<Vec<OfficeWrite>, Error> {
        if !(1..=MAX_ISSUED).contains(&count) {
            return Err(Error::Input { field: "count", reason: format!("from 1 to {MAX_ISSUED} at once") });
        }
        let ticketing = self.ticketing()?;
        // What is there already cannot be what this asks for; a server that does not list it tells nothing later.
        let before = self.strange_tokens(ticketing, event_id, sections).await.ok().flatten();
        let before = before.map(|tokens| listed(&ids(&tokens)));
        let mut writes = Vec::new();
        for _ in 0..count {
            let asked = json!({ "event_id": event_id, "sections": sections, "before": before });
            let id = self.begin(OfficeWriteKind::IssueToken, &asked)?;
            let answer = ticketing.issue_token(&self.session, event_id, sections).await;
            let write = match self.settle(id, answer.map(|token| told(&token))).await {
                Err(error) if writes.is_empty() => return Err(error),
                // It is kept, with the reason.
                Err(_) => self.store().office_write(id)?,
                Ok(write) => write,
            };
            let done = write.state == OfficeWriteState::Done;
            writes.push(write);
            if !done {
                break;
            }
        }
        Ok(writes)
    }

    /// Makes a token good for just these sections.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn update_token(
        &self,
        event_id: &str,
        token_id: &str,
        sections: &[String],
    ) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        // What it is good for now is told from what others make of it later.
        let before =
            ticketing.token(&self.session, event_id, token_id).await.ok().map(|token| token.sections);
        let asked = json!({
            "event_id": event_id, "token_id": token_id, "sections": sections, "before": before,
        });
        let id = self.begin(OfficeWriteKind::UpdateToken, &asked)?;
        let answer = ticketing.update_token(&self.session, event_id, token_id, sections).await;
        self.settle(id, answer.map(|token| told(&token))).await
    }

    /// Deletes a token.
    ///
    /// # Errors
    /// As [`Desk::reserve`].
    pub async fn delete_token(&self, event_id: &str, token_id: &str) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let asked = json!({ "event_id": event_id, "token_id": token_id });
        let id = self.begin(OfficeWriteKind::DeleteToken, &asked)?;
        let answer = ticketing.delete_token(&self.session, event_id, token_id).await;
        self.settle(id, answer.map(|()| json!({}))).await
    }

    /// Redeems tickets.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 400 when none of them grants admission.
    pub async fn admit(&self, order: &AdmissionOrder) -> Result<OfficeWrite, Error> {
        let ticketing = self.ticketing()?;
        let asked = json!({
            "event_id": order.event_id, "redeemer": order.redeemer, "device": order.device,
            "serials": order.serials,
        });
        let id = self.begin(OfficeWriteKind::Admit, &asked)?;
        let answer = ticketing.admit(&self.session, order).await;
        self.settle(id, answer.map(|admissions| admitted(&admissions, &order.serials))).await
    }

    /// One page of an event's tokens.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn tokens(&self, event_id: &str, query: &TokenQuery) -> Result<TokenPage, Error> {
        let page = self.ticketing()?.tokens(&self.session, event_id, query).await?;
        Ok(TokenPage { more: page.more(), tokens: page.entries, total: page.total, page: page.page })
    }

    /// A single token.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn token(&self, event_id: &str, token_id: &str) -> Result<AdmissionToken, Error> {
        self.ticketing()?.token(&self.session, event_id, token_id).await
    }

    /// What a token's code lets in to.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn look_up_code(&self, code: &str) -> Result<GateAccess, Error> {
        self.ticketing()?.look_up_code(&self.session, code).await
    }

    /// One page of an event's admissions.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn admissions(&self, event_id: &str, query: &AdmissionQuery) -> Result<AdmissionPage, Error> {
        let page = self.ticketing()?.admissions(&self.session, event_id, query).await?;
        Ok(AdmissionPage { more: page.more(), admissions: page.entries, total: page.total, page: page.page })
    }

    /// One page of the tickets for an event, and whether more come.
    ///
    /// # Errors
    /// As [`Desk::reserved`].
    pub async fn event_tickets(
        &self,
        event_id: &str,
        modified_since: Option<i64>,
        page: u32,
    ) -> Result<OfficePage, Error> {
        let ticketing = self.ticketing()?;
        let page = PageQuery { page: Some(page), records: Some(RECORDS) };
        let query = EventTicketQuery { page, modified_since };
        let found = ticketing.event_tickets(&self.session, event_id, query).await?;
        let tickets = found.entries.iter().map(|ticket| ticket.as_office_ticket(ticketing.zone()));
        Ok(OfficePage { tickets: tickets.collect(), more: found.more() })
    }

    pub(super) async fn read_back_at_ticketing(
        &self,
        write: &OfficeWrite,
        asked: &Value,
    ) -> Result<Found, Error> {
        let ticketing = self.ticketing()?;
        let (event_id, token_id) = (text(asked, "event_id"), text(asked, "token_id"));
        match write.kind {
            OfficeWriteKind::IssueToken => self.find_issued(ticketing, write, asked).await,
            OfficeWriteKind::Admit => self.find_admitted(ticketing, write, asked).await,
            OfficeWriteKind::UpdateToken => {
                let token = ticketing.token(&self.session, event_id, token_id).await?;
                let is_for = |list: &Value| list.is_array() && token.is_for(&texts(list));
                Ok(if is_for(&asked["sections"]) {
                    Found::Done(told(&token))
                } else if is_for(&asked["before"]) {
                    Found::Unchanged
                } else {
                    Found::Unclear
                })
            }
            OfficeWriteKind::DeleteToken => match ticketing.token(&self.session, event_id, token_id).await {
                Ok(_) => Ok(Found::Unchanged),
                Err(Error::Status { status: 404, server_code, .. })
                    if server_code.as_deref() == Some(UNKNOWN_RESOURCE) =>
                {
                    Ok(Found::Done(json!({})))
                }
                Err(Error::Status { status: 410, .. }) => Ok(Found::Done(json!({}))),
                Err(other) => Err(other),
            },
            _ => Ok(Found::Unclear),
        }
    }

    /// Whether there are tokens of these sections that were not there before, and that no other write answered. A token says
    /// neither who issued it nor when: a colleague may have done it in the same moment, so that a new one may be the write's,
    /// and never is for sure.
    async fn find_issued(
        &self,
        ticketing: &Ticketing,
        write: &OfficeWrite,
        asked: &Value,
    ) -> Result<Found, Error> {
        // Once there was one that it may have issued, it does not come to nothing by that one's deletion.
        let earlier = write.answer_json.as_deref().and_then(|json| serde_json::from_str::<Value>(json).ok());
        let earlier = earlier.filter(|answer| answer["candidates"].is_array());
        let unchanged = || earlier.clone().map_or(Found::Unchanged, Found::Maybe);
        let before = &asked["before"];
        if before.is_null() {
            return Ok(Found::Unclear);
        }
        let (event_id, sections) = (text(asked, "event_id"), texts(&asked["sections"]));
        let found = self.strange_tokens(ticketing, event_id, &sections).await?;
        let Some(mut found) = found else { return Ok(Found::Unclear) };
        if listed(&ids(&found)) == *before {
            return Ok(unchanged());
        }
        if before.is_string() {
            return Ok(Found::Unclear);
        }
        let known: BTreeSet<String> = texts(before).into_iter().collect();
        found.retain(|token| !known.contains(&token.id));
        let candidates: Vec<_> = found.iter().take(LISTED).map(shown).collect();
        Ok(if found.is_empty() { unchanged() } else { Found::Maybe(json!({ "candidates": candidates })) })
    }

    /// The admissions of these tickets by this redeemer on this device, since the write was sent, which no other write
    /// answered. A ticket that was used before, or that somebody else redeemed, was refused; one that nobody redeemed was
    /// once the request cannot be under way any more. Where clocks differ, nothing is told.
    async fn find_admitted(
        &self,
        ticketing: &Ticketing,
        write: &OfficeWrite,
        asked: &Value,
    ) -> Result<Found, Error> {
        let (redeemer, device) = (text(asked, "redeemer"), text(asked, "device"));
        let (serials, answered) = (texts(&asked["serials"]), self.answered(OfficeWriteKind::Admit)?);
        let (mut ours, mut all_told) = (Vec::new(), true);
        for serial in &serials {
            let query = AdmissionQuery {
                ticket: Some(serial.clone()),
                records: Some(RECORDS),
                ..AdmissionQuery::default()
            };
            let page = ticketing.admissions(&self.session, text(asked, "event_id"), &query).await?;
            if page.more() {
                return Ok(Found::Unclear);
            }
            let of_ticket = page.entries.into_iter().filter(|admission| admission.ticket == *serial);
            let mut is_told = false;
            for admission in of_ticket {
                is_told = true;
                if !admission.is_by(redeemer, device) || answered.contains(&admission.uri) {
                    continue;
                }
                match admission.admitted_at.and_then(|at| is_of(write, at)) {
                    Some(true) => ours.push(admission),
                    Some(false) => {}
                    None => return Ok(Found::Unclear),
                }
            }
            all_told &= is_told;
        }
        Ok(match ours.is_empty() {
            true => Found::Unchanged,
            false if all_told || self.has_landed(write.created_at)? => Found::Done(admitted(&ours, &serials)),
            false => Found::Unclear,
        })
    }

    /// The tokens of an event, its own included, that are good for just these sections and that no write of the account has
    /// answered; `None` where there are too many tokens to look at.
    async fn strange_tokens(
        &self,
        ticketing: &Ticketing,
        event_id: &str,
        sections: &[String],
    ) -> Result<Option<Vec<AdmissionToken>>, Error> {
        let answered = self.answered(OfficeWriteKind::IssueToken)?;
        let (mut found, mut gathering) = (Vec::new(), Gathering::of("GET events/:event/tokens"));
        for page in 1..=MAX_PAGES {
            let query = TokenQuery { page: Some(page), records: Some(RECORDS), global: None };
            let page = ticketing.tokens(&self.session, event_id, &query).await?;
            gathering.add(page.entries.iter().map(|token| token.body_json.len()).sum())?;
            let more = page.more();
            let strange = |token: &AdmissionToken| token.is_for(sections) && !answered.contains(&token.id);
            found.extend(page.entries.into_iter().filter(strange));
            if !more {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The ids of what writes of a kind have answered.
    pub(super) fn answered(&self, kind: OfficeWriteKind) -> Result<BTreeSet<String>, Error> {
        let (list, name) = match kind {
            OfficeWriteKind::IssueToken => ("tokens", "id"),
            OfficeWriteKind::StartTransfer => ("transfers", "uri"),
            OfficeWriteKind::PlaceOrder => ("orders", "number"),
            _ => ("admissions", "uri"),
        };
        let writes = self.store().office_writes(&self.account.id, EARLIER)?;
        let answers = writes
            .iter()
            .filter(|write| write.kind == kind)
            .filter_map(|write| serde_json::from_str::<Value>(write.answer_json.as_deref()?).ok());
        let ids = answers.flat_map(|answer| answer[list].as_array().cloned().unwrap_or_default());
        Ok(ids.filter_map(|one| one[name].as_str().map(str::to_owned)).collect())
    }
}

fn ids(tokens: &[AdmissionToken]) -> BTreeSet<&str> {
    tokens.iter().map(|token| token.id.as_str()).collect()
}

pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Ids, or their digest where there are many.
pub(super) fn listed(ids: &BTreeSet<&str>) -> Value {
    if ids.len() <= LISTED {
        return json!(ids);
    }
    let ids = ids.iter().copied().collect::<Vec<_>>().join("\n");
    json!(hex::encode(digest(&SHA256, ids.as_bytes())))
}

/// Whether what was made at this time is a write's; `None` where a clock that differs could make it so or not.
pub(super) fn is_of(write: &OfficeWrite, made_at: i64) -> Option<bool> {
    let after_s = made_at.saturating_sub(write.created_at);
    match after_s {
        _ if (-SKEW_S..=IN_FLIGHT_S + SKEW_S).contains(&after_s) => Some(true),
        _ if after_s < -FAR_S => Some(false),
        _ => None,
    }
}

/// A token as it is kept with a write.
fn told(token: &AdmissionToken) -> Value {
    json!({ "tokens": [shown(token)] })
}

fn shown(token: &AdmissionToken) -> Value {
    json!({
        "id": token.id, "uri": token.uri, "code": token.code, "global": token.global, "sections": token.sections,
    })
}

/// Admissions as they are kept with a write, and the serials that were refused.
fn admitted(admissions: &[Admission], serials: &[String]) -> Value {
    let one = |admission: &Admission| {
        json!({
            "uri": admission.uri, "ticket": admission.ticket, "section": admission.section,
            "admitted_at": admission.admitted_at,
        })
    };
    let refused = |serial: &&String| !admissions.iter().any(|admission| admission.ticket == **serial);
    json!({
        "admissions": admissions.iter().map(one).collect::<Vec<_>>(),
        "refused": serials.iter().filter(refused).collect::<Vec<_>>(),
    })
}
