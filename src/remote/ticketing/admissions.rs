//! Admissions: `/events/{event}/admissions`.
//!
//! The answer to a new one lists the tickets that were admitted, and is a refusal when none was, be it that none counts or
//! that all were used before. After a lost answer the list tells what became of each ticket: see [`Admission::is_by`].

use serde_json::json;

use super::super::unidy::raw::{self, Members};
use super::page::{List, PageQuery, Parameters, TicketingPage};
use super::record::{address, checked};
use super::time::read_time;
use super::{Ticketing, body};
use crate::error::Error;
use crate::model::expiry::Zone;
use crate::model::{Admission, AdmissionOrder, AdmissionQuery};
use crate::remote::bounds;
use crate::remote::{Request, Session};

const ADMIT: &str = "POST events/:event/admissions";
const LIST: &str = "GET events/:event/admissions";

impl Admission {
    /// Reads a record. `None` when it is no object, has no address or ticket, or nests deeper than 100 levels.
    pub fn read(record: &str, zone: Zone) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let of_ticket = || members.object("ticket")?.label("serial");
        Some(Self {
            uri: members.label("self")?,
            ticket: members.label("ticket").or_else(of_ticket).filter(|serial| !serial.is_empty())?,
            redeemer: members.text("redeemer"),
            device: members.text("device"),
            patron: address(&members, "patron"),
            section: address(&members, "section"),
            admitted_at: members.text("admitted").and_then(|text| read_time(&text, zone)),
            body_json: record.to_owned(),
        })
    }

    /// Whether it is this redeemer's on this device.
    pub fn is_by(&self, redeemer: &str, device: &str) -> bool {
        self.redeemer.as_deref() == Some(redeemer) && self.device.as_deref() == Some(device)
    }
}

impl Ticketing {
    /// Redeems tickets; gives an admission for each that was admitted.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], with 400 when none of them grants admission; [`Error::UpgradeNeeded`],
    /// [`Error::ServerFault`], [`Error::Reply`]; [`Error::Input`] naming `event_id`, `redeemer`, `device` or `serials`.
    pub async fn admit(&self, session: &Session, order: &AdmissionOrder) -> Result<Vec<Admission>, Error> {
        checked("redeemer", std::slice::from_ref(&order.redeemer))?;
        checked("device", std::slice::from_ref(&order.device))?;
        checked("serials", &order.serials)?;
        let url = self.event_url(&order.event_id, "/admissions")?;
        let asked = json!({ "redeemer": order.redeemer, "device": order.device, "serials": order.serials });
        let reply = self.ask(session, || Request::post(url.clone(), ADMIT, &asked)).await?;
        let body = body(&reply)?;
        let entries = || Members::read(body.get()).and_then(|members| raw::items(members.raw("entries")?));
        let records = raw::items(body.get()).or_else(entries).ok_or_else(|| reply.unreadable("entries"))?;
        let admissions = records.into_iter().enumerate().map(|(index, record)| {
            Admission::read(record, self.zone).ok_or_else(|| reply.unreadable(&format!("[{index}].ticket")))
        });
        admissions.collect()
    }

    /// One page of an event's admissions.
    ///
    /// # Errors
    /// As [`Ticketing::admit`].
    pub async fn admissions(
        &self,
        session: &Session,
        event_id: &str,
        query: &AdmissionQuery,
    ) -> Result<TicketingPage<Admission>, Error> {
        let page = PageQuery { page: query.page, records: query.records };
        let list = List {
            url: self.event_url(event_id, "/admissions")?,
            endpoint: LIST,
            page,
            parameters: Parameters::of(page)
                .with("redeemer", query.redeemer.clone())
                .with("device", query.device.clone())
                .with("ticket", query.ticket.clone())
                .with("patron", query.patron.clone())
                .with("section", query.section.clone()),
        };
        self.list(session, list, |record| Admission::read(record, self.zone)).await
    }
}
