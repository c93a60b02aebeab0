//! `box-office`: what organisers do. Its store lies in a folder of its own beside the wallet's.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::BoxOffice;
use ticket_wallet::model::{
    GroupOrder, IssueProgress, OfficePage, OfficeTicket, OfficeWrite, OfficeWriteKind, OfficeWriteState,
    Reservation, SignIn, TicketSystem, UnidyFields, UnidyGrant,
};

use crate::args::box_office::{
    BoxOfficeCommand, ReserveOptions, SendOptions, TicketCommand, TicketOptions, WritesCommand,
};
use crate::args::holder::AtTenant;
use crate::args::system::SystemOptions;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::holder::{able, account_rows, one_of, secret};
use crate::home::{self, Place, Store};
use crate::online;
use crate::output::{Output, titled};
use crate::record;

/// What stands before the box office's own commands.
const OFFICE: &str = "box-office ";

/// Opens the box office beside the wallet in this folder; makes none.
pub(crate) fn open(folder: Option<PathBuf>) -> Result<BoxOffice, Failure> {
    let (config, vault) = Place::of(Store::BoxOffice, folder)?.parts()?;
    Ok(BoxOffice::open(config, vault, None, None)?)
}

/// Opens it, and makes it where there is none.
fn begin(folder: Option<PathBuf>) -> Result<BoxOffice, Failure> {
    let (config, vault) = home::parts(&Place::of(Store::BoxOffice, folder)?.folder)?;
    Ok(BoxOffice::open(config, vault, None, None)?)
}

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: BoxOfficeCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let office = match command {
        BoxOfficeCommand::Login { .. } => begin(folder)?,
        _ => open(folder)?,
    };
    match command {
        BoxOfficeCommand::Login { system, user } => login(&office, *system, user, output).await?,
        BoxOfficeCommand::Accounts { capabilities: Some(account) } => {
            able(&office.capabilities(account)?, output)?;
        }
        BoxOfficeCommand::Accounts { .. } => account_rows(&office.accounts()?, OFFICE, output)?,
        BoxOfficeCommand::Logout { account } => {
            office.sign_out(account.clone()).await?;
            output.either(&json!({ "signed_out": account }), || "Signed out.".to_owned())?;
        }
        BoxOfficeCommand::Reserve(options) => return reserve(&office, options, output).await,
        BoxOfficeCommand::Free(TicketOptions { place, tickets }) => {
            let account = account(&office, place.account)?;
            return written(&office.free(account, place.tenant, tickets).await?, output);
        }
        BoxOfficeCommand::Issue { tickets, wait, yes } => {
            return issue(&office, tickets, wait, yes, output).await;
        }
        BoxOfficeCommand::Send(options) => return send(&office, options, output).await,
        BoxOfficeCommand::Reserved { place, event } => {
            let account = account(&office, place.account)?;
            listed(&office.reserved(account, place.tenant, event).await?, output)?;
        }
        BoxOfficeCommand::Tickets(options) => {
            let (named, query) = options.query();
            let found = office.server_tickets(account(&office, named)?, query).await?;
            online::server_tickets(&found, output)?;
        }
        BoxOfficeCommand::Status { tickets: TicketOptions { place, tickets }, wait } => {
            let account = account(&office, place.account)?;
            let found = match wait {
                0 => office.ticket_states(account, place.tenant, tickets).await?,
                _ => office.wait_until_issued(account, place.tenant, tickets, wait).await?,
            };
            listed(&found, output)?;
        }
        BoxOfficeCommand::Ticket { command } => return ticket(&office, command, output).await,
        BoxOfficeCommand::Categories { account: named } => {
            let found = office.categories(account(&office, named)?).await?;
            categories(&found, output)?;
        }
        BoxOfficeCommand::Category { account: named, category } => {
            let found = record::shown(&office.category(account(&office, named)?, category).await?);
            output.either(&found, || format!("{found:#}"))?;
        }
        BoxOfficeCommand::Pages { account: named } => {
            let found = office.pages(account(&office, named)?).await?;
            output.either(&json!(found), || found.join("\n"))?;
        }
        BoxOfficeCommand::Writes { command } => writes(&office, command, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn login(
    office: &BoxOffice,
    system: SystemOptions,
    user: String,
    output: &Output,
) -> Result<(), Failure> {
    let name = system.system();
    if name == TicketSystem::Unidy && !system.is_partner() {
        let why = "--system unidy: a box office uses the partner API; say --api partner, with the OAuth app's id as --user";
        return Err(Failure::Usage(why.to_owned()));
    }
    let prompt = if name == TicketSystem::Ticketing { system.secret_name() } else { "Password or secret" };
    let config = system.config(Some(UnidyGrant::ClientCredentials))?;
    let password = secret(prompt)?;
    let account = office.sign_in(SignIn { system: name, config, user_name: user, password }).await?;
    output.either(&json!({ "account": account.id }), || format!("Signed in. Account {}.", account.id))
}

async fn reserve(office: &BoxOffice, options: ReserveOptions, output: &Output) -> Result<ExitCode, Failure> {
    let AtTenant { account: named, tenant } = options.place;
    let order = Reservation {
        tenant,
        event_id: options.event,
        owner_enrollment_id: options.owner,
        format: options.format,
        items: options.item,
    };
    written(&office.reserve(account(office, named)?, order).await?, output)
}

/// Ends well when all tickets are their owners'.
async fn issue(
    office: &BoxOffice,
    TicketOptions { place, tickets }: TicketOptions,
    wait: u32,
    yes: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let account = account(office, place.account)?;
    confirm(yes, &format!("Issue {} to their owner", counted(tickets.len(), "ticket")), output)?;
    let write = office.issue(account.clone(), place.tenant.clone(), tickets.clone()).await?;
    if wait == 0 || write.state != OfficeWriteState::Done {
        return written(&write, output);
    }
    let found = office.wait_until_issued(account, place.tenant, tickets, wait).await?;
    let value =
        json!({ "write": write_json(&write), "tickets": found.iter().map(ticket_json).collect::<Vec<_>>() });
    let all = found.iter().all(|one| one.status.issue_progress() == IssueProgress::Done);
    output.either(&value, || {
        let note =
            if all { "" } else { "Not all are issued; `ticket-wallet box-office status` tells later.\n" };
        format!("{}\n{}{note}", write_text(&write), ticket_table(&found))
    })?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send(office: &BoxOffice, options: SendOptions, output: &Output) -> Result<ExitCode, Failure> {
    let account = account(office, options.place.account)?;
    confirm(options.yes, &format!("Send tickets to {}", counted(options.to.len(), "recipient")), output)?;
    let order = GroupOrder {
        tenant: options.place.tenant,
        event_id: options.event,
        format: options.format,
        items: options.item,
        note: options.note,
        owner_emails: options.to,
    };
    written(&office.send_group(account, order).await?, output)
}

async fn ticket(office: &BoxOffice, command: TicketCommand, output: &Output) -> Result<ExitCode, Failure> {
    let write = match command {
        TicketCommand::List { account: named, query } => {
            let page = query.page;
            let found = office.find_partner_tickets(account(office, named)?, query.query()).await?;
            unidy_page(&found, page, output)?;
            return Ok(ExitCode::SUCCESS);
        }
        TicketCommand::Show { account: named, ticket } => {
            let found = office.partner_ticket(account(office, named)?, ticket).await?;
            let value = ticket_json(&found);
            output.either(&value, || record::written(&format!("{:#}", value["record"])))?;
            return Ok(ExitCode::SUCCESS);
        }
        TicketCommand::Create { account: named, fields } => {
            office.create_ticket(account(office, named)?, or_stdin(fields)?).await?
        }
        TicketCommand::Update { account: named, ticket, fields } => {
            office.update_ticket(account(office, named)?, ticket, or_stdin(fields)?).await?
        }
        TicketCommand::Delete { account: named, ticket, yes } => {
            let account = account(office, named)?;
            confirm(yes, &format!("Delete ticket {ticket}"), output)?;
            office.delete_ticket(account, ticket).await?
        }
    };
    written(&write, output)
}

pub(crate) fn unidy_page(found: &OfficePage, page: u32, output: &Output) -> Result<(), Failure> {
    let tickets: Vec<_> = found.tickets.iter().map(ticket_json).collect();
    output.either(&json!({ "tickets": tickets, "more": found.more }), || {
        let more =
            if found.more { format!("More: --page {}\n", page.saturating_add(1)) } else { String::new() };
        unidy_text(&found.tickets) + &more
    })
}

/// Unidy's tickets have titles, and no configurations or enrolments.
fn unidy_text(tickets: &[OfficeTicket]) -> String {
    if tickets.is_empty() {
        return "No tickets.\n".to_owned();
    }
    let header = ["TICKET", "STATUS", "TITLE", "PRICE", "PAID"];
    let rows = tickets.iter().map(|ticket| {
        let fields = ticket.unidy.clone().unwrap_or_default();
        let price = fields.price.map(|price| price.to_string()).or(fields.price_text);
        let cells = [fields.title, price, fields.payment_state].map(Option::unwrap_or_default);
        [&[ticket.remote_id.clone(), ticket.status.as_text().to_owned()][..], &cells].concat()
    });
    titled(header, rows)
}

fn categories(found: &[String], output: &Output) -> Result<(), Failure> {
    let records: Vec<_> = found.iter().map(|record| record::shown(record)).collect();
    output.either(&json!(records), || {
        if records.is_empty() {
            return "No categories.".to_owned();
        }
        let header = ["CATEGORY", "TITLE"];
        let rows =
            records.iter().map(|record| vec![record::plain(&record["id"]), record::plain(&record["title"])]);
        titled(header, rows)
    })
}

async fn writes(office: &BoxOffice, command: WritesCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WritesCommand::List { account: named, limit } => {
            list_writes(&office.writes(account(office, named)?, limit)?, output)
        }
        WritesCommand::LookUp { id } => {
            let write = office.look_up_write(id).await?;
            output.either(&write_json(&write), || write_text(&write))
        }
        WritesCommand::Forget { id } => {
            office.forget_write(id)?;
            output.either(&json!({ "forgotten": id }), || format!("Forgot {id}."))
        }
    }
}

pub(crate) fn list_writes(found: &[OfficeWrite], output: &Output) -> Result<(), Failure> {
    output.either(&found.iter().map(write_json).collect(), || {
        if found.is_empty() {
            return "Nothing was sent yet.".to_owned();
        }
        let header = ["ID", "WHAT", "STATE", "WHY"];
        let rows = found.iter().map(|write| {
            let code = write.server_code.clone().unwrap_or_default();
            vec![
                write.id.to_string(),
                write.kind.as_text().to_owned(),
                write.state.as_text().to_owned(),
                code,
            ]
        });
        titled(header, rows)
    })
}

fn account(office: &BoxOffice, named: Option<String>) -> Result<String, Failure> {
    one_of(office.accounts()?, named, OFFICE)
}

/// The account of this system that was named, or the only one there is.
pub(crate) fn account_of(
    office: &BoxOffice,
    named: Option<String>,
    system: TicketSystem,
) -> Result<String, Failure> {
    let mut accounts = office.accounts()?;
    if named.is_none() {
        accounts.retain(|account| account.system == system);
        if accounts.is_empty() {
            let name = system.as_text();
            let why = format!(
                "no account of {name} yet; sign in with `ticket-wallet {OFFICE}login --system {name}`"
            );
            return Err(Failure::Usage(why));
        }
    }
    one_of(accounts, named, OFFICE)
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn or_stdin(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = String::new();
    io::stdin().read_to_string(&mut read).map_err(|e| Failure::system("stdin cannot be read", e))?;
    Ok(read)
}

/// Ends well when it was surely carried out.
pub(crate) fn written(write: &OfficeWrite, output: &Output) -> Result<ExitCode, Failure> {
    output.either(&write_json(write), || write_text(write))?;
    Ok(if write.state == OfficeWriteState::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn write_json(write: &OfficeWrite) -> Value {
    let answer = |answer: &str| match write.kind {
        OfficeWriteKind::IssueToken | OfficeWriteKind::UpdateToken => record::token(answer),
        _ => record::shown(answer),
    };
    json!({
        "id": write.id, "account": write.account_id, "kind": write.kind.as_text(), "state": write.state.as_text(),
        "created_at": write.created_at, "request": record::shown(&write.request_json),
        "answer": write.answer_json.as_deref().map(answer), "status": write.status, "server_code": write.server_code,
    })
}

fn is_holders(kind: OfficeWriteKind) -> bool {
    use OfficeWriteKind as K;
    matches!(kind, K::StartTransfer | K::ClaimTransfer | K::CancelTransfer | K::PlaceOrder | K::CancelOrder)
}

pub(crate) fn write_text(write: &OfficeWrite) -> String {
    let answer: Value =
        write.answer_json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let lists = [
        ("tickets", "Tickets"),
        ("tokens", "Tokens"),
        ("transfers", "Transfers"),
        ("orders", "Orders"),
        ("candidates", "It may be one of these"),
    ];
    let listed = lists.into_iter().find_map(|(name, title)| Some((title, answer[name].as_array()?)));
    let ids = listed.filter(|(_, list)| !list.is_empty()).map(|(title, list)| {
        let id = |one: &Value| {
            ["id", "uri", "number"].iter().find_map(|name| Some(one[name].as_str()?.to_owned()))
        };
        format!(" {title}: {}", list.iter().filter_map(id).collect::<Vec<_>>().join(" "))
    });
    let report = match answer["report"] {
        Value::Null => String::new(),
        ref report => format!("\nThe server failed; for whoever runs it: {report}"),
    };
    match write.state {
        OfficeWriteState::Done => format!("Done, as {}.{}", write.id, ids.unwrap_or_default()),
        OfficeWriteState::Rejected => format!("{} was not carried out.", write.id),
        OfficeWriteState::Sent | OfficeWriteState::Unknown => format!(
            "The answer to {0} was lost, and it may have been carried out. Do not repeat it: \
             `ticket-wallet {1}writes look-up {0}` asks what became of it.{2}{report}",
            write.id,
            if is_holders(write.kind) { "" } else { OFFICE },
            ids.unwrap_or_default(),
        ),
    }
}

fn listed(tickets: &[OfficeTicket], output: &Output) -> Result<(), Failure> {
    output.either(&tickets.iter().map(ticket_json).collect(), || ticket_text(tickets))
}

fn ticket_text(tickets: &[OfficeTicket]) -> String {
    if tickets.is_empty() { "No tickets.\n".to_owned() } else { ticket_table(tickets) }
}

/// The exact price of a Unidy ticket, and the words in which the server has it.
pub(crate) fn price_json(fields: &UnidyFields) -> Value {
    let exact =
        fields.price.as_ref().map(|price| json!({ "minor": price.minor, "currency": price.currency }));
    json!({ "exact": exact, "written": fields.price_text, "payment_state": fields.payment_state })
}

pub(crate) fn ticket_json(ticket: &OfficeTicket) -> Value {
    json!({
        "id": ticket.remote_id, "status": ticket.status.as_text(), "ticket_config_id": ticket.ticket_config_id,
        "enrollment_id": ticket.enrollment_id, "price": ticket.unidy.as_ref().map(price_json),
        "record": record::shown(&ticket.body_json),
    })
}

fn ticket_table(tickets: &[OfficeTicket]) -> String {
    let header = ["TICKET", "STATUS", "CONFIG", "OWNER"];
    let rows = tickets.iter().map(|ticket| {
        vec![
            ticket.remote_id.clone(),
            ticket.status.as_text().to_owned(),
            ticket.ticket_config_id.map(|id| id.to_string()).unwrap_or_default(),
            ticket.enrollment_id.clone().unwrap_or_default(),
        ]
    });
    titled(header, rows)
}
