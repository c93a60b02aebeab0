//! What a door says of each ticket, with no network after it was prepared.

use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{SectionCount, TicketStatus};
use ticket_wallet_sandbox::{StatusCase, UnusedForm};

use crate::Door;
use crate::festival::Festival;

#[tokio::test]
async fn a_ticket_lets_in_by_its_state() {
    for (unused, statuses) in [
        (UnusedForm::NotAvailable, StatusCase::Title),
        (UnusedForm::Zero, StatusCase::Lower),
        (UnusedForm::Null, StatusCase::Title),
        (UnusedForm::Absent, StatusCase::Lower),
    ] {
        let festival = Festival::new().await;
        festival.choose(|choices| (choices.unused, choices.statuses) = (unused, statuses));
        let (sender, (_, from), (_, to)) = (festival.holder(0).await, festival.user(0), festival.user(1));
        let two = [SectionCount { section: festival.sections(0)[0].clone(), quantity: 2 }];
        sender.ticketing.start_transfer(&sender.session, &from, &to, &two).await.unwrap();
        let door = Door::open(&festival, "North door").await;
        let (mut seen, zone) = (std::collections::BTreeMap::new(), sender.ticketing.zone());
        for ticket in festival.tickets(&festival.host().await).await {
            let state = ticket.state(zone);
            let expected = if state == TicketStatus::Issued { Verdict::Admit } else { Verdict::Blocked };
            assert_eq!(door.verdict(&ticket.serial), expected, "{}", state.as_text());
            *seen.entry(state.as_text().to_lowercase()).or_insert(0) += 1;
        }
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["held", "invalidated", "issued", "pending"]);
        assert_eq!(seen["pending"], 2);
        assert_eq!(door.verdict("NOSUCH-TICKET000000"), Verdict::UnknownTicket);
    }
}

#[tokio::test]
async fn a_ticket_that_this_door_has_redeemed_is_refused_with_when_and_where() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    let record = door.admit(&all[0]);
    assert_eq!(door.sync().await, (1, 0, 0));
    festival.redeem_elsewhere(&all[1]).await;
    // Whatever the whole list or the changes say, the ledger knows better than the server.
    for wait_s in [5, 4_000] {
        festival.clock.pass_s(wait_s);
        door.gate.prepare().await.unwrap();
        let again = door.scan(&all[0]);
        assert_eq!(again.verdict, Verdict::AlreadyAdmitted);
        assert_eq!(again.earlier.map(|it| (it.record_id, it.is_here)), Some((record.clone(), true)));
        assert_eq!(door.verdict(&all[1]), Verdict::Blocked);
    }
    // It is kept with the ledger, and not with the scanner that happens to stand here.
    let door = door.restart();
    festival.clock.pass_s(5);
    assert_eq!(door.verdict(&all[0]), Verdict::AlreadyAdmitted);
}

#[tokio::test]
async fn a_ticket_that_was_sold_since_and_let_in_by_staff_is_redeemed() {
    let festival = Festival::new().await;
    let door = Door::open(&festival, "North door").await;
    let sold = festival.sandbox.add_ticketing_ticket(festival.served.events[0].id).unwrap().unwrap();
    let refused = door.scan(&format!("{sold}:more"));
    assert_eq!(refused.verdict, Verdict::UnknownTicket);
    door.gate.override_refusal(refused.record_id, "just bought".to_owned()).unwrap();
    // What is no serial stays on this device.
    let wristband = door.scan("a wristband");
    door.gate.override_refusal(wristband.record_id, "staff".to_owned()).unwrap();
    assert_eq!(door.sync().await, (4, 0, 0));
    let admissions = festival.admissions(&sold).await;
    let scanner = door.gate.status().unwrap().scanner.unwrap();
    assert!(admissions.len() == 1 && admissions[0].is_by("North door", &scanner));
    assert_eq!(festival.applied("ticketing.admit"), 1);
}
