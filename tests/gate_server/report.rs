//! What the organiser sees: who admitted what, when, and twice.

use serde_json::{Value, json};
use ticket_wallet::barcode::{CREDENTIAL_LEN, Credential};
use ticket_wallet::ledger::{Evidence, Kind, Record, RecordFields, Verdict};
use ticket_wallet::manifest::Profile;
use ticket_wallet::remote::Request;
use ticket_wallet_sandbox::GateEventEdit;
use url::Url;

use crate::gatehouse::{CLUB, EVENT, Gatehouse, Scanner, code_bytes};
use crate::phone::Phone;

fn doubles(house: &Gatehouse) -> Vec<Value> {
    house.sandbox.gate_report().unwrap()["events"][0]["double_entries"].as_array().unwrap().clone()
}

async fn text(house: &Gatehouse) -> String {
    let url = Url::parse(&format!("{}/sandbox/gates", house.sandbox.url())).unwrap();
    let reply = house.http.send(Request::get(url, "")).await.unwrap();
    String::from_utf8(reply.into_bytes()).unwrap()
}

/// An admission with the code of a frame that a phone shows.
fn admitted(scanner: &Scanner, after: Option<&Record>, frame: &str, time_ms: i64) -> Record {
    let code = code_bytes(frame);
    let credential = Credential::from_bytes(&code[..CREDENTIAL_LEN]).unwrap();
    let said = credential.fields();
    let presented_at = u32::from_be_bytes(code[CREDENTIAL_LEN..][..4].try_into().unwrap());
    scanner.signed(RecordFields {
        ticket: Some(said.ticket),
        generation: said.generation,
        presented_at: Some(presented_at),
        kind: Kind::Admission,
        verdict: Verdict::Admit,
        profile: Profile::Signed,
        evidence: Evidence { code: Some(code), ..Evidence::default() },
        ..scanner.fields(after, time_ms)
    })
}

#[tokio::test]
async fn a_ticket_that_two_gates_admitted_is_named_with_both() {
    let house = Gatehouse::new().await;
    assert_eq!(text(&house).await, "No scanner has signed in.\n");
    let (north, south) = (house.scanner("Nordtor").await, house.scanner("Südtor").await);
    let (now, ticket) = (house.clock.wall_ms(), house.ticket(1));
    let first = north.admission(None, now, ticket);
    let second = south.admission(None, now + 1000, ticket);
    let other = south.admission(Some(&second), now + 2000, house.ticket(2));
    house.upload(&north, &[&first]).await.unwrap();
    assert!(doubles(&house).is_empty());
    house.upload(&south, &[&second, &other]).await.unwrap();
    let gates = |double: &Value| {
        let admissions = double["admissions"].as_array().unwrap();
        admissions.iter().map(|one| one["gate"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = doubles(&house);
    assert_eq!((found.len(), &found[0]["ticket"]), (1, &json!(ticket.to_string())));
    assert_eq!(gates(&found[0]), ["Nordtor", "Südtor"]);
    let shown = text(&house).await;
    for part in ["FC Nordhafen 1909", "gate Nordtor", "Admission Admit", &format!("DOUBLE ENTRY {ticket}")] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    // What was taken back was no entry.
    let undo = south.signed(RecordFields {
        ticket: Some(ticket),
        kind: Kind::Undo,
        verdict: Verdict::Admit,
        evidence: Evidence { undone: Some(1), ..Evidence::default() },
        ..south.fields(Some(&other), now + 3000)
    });
    house.upload(&south, &[&undo]).await.unwrap();
    assert!(doubles(&house).is_empty());
}

#[tokio::test]
async fn the_policy_tells_what_is_too_often() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let ticket = house.ticket(1);
    let mut records: Vec<Record> = Vec::new();
    // The scanner's clock is set back after the first.
    let passed = [(Kind::Admission, 600_000), (Kind::Exit, 1), (Kind::Admission, 2)];
    for (kind, ms) in passed {
        let fields = scanner.fields(records.last(), house.clock.wall_ms() + ms);
        let record =
            scanner.signed(RecordFields { ticket: Some(ticket), kind, verdict: Verdict::Admit, ..fields });
        records.push(record);
    }
    house.upload(&scanner, &records.iter().collect::<Vec<_>>()).await.unwrap();
    for (policy, entries, is_double) in [
        ("single", 1, true),
        ("re_entry", 1, false),
        ("entries", 1, true),
        ("entries", 2, false),
        ("days", 2, true),
    ] {
        let edit = GateEventEdit {
            policy: Some(policy.to_owned()),
            entries: Some(entries),
            ..GateEventEdit::default()
        };
        assert!(house.sandbox.edit_gate_event(CLUB, EVENT, &edit).unwrap());
        assert_eq!(doubles(&house).len(), usize::from(is_double), "{policy} {entries}");
    }
}

#[tokio::test]
async fn of_a_group_that_comes_again_nobody_is_too_many() {
    let policy = GateEventEdit { policy: Some("re_entry".to_owned()), ..GateEventEdit::default() };
    for (back, is_double) in [(1, false), (2, false), (3, true)] {
        let house = Gatehouse::new().await;
        assert!(house.sandbox.edit_gate_event(CLUB, EVENT, &policy).unwrap());
        let scanner = house.scanner("Tor 1").await;
        let mut records: Vec<Record> = Vec::new();
        for (kind, persons) in [(Kind::Admission, 3), (Kind::Exit, 2), (Kind::Admission, back)] {
            let fields = scanner.fields(records.last(), house.clock.wall_ms());
            let ticket = Some(house.ticket(1));
            let fields = RecordFields { ticket, kind, verdict: Verdict::Admit, persons, ..fields };
            records.push(scanner.signed(fields));
        }
        house.upload(&scanner, &records.iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(doubles(&house).len(), usize::from(is_double), "{back} come again");
    }
}

#[tokio::test]
async fn an_admission_counts_when_its_code_proves_it() {
    let house = Gatehouse::new().await;
    let phone = Phone::new(&house.clock);
    phone.sign_in(&house.sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let scanners = [house.scanner("Tor 1").await, house.scanner("Tor 2").await];
    let event = scanners[0].gate.event;
    let frames = phone.signed_tickets().into_iter().map(|one| phone.wallet.present(one.id, None).unwrap());
    let frame = frames
        .map(|frame| frame.text)
        .find(|text| {
            let code = code_bytes(text);
            Credential::from_bytes(&code[..CREDENTIAL_LEN]).unwrap().fields().event == event
        })
        .unwrap();
    let now = house.clock.wall_ms();
    let first = admitted(&scanners[0], None, &frame, now + 1000);
    // An hour later the frame lets nobody in: the scanner made it up.
    let made_up = admitted(&scanners[1], None, &frame, now + 3_600_000);
    let done = house.upload(&scanners[0], &[&first, &made_up]).await.unwrap();
    assert!(done.refused.is_empty());
    let report = house.sandbox.gate_report().unwrap();
    let flaw = |scanner: &Scanner| {
        let records = report["events"][0]["records"].as_array().unwrap();
        let own = records.iter().find(|one| one["chain"] == hex::encode(scanner.chain.0));
        own.unwrap()["flaw"].clone()
    };
    assert_eq!((flaw(&scanners[0]), flaw(&scanners[1])), (json!(null), json!("unproved code")));
    assert!(doubles(&house).is_empty());
    let honest = admitted(&scanners[1], Some(&made_up), &frame, now + 2000);
    house.upload(&scanners[1], &[&honest]).await.unwrap();
    assert_eq!(doubles(&house).len(), 1);
}

/// The same controls over HTTP, for who runs the sandbox as a program of its own.
#[tokio::test]
async fn the_box_offices_side_is_served_too() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let user = house.sandbox.users()[0].name.clone();
    let id = house.sandbox.add_ticket(&user, CLUB, EVENT).unwrap().unwrap();
    let before = house.whole(&scanner).await;
    let url = |path: &str| Url::parse(&format!("{}/sandbox/gates{path}", house.sandbox.url())).unwrap();
    let state = json!({"state": "blocked"});
    let policy = json!({"policy": "entries", "entries": 3});
    let bad = json!("truncated");
    let revoke = format!("/scanners/{}/revoke", hex::encode(scanner.gate.scanner.0));
    for (request, status) in [
        (Request::get(url("/codes"), ""), 200),
        (Request::patch(url(&format!("/tickets/{CLUB}/{id}")), "", &state), 204),
        (Request::patch(url(&format!("/tickets/{CLUB}/999999")), "", &state), 404),
        (Request::patch(url(&format!("/tickets/{CLUB}/{id}")), "", &policy), 422),
        (Request::patch(url(&format!("/events/{CLUB}/{EVENT}")), "", &policy), 204),
        (Request::put(url("/bad-manifest"), "", &bad), 204),
        (Request::delete(url("/bad-manifest"), ""), 204),
    ] {
        assert_eq!(house.http.send(request).await.unwrap().status, status);
    }
    let next = house.next(&scanner, &before).await;
    let row = next.ticket(&house.ticket(id)).unwrap();
    assert_eq!((row.state, next.head().entries), (ticket_wallet::manifest::TicketState::Blocked, 3));
    let nothing = json!({});
    let revoked = house.http.send(Request::post(url(&revoke), "", &nothing)).await.unwrap();
    assert_eq!(revoked.status, 204);
    assert!(house.manifest(&scanner, None).await.is_err());
}
