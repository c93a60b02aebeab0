//! Promise: everything that the ticketing systems' documents say is done over HTTP by the facades, and shown.
//!
//! One run drives the wallet and the box office against a sandbox, step by step. Each row of the documents names a request
//! that the sandbox recorded in the step which asserts what the row says; `docs/coverage.md` is the table of these.
//! `TICKET_WALLET_WRITE_COVERAGE=1` has the test write it anew.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/brands.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod brands;
#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;
#[path = "support/seed_rows.rs"]
mod seed_rows;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

#[path = "seed_coverage/bam_holder.rs"]
mod bam_holder;
#[path = "seed_coverage/bam_office.rs"]
mod bam_office;
#[path = "seed_coverage/claims.rs"]
mod claims;
#[path = "seed_coverage/page.rs"]
mod page;
#[path = "seed_coverage/request.rs"]
mod request;
#[path = "seed_coverage/run.rs"]
mod run;
#[path = "seed_coverage/texpo.rs"]
mod texpo;
#[path = "seed_coverage/ticketing.rs"]
mod ticketing;
#[path = "seed_coverage/ticketing_claims.rs"]
mod ticketing_claims;
#[path = "seed_coverage/unidy_holder.rs"]
mod unidy_holder;
#[path = "seed_coverage/unidy_partner.rs"]
mod unidy_partner;
#[path = "seed_coverage/unidy_time.rs"]
mod unidy_time;

use run::Run;
use seed_rows::SEEDS;

/// Runs the named steps in their order.
macro_rules! steps {
    ($run:ident: $($file:ident::$step:ident,)*) => {
        $($run.step(concat!(stringify!($file), "::", stringify!($step)), $file::$step).await;)*
    };
}

#[tokio::test]
async fn each_row_of_the_documents_names_a_request_of_this_run() {
    let mut run = Run::begin().await;
    steps!(run:
        // First, for a ticket's barcode is bound to one phone.
        bam_holder::has_tickets_delivered_through_the_wallet,
        bam_holder::lists_the_tickets_of_all_tenants,
        bam_holder::is_let_in_by_a_token,
        bam_holder::asks_for_sub_objects,
        bam_holder::filters_by_pdf,
        bam_holder::filters_by_secure,
        bam_holder::asks_for_the_enrollment,
        bam_holder::orders_ascending,
        bam_holder::orders_descending,
        bam_holder::has_tickets_delivered_by_e_mail,
        bam_holder::sees_its_offers_on_the_secondary_market,
        bam_holder::resells_a_ticket_on_the_secondary_market,
        bam_office::reserves_secure_tickets_in_a_sector,
        bam_office::reserves_pdf_tickets_for_a_timeslot,
        bam_office::frees_reserved_tickets,
        bam_office::issues_reserved_tickets,
        unidy_holder::keeps_the_documents_ticket_whole,
        unidy_holder::keeps_metadata_of_every_kind,
        unidy_holder::signs_in_in_the_browser,
        unidy_holder::signs_in_by_the_implicit_flow,
        unidy_partner::finds_the_brands_pages,
        unidy_partner::signs_in_as_a_server,
        unidy_partner::writes_every_member,
        unidy_partner::links_tickets_to_users_and_categories,
        unidy_partner::moves_a_ticket_through_its_states,
        unidy_time::ends_tickets_every_quarter_of_an_hour,
        unidy_time::ends_tickets_without_an_end_at_midnight,
        unidy_time::knows_midnight_when_clocks_change,
        ticketing::issues_a_token,
        ticketing::lists_tokens,
        ticketing::reads_a_token,
        ticketing::lets_staff_redeem_for_their_sections,
        ticketing::is_let_in_by_a_session_or_a_key,
        ticketing::is_refused_with_the_documents_words,
        ticketing::tells_the_app_each_refusal,
        texpo::lists_the_catalogue,
        texpo::makes_entries,
        texpo::changes_entries,
        texpo::deletes_an_entry,
        texpo::needs_the_permission,
    );
    let rows: Vec<_> = SEEDS.iter().flat_map(seed_rows::Seed::rows).collect();
    let claims = claims::claims(&rows);
    let faults = claims::faults(&rows, &claims, run.steps());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    page::is_current(&page::page(&rows, &claims));
}
