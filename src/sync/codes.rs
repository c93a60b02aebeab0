//! Codes that never change: B.A.M draws them as pictures, one request for each ticket.

use std::collections::HashMap;

use serde_json::Value;

use super::engine::{Run, SyncStage};
use crate::barcode::{BamCode, EventKey};
use crate::error::Error;
use crate::model::StaticCode;
use crate::remote::bam::Bam;
use crate::store::CodeWanted;

/// Codes fetched in one sync: the next goes on.
const MAX_CODES: u32 = 200;

/// An event's key by tenant, organizer and event, as far as it was asked for.
type EventKeys = HashMap<(Option<String>, String, String), Option<EventKey>>;

impl Run<'_> {
    /// Fetches the codes of tickets that start within the horizon and have none. A code that is not this ticket's, or whose
    /// signature is not by its event's key, is not kept; where the server does not tell the key, the code is kept unchecked.
    pub(super) async fn fetch_codes(&mut self) -> Result<(), Error> {
        if self.system.bam().is_none() {
            return Ok(());
        }
        let now = self.engine.time.now()?.unix_s();
        let until = now.saturating_add(self.engine.bind_ahead_s);
        let wanted = self.engine.store.codes_wanted(&self.account.id, now, until, MAX_CODES)?;
        let total = u32::try_from(wanted.len()).ok();
        let mut keys = EventKeys::new();
        for (done, ticket) in (1..).zip(&wanted) {
            let fetched = self.fetch_code(ticket, &mut keys).await;
            if let Some(Some((code, verified))) = self.forgive(fetched)? {
                self.engine.store.save_static_code(ticket.ticket, &code, verified)?;
                self.report.codes += 1;
            }
            self.tell(SyncStage::Barcodes, done, total);
        }
        Ok(())
    }

    /// A ticket's code and whether its signature was checked; `None` where it must not be kept, or the server has none.
    async fn fetch_code(
        &self,
        wanted: &CodeWanted,
        keys: &mut EventKeys,
    ) -> Result<Option<(StaticCode, bool)>, Error> {
        let Some(bam) = self.system.bam() else { return Ok(None) };
        let place = (wanted.tenant.as_deref(), wanted.remote_id.as_str());
        let code = match bam.static_code(&self.session, place).await {
            // A server that draws none for this ticket, or nothing that can be read.
            Err(
                Error::Status { status: 400 | 403 | 404 | 409 | 410 | 422 | 501, .. } | Error::Reply { .. },
            ) => {
                return Ok(None);
            }
            code => code?,
        };
        let event: Value = serde_json::from_str(&wanted.event).unwrap_or_default();
        let (Ok(signed), Some(event_id)) = (BamCode::parse(&code.text), id(&event["id"])) else {
            return Ok(None);
        };
        if signed.ticket().event.to_string() != event_id {
            return Ok(None);
        }
        let key = match id(&event["organizer_id"]) {
            Some(organizer) => {
                self.event_key(bam, wanted.tenant.as_deref(), (organizer, event_id), keys).await?
            }
            None => None,
        };
        Ok(match key {
            Some(key) => signed.verify(&key).is_ok().then_some((code, true)),
            None => Some((code, false)),
        })
    }

    async fn event_key(
        &self,
        bam: &Bam,
        tenant: Option<&str>,
        (organizer, event): (String, String),
        keys: &mut EventKeys,
    ) -> Result<Option<EventKey>, Error> {
        let asked = bam.event_public_key(&self.session, tenant, &organizer, &event);
        let place = (tenant.map(str::to_owned), organizer.clone(), event.clone());
        if let Some(known) = keys.get(&place) {
            return Ok(*known);
        }
        let key = match asked.await {
            // Told to organisers, and not by every server to holders.
            Err(Error::Status { status: 401 | 403 | 404 | 501, .. } | Error::Reply { .. }) => None,
            key => Some(key?),
        };
        keys.insert(place, key);
        Ok(key)
    }
}

/// An id, which comes as a number or as a text.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
