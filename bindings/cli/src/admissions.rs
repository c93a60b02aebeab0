//! `admissions`: tickets redeemed at an entrance, and an event's tickets, at TickeTing.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::BoxOffice;
use ticket_wallet::model::{
    Admission, AdmissionOrder, AdmissionQuery, OfficeTicket, OfficeWrite, OfficeWriteState, TicketSystem,
};

use crate::args::ticketing::{AdmissionOptions, AdmissionsCommand, AdmitOptions, EventOptions};
use crate::box_office::{account_of, counted, open, or_stdin, ticket_json, write_json, write_text};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::holder::utc;
use crate::output::{Output, titled};
use crate::paging::{Page, pages};
use crate::record;

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: AdmissionsCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let office = open(folder)?;
    let account = |named| account_of(&office, named, TicketSystem::Ticketing);
    match command {
        AdmissionsCommand::Admit(mut options) => {
            let account = account(options.of.account.take())?;
            return admit(&office, account, options, output).await;
        }
        AdmissionsCommand::List(mut options) => {
            let account = account(options.of.account.take())?;
            list(&office, account, *options, output).await?;
        }
        AdmissionsCommand::Tickets { of: EventOptions { account: named, event }, modified_since, page } => {
            let account = account(named)?;
            let fetch = async |page| {
                let found =
                    office.event_tickets(account.clone(), event.clone(), modified_since, page).await?;
                Ok(Page { entries: found.tickets, total: None, more: found.more, next: page })
            };
            tickets(&pages(page, "tickets", output, fetch).await?, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends well when all were admitted.
async fn admit(
    office: &BoxOffice,
    account: String,
    options: AdmitOptions,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut serials = Vec::new();
    for named in options.serials {
        if named == "-" {
            let lines = or_stdin(named)?;
            serials.extend(lines.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
        } else {
            serials.push(named);
        }
    }
    confirm(options.yes, &format!("Redeem {}", counted(serials.len(), "ticket")), output)?;
    let order = AdmissionOrder {
        event_id: options.of.event,
        redeemer: options.redeemer,
        device: options.device,
        serials,
    };
    let write = office.admit(account, order).await?;
    let answer: Value =
        write.answer_json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let refused = answer["refused"].as_array().map_or(0, Vec::len);
    output.either(&write_json(&write), || admitted(&write, &answer))?;
    let all = write.state == OfficeWriteState::Done && refused == 0;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn admitted(write: &OfficeWrite, answer: &Value) -> String {
    if write.state != OfficeWriteState::Done {
        return write_text(write);
    }
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default().into_iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let header = ["TICKET", "SECTION", "ADMITTED"];
    let good = list("admissions").map(|one| {
        let at = one["admitted_at"].as_i64().map_or_else(|| "yes".to_owned(), utc);
        vec![text(&one["ticket"]), text(&one["section"]), at]
    });
    let bad = list("refused").map(|serial| vec![text(&serial), String::new(), "no".to_owned()]);
    titled(header, good.chain(bad))
}

async fn list(
    office: &BoxOffice,
    account: String,
    options: AdmissionOptions,
    output: &Output,
) -> Result<(), Failure> {
    let query = AdmissionQuery {
        page: None,
        records: options.pages.records,
        redeemer: options.redeemer,
        device: options.device,
        ticket: options.ticket,
        patron: options.patron,
        section: options.section,
    };
    let event = options.of.event;
    let fetch = async |page| {
        let query = AdmissionQuery { page: Some(page), ..query.clone() };
        let found = office.admissions(account.clone(), event.clone(), query).await?;
        Ok(Page { entries: found.admissions, total: found.total, more: found.more, next: found.page })
    };
    let found = pages(options.pages.page, "admissions", output, fetch).await?;
    let admissions: Vec<_> = found.entries.iter().map(admission_json).collect();
    output.either(&json!({ "admissions": admissions, "total": found.total, "more": found.more }), || {
        if found.entries.is_empty() {
            return "Nobody was admitted.".to_owned();
        }
        let header = ["TICKET", "ADMITTED", "SECTION", "REDEEMER", "DEVICE"];
        let rows = found.entries.iter().map(|one| {
            let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
            vec![
                one.ticket.clone(),
                one.admitted_at.map(utc).unwrap_or_default(),
                or_empty(&one.section),
                or_empty(&one.redeemer),
                or_empty(&one.device),
            ]
        });
        titled(header, rows) + &found.footer("admissions")
    })
}

fn admission_json(one: &Admission) -> Value {
    json!({
        "uri": one.uri, "ticket": one.ticket, "redeemer": one.redeemer, "device": one.device,
        "patron": one.patron, "section": one.section, "admitted_at": one.admitted_at,
        "record": record::shown(&one.body_json),
    })
}

fn tickets(found: &Page<OfficeTicket>, output: &Output) -> Result<(), Failure> {
    let tickets: Vec<_> = found.entries.iter().map(ticket_json).collect();
    output.either(&json!({ "tickets": tickets, "more": found.more }), || {
        if found.entries.is_empty() {
            return "No tickets.".to_owned();
        }
        let header = ["TICKET", "STATUS", "SERIAL"];
        let rows = tickets.iter().map(|ticket| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            vec![text(&ticket["id"]), text(&ticket["status"]), text(&ticket["record"]["serial"])]
        });
        titled(header, rows) + &found.footer("tickets")
    })
}
