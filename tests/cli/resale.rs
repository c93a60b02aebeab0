//! A ticket sold from one wallet to another, and handed over, as scripts and people do it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;

const CLUB: &str = "nordhafen";

/// A synced wallet of this user.
fn wallet(served: &Served, user: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (name, password) = served.user(user);
    let mut login = in_store(
        folder.path(),
        &["login", "--json", "--system", "bam", "--url", served.url(), "--user", &name],
    );
    assert!(run(&mut login, password.as_bytes()).json()["account"].is_string());
    json_of(folder.path(), &["sync"]);
    folder
}

/// A ticket of the club's next event that shows a barcode, and its face value in cents.
fn ticket(folder: &Path) -> (String, i64) {
    for ticket in json_of(folder, &["tickets", "list"]).as_array().unwrap() {
        let id = text(&ticket["id"]);
        let shown = json_of(folder, &["tickets", "show", &id]);
        if ticket["profile"] != "signed" || shown["event"]["id"] != "1" || shown["lease_end"].is_null() {
            continue;
        }
        let rules = json_of(folder, &["resale", "rules", &id]);
        if rules["allowed"] == true && shown["record"]["ticket_config"]["event"]["organizer_id"] == 101 {
            return (id, rules["face_value"]["minor"].as_i64().unwrap());
        }
    }
    panic!("no ticket to sell");
}

fn euros(minor: i64) -> String {
    format!("{}.{:02} EUR", minor / 100, minor % 100)
}

fn sync(folder: &Path) {
    json_of(folder, &["sync"]);
}

fn no_barcode(folder: &Path, ticket: &str) -> Value {
    json_of(folder, &["tickets", "show", ticket])["no_barcode"].clone()
}

#[test]
fn a_ticket_is_listed_repriced_sold_and_shown_by_its_buyer() {
    let served = Served::start();
    let (seller, buyer) = (wallet(&served, 0), wallet(&served, 1));
    let (seller, buyer) = (seller.path(), buyer.path());
    let (id, face) = ticket(seller);
    assert!(text_of(seller, &["resale", "rules", &id]).contains("given up while listed"));
    let told = json_of(seller, &["resale", "preview", &id, "--price", &euros(face)]);
    assert_eq!(told["seller_price"], json!({ "minor": face, "currency": "EUR" }));
    assert!(text_of(seller, &["resale", "preview", &id, "--price", &euros(face)]).contains("Seller gets"));
    let listed = json_of(seller, &["resale", "list", &id, "--price", &euros(face), "--yes"]);
    assert_eq!(listed["content"], euros(face));
    let drafted = json_of(seller, &["resale", "mine"]);
    assert_eq!(drafted["listings"][0]["intent"], "draft");
    assert_eq!(no_barcode(seller, &id), Value::Null, "nothing was sent yet");
    sync(seller);
    assert_eq!(no_barcode(seller, &id), "Listed");
    assert!(text_of(seller, &["tickets", "show", &id]).contains("active"));
    json_of(seller, &["resale", "edit", &id, "--price", &euros(face - 50), "--yes"]);
    sync(seller);
    assert!(text_of(seller, &["resale", "mine"]).contains(&euros(face - 50)));
    let market = json_of(buyer, &["resale", "market", "1", "--tenant", CLUB]);
    let offers = market["offers"].as_array().unwrap();
    let offer = offers.iter().find(|offer| offer["price"]["minor"] == face - 50).unwrap();
    let listing = text(&offer["listing"]);
    assert!(text_of(buyer, &["resale", "market", "1", "--tenant", CLUB]).contains(&euros(face - 50)));
    let cheap =
        || in_store(buyer, &["resale", "buy", &listing, "--tenant", CLUB, "--max-total", "1 EUR", "--yes"]);
    fails(cheap, b"", 4, "refused");
    let buy = ["resale", "buy", &listing, "--tenant", CLUB, "--max-total", "1000 EUR", "--yes"];
    let bought = json_of(buyer, &buy);
    assert_eq!((&bought["state"], &bought["simulated"]), (&json!("reserved"), &json!(true)));
    assert_eq!(json_of(buyer, &["resale", "mine"])["purchases"][0]["listing"], json!(listing));
    assert!(text_of(buyer, &["resale", "mine"]).contains("pay at http"));
    let url = text(&bought["payment_url"]);
    let page = served.ask("POST", url.strip_prefix(served.url()).unwrap(), &Value::Null);
    assert!(page.status == 200 && page.body.contains("no money moved"), "{}", page.body);
    sync(buyer);
    assert_eq!(no_barcode(buyer, &id), Value::Null);
    assert_eq!(json_of(buyer, &["tickets", "show", &id])["generation"], 2);
    sync(seller);
    assert_eq!(json_of(seller, &["resale", "mine"])["listings"][0]["state"], "sold");
}

#[test]
fn amounts_are_exact_and_nothing_is_listed_or_bought_without_a_yes() {
    let served = Served::start();
    let seller = wallet(&served, 0);
    let seller = seller.path();
    let (id, face) = ticket(seller);
    for bad in ["64.505 EUR", "64,50 EUR", "64.50", "64.50 XXX", "1e3 EUR"] {
        fails(
            || in_store(seller, &["resale", "list", &id, "--price", bad, "--yes"]),
            b"",
            2,
            "invalid_input",
        );
    }
    fails(|| in_store(seller, &["resale", "list", &id, "--price", &euros(face)]), b"", 2, "invalid_input");
    fails(
        || in_store(seller, &["resale", "edit", &id, "--price", "1 EUR", "--yes"]),
        b"",
        2,
        "invalid_input",
    );
    json_of(seller, &["resale", "list", &id, "--price", &euros(face), "--yes"]);
    assert_eq!(json_of(seller, &["resale", "withdraw", &id]), Value::Null, "it had not been sent");
    assert_eq!(text_of(seller, &["resale", "mine"]), "Nothing is listed or being bought.\n");
    let over = euros(face * 2);
    fails(|| in_store(seller, &["resale", "preview", &id, "--price", &over]), b"", 4, "refused");
    json_of(seller, &["resale", "list", &id, "--price", &euros(face), "--yes"]);
    sync(seller);
    json_of(seller, &["resale", "withdraw", &id]);
    sync(seller);
    sync(seller);
    assert_eq!(no_barcode(seller, &id), Value::Null);
    assert_eq!(text_of(seller, &["resale", "market", "1", "--tenant", CLUB]), "Nobody offers a ticket.\n");
}

#[test]
fn a_ticket_is_handed_from_wallet_to_wallet() {
    let served = Served::start();
    let (sender, recipient) = (wallet(&served, 0), wallet(&served, 1));
    let (sender, recipient) = (sender.path(), recipient.path());
    let (id, _) = ticket(sender);
    let to = served.user(1).0;
    for (answer, is_taken) in [("decline", false), ("accept", true)] {
        json_of(sender, &["transfer", "send", &id, "--to", &to]);
        sync(sender);
        assert_eq!(no_barcode(sender, &id), "HandedOver");
        let token = text(&json_of(recipient, &["transfer", "incoming"])[0]["token"]);
        json_of(recipient, &["transfer", answer, &token]);
        sync(sender);
        sync(sender);
        assert_eq!(no_barcode(sender, &id).is_null(), !is_taken);
    }
    assert_eq!(json_of(recipient, &["tickets", "show", &id])["generation"], 3);
}

#[test]
fn a_ticket_is_offered_on_the_ledger_taken_back_and_handed_over() {
    let served = Served::start();
    let (seller, other) = (wallet(&served, 0), wallet(&served, 1));
    let (seller, other) = (seller.path(), other.path());
    json_of(seller, &["enroll"]);
    let to = text(&json_of(other, &["enroll"])["enrollment_id"]);
    let (id, face) = ticket(seller);
    let price = euros(face);
    let sell = ["resale", "ledger", "sell", &id, "--price", &price, "--until", "4000000000"];
    fails(|| in_store(seller, &sell), b"", 2, "invalid_input");
    let sold = json_of(seller, &[&sell[..], &["--yes"]].concat());
    assert_eq!((&sold["kind"], &sold["state"]), (&json!("mark_for_sale"), &json!("done")));
    let offer = text(&sold["answer"]["offer_id"]);
    assert!(text_of(seller, &["offers", "--tenant", CLUB]).contains(&price));
    assert!(text_of(seller, &["writes", "list"]).contains("mark_for_sale"));
    fails(|| in_store(seller, &["transfer", "send", &id, "--to", "somebody"]), b"", 2, "invalid_input");
    let back = text_of(seller, &["resale", "ledger", "withdraw", &id, &offer]);
    assert!(back.starts_with("Done"), "{back}");
    fails(|| in_store(seller, &["resale", "ledger", "withdraw", &id, &offer]), b"", 4, "refused");

    let send = ["resale", "ledger", "send", &id, "--to", &to];
    fails(|| in_store(seller, &send), b"", 2, "invalid_input");
    json_of(seller, &[&send[..], &["--yes"]].concat());
    assert!(no_barcode(seller, &id).is_string(), "its barcode is given up at once");
    sync(seller);
    let holds = |folder: &Path| {
        json_of(folder, &["tickets", "list"])
            .as_array()
            .unwrap()
            .iter()
            .any(|ticket| ticket["id"] == id.as_str())
    };
    sync(other);
    assert!(!holds(seller) && holds(other));
}

#[test]
fn a_person_sees_what_a_price_comes_to_before_they_agree() {
    let served = Served::start();
    let (seller, buyer) = (wallet(&served, 0), wallet(&served, 1));
    let (seller, buyer) = (seller.path(), buyer.path());
    let (id, face) = ticket(seller);
    let told = json_of(seller, &["resale", "preview", &id, "--price", &euros(face)]);
    let amount = |name: &str| euros(told[name]["minor"].as_i64().unwrap());
    let shows = |said: &str| {
        for (row, of) in
            [("Buyer pays", "buyer_total"), ("Seller gets", "seller_proceeds"), ("Face value", "face_value")]
        {
            let line = said.lines().find(|line| line.starts_with(row));
            assert!(line.is_some_and(|line| line.contains(&amount(of))), "{row}: {said}");
        }
    };
    let price = euros(face);
    let list = ["resale", "list", &id, "--price", &price];
    let says = |folder: &Path, arguments: &[&str], answer: &str| {
        at_terminal(&in_store(folder, arguments), &[("[y/N]", answer)]).stdout
    };
    shows(&says(seller, &list, "n\n"));
    assert_eq!(text_of(seller, &["resale", "mine"]), "Nothing is listed or being bought.\n");
    shows(&says(seller, &list, "y\n"));
    sync(seller);
    let listing = text(&json_of(seller, &["resale", "mine"])["listings"][0]["listing"]);
    let buy = ["resale", "buy", &listing, "--tenant", CLUB, "--max-total", "1000 EUR"];
    shows(&says(buyer, &buy, "\n"));
    assert_eq!(json_of(buyer, &["resale", "mine"])["purchases"], json!([]));
    let said = says(buyer, &buy, "y\n");
    shows(&said);
    assert!(said.contains("Reserved") && said.contains(&amount("buyer_total")), "{said}");
}

#[test]
fn a_lost_answer_is_no_success() {
    let served = Served::start();
    let (seller, buyer) = (wallet(&served, 0), wallet(&served, 1));
    let (seller, buyer) = (seller.path(), buyer.path());
    let (id, face) = ticket(seller);
    let to = served.user(1).0;
    let lost = |path: &str, arguments: &[&str]| -> Value {
        served.lose_the_answer_to(path);
        let mut command = in_store(buyer, &[&["--json"], arguments].concat());
        let finished = run(&mut command, b"");
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(1), ""), "{}", finished.stdout);
        serde_json::from_str(&finished.stdout).unwrap()
    };
    json_of(seller, &["transfer", "send", &id, "--to", &to]);
    sync(seller);
    let token = || text(&json_of(buyer, &["transfer", "incoming"])[0]["token"]);
    let unknown = json!({ "accepted": null, "declined": null });
    assert_eq!(lost("/decline", &["transfer", "decline", &token()]), unknown);
    sync(buyer);
    sync(seller);
    sync(seller);
    json_of(seller, &["resale", "list", &id, "--price", &euros(face), "--yes"]);
    sync(seller);
    let listing = text(&json_of(seller, &["resale", "mine"])["listings"][0]["listing"]);
    let buy = ["resale", "buy", &listing, "--tenant", CLUB, "--max-total", "1000 EUR", "--yes"];
    assert_eq!(lost("/purchase", &buy)["state"], "unknown");
    sync(buyer);
    assert_eq!(json_of(buyer, &["resale", "mine"])["purchases"][0]["state"], "reserved");
}
