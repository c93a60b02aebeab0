//! What a verdict says: a line, an object for scripts, a screen.

use serde_json::{Value, json};
use ticket_wallet::admission::Allowed;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{EarlierEntry, GateCertainty, GateReadiness, GateVerdict};

use super::{place, section_json};
use crate::holder::utc;

const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";
const BELL: char = '\x07';
const PLAIN: &str = "\x1b[0m";
/// Columns of the coloured field.
const WIDTH: usize = 60;

/// Why somebody was refused, in words for staff.
pub(super) fn why(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Admit => "let in",
        Verdict::Malformed => "no code that counts here",
        Verdict::UnknownIssuer => "signed by nobody who is known here",
        Verdict::BadIssuerSignature => "forged: the issuer did not sign this",
        Verdict::BadDeviceSignature => "forged: the device did not sign this",
        Verdict::Stale => "shown too long ago, as a screenshot is",
        Verdict::FromTheFuture => "shown in the future: a clock is wrong",
        Verdict::NotYetValid => "not valid yet",
        Verdict::LeaseExpired => "the wallet must go online and sync",
        Verdict::WrongEvent => "a ticket of another event",
        Verdict::WrongSection => "a ticket of another section",
        Verdict::WrongProfile => "this ticket is let in by another kind of code",
        Verdict::Superseded => "the ticket has changed hands since",
        Verdict::Revoked => "the ticket was cancelled",
        Verdict::Blocked => "the ticket is blocked",
        Verdict::Listed => "the ticket is listed for resale",
        Verdict::Replayed => "this very code was used before",
        Verdict::NonceUnavailable => "a venue nonce is needed that this gate does not have",
        Verdict::AlreadyAdmitted => "the ticket has let in as often as it may",
        Verdict::UnknownTicket => "no ticket of this event has this code",
    }
}

/// One word: what is to be done with whom.
fn word(said: &GateVerdict, done: &'static str) -> &'static str {
    if said.verdict == Verdict::Admit { done } else { "REFUSED" }
}

fn earlier(entry: &EarlierEntry) -> String {
    let place = if entry.is_here { "here".to_owned() } else { format!("at scanner {}", entry.scanner) };
    let copy = if entry.on_superseded_copy { ", with a copy that is no longer valid" } else { "" };
    format!("entered {} UTC {place}{copy}, record {}", utc(entry.at_ms.div_euclid(1000)), entry.record_id)
}

/// What is known of the ticket, and how sure the gate is.
fn details(said: &GateVerdict) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(ticket) = &said.ticket {
        found.push(format!("ticket {ticket}"));
    }
    found.push(place(said.section.as_ref(), said.seat.as_deref()));
    if let Allowed::Persons { count } | Allowed::Days { count } = said.allowed {
        found.push(format!("{} of {count} used before", said.entered));
    }
    found.extend(said.earlier.as_ref().map(earlier));
    if said.verdict == Verdict::Admit && !said.certainty.is_proved {
        found.push("the code could be a copy".to_owned());
    }
    if said.certainty.readiness == GateReadiness::ReadyWithOldData {
        found.push(format!("manifest {} minutes old", said.certainty.manifest_age_s.div_euclid(60)));
    }
    if !said.certainty.clock.confirmed {
        found.push("clock not confirmed since this device was switched on".to_owned());
    }
    found.extend(peers(&said.certainty));
    found.push(format!("record {}", said.record_id));
    if said.is_repeated {
        found.push("read twice, counted once".to_owned());
    }
    found.retain(|one| !one.is_empty());
    found
}

/// Which others were heard, and how long ago: what they let in since is not known here.
fn peers(certainty: &GateCertainty) -> Option<String> {
    match (certainty.newest_peer_age_s?, certainty.oldest_peer_age_s?) {
        (newest, _) if certainty.peers == 1 => Some(format!("1 other gate heard, {}", ago(newest))),
        (newest, oldest) => {
            Some(format!("{} other gates heard, {} to {}", certainty.peers, ago(newest), ago(oldest)))
        }
    }
}

/// A span of seconds that ends now.
pub(super) fn ago(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h {} min ago", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A verdict on one line; `done` says what an admission is called.
pub(super) fn line(said: &GateVerdict, done: &'static str) -> String {
    let reason = match said.verdict {
        Verdict::Admit => String::new(),
        verdict => format!(" ({verdict:?}): {}", why(verdict)),
    };
    format!("{}{reason} · {}", word(said, done), details(said).join(" · "))
}

/// A verdict that fills a screen: a coloured field with one word, then the rest; a refusal rings the bell.
pub(super) fn screen(said: &GateVerdict, done: &'static str) -> String {
    let is_let_in = said.verdict == Verdict::Admit;
    // White on green, white on red, both bold.
    let colour = if is_let_in { "\x1b[1;97;42m" } else { "\x1b[1;97;41m" };
    let spaced: Vec<_> = word(said, done).chars().map(String::from).collect();
    let row = |text: &str| format!("{colour}{text:^WIDTH$}{PLAIN}\n");
    let field = [row(""), row(""), row(&spaced.join(" ")), row(""), row("")].concat();
    let reason = if is_let_in { "" } else { why(said.verdict) };
    let code = if is_let_in { String::new() } else { format!(" ({:?})", said.verdict) };
    let details: String = details(said).iter().map(|one| format!("{one}\n")).collect();
    let bell = if is_let_in { String::new() } else { BELL.to_string() };
    format!("{CLEAR}{bell}{field}\n{reason}{code}\n{details}\n{READY}")
}

/// What stands below a verdict, and alone before the first.
pub(super) const READY: &str = "Ready. Scan the next code; Ctrl-D ends.\n";

/// The screen before the first scan.
pub(super) fn first_screen() -> String {
    format!("{CLEAR}{READY}")
}

/// A verdict for scripts.
pub(crate) fn json(said: &GateVerdict) -> Value {
    json!({
        "verdict": format!("{:?}", said.verdict), "is_repeated": said.is_repeated, "record": said.record_id,
        "profile": format!("{:?}", said.profile), "ticket": said.ticket, "generation": said.generation,
        "section": said.section.as_ref().map(section_json), "seat": said.seat, "entered": said.entered,
        "allowed": allowed_json(said.allowed), "earlier": said.earlier.as_ref().map(earlier_json),
        "certainty": {
            "readiness": format!("{:?}", said.certainty.readiness), "manifest_age_s": said.certainty.manifest_age_s,
            "clock_confirmed": said.certainty.clock.confirmed, "is_proved": said.certainty.is_proved,
            "peers": said.certainty.peers, "newest_peer_age_s": said.certainty.newest_peer_age_s,
            "oldest_peer_age_s": said.certainty.oldest_peer_age_s,
        },
    })
}

fn allowed_json(allowed: Allowed) -> Value {
    match allowed {
        Allowed::Once => json!({ "kind": "Once" }),
        Allowed::AfterExit => json!({ "kind": "AfterExit" }),
        Allowed::Persons { count } => json!({ "kind": "Persons", "count": count }),
        Allowed::Days { count } => json!({ "kind": "Days", "count": count }),
    }
}

fn earlier_json(entry: &EarlierEntry) -> Value {
    json!({
        "at_ms": entry.at_ms, "scanner": entry.scanner, "is_here": entry.is_here, "generation": entry.generation,
        "on_superseded_copy": entry.on_superseded_copy, "record": entry.record_id,
    })
}
