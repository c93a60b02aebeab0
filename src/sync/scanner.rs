//! A scanner at work, with no network: what it knows of its event, what it decides, and its ledger.

mod chains;
mod describe;
mod exchange;
mod judging;
mod merging;
mod report;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Mutex as AsyncMutex;

use crate::admission::{Direction, History, Knowledge, Seen, Standing, UNDO_MS, decide};
use crate::barcode::strip_scanner_marks;
use crate::clock::TrustedNow;
use crate::error::Error;
use crate::host::KeyVault;
use crate::ledger::{Certificate, ChainId, Kind, Record, RecordId, ScannerId, Verdict};
use crate::manifest::{Manifest, Profile};
use crate::model::{GateVerdict, TicketHash};
use crate::remote::Http;
use crate::store::{Basis, Beside, LedgerHead, NewRecord, Store, StoredRecord, StoredRefusal, StoredScanner};

use super::gate::Registered;
use super::{Core, TimeKeeper};
use chains::Chains;
use writing::{Entry, Proof};

/// The tolerance between the phone's and the scanner's clock, in seconds.
const TOLERANCE_S: u32 = 10;
/// The same text again within this time is a camera's double read.
const DOUBLE_READ_MS: i64 = 3_000;
/// Others write to the ledger at most so often while one decision is taken.
const TRIES: u32 = 100;

/// A scanner.
pub struct Scanner {
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) time: Arc<TimeKeeper>,
    pub(super) http: Arc<Http>,
    /// One call to the server after the other.
    pub(super) turn: AsyncMutex<()>,
    /// One change at a time of what records are judged by, and of others' records.
    judging: Mutex<()>,
    /// Read while a decision is taken and written; written while another manifest is put into use.
    deciding: RwLock<()>,
    post: RwLock<Option<Arc<Post>>>,
    chains: Chains,
    /// What was said within the time of a double read, the newest last.
    recent: Mutex<VecDeque<RecentScan>>,
    heard: Mutex<Heard>,
}

/// Where a scanner stands, and what it knows there.
pub(super) struct Post {
    pub(super) scanner: StoredScanner,
    pub(super) sections: Vec<u16>,
    pub(super) chain: ChainId,
    pub(super) knowledge: Option<Knowledge>,
    /// Certificates that hold, by what was signed.
    certificates: Mutex<HashMap<Vec<u8>, Certificate>>,
}

/// Who was heard.
#[derive(Default)]
struct Heard {
    /// The scanners that this gate is or has been.
    own: BTreeSet<ScannerId>,
    /// Others, and when each was last known to speak, Unix milliseconds.
    others: BTreeMap<ScannerId, u64>,
}

/// What to do with a code.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// The bytes that came from the camera or reader.
    pub scanned: &'a [u8],
    /// Which way.
    pub direction: Direction,
    /// How many persons, 1 or more.
    pub persons: u16,
}

/// What the ledger has of a ticket.
struct Known {
    records: Vec<StoredRecord>,
    basis: Basis,
}

struct RecentScan {
    text: Vec<u8>,
    direction: Direction,
    persons: u16,
    elapsed_ms: i64,
    said: GateVerdict,
}

opaque_debug!(Scanner, Post);

impl Scanner {
    /// Takes up the post that the store knows. A manifest that cannot be read is none: the ledger goes on without it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn new(core: &Core) -> Result<Self, Error> {
        let scanner = Self {
            store: Arc::clone(&core.store),
            vault: Arc::clone(&core.vault),
            time: Arc::clone(&core.time),
            http: Arc::clone(&core.runner.engine().http),
            turn: AsyncMutex::default(),
            judging: Mutex::default(),
            deciding: RwLock::default(),
            post: RwLock::default(),
            chains: Chains::default(),
            recent: Mutex::default(),
            heard: Mutex::default(),
        };
        if let Some(stored) = scanner.store.scanner()? {
            scanner.take_up(stored)?;
        }
        Ok(scanner)
    }

    /// Stands at a post from now on.
    pub(super) fn take_up(&self, stored: StoredScanner) -> Result<(), Error> {
        let _one_at_a_time = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let _no_decision = self.deciding.write().unwrap_or_else(PoisonError::into_inner);
        self.forget_recent();
        self.chains.forget();
        let own = self.store.own_scanners()?;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard { own, others: BTreeMap::new() };
        let manifest = match self.store.gate_manifest(stored.event) {
            Err(Error::Recovery { .. }) => None,
            other => other?.and_then(|body| Manifest::from_body(body).ok()),
        };
        let knowledge = manifest.map(|manifest| knowledge(&stored, manifest)).transpose()?;
        let chain = self.chain_of(&stored)?;
        let post = Arc::new(Post::new(stored, chain, knowledge)?);
        *self.post.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&post));
        match exchange::Exchange::of(&post) {
            Ok(exchange) => self.remember_heard(&exchange),
            Err(_) => Ok(()),
        }
    }

    /// Where it stands.
    ///
    /// # Errors
    /// [`Error::Input`] when it stands nowhere.
    pub(super) fn post(&self) -> Result<Arc<Post>, Error> {
        let post = self.post.read().unwrap_or_else(PoisonError::into_inner).clone();
        post.ok_or_else(|| unprepared("this gate is signed in to no event; sign in with an admission code"))
    }

    /// Decides about a code. What is said is in the ledger, on the disk, when this returns.
    ///
    /// # Errors
    /// [`Error::Input`] while the gate is not prepared or for no person at all, [`Error::Vault`], [`Error::Clock`],
    /// [`Error::Database`]: nobody was let in.
    pub fn scan(&self, scan: Scan<'_>) -> Result<GateVerdict, Error> {
        if scan.persons == 0 {
            return Err(Error::Input { field: "persons", reason: "one at least".to_owned() });
        }
        let elapsed_ms = self.time.elapsed_ms();
        let text = strip_scanner_marks(scan.scanned);
        if let Some(said) = elapsed_ms.and_then(|now| self.double_read(text, &scan, now)) {
            return Ok(said);
        }
        let said = self.decide_and_write(scan)?;
        if let Some(elapsed_ms) = elapsed_ms {
            self.remember(RecentScan {
                text: text.to_vec(),
                direction: scan.direction,
                persons: scan.persons,
                elapsed_ms,
                said: said.clone(),
            });
        }
        Ok(said)
    }

    /// What was said a moment ago of the same text, for as many persons and the same way.
    fn double_read(&self, text: &[u8], scan: &Scan<'_>, now_ms: i64) -> Option<GateVerdict> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|one| {
            now_ms.checked_sub(one.elapsed_ms).is_some_and(|passed| (0..=DOUBLE_READ_MS).contains(&passed))
        });
        let same = |one: &&RecentScan| {
            one.text == text && one.direction == scan.direction && one.persons == scan.persons
        };
        recent.iter().find(same).map(|one| GateVerdict { is_repeated: true, ..one.said.clone() })
    }

    /// Only what was said last is said again.
    fn remember(&self, scan: RecentScan) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.clear();
        recent.push_back(scan);
    }

    fn decide_and_write(&self, scan: Scan<'_>) -> Result<GateVerdict, Error> {
        let kind = match scan.direction {
            Direction::In => Kind::Admission,
            Direction::Out => Kind::Exit,
        };
        for _ in 0..TRIES {
            let _no_other_manifest = self.deciding.read().unwrap_or_else(PoisonError::into_inner);
            let post = self.post()?;
            let knowledge = post.knowledge()?;
            let now = self.time.now()?;
            let head = self.store.ledger_head(post.chain)?;
            let code = knowledge.read(scan.scanned, now.unix_s());
            let known = self.known_of(&post, head, code.ticket)?;
            let history = history(&post, known.records);
            let floor = code.ticket.map_or(Ok(0), |ticket| self.store.gate_floor(ticket))?;
            let going = (scan.direction, scan.persons);
            let decision = decide(&code, knowledge.manifest(), &history, floor, going, now.unix_s());
            let kind = if decision.verdict == Verdict::Admit { kind } else { Kind::Refusal };
            let entry = Entry::of_code(&code, kind, decision.verdict, scan.persons);
            let refusal = (kind == Kind::Refusal).then(|| StoredRefusal {
                is_leaving: scan.direction == Direction::Out,
                proof: code.proof,
                is_overridden: false,
            });
            let with = refusal.as_ref().into();
            if let Some(record) = self.append(&post, &now, (head, &known.basis), entry, with)? {
                let mut said =
                    describe::verdict(&post, knowledge, &code, &history, &decision, &now, record.id());
                self.describe_peers(&mut said.certainty, &now);
                return Ok(said);
            }
        }
        Err(Error::Untrusted { what: "the ledger changes faster than a decision can be taken" })
    }

    /// What is to be looked at for a decision about a ticket.
    fn known_of(&self, post: &Post, head: LedgerHead, ticket: Option<TicketHash>) -> Result<Known, Error> {
        let of_ticket = |id| self.store.deciding_records(post.scanner.event, id, Some(post.chain));
        let records = ticket.map_or(Ok(Vec::new()), of_ticket)?;
        let seen = records.iter().map(|one| (one.id, one.standing)).collect();
        Ok(Known { basis: Basis { manifests: head.manifests, records: seen }, records })
    }

    /// Takes one of this chain's admissions back, once, within 120 seconds.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] for what cannot be taken back; else as [`Scanner::scan`].
    pub fn undo(&self, id: RecordId) -> Result<StoredRecord, Error> {
        let refused = |reason: &str| Err(Error::Input { field: "record_id", reason: reason.to_owned() });
        let admission = self.store.record_at(id.chain, id.sequence)?;
        let fields = admission.record.fields();
        if fields.kind != Kind::Admission {
            return refused("only an admission can be taken back");
        }
        for _ in 0..TRIES {
            let _no_other_manifest = self.deciding.read().unwrap_or_else(PoisonError::into_inner);
            let post = self.post()?;
            if id.chain != post.chain {
                return refused("only what this scanner admitted can be taken back here");
            }
            let now = self.time.now()?;
            let passed = u64::try_from(now.unix_ms).unwrap_or(0).saturating_sub(fields.time_ms);
            if passed > UNDO_MS {
                return refused(
                    "more than 120 seconds have passed; let staff decide, and note it at an override",
                );
            }
            let head = self.store.ledger_head(post.chain)?;
            let known = self.known_of(&post, head, fields.ticket)?;
            let undone = |one: &StoredRecord| {
                one.record.fields().chain == id.chain
                    && one.record.fields().evidence.undone == Some(id.sequence)
            };
            if known.records.iter().any(undone) {
                return refused("it has been taken back already");
            }
            let (grounds, entry) = ((head, &known.basis), Entry::undo_of(&admission));
            if let Some(record) = self.append(&post, &now, grounds, entry, With::Nothing)? {
                self.forget_recent();
                return self.store.record_at(record.id().chain, record.id().sequence);
            }
        }
        Err(Error::Untrusted { what: "the ledger changes faster than a record can be taken back" })
    }

    /// Lets somebody in against a refusal of this chain, one of the newest, once. The history stays, and this becomes part of
    /// it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] for a record that refused nobody who was coming in, that was overridden, or that
    /// is not among the newest, and for a reason that has not 1 to 200 bytes; else as [`Scanner::scan`].
    pub fn override_refusal(&self, id: RecordId, reason: &str) -> Result<StoredRecord, Error> {
        let refusal = self.store.record_at(id.chain, id.sequence)?;
        for _ in 0..TRIES {
            let _no_other_manifest = self.deciding.read().unwrap_or_else(PoisonError::into_inner);
            let post = self.post()?;
            if id.chain != post.chain || refusal.record.fields().kind != Kind::Refusal {
                let reason = "only a refusal of this scanner can be overridden".to_owned();
                return Err(Error::Input { field: "record_id", reason });
            }
            let (now, head) = (self.time.now()?, self.store.ledger_head(post.chain)?);
            let known = self.known_of(&post, head, refusal.record.fields().ticket)?;
            let entry = Entry::overriding(&refusal, reason, self.overridable(id)?)?;
            let grounds = (head, &known.basis);
            if let Some(record) = self.append(&post, &now, grounds, entry, With::Overriding(id))? {
                self.forget_recent();
                return self.store.record_at(record.id().chain, record.id().sequence);
            }
        }
        Err(Error::Untrusted { what: "the ledger changes faster than a record can be written" })
    }

    /// The signed code behind a refusal, where there is one.
    ///
    /// # Errors
    /// [`Error::Input`] for one that was overridden, that refused somebody who was leaving, or that is too long ago.
    fn overridable(&self, id: RecordId) -> Result<Option<Proof>, Error> {
        let reason = match self.store.refusal(id)? {
            None => "too many were refused since; scan the code again, and override that refusal",
            Some(one) if one.is_leaving => "it refused somebody who was leaving, and an override lets in",
            Some(one) if one.is_overridden => "it has been overridden already",
            Some(one) => return Ok(one.proof),
        };
        Err(Error::Input { field: "record_id", reason: reason.to_owned() })
    }

    /// What was said of codes a moment ago no longer holds.
    fn forget_recent(&self) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Signs a record and keeps it at the end of the chain, unless something of what it was decided on has changed.
    fn append(
        &self,
        post: &Post,
        now: &TrustedNow,
        (head, basis): (LedgerHead, &Basis),
        entry: Entry,
        with: With<'_>,
    ) -> Result<Option<Record>, Error> {
        let record = writing::sign(&*self.vault, post, now, head, &entry)?;
        let standing = standing(post, &record);
        let new = NewRecord { record: &record, code: entry.code.as_deref(), to_send: true, standing };
        let beside = match with {
            With::Nothing => Beside::Nothing,
            With::Refusal(refusal) => Beside::Refusal(record.id(), refusal),
            With::Overriding(id) => Beside::Overriding(id),
        };
        if !self.store.append_record(basis, new, beside)? {
            return Ok(None);
        }
        self.chains.grow(record.fields().event, [record.place()]);
        Ok(Some(record))
    }
}

/// What is kept with a record.
enum With<'a> {
    Nothing,
    Refusal(&'a StoredRefusal),
    Overriding(RecordId),
}

impl<'a> From<Option<&'a StoredRefusal>> for With<'a> {
    fn from(refusal: Option<&'a StoredRefusal>) -> Self {
        refusal.map_or(Self::Nothing, Self::Refusal)
    }
}

/// What a record of this scanner is worth to others; the code of an admission was read a moment ago.
fn standing(post: &Post, record: &Record) -> Standing {
    let fields = record.fields();
    match &post.knowledge {
        _ if fields.kind == Kind::Admission && fields.profile == Profile::Signed => Standing::Counted,
        Some(knowledge) => knowledge.judge(record),
        None if fields.lets_in() => Standing::Unjudged,
        None => Standing::Counted,
    }
}

/// What counts of a ticket's records here: this scanner knows what it saw itself.
pub(super) fn history(post: &Post, records: Vec<StoredRecord>) -> History {
    let seen = records.into_iter().filter_map(|stored| {
        let is_own = stored.record.fields().chain == post.chain;
        (is_own || stored.standing.counts()).then_some(Seen { record: stored.record, is_own })
    });
    History::of(seen)
}

impl Post {
    fn new(mut scanner: StoredScanner, chain: ChainId, knowledge: Option<Knowledge>) -> Result<Self, Error> {
        scanner.chain = Some(chain);
        let sections = super::gate::Registered::read(&scanner)?.sections;
        Ok(Self { scanner, sections, chain, knowledge, certificates: Mutex::default() })
    }

    pub(super) fn knowledge(&self) -> Result<&Knowledge, Error> {
        let missing = "this gate has no manifest; prepare it while there is a network";
        self.knowledge.as_ref().ok_or_else(|| unprepared(missing))
    }
}

/// What a scanner knows by a manifest.
fn knowledge(scanner: &StoredScanner, manifest: Manifest) -> Result<Knowledge, Error> {
    let registered = Registered::read(scanner)?;
    let provider = registered.provider()?;
    Ok(Knowledge::new(manifest, registered.sections, TOLERANCE_S).with_provider(provider))
}

fn unprepared(reason: &str) -> Error {
    Error::Input { field: "gate", reason: reason.to_owned() }
}
