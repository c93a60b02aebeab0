//! A tenant's gates: scanners that sign in over real HTTP, and the records that they write.

use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ticket_wallet::barcode::{CODE_LEN, DeviceKey, DeviceSignature, IssuerKey, PREFIX, base45};
use ticket_wallet::clock::{ClockReading, TimeSample};
use ticket_wallet::error::Error;
use ticket_wallet::ledger::{ChainId, Evidence, Kind, Record, RecordFields, Verdict};
use ticket_wallet::manifest::{Manifest, Profile};
use ticket_wallet::model::{Provider, TicketHash};
use ticket_wallet::remote::extension::{
    Extension, GateAnswer, GateSignIn, LedgerPage, ManifestReply, RegisteredGate, Uploaded,
};
use ticket_wallet::remote::{Http, Session, TrustedClock};
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};
use url::Url;

use crate::phone::{self, TestClock};

/// The tenant, and its event that is next.
pub(crate) const CLUB: &str = "nordhafen";
pub(crate) const EVENT: i64 = 1;

struct NoTime;

impl TrustedClock for NoTime {
    fn learn(&self, _: &TimeSample) {}

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        reading.wall_ms / 1000
    }
}

pub(crate) fn http(clock: &TestClock) -> Http {
    let http = Http::new(None, Arc::new(clock.clone()), vec![], Arc::new(NoTime));
    http.set_retry_policy(clock.policy());
    http
}

pub(crate) struct Gatehouse {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Http,
    pub(crate) extension: Extension,
}

impl Gatehouse {
    pub(crate) async fn new() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = phone::sandbox(&clock, config).await;
        let http = http(&clock);
        let extension = discover(&http, &sandbox.url(), CLUB).await;
        Self { clock, sandbox, http, extension }
    }

    /// The code of an event of the club: for a section, or for all.
    pub(crate) fn code(&self, event: i64, section: Option<u16>) -> String {
        let codes = self.sandbox.admission_codes().unwrap();
        let found = codes.into_iter().find(|code| {
            let sections: Vec<_> = code.sections.iter().map(|(code, _)| *code).collect();
            code.tenant == CLUB && code.event_id == event && sections == Vec::from_iter(section)
        });
        found.unwrap().code
    }

    pub(crate) fn ticket(&self, id: impl ToString) -> TicketHash {
        let url = Url::parse(&self.sandbox.url()).unwrap();
        Provider::new("bam", &url, Some(CLUB)).unwrap().ticket(&id.to_string()).unwrap()
    }

    /// A scanner at the club's next event.
    pub(crate) async fn scanner(&self, name: &str) -> Scanner {
        self.scanner_with(&self.code(EVENT, None), name).await
    }

    pub(crate) async fn scanner_with(&self, code: &str, name: &str) -> Scanner {
        let key = ScannerKey::new();
        match self.sign_in(code, &key, name).await.unwrap() {
            GateAnswer::SignedIn(gate) => Scanner::new(*gate, key),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn sign_in(
        &self,
        code: &str,
        key: &ScannerKey,
        name: &str,
    ) -> Result<GateAnswer, Error> {
        let sign_in = GateSignIn { admission_code: code, scanner_key: key.public(), name };
        self.extension.register(&self.http, &new_key(), &sign_in).await
    }

    pub(crate) async fn manifest(
        &self,
        scanner: &Scanner,
        since: Option<u32>,
    ) -> Result<ManifestReply, Error> {
        self.extension.manifest(&self.http, &scanner.session, since).await
    }

    /// The latest manifest, whole.
    pub(crate) async fn whole(&self, scanner: &Scanner) -> Manifest {
        match self.manifest(scanner, None).await.unwrap() {
            ManifestReply::Manifest(bytes) => Manifest::read(&bytes, &scanner.pinned()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The one that comes after, by a delta.
    pub(crate) async fn next(&self, scanner: &Scanner, held: &Manifest) -> Manifest {
        match self.manifest(scanner, Some(held.head().sequence)).await.unwrap() {
            ManifestReply::Delta(bytes) => held.apply(&bytes, &scanner.pinned()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn upload(&self, scanner: &Scanner, records: &[&Record]) -> Result<Uploaded, Error> {
        let records: Vec<_> = records.iter().map(|record| record.as_bytes()).collect();
        self.extension.upload_records(&self.http, &scanner.session, &new_key(), &records).await
    }

    pub(crate) async fn records_after(&self, scanner: &Scanner, cursor: Option<&str>) -> LedgerPage {
        self.extension.records_after(&self.http, &scanner.session, cursor).await.unwrap().unwrap()
    }
}

pub(crate) async fn discover(http: &Http, url: &str, tenant: &str) -> Extension {
    let origin = Url::parse(&format!("{url}/t/{tenant}")).unwrap();
    Extension::discover(http, &origin).await.unwrap().unwrap()
}

/// An idempotency key that was not used before.
pub(crate) fn new_key() -> String {
    hex::encode(ring::rand::generate::<[u8; 16]>(&SystemRandom::new()).unwrap().expose())
}

/// A scanner's P-256 key.
pub(crate) struct ScannerKey(EcdsaKeyPair);

impl ScannerKey {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        Self(pair.unwrap())
    }

    pub(crate) fn public(&self) -> DeviceKey {
        DeviceKey::from_x963(self.0.public_key().as_ref()).unwrap()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> DeviceSignature {
        DeviceSignature::from_der(self.0.sign(&SystemRandom::new(), message).unwrap().as_ref()).unwrap()
    }
}

/// A scanner that has signed in, and its chain.
pub(crate) struct Scanner {
    pub(crate) gate: RegisteredGate,
    pub(crate) key: ScannerKey,
    pub(crate) session: Session,
    pub(crate) chain: ChainId,
}

impl Scanner {
    pub(crate) fn new(gate: RegisteredGate, key: ScannerKey) -> Self {
        let session = gate.session();
        let chain = ChainId::of(gate.scanner, ring::rand::generate(&SystemRandom::new()).unwrap().expose());
        Self { gate, key, session, chain }
    }

    pub(crate) fn pinned(&self) -> IssuerKey {
        self.gate.manifest_key
    }

    /// What a refusal says of a code that names no ticket, at the next place of the chain.
    pub(crate) fn fields(&self, after: Option<&Record>, time_ms: i64) -> RecordFields {
        RecordFields {
            chain: self.chain,
            scanner: self.gate.scanner,
            sequence: after.map_or(0, |record| record.fields().sequence) + 1,
            previous: after.map_or([0; 32], Record::hash),
            event: self.gate.event,
            ticket: None,
            generation: 0,
            persons: 1,
            time_ms: u64::try_from(time_ms).unwrap(),
            presented_at: None,
            kind: Kind::Refusal,
            verdict: Verdict::Malformed,
            profile: Profile::Plain,
            clock_confirmed: true,
            evidence: Evidence::default(),
        }
    }

    /// An admission of a ticket whose code is not signed.
    pub(crate) fn admission(&self, after: Option<&Record>, time_ms: i64, ticket: TicketHash) -> Record {
        let fields = self.fields(after, time_ms);
        let admitted =
            RecordFields { ticket: Some(ticket), kind: Kind::Admission, verdict: Verdict::Admit, ..fields };
        self.signed(admitted)
    }

    pub(crate) fn refusal(&self, after: Option<&Record>, time_ms: i64) -> Record {
        self.signed(self.fields(after, time_ms))
    }

    pub(crate) fn signed(&self, fields: RecordFields) -> Record {
        let signature = self.key.sign(&Record::message(&fields.to_bytes().unwrap()));
        Record::from_parts(fields, signature).unwrap()
    }
}

/// The bytes inside the text of a signed code.
pub(crate) fn code_bytes(text: &str) -> [u8; CODE_LEN] {
    base45::decode(text.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap().try_into().unwrap()
}
