//! Signing in by an admission code, and what a server says to a door that may no longer.

use ticket_wallet::WalletError;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{GateReadiness, TicketStatus, TicketingConfig};
use ticket_wallet_sandbox::{Fault, SectionForm};

use crate::festival::Festival;
use crate::{Door, field, sign_in_of, sign_in_with};

#[tokio::test]
async fn a_code_fixes_event_and_sections() {
    for form in [SectionForm::Address, SectionForm::Record] {
        let festival = Festival::new().await;
        festival.choose(|choices| choices.sections = form);
        let (host, sections) = (festival.host().await, festival.sections(0));
        let all = festival.tickets(&host).await;
        let door = Door::open(&festival, "North door").await;
        let status = door.gate.status().unwrap();
        assert_eq!(status.readiness, GateReadiness::ReadyWithOldData, "tickets may change hands at any time");
        assert_eq!((status.tickets as usize, status.sections.len()), (all.len(), sections.len()));
        assert_eq!(status.manifest_as_of, Some(festival.now_s()));

        let token = host.ticketing.issue_token(&host.session, &festival.event(0), &sections[..1]).await;
        let code = token.unwrap().code.unwrap();
        let narrow =
            Door::open_with(&festival, sign_in_with(&festival, "Pier", &code), &festival.clock).await;
        let names: Vec<_> =
            narrow.gate.status().unwrap().sections.into_iter().map(|section| section.name).collect();
        assert_eq!(names, [sections[0].rsplit('/').next().unwrap()]);
        let issued = all.iter().filter(|one| one.state(host.ticketing.zone()) == TicketStatus::Issued);
        for ticket in issued {
            let is_own = ticket.section.as_ref() == Some(&sections[0]);
            // Tickets of other sections are not listed to this code's key.
            let expected = if is_own { Verdict::Admit } else { Verdict::UnknownTicket };
            assert_eq!(narrow.verdict(&ticket.serial), expected);
            assert_eq!(door.verdict(&ticket.serial), Verdict::Admit);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_signed_in_with_is_told_apart() {
    let festival = Festival::new().await;
    let door = Door::closed(&festival.clock);
    let gate = &door.gate;
    let unknown = gate.sign_in(sign_in_with(&festival, "Door", "NOSUCHCO")).await;
    assert!(matches!(unknown, Err(WalletError::NotFound { .. })), "{unknown:?}");
    let with = |change: &dyn Fn(&mut TicketingConfig)| {
        let mut sign_in = sign_in_of(&festival, "Door");
        change(sign_in.config.ticketing.as_mut().unwrap());
        sign_in
    };
    assert_eq!(field(gate.sign_in(with(&|config| config.app_key = None)).await), "app_key");
    let strange = gate.sign_in(with(&|config| config.app_key = Some("0".repeat(32)))).await;
    assert!(matches!(strange, Err(WalletError::Refused { status: 403, .. })), "{strange:?}");
    let old = gate.sign_in(with(&|config| config.client_version = Some("2.9.9".to_owned()))).await;
    assert!(matches!(old, Err(WalletError::UpgradeNeeded { .. })), "{old:?}");
    let mut elsewhere = sign_in_of(&festival, "Door");
    elsewhere.config.url.push_str("/nowhere");
    let elsewhere = gate.sign_in(elsewhere).await;
    assert!(matches!(elsewhere, Err(WalletError::Refused { status: 404, .. })), "no code: {elsewhere:?}");
    assert_eq!(field(gate.sign_in(sign_in_with(&festival, "Door", " ")).await), "admission_code");
    assert_eq!(field(gate.sign_in(sign_in_of(&festival, "")).await), "name");
    assert_eq!(gate.status().unwrap().readiness, GateReadiness::NotSignedIn);
}

#[tokio::test]
async fn a_door_that_may_no_longer_says_so_and_goes_on_letting_in() {
    let festival = Festival::new().await;
    let (host, event, all) = (festival.host().await, festival.event(0), festival.issued().await);
    let token = host.ticketing.issue_token(&host.session, &event, &festival.sections(0)).await.unwrap();
    let sign_in = sign_in_with(&festival, "North door", token.code.as_ref().unwrap());
    let door = Door::open_with(&festival, sign_in, &festival.clock).await;
    door.admit(&all[0]);
    festival.fault("POST", "/admissions", 1, Fault::Unauthorized);
    festival.fault("GET", "/tickets", 1, Fault::Unauthorized);
    let ended = door.gate.sync().await;
    assert!(matches!(ended, Err(WalletError::NeedsSignIn { .. })), "{ended:?}");
    festival.choose(|choices| choices.least_version = "3.1.0".to_owned());
    for refused in [door.gate.sync().await.err(), door.gate.prepare().await.err()] {
        assert!(matches!(refused, Some(WalletError::UpgradeNeeded { .. })), "{refused:?}");
    }
    festival.choose(|choices| choices.least_version = "3.0.0".to_owned());
    host.ticketing.delete_token(&host.session, &event, &token.id).await.unwrap();
    for refused in [door.gate.sync().await.err(), door.gate.prepare().await.err()] {
        assert!(matches!(refused, Some(WalletError::NeedsSignIn { .. })), "{refused:?}");
    }
    assert_eq!((door.unsent(), festival.applied("ticketing.admit")), (1, 0), "nothing was sent or lost");
    door.admit(&all[1]);
    // Another code of the same event takes the records along.
    let anew = sign_in_of(&festival, "North door");
    assert_eq!(field(door.gate.sign_in(anew.clone()).await), "leave_unsent");
    let before = door.gate.status().unwrap().scanner.unwrap();
    door.gate.sign_in(ticket_wallet::model::GateSignIn { leave_unsent: true, ..anew }).await.unwrap();
    assert_eq!(door.sync().await, (2, 0, 0));
    // They are handed over as what they are: of the scanner that admitted.
    assert_eq!(festival.admissions(&all[0]).await[0].device, Some(before));
}
