//! Unidy's partner: a server that signs in by itself, writes tickets, sees whose they are, and knows the brand's pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::model::{OfficeTicket, OfficeWriteState, TicketStatus};
use ticket_wallet::{BoxOffice, Config};

use crate::brands::{brand, server_of};
use crate::phone::vault_in;
use crate::run::{BRAND, Run, record, records, ticket_with};
use crate::unidy_holder::{browse, document};

/// A partner's server that is signed in.
struct Server {
    office: BoxOffice,
    account: String,
    _folder: TempDir,
}

impl Server {
    async fn open(run: &Run) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let clock = Arc::new(run.clock.clone());
        let office = BoxOffice::open(config, vault_in(folder.path()), Some(clock), None).unwrap();
        let account = office.sign_in(server_of(&run.sandbox, BRAND, "partner")).await.unwrap().id;
        Self { office, account, _folder: folder }
    }

    /// All tickets of the brand, page by page.
    async fn tickets(&self) -> Vec<OfficeTicket> {
        let mut all = Vec::new();
        for page in 1.. {
            let page = self.office.partner_tickets(self.account.clone(), page).await.unwrap();
            all.extend(page.tickets);
            if !page.more {
                break;
            }
        }
        all
    }
}

pub(crate) async fn signs_in_as_a_server(run: &Run) {
    let server = Server::open(run).await;
    let first = server.office.partner_tickets(server.account.clone(), 1).await.unwrap();
    assert!(first.more && !first.tickets.is_empty());
}

pub(crate) async fn writes_every_member(run: &Run) {
    let server = Server::open(run).await;
    let mut fields = document();
    for set_by_the_server in ["id", "created_at", "updated_at"] {
        fields.as_object_mut().unwrap().shift_remove(set_by_the_server);
    }
    let write = server.office.create_ticket(server.account.clone(), fields.to_string()).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Done);
    let answer: Value = serde_json::from_str(&write.answer_json.unwrap()).unwrap();
    let id = answer["tickets"][0]["id"].as_str().unwrap().to_owned();

    let (phone, _) = run.unidy_holder(0).await;
    let held = record(&phone, &ticket_with(&phone, "id", &id).id);
    for (name, sent) in fields.as_object().unwrap() {
        let same = match sent.as_f64() {
            Some(number) => held[name].as_f64() == Some(number),
            None => held[name] == *sent,
        };
        assert!(same, "{name}: {sent} came back as {}", held[name]);
    }
    let deleted = server.office.delete_ticket(server.account.clone(), id).await.unwrap();
    assert_eq!(deleted.state, OfficeWriteState::Done);
}

pub(crate) async fn links_tickets_to_users_and_categories(run: &Run) {
    let server = Server::open(run).await;
    let tickets = server.tickets().await;
    let tickets: Vec<Value> =
        tickets.iter().map(|ticket| serde_json::from_str(&ticket.body_json).unwrap()).collect();
    let mut by_user: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ticket in &tickets {
        let user = by_user.entry(ticket["user_id"].as_str().unwrap()).or_default();
        user.insert(ticket["id"].as_str().unwrap());
    }
    assert_eq!(by_user.values().map(BTreeSet::len).sum::<usize>(), tickets.len(), "no ticket has two users");
    assert!(by_user.len() > 1 && by_user.values().all(|tickets| tickets.len() > 1));
    for user in [0, 1] {
        let (phone, _) = run.unidy_holder(user).await;
        let records = records(&phone);
        let held: BTreeSet<_> = records.iter().map(|(_, record)| record["id"].as_str().unwrap()).collect();
        assert_eq!(by_user[records[0].1["user_id"].as_str().unwrap()], held);
    }

    let categories = server.office.categories(server.account.clone()).await.unwrap();
    let categories: Vec<Value> =
        categories.iter().map(|category| serde_json::from_str(category).unwrap()).collect();
    let of = |category: &Value| {
        tickets.iter().filter(|ticket| ticket["ticket_category_id"] == category["id"]).count()
    };
    let counts: Vec<_> = categories.iter().map(of).collect();
    assert_eq!(counts.iter().sum::<usize>(), tickets.len(), "each ticket has one of them");
    assert!(counts.contains(&0) && counts.iter().any(|count| *count > 1), "{counts:?}");
}

pub(crate) async fn moves_a_ticket_through_its_states(run: &Run) {
    let server = Server::open(run).await;
    let (phone, _) = run.unidy_holder(0).await;
    let ticket = ticket_with(&phone, "title", "FC Nordhafen 1909 – SV Moorburger Höhe");
    assert_eq!(ticket.status, TicketStatus::Active);
    let remote_id = phone.wallet.ticket(ticket.id.clone()).unwrap().remote_id;
    for state in [TicketStatus::Passive, TicketStatus::Inactive, TicketStatus::Active] {
        let fields = json!({ "state": state.as_text() }).to_string();
        let write =
            server.office.update_ticket(server.account.clone(), remote_id.clone(), fields).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Done);
        phone.wallet.sync(None).await.unwrap();
        let now = phone.wallet.ticket(ticket.id.clone()).unwrap().summary;
        assert_eq!((&now.status, &now.effective_status), (&state, &state));
    }
}

pub(crate) async fn finds_the_brands_pages(run: &Run) {
    let server = Server::open(run).await;
    let pages = server.office.pages(server.account.clone()).await.unwrap();
    let brand = brand(&run.sandbox, BRAND).url;
    let expected = ["tickets", "dashboard/tickets", "api-docs"].map(|page| format!("{brand}/{page}"));
    assert_eq!(pages, expected);
    for active in [true, false] {
        run.choose_unidy(|choices| choices.pages = active);
        for (page, status) in pages.iter().zip([active, active, true]) {
            let status = if status { 200 } else { 404 };
            assert_eq!(browse(page).await.status(), status, "{page}");
        }
    }
}
