//! `tokens`: an event's admission tokens at TickeTing. Codes are told by the commands that are for them alone.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::BoxOffice;
use ticket_wallet::model::{
    AdmissionToken, GateAccess, OfficeWrite, OfficeWriteState, TicketSystem, TokenQuery,
};

use crate::args::ticketing::{EventOptions, PageOptions, TokensCommand};
use crate::box_office::{account_of, counted, open, write_json, write_text, written};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::holder::secret;
use crate::output::{Output, one_line, titled};
use crate::paging::{Page, pages, waiting};
use crate::record;

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: TokensCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let office = open(folder)?;
    let account = |named| account_of(&office, named, TicketSystem::Ticketing);
    match command {
        TokensCommand::Issue { of: EventOptions { account: named, event }, section, count } => {
            let work = office.issue_tokens(account(named)?, event, section, count);
            return issued(&waiting("Issuing tokens", output, work).await?, count, output);
        }
        TokensCommand::List { of, pages, global } => {
            let account = account(of.account)?;
            list(&office, account, of.event, pages, global, output).await?;
        }
        TokensCommand::Show { of: EventOptions { account: named, event }, token } => {
            show(&office.token(account(named)?, event, token).await?, output)?;
        }
        TokensCommand::Update { of: EventOptions { account: named, event }, token, section } => {
            return written(&office.update_token(account(named)?, event, token, section).await?, output);
        }
        TokensCommand::Delete { of: EventOptions { account: named, event }, token, yes } => {
            let account = account(named)?;
            confirm(yes, &format!("Delete token {token}"), output)?;
            return written(&office.delete_token(account, event, token).await?, output);
        }
        TokensCommand::LookUp { account: named, key } => {
            let account = account(named)?;
            let found = office.look_up_code(account, secret("Code")?).await?;
            access(&found, key, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends well when all were issued.
fn issued(writes: &[OfficeWrite], count: u32, output: &Output) -> Result<ExitCode, Failure> {
    let done = writes.iter().filter(|write| write.state == OfficeWriteState::Done);
    let answers = done.filter_map(|write| serde_json::from_str::<Value>(write.answer_json.as_deref()?).ok());
    let tokens: Vec<_> =
        answers.flat_map(|answer| answer["tokens"].as_array().cloned().unwrap_or_default()).collect();
    let value = json!({ "tokens": tokens, "writes": writes.iter().map(write_json).collect::<Vec<_>>() });
    let failed = writes.iter().find(|write| write.state != OfficeWriteState::Done);
    output.either(&value, || {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let sections = |token: &Value| {
            token["sections"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(" ")
        };
        let header = ["TOKEN", "SECTIONS", "CODE"];
        let rows = tokens.iter().map(|token| vec![text(&token["id"]), sections(token), text(&token["code"])]);
        let rows = titled(header, rows);
        match failed {
            None => rows,
            Some(write) => {
                let asked = counted(usize::try_from(count).unwrap_or(usize::MAX), "token");
                format!("{rows}{} of {asked} issued. {}", tokens.len(), write_text(write))
            }
        }
    })?;
    Ok(if failed.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(
    office: &BoxOffice,
    account: String,
    event: String,
    PageOptions { page, records }: PageOptions,
    global: Option<bool>,
    output: &Output,
) -> Result<(), Failure> {
    let fetch = async |page| {
        let query = TokenQuery { page: Some(page), records, global };
        let found = office.tokens(account.clone(), event.clone(), query).await?;
        Ok(Page { entries: found.tokens, total: found.total, more: found.more, next: found.page })
    };
    let found = pages(page, "tokens", output, fetch).await?;
    let tokens: Vec<_> = found.entries.iter().map(token_json).collect();
    output.either(&json!({ "tokens": tokens, "total": found.total, "more": found.more }), || {
        if found.entries.is_empty() {
            return "No tokens.".to_owned();
        }
        let header = ["TOKEN", "GLOBAL", "SECTIONS"];
        let rows = found.entries.iter().map(|token| {
            let global = if token.global { "yes" } else { "" };
            vec![token.id.clone(), global.to_owned(), token.sections.join(" ")]
        });
        titled(header, rows) + &found.footer("tokens")
    })
}

fn show(token: &AdmissionToken, output: &Output) -> Result<(), Failure> {
    let mut value = token_json(token);
    value["code"] = json!(token.code);
    output.either(&value, || {
        let header = ["TOKEN", "GLOBAL", "SECTIONS", "CODE"];
        let global = if token.global { "yes" } else { "" }.to_owned();
        let code = token.code.clone().unwrap_or_default();
        titled(header, [vec![token.id.clone(), global, token.sections.join(" "), code]])
    })
}

fn token_json(token: &AdmissionToken) -> Value {
    json!({
        "id": token.id, "uri": token.uri, "global": token.global, "sections": token.sections,
        "record": record::token(&token.body_json),
    })
}

fn access(found: &GateAccess, with_key: bool, output: &Output) -> Result<(), Failure> {
    let mut value = json!({ "event": found.event_id, "sections": found.sections });
    if with_key {
        value["key"] = json!(found.key);
    }
    output.either(&value, || {
        let key = if with_key { format!("Key: {}\n", one_line(&found.key)) } else { String::new() };
        let sections = one_line(&found.sections.join(" "));
        format!("Event {}\nSections: {sections}\n{key}", one_line(&found.event_id))
    })
}
