//! How often a ticket lets in, replays, double reads, copies that were sold on, and clocks that are wrong.

use ticket_wallet::admission::Allowed;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::{EntryPolicy, Profile};
use ticket_wallet::model::GateReadiness;
use ticket_wallet::{ManifestDay, ManifestRequest};

use crate::phone::{TODAY_MS, TestClock};
use crate::venue::{Door, Shown, Venue};

async fn at(policy: EntryPolicy, entries: u8, clock: &TestClock) -> (Venue, Door) {
    let venue = Venue::new(clock);
    venue.offer(&ManifestRequest { policy, entries, ..venue.request() });
    let door = venue.door().await;
    (venue, door)
}

#[tokio::test]
async fn the_same_text_within_three_seconds_is_one_reading_and_later_a_replay() {
    let clock = TestClock::new();
    let (venue, door) = at(EntryPolicy::Single, 1, &clock).await;
    let text = venue.show(&Shown::of("1"));
    let first = door.scan(&text);
    clock.pass_s(3);
    let again = door.scan(&format!("]Q1{text}\r\n"));
    assert!(again.is_repeated && !first.is_repeated);
    assert_eq!((again.verdict, &again.record_id), (Verdict::Admit, &first.record_id));
    assert_eq!(door.gate.records(10).unwrap().len(), 1);
    clock.pass_s(1);
    assert_eq!(door.scan(&text).verdict, Verdict::Replayed);
    // An older frame than the one that was used, too; the next one is no replay, but the ticket is used.
    assert_eq!(
        door.scan(&venue.show(&Shown { presented: -10, ..Shown::of("1") })).verdict,
        Verdict::Replayed
    );
    let used = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(used.verdict, Verdict::AlreadyAdmitted);
    let earlier = used.earlier.unwrap();
    assert_eq!((earlier.at_ms, earlier.is_here, earlier.record_id), (TODAY_MS, true, first.record_id));
    assert!(!earlier.on_superseded_copy);
    assert_eq!((used.entered, used.allowed), (1, Allowed::Once));
}

#[tokio::test]
async fn another_number_of_persons_is_no_double_read() {
    let clock = TestClock::new();
    let (venue, door) = at(EntryPolicy::Entries, 5, &clock).await;
    let one = venue.show(&Shown::of("1"));
    let verdicts = [&one, &one].map(|code| door.scan(code));
    assert_eq!(
        verdicts.map(|said| (said.verdict, said.is_repeated)),
        [false, true].map(|twice| (Verdict::Admit, twice))
    );
    let group = door.gate.scan(one.as_bytes().to_vec(), 4).unwrap();
    assert_eq!((group.verdict, group.is_repeated), (Verdict::Replayed, false));
    assert_eq!(door.gate.statistics().unwrap().entered, 1);
}

#[tokio::test]
async fn a_buyer_after_the_sellers_entry_is_told_of_it_and_the_sellers_copy_is_over() {
    let clock = TestClock::new();
    let (venue, door) = at(EntryPolicy::ReEntry, 1, &clock).await;
    let of = |generation| Shown { generation, ..Shown::of("1") };
    assert_eq!(door.scan(&venue.show(&of(1))).verdict, Verdict::Admit);
    let buyer = door.scan(&venue.show(&of(2)));
    assert_eq!(buyer.verdict, Verdict::AlreadyAdmitted);
    assert!(buyer.earlier.unwrap().on_superseded_copy);
    // Seen once, the higher generation ends the lower, without a list, and after a restart.
    let door = door.restart();
    clock.pass_s(5);
    assert_eq!(door.scan(&venue.show(&of(1))).verdict, Verdict::Superseded);
    assert_eq!(door.gate.exit(venue.show(&of(1)).into_bytes(), 1).unwrap().verdict, Verdict::Superseded);
}

#[tokio::test]
async fn who_left_comes_in_again_where_the_event_allows_it() {
    let clock = TestClock::new();
    for (policy, allowed) in
        [(EntryPolicy::ReEntry, Verdict::Admit), (EntryPolicy::Single, Verdict::AlreadyAdmitted)]
    {
        let (venue, door) = at(policy, 1, &clock).await;
        let next = || {
            clock.pass_s(5);
            venue.show(&Shown::of("1"))
        };
        assert_eq!(door.scan(&next()).verdict, Verdict::Admit);
        assert_eq!(door.scan(&next()).verdict, Verdict::AlreadyAdmitted);
        assert_eq!(door.gate.exit(next().into_bytes(), 1).unwrap().verdict, Verdict::Admit);
        assert_eq!(door.scan(&next()).verdict, allowed, "{policy:?}");
        let counted = door.gate.statistics().unwrap();
        assert_eq!(counted.left, 1);
        assert_eq!(counted.entered, if allowed == Verdict::Admit { 2 } else { 1 });
    }
}

/// The same scanner saw who came in and who left: its records stand in the order of its chain.
#[tokio::test]
async fn a_clock_that_is_set_back_between_entry_and_exit_keeps_nobody_out() {
    let (phones, scanner) = (TestClock::new(), TestClock::new());
    let venue = Venue::new(&phones);
    let tickets = vec![Venue::row("1", Profile::Plain, Some("4006381333931"))];
    venue.offer(&ManifestRequest { policy: EntryPolicy::ReEntry, tickets, ..venue.request() });
    scanner.set_wall_ms(TODAY_MS + 300_000);
    let door = Door::new(&scanner);
    door.gate.sign_in(venue.sign_in()).await.unwrap();
    let first = door.scan("4006381333931");
    assert_eq!(first.verdict, Verdict::Admit);
    scanner.set_wall_ms(TODAY_MS);
    assert_eq!(door.gate.exit(b"4006381333931".to_vec(), 1).unwrap().verdict, Verdict::Admit);
    let again = door.scan("4006381333931");
    assert_eq!(again.verdict, Verdict::Admit, "the exit comes after the entry");
    scanner.pass_s(4);
    let door = door.restart();
    let inside = door.scan("4006381333931");
    assert_eq!(inside.verdict, Verdict::AlreadyAdmitted);
    assert_eq!(inside.earlier.map(|entry| entry.record_id), Some(again.record_id), "the newest is named");
    assert!(door.gate.report().unwrap().double_entries.is_empty());
}

/// Of a group, those come in again who have left; a group that is gone altogether begins anew.
#[tokio::test]
async fn of_a_group_as_many_come_in_again_as_have_left() {
    let clock = TestClock::new();
    let (venue, door) = at(EntryPolicy::ReEntry, 1, &clock).await;
    let next = || {
        clock.pass_s(5);
        venue.show(&Shown::of("1")).into_bytes()
    };
    let enter = |persons| door.gate.scan(next(), persons).unwrap();
    let leave = |persons| assert_eq!(door.gate.exit(next(), persons).unwrap().verdict, Verdict::Admit);
    let (admit, already) = (Verdict::Admit, Verdict::AlreadyAdmitted);
    assert_eq!(enter(3).verdict, admit);
    assert_eq!(enter(1).verdict, already, "whoever comes late is not of the group");
    leave(2);
    assert_eq!(enter(3).verdict, already);
    assert_eq!([enter(1), enter(1), enter(1)].map(|said| said.verdict), [admit, admit, already]);
    // One whom staff let in belongs to no group: while it is not complete without them, they have left.
    let refused = enter(1);
    door.gate.override_refusal(refused.record_id, "a child in arms".to_owned()).unwrap();
    leave(1);
    assert_eq!(enter(1).verdict, already);
    leave(1);
    assert_eq!([enter(1), enter(1)].map(|said| said.verdict), [admit, already]);
    // More than are inside cannot leave; then whoever comes says how many they are.
    leave(9);
    assert_eq!([enter(4), enter(1)].map(|said| said.verdict), [admit, already]);
    let report = door.gate.report().unwrap();
    let extra = report.double_entries[0].entries.iter().filter(|entry| entry.is_extra);
    let extra: Vec<_> = extra.map(|entry| (entry.persons, entry.is_override)).collect();
    assert_eq!(extra, [(1, true)], "only the one whom staff let in");
    let counted = door.gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.left, counted.overridden), (11, 13, 1));
}

#[tokio::test]
async fn a_group_counts_as_one_entry_where_a_ticket_lets_in_once_or_once_a_day() {
    let clock = TestClock::new();
    for policy in [EntryPolicy::Single, EntryPolicy::Days] {
        let venue = Venue::new(&clock);
        let now = u32::try_from(venue.now_s()).unwrap();
        let days = [now, now + 86_400].map(|begin| ManifestDay { begin, end: begin + 43_200 }).to_vec();
        venue.offer(&ManifestRequest { policy, entries: 2, days, ..venue.request() });
        let door = venue.door().await;
        let next = || {
            clock.pass_s(5);
            venue.show(&Shown::of("1")).into_bytes()
        };
        assert_eq!(door.gate.scan(next(), 5).unwrap().verdict, Verdict::Admit);
        assert_eq!(door.gate.exit(next(), 2).unwrap().verdict, Verdict::Admit);
        let late = door.gate.scan(next(), 1).unwrap();
        assert_eq!((late.verdict, late.entered), (Verdict::AlreadyAdmitted, 5), "{policy:?}");
        clock.pass_s(86_400);
        let tomorrow = door.gate.scan(next(), 7).unwrap().verdict;
        assert_eq!(tomorrow == Verdict::Admit, policy == EntryPolicy::Days, "{policy:?}");
    }
}

#[tokio::test]
async fn a_group_enters_in_parts_until_its_number_is_used() {
    let clock = TestClock::new();
    let (venue, door) = at(EntryPolicy::Entries, 5, &clock).await;
    let scan = |persons| {
        clock.pass_s(5);
        door.gate.scan(venue.show(&Shown::of("1")).into_bytes(), persons).unwrap()
    };
    assert_eq!(scan(3).verdict, Verdict::Admit);
    let too_many = scan(3);
    assert_eq!((too_many.verdict, too_many.entered), (Verdict::AlreadyAdmitted, 3));
    assert_eq!(too_many.allowed, Allowed::Persons { count: 5 });
    assert_eq!(scan(2).verdict, Verdict::Admit);
    assert_eq!(scan(1).verdict, Verdict::AlreadyAdmitted);
    assert_eq!(door.gate.statistics().unwrap().entered, 5);
    assert!(door.gate.scan(b"x".to_vec(), 0).is_err());
}

#[tokio::test]
async fn a_ticket_of_one_of_three_days_lets_in_on_one_and_one_of_two_on_two() {
    let day = 86_400_i64;
    for count in [1_u8, 2] {
        let clock = TestClock::new();
        let venue = Venue::new(&clock);
        let begin = |n: i64| u32::try_from(venue.now_s() + n * day).unwrap();
        let days = (1..=3).map(|n| ManifestDay { begin: begin(n), end: begin(n) + 43_200 }).collect();
        let policy = EntryPolicy::Days;
        venue.offer(&ManifestRequest { policy, entries: count, days, ..venue.request() });
        let door = venue.door().await;
        let scan = || door.scan(&venue.show(&Shown::of("1"))).verdict;
        assert_eq!(scan(), Verdict::NotYetValid);
        clock.pass_s(day + 60);
        assert_eq!(scan(), Verdict::Admit);
        clock.pass_s(60);
        assert_eq!(scan(), Verdict::AlreadyAdmitted, "once a day");
        clock.pass_s(43_200);
        assert_eq!(scan(), Verdict::NotYetValid, "between two days");
        clock.pass_s(43_200);
        assert_eq!(scan(), if count == 1 { Verdict::AlreadyAdmitted } else { Verdict::Admit });
        clock.pass_s(day);
        assert_eq!(scan(), Verdict::AlreadyAdmitted);
        clock.pass_s(day);
        assert_eq!(scan(), Verdict::LeaseExpired, "after the last");
    }
}

#[tokio::test]
async fn a_wrong_clock_refuses_and_says_how_sure_it_is_and_never_widens_the_window() {
    // Not confirmed by any server: the wall clock is all there is.
    for (off_s, verdict) in [(-120, Verdict::FromTheFuture), (120, Verdict::Stale), (0, Verdict::Admit)] {
        let (phone, scanner) = (TestClock::new(), TestClock::new());
        let venue = Venue::new(&phone);
        venue.offer(&ManifestRequest { as_of: 1, ..venue.request() });
        scanner.set_wall_ms(TODAY_MS + off_s * 1000);
        let door = Door::new(&scanner);
        door.gate.sign_in(venue.sign_in()).await.unwrap();
        let said = door.scan(&venue.show(&Shown::of("1")));
        assert_eq!(said.verdict, verdict, "scanner off by {off_s}");
        assert!(!said.certainty.clock.confirmed && said.certainty.clock.error_ms.is_none());
        // The phone is off as far the other way.
        let (phone, scanner) = (TestClock::new(), TestClock::new());
        phone.set_wall_ms(TODAY_MS - off_s * 1000);
        let venue = Venue::new(&phone);
        let door = Door::new(&scanner);
        door.gate.sign_in(venue.sign_in()).await.unwrap();
        assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, verdict, "phone off by {}", -off_s);
    }
}

#[tokio::test]
async fn a_reboot_without_a_network_is_said_with_every_verdict() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock).with_date();
    let door = venue.door().await;
    let confirmed = door.scan(&venue.show(&Shown::of("1"))).certainty.clock;
    assert!(confirmed.confirmed && confirmed.error_ms.is_some());
    clock.reboot();
    let door = door.restart();
    let said = door.scan(&venue.show(&Shown::of("2")));
    assert_eq!(said.verdict, Verdict::Admit);
    assert!(!said.certainty.clock.confirmed);
    assert!(!door.gate.status().unwrap().clock.confirmed);
}

#[tokio::test]
async fn old_data_is_said_until_the_manifest_is_as_new_as_the_end_of_resale() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let closes_at = venue.now_s() + 600;
    venue.offer(&ManifestRequest { closes_at: u32::try_from(closes_at).ok(), ..venue.request() });
    let door = venue.door().await;
    assert_eq!(door.gate.status().unwrap().readiness, GateReadiness::ReadyWithOldData);
    clock.pass_s(700);
    let said = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(
        (said.certainty.readiness, said.certainty.manifest_age_s),
        (GateReadiness::ReadyWithOldData, 700)
    );
    venue.offer(&ManifestRequest {
        sequence: 2,
        closes_at: u32::try_from(closes_at).ok(),
        ..venue.request()
    });
    let status = door.gate.prepare().await.unwrap();
    assert_eq!((status.readiness, status.closes_at), (GateReadiness::Ready, Some(closes_at)));
    assert_eq!(door.scan(&venue.show(&Shown::of("2"))).certainty.readiness, GateReadiness::Ready);
}
