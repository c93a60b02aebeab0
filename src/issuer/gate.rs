//! The gate's side of a server: manifests, the deltas between them, and scanners' certificates, signed with the event's
//! manifest key. It is another key than the one that signs credentials, so that a gate that is told a new issuer key
//! need not trust whoever has an old one.

use std::collections::BTreeMap;

use super::Signer;
use crate::barcode::{DeviceKey, EventKey, IssuerKey};
use crate::error::WalletError;
use crate::ledger::{Certificate, ScannerId};
use crate::manifest::{
    DELTA_LABEL, Draft, DraftTicket, EntryPolicy, Epoch, Head, Issuer as KnownKey, LABEL, Manifest,
    ManifestError, Profile, RevokedScanner, TicketState, delta,
};
use crate::model::{EventHash, Provider};

/// Holds an event's manifest key and signs what gates work by.
#[derive(uniffi::Object)]
pub struct ManifestIssuer {
    signer: Signer,
}

opaque_debug!(ManifestIssuer);

/// An issuer's key and when gates know it, Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ManifestKey {
    /// Raw Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// First second.
    pub valid_from: u32,
    /// Last second; `None` is for ever.
    pub valid_until: Option<u32>,
}

/// A section's name.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ManifestSection {
    /// The code by which credentials and tickets name it; 0 is the whole event.
    pub code: u16,
    /// As staff call it, 1 to 64 bytes.
    pub name: String,
}

/// A day of the event, Unix seconds; both ends belong to it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ManifestDay {
    /// First second.
    pub begin: u32,
    /// Last second.
    pub end: u32,
}

/// A time in which one venue nonce counts, Unix seconds; both ends belong to it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct NonceEpoch {
    /// First second.
    pub begin: u32,
    /// Last second.
    pub end: u32,
    /// The nonce, 8 random bytes.
    pub nonce: Vec<u8>,
}

/// A ticket as gates shall know it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct ManifestTicket {
    /// The ticket's id in the ticketing system; of a ticket with B.A.M's own code what the code names, like `E1TC2T3`.
    pub ticket_id: String,
    /// Where it stands.
    pub state: TicketState,
    /// Which code lets in.
    pub profile: Profile,
    /// A signed ticket's floor, 1 or more: a lower generation does not let in. 0 for any other ticket.
    pub generation: u16,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// How many times or days, where the ticket has its own number; 1 or more.
    pub entries: Option<u8>,
    /// The code that never changes: the plain code's text, or `E…TC…T…` of a B.A.M ticket. A signed ticket may have one, so
    /// that a gate knows a copy of it. Gates get its hash.
    pub code: Option<String>,
    /// Its seat, as staff read it, 1 to 255 bytes.
    pub seat: Option<String>,
}

/// A scanner whose later records do not count.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ManifestRevocation {
    /// The scanner's id, 8 bytes.
    pub scanner_id: Vec<u8>,
    /// Its chain, 16 bytes.
    pub chain: Vec<u8>,
    /// The sequence of the last record that counts; 0 where none does.
    pub last_good: u32,
    /// SHA-256 of that record, 32 bytes; zeros where none counts.
    pub hash: Vec<u8>,
}

/// What goes into a manifest. The order of lists does not matter. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct ManifestRequest {
    /// The provider's name, for example `bam:api.example.org/org1`.
    pub provider: String,
    /// The event's id in the ticketing system.
    pub event_id: String,
    /// 1 or more, higher in each later manifest of the event.
    pub sequence: u32,
    /// The server's time.
    pub as_of: u32,
    /// From when on nothing of the event is resold or transferred; `None` where nothing ever is.
    pub closes_at: Option<u32>,
    /// How often a ticket lets in.
    pub policy: EntryPolicy,
    /// How many times or days, 1 or more; the other policies do not look at it.
    pub entries: u8,
    /// Whether each signed code must cover a venue nonce.
    pub nonce_required: bool,
    /// Which code lets in a ticket that is left out of `tickets`. A plain code needs a row.
    pub unlisted: Profile,
    /// The keys that sign credentials.
    pub issuers: Vec<ManifestKey>,
    /// Sections.
    pub sections: Vec<ManifestSection>,
    /// Days, without a common second.
    pub days: Vec<ManifestDay>,
    /// Epochs of the venue nonce, without a common second.
    pub nonce_epochs: Vec<NonceEpoch>,
    /// Tickets. One whose code is of the kind `unlisted` may be left out: the code alone lets it in.
    pub tickets: Vec<ManifestTicket>,
    /// B.A.M's event key as its server gives it: PEM, DER, or a point.
    pub event_key: Option<Vec<u8>>,
    /// Revoked scanners.
    pub revoked: Vec<ManifestRevocation>,
}

/// Who shall write records of an event. Times are Unix seconds, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannerRequest {
    /// The provider's name.
    pub provider: String,
    /// The event's id in the ticketing system.
    pub event_id: String,
    /// The scanner's id, 8 bytes; no two of an event's scanners have one.
    pub scanner_id: Vec<u8>,
    /// The scanner's public key, X9.63 uncompressed, 65 bytes.
    pub scanner_key: Vec<u8>,
    /// Its records count from this time.
    pub not_before: u32,
    /// Its records count until this time; `None` is for ever.
    pub not_after: Option<u32>,
    /// The door, as staff call it; 1 to 64 bytes.
    pub name: String,
    /// The sections let in there; none lets in all.
    pub sections: Vec<u16>,
}

opaque_debug!(NonceEpoch, ManifestTicket, ManifestRequest);

#[uniffi::export]
impl ManifestIssuer {
    /// A manifest issuer with this Ed25519 seed of 32 bytes. It shall not be the seed that signs credentials.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for another length.
    #[uniffi::constructor]
    pub fn new(seed: Vec<u8>) -> Result<Self, WalletError> {
        Ok(Self { signer: Signer::new(seed)? })
    }

    /// The raw Ed25519 public key that gates pin, 32 bytes.
    pub fn public_key(&self) -> Vec<u8> {
        self.signer.key.to_bytes().to_vec()
    }

    /// Makes and signs a manifest.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field, for what no gate would read: see `docs/gate.md`.
    pub fn manifest(&self, request: ManifestRequest) -> Result<Vec<u8>, WalletError> {
        let body = draft(&request)?.to_bytes().map_err(|e| {
            // What the checks before let through is wrong between rows: of the tables that are left, the tickets'.
            WalletError::input(if e.field == "tables" { "tickets" } else { e.field }, e.reason)
        })?;
        self.signer.signed(&[LABEL, &body].concat(), body)
    }

    /// The signed delta from one signed manifest of this key to a later one. `None` where none gives the second: a
    /// ticket's row or a whole table is gone. Then gates need the manifest.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming `from` or `to`, for bytes that are no manifest of this key; `to` also for one
    /// of another event, and for one that does not come after `from`.
    pub fn delta(&self, from: Vec<u8>, to: Vec<u8>) -> Result<Option<Vec<u8>>, WalletError> {
        let read = |field, signed: &[u8]| {
            Manifest::read(signed, &self.signer.key).map_err(|e| WalletError::input(field, e))
        };
        let (from, to) = (read("from", &from)?, read("to", &to)?);
        let to = to.after(&from).map_err(|e: ManifestError| WalletError::input("to", e))?;
        let signed = |body: Vec<u8>| self.signer.signed(&[DELTA_LABEL, &body].concat(), body);
        delta(&from, &to).map(signed).transpose()
    }

    /// Certifies a scanner.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field.
    pub fn certificate(&self, request: ScannerRequest) -> Result<Vec<u8>, WalletError> {
        let (_, event) = event(&request.provider, &request.event_id)?;
        let key =
            DeviceKey::from_x963(&request.scanner_key).map_err(|e| WalletError::input("scanner_key", e))?;
        let scanner = ScannerId(exact("scanner_id", &request.scanner_id)?);
        let end = until("not_after", request.not_before, request.not_after)?;
        if !(1..=64).contains(&request.name.len()) {
            return Err(WalletError::input("name", "a name has 1 to 64 bytes"));
        }
        let mut sections = request.sections;
        sections.sort_unstable();
        sections.dedup();
        let certificate = Certificate {
            event,
            scanner,
            key,
            not_before: request.not_before,
            not_after: end,
            name: request.name,
            sections,
        };
        let body = certificate.to_bytes().map_err(|_| WalletError::input("sections", "more than 255"))?;
        self.signer.signed(&Certificate::message(&body), body)
    }
}

fn draft(request: &ManifestRequest) -> Result<Draft, WalletError> {
    let (provider, event) = event(&request.provider, &request.event_id)?;
    for (field, is_zero) in [("sequence", request.sequence == 0), ("entries", request.entries == 0)] {
        if is_zero {
            return Err(WalletError::input(field, "it counts from 1"));
        }
    }
    let event_key = request.event_key.as_deref().map(EventKey::parse).transpose();
    let event_key = event_key.map_err(|e| WalletError::input("event_key", e))?;
    Ok(Draft {
        head: Head {
            event,
            sequence: request.sequence,
            as_of: request.as_of,
            closes_at: request.closes_at.filter(|at| *at != 0),
            policy: request.policy,
            entries: request.entries,
            nonce_required: request.nonce_required,
            unlisted: request.unlisted,
        },
        issuers: request.issuers.iter().map(known_key).collect::<Result<_, _>>()?,
        sections: sections(&request.sections)?,
        days: days(&request.days)?,
        epochs: epochs(&request.nonce_epochs)?,
        tickets: request.tickets.iter().map(|one| ticket(&provider, one)).collect::<Result<_, _>>()?,
        event_key: event_key.map(|key| key.to_x963().to_vec()),
        revoked: revoked(&request.revoked)?,
    })
}

fn event(provider: &str, event_id: &str) -> Result<(Provider, EventHash), WalletError> {
    let provider = Provider::parse(provider).map_err(|e| WalletError::input("provider", e))?;
    let event = provider.event(event_id).map_err(|e| WalletError::input("event_id", e))?;
    Ok((provider, event))
}

fn known_key(key: &ManifestKey) -> Result<KnownKey, WalletError> {
    let checked = IssuerKey::from_bytes(&key.public_key).map_err(|e| WalletError::input("issuers", e))?;
    let until = until("issuers", key.valid_from, key.valid_until)?;
    Ok(KnownKey { key: checked.to_bytes(), from: key.valid_from, until })
}

/// An end that is not before its begin. 0 is no end: in the formats it stands for none.
fn until(field: &str, from: u32, until: Option<u32>) -> Result<Option<u32>, WalletError> {
    match until {
        Some(end) if end < from || end == 0 => Err(WalletError::input(field, "it ends before it begins")),
        until => Ok(until),
    }
}

fn sections(sections: &[ManifestSection]) -> Result<BTreeMap<u16, String>, WalletError> {
    let named: BTreeMap<_, _> = sections.iter().map(|one| (one.code, one.name.clone())).collect();
    if named.len() == sections.len() {
        return Ok(named);
    }
    Err(WalletError::input("sections", "a code comes twice"))
}

fn days(days: &[ManifestDay]) -> Result<Vec<(u32, u32)>, WalletError> {
    let days: Vec<_> = days.iter().map(|day| (day.begin, day.end)).collect();
    apart("days", &days)?;
    Ok(days)
}

fn epochs(epochs: &[NonceEpoch]) -> Result<Vec<Epoch>, WalletError> {
    let times: Vec<_> = epochs.iter().map(|epoch| (epoch.begin, epoch.end)).collect();
    apart("nonce_epochs", &times)?;
    let epoch = |one: &NonceEpoch| {
        Ok(Epoch { begin: one.begin, end: one.end, nonce: exact("nonce_epochs", &one.nonce)? })
    };
    epochs.iter().map(epoch).collect()
}

/// Times that each end after they begin and have no second in common.
fn apart(field: &str, times: &[(u32, u32)]) -> Result<(), WalletError> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let runs_back = sorted.iter().any(|(begin, end)| end < begin);
    if runs_back || sorted.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
        return Err(WalletError::input(
            field,
            "times that end before they begin, or have a second in common",
        ));
    }
    Ok(())
}

fn ticket(provider: &Provider, ticket: &ManifestTicket) -> Result<DraftTicket, WalletError> {
    Ok(DraftTicket {
        id: provider.ticket(&ticket.ticket_id).map_err(|e| WalletError::input("tickets", e))?,
        floor: ticket.generation,
        section: ticket.section,
        state: ticket.state,
        profile: ticket.profile,
        entries: ticket.entries,
        code: ticket.code.clone(),
        seat: ticket.seat.clone(),
    })
}

fn revoked(revoked: &[ManifestRevocation]) -> Result<Vec<RevokedScanner>, WalletError> {
    const FIELD: &str = "revoked";
    let one = |one: &ManifestRevocation| {
        let hash: [u8; 32] = exact(FIELD, &one.hash)?;
        if (one.last_good == 0) != (hash == [0; 32]) {
            return Err(WalletError::input(
                FIELD,
                "a last good record has a sequence and a hash, none has zeros",
            ));
        }
        Ok(RevokedScanner {
            scanner: exact(FIELD, &one.scanner_id)?,
            chain: exact(FIELD, &one.chain)?,
            last_good: one.last_good,
            hash,
        })
    };
    let all = revoked.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let chains: std::collections::BTreeSet<_> = all.iter().map(|one| (one.scanner, one.chain)).collect();
    if chains.len() == all.len() {
        return Ok(all);
    }
    Err(WalletError::input(FIELD, "a scanner's chain comes twice"))
}

fn exact<const N: usize>(field: &str, bytes: &[u8]) -> Result<[u8; N], WalletError> {
    bytes.try_into().map_err(|_| WalletError::input(field, format!("{N} bytes are needed here")))
}
