//! Promise: what a server makes for gates is what gates read, and what no gate would read is refused by the name of its
//! field.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::ledger::{Certificate, LedgerError};
use ticket_wallet::manifest::{EntryPolicy, Manifest, ManifestError, Profile, TicketState};
use ticket_wallet::model::Provider;
use ticket_wallet::{
    Issuer, ManifestDay, ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation, ManifestSection,
    ManifestTicket, NonceEpoch, ScannerRequest, WalletError,
};

const PROVIDER: &str = "bam:api.example.org/org1";
/// The generator of P-256 (SEC 2, section 2.4.2).
const POINT: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn issuer(seed: u8) -> ManifestIssuer {
    ManifestIssuer::new(vec![seed; 32]).unwrap()
}

fn key(issuer: &ManifestIssuer) -> IssuerKey {
    IssuerKey::from_bytes(&issuer.public_key()).unwrap()
}

fn ticket(id: &str, profile: Profile) -> ManifestTicket {
    ManifestTicket {
        ticket_id: id.to_owned(),
        state: TicketState::Valid,
        profile,
        generation: u16::from(profile == Profile::Signed) * 3,
        section: 112,
        entries: Some(2),
        code: (profile != Profile::Signed).then(|| format!("code of {id}")),
        seat: Some("112-7-4".to_owned()),
    }
}

fn request() -> ManifestRequest {
    let epoch = |begin: u32| NonceEpoch { begin, end: begin + 59, nonce: begin.to_be_bytes().repeat(2) };
    ManifestRequest {
        provider: PROVIDER.to_owned(),
        event_id: "4711".to_owned(),
        sequence: 7,
        as_of: 1_000,
        closes_at: Some(900),
        policy: EntryPolicy::Days,
        entries: 2,
        nonce_required: true,
        unlisted: Profile::BamSigned,
        issuers: vec![ManifestKey {
            public_key: Issuer::new(vec![1; 32]).unwrap().public_key(),
            valid_from: 10,
            valid_until: Some(20),
        }],
        sections: vec![
            ManifestSection { code: 205, name: "Gegengerade".to_owned() },
            ManifestSection { code: 112, name: "Haupttribüne".to_owned() },
        ],
        days: vec![ManifestDay { begin: 200, end: 299 }, ManifestDay { begin: 100, end: 199 }],
        nonce_epochs: vec![epoch(160), epoch(100)],
        tickets: vec![
            ticket("1", Profile::Signed),
            ticket("8", Profile::BamSigned),
            ticket("9", Profile::Plain),
        ],
        event_key: Some(POINT.as_bytes().to_vec()),
        revoked: vec![ManifestRevocation {
            scanner_id: vec![1; 8],
            chain: vec![2; 16],
            last_good: 5,
            hash: vec![3; 32],
        }],
    }
}

fn scanner() -> ScannerRequest {
    ScannerRequest {
        provider: PROVIDER.to_owned(),
        event_id: "4711".to_owned(),
        scanner_id: vec![9; 8],
        scanner_key: hex::decode(POINT).unwrap(),
        not_before: 10,
        not_after: Some(20),
        name: "Nordtor 1".to_owned(),
        sections: vec![205, 112, 205],
    }
}

fn field<T>(outcome: Result<T, WalletError>) -> String {
    match outcome.err() {
        Some(WalletError::InvalidInput { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_is_read_back_as_it_was_asked_for() {
    let issuer = issuer(2);
    let signed = issuer.manifest(request()).unwrap();
    let read = Manifest::read(&signed, &key(&issuer)).unwrap();
    let provider = Provider::parse(PROVIDER).unwrap();
    let head = *read.head();
    assert_eq!((head.event, head.sequence, head.as_of), (provider.event("4711").unwrap(), 7, 1_000));
    assert_eq!((head.closes_at, head.policy, head.entries), (Some(900), EntryPolicy::Days, 2));
    assert_eq!((head.nonce_required, head.unlisted), (true, Profile::BamSigned));
    let keys: Vec<_> = read.issuers().map(|one| (one.from, one.until)).collect();
    assert_eq!(keys, [(10, Some(20))]);
    assert_eq!(read.sections().collect::<Vec<_>>(), [(112, "Haupttribüne"), (205, "Gegengerade")]);
    assert_eq!(read.days().collect::<Vec<_>>(), [(100, 199), (200, 299)]);
    assert_eq!(read.nonces_at(130).unwrap().len(), 2);
    assert_eq!(read.event_key().map(hex::encode).as_deref(), Some(POINT));
    assert_eq!(read.revoked_scanners().map(|one| one.last_good).collect::<Vec<_>>(), [5]);
    for (id, profile, floor) in
        [("1", Profile::Signed, 3), ("8", Profile::BamSigned, 0), ("9", Profile::Plain, 0)]
    {
        let id = provider.ticket(id).unwrap();
        let row = read.ticket(&id).unwrap();
        assert_eq!((row.profile, row.floor, row.section, row.entries), (profile, floor, 112, Some(2)));
        assert_eq!(read.seat(&id), Some("112-7-4"));
    }
    assert_eq!(read.ticket_with_code(b"code of 9").unwrap().id, provider.ticket("9").unwrap());
    assert_eq!(Manifest::read(&signed, &key(&self::issuer(3))), Err(ManifestError::BadSignature));
    let printed = format!("{:?} {:?}", request(), ticket("9", Profile::Plain));
    assert_eq!(printed, "ManifestRequest(..) ManifestTicket(..)");
}

type Change = fn(&mut ManifestRequest);

#[test]
fn what_no_gate_would_read_is_refused_by_its_field() {
    let changes: [(&str, Change); 28] = [
        ("provider", |it| it.provider.push('\u{1f}')),
        ("event_id", |it| it.event_id.push('\u{1f}')),
        ("sequence", |it| it.sequence = 0),
        ("entries", |it| it.entries = 0),
        ("unlisted", |it| it.unlisted = Profile::Plain),
        ("issuers", |it| it.issuers[0].public_key = vec![0; 32]),
        ("issuers", |it| it.issuers[0].valid_until = Some(9)),
        ("issuers", |it| (it.issuers[0].valid_from, it.issuers[0].valid_until) = (0, Some(0))),
        ("sections", |it| it.sections[0].code = 112),
        ("sections", |it| it.sections[0].name.clear()),
        ("sections", |it| it.sections[0].name = "x".repeat(65)),
        ("days", |it| it.days[1].end = 200),
        ("days", |it| it.days[1].end = 99),
        ("nonce_epochs", |it| it.nonce_epochs[1].end = 160),
        ("nonce_epochs", |it| it.nonce_epochs[1].nonce.push(0)),
        ("tickets", |it| it.tickets[0].ticket_id.push('\u{1f}')),
        ("tickets", |it| it.tickets[0].generation = 0),
        ("tickets", |it| it.tickets[1].generation = 1),
        ("tickets", |it| it.tickets[1].code = None),
        ("tickets", |it| it.tickets[2].code = None),
        ("tickets", |it| it.tickets[0].entries = Some(0)),
        ("tickets", |it| it.tickets[0].seat = Some(String::new())),
        ("tickets", |it| it.tickets.push(it.tickets[0].clone())),
        ("tickets", |it| {
            let twin = ManifestTicket { ticket_id: "10".to_owned(), ..it.tickets[2].clone() };
            it.tickets.push(twin);
        }),
        ("event_key", |it| it.event_key = Some(b"no key".to_vec())),
        ("revoked", |it| it.revoked[0].chain.push(0)),
        ("revoked", |it| it.revoked[0].last_good = 0),
        ("revoked", |it| it.revoked.push(it.revoked[0].clone())),
    ];
    for (number, (name, change)) in changes.into_iter().enumerate() {
        let mut asked = request();
        change(&mut asked);
        assert_eq!(field(issuer(2).manifest(asked)), name, "{number}");
    }
    assert_eq!(field(ManifestIssuer::new(vec![1; 31])), "seed");
}

#[test]
fn a_delta_leads_from_one_manifest_to_a_later_one() {
    let issuer = issuer(2);
    let first = issuer.manifest(request()).unwrap();
    let mut later = request();
    later.sequence = 8;
    later.tickets[0].state = TicketState::Blocked;
    let second = issuer.manifest(later.clone()).unwrap();
    let delta = issuer.delta(first.clone(), second.clone()).unwrap().unwrap();
    let held = Manifest::read(&first, &key(&issuer)).unwrap();
    let next = Manifest::read(&second, &key(&issuer)).unwrap();
    assert!(held.apply(&delta, &key(&issuer)).unwrap() == next);
    assert!(delta.len() < second.len());
    // One that takes a ticket away has none.
    later.sequence = 9;
    later.tickets.pop();
    let fewer = issuer.manifest(later).unwrap();
    assert_eq!(issuer.delta(second.clone(), fewer).unwrap(), None);
    assert_eq!(field(issuer.delta(second.clone(), first.clone())), "to");
    let elsewhere = ManifestRequest { event_id: "1".to_owned(), sequence: 9, ..request() };
    assert_eq!(field(issuer.delta(first.clone(), issuer.manifest(elsewhere).unwrap())), "to");
    let foreign = self::issuer(3).manifest(request()).unwrap();
    assert_eq!(field(issuer.delta(foreign.clone(), second.clone())), "from");
    assert_eq!(field(issuer.delta(first, foreign)), "to");
    assert_eq!(field(issuer.delta(Vec::new(), second)), "from");
}

type ScannerChange = fn(&mut ScannerRequest);

#[test]
fn a_certificate_says_who_may_write_records() {
    let issuer = issuer(2);
    let signed = issuer.certificate(scanner()).unwrap();
    let said = Certificate::read(&signed, &key(&issuer)).unwrap();
    assert_eq!((said.scanner.0, said.not_before, said.not_after), ([9; 8], 10, Some(20)));
    assert_eq!((said.name.as_str(), said.sections.as_slice()), ("Nordtor 1", [112, 205].as_slice()));
    assert_eq!(Certificate::read(&signed, &key(&self::issuer(3))), Err(LedgerError::BadSignature));
    let changes: [(&str, ScannerChange); 9] = [
        ("provider", |it| it.provider.push('\u{1f}')),
        ("event_id", |it| it.event_id.push('\u{1f}')),
        ("scanner_id", |it| it.scanner_id.push(0)),
        ("scanner_key", |it| it.scanner_key[64] ^= 1),
        ("not_after", |it| it.not_after = Some(9)),
        ("not_after", |it| (it.not_before, it.not_after) = (0, Some(0))),
        ("name", |it| it.name.clear()),
        ("name", |it| it.name = "x".repeat(65)),
        ("sections", |it| it.sections = (0..256).collect()),
    ];
    for (name, change) in changes {
        let mut asked = scanner();
        change(&mut asked);
        assert_eq!(field(issuer.certificate(asked)), name);
    }
}
