//! What is fetched when a door is prepared again.

use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{SectionCount, TicketStatus};
use ticket_wallet_sandbox::{Fault, SandboxConfig};

use crate::festival::Festival;
use crate::phone::TestClock;
use crate::raw_key::{keyed, raw_key};
use crate::{Door, sign_in_of};

impl Festival {
    /// The parameters of every request for the event's tickets since `seen` requests, `modified_since` or none in each.
    fn asked_since(&self, seen: usize) -> Vec<Option<String>> {
        let lists = |one: &ticket_wallet_sandbox::RecordedRequest| {
            one.method == "GET" && one.path.ends_with("/tickets") && !one.path.contains("accounts")
        };
        let recorded = self.sandbox.recorded();
        let since = |query: &[(String, String)]| {
            query.iter().find(|(name, _)| name == "modified_since").map(|(_, value)| value.clone())
        };
        recorded[seen..].iter().filter(|one| lists(one)).map(|one| since(&one.query)).collect()
    }

    fn seen(&self) -> usize {
        self.sandbox.recorded().len()
    }

    fn sell(&self) -> String {
        self.sandbox.add_ticketing_ticket(self.served.events[0].id).unwrap().unwrap()
    }
}

#[tokio::test]
async fn only_what_has_changed_is_fetched_again() {
    let festival = Festival::with(SandboxConfig { tickets_per_user: 60, ..SandboxConfig::default() }).await;
    festival.choose(|choices| choices.most_records = 5);
    let all = festival.issued().await;
    let seen = festival.seen();
    let door = Door::open(&festival, "North door").await;
    let whole = festival.asked_since(seen);
    assert!(whole.len() > 5 && whole.iter().all(Option::is_none), "{whole:?}");
    let tickets = door.gate.status().unwrap().tickets;

    // Redeemed, in transfer, sold: each is one of the changes.
    festival.clock.pass_s(1_200);
    let (sender, (_, from), (_, to)) = (festival.holder(0).await, festival.user(0), festival.user(1));
    let one = [SectionCount { section: festival.sections(0)[0].clone(), quantity: 1 }];
    let transfer = sender.ticketing.start_transfer(&sender.session, &from, &to, &one).await.unwrap();
    let pending = festival.serials(TicketStatus::Other { text: "Pending".to_owned() }).await.remove(0);
    let redeemed = all.iter().find(|serial| **serial != pending).unwrap();
    festival.redeem_elsewhere(redeemed).await;
    let sold = festival.sell();
    assert_eq!(door.verdict(&sold), Verdict::UnknownTicket);
    let seen = festival.seen();
    let status = door.gate.prepare().await.unwrap();
    // Ten minutes before the time at which the list was read, and one page of three tickets.
    assert_eq!(festival.asked_since(seen), [Some("2026-11-20T23:50:00+00:00".to_owned())]);
    assert_eq!((status.tickets, status.manifest_sequence), (tickets + 1, Some(2)));
    assert_eq!(status.manifest_as_of, Some(festival.now_s()));
    for (serial, expected) in
        [(&pending, Verdict::Blocked), (redeemed, Verdict::Blocked), (&sold, Verdict::Admit)]
    {
        assert_eq!(door.verdict(serial), expected);
    }
    for serial in all.iter().filter(|serial| *serial != redeemed && **serial != pending) {
        assert_eq!(door.verdict(serial), Verdict::Admit, "what has not changed stays");
    }
    // It goes on from there, after a restart too.
    let door = door.restart();
    festival.clock.pass_s(60);
    sender.ticketing.cancel_transfer(&sender.session, &transfer.uri).await.unwrap();
    let seen = festival.seen();
    door.gate.prepare().await.unwrap();
    assert_eq!(festival.asked_since(seen), [Some("2026-11-21T00:10:00+00:00".to_owned())]);
    assert_eq!(door.verdict(&pending), Verdict::Admit);
    assert_eq!(door.gate.status().unwrap().manifest_sequence, Some(3));
}

#[tokio::test]
async fn clocks_that_differ_leave_nothing_out() {
    // The server's, as the scanner sees it; and the scanner's, set by somebody.
    for (server_s, scanner_ms) in [(0, 0), (7_200, 0), (-7_200, 0), (0, 86_400_000), (0, -86_400_000)] {
        let festival = Festival::new().await;
        festival.sandbox.set_clock_offset_s(server_s);
        let clock = TestClock::new();
        clock.set_wall_ms(clock.wall_ms() + scanner_ms);
        let door = Door::open_with(&festival, sign_in_of(&festival, "North door"), &clock).await;
        for step_s in [1, 30, 599, 601, 2_000, 3_000] {
            let (before, after) = (festival.sell(), festival.issued().await);
            let redeemed = after.iter().find(|serial| door.verdict(serial) == Verdict::Admit).unwrap();
            festival.redeem_elsewhere(redeemed).await;
            door.gate.prepare().await.unwrap();
            let sold = festival.sell();
            for passes in [&festival.clock, &clock] {
                passes.pass_s(step_s);
            }
            door.gate.prepare().await.unwrap();
            assert_eq!(
                [door.verdict(&before), door.verdict(&sold)],
                [Verdict::Admit; 2],
                "{server_s} {scanner_ms} {step_s}"
            );
            let tickets = festival.tickets(&festival.host().await).await.len();
            assert_eq!(door.gate.status().unwrap().tickets as usize, tickets);
        }
    }
}

#[tokio::test]
async fn a_date_that_is_wrong_leaves_nothing_out() {
    let festival = Festival::new().await;
    let door = Door::open(&festival, "North door").await;
    for fault in [
        Fault::ClockOff { seconds: 86_400 },
        Fault::ClockOff { seconds: -86_400 },
        Fault::DateText { text: "soon".to_owned() },
    ] {
        festival.fault("GET", "/tickets", 1, fault.clone());
        door.gate.prepare().await.unwrap();
        festival.clock.pass_s(30);
        let sold = festival.sell();
        festival.clock.pass_s(30);
        door.gate.prepare().await.unwrap();
        assert_eq!(door.verdict(&sold), Verdict::Admit, "{fault:?}");
    }
}

#[tokio::test]
async fn a_ticket_that_is_no_more_goes_with_the_next_whole_list() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    assert!(festival.sandbox.remove_ticketing_ticket(&all[0]));
    festival.clock.pass_s(3_599);
    let seen = festival.seen();
    door.gate.prepare().await.unwrap();
    assert!(festival.asked_since(seen).iter().all(Option::is_some));
    assert_eq!(door.verdict(&all[0]), Verdict::Admit, "no list of changes has it");
    festival.clock.pass_s(5);
    let seen = festival.seen();
    door.gate.prepare().await.unwrap();
    assert!(festival.asked_since(seen).iter().all(Option::is_none));
    assert_eq!(door.verdict(&all[0]), Verdict::UnknownTicket);
}

#[tokio::test]
async fn the_whole_list_is_read_where_changes_cannot_be() {
    let festival = Festival::new().await;
    let door = Door::open(&festival, "North door").await;
    // Refused, or an empty list that is no resource: the whole list tells.
    for change in [
        (|choices| choices.lists_changes = false) as fn(&mut ticket_wallet_sandbox::TicketingChoices),
        |choices| (choices.lists_changes, choices.empty_is_not_found) = (true, true),
    ] {
        festival.clock.pass_s(1_200);
        festival.choose(change);
        let seen = festival.seen();
        door.gate.prepare().await.unwrap();
        let asked = festival.asked_since(seen);
        assert!(asked[0].is_some() && asked[1..].iter().all(Option::is_none) && asked.len() > 1, "{asked:?}");
    }
    festival.choose(|choices| choices.empty_is_not_found = false);
    // No manifest, no changes to it.
    let Door { folder, clock, gate } = door;
    drop(gate);
    let database = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    assert_eq!(database.execute("UPDATE gate_manifest_part SET bytes = x'00'", []).unwrap(), 1);
    drop(database);
    let door = Door { gate: crate::open(folder.path(), &clock), folder, clock };
    let seen = festival.seen();
    door.gate.prepare().await.unwrap();
    assert!(festival.asked_since(seen).iter().all(Option::is_none));
    // Nor for another sign-in, whatever its sections are.
    let seen = festival.seen();
    door.gate.sign_in(sign_in_of(&festival, "East door")).await.unwrap();
    assert!(festival.asked_since(seen).iter().all(Option::is_none));
    let seen = festival.seen();
    door.gate.prepare().await.unwrap();
    assert!(festival.asked_since(seen).iter().all(Option::is_some));
}

#[tokio::test]
async fn a_page_that_fails_changes_nothing() {
    let festival = Festival::new().await;
    festival.choose(|choices| choices.most_records = 5);
    let door = Door::open(&festival, "North door").await;
    let before = door.gate.status().unwrap();
    festival.clock.pass_s(4_000);
    let sold = festival.sell();
    festival.fault_after(2, ("GET", "/tickets"), 3, Fault::Reset);
    door.gate.prepare().await.unwrap_err();
    assert_eq!(door.gate.status().unwrap().manifest_sequence, before.manifest_sequence);
    door.gate.prepare().await.unwrap();
    assert_eq!(door.verdict(&sold), Verdict::Admit);
}
