//! Manifests and deltas.

use serde_json::json;
use ticket_wallet::error::Error;
use ticket_wallet::host::HttpTransportError;
use ticket_wallet::manifest::{EntryPolicy, MAX_BYTES, Manifest, ManifestError, Profile, TicketState};
use ticket_wallet::model::TicketHash;
use ticket_wallet::remote::extension::{Extension, ManifestReply, gate_session};
use ticket_wallet_sandbox::{BadManifest, GateEventEdit, GateTicketEdit, SandboxConfig, TicketEdit};
use url::Url;
use zeroize::Zeroizing;

use crate::gatehouse::{CLUB, EVENT, Gatehouse, http};
use crate::phone::{Phone, TestClock};
use crate::tiny_server::{Answer, TinyServer};

/// Ids of the first user's tickets for the club's next event, as the club numbers them.
async fn tickets(house: &Gatehouse) -> Vec<i64> {
    let user = house.sandbox.users()[0].name.clone();
    let added = (0..4).map(|_| house.sandbox.add_ticket(&user, CLUB, EVENT).unwrap().unwrap());
    added.collect()
}

fn say(house: &Gatehouse, id: i64, state: Option<&str>, generation: Option<u16>) {
    let edit = GateTicketEdit { state: state.map(str::to_owned), generation };
    assert!(house.sandbox.edit_gate_ticket(CLUB, id, &edit).unwrap());
}

#[tokio::test]
async fn a_manifest_has_the_event_with_its_keys_sections_days_and_tickets() {
    let house = Gatehouse::new().await;
    let ids = tickets(&house).await;
    let scanner = house.scanner("Tor 1").await;
    let manifest = house.whole(&scanner).await;
    let head = manifest.head();
    assert_eq!((head.event, head.policy, head.entries), (scanner.gate.event, EntryPolicy::Single, 1));
    assert_eq!(i64::from(head.as_of), house.clock.wall_ms() / 1000);
    assert!(head.closes_at.unwrap() > head.as_of && !head.nonce_required);
    let issuers: Vec<_> = manifest.issuers().map(|one| hex::encode(one.key)).collect();
    assert_eq!(issuers, house.sandbox.issuer_keys()[..1]);
    assert_eq!(manifest.sections().map(|(code, _)| code).collect::<Vec<_>>(), [9, 112, 205]);
    assert!(manifest.event_key().is_some() && manifest.days().count() == 1);
    assert_eq!(manifest.nonces_at(house.clock.wall_ms() / 1000).unwrap().len(), 3);
    for id in ids {
        let row = manifest.ticket(&house.ticket(id)).unwrap();
        assert_eq!((row.state, row.profile, row.floor), (TicketState::Valid, Profile::Signed, 1));
    }
    assert!(manifest.ticket_count() > 3);
}

#[tokio::test]
async fn an_unchanged_manifest_is_not_sent_again_until_it_is_old() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let held = house.whole(&scanner).await;
    let sequence = Some(held.head().sequence);
    assert_eq!(house.manifest(&scanner, sequence).await.unwrap(), ManifestReply::NotChanged);
    house.clock.pass_s(899);
    assert_eq!(house.manifest(&scanner, sequence).await.unwrap(), ManifestReply::NotChanged);
    house.clock.pass_s(1);
    let next = house.next(&scanner, &held).await;
    assert_eq!(next.head().as_of, held.head().as_of + 900);
    // What closes the event says something as well.
    let closed = GateEventEdit { closes_at: Some(house.clock.wall_ms() / 1000 + 60), ..Default::default() };
    assert!(house.sandbox.edit_gate_event(CLUB, EVENT, &closed).unwrap());
    let open = house.next(&scanner, &next).await;
    house.clock.pass_s(60);
    let closed = house.next(&scanner, &open).await;
    assert!(closed.head().as_of >= closed.head().closes_at.unwrap());
    // A sequence that the server never gave gets the whole.
    let strange = house.manifest(&scanner, Some(4_000_000_000)).await.unwrap();
    assert!(matches!(strange, ManifestReply::Manifest(_)));
}

#[tokio::test]
async fn every_change_while_a_gate_is_offline_comes_by_delta_from_any_manifest_before() {
    let house = Gatehouse::new().await;
    let ids = tickets(&house).await;
    let scanner = house.scanner("Tor 1").await;
    let mut before = vec![house.whole(&scanner).await];
    let user = house.sandbox.users()[0].name.clone();
    let edit_event =
        |edit: GateEventEdit| assert!(house.sandbox.edit_gate_event(CLUB, EVENT, &edit).unwrap());
    let changes: [&dyn Fn(); 8] = [
        &|| say(&house, ids[0], Some("revoked"), None),
        &|| say(&house, ids[1], Some("blocked"), None),
        &|| say(&house, ids[1], Some("listed"), Some(7)),
        &|| assert!(house.sandbox.add_ticket(&user, CLUB, EVENT).unwrap().is_some()),
        &|| assert!(house.sandbox.remove_ticket(&user, CLUB, ids[2]).unwrap()),
        &|| {
            let status = Some("invalidated".to_owned());
            assert!(house.sandbox.edit_ticket(CLUB, ids[3], &TicketEdit { status, seat_id: None }).unwrap());
        },
        &|| edit_event(GateEventEdit { policy: Some("re_entry".to_owned()), ..Default::default() }),
        &|| edit_event(GateEventEdit { nonce_required: Some(true), ..Default::default() }),
    ];
    for change in changes {
        change();
        let next = house.next(&scanner, before.last().unwrap()).await;
        assert_eq!(next.head().sequence, before.last().unwrap().head().sequence + 1);
        before.push(next);
    }
    let last = before.pop().unwrap();
    let row = |manifest: &Manifest, id: i64| manifest.ticket(&house.ticket(id)).unwrap();
    assert_eq!(row(&last, ids[0]).state, TicketState::Revoked);
    assert_eq!((row(&last, ids[1]).state, row(&last, ids[1]).floor), (TicketState::Listed, 7));
    assert_eq!(row(&last, ids[2]).state, TicketState::Revoked, "one that is gone");
    assert_eq!(row(&last, ids[3]).state, TicketState::Revoked, "one that was used elsewhere");
    assert_eq!((last.head().policy, last.head().nonce_required), (EntryPolicy::ReEntry, true));
    assert_eq!(row(&before[2], ids[1]).state, TicketState::Blocked);
    for held in &before {
        assert_eq!(house.next(&scanner, held).await.body(), last.body());
    }
    let refused = GateEventEdit { policy: Some("always".to_owned()), ..Default::default() };
    assert!(house.sandbox.edit_gate_event(CLUB, EVENT, &refused).is_err());
    assert!(!house.sandbox.edit_gate_ticket(CLUB, 999_999, &GateTicketEdit::default()).unwrap());
}

#[tokio::test]
async fn the_floor_is_the_generation_that_is_bound_and_above_one_that_was_given_up() {
    let house = Gatehouse::new().await;
    let phone = Phone::new(&house.clock);
    phone.sign_in(&house.sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let scanner = house.scanner("Tor 1").await;
    let manifest = house.whole(&scanner).await;
    let floor = |manifest: &Manifest, id: &str| {
        let id = TicketHash(hex::decode(id).unwrap().try_into().unwrap());
        manifest.ticket(&id).filter(|row| row.profile == Profile::Signed).map(|row| row.floor)
    };
    let bound: Vec<_> = phone.signed_tickets().into_iter().map(|ticket| ticket.id).collect();
    let here: Vec<_> = bound.iter().filter(|id| floor(&manifest, id).is_some()).collect();
    assert!(!here.is_empty() && here.iter().all(|id| floor(&manifest, id) == Some(1)));
    phone.wallet.surrender(here[0].clone()).unwrap();
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(floor(&house.next(&scanner, &manifest).await, here[0]), Some(2));
}

#[tokio::test]
async fn venue_nonces_are_those_of_the_manifest() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let manifest = house.whole(&scanner).await;
    let epochs = house.extension.venue_nonces(&house.http, &scanner.session).await.unwrap();
    assert!(epochs.len() > 48);
    let now = i64::from(epochs[5].begin);
    let near: Vec<_> = epochs[4..7].iter().map(|epoch| epoch.nonce).collect();
    assert_eq!(manifest.nonces_at(now), Some(near));
    assert!(!format!("{:?}", epochs[0]).contains(&format!("{:?}", epochs[0].nonce)));
}

#[tokio::test]
async fn a_bad_manifest_is_refused_for_what_is_wrong_with_it() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let held = house.whole(&scanner).await;
    let key = scanner.pinned();
    let fetched = async |bad| {
        house.sandbox.set_bad_manifest(Some(bad));
        match house.manifest(&scanner, Some(held.head().sequence)).await.unwrap() {
            ManifestReply::Manifest(bytes) => Manifest::read(&bytes, &key).and_then(|read| read.after(&held)),
            other => panic!("{other:?}"),
        }
    };
    let lower = fetched(BadManifest::LowerSequence).await.err();
    assert!(matches!(lower, Some(ManifestError::Rollback { held: 10, offered: 9 })), "{lower:?}");
    assert_eq!(fetched(BadManifest::OtherKey).await.err(), Some(ManifestError::BadSignature));
    assert_eq!(fetched(BadManifest::Truncated).await.err(), Some(ManifestError::BadSignature));
    let doubled = fetched(BadManifest::DoubledKeyId).await.unwrap();
    let ids =
        doubled.issuers().map(|one| ticket_wallet::barcode::IssuerKey::from_bytes(&one.key).unwrap().id());
    assert_eq!(ids.filter(|id| hex::encode(id) == "9b217458").count(), 2);
    house.sandbox.set_bad_manifest(None);
    let next = house.manifest(&scanner, Some(held.head().sequence)).await.unwrap();
    assert_eq!(next, ManifestReply::NotChanged);
}

#[tokio::test]
async fn what_is_no_manifest_or_too_long_is_not_taken() {
    let discovery = json!({"version": 1, "base": "/w", "features": ["gate"], "issuer_keys": []});
    let server = TinyServer::start(move |asked| match asked.path.as_str() {
        "/.well-known/ticket-wallet" => Answer::ok(discovery.to_string()),
        "/w/gates/manifest?since=1" => Answer::ok("TWX1 and more"),
        "/w/gates/manifest?since=2" => Answer::status(304),
        "/w/gates/manifest?since=3" => Answer::ok([b"TWM1".to_vec(), vec![0; MAX_BYTES - 4]].concat()),
        _ => Answer::ok([b"TWM1".to_vec(), vec![0; MAX_BYTES - 3]].concat()),
    });
    let http = http(&TestClock::new());
    let extension = Extension::discover(&http, &Url::parse(&server.url()).unwrap()).await.unwrap().unwrap();
    let session = gate_session(Zeroizing::new("session".to_owned()));
    let ask = async |since| extension.manifest(&http, &session, Some(since)).await;
    assert!(matches!(ask(1).await, Err(Error::Reply { field, .. }) if field == "magic"));
    assert_eq!(ask(2).await.unwrap(), ManifestReply::NotChanged);
    assert!(matches!(ask(3).await, Ok(ManifestReply::Manifest(_))));
    let long = ask(4).await.err();
    assert!(matches!(long, Some(Error::Network { why: HttpTransportError::TooLarge, .. })), "{long:?}");
}

#[tokio::test]
async fn without_a_session_nothing_is_told() {
    let house = Gatehouse::with(SandboxConfig::default()).await;
    let scanner = house.scanner("Tor 1").await;
    let stranger = gate_session(Zeroizing::new("nobody".to_owned()));
    let refused = house.extension.manifest(&house.http, &stranger, None).await;
    assert_eq!(refused.err(), Some(Error::SignedOut));
    // A session is one tenant's.
    let other = crate::gatehouse::discover(&house.http, &house.sandbox.url(), "weidental").await;
    let refused = other.manifest(&house.http, &scanner.gate.session(), None).await;
    assert_eq!(refused.err(), Some(Error::SignedOut));
}
