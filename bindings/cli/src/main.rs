//! `ticket-wallet`: the wallet core in a terminal, for holders and gate staff, with a sandbox to try it on.

mod args;
mod barcode;
mod box_office;
mod care;
mod changes;
mod clock;
mod demo;
mod failure;
mod holder;
mod home;
mod online;
mod output;
mod sandbox;
mod show;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Arguments, BarcodeCommand, Command, TicketsCommand};
use failure::Failure;
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
        Command::Login(options) => holder::login(&home::open(home)?, options, output).await?,
        Command::Sync(options) => holder::sync(&home::open(home)?, options, output).await?,
        Command::Accounts { capabilities } => holder::accounts(&home::open(home)?, capabilities, output)?,
        Command::Tickets { command: TicketsCommand::List(options) } => {
            holder::list(&home::open(home)?, options, output)?;
        }
        Command::Tickets { command: TicketsCommand::Show { id } } => {
            holder::show(&home::open(home)?, id, output)?
        }
        Command::Tickets { command: TicketsCommand::Questions { id } } => {
            online::questions(&home::open(home)?, id, output).await?;
        }
        Command::Tickets { command: TicketsCommand::Documents { id, fetch, out } } => {
            online::documents(&home::open(home)?, id, fetch, out, output).await?;
        }
        Command::Tickets { command: TicketsCommand::Ledger { place, id } } => {
            online::ledger(&home::open(home)?, place, id, output).await?;
        }
        Command::Tickets { command: TicketsCommand::Answer { id, answers } } => {
            changes::answer(&home::open(home)?, id, answers, output)?;
        }
        Command::Tickets { command: TicketsCommand::Pin { id, off } } => {
            changes::pin(&home::open(home)?, id, !off, output)?;
        }
        Command::Transfer { command } => changes::transfer(&home::open(home)?, command, output).await?,
        Command::Orders { command } => online::orders(&home::open(home)?, command, output).await?,
        Command::Offers(place) => online::offers(&home::open(home)?, place, output).await?,
        Command::Enroll { account } => online::enroll(&home::open(home)?, account, output).await?,
        Command::BoxOffice { command } => box_office::run(home, command, output).await?,
        Command::Move { id } => changes::move_here(&home::open(home)?, id, output)?,
        Command::Outbox { command } => changes::outbox(&home::open(home)?, command, output)?,
        Command::Logout { account, discard_changes } => {
            care::logout(&home::open(home)?, account, discard_changes, output).await?;
        }
        Command::Doctor => care::doctor(home, output)?,
        Command::Recover => care::recover(home, output)?,
        Command::Show(options) => show::run(&home::open(home)?, options, output).await?,
        Command::Barcode { command: BarcodeCommand::Verify(options) } => {
            return barcode::verify(options, output);
        }
    }
    Ok(ExitCode::SUCCESS)
}
