//! `box-office`: what organisers do. Its store lies in a folder of its own beside the wallet's.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

use serde_json::{Value, json};
use ticket_wallet::BoxOffice;
use ticket_wallet::model::{
    GroupOrder, OfficeTicket, OfficeWrite, OfficeWriteState, Reservation, SignIn, UnidyGrant,
};

use crate::args::AtTenant;
use crate::args::box_office::{
    BoxOfficeCommand, ReserveOptions, SendOptions, TicketCommand, TicketOptions, WritesCommand,
};
use crate::failure::Failure;
use crate::holder::{account_rows, only, secret};
use crate::home;
use crate::output::{Output, table};

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: BoxOfficeCommand,
    output: &Output,
) -> Result<(), Failure> {
    let (config, vault) = home::parts(&home::folder(folder)?.join("box-office"))?;
    let office = BoxOffice::open(config, vault, None, None)?;
    match command {
        BoxOfficeCommand::Login { system, user } => {
            let (name, config) = (system.system(), system.config(Some(UnidyGrant::ClientCredentials)));
            let sign_in =
                SignIn { system: name, config, user_name: user, password: secret("Password or secret")? };
            let account = office.sign_in(sign_in).await?;
            output.either(&json!({ "account": account.id }), || format!("Signed in. Account {}.", account.id))
        }
        BoxOfficeCommand::Accounts => account_rows(&office.accounts()?, output),
        BoxOfficeCommand::Logout { account } => {
            office.sign_out(account.clone()).await?;
            output.either(&json!({ "signed_out": account }), || "Signed out.".to_owned())
        }
        BoxOfficeCommand::Reserve(options) => reserve(&office, options, output).await,
        BoxOfficeCommand::Free(TicketOptions { place, tickets }) => {
            let account = account(&office, place.account)?;
            written(&office.free(account, place.tenant, tickets).await?, output)
        }
        BoxOfficeCommand::Issue { tickets, wait, yes } => issue(&office, tickets, wait, yes, output).await,
        BoxOfficeCommand::Send(options) => send(&office, options, output).await,
        BoxOfficeCommand::Reserved { place, event } => {
            let account = account(&office, place.account)?;
            listed(&office.reserved(account, place.tenant, event).await?, output)
        }
        BoxOfficeCommand::Status(TicketOptions { place, tickets }) => {
            let account = account(&office, place.account)?;
            listed(&office.ticket_states(account, place.tenant, tickets).await?, output)
        }
        BoxOfficeCommand::Ticket { command } => ticket(&office, command, output).await,
        BoxOfficeCommand::Writes { command } => writes(&office, command, output).await,
    }
}

async fn reserve(office: &BoxOffice, options: ReserveOptions, output: &Output) -> Result<(), Failure> {
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

async fn issue(
    office: &BoxOffice,
    TicketOptions { place, tickets }: TicketOptions,
    wait: u32,
    yes: bool,
    output: &Output,
) -> Result<(), Failure> {
    let account = account(office, place.account)?;
    confirm(yes, &format!("Issue {} tickets to their owner", tickets.len()), output)?;
    let write = office.issue(account.clone(), place.tenant.clone(), tickets.clone()).await?;
    if wait == 0 || write.state != OfficeWriteState::Done {
        return written(&write, output);
    }
    let found = office.wait_until_issued(account, place.tenant, tickets, wait).await?;
    let value =
        json!({ "write": write_json(&write), "tickets": found.iter().map(ticket_json).collect::<Vec<_>>() });
    output.either(&value, || format!("{}\n{}", write_text(&write), ticket_table(&found)))
}

async fn send(office: &BoxOffice, options: SendOptions, output: &Output) -> Result<(), Failure> {
    let account = account(office, options.place.account)?;
    confirm(options.yes, &format!("Send tickets to {} addresses", options.to.len()), output)?;
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

async fn ticket(office: &BoxOffice, command: TicketCommand, output: &Output) -> Result<(), Failure> {
    let write = match command {
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

async fn writes(office: &BoxOffice, command: WritesCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WritesCommand::List { account: named, limit } => {
            let found = office.writes(account(office, named)?, limit)?;
            output.either(&found.iter().map(write_json).collect(), || {
                if found.is_empty() {
                    return "Nothing was sent yet.".to_owned();
                }
                let header = ["ID", "WHAT", "STATE", "WHY"].map(str::to_owned).to_vec();
                let rows = found.iter().map(|write| {
                    let code = write.server_code.clone().unwrap_or_default();
                    vec![
                        write.id.to_string(),
                        write.kind.as_text().to_owned(),
                        write.state.as_text().to_owned(),
                        code,
                    ]
                });
                table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
            })
        }
        WritesCommand::LookUp { id } => written(&office.look_up_write(id).await?, output),
        WritesCommand::Forget { id } => {
            office.forget_write(id)?;
            output.either(&json!({ "forgotten": id }), || format!("Forgot {id}."))
        }
    }
}

fn account(office: &BoxOffice, named: Option<String>) -> Result<String, Failure> {
    named.map_or_else(|| only(office.accounts()?), Ok)
}

/// Asks before what cannot be undone; a script says so beforehand.
fn confirm(yes: bool, what: &str, output: &Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{what}: it cannot be undone; say --yes")));
    }
    let failed = |e| Failure::system("the answer cannot be read", e);
    output.prompt(&format!("{what}? It cannot be undone. [y/N] "))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    let agreed = matches!(answer.trim(), "y" | "Y" | "yes");
    if agreed { Ok(()) } else { Err(Failure::Usage("nothing was done".to_owned())) }
}

fn or_stdin(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = String::new();
    io::stdin().read_to_string(&mut read).map_err(|e| Failure::system("stdin cannot be read", e))?;
    Ok(read)
}

fn written(write: &OfficeWrite, output: &Output) -> Result<(), Failure> {
    output.either(&write_json(write), || write_text(write))
}

fn write_json(write: &OfficeWrite) -> Value {
    let read = |json: &Option<String>| -> Value {
        json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    };
    json!({
        "id": write.id, "account": write.account_id, "kind": write.kind.as_text(), "state": write.state.as_text(),
        "created_at": write.created_at, "request": read(&Some(write.request_json.clone())),
        "answer": read(&write.answer_json), "status": write.status, "server_code": write.server_code,
    })
}

fn write_text(write: &OfficeWrite) -> String {
    let answer: Value =
        write.answer_json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let ids = answer["tickets"].as_array().into_iter().flatten().filter_map(|ticket| ticket["id"].as_str());
    let ids = ids.collect::<Vec<_>>().join(" ");
    match write.state {
        OfficeWriteState::Done if ids.is_empty() => format!("Done, as {}.", write.id),
        OfficeWriteState::Done => format!("Done, as {}. Tickets: {ids}", write.id),
        OfficeWriteState::Rejected => format!("{} was not carried out.", write.id),
        OfficeWriteState::Sent | OfficeWriteState::Unknown => format!(
            "The answer to {0} was lost, and it may have been carried out. Do not repeat it: \
             `ticket-wallet box-office writes look-up {0}` asks what became of it.",
            write.id
        ),
    }
}

fn listed(tickets: &[OfficeTicket], output: &Output) -> Result<(), Failure> {
    output.either(&tickets.iter().map(ticket_json).collect(), || {
        if tickets.is_empty() { "No tickets.".to_owned() } else { ticket_table(tickets) }
    })
}

fn ticket_json(ticket: &OfficeTicket) -> Value {
    json!({
        "id": ticket.remote_id, "status": ticket.status.as_text(), "ticket_config_id": ticket.ticket_config_id,
        "enrollment_id": ticket.enrollment_id,
        "record": serde_json::from_str::<Value>(&ticket.body_json).unwrap_or_default(),
    })
}

fn ticket_table(tickets: &[OfficeTicket]) -> String {
    let header = ["TICKET", "STATUS", "CONFIG", "OWNER"].map(str::to_owned).to_vec();
    let rows = tickets.iter().map(|ticket| {
        vec![
            ticket.remote_id.clone(),
            ticket.status.as_text().to_owned(),
            ticket.ticket_config_id.map(|id| id.to_string()).unwrap_or_default(),
            ticket.enrollment_id.clone().unwrap_or_default(),
        ]
    });
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}
