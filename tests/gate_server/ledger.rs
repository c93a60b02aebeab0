//! Records up and down.

use serde_json::json;
use ticket_wallet::barcode::DeviceSignature;
use ticket_wallet::error::Error;
use ticket_wallet::ledger::{Certificate, Record, RecordFields};
use ticket_wallet::remote::extension::{Extension, MAX_RECORDS, Vector, gate_session};
use url::Url;
use zeroize::Zeroizing;

use crate::gatehouse::{EVENT, Gatehouse, Scanner, http, new_key};
use crate::phone::TestClock;
use crate::tiny_server::{Answer, TinyServer};

/// A chain of refusals.
fn chain(house: &Gatehouse, scanner: &Scanner, length: usize) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for _ in 0..length {
        records.push(scanner.refusal(records.last(), house.clock.wall_ms()));
    }
    records
}

fn all(records: &[Record]) -> Vec<&Record> {
    records.iter().collect()
}

/// A record with one bit of its signature turned.
fn forged(record: &Record) -> Record {
    let mut bytes = record.as_bytes().to_vec();
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    Record::from_bytes(&bytes).unwrap()
}

#[tokio::test]
async fn records_go_up_in_batches_and_the_answer_is_what_is_held() {
    let house = Gatehouse::new().await;
    let (first, second) = (house.scanner("Tor 1").await, house.scanner("Tor 2").await);
    let (one, two) = (chain(&house, &first, 5), chain(&house, &second, 2));
    let done = house.upload(&first, &all(&one[..3])).await.unwrap();
    assert_eq!(done.held, Vector::from([(first.chain, 3)]));
    // The same again, and more; another gate hands over what it heard.
    let done = house.upload(&first, &all(&one)).await.unwrap();
    assert_eq!((done.held, done.refused, done.forks), (Vector::from([(first.chain, 5)]), vec![], vec![]));
    let done = house.upload(&first, &all(&two)).await.unwrap();
    assert_eq!(done.held, Vector::from([(first.chain, 5), (second.chain, 2)]));
    assert_eq!(house.upload(&second, &[]).await.unwrap().held.len(), 2);
}

#[tokio::test]
async fn a_gap_holds_up_what_comes_after_until_it_is_filled() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let records = chain(&house, &scanner, 4);
    let done = house.upload(&scanner, &[&records[0], &records[2], &records[3]]).await.unwrap();
    assert_eq!((done.held, done.refused), (Vector::from([(scanner.chain, 1)]), vec![]));
    let done = house.upload(&scanner, &[&records[1]]).await.unwrap();
    assert_eq!(done.held, Vector::from([(scanner.chain, 4)]));
}

#[tokio::test]
async fn a_record_that_fails_is_refused_by_its_place_and_the_others_are_taken() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let elsewhere = house.scanner_with(&house.code(2, None), "Tor 1").await;
    let now = house.clock.wall_ms();
    let good = scanner.refusal(None, now);
    let signed = |change: &dyn Fn(&mut RecordFields)| {
        let mut fields = scanner.fields(Some(&good), now);
        change(&mut fields);
        scanner.signed(fields)
    };
    let bad = [
        (forged(&signed(&|_| {})), "bad-signature"),
        (elsewhere.refusal(None, now), "unknown-scanner"),
        (signed(&|fields| fields.event = elsewhere.gate.event), "wrong-event"),
        (signed(&|fields| fields.time_ms = 1000), "not-certified"),
        (signed(&|fields| fields.scanner.0[0] ^= 1), "unknown-scanner"),
    ];
    let batch: Vec<_> = bad.iter().map(|(record, _)| record).chain([&good]).collect();
    let done = house.upload(&scanner, &batch).await.unwrap();
    let reasons: Vec<_> = bad.iter().enumerate().map(|(at, (_, why))| (at, (*why).to_owned())).collect();
    assert_eq!((done.held, done.refused), (Vector::from([(scanner.chain, 1)]), reasons));
    let garbage = [b"no record".to_vec(), good.as_bytes()[..100].to_vec()];
    let done = house.extension.upload_records(&house.http, &scanner.session, &new_key(), &garbage).await;
    let malformed = |at| (at, "malformed".to_owned());
    assert_eq!(done.unwrap().refused, [malformed(0), malformed(1)]);
}

#[tokio::test]
async fn two_records_at_one_place_are_both_kept_and_told() {
    let house = Gatehouse::new().await;
    let (scanner, peer) = (house.scanner("Tor 1").await, house.scanner("Tor 2").await);
    let first = scanner.refusal(None, house.clock.wall_ms());
    let twins = [1, 2].map(|later| scanner.refusal(Some(&first), house.clock.wall_ms() + later));
    let after = scanner.refusal(Some(&twins[1]), house.clock.wall_ms() + 3);
    house.upload(&scanner, &[&first, &twins[0]]).await.unwrap();
    let done = house.upload(&scanner, &[&twins[1], &after]).await.unwrap();
    assert_eq!((done.held, done.forks), (Vector::from([(scanner.chain, 3)]), vec![(scanner.chain, 2)]));
    // Both come down, in the order in which they came.
    let page = house.records_after(&peer, None).await;
    let expected = [&first, &twins[0], &twins[1], &after].map(|record| record.as_bytes().to_vec());
    assert_eq!((page.records, page.more), (expected.to_vec(), false));
}

#[tokio::test]
async fn records_come_down_with_certificates_in_pages() {
    let house = Gatehouse::new().await;
    let (writer, reader) = (house.scanner("Tor 1").await, house.scanner("Tor 2").await);
    let records = chain(&house, &writer, MAX_RECORDS + 3);
    for batch in records.chunks(MAX_RECORDS) {
        house.upload(&writer, &all(batch)).await.unwrap();
    }
    let (mut cursor, mut got, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = house.records_after(&reader, cursor.as_deref()).await;
        let certificate = Certificate::read(&page.certificates[0], &reader.pinned()).unwrap();
        for bytes in &page.records {
            let record = Record::from_bytes(bytes).unwrap();
            record.check(&certificate).unwrap();
            got.push(record);
        }
        (cursor, pages) = (Some(page.cursor), pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, 2);
    assert!(got.iter().map(Record::hash).eq(records.iter().map(Record::hash)));
    let page = house.records_after(&reader, cursor.as_deref()).await;
    assert!(page.records.is_empty() && page.certificates.is_empty() && !page.more);
    assert_eq!(Some(&page.cursor), cursor.as_ref());
    // What a chain goes on with after a gap comes once, like all else.
    let last = records.last().unwrap();
    let next = writer.refusal(Some(last), house.clock.wall_ms());
    let far =
        writer.refusal(Some(&writer.refusal(Some(&next), house.clock.wall_ms())), house.clock.wall_ms());
    house.upload(&writer, &[&far]).await.unwrap();
    let page = house.records_after(&reader, cursor.as_deref()).await;
    assert_eq!(page.records, [far.as_bytes().to_vec()]);
    house.upload(&writer, &[&next]).await.unwrap();
    let page = house.records_after(&reader, Some(&page.cursor)).await;
    assert_eq!(page.records, [next.as_bytes().to_vec()]);
}

#[tokio::test]
async fn a_cursor_of_another_life_of_the_server_begins_anew() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let ask =
        |cursor: &'static str| house.extension.records_after(&house.http, &scanner.session, Some(cursor));
    assert!(ask("4711-1").await.unwrap().is_none());
    assert!(matches!(ask("none").await, Err(Error::Status { status: 400, .. })));
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_sent() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let seen = house.sandbox.requests().len();
    let upload = async |records: Vec<Vec<u8>>| {
        house.extension.upload_records(&house.http, &scanner.session, "key", &records).await.err()
    };
    let names = |field| move |error: &Option<Error>| matches!(error, Some(Error::Input { field: f, .. }) if *f == field);
    assert!(names("records")(&upload(vec![vec![]; MAX_RECORDS + 1]).await));
    assert!(names("records")(&upload(vec![vec![0; 5000]]).await));
    assert_eq!(house.sandbox.requests().len(), seen);
}

#[tokio::test]
async fn what_the_server_says_of_records_is_held_against_what_was_sent() {
    let answers = [
        (json!({"held": {"00": 1}, "refused": [], "forks": []}), "held"),
        (json!({"held": {}, "refused": [{"index": 1, "reason": "x"}]}), "refused.index 1"),
        (json!({"held": {}, "forks": [{"chain": "zz", "sequence": 1}]}), "forks"),
    ];
    for (answer, field) in answers {
        let discovery = json!({"version": 1, "base": "/w", "features": ["gate"], "issuer_keys": []});
        let server = TinyServer::start(move |asked| {
            Answer::ok(if asked.path.ends_with("ticket-wallet") { &discovery } else { &answer }.to_string())
        });
        let http = http(&TestClock::new());
        let origin = Url::parse(&server.url()).unwrap();
        let extension = Extension::discover(&http, &origin).await.unwrap().unwrap();
        let session = gate_session(Zeroizing::new("session".to_owned()));
        let refused = extension.upload_records(&http, &session, "key", &[vec![1]]).await;
        assert!(matches!(&refused, Err(Error::Reply { field: said, .. }) if said == field), "{refused:?}");
    }
}

#[tokio::test]
async fn after_a_revocation_only_what_was_held_counts() {
    let house = Gatehouse::new().await;
    let (bad, peer) = (house.scanner("Tor 1").await, house.scanner("Tor 2").await);
    let records = chain(&house, &bad, 4);
    house.upload(&bad, &all(&records[..2])).await.unwrap();
    let held = house.whole(&peer).await;
    assert!(house.sandbox.revoke_scanner(&bad.gate.scanner.0).unwrap());
    let revoked: Vec<_> = house.next(&peer, &held).await.revoked_scanners().collect();
    assert_eq!(revoked.len(), 1);
    assert_eq!((revoked[0].scanner, revoked[0].chain), (bad.gate.scanner.0, bad.chain.0));
    assert_eq!((revoked[0].last_good, revoked[0].hash), (2, records[1].hash()));
    // A peer hands over the rest, which is kept and named.
    let done = house.upload(&peer, &all(&records)).await.unwrap();
    assert_eq!((done.held[&bad.chain], done.refused.len()), (4, 0));
    let report = house.sandbox.gate_report().unwrap();
    let flaws: Vec<_> =
        report["events"][0]["records"].as_array().unwrap().iter().map(|one| &one["flaw"]).collect();
    let late = json!("revoked scanner");
    assert_eq!(flaws, [&json!(null), &json!(null), &late, &late]);
    // One without any record has none that is good.
    let idle = house.scanner_with(&house.code(EVENT, Some(9)), "Tor 3").await;
    assert!(house.sandbox.revoke_scanner(&idle.gate.scanner.0).unwrap());
    let row = house.whole(&peer).await.revoked_scanners().find(|one| one.scanner == idle.gate.scanner.0);
    assert_eq!(row.map(|row| (row.last_good, row.hash, row.chain)), Some((0, [0; 32], [0; 16])));
}

#[tokio::test]
async fn a_signature_with_a_high_s_is_none() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    let record = scanner.refusal(None, house.clock.wall_ms());
    let (body, signature) = record.as_bytes().split_at(record.as_bytes().len() - 64);
    let signature = p256::ecdsa::Signature::from_slice(signature).unwrap();
    let (r, s) = signature.split_scalars();
    let high = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    assert!(DeviceSignature::from_bytes(&high.to_bytes()).is_err());
    let other = Record::from_bytes(&[body, &high.to_bytes()].concat()).unwrap();
    let done = house.upload(&scanner, &[&other]).await.unwrap();
    assert_eq!(done.refused, [(0, "bad-signature".to_owned())]);
}
