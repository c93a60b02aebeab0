//! Tickets handed over and ordered by section and number, at TickeTing, and what became of it.

use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::Wallet;
use ticket_wallet::model::{SectionCount, SectionOrder, SectionTransfer};

use crate::args::box_office::WritesCommand;
use crate::args::exchange::{OrderedCommand, SectionsCommand};
use crate::box_office::{list_writes, write_json, write_text, written};
use crate::failure::Failure;
use crate::holder::utc;
use crate::online::account;
use crate::output::{Output, table};
use crate::record;

/// `transfer sections`
pub(crate) async fn sections(
    wallet: &Wallet,
    command: SectionsCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let write = match command {
        SectionsCommand::Send { of, item, to } => {
            wallet.start_transfer(account(wallet, of.account)?, to, item).await?
        }
        SectionsCommand::Claim { of, transfer } => {
            wallet.claim_transfer(account(wallet, of.account)?, transfer).await?
        }
        SectionsCommand::TakeBack { of, transfer } => {
            wallet.take_transfer_back(account(wallet, of.account)?, transfer).await?
        }
        SectionsCommand::List { of, incoming, page } => {
            let found = wallet.section_transfers(account(wallet, of.account)?, incoming, page).await?;
            let value = json!({
                "transfers": found.transfers.iter().map(transfer_json).collect::<Vec<_>>(), "more": found.more,
            });
            output.either(&value, || transfers_text(&found.transfers, found.more, page))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    written(&write, output)
}

/// `orders sections`
pub(crate) async fn ordered(
    wallet: &Wallet,
    command: OrderedCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let write = match command {
        OrderedCommand::Place { of, item } => wallet.place_order(account(wallet, of.account)?, item).await?,
        OrderedCommand::Cancel { of, order } => {
            wallet.cancel_order(account(wallet, of.account)?, order).await?
        }
        OrderedCommand::List { of, page } => {
            let found = wallet.section_orders(account(wallet, of.account)?, page).await?;
            let value = json!({
                "orders": found.orders.iter().map(order_json).collect::<Vec<_>>(), "more": found.more,
            });
            output.either(&value, || orders_text(&found.orders, found.more, page))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    written(&write, output)
}

/// `writes`
pub(crate) async fn writes(wallet: &Wallet, command: WritesCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WritesCommand::List { account: named, limit } => {
            list_writes(&wallet.writes(account(wallet, named)?, limit)?, output)
        }
        WritesCommand::LookUp { id } => {
            let write = wallet.look_up_write(id).await?;
            output.either(&write_json(&write), || write_text(&write))
        }
        WritesCommand::Forget { id } => {
            wallet.forget_write(id)?;
            output.either(&json!({ "forgotten": id }), || format!("Forgot {id}."))
        }
    }
}

fn counts(tickets: &[SectionCount]) -> String {
    tickets.iter().map(|one| format!("{} × {}", one.quantity, one.section)).collect::<Vec<_>>().join(", ")
}

fn more_text(more: bool, page: u32) -> String {
    if more { format!("More: --page {}\n", page.saturating_add(1)) } else { String::new() }
}

fn transfer_json(one: &SectionTransfer) -> Value {
    let tickets = one.tickets.iter().map(|one| json!({ "section": one.section, "quantity": one.quantity }));
    json!({
        "transfer": one.uri, "state": one.state.as_text(), "initiated_at": one.initiated_at,
        "tickets": tickets.collect::<Vec<_>>(), "sender": one.sender, "recipient": one.recipient,
        "record": record::shown(&one.body_json),
    })
}

fn transfers_text(found: &[SectionTransfer], more: bool, page: u32) -> String {
    if found.is_empty() {
        return "No transfers.".to_owned();
    }
    let header = ["TRANSFER", "STATE", "FROM", "TO", "TICKETS"].map(str::to_owned).to_vec();
    let rows = found.iter().map(|one| {
        let (from, to) = (one.sender.clone().unwrap_or_default(), one.recipient.clone().unwrap_or_default());
        vec![one.uri.clone(), one.state.as_text().to_owned(), from, to, counts(&one.tickets)]
    });
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()) + &more_text(more, page)
}

fn order_json(one: &SectionOrder) -> Value {
    json!({
        "order": one.number, "status": one.status, "placed_at": one.placed_at, "total": one.total,
        "record": record::shown(&one.body_json),
    })
}

fn orders_text(found: &[SectionOrder], more: bool, page: u32) -> String {
    if found.is_empty() {
        return "No orders.".to_owned();
    }
    let header = ["ORDER", "STATUS", "PLACED (UTC)", "TOTAL"].map(str::to_owned).to_vec();
    let rows = found.iter().map(|one| {
        let (status, total) = (one.status.clone().unwrap_or_default(), one.total.clone().unwrap_or_default());
        vec![one.number.clone(), status, one.placed_at.map(utc).unwrap_or_default(), total]
    });
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()) + &more_text(more, page)
}
