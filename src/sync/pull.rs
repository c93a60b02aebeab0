//! Pulling tickets: by the change feed where the server has one, else the whole list, which is compared with what is
//! here. A list that the server calls unchanged is not asked for again.

use std::sync::Arc;

use super::engine::{Run, SyncStage};
use crate::error::Error;
use crate::model::{BarcodeProfile, PulledTicket, TicketFormat, TicketHash};
use crate::remote::PulledPage;
use crate::remote::bam::Bam;
use crate::remote::bounds::{MAX_PULLED, MAX_PULLED_BYTES};
use crate::remote::extension::{Extension, FeedItem, FeedPage};
use crate::store::{PageEnd, StoredTransfer};

/// Items asked for at once.
const PAGE: u32 = 100;
/// Missed tickets that are asked for one by one in a sync.
const MAX_SINGLE: u32 = 50;
/// So many pages of a feed with nothing on them are gone over: what was on them may concern others.
const MAX_EMPTY: u32 = 50;
/// An unchanged list is trusted for a day: a change of an event alone may not show in it.
const LIST_LIFE_S: i64 = 86_400;
/// The resources whose cursors are kept.
const TICKETS: &str = "tickets";
const FEED: &str = "feed";

impl Run<'_> {
    pub(super) async fn pull(&mut self) -> Result<(), Error> {
        let feed = self.discovered(None).await?.filter(|root| root.offers_feed()).cloned();
        match feed {
            Some(feed) => self.pull_changes(&feed).await?,
            None => self.pull_list().await?,
        }
        self.ask_for_missed().await
    }

    /// The whole list, unless it is as it was.
    async fn pull_list(&mut self) -> Result<(), Error> {
        let store = Arc::clone(&self.engine.store);
        let before = store.pull_state(&self.account.id, TICKETS)?;
        let now = self.engine.time.now()?.unix_s();
        let fresh = before.completed_at.is_some_and(|at| (0..LIST_LIFE_S).contains(&(now - at)));
        // The newest changes first, with the number of all: if this page is the same, the list is.
        let known = before.etag.as_deref().filter(|_| fresh);
        let probe = self.system.newest_unless(&self.session, PAGE, known).await?;
        let Some((probed, etag)) = probe else {
            self.tell(SyncStage::Tickets, 0, Some(0));
            return Ok(());
        };
        let pull = store.begin_pull(&self.account.id, TICKETS)?;
        // Most people's tickets are on one page.
        let mut all = Some(probed).filter(PulledPage::is_whole);
        let (mut position, mut weight) = (0_i64, 0);
        loop {
            let offset = u32::try_from(position).ok().filter(|offset| *offset <= MAX_PULLED);
            let offset = offset.ok_or(Error::Untrusted { what: "the server's ticket list does not end" })?;
            let page = match all.take() {
                Some(page) => page,
                None => self.system.page(&self.session, PAGE, offset).await?,
            };
            let mut tickets = Vec::with_capacity(page.tickets.len());
            for ticket in page.tickets {
                tickets.push(self.with_profile(ticket).await?);
            }
            weight = weighed(weight, &tickets, MAX_PULLED_BYTES)?;
            position += i64::try_from(tickets.len()).unwrap_or(i64::MAX);
            // An empty page before the end is no complete pull: what it lacks is not absent.
            let complete = page.total.is_none_or(|total| position >= total);
            let ended = complete || tickets.is_empty();
            let end = PageEnd { position, complete, cursor: None, gone: &[] };
            let changes = store.store_page(&self.account.id, TICKETS, pull, &tickets, end)?;
            fail::fail_point!("page-stored");
            self.report.add_page(tickets.len(), changes);
            let total = page.total.and_then(|total| u32::try_from(total).ok());
            self.tell(SyncStage::Tickets, self.report.received, total);
            if ended {
                // Where a tenant did not answer, what its tickets carry was not seen.
                let etag = etag.filter(|_| self.failure.is_none());
                fail::fail_point!("list-complete");
                return store.remember_list(&self.account.id, TICKETS, etag.as_deref(), now);
            }
        }
    }

    /// What has changed since the cursor; everything where there is none, or where it is too old. A pull of everything that
    /// broke off goes on where it did.
    async fn pull_changes(&mut self, feed: &Extension) -> Result<(), Error> {
        let store = Arc::clone(&self.engine.store);
        let before = store.pull_state(&self.account.id, FEED)?;
        let mut cursor = before.cursor;
        let mut whole = cursor.is_none() || !before.complete;
        let mut pull = if cursor.is_none() { store.begin_pull(&self.account.id, FEED)? } else { before.pull };
        let (mut begun_anew, mut weight, mut empty) = (false, 0, 0);
        loop {
            let (http, at) = (self.system.http(), cursor.as_deref());
            let Some(page) = feed.changes(http, &self.session, &self.system, at, PAGE).await? else {
                if std::mem::replace(&mut begun_anew, true) {
                    return Err(Error::Untrusted {
                        what: "the server's change feed takes none of its cursors",
                    });
                }
                whole = true;
                pull = store.begin_pull(&self.account.id, FEED)?;
                cursor = None;
                continue;
            };
            let (tickets, gone) = self.read_changes(&page).await?;
            weight = weighed(weight, &tickets, MAX_PULLED_BYTES)?;
            let position = i64::from(self.report.received) + i64::try_from(tickets.len()).unwrap_or(0);
            empty += u32::from(page.more && page.items.is_empty());
            if position > i64::from(MAX_PULLED) || empty > MAX_EMPTY {
                return Err(Error::Untrusted { what: "the server's change feed does not end" });
            }
            let complete = whole && !page.more;
            let end = PageEnd { position, complete, cursor: Some(&page.cursor), gone: &gone };
            let changes = store.store_page(&self.account.id, FEED, pull, &tickets, end)?;
            fail::fail_point!("page-stored");
            self.report.add_page(tickets.len(), changes);
            self.tell(SyncStage::Tickets, self.report.received, None);
            if !page.more {
                return Ok(());
            }
            cursor = Some(page.cursor);
        }
    }

    async fn read_changes(&mut self, page: &FeedPage) -> Result<(Vec<PulledTicket>, Vec<TicketHash>), Error> {
        let (mut tickets, mut gone) = (Vec::new(), Vec::new());
        for item in &page.items {
            match item {
                FeedItem::Ticket(record) => {
                    let ticket = self.system.read_ticket(&self.session, record).await?;
                    tickets.push(self.with_profile(ticket).await?);
                }
                FeedItem::Gone { id, organizer_id } => {
                    gone.push(self.system.gone_ticket(&self.session, id, *organizer_id).await?);
                }
            }
        }
        Ok((tickets, gone))
    }

    /// Tickets that the list lacked for the first time: the server is asked for each, and a clear answer counts at once.
    async fn ask_for_missed(&mut self) -> Result<(), Error> {
        for (ticket, tenant, remote_id) in self.engine.store.missed(&self.account.id, MAX_SINGLE)? {
            let place = (tenant.as_deref(), remote_id.as_str());
            let gone = self.system.is_gone(&self.session, place).await;
            if let Some(gone) = self.forgive(gone)?.flatten() {
                let removed = self.engine.store.settle_missed(&self.account.id, ticket, gone)?;
                self.report.removed += u32::from(removed);
            }
        }
        if self.system.bam().is_some() { self.engine.store.erase_sold(&self.account.id) } else { Ok(()) }
    }

    /// A ticket of a tenant that serves signed barcodes carries one, with B.A.M only a SECURE one. Else it carries the code
    /// that its system gives, where there is one.
    pub(super) async fn with_profile(&mut self, ticket: PulledTicket) -> Result<PulledTicket, Error> {
        let secure = ticket.format == TicketFormat::Secure;
        let may_be_signed = secure || self.system.bam().is_none();
        let signed = may_be_signed && self.extension(ticket.tenant.as_deref()).await?.is_some();
        let drawn = secure && self.system.bam().is_some_and(Bam::shows_static_codes);
        let profile = if signed {
            BarcodeProfile::Signed
        } else if drawn || ticket.static_code.is_some() {
            BarcodeProfile::Static
        } else {
            BarcodeProfile::None
        };
        Ok(PulledTicket { profile, ..ticket })
    }

    /// How the transfers stand of which this account has any.
    pub(super) async fn refresh_transfers(&mut self) -> Result<(), Error> {
        for tenant in self.engine.store.transfer_tenants(&self.account.id)? {
            let offered = self.discovered(tenant.as_deref()).await?.filter(|found| found.offers_transfers());
            let Some(extension) = offered.cloned() else { continue };
            let found = extension.transfers(self.system.http(), &self.session, &self.system).await;
            let provider = self.system.provider(tenant.as_deref())?;
            let Some(found) = self.forgive(found)? else { continue };
            let listed = found.into_iter().filter_map(|transfer| {
                Some(StoredTransfer {
                    ticket: provider.ticket(&transfer.ticket_id).ok()?,
                    remote_id: transfer.id,
                    recipient: transfer.recipient,
                    state: transfer.state,
                    expires_at: transfer.expires_at,
                })
            });
            let mut transfers: Vec<_> = listed.collect();
            transfers.extend(self.unlisted_transfers(&extension, tenant.as_deref(), &transfers).await?);
            self.engine.store.save_transfers(&self.account.id, &transfers)?;
        }
        Ok(())
    }
}

/// The bytes of records that a pull has brought, with those of its next page.
fn weighed(before: usize, tickets: &[PulledTicket], most: usize) -> Result<usize, Error> {
    let bytes =
        |ticket: &PulledTicket| ticket.body.len() + ticket.event.as_ref().map_or(0, |event| event.body.len());
    let weight = tickets.iter().map(bytes).fold(before, usize::saturating_add);
    if weight > most {
        return Err(Error::Untrusted { what: "the server's tickets take too much room" });
    }
    Ok(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;

    #[test]
    fn the_bytes_of_a_pull_are_bounded() {
        let provider = Provider::parse("bam:club.example").unwrap();
        let ticket = |body: usize| PulledTicket {
            id: provider.ticket("1").unwrap(),
            tenant: None,
            remote_id: "1".to_owned(),
            event: None,
            category: None,
            format: TicketFormat::Pdf,
            status: crate::model::TicketStatus::Issued,
            profile: BarcodeProfile::None,
            section: None,
            seat: None,
            expires_at: None,
            static_code: None,
            holder: None,
            body: "x".repeat(body),
        };
        assert_eq!(weighed(10, &[ticket(20), ticket(70)], 100).unwrap(), 100);
        assert!(matches!(weighed(11, &[ticket(20), ticket(70)], 100), Err(Error::Untrusted { .. })));
        assert_eq!(weighed(0, &[], 0).unwrap(), 0);
    }
}
