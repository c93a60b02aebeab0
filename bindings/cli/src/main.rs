//! `ticket-wallet`: the wallet core in a terminal, for holders and gate staff, with a sandbox to try it on.

mod admissions;
mod args;
mod barcode;
mod box_office;
mod care;
mod catalogue;
mod changes;
mod choices;
mod clock;
mod confirm;
mod demo;
mod exchange;
mod failure;
mod gate;
mod holder;
mod home;
mod interrupt;
mod online;
mod output;
mod paging;
mod record;
mod resale;
mod sandbox;
mod show;
mod tokens;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use ticket_wallet::Wallet;

use args::gate::GateCommands;
use args::holder::TicketsCommand;
use args::{Arguments, BarcodeCommand, Command};
use failure::Failure;
use home::{Place, Store};
use output::Output;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if is_help(&error) => error.exit(),
        Err(error) => {
            let json = std::env::args_os().any(|argument| argument == "--json");
            return Output::new(json).failure(&Failure::from(error));
        }
    };
    let output = Output::new(arguments.json);
    match run(arguments, &output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}

/// Help that was asked for, or that stands in for a missing command, is a page and no error in one line.
fn is_help(error: &clap::Error) -> bool {
    !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

fn run(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::system("the runtime cannot start", e))?;
    runtime.block_on(dispatch(arguments, output))
}

async fn dispatch(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let home = arguments.store;
    match arguments.command {
        Command::Demo(options) => demo::run(&options, output).await?,
        Command::Sandbox(options) => sandbox::run(&options, output).await?,
        Command::Login(options) => holder::login(&home::begin(home)?, options, output).await?,
        Command::Sync(options) => holder::sync(&home::open(home)?, options, output).await?,
        Command::Accounts { capabilities } => holder::accounts(&home::open(home)?, capabilities, output)?,
        Command::Tickets { command } => tickets(&home::open(home)?, command, output).await?,
        Command::Transfer { command } => {
            return changes::transfer(&home::open(home)?, command, output).await;
        }
        Command::Resale { command } => return resale::run(&home::open(home)?, command, output).await,
        Command::Writes { command } => exchange::writes(&home::open(home)?, command, output).await?,
        Command::Orders { command } => return online::orders(&home::open(home)?, command, output).await,
        Command::Offers(place) => online::offers(&home::open(home)?, place, output).await?,
        Command::Enroll { account } => online::enroll(&home::open(home)?, account, output).await?,
        Command::Certificate { due: true, account } => {
            online::certificate_is_due(&home::open(home)?, account, output).await?;
        }
        Command::Certificate { account, .. } => online::certificate(&home::open(home)?, account, output)?,
        Command::Documents { command } => online::kept(&home::open(home)?, command, output)?,
        Command::BoxOffice { command } => return box_office::run(home, command, output).await,
        Command::Catalogue { command } => return catalogue::run(home, command, output).await,
        Command::Tokens { command } => return tokens::run(home, command, output).await,
        Command::Admissions { command } => return admissions::run(home, command, output).await,
        Command::Gate { command: GateCommands::Work(command) } => {
            return gate::run(home, command, output).await;
        }
        Command::Gate { command: GateCommands::Care(command) } => {
            return gate::care_for(home, command, output).await;
        }
        Command::Move { id } => changes::move_here(&home::open(home)?, id, output)?,
        Command::Surrender { id } => changes::surrender(&home::open(home)?, id, output)?,
        Command::Outbox { command } => changes::outbox(&home::open(home)?, command, output)?,
        Command::Logout { account, discard_changes } => {
            care::logout(&home::open(home)?, account, discard_changes, output).await?;
        }
        Command::Doctor => return care::doctor(&Place::of(Store::Wallet, home)?, output),
        Command::Recover => care::recover(&Place::of(Store::Wallet, home)?, output)?,
        Command::Rekey => care::rekey(&home::open(home)?, output)?,
        Command::Wipe { yes } => care::wipe(&Place::of(Store::Wallet, home)?, yes, false, output).await?,
        Command::Show(options) => show::run(&home::open(home)?, options, output).await?,
        Command::Barcode { command: BarcodeCommand::Verify(options) } => {
            return barcode::verify(options, output);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn tickets(wallet: &Wallet, command: TicketsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        TicketsCommand::List(options) => holder::list(wallet, options, output),
        TicketsCommand::Show { id } => holder::show(wallet, id, output),
        TicketsCommand::Questions { id } => online::questions(wallet, id, output).await,
        TicketsCommand::Documents { id, fetch, out } => {
            online::documents(wallet, id, fetch, out, output).await
        }
        TicketsCommand::Find { account, query } => online::find(wallet, account, query, output).await,
        TicketsCommand::Server(options) => {
            let (named, query) = options.query();
            let tenant = query.tenant.clone();
            let found = wallet.server_tickets(online::account(wallet, named)?, query).await;
            online::server_tickets(&found.map_err(|error| online::at_which(tenant, error))?, output)
        }
        TicketsCommand::Ledger { place, id } => online::ledger(wallet, place, id, output).await,
        TicketsCommand::Answer { id, answers } => changes::answer(wallet, id, answers, output),
        TicketsCommand::Pin { id, off } => changes::pin(wallet, id, !off, output),
    }
}
