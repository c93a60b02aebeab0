//! What a ticket holder does: sign in, sync, look at tickets.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use ticket_wallet::model::{
    Account, AccountState, Capability, Event, EventGroup, SignIn, SystemConfig, TicketDetail, TicketFilter,
    TicketSummary, TicketSystem, UnidyGrant,
};
use ticket_wallet::{SyncReport, SyncStage, Wallet, WalletError, WalletListener, WalletState};

use crate::args::holder::ListOptions;
use crate::args::{LoginOptions, SyncOptions};
use crate::box_office::price_json;
use crate::failure::Failure;
use crate::output::{Output, one_line, table, titled};
use crate::record;
use crate::resale::{listing_json, listing_text};

pub(crate) async fn login(wallet: &Wallet, options: LoginOptions, output: &Output) -> Result<(), Failure> {
    let LoginOptions { system, user, code, browser, implicit } = options;
    let (name, user) = (system.system(), user.unwrap_or_default());
    if (code || browser) && name != TicketSystem::Unidy {
        return usage("--code and --browser: only --system unidy has these; leave them out");
    }
    if browser != system.is_partner() {
        return usage(
            "--browser and --api partner: the partner API is signed in to by the browser, and nothing else is",
        );
    }
    if browser {
        let grant = if implicit { UnidyGrant::Implicit } else { UnidyGrant::AuthorizationCode };
        return login_by_browser(wallet, system.config(Some(grant))?, output).await;
    }
    let secret_name = system.secret_name();
    let config = system.config(None)?;
    let account = if code {
        let asked = wallet.request_code(config, user).await?;
        wallet.sign_in_with_code(asked.id, secret("Code")?).await?
    } else {
        wallet
            .sign_in(SignIn { system: name, config, user_name: user, password: secret(secret_name)? })
            .await?
    };
    signed_in(&account, &[], output)
}

fn usage<T>(why: &str) -> Result<T, Failure> {
    Err(Failure::Usage(why.to_owned()))
}

async fn login_by_browser(wallet: &Wallet, config: SystemConfig, output: &Output) -> Result<(), Failure> {
    let begun = wallet.begin_sign_in(config).await?;
    output.either(&json!({ "open": begun.url }), || {
        format!("Open this address in a browser, then paste the one that it leads to:\n{}", begun.url)
    })?;
    let done = wallet.complete_sign_in(secret("Address")?).await?;
    signed_in(&done.account, &done.warnings, output)
}

fn signed_in(account: &Account, warnings: &[String], output: &Output) -> Result<(), Failure> {
    let value = json!({
        "account": account.id, "system": account.system.as_text(), "url": account.url, "warnings": warnings,
    });
    output.either(&value, || {
        let warnings: String = warnings.iter().map(|warning| format!("Warning: {warning}\n")).collect();
        format!("{warnings}Signed in. Account {}. Next: ticket-wallet sync", account.id)
    })
}

/// From a prompt on a terminal, else the next line of stdin.
pub(crate) fn secret(what: &str) -> Result<String, Failure> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::InvalidData => Failure::Usage(format!("the {} is not UTF-8", what.to_lowercase())),
        _ => Failure::system(format!("the {} cannot be read", what.to_lowercase()), e),
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{what}: ")).map_err(failed);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The account that was named, or the only one there is; of the wallet, or of what `office` names in commands.
pub(crate) fn one_of(
    mut accounts: Vec<Account>,
    named: Option<String>,
    office: &str,
) -> Result<String, Failure> {
    if let Some(id) = named {
        return if accounts.iter().any(|account| account.id == id) {
            Ok(id)
        } else {
            let reason = format!("account {id} not found; `ticket-wallet {office}accounts` lists them");
            Err(WalletError::NotFound { reason }.into())
        };
    }
    match (accounts.pop(), accounts.is_empty()) {
        (Some(account), true) => Ok(account.id),
        (Some(_), false) => {
            usage(&format!("several accounts: say --account ID; `ticket-wallet {office}accounts` lists them"))
        }
        (None, _) => usage(&format!("no account yet; sign in with `ticket-wallet {office}login`")),
    }
}

pub(crate) fn accounts(
    wallet: &Wallet,
    capabilities: Option<String>,
    output: &Output,
) -> Result<(), Failure> {
    let Some(account) = capabilities else { return account_rows(&wallet.accounts()?, "", output) };
    able(&wallet.capabilities(account)?, output)
}

/// What can be done with an account.
pub(crate) fn able(capabilities: &[Capability], output: &Output) -> Result<(), Failure> {
    let names: Vec<_> = capabilities.iter().map(|capability| format!("{capability:?}")).collect();
    output.either(&json!(names), || names.join("\n"))
}

/// The accounts, of the wallet or of what `office` names in commands.
pub(crate) fn account_rows(accounts: &[Account], office: &str, output: &Output) -> Result<(), Failure> {
    let value = accounts.iter().map(|account| {
        json!({
            "account": account.id, "system": account.system.as_text(), "url": account.url, "user": account.user_name,
            "state": format!("{:?}", account.state),
        })
    });
    output.either(&value.collect(), || {
        if accounts.is_empty() {
            return format!("No account yet. Sign in with `ticket-wallet {office}login`.");
        }
        let header = ["ACCOUNT", "SYSTEM", "USER", "ADDRESS", "STATE"];
        let rows = accounts.iter().map(|account| {
            let cells = [
                &account.id,
                account.system.as_text(),
                &account.user_name,
                &account.url,
                state_text(account.state),
            ];
            cells.map(str::to_owned).to_vec()
        });
        titled(header, rows)
    })
}

pub(crate) fn state_text(state: AccountState) -> &'static str {
    match state {
        AccountState::SignedIn => "signed in",
        AccountState::NeedsSignIn => "must sign in",
    }
}

/// Draws what the core tells.
struct Bar(ProgressBar);

impl WalletListener for Bar {
    fn on_state(&self, state: WalletState) {
        let Some(progress) = state.syncing.last() else { return };
        self.0.set_message(match progress.stage {
            SyncStage::Tickets => "fetching tickets",
            SyncStage::Barcodes => "making barcodes ready",
        });
        self.0.set_length(progress.total.unwrap_or(progress.done).into());
        self.0.set_position(progress.done.into());
    }
}

pub(crate) async fn sync(wallet: &Wallet, options: SyncOptions, output: &Output) -> Result<(), Failure> {
    let account = known(wallet, options.account)?;
    let bar = if output.is_terminal() {
        ProgressBar::new(0)
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
    };
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    let telling = wallet.subscribe(Arc::new(Bar(bar.clone())))?;
    let result = wallet.sync(account).await;
    telling.cancel();
    bar.finish_and_clear();
    let report = result?;
    output.either(&report_json(report), || report_text(report))
}

pub(crate) fn report_json(report: SyncReport) -> Value {
    json!({
        "received": report.received, "added": report.added, "changed": report.changed, "removed": report.removed,
        "bound": report.bound, "renewed": report.renewed, "codes": report.codes, "refused": report.refused, "sent": report.sent,
        "waiting": report.waiting, "rejected": report.rejected,
    })
}

pub(crate) fn report_text(report: SyncReport) -> String {
    let received = match report.received {
        0 => "No ticket has changed".to_owned(),
        received => format!("{received} tickets"),
    };
    let outbox = match (report.sent, report.waiting, report.rejected) {
        (0, 0, 0) => String::new(),
        (sent, waiting, rejected) => {
            format!(
                " Changes: {sent} sent, {waiting} waiting, {rejected} rejected; `outbox list` shows them."
            )
        }
    };
    format!(
        "{received}: {} new, {} changed, {} gone. Barcodes: {} made ready, {} renewed, {} refused.{outbox}",
        report.added, report.changed, report.removed, report.bound, report.renewed, report.refused
    )
}

pub(crate) fn list(wallet: &Wallet, options: ListOptions, output: &Output) -> Result<(), Failure> {
    let filter = TicketFilter {
        account_id: known(wallet, options.account)?,
        starting_from: options.starting_from,
        limit: options.limit,
        offset: options.offset,
    };
    if options.by_event {
        return list_groups(&wallet.tickets_by_event(filter)?, output);
    }
    let tickets = wallet.tickets(filter)?;
    output.either(&tickets.iter().map(summary_json).collect(), || list_text(&tickets))
}

fn list_groups(groups: &[EventGroup], output: &Output) -> Result<(), Failure> {
    let value = groups.iter().map(|group| {
        json!({
            "event": group.event.as_ref().map(event_json), "title": group.title, "starts_at": group.starts_at,
            "tickets": group.tickets.iter().map(summary_json).collect::<Vec<_>>(),
        })
    });
    output.either(&value.collect(), || {
        if groups.is_empty() {
            return list_text(&[]);
        }
        let group = |group: &EventGroup| {
            let when = group.starts_at.map(utc).unwrap_or_default();
            format!("{} {when}\n{}", one_line(&group.title), list_text(&group.tickets))
        };
        groups.iter().map(group).collect::<Vec<_>>().join("\n")
    })
}

/// The account that was named, if it is there.
pub(crate) fn known(wallet: &Wallet, named: Option<String>) -> Result<Option<String>, Failure> {
    named.map(|id| one_of(wallet.accounts()?, Some(id), "")).transpose()
}

pub(crate) fn list_text(tickets: &[TicketSummary]) -> String {
    if tickets.is_empty() {
        return "No tickets yet. Sign in with `ticket-wallet login`, then `ticket-wallet sync`.".to_owned();
    }
    let header = ["ID", "WHEN (UTC)", "TITLE", "CATEGORY", "PLACE", "FORMAT", "STATUS", "BARCODE"];
    let rows = tickets.iter().map(|ticket| {
        let place =
            [ticket.section.as_deref(), ticket.seat.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        vec![
            ticket.id.clone(),
            ticket.starts_at.map(utc).unwrap_or_default(),
            ticket.title.clone(),
            ticket.category.clone().unwrap_or_default(),
            place.join(" "),
            ticket.format.as_text().to_owned(),
            ticket.effective_status.as_text().to_owned(),
            ticket.profile.as_text().to_owned(),
        ]
    });
    titled(header, rows)
}

pub(crate) fn utc(unix_s: i64) -> String {
    chrono::DateTime::from_timestamp(unix_s, 0)
        .map(|time| time.format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

pub(crate) fn summary_json(ticket: &TicketSummary) -> Value {
    json!({
        "id": ticket.id, "title": ticket.title, "format": ticket.format.as_text(), "profile": ticket.profile.as_text(),
        "status": ticket.status.as_text(), "effective_status": ticket.effective_status.as_text(),
        "expires_at": ticket.expires_at, "ends_at": ticket.ends_at, "event_hash": ticket.event_hash, "category": ticket.category, "starts_at": ticket.starts_at,
        "venue": ticket.venue, "section": ticket.section, "seat": ticket.seat, "account": ticket.account_id,
    })
}

pub(crate) fn show(wallet: &Wallet, id: String, output: &Output) -> Result<(), Failure> {
    let ticket = wallet.ticket(id)?;
    output.either(&detail_json(&ticket), || detail_text(&ticket))
}

fn detail_json(ticket: &TicketDetail) -> Value {
    let mut value = summary_json(&ticket.summary);
    let event = ticket.event.as_ref().map(event_json);
    value["remote_id"] = json!(ticket.remote_id);
    value["event"] = json!(event);
    value["holder"] = json!(ticket.holder);
    value["generation"] = json!(ticket.generation);
    value["lease_end"] = json!(ticket.lease_end);
    value["no_barcode"] = json!(ticket.no_barcode.map(|reason| format!("{reason:?}")));
    value["price"] = json!(ticket.unidy.as_ref().map(price_json));
    value["listing"] = json!(ticket.listing.as_ref().map(listing_json));
    value["record"] = record::shown(&ticket.body_json);
    value
}

/// Where it stands, and where the server says it does if that is another.
fn status_text(ticket: &TicketSummary) -> String {
    let (now, said) = (ticket.effective_status.as_text(), ticket.status.as_text());
    if now == said { now.to_owned() } else { format!("{now} (the server still says {said})") }
}

fn event_json(event: &Event) -> Value {
    json!({
        "id": event.remote_id, "hash": event.hash, "name": event.name, "venue": event.venue,
        "starts_at": event.starts_at, "ends_at": event.ends_at, "time_zone": event.time_zone,
    })
}

fn detail_text(ticket: &TicketDetail) -> String {
    let summary = &ticket.summary;
    let event = ticket.event.as_ref();
    let zone = event.and_then(|event| event.time_zone.as_deref());
    let barcode = match (ticket.no_barcode, ticket.lease_end) {
        (Some(reason), _) => format!("none: {}", reason.advice()),
        (None, Some(end)) => format!("ready until {} UTC; `ticket-wallet show {}`", utc(end), summary.id),
        (None, None) => "ready".to_owned(),
    };
    let rows = [
        ("Title", Some(summary.title.clone())),
        (
            "When",
            summary.starts_at.map(|start| format!("{} UTC ({})", utc(start), zone.unwrap_or("zone unknown"))),
        ),
        ("Where", summary.venue.clone()),
        ("Category", summary.category.clone()),
        ("Section", summary.section.clone()),
        ("Seat", summary.seat.clone()),
        ("Holder", ticket.holder.clone()),
        ("Format", Some(summary.format.as_text().to_owned())),
        ("Status", Some(status_text(summary))),
        ("Generation", ticket.generation.map(|generation| generation.to_string())),
        ("Listing", ticket.listing.as_ref().map(listing_text)),
        ("Barcode", Some(barcode)),
    ];
    let known = rows.into_iter().filter_map(|(name, value)| {
        value.filter(|value| !value.is_empty()).map(|value| vec![name.to_owned(), value])
    });
    table(&known.collect::<Vec<_>>())
}
