//! An event's server with the extension's gates, whose manifest a test writes, and a door that is signed in there.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use ticket_wallet::barcode::{
    Credential, DeviceSignature, IssuerKey, Purpose, bam_code_text, code_text, proof_message,
};
use ticket_wallet::host::{KeyVault as _, SoftwareVault};
use ticket_wallet::ledger::Certificate;
use ticket_wallet::manifest::{EntryPolicy, Profile, TicketState};
use ticket_wallet::model::{GateService, GateSignIn, GateVerdict, SystemConfig};
use ticket_wallet::{
    Config, CredentialRequest, Gate, Issuer, ManifestIssuer, ManifestKey, ManifestRequest, ManifestSection,
    ManifestTicket, WalletError,
};

use crate::phone::{TestClock, vault_in};
use crate::raw_key::{keyed, raw_key};
use crate::tiny_server::TinyServer;

#[path = "event_server.rs"]
mod event_server;

use event_server::{Desk, answer};
pub(crate) use event_server::{EVENT, PROVIDER};

pub(crate) struct Venue {
    pub(crate) clock: TestClock,
    pub(crate) issuer: Issuer,
    pub(crate) keys: Arc<ManifestIssuer>,
    vault: SoftwareVault,
    server: TinyServer,
    desk: Arc<Mutex<Desk>>,
    /// The server's own time, where it tells it.
    told_time: Arc<Mutex<Option<TestClock>>>,
    _folder: TempDir,
}

/// A ticket's barcode to be: what the issuer signs, and when and how the device shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) ticket: &'static str,
    pub(crate) event: &'static str,
    pub(crate) generation: u16,
    pub(crate) section: u16,
    /// Seconds from now.
    pub(crate) presented: i64,
    pub(crate) not_before: i64,
    pub(crate) lease_end: i64,
    pub(crate) nonce: Option<[u8; 8]>,
    pub(crate) nonce_required: bool,
}

impl Shown {
    pub(crate) fn of(ticket: &'static str) -> Self {
        Self {
            ticket,
            event: EVENT,
            generation: 1,
            section: 0,
            presented: 0,
            not_before: -3_600,
            lease_end: 86_400,
            nonce: None,
            nonce_required: false,
        }
    }
}

pub(crate) struct Door {
    pub(crate) folder: TempDir,
    pub(crate) clock: TestClock,
    pub(crate) gate: Gate,
}

impl Venue {
    pub(crate) fn new(clock: &TestClock) -> Self {
        Self::with_key(clock, [9; 32])
    }

    /// One whose manifests are signed by the key of this seed.
    pub(crate) fn with_key(clock: &TestClock, seed: [u8; 32]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = SoftwareVault::new(folder.path().join("phone.json").to_str().unwrap().to_owned());
        let (keys, desk) =
            (Arc::new(ManifestIssuer::new(seed.to_vec()).unwrap()), Arc::<Mutex<Desk>>::default());
        let told_time = Arc::<Mutex<Option<TestClock>>>::default();
        let server = {
            let (keys, desk, told_time) = (Arc::clone(&keys), Arc::clone(&desk), Arc::clone(&told_time));
            TinyServer::start(move |asked| {
                let answered = answer(asked, &keys, &mut desk.lock().unwrap());
                let clock = told_time.lock().unwrap().clone();
                clock.map_or(answered.clone(), |clock| answered.with(&date(&clock)))
            })
        };
        let issuer = Issuer::new(vec![7; 32]).unwrap();
        let venue =
            Self { clock: clock.clone(), issuer, keys, vault, server, desk, told_time, _folder: folder };
        venue.offer(&venue.request());
        venue
    }

    /// One that says what time it is.
    pub(crate) fn with_date(self) -> Self {
        *self.told_time.lock().unwrap() = Some(self.clock.clone());
        self
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.wall_ms() / 1000
    }

    /// A manifest with the issuer's key and no ticket.
    pub(crate) fn request(&self) -> ManifestRequest {
        ManifestRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            sequence: 1,
            as_of: u32::try_from(self.now_s()).unwrap(),
            closes_at: None,
            policy: EntryPolicy::Single,
            entries: 1,
            nonce_required: false,
            unlisted: Profile::Signed,
            issuers: vec![ManifestKey {
                public_key: self.issuer.public_key(),
                valid_from: 0,
                valid_until: None,
            }],
            sections: vec![ManifestSection { code: 7, name: "North".to_owned() }],
            days: Vec::new(),
            nonce_epochs: Vec::new(),
            tickets: Vec::new(),
            event_key: None,
            revoked: Vec::new(),
        }
    }

    /// The row of a ticket that lets in by this kind of code.
    pub(crate) fn row(ticket: &str, profile: Profile, code: Option<&str>) -> ManifestTicket {
        ManifestTicket {
            ticket_id: ticket.to_owned(),
            state: TicketState::Valid,
            profile,
            generation: u16::from(profile == Profile::Signed),
            section: 0,
            entries: None,
            code: code.map(str::to_owned),
            seat: None,
        }
    }

    /// Gives out this manifest from now on.
    pub(crate) fn offer(&self, request: &ManifestRequest) {
        self.offer_bytes(self.keys.manifest(request.clone()).unwrap());
    }

    pub(crate) fn offer_bytes(&self, bytes: Vec<u8>) {
        self.desk.lock().unwrap().offered = bytes;
    }

    /// Certifies scanners that sign in from now on between these times, seconds from now; without an end for ever.
    pub(crate) fn certify(&self, from: i64, until: Option<i64>) {
        let at = |seconds: i64| u32::try_from(self.now_s() + seconds).unwrap();
        self.desk.lock().unwrap().certified = (at(from), until.map(at));
    }

    /// The records that it was handed.
    pub(crate) fn records(&self) -> Vec<Vec<u8>> {
        self.desk.lock().unwrap().records.clone()
    }

    /// The certificate of the scanner that registered last.
    pub(crate) fn certificate(&self) -> Certificate {
        let key = IssuerKey::from_bytes(&self.keys.public_key()).unwrap();
        Certificate::read(self.desk.lock().unwrap().certificates.last().unwrap(), &key).unwrap()
    }

    pub(crate) fn sign_in(&self) -> GateSignIn {
        sign_in_at(self.server.url())
    }

    /// A door that is signed in and prepared.
    pub(crate) async fn door(&self) -> Door {
        self.door_named("North door").await
    }

    pub(crate) async fn door_named(&self, name: &str) -> Door {
        let door = Door::new(&self.clock);
        door.gate.sign_in(GateSignIn { name: name.to_owned(), ..self.sign_in() }).await.unwrap();
        door
    }

    /// The text that a phone shows.
    pub(crate) fn show(&self, shown: &Shown) -> String {
        self.show_signed_by(shown, &self.issuer)
    }

    pub(crate) fn show_signed_by(&self, shown: &Shown, issuer: &Issuer) -> String {
        let at = |seconds: i64| u32::try_from(self.now_s() + seconds).unwrap();
        let key = format!("{}-{}", shown.ticket, shown.generation);
        let request = CredentialRequest {
            provider: PROVIDER.to_owned(),
            event_id: shown.event.to_owned(),
            ticket_id: shown.ticket.to_owned(),
            section: shown.section,
            generation: shown.generation,
            not_before: at(shown.not_before),
            lease_end: at(shown.lease_end),
            window_s: 30,
            nonce_required: shown.nonce_required,
            device_key: self.vault.create_key(key.clone()).unwrap(),
        };
        let credential = Credential::from_bytes(&issuer.credential(request).unwrap()).unwrap();
        let message = proof_message(&credential, at(shown.presented), shown.nonce.as_ref());
        let signature = self.vault.sign(key, Purpose::Present, message).unwrap();
        code_text(&credential, at(shown.presented), &DeviceSignature::from_der(&signature).unwrap())
    }
}

impl Door {
    pub(crate) fn new(clock: &TestClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gate = open(folder.path(), clock).unwrap();
        Self { folder, clock: clock.clone(), gate }
    }

    /// Closes the gate and opens it again.
    pub(crate) fn restart(self) -> Self {
        let Self { folder, clock, gate } = self;
        drop(gate);
        let gate = open(folder.path(), &clock).unwrap();
        Self { folder, clock, gate }
    }

    pub(crate) fn scan(&self, text: &str) -> GateVerdict {
        self.gate.scan(text.as_bytes().to_vec(), 1).unwrap()
    }
}

/// What a venue's server at this address takes.
pub(crate) fn sign_in_at(url: String) -> GateSignIn {
    GateSignIn {
        service: GateService::Extension,
        config: SystemConfig::at(url),
        admission_code: "K7Q2M4XA".to_owned(),
        name: "North door".to_owned(),
        leave_unsent: false,
    }
}

pub(crate) fn open(folder: &std::path::Path, clock: &TestClock) -> Result<Gate, WalletError> {
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    Gate::open(config, vault_in(folder), Some(Arc::new(clock.clone())), None)
}

fn date(clock: &TestClock) -> String {
    let now = chrono::DateTime::from_timestamp_millis(clock.wall_ms()).unwrap();
    format!("date: {}", now.format("%a, %d %b %Y %H:%M:%S GMT"))
}

/// B.A.M's key of an event.
pub(crate) struct BamKey {
    vault: SoftwareVault,
    point: Vec<u8>,
    _folder: TempDir,
}

impl BamKey {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = SoftwareVault::new(folder.path().join("bam.json").to_str().unwrap().to_owned());
        let point = vault.create_key("event".to_owned()).unwrap();
        Self { vault, point, _folder: folder }
    }

    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.point.clone()
    }

    /// The static code of a ticket.
    pub(crate) fn code(&self, seq_num: u64) -> String {
        self.code_of(&format!("E{EVENT}TC1T{seq_num}"))
    }

    /// The static code of whatever ticket.
    pub(crate) fn code_of(&self, named: &str) -> String {
        let payload = format!(r#"{{"id":"{named}"}}"#).into_bytes();
        let signature = self.vault.sign("event".to_owned(), Purpose::Present, payload.clone()).unwrap();
        bam_code_text(&payload, &signature)
    }
}

/// Puts other bytes in the place of the manifest of a closed gate.
pub(crate) fn spoil_manifest(folder: &std::path::Path) {
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    assert_eq!(database.execute("UPDATE gate_manifest_part SET bytes = x'00'", []).unwrap(), 1);
}
