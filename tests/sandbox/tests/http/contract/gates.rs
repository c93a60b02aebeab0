//! The gates' part.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet::barcode::DeviceSignature;
use ticket_wallet::ledger::{
    ChainId, Evidence, Kind, Record as LedgerRecord, RecordFields, ScannerId, Verdict,
};
use ticket_wallet::manifest::Profile;
use ticket_wallet::model::EventHash;
use ticket_wallet_sandbox::GateTicketEdit;

use super::{Record, refusals};
use crate::support::{Ask, CLUB, Device, THEATRE, begin_write};

const GATES: &str = "/wallet/v1/gates";
const MANIFEST: &str = "/wallet/v1/gates/manifest";
const NONCE: &str = "/wallet/v1/gates/nonce";
const LEDGER: &str = "/wallet/v1/gates/ledger";

impl Record {
    pub(super) async fn gates(&mut self) {
        let user = std::mem::take(&mut self.token);
        let code = self.world.sandbox.admission_codes().unwrap()[0].code.clone();
        let device = Device::new();
        let sign_in = |device: &Device, name: &str| json!({"admission_code": code, "scanner_key": device.public(), "name": name});
        self.refused_sign_ins(sign_in(&device, "Tor 1")).await;
        let gate = self.write(GATES, "g1", sign_in(&device, "Tor 1")).await.json();
        let other = Device::new();
        let peer = self.write(GATES, "g2", sign_in(&other, "Tor 2")).await.json();
        let used_up = self.write(GATES, "g3", sign_in(&Device::new(), "Tor 3")).await;
        assert_eq!(used_up.problem(), "code-used-up");
        let unnamed = self.write(GATES, "g4", sign_in(&Device::new(), "")).await;
        assert_ne!(unnamed.status, 200);
        self.token = gate["session"].as_str().unwrap().to_owned();
        self.gate_reads().await;
        self.common_refusals(LEDGER).await;
        let records = records(&gate, self.world.now(), &device);
        let taken = self.write(LEDGER, "l1", json!(records)).await.json();
        assert_eq!(taken["refused"], json!([{"index": 3, "reason": "bad-signature"}]));
        assert_eq!(
            (taken["held"].as_object().unwrap().len(), taken["forks"].as_array().unwrap().len()),
            (1, 1)
        );
        let page = self.read(&self.path(CLUB, LEDGER), LEDGER).await.json();
        assert_eq!((page["records"].as_array().unwrap().len(), &page["more"]), (3, &json!(false)));
        self.revoked(&peer, sign_in(&other, "Tor 2")).await;
        self.token = user;
    }

    /// The refusals that a sign-in knows. It takes no token.
    async fn refused_sign_ins(&mut self, good: Value) {
        let path = self.path(CLUB, GATES);
        for fault in refusals().into_iter().skip(1) {
            self.world.fault(&path, fault);
            self.write(GATES, "-", good.clone()).await;
        }
        let theatre = self.path(THEATRE, GATES);
        self.write_to(&theatre, GATES, "-", good.clone()).await;
        let ask = Ask {
            method: Method::POST,
            path: path.clone(),
            token: None,
            key: None,
            body: Some(good.clone()),
        };
        let answer = self.world.try_ask(ask).await.unwrap();
        self.check("post", GATES, &answer);
        self.write(GATES, "h1", json!("x".repeat((1 << 20) - 1))).await;
        let mut changed = good.clone();
        changed["admission_code"] = json!("00000000");
        assert_eq!(self.write(GATES, "h2", changed).await.problem(), "unknown-code");
        assert_eq!(self.write(GATES, "h2", good.clone()).await.problem(), "key-reused");
        let mut changed = good.clone();
        changed["scanner_key"] = json!("AAAA");
        assert_eq!(self.write(GATES, "h3", changed).await.problem(), "invalid-field");
        let _slow = begin_write(&self.world, &self.token, &path, "h4", 2).await;
        assert_eq!(self.write(GATES, "h4", good).await.problem(), "in-progress");
    }

    async fn gate_reads(&mut self) {
        for operation in [MANIFEST, NONCE, LEDGER] {
            self.refused_reads(&self.path(CLUB, operation), operation).await;
            self.read(&self.path(THEATRE, operation), operation).await;
        }
        self.read(&self.path(CLUB, NONCE), NONCE).await;
        let path = self.path(CLUB, MANIFEST);
        self.read(&path, MANIFEST).await;
        self.read(&format!("{path}?since=10"), MANIFEST).await;
        let blocked = GateTicketEdit { state: Some("blocked".to_owned()), generation: None };
        assert!(self.world.sandbox.edit_gate_ticket(CLUB, 1, &blocked).unwrap());
        self.read(&format!("{path}?since=10"), MANIFEST).await;
        self.read(&format!("{path}?since=x"), MANIFEST).await;
        for cursor in ["x", "7-0"] {
            self.read(&format!("{}?cursor={cursor}", self.path(CLUB, LEDGER)), LEDGER).await;
        }
        let many = self.write(LEDGER, "m1", json!(vec!["AAAA"; 501])).await;
        assert_eq!(many.problem(), "too-large");
    }

    async fn revoked(&mut self, peer: &Value, sign_in: Value) {
        assert!(self.world.sandbox.revoke_scanner(&binary(peer, "scanner_id")).unwrap());
        assert_eq!(self.write(GATES, "v1", sign_in).await.problem(), "scanner-revoked");
        self.token = peer["session"].as_str().unwrap().to_owned();
        assert_eq!(self.read(&self.path(CLUB, MANIFEST), MANIFEST).await.problem(), "unauthorized");
    }
}

fn binary(gate: &Value, name: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(gate[name].as_str().unwrap()).unwrap()
}

/// A record, two that come after it at one place, and one that somebody else signed.
fn records(gate: &Value, now: i64, device: &Device) -> Vec<String> {
    use base64::Engine as _;
    let first = record(gate, None, now, device);
    let twins = [1, 2].map(|later| record(gate, Some(&first), now + later, device));
    let foreign = record(gate, Some(&first), now + 3, &Device::new());
    let [one, two] = twins;
    let encode =
        |record: LedgerRecord| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(record.as_bytes());
    [first, one, two, foreign].map(encode).to_vec()
}

fn record(gate: &Value, after: Option<&LedgerRecord>, at: i64, device: &Device) -> LedgerRecord {
    let certificate = binary(gate, "certificate");
    let scanner = ScannerId(binary(gate, "scanner_id").try_into().unwrap());
    let fields = RecordFields {
        chain: ChainId::of(scanner, [7; 8]),
        scanner,
        sequence: if after.is_some() { 2 } else { 1 },
        previous: after.map_or([0; 32], LedgerRecord::hash),
        event: EventHash(certificate[4..12].try_into().unwrap()),
        ticket: None,
        generation: 0,
        persons: 1,
        time_ms: u64::try_from(at * 1000).unwrap(),
        presented_at: None,
        kind: Kind::Refusal,
        verdict: Verdict::Malformed,
        profile: Profile::Plain,
        clock_confirmed: true,
        evidence: Evidence::default(),
    };
    let signature = device.sign(&LedgerRecord::message(&fields.to_bytes().unwrap()));
    LedgerRecord::from_parts(fields, DeviceSignature::from_bytes(&signature).unwrap()).unwrap()
}
