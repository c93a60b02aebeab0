//! What a holder changes, and what waits to be sent.

use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::Wallet;
use ticket_wallet::model::{OutboxItem, Transfer, TransferAnswer, WriteState};

use crate::args::holder::{OutboxCommand, TransferCommand};
use crate::exchange;
use crate::failure::Failure;
use crate::holder::known;
use crate::online;
use crate::output::{Output, titled};

/// Answers about a ticket's holder.
pub(crate) fn answer(wallet: &Wallet, id: String, answers: String, output: &Output) -> Result<(), Failure> {
    accepted(&wallet.save_ticket_holder(id, answers)?, output)
}

/// Binds a ticket ahead of time, or not.
pub(crate) fn pin(wallet: &Wallet, id: String, pinned: bool, output: &Output) -> Result<(), Failure> {
    wallet.pin(id.clone(), pinned)?;
    let said = if pinned { "Its barcode is made ready at the next sync." } else { "No longer pinned." };
    output.either(&json!({ "ticket": id, "pinned": pinned }), || said.to_owned())
}

/// Takes a ticket's barcode over from another device.
pub(crate) fn move_here(wallet: &Wallet, id: String, output: &Output) -> Result<(), Failure> {
    accepted(&wallet.move_here(id)?, output)
}

/// Gives a ticket's barcode up on this device.
pub(crate) fn surrender(wallet: &Wallet, id: String, output: &Output) -> Result<(), Failure> {
    accepted(&wallet.surrender(id)?, output)
}

pub(crate) async fn transfer(
    wallet: &Wallet,
    command: TransferCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        TransferCommand::Sections { command } => return exchange::sections(wallet, command, output).await,
        TransferCommand::Send { id, to } => accepted(&wallet.transfer(id, to)?, output),
        TransferCommand::Cancel { id } => match wallet.cancel_transfer(id)? {
            Some(item) => accepted(&item, output),
            None => output.either(&Value::Null, || "Taken back; it had not been sent.".to_owned()),
        },
        TransferCommand::List { account } => {
            list_transfers(&wallet.transfers(known(wallet, account)?)?, output)
        }
        TransferCommand::Incoming { account } => online::incoming(wallet, account, output).await,
        TransferCommand::Accept { account, token } => {
            return answered(wallet.accept_transfer(online::account(wallet, account)?, token).await?, output);
        }
        TransferCommand::Decline { account, token } => {
            return answered(
                wallet.decline_transfer(online::account(wallet, account)?, token).await?,
                output,
            );
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What became of an answer to an offer; where that is not known, neither member says anything. A lost answer is no success.
fn answered(answer: TransferAnswer, output: &Output) -> Result<ExitCode, Failure> {
    let (value, text) = match answer {
        TransferAnswer::Accepted => (json!({ "accepted": true }), "Accepted. Next: ticket-wallet sync"),
        TransferAnswer::Declined => (json!({ "declined": true }), "Declined."),
        TransferAnswer::Over => (
            json!({ "accepted": false }),
            "The answer was lost. The ticket is not yours, and the offer is open no longer.",
        ),
        TransferAnswer::Unknown => (
            json!({ "accepted": null, "declined": null }),
            "The answer was lost, and it may still be carried out: `ticket-wallet transfer incoming` tells whether the \
             offer is open.",
        ),
    };
    output.either(&value, || text.to_owned())?;
    let is_done = matches!(answer, TransferAnswer::Accepted | TransferAnswer::Declined);
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn outbox(wallet: &Wallet, command: OutboxCommand, output: &Output) -> Result<(), Failure> {
    match command {
        OutboxCommand::List { account } => list_outbox(&wallet.outbox(known(wallet, account)?)?, output),
        OutboxCommand::Retry { id } => accepted(&wallet.retry_write(id)?, output),
        OutboxCommand::Edit { id, content } => accepted(&wallet.edit_write(id, content)?, output),
        OutboxCommand::Discard { id } => {
            wallet.discard_write(id)?;
            output.either(&json!({ "discarded": id }), || format!("Discarded {id}."))
        }
    }
}

pub(crate) fn accepted(item: &OutboxItem, output: &Output) -> Result<(), Failure> {
    output.either(&item_json(item), || {
        format!(
            "Accepted as {}. `ticket-wallet sync` sends it; `ticket-wallet outbox list` shows it.",
            item.id
        )
    })
}

fn list_outbox(items: &[OutboxItem], output: &Output) -> Result<(), Failure> {
    output.either(&items.iter().map(item_json).collect(), || {
        if items.is_empty() {
            return "Nothing waits.".to_owned();
        }
        let header = ["ID", "WHAT", "TICKET", "STATE", "SENT", "WHY"];
        let rows = items.iter().map(|item| {
            vec![
                item.id.to_string(),
                format!("{:?}", item.kind),
                item.ticket_id.clone(),
                format!("{:?}", item.state),
                format!("{}×", item.attempts),
                why(item),
            ]
        });
        titled(header, rows)
    })
}

/// What a person has to know of a change that waits for them.
fn why(item: &OutboxItem) -> String {
    let code = item.server_code.as_deref().or(item.status.map(|_| "refused"));
    match (item.state, item.rejection) {
        (_, Some(reason)) => match code {
            Some(code) => format!("{code}: {}", reason.advice()),
            None => reason.advice().to_owned(),
        },
        (WriteState::Unknown, None) => {
            "the answer was lost; look at the server, then retry or discard it".to_owned()
        }
        (WriteState::Held, None) => {
            "not sent by itself: saved from a damaged wallet, or left in the middle; retry or discard it"
                .to_owned()
        }
        _ => String::new(),
    }
}

fn item_json(item: &OutboxItem) -> Value {
    json!({
        "id": item.id, "account": item.account_id, "ticket": item.ticket_id, "kind": format!("{:?}", item.kind),
        "state": format!("{:?}", item.state), "created_at": item.created_at, "attempts": item.attempts,
        "content": item.content, "rejection": item.rejection.map(|reason| format!("{reason:?}")),
        "status": item.status, "server_code": item.server_code,
    })
}

fn list_transfers(transfers: &[Transfer], output: &Output) -> Result<(), Failure> {
    let value = transfers.iter().map(|transfer| {
        json!({
            "transfer": transfer.remote_id, "ticket": transfer.ticket_id, "recipient": transfer.recipient,
            "state": transfer.state.as_text(), "expires_at": transfer.expires_at,
        })
    });
    output.either(&value.collect(), || {
        if transfers.is_empty() {
            return "No transfers.".to_owned();
        }
        let header = ["TRANSFER", "TICKET", "TO", "STATE"];
        let rows = transfers.iter().map(|transfer| {
            let cells =
                [&transfer.remote_id, &transfer.ticket_id, &transfer.recipient, transfer.state.as_text()];
            cells.map(str::to_owned).to_vec()
        });
        titled(header, rows)
    })
}
