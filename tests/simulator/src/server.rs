//! The event's server: scanners sign in there over HTTP on the loopback address, and fetch manifests.

use std::sync::{Arc, Mutex, PoisonError};

use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::manifest::{EntryPolicy, Profile, TicketState};
use ticket_wallet::model::{EventHash, GateService, GateSignIn, Provider, SystemConfig};
use ticket_wallet::{ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation, ManifestTicket};

use crate::device::BEGIN_MS;
use crate::event_server::{Desk, EVENT, PROVIDER, answer};
use crate::tickets::{said, ticket_id};
use crate::tiny_server::TinyServer;

pub(crate) struct Server {
    keys: Arc<ManifestIssuer>,
    desk: Arc<Mutex<Desk>>,
    server: TinyServer,
    issuer_key: Vec<u8>,
}

/// What a manifest says beside its keys.
#[derive(Default)]
pub(crate) struct Notice {
    pub(crate) sequence: u32,
    pub(crate) revoked: Vec<u32>,
    pub(crate) resold: Vec<u32>,
    pub(crate) rogues: Vec<ManifestRevocation>,
}

impl Server {
    pub(crate) fn start(issuer_key: Vec<u8>) -> Result<Self, String> {
        let keys = Arc::new(ManifestIssuer::new(vec![9; 32]).map_err(said)?);
        let desk = Arc::<Mutex<Desk>>::default();
        let (its_keys, its_desk) = (Arc::clone(&keys), Arc::clone(&desk));
        let server = TinyServer::start(move |asked| {
            answer(asked, &its_keys, &mut its_desk.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let server = Self { keys, desk, server, issuer_key };
        server.publish(&Notice { sequence: 1, ..Notice::default() })?;
        Ok(server)
    }

    /// Gives out a manifest from now on.
    pub(crate) fn publish(&self, notice: &Notice) -> Result<(), String> {
        let row = |ticket: u32, state, generation| ManifestTicket {
            ticket_id: ticket_id(ticket),
            state,
            profile: Profile::Signed,
            generation,
            section: 0,
            entries: None,
            code: None,
            seat: None,
        };
        let revoked = notice.revoked.iter().map(|ticket| row(*ticket, TicketState::Revoked, 1));
        let resold = notice.resold.iter().map(|ticket| row(*ticket, TicketState::Valid, 2));
        let request = ManifestRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            sequence: notice.sequence,
            as_of: u32::try_from(BEGIN_MS / 1000).unwrap_or(0) + notice.sequence,
            closes_at: None,
            policy: EntryPolicy::Single,
            entries: 1,
            nonce_required: false,
            unlisted: Profile::Signed,
            issuers: vec![ManifestKey {
                public_key: self.issuer_key.clone(),
                valid_from: 0,
                valid_until: None,
            }],
            sections: Vec::new(),
            days: Vec::new(),
            nonce_epochs: Vec::new(),
            tickets: revoked.chain(resold).collect(),
            event_key: None,
            revoked: notice.rogues.clone(),
        };
        let manifest = self.keys.manifest(request).map_err(said)?;
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).offered = manifest;
        Ok(())
    }

    pub(crate) fn sign_in(&self, door: &str) -> GateSignIn {
        GateSignIn {
            service: GateService::Extension,
            config: SystemConfig::at(self.server.url()),
            admission_code: "K7Q2M4XA".to_owned(),
            name: door.to_owned(),
            leave_unsent: false,
        }
    }

    /// The key that certificates are signed with.
    pub(crate) fn pinned(&self) -> Result<IssuerKey, String> {
        IssuerKey::from_bytes(&self.keys.public_key()).map_err(said)
    }

    /// The certificate of who signed in last.
    pub(crate) fn last_certificate(&self) -> Vec<u8> {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.certificates.last().cloned().unwrap_or_default()
    }

    pub(crate) fn event() -> Result<EventHash, String> {
        Provider::parse(PROVIDER).map_err(said)?.event(EVENT).map_err(said)
    }
}
