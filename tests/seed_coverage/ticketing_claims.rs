//! Which request of which step shows what each row of TickeTing's reference says.

use crate::claims::Claim;
use crate::request::{ANY, Asked};
use crate::seed_rows::{Kind, Row};

const ISSUE: Asked = Asked::new("POST", "/ticketing/v3/events/*/tokens", 201);
const LIST: Asked = Asked::new("GET", "/ticketing/v3/events/*/tokens", 200);
const ONE: Asked = Asked::new("GET", "/ticketing/v3/events/*/tokens/*", 200);
const SESSION: Asked = Asked::new("POST", "/ticketing/v3/sessions", 201);
const GATE: Asked = Asked::new("GET", "/ticketing/v3/tokens/*", 200);
const TICKETS: Asked = Asked::new("GET", "/ticketing/v3/events/*/tickets", 200);

const ISSUES: &str = "ticketing::issues_a_token";
const LISTS: &str = "ticketing::lists_tokens";
const READS: &str = "ticketing::reads_a_token";
const REDEEMS: &str = "ticketing::lets_staff_redeem_for_their_sections";
const LETS_IN: &str = "ticketing::is_let_in_by_a_session_or_a_key";
const REFUSES: &str = "ticketing::is_refused_with_the_documents_words";
const TELLS: &str = "ticketing::tells_the_app_each_refusal";

/// The claims about the rows that anything can show.
pub(crate) fn claims(rows: &[Row]) -> Vec<Claim> {
    let own = rows.iter().filter(|row| row.seed == "ticketing" && !row.is_heading_only());
    own.flat_map(|row| shown(row).into_iter().map(|(step, asked)| Claim::about(row, step, asked))).collect()
}

/// A list that was refused.
fn refused(status: u16) -> Asked {
    Asked::new("GET", "/ticketing/v3/events/*/tokens", status)
}

fn shown(row: &Row) -> Vec<(&'static str, Asked)> {
    let id = row.id.as_str();
    if let Some(rest) = id.strip_prefix("POST /events/{event}/tokens") {
        return issuing(rest);
    }
    if id.starts_with("GET /events/{event}/tokens/{token}") {
        return vec![(READS, ONE)];
    }
    if let Some(rest) = id.strip_prefix("GET /events/{event}/tokens") {
        return vec![(LISTS, listing(rest))];
    }
    match row.kind {
        Kind::Error => error(id),
        Kind::Header if id.starts_with("X-API-Key") => vec![(REFUSES, refused(401)), (REFUSES, LIST)],
        Kind::Header => vec![(REFUSES, refused(412)), (REFUSES, LIST)],
        Kind::Address if id.ends_with("/tokens/{token}") => vec![(READS, ONE)],
        Kind::Address if id.ends_with("/tokens") => vec![(ISSUES, ISSUE)],
        Kind::Address => vec![(LETS_IN, SESSION)],
        _ => statement(id),
    }
}

fn issuing(rest: &str) -> Vec<(&'static str, Asked)> {
    if rest.starts_with(" /sections") || rest.starts_with(" example /sections") {
        vec![(ISSUES, ISSUE.body("/sections"))]
    } else if rest.contains("redeem tickets and admit patrons") {
        vec![(ISSUES, ISSUE), (REDEEMS, GATE), (REDEEMS, TICKETS)]
    } else if rest.contains("global token") {
        vec![(REDEEMS, GATE), (REDEEMS, TICKETS)]
    } else {
        vec![(ISSUES, ISSUE)]
    }
}

fn listing(rest: &str) -> Asked {
    match rest.split(':').next().unwrap_or(rest) {
        " ?records" => LIST.query("records", ANY),
        " ?records=25" => LIST.query("records", "25"),
        " ?page" => LIST.query("page", ANY),
        " ?page=1" => LIST.query("page", "1"),
        " ?global" => LIST.query("global", ANY),
        " ?global=true" => LIST.query("global", "true"),
        _ => LIST,
    }
}

fn error(id: &str) -> Vec<(&'static str, Asked)> {
    let endpoint = Asked::new("GET", "/ticketing/v3/invalid/endpoint", 404);
    let resource = Asked::new("GET", "/ticketing/v3/events/*", 404);
    let table = [
        ("not be authenticated", vec![(REFUSES, refused(401))]),
        ("restricted", vec![(REFUSES, refused(403)), (TELLS, refused(403))]),
        ("upgrade your client", vec![(REFUSES, refused(412)), (TELLS, refused(412))]),
        ("requested endpoint", vec![(REFUSES, endpoint)]),
        ("no resource", vec![(REFUSES, resource), (TELLS, refused(404))]),
        ("server error", vec![(REFUSES, refused(500)), (TELLS, refused(500))]),
    ];
    let found = table.into_iter().find(|(words, _)| id.contains(words));
    found.map(|(_, shown)| shown).unwrap_or_default()
}

/// The sentences of the reference's first part, each by words that no other has.
fn statement(id: &str) -> Vec<(&'static str, Asked)> {
    let endpoint = Asked::new("GET", "/ticketing/v3/invalid/endpoint", 404);
    let resource = Asked::new("GET", "/ticketing/v3/events/*", 404);
    let table = [
        ("Start a session", vec![(LETS_IN, SESSION), (LETS_IN, LIST)]),
        ("Secure an integration key", vec![(LETS_IN, LIST)]),
        ("Integration keys grant", vec![(LETS_IN, LIST)]),
        ("There are two ways", vec![(LETS_IN, SESSION), (LETS_IN, LIST)]),
        ("uses API keys", vec![(REFUSES, refused(401)), (REFUSES, LIST)]),
        ("You must provide a valid API Key", vec![(REFUSES, refused(401)), (REFUSES, LIST)]),
        ("Omitting the X-API-Key", vec![(REFUSES, refused(401))]),
        ("If an invalid X-API-Key", vec![(REFUSES, refused(403)), (TELLS, refused(403))]),
        ("must advertise the version", vec![(REFUSES, refused(412)), (REFUSES, LIST)]),
        ("This ensures compatability", vec![(TELLS, refused(412))]),
        ("This is done by including", vec![(REFUSES, refused(412)), (REFUSES, LIST)]),
        ("In this way the server can indicate", vec![(TELLS, refused(412))]),
        ("If the X-Client-Version header is omitted", vec![(REFUSES, refused(412))]),
        ("404 error for two reasons", vec![(REFUSES, endpoint.clone()), (REFUSES, resource.clone())]),
        ("The endpoint you are trying", vec![(REFUSES, endpoint)]),
        ("The endpoint you are requesting", vec![(REFUSES, resource.clone()), (TELLS, refused(404))]),
        ("For example, trying to access", vec![(REFUSES, resource)]),
        ("still under development", vec![(TELLS, refused(500))]),
        ("In these cases, a 500", vec![(REFUSES, refused(500)), (TELLS, refused(500))]),
        ("If such a message is received", vec![(TELLS, refused(500))]),
        ("Event Admissions", vec![(ISSUES, ISSUE), (LISTS, LIST), (READS, ONE)]),
    ];
    let found = table.into_iter().find(|(words, _)| id.contains(words));
    found.map(|(_, shown)| shown).unwrap_or_default()
}
