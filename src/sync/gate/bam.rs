//! Gates of B.A.M: the event's public key is the manifest, for B.A.M's codes prove themselves, and each admission is an
//! invalidation on B.A.M's ledger, signed by the wallet of the event's validator.
//!
//! What is cancelled or used elsewhere is not known here: the ledger says so when an admission is handed over. It does not
//! say who used a ticket, so that after a lost answer a refusal leaves open whether this gate's own request came through;
//! before the step that counts, that it is taken is kept with the record. Exits and what was taken back stay on this
//! device: B.A.M has no call for them. What was taken back after the ledger was told is flagged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::ticketing::NEVER_CLOSES;
use super::{GateSyncReport, Post, Registered, Registration, Scanner};
use crate::admission::Knowledge;
use crate::barcode::{BamCodeTicket, EventKey};
use crate::device::{new_id, random};
use crate::error::Error;
use crate::ledger::{RecordId, ScannerId};
use crate::manifest::{Draft, EntryPolicy, Head, Manifest, Profile};
use crate::model::GateSignIn;
use crate::remote::bam::{Bam, BamValidator, LedgerCall, WalletKey};
use crate::remote::{Http, Session, api_url};
use crate::store::StoredRecord;

/// Records that are read at once.
const BATCH: u32 = 50;
/// What stands before the token in the address that the dashboard's QR code has.
const BEFORE_TOKEN: &str = "/organizer/validator/";
/// What a record says while the ledger's answer is open.
const OPEN: &str = "B.A.M's ledger was asked to invalidate the ticket; its answer has not come";
/// What it says in the end when the answer told neither.
const UNCLEAR: &str = "whether the ticket is invalidated is open";
/// What it says of a refusal after a lost answer.
const LOST_OR_ELSEWHERE: &str =
    "it was invalidated by this record's first request, whose answer was lost, or elsewhere";

/// What signs in to B.A.M and signs on its ledger.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Validator {
    organizer: String,
    tenant: Option<String>,
    enrollment_id: String,
    certificate_pem: String,
    private_key: Zeroizing<String>,
}

opaque_debug!(Validator);

/// What the QR code of a validator holds.
#[derive(Deserialize)]
struct ShownToken {
    url: String,
}

pub(super) async fn register(http: &Arc<Http>, sign_in: &GateSignIn) -> Result<Registration, Error> {
    let bam = Bam::new(Arc::clone(http), &sign_in.config)?;
    let BamValidator { event_id, organizer, wallet, server_url: _ } =
        match bam.validator(&token(sign_in)?).await {
            Err(Error::Status { status: 404, .. }) => {
                return Err(Error::NotFound { what: "admission code" });
            }
            Err(Error::Input { field: "id", reason }) => return Err(wrong_code(&reason)),
            other => other?,
        };
    let mut validator = Validator {
        organizer,
        tenant: None,
        enrollment_id: wallet.enrollment_id,
        certificate_pem: wallet.certificate_pem,
        private_key: wallet.private_key,
    };
    let Desk { bam, session, .. } = Desk::open(bam, &validator).await?;
    validator.tenant = bam.tenant_of_organizer(&session, Some(&validator.organizer)).await?;
    let provider = bam.provider(validator.tenant.as_deref())?;
    let hashed = |e: crate::model::ProviderError| Error::Input { field: "url", reason: e.to_string() };
    Ok(Registration {
        event: provider.event(&event_id).map_err(hashed)?,
        scanner: ScannerId(random()?),
        certificate: None,
        registered: Registered {
            service: sign_in.service,
            config: sign_in.config.clone(),
            name: sign_in.name.clone(),
            provider: Some(provider.to_string()),
            event_id,
            sections: Vec::new(),
            section_uris: Vec::new(),
            manifest_key: None,
            session: String::new(),
            validator: Some(validator),
        },
    })
}

/// The validator's token: the admission code, or what the code's address ends in.
fn token(sign_in: &GateSignIn) -> Result<String, Error> {
    let code = sign_in.admission_code.trim();
    let Ok(ShownToken { url }) = serde_json::from_str(code) else { return Ok(code.to_owned()) };
    let url = Url::parse(&url).map_err(|_| wrong_code("it names no address"))?;
    if url.origin() != api_url(&sign_in.config.url)?.origin() {
        return Err(wrong_code("it is of another server than the one that is signed in to"));
    }
    let token = url.path().split_once(BEFORE_TOKEN).map(|(_, token)| token);
    token.map(str::to_owned).ok_or_else(|| wrong_code("its address names no validator"))
}

fn wrong_code(reason: &str) -> Error {
    Error::Input { field: "admission_code", reason: reason.to_owned() }
}

/// A validator that is signed in.
struct Desk<'a> {
    bam: Bam,
    key: WalletKey,
    validator: &'a Validator,
    session: Session,
}

impl<'a> Desk<'a> {
    async fn of(http: &Arc<Http>, registered: &'a Registered) -> Result<Self, Error> {
        let missing = Error::Untrusted { what: "the gate has no validator of B.A.M" };
        let validator = registered.validator.as_ref().ok_or(missing)?;
        Self::open(Bam::new(Arc::clone(http), &registered.config)?, validator).await
    }

    async fn open(bam: Bam, validator: &'a Validator) -> Result<Self, Error> {
        let key = WalletKey::from_pem(&validator.private_key)?;
        let session = session(&bam, validator, &key).await?;
        Ok(Self { bam, key, validator, session })
    }

    async fn event_key(&self, event_id: &str) -> Result<EventKey, Error> {
        let Validator { tenant, organizer, .. } = self.validator;
        self.bam.event_public_key(&self.session, tenant.as_deref(), organizer, event_id).await
    }

    /// Has a ticket invalidated, with the session renewed once where it has ended meanwhile.
    async fn invalidate(
        &mut self,
        call: &LedgerCall,
        begun: impl Fn(bool) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        match self.try_to_invalidate(call, &begun).await {
            Err(Error::SignedOut) => {
                self.session = session(&self.bam, self.validator, &self.key).await?;
                self.try_to_invalidate(call, &begun).await
            }
            other => other,
        }
    }

    /// The three steps. `begun` is told before the last one, which counts, and when that was surely not taken.
    async fn try_to_invalidate(
        &self,
        call: &LedgerCall,
        begun: &impl Fn(bool) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let (bam, session, tenant) = (&self.bam, Some(&self.session), self.validator.tenant.as_deref());
        let signed = match bam.sign_transaction(session, tenant, call, &self.key).await {
            Err(error) => return refusal(error),
            Ok(signed) => signed,
        };
        begun(true)?;
        match bam.submit(session, tenant, &signed.endorsement, &signed.signature).await {
            Ok(receipt) if receipt.is_done() => Ok(Outcome::Done),
            Ok(receipt) => Ok(Outcome::Unclear(receipt.name().map(str::to_owned))),
            Err(error) => {
                if !error.is_uncertain() {
                    begun(false)?;
                }
                refusal(error)
            }
        }
    }
}

async fn session(bam: &Bam, validator: &Validator, key: &WalletKey) -> Result<Session, Error> {
    let wallet = (validator.enrollment_id.as_str(), key);
    let tokens = bam.sign_in_with_wallet(wallet, &validator.organizer, &new_id()?).await?;
    Ok(Session::new(tokens, Box::new(|_| Ok(()))))
}

/// What the ledger made of an invalidation.
enum Outcome {
    /// It was carried out.
    Done,
    /// It was refused, with this status and code.
    Refused(u16, Option<String>),
    /// It ended in a status that says neither, told where it is a name.
    Unclear(Option<String>),
}

/// A refusal of the ticket, as far as it is one. With what is about the caller, about too many requests, or about an address
/// that is not there the record waits.
fn refusal(error: Error) -> Result<Outcome, Error> {
    match error {
        Error::Status { status: 401 | 403 | 408 | 425 | 429, .. }
        | Error::Status { status: 404, server_code: None, .. } => Err(error),
        Error::Status { status: status @ 400..500, server_code, .. } => {
            Ok(Outcome::Refused(status, server_code))
        }
        _ => Err(error),
    }
}

/// Whether a failure may be about this ticket alone: the service answers, and does not ask to wait or to sign in.
fn may_be_of_one_ticket(error: &Error) -> bool {
    match error {
        Error::Status { retry_after_ms: Some(_), .. } => false,
        Error::Status { status, .. } => matches!(status, 403 | 404 | 500..),
        Error::Reply { .. } => true,
        _ => false,
    }
}

impl Scanner {
    pub(super) async fn prepare_by_bam(
        self: &Arc<Self>,
        post: &Post,
        registered: &Registered,
    ) -> Result<(), Error> {
        let desk = Desk::of(&self.http_for(&registered.config)?, registered).await?;
        let key = desk.event_key(&registered.event_id).await?;
        let held = post.knowledge.as_ref().map(Knowledge::manifest);
        let draft = Draft {
            head: Head {
                event: post.scanner.event,
                sequence: held.map_or(0, |held| held.head().sequence).saturating_add(1),
                as_of: u32::try_from(self.time.now()?.unix_s()).unwrap_or(0),
                closes_at: Some(NEVER_CLOSES),
                policy: EntryPolicy::Single,
                entries: 1,
                nonce_required: false,
                unlisted: Profile::BamSigned,
            },
            issuers: Vec::new(),
            sections: BTreeMap::new(),
            days: Vec::new(),
            epochs: Vec::new(),
            tickets: Vec::new(),
            event_key: Some(key.to_x963().to_vec()),
            revoked: Vec::new(),
        };
        let body =
            draft.to_bytes().map_err(|e| Error::Input { field: e.field, reason: e.reason.to_owned() })?;
        self.use_manifest_apart(post.scanner.clone(), Manifest::from_body(body)?).await
    }

    /// Hands over what there is. A record of which the ledger fails waits, and the others go on; then the first failure is
    /// told.
    pub(super) async fn send_by_bam(
        &self,
        post: &Post,
        registered: &Registered,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let (mut desk, mut after, mut failed) = (None, 0, None);
        loop {
            let batch = self.store.unsent_records(post.scanner.event, after, BATCH)?;
            let Some(last) = batch.last() else { return failed.map_or(Ok(()), Err) };
            after = last.id;
            let mut settled = BTreeSet::new();
            for stored in &batch {
                if settled.contains(&stored.id) {
                    continue;
                }
                let Some(ticket) = used_ticket(stored) else {
                    self.mark_sent(&[(stored.id, self.left_behind(stored)?)], report)?;
                    continue;
                };
                if let Some(undo) = self.undo_of(stored)? {
                    let mut rows = vec![(stored.id, stored.conflict.clone())];
                    if !undo.sent {
                        rows.push((undo.id, self.left_behind(&undo)?));
                    }
                    self.mark_sent(&rows, report)?;
                    settled.insert(undo.id);
                    continue;
                }
                let desk = match &mut desk {
                    Some(desk) => desk,
                    none => none.insert(Desk::of(&self.http_for(&registered.config)?, registered).await?),
                };
                match self.invalidate(desk, stored, ticket).await {
                    Ok(conflict) => {
                        self.store.settle_record(stored.id, conflict.as_deref())?;
                        report.sent += 1;
                        report.conflicts += u32::from(conflict.is_some());
                    }
                    Err(error) if may_be_of_one_ticket(&error) => failed = failed.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// The undo that takes an admission back.
    fn undo_of(&self, stored: &StoredRecord) -> Result<Option<StoredRecord>, Error> {
        let fields = stored.record.fields();
        let Some(id) = fields.ticket else { return Ok(None) };
        let undoes = |other: &StoredRecord| {
            let other = other.record.fields();
            (other.chain, other.evidence.undone) == (fields.chain, Some(fields.sequence))
        };
        Ok(self.store.ticket_records(fields.event, id)?.into_iter().find(undoes))
    }

    /// What an undo leaves on the ledger: it takes no invalidation back.
    fn left_behind(&self, undo: &StoredRecord) -> Result<Option<String>, Error> {
        let fields = undo.record.fields();
        let Some(sequence) = fields.evidence.undone else { return Ok(None) };
        let admission = match self.store.record_at(fields.chain, sequence) {
            Err(Error::NotFound { .. }) => return Ok(None),
            other => other?,
        };
        let holds = match admission.conflict.as_deref() {
            None if admission.sent && used_ticket(&admission).is_some() => "holds",
            Some(note) if leaves_open(note) => "may hold",
            _ => return Ok(None),
        };
        let words = "the ticket as used by the admission that this takes back, and takes nothing back itself";
        Ok(Some(format!("B.A.M's ledger {holds} {words}")))
    }

    /// Has a record's ticket invalidated; gives what B.A.M holds against it.
    async fn invalidate(
        &self,
        desk: &mut Desk<'_>,
        stored: &StoredRecord,
        ticket: BamCodeTicket,
    ) -> Result<Option<String>, Error> {
        let used_at_ms = i64::try_from(stored.record.fields().time_ms).unwrap_or(i64::MAX);
        let call = LedgerCall::invalidate(ticket, used_at_ms, desk.validator.certificate_pem.clone());
        let before = stored.conflict.as_deref();
        let begun = |is: bool| self.store.note_record(stored.id, if is { Some(OPEN) } else { before });
        let said = match desk.invalidate(&call, begun).await? {
            Outcome::Done => return Ok(None),
            Outcome::Unclear(status) => format!(
                "B.A.M's ledger answered {}: {UNCLEAR}",
                status.as_deref().unwrap_or("something else than success")
            ),
            Outcome::Refused(status, code) => {
                let code = code.map(|code| format!(" {code}")).unwrap_or_default();
                format!("B.A.M's ledger refused it ({status}{code}): {}", self.why_refused(stored)?)
            }
        };
        Ok(Some(said))
    }

    /// What a refusal can mean after what this gate has handed over before.
    fn why_refused(&self, stored: &StoredRecord) -> Result<String, Error> {
        if stored.conflict.as_deref() == Some(OPEN) {
            return Ok(LOST_OR_ELSEWHERE.to_owned());
        }
        let fields = stored.record.fields();
        let records =
            fields.ticket.map_or(Ok(Vec::new()), |id| self.store.ticket_records(fields.event, id))?;
        let is_entry = |other: &&StoredRecord| {
            let is_entry = other.record.fields().lets_in();
            is_entry && other.sent && other.conflict.is_none() && other.record.fields().chain == fields.chain
        };
        let taken_back = |id: &RecordId| {
            records.iter().any(|other| other.record.fields().evidence.undone == Some(id.sequence))
        };
        let earlier: Vec<RecordId> = records.iter().filter(is_entry).map(|other| other.record.id()).collect();
        Ok(match (earlier.iter().find(|id| !taken_back(id)), earlier.first()) {
            (Some(id), _) => format!("this gate's record {id} has used the ticket"),
            (None, Some(id)) => format!("this gate's record {id}, taken back, may have used the ticket"),
            (None, None) => "it is used already, or not to be used".to_owned(),
        })
    }
}

/// The ticket that a record has used: of an admission or an override.
fn used_ticket(stored: &StoredRecord) -> Option<BamCodeTicket> {
    let fields = stored.record.fields();
    fields.ticket.filter(|_| fields.lets_in())?;
    stored.code.as_deref().and_then(BamCodeTicket::parse)
}

/// Whether a note leaves open what became of its record's invalidation.
fn leaves_open(note: &str) -> bool {
    note == OPEN || note.ends_with(UNCLEAR) || note.ends_with(LOST_OR_ELSEWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_the_tickets_or_the_services() {
        let status = |status, code: Option<&str>, retry_after_ms| Error::Status {
            endpoint: String::new(),
            status,
            server_code: code.map(str::to_owned),
            retry_after_ms,
        };
        for (number, code) in [(403, None), (403, Some("FORBIDDEN")), (404, None), (500, None), (503, None)] {
            let waits = refusal(status(number, code, None));
            assert!(waits.is_err_and(|error| may_be_of_one_ticket(&error)), "{number}");
        }
        for (number, pause) in [(401, None), (408, None), (425, None), (429, None), (503, Some(1))] {
            let stops = refusal(status(number, None, pause));
            assert!(stops.is_err_and(|error| !may_be_of_one_ticket(&error)), "{number}");
        }
        for error in [Error::SignedOut, Error::Paused, Error::Cancelled] {
            assert!(!may_be_of_one_ticket(&error), "{error:?}");
        }
        for (number, code) in [(404, Some("NO_SUCH_TICKET")), (409, None), (410, None), (422, None)] {
            assert!(matches!(refusal(status(number, code, None)), Ok(Outcome::Refused(..))), "{number}");
        }
    }
}
