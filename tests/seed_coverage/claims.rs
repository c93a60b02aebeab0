//! Which request of which step shows what each row says.

use crate::request::{ANY, Asked};
use crate::run::Steps;
use crate::seed_rows::{Kind, Row};
use crate::texpo;
use crate::ticketing_claims;

/// That a row is shown by a request of a step.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    seed: &'static str,
    row: String,
    pub(crate) step: &'static str,
    pub(crate) asked: Asked,
}

impl Claim {
    pub(crate) fn about(row: &Row, step: &'static str, asked: Asked) -> Self {
        Self { seed: row.seed, row: row.id.clone(), step, asked }
    }

    pub(crate) fn new(seed: &'static str, row: &str, step: &'static str, asked: Asked) -> Self {
        Self { seed, row: row.to_owned(), step, asked }
    }

    pub(crate) fn is_about(&self, row: &Row) -> bool {
        self.seed == row.seed && self.row == row.id
    }
}

/// The claims of all documents; those about the members of an example follow from its rows.
pub(crate) fn claims(rows: &[Row]) -> Vec<Claim> {
    let mut claims = bam();
    claims.extend(unidy());
    claims.extend(ticketing_claims::claims(rows));
    let members = rows.iter().filter(|row| row.seed == "unidy" && row.kind == Kind::Member);
    claims.extend(members.flat_map(|row| member(&row.id)));
    claims.extend(rows.iter().filter(|row| row.seed == "texpo").flat_map(|row| texpo::claims_about(&row.id)));
    claims
}

/// What is wrong with rows and claims, each told with its words.
pub(crate) fn faults(rows: &[Row], claims: &[Claim], steps: &Steps) -> Vec<String> {
    let nothing_shows =
        |row: &&Row| !row.is_heading_only() && !claims.iter().any(|claim| claim.is_about(row));
    let unclaimed = rows.iter().filter(nothing_shows);
    let unclaimed = unclaimed
        .map(|row| format!("{}.txt:{}: no claim about `{}`: {}", row.seed, row.line, row.id, row.text));
    let idle = claims.iter().filter(|claim| !rows.iter().any(|row| claim.is_about(row)));
    let idle = idle.map(|claim| format!("{}: a claim about no row: `{}`", claim.seed, claim.row));
    let untrue = claims.iter().filter(|claim| {
        steps.get(claim.step).is_none_or(|sent| !sent.iter().any(|request| claim.asked.is(request)))
    });
    let untrue = untrue.map(|claim| {
        let sent: Vec<_> =
            steps.get(claim.step).into_iter().flatten().map(|sent| format!("{sent:?}")).collect();
        format!("`{}`: no {} in {}, but\n    {}", claim.row, claim.asked, claim.step, sent.join("\n    "))
    });
    unclaimed.chain(idle).chain(untrue).collect()
}

const LIST: Asked = Asked::new("GET", "/v1/ticket", 200);
const RESERVE: Asked = Asked::new("POST", "/t/*/event/v1/ticket/reserve", 200);
const FREE: Asked = Asked::new("POST", "/t/*/event/v1/ticket/free", 200);
const ISSUE: Asked = Asked::new("POST", "/t/*/event/v1/ticket/issue", 200);
/// A ticket as its organiser sees it.
const LOOK: Asked = Asked::new("GET", "/t/*/event/v1/ticket/*", 200);

const RESOLD: &str = "SECURE tickets can also be resold through our secondary market.";
const SELLS: &str = "bam_holder::resells_a_ticket_on_the_secondary_market";
const ALL_TENANTS: &str = "bam_holder::lists_the_tickets_of_all_tenants";
const BY_E_MAIL: &str = "bam_holder::has_tickets_delivered_by_e_mail";
const IN_A_SECTOR: &str = "bam_office::reserves_secure_tickets_in_a_sector";
const FOR_A_TIMESLOT: &str = "bam_office::reserves_pdf_tickets_for_a_timeslot";
const FREES: &str = "bam_office::frees_reserved_tickets";
const ISSUES: &str = "bam_office::issues_reserved_tickets";

fn bam() -> Vec<Claim> {
    let ok = |method, path| Asked::new(method, path, 200);
    let mut table = vec![
        (
            "PDF & pkpass, where tickets are delivered as attachments in the order confirmation email",
            BY_E_MAIL,
            ok("POST", "/t/*/event/v1/order/*/email_tickets"),
        ),
        (
            "PDF & pkpass, where tickets are delivered as attachments in the order confirmation email",
            BY_E_MAIL,
            ok("GET", "/t/*/event/v1/order/*/download_tickets"),
        ),
        (
            "SECURE, where tickets are delivered through our wallet app.",
            "bam_holder::has_tickets_delivered_through_the_wallet",
            ok("POST", "/t/*/wallet/v1/credentials"),
        ),
        (
            RESOLD,
            "bam_holder::sees_its_offers_on_the_secondary_market",
            ok("GET", "/t/*/orderbook/v1/offer/mine"),
        ),
        (RESOLD, SELLS, ok("GET", "/account/v1/market-control/*")),
        (RESOLD, SELLS, ok("POST", "/t/*/blockchain/v1/transaction/proposal")),
        (RESOLD, SELLS, ok("POST", "/t/*/blockchain/v1/transaction/proposal/*")),
        (RESOLD, SELLS, ok("POST", "/t/*/blockchain/v1/transaction/*")),
        (RESOLD, SELLS, ok("DELETE", "/t/*/orderbook/v1/offer/*")),
        ("GET v1/ticket", ALL_TENANTS, LIST),
        ("JWT", "bam_holder::is_let_in_by_a_token", ok("POST", "/account/v1/auth/login")),
        ("JWT", "bam_holder::is_let_in_by_a_token", Asked::new("GET", "/v1/ticket", 401)),
        ("JWT", "bam_holder::is_let_in_by_a_token", LIST),
        ("In the response will be all tickets owned by the user.", ALL_TENANTS, LIST),
    ];
    table.extend(list_fields());
    table.extend([
        (
            "Users can own tickets through the process of buying tickets, but organizers can also manually issue \
             tickets to users.",
            BY_E_MAIL,
            ok("GET", "/t/*/event/v1/order"),
        ),
        (
            "Users can own tickets through the process of buying tickets, but organizers can also manually issue \
             tickets to users.",
            ISSUES,
            ISSUE,
        ),
        ("The process has two stages: reservation and issuance.", ISSUES, RESERVE),
        ("The process has two stages: reservation and issuance.", ISSUES, ISSUE),
        ("If you reserve the tickets but decide not to issue them, you can free them.", FREES, RESERVE),
        ("If you reserve the tickets but decide not to issue them, you can free them.", FREES, FREE),
        ("POST /ticket/reserve", IN_A_SECTOR, RESERVE),
        ("The reserved tickets are in the response.", IN_A_SECTOR, RESERVE),
        ("POST /ticket/reserve → reserved", IN_A_SECTOR, LOOK),
        ("POST /ticket/free", FREES, FREE),
        ("POST /ticket/free → available", FREES, LOOK),
        ("POST /ticket/free → available", FREES, RESERVE),
        ("POST /ticket/free → available", FREES, ok("POST", "/t/*/event/v1/order")),
        ("POST /ticket/issue", ISSUES, ISSUE),
        ("POST /ticket/issue → issued", ISSUES, LOOK),
    ]);
    let table = table.into_iter().map(|(row, step, asked)| (row.to_owned(), step, asked));
    table.chain(reserve_fields()).map(|(row, step, asked)| Claim { seed: "bam", row, step, asked }).collect()
}

fn list_fields() -> Vec<(&'static str, &'static str, Asked)> {
    let by = |name, value| LIST.query(name, value);
    let (pdf, secure) = ("bam_holder::filters_by_pdf", "bam_holder::filters_by_secure");
    let (up, down) = ("bam_holder::orders_ascending", "bam_holder::orders_descending");
    let sub_objects = "bam_holder::asks_for_sub_objects";
    vec![
        ("GET v1/ticket ?format", pdf, by("format", ANY)),
        ("GET v1/ticket ?format=PDF", pdf, by("format", "PDF")),
        ("GET v1/ticket ?format=SECURE", secure, by("format", "SECURE")),
        (
            "GET v1/ticket ?with_enrollment_id",
            "bam_holder::asks_for_the_enrollment",
            by("with_enrollment_id", "true"),
        ),
        ("GET v1/ticket ?sort_by", up, by("sort_by", "updated_at")),
        ("GET v1/ticket ?direction", up, by("direction", ANY)),
        ("GET v1/ticket ?direction=asc", up, by("direction", "asc")),
        ("GET v1/ticket ?direction=desc", down, by("direction", "desc")),
        ("GET v1/ticket ?with", sub_objects, by("with", ANY)),
        (
            "GET v1/ticket ?with=[ticket_holder,ticket_config.event]",
            sub_objects,
            by("with", "[ticket_holder,ticket_config.event]"),
        ),
    ]
}

fn reserve_fields() -> Vec<(String, &'static str, Asked)> {
    let fields = [
        ("/event_id", "/event_id", IN_A_SECTOR),
        ("/owner_id", "/owner_id", IN_A_SECTOR),
        ("/format", "/format", IN_A_SECTOR),
        ("/format=SECURE", "/format", IN_A_SECTOR),
        ("/format=PDF", "/format", FOR_A_TIMESLOT),
        ("/ticket_reservation_items", "/ticket_reservation_items", IN_A_SECTOR),
        (
            "/ticket_reservation_items/ticket_config_id",
            "/ticket_reservation_items/*/ticket_config_id",
            IN_A_SECTOR,
        ),
        ("/ticket_reservation_items/quantity", "/ticket_reservation_items/*/quantity", IN_A_SECTOR),
        ("/ticket_reservation_items/sector_id", "/ticket_reservation_items/*/sector_id", IN_A_SECTOR),
        ("/ticket_reservation_items/timeslot_id", "/ticket_reservation_items/*/timeslot_id", FOR_A_TIMESLOT),
    ];
    let claim =
        |(field, pointer, step)| (format!("POST /ticket/reserve {field}"), step, RESERVE.body(pointer));
    fields.map(claim).into()
}

const OWN: Asked = Asked::new("GET", "/unidy/nord/api/sdk/v1/tickets", 200);
const PARTNERS: Asked = Asked::new("GET", "/unidy/nord/api/v1/tickets", 200);
const CREATE: Asked = Asked::new("POST", "/unidy/nord/api/v1/tickets", 201);
const CATEGORIES: Asked = Asked::new("GET", "/unidy/nord/api/v1/ticket_categories", 200);
const AUTHORIZE: Asked = Asked::new("GET", "/unidy/nord/oauth/authorize", 302);
const TOKEN: Asked = Asked::new("POST", "/unidy/nord/oauth/token", 200);

const WHOLE: &str = "unidy_holder::keeps_the_documents_ticket_whole";
const ANY_METADATA: &str = "unidy_holder::keeps_metadata_of_every_kind";
const PAGES: &str = "unidy_partner::finds_the_brands_pages";
const BROWSER: &str = "unidy_holder::signs_in_in_the_browser";
const IMPLICIT: &str = "unidy_holder::signs_in_by_the_implicit_flow";
const SERVER: &str = "unidy_partner::signs_in_as_a_server";
const MEMBERS: &str = "unidy_partner::writes_every_member";
const LINKS: &str = "unidy_partner::links_tickets_to_users_and_categories";
const STATES: &str = "unidy_partner::moves_a_ticket_through_its_states";
const QUARTERS: &str = "unidy_time::ends_tickets_every_quarter_of_an_hour";
const MIDNIGHT: &str = "unidy_time::ends_tickets_without_an_end_at_midnight";
const CLOCKS: &str = "unidy_time::knows_midnight_when_clocks_change";

fn unidy() -> Vec<Claim> {
    let page = |path, status| Asked::new("GET", path, status);
    let state = || Asked::new("PATCH", "/unidy/nord/api/v1/tickets/*", 200).body("/state");
    let table = [
        (
            "They are flexible, metadata-rich entities that function similarly to subscriptions, allowing both fixed \
             attributes and arbitrary custom data.",
            ANY_METADATA,
            OWN,
        ),
        (
            "A ticket is an object that holds a predefined set of attributes along with optional custom metadata.",
            ANY_METADATA,
            OWN,
        ),
        ("Each ticket is linked to exactly one user.", LINKS, OWN),
        ("Each ticket is linked to exactly one user.", LINKS, PARTNERS),
        ("A single user can have multiple tickets.", LINKS, OWN),
        ("Every ticket is associated with one ticket category.", LINKS, PARTNERS),
        ("Every ticket is associated with one ticket category.", LINKS, CATEGORIES),
        ("A ticket category can be associated with zero or more tickets.", LINKS, CATEGORIES),
        ("Feature flag: need to be activated in the Unidy settings", PAGES, page("/unidy/nord/tickets", 404)),
        ("https://{brand URL}/tickets", PAGES, page("/unidy/nord/tickets", 200)),
        ("https://{brand URL}/dashboard/tickets", PAGES, page("/unidy/nord/dashboard/tickets", 200)),
        ("https://{brand URL}/api-docs", PAGES, page("/unidy/nord/api-docs", 200)),
        ("clientCredentials", SERVER, TOKEN.body("/client_secret")),
        ("clientCredentials", SERVER, PARTNERS),
        ("authorizationCode", BROWSER, AUTHORIZE.query("response_type", "code")),
        ("authorizationCode", BROWSER, AUTHORIZE.query("code_challenge_method", "S256")),
        ("authorizationCode", BROWSER, TOKEN.body("/code_verifier")),
        ("authorizationCode", BROWSER, PARTNERS),
        ("implicit", IMPLICIT, AUTHORIZE.query("response_type", "id_token token")),
        ("implicit", IMPLICIT, PARTNERS),
        ("active", STATES, state()),
        ("active", STATES, OWN),
        ("passive", STATES, state()),
        ("passive", STATES, OWN),
        ("inactive", STATES, state()),
        ("inactive", STATES, OWN),
        (
            "There is a Unidy maintenance job in place that sets the ticket from active to inactive whenever a \
             ticket is expired:",
            QUARTERS,
            OWN,
        ),
        (
            "For the tickets with ends_at value set this job runs every 15 minutes and sets every designated ticket \
             toinactive",
            QUARTERS,
            OWN,
        ),
        (
            "For the tickets with an empty ends_at value this job will run on the day after thestarts_at date at \
             00:00 and will set the ticket toinactive state.",
            MIDNIGHT,
            OWN,
        ),
        (
            "For the tickets with an empty ends_at value this job will run on the day after thestarts_at date at \
             00:00 and will set the ticket toinactive state.",
            CLOCKS,
            OWN,
        ),
    ];
    let claim = |(row, step, asked): (&str, _, _)| Claim { seed: "unidy", row: row.to_owned(), step, asked };
    table.map(claim).into()
}

/// A member is read in the document's own ticket, and written where it is not the server that sets it.
fn member(pointer: &str) -> Vec<Claim> {
    let claim = |step, asked| Claim { seed: "unidy", row: pointer.to_owned(), step, asked };
    let mut claims = vec![claim(WHOLE, OWN)];
    if !["/id", "/created_at", "/updated_at"].contains(&pointer) {
        claims.push(claim(MEMBERS, CREATE.body(pointer)));
    }
    claims
}

#[cfg(test)]
mod tests {
    use ticket_wallet_sandbox::RecordedRequest;

    use super::*;
    use crate::seed_rows::SEEDS;

    #[test]
    fn what_is_not_shown_is_told() {
        let rows: Vec<_> = SEEDS[0].rows().into_iter().take(3).collect();
        let claim = |row: &str, step| Claim { seed: "bam", row: row.to_owned(), step, asked: LIST };
        let all = [0, 1, 2].map(|index| claim(&rows[index].id, "step"));
        let sent = |path: &str, status| RecordedRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            body: Vec::new(),
            status,
        };
        let steps = |path, status| Steps::from([("step", vec![sent(path, status)]), ("other", Vec::new())]);
        let count = |claims: &[Claim], steps: &Steps| faults(&rows, claims, steps).len();
        assert_eq!(count(&all, &steps("/v1/ticket", 200)), 0);
        assert_eq!(count(&all, &steps("/v1/ticket", 404)), 3, "an answer of another status");
        assert_eq!(count(&all, &steps("/v1/tickets", 200)), 3, "a request to somewhere else");
        assert_eq!(count(&all[1..], &steps("/v1/ticket", 200)), 1, "a row without a claim");
        let elsewhere = [&all[..2], &[claim(&rows[2].id, "other")]].concat();
        assert_eq!(count(&elsewhere, &steps("/v1/ticket", 200)), 1, "a request of another step");
        let idle = [&all[..], &[claim("nothing", "step")]].concat();
        assert_eq!(count(&idle, &steps("/v1/ticket", 200)), 1, "a claim about no row");
        let told = faults(&rows, &all[1..], &steps("/v1/ticket", 200)).concat();
        assert!(told.contains(&rows[0].text) && told.contains("bam.txt:7"), "{told}");
    }
}
