//! What a ticket holder does: sign in, sync, look at tickets.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use ticket_wallet::model::{
    AccountState, SignIn, SystemConfig, TicketDetail, TicketFilter, TicketSummary, TicketSystem,
};
use ticket_wallet::{SyncReport, SyncStage, Wallet, WalletListener, WalletState};

use crate::args::{ListOptions, LoginOptions, SyncOptions, SystemName};
use crate::failure::Failure;
use crate::output::{Output, table};

pub(crate) async fn login(wallet: &Wallet, options: LoginOptions, output: &Output) -> Result<(), Failure> {
    let account = wallet
        .sign_in(SignIn {
            system: match options.system {
                SystemName::Bam => TicketSystem::Bam,
                SystemName::Unidy => TicketSystem::Unidy,
            },
            config: SystemConfig {
                tenant_url: options.tenant_url,
                default_tenant: options.default_tenant,
                extension_url: options.extension_url,
                ..SystemConfig::at(options.url)
            },
            user_name: options.user,
            password: password()?,
        })
        .await?;
    let value = json!({ "account": account.id, "system": account.system.as_text(), "url": account.url });
    output.either(&value, || format!("Signed in. Account {}. Next: ticket-wallet sync", account.id))
}

/// From a prompt on a terminal, else the first line of stdin.
fn password() -> Result<String, Failure> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::InvalidData => Failure::Usage("the password is not UTF-8".to_owned()),
        _ => Failure::system("the password cannot be read", e),
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").map_err(failed);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) fn accounts(wallet: &Wallet, output: &Output) -> Result<(), Failure> {
    let accounts = wallet.accounts()?;
    let value = accounts.iter().map(|account| {
        json!({
            "account": account.id, "system": account.system.as_text(), "url": account.url, "user": account.user_name,
            "state": format!("{:?}", account.state),
        })
    });
    output.either(&value.collect(), || {
        if accounts.is_empty() {
            return "No account yet. Sign in with `ticket-wallet login`.".to_owned();
        }
        let header = ["ACCOUNT", "SYSTEM", "USER", "ADDRESS", "STATE"].map(str::to_owned).to_vec();
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
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

fn state_text(state: AccountState) -> &'static str {
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
    let result = wallet.sync(options.account).await;
    telling.cancel();
    bar.finish_and_clear();
    let report = result?;
    output.either(&report_json(report), || report_text(report))
}

pub(crate) fn report_json(report: SyncReport) -> Value {
    json!({
        "received": report.received, "added": report.added, "changed": report.changed, "removed": report.removed,
        "bound": report.bound, "renewed": report.renewed, "refused": report.refused, "sent": report.sent,
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
        account_id: options.account,
        limit: options.limit,
        offset: options.offset,
        ..TicketFilter::default()
    };
    let tickets = wallet.tickets(filter)?;
    output.either(&tickets.iter().map(summary_json).collect(), || list_text(&tickets))
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
            ticket.status.as_text().to_owned(),
            ticket.profile.as_text().to_owned(),
        ]
    });
    table(&std::iter::once(header.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
}

fn utc(unix_s: i64) -> String {
    chrono::DateTime::from_timestamp(unix_s, 0)
        .map(|time| time.format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

pub(crate) fn summary_json(ticket: &TicketSummary) -> Value {
    json!({
        "id": ticket.id, "title": ticket.title, "format": ticket.format.as_text(), "profile": ticket.profile.as_text(),
        "status": ticket.status.as_text(), "category": ticket.category, "starts_at": ticket.starts_at,
        "venue": ticket.venue, "section": ticket.section, "seat": ticket.seat, "account": ticket.account_id,
    })
}

pub(crate) fn show(wallet: &Wallet, id: String, output: &Output) -> Result<(), Failure> {
    let ticket = wallet.ticket(id)?;
    output.either(&detail_json(&ticket), || detail_text(&ticket))
}

fn detail_json(ticket: &TicketDetail) -> Value {
    let mut value = summary_json(&ticket.summary);
    let event = ticket.event.as_ref().map(|event| {
        json!({
            "id": event.remote_id, "hash": event.hash, "name": event.name, "venue": event.venue,
            "starts_at": event.starts_at, "ends_at": event.ends_at, "time_zone": event.time_zone,
        })
    });
    value["remote_id"] = json!(ticket.remote_id);
    value["event"] = json!(event);
    value["holder"] = json!(ticket.holder);
    value["generation"] = json!(ticket.generation);
    value["lease_end"] = json!(ticket.lease_end);
    value["no_barcode"] = json!(ticket.no_barcode.map(|reason| format!("{reason:?}")));
    value["record"] = serde_json::from_str(&ticket.body_json).unwrap_or_default();
    value
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
        ("Status", Some(summary.status.as_text().to_owned())),
        ("Generation", ticket.generation.map(|generation| generation.to_string())),
        ("Barcode", Some(barcode)),
    ];
    let known = rows.into_iter().filter_map(|(name, value)| value.map(|value| vec![name.to_owned(), value]));
    table(&known.collect::<Vec<_>>())
}
