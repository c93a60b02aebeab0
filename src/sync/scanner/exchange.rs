//! What a scanner asks another for, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::sync::PoisonError;

use super::merging::MOST_REFUSED;
use super::{Post, Scanner};
use crate::barcode::{IssuerKey, Purpose};
use crate::device::sign as sign_with;
use crate::error::Error;
use crate::ledger::{
    Certificate, ChainHead, ChainId, ChainState, Delta, HeadFields, Item, MAX_DELTA, Place, Request,
    ScannerId,
};
use crate::model::{EventHash, LedgerDelta, LedgerReport, MergeReport};
use crate::sync::gate::Registered;

/// The shortest delta that can be asked for, in bytes: any item fits.
const MIN_DELTA: u32 = 4096;
/// A delta inside a file, in bytes.
const FILE_DELTA: usize = 1 << 18;
/// Records that are read at once.
const PAGE: u32 = 200;
/// The chains of a request: with more, it asks for some after the others.
const MOST_CHAINS: usize = 8_000;

/// A post whose scanners know each other by certificates.
pub(super) struct Exchange<'a> {
    pub(super) post: &'a Post,
    pub(super) pinned: IssuerKey,
    certificate: &'a [u8],
}

/// Certificates by their scanner, read and as they were signed.
pub(super) type Certificates = BTreeMap<ScannerId, Vec<(Certificate, Vec<u8>)>>;

impl<'a> Exchange<'a> {
    /// # Errors
    /// [`Error::Input`] where the system gives scanners no certificates.
    pub(super) fn of(post: &'a Post) -> Result<Self, Error> {
        let pinned = Registered::read(&post.scanner)?.pinned().ok();
        let certificate = post.scanner.certificate.as_deref();
        let (Some(pinned), Some(certificate)) = (pinned, certificate) else {
            let reason = "scanners of this system have no certificates to know each other by".to_owned();
            return Err(Error::Input { field: "gate", reason });
        };
        Ok(Self { post, pinned, certificate })
    }

    pub(super) fn event(&self) -> EventHash {
        self.post.scanner.event
    }

    /// Reads a certificate of the event. What held once holds as long as this post.
    pub(super) fn certificate(&self, signed: &[u8]) -> Result<Certificate, String> {
        let known = &self.post.certificates;
        if let Some(one) = known.lock().unwrap_or_else(PoisonError::into_inner).get(signed) {
            return Ok(one.clone());
        }
        let certificate = Certificate::read(signed, &self.pinned).map_err(|e| format!("certificate: {e}"))?;
        if certificate.event != self.event() {
            return Err("certificate: of another event".to_owned());
        }
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(signed.to_vec(), certificate.clone());
        Ok(certificate)
    }
}

/// What goes into a delta, up to a number of bytes.
struct Packing {
    items: Vec<Item>,
    free: usize,
    last: Option<Place>,
}

impl Packing {
    /// Whether the items fit; the first ones always do.
    fn put(&mut self, at: Place, items: Vec<Item>) -> bool {
        let size: usize = items.iter().map(Item::size).sum();
        if size > self.free && self.last.is_some() {
            return false;
        }
        self.free = self.free.saturating_sub(size);
        self.items.extend(items);
        self.last = Some(at);
        true
    }
}

impl Scanner {
    /// What this gate would ask another for: all that it does not have.
    ///
    /// # Errors
    /// [`Error::Input`] naming `gate` before a sign-in, or where the system gives scanners no certificates;
    /// [`Error::Vault`], [`Error::Clock`], [`Error::Database`].
    pub fn ledger_request(&self) -> Result<Vec<u8>, Error> {
        self.request_after(&*self.post()?, None)
    }

    pub(super) fn request_after(&self, post: &Post, after: Option<Place>) -> Result<Vec<u8>, Error> {
        let exchange = Exchange::of(post)?;
        let (mut heads, head) = (self.heads(&exchange)?, self.own_head(&exchange)?);
        heads.insert(head.fields().chain, head);
        let least = after.map(|after| after.chain);
        let mut held = self.states(&exchange, &heads)?;
        held.retain(|chain, _| least.is_none_or(|least| *chain >= least));
        let below = held.keys().nth(MOST_CHAINS).copied();
        if let Some(below) = below {
            held.split_off(&below);
        }
        let request = Request {
            event: exchange.event(),
            after,
            below,
            certificate: exchange.certificate.to_vec(),
            head,
            held,
        };
        Ok(request.to_bytes())
    }

    /// What this gate has and the asking one has not, `max_bytes` at most (4 KiB to 1 MiB).
    ///
    /// # Errors
    /// [`Error::Input`] naming `request` for what is no request of a scanner of the event, or one that was revoked; else as
    /// [`Scanner::ledger_request`].
    pub fn ledger_delta(&self, request: &[u8], max_bytes: u32) -> Result<LedgerDelta, Error> {
        let post = self.post()?;
        let exchange = Exchange::of(&post)?;
        let wrong = |reason: String| Error::Input { field: "request", reason };
        let request = Request::from_bytes(request).map_err(|e| wrong(e.to_string()))?;
        let certificate = exchange.certificate(&request.certificate).map_err(wrong)?;
        request.head.check(&certificate).map_err(|e| wrong(format!("head: {e}")))?;
        let manifest = post.knowledge.as_ref().map(super::Knowledge::manifest);
        let revoked = |one: crate::manifest::RevokedScanner| one.scanner == certificate.scanner.0;
        if manifest.is_some_and(|manifest| manifest.revoked_scanners().any(revoked)) {
            return Err(wrong("the asking scanner was revoked".to_owned()));
        }
        let asking = vec![
            Item::Certificate(request.certificate.clone()),
            Item::Head(request.head.as_bytes().to_vec()),
        ];
        self.take_in(&post, asking, false)?;
        let most = usize::try_from(max_bytes.max(MIN_DELTA)).unwrap_or(MAX_DELTA).min(MAX_DELTA);
        let delta = self.delta(&exchange, &request.held, (request.after, request.below), most)?;
        Ok(LedgerDelta { bytes: delta.to_bytes(), more: delta.more.is_some() })
    }

    /// Writes all that is here into a new file, as deltas that each stand behind four bytes of length. Returns how many records.
    ///
    /// # Errors
    /// [`Error::Input`] naming `path` for a file that is there already or cannot be written; else as [`Scanner::ledger_request`].
    pub fn export_ledger(&self, path: &str) -> Result<u32, Error> {
        let post = self.post()?;
        let exchange = Exchange::of(&post)?;
        let wrong = |e: std::io::Error| Error::Input { field: "path", reason: e.kind().to_string() };
        let file = File::create_new(path).map_err(wrong)?;
        let written = self.write_ledger(&exchange, BufWriter::new(file));
        written.map_err(|e| {
            // A part of a ledger is none.
            let _ = fs::remove_file(path);
            match e {
                Unwritten::File(e) => wrong(e),
                Unwritten::Own(e) => e,
            }
        })
    }

    fn write_ledger(&self, exchange: &Exchange<'_>, mut file: BufWriter<File>) -> Result<u32, Unwritten> {
        let (mut after, mut records) = (None, 0);
        loop {
            let delta =
                self.delta(exchange, &BTreeMap::new(), (after, None), FILE_DELTA).map_err(Unwritten::Own)?;
            records += delta.items.iter().filter(|item| matches!(item, Item::Record(_))).count();
            let bytes = delta.to_bytes();
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            file.write_all(&length.to_be_bytes())
                .and_then(|()| file.write_all(&bytes))
                .map_err(Unwritten::File)?;
            after = delta.more;
            if after.is_none() {
                break;
            }
        }
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(Unwritten::File)?;
        Ok(u32::try_from(records).unwrap_or(u32::MAX))
    }

    /// Merges a file that [`Scanner::export_ledger`] wrote, delta by delta; what was merged before an error counts.
    ///
    /// # Errors
    /// [`Error::Input`] naming `path` for a file that cannot be read or is none; else as [`Scanner::merge`].
    pub fn merge_file(&self, path: &str) -> Result<MergeReport, Error> {
        let wrong = |reason: String| Error::Input { field: "path", reason };
        let unreadable = |e: std::io::Error| wrong(e.kind().to_string());
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let (mut all, mut is_whole) = (MergeReport::default(), false);
        while !file.fill_buf().map_err(unreadable)?.is_empty() {
            let mut length = [0; 4];
            file.read_exact(&mut length).map_err(unreadable)?;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if length > MAX_DELTA {
                return Err(wrong("it is no exported ledger".to_owned()));
            }
            let mut bytes = vec![0; length];
            file.read_exact(&mut bytes).map_err(unreadable)?;
            let merged = self.merge(&bytes)?;
            is_whole = merged.next_request.is_none();
            all.add(merged);
        }
        if !is_whole {
            return Err(wrong("it ends too early; what was in it counts".to_owned()));
        }
        all.tell_doubles_anew(self.report()?);
        Ok(all)
    }

    /// What somebody lacks who holds this, of chains from a place up to a bound.
    fn delta(
        &self,
        exchange: &Exchange<'_>,
        held: &BTreeMap<ChainId, ChainState>,
        (after, below): (Option<Place>, Option<ChainId>),
        most: usize,
    ) -> Result<Delta, Error> {
        let mut heads = self.heads(exchange)?;
        let own = self.own_head(exchange)?;
        heads.insert(own.fields().chain, own);
        let certificates = self.certificates(exchange)?;
        let mut packing = Packing { items: Vec::new(), free: most.saturating_sub(DELTA_HEAD), last: None };
        let chains = self.states(exchange, &heads)?.into_iter();
        let asked = chains.filter(|(chain, _)| {
            after.is_none_or(|after| *chain >= after.chain) && below.is_none_or(|below| *chain < below)
        });
        for (chain, ours) in asked {
            let theirs = held.get(&chain);
            let from = after.filter(|after| after.chain == chain);
            let has_all = theirs.is_some_and(|theirs| theirs.has_same_records(&ours));
            let begin = || self.introduction(chain, heads.get(&chain), (theirs, has_all), &certificates);
            let is_full = (from.is_none() && !packing.put(Place::before(chain), begin()?))
                || (!has_all && !self.pack_chain(&mut packing, chain, theirs, from)?);
            if is_full {
                let more = packing.last.or(after);
                return Ok(Delta { event: exchange.event(), more, items: packing.items });
            }
        }
        Ok(Delta { event: exchange.event(), more: below.map(Place::below), items: packing.items })
    }

    /// What comes before a chain's records: its scanner's certificates, which may be others than are held, and its newest head.
    fn introduction(
        &self,
        chain: ChainId,
        head: Option<&ChainHead>,
        (theirs, has_all): (Option<&ChainState>, bool),
        certificates: &Certificates,
    ) -> Result<Vec<Item>, Error> {
        let head = head.filter(|head| theirs.is_none_or(|theirs| head.rank() > theirs.head));
        if has_all && head.is_none() {
            return Ok(Vec::new());
        }
        let scanner = if has_all { None } else { self.scanner_of(chain, head)? };
        let known = scanner.and_then(|scanner| certificates.get(&scanner)).into_iter().flatten();
        let certificates = known.map(|(_, signed)| Item::Certificate(signed.clone()));
        let head = head.map(|head| Item::Head(head.as_bytes().to_vec()));
        Ok(certificates.chain(head).collect())
    }

    fn scanner_of(&self, chain: ChainId, head: Option<&ChainHead>) -> Result<Option<ScannerId>, Error> {
        if let Some(head) = head {
            return Ok(Some(head.fields().scanner));
        }
        let first = self.store.chain_records(&Place::before(chain), 1)?;
        Ok(first.first().map(|first| first.record.fields().scanner))
    }

    /// Packs a chain's records; whether all of them fitted.
    fn pack_chain(
        &self,
        packing: &mut Packing,
        chain: ChainId,
        theirs: Option<&ChainState>,
        from: Option<Place>,
    ) -> Result<bool, Error> {
        let mut at = match (from.filter(|from| from.sequence > 0), theirs) {
            // What came up to there came in this exchange.
            (Some(from), _) => from,
            // Nothing of the place itself, whatever its hash.
            (None, Some(theirs)) => {
                let sequence = theirs.lacks_after(&self.store.places(chain)?);
                Place { chain, sequence, hash: [0xFF; 32] }
            }
            (None, None) => Place { hash: [0xFF; 32], ..Place::before(chain) },
        };
        loop {
            let page = self.store.chain_records(&at, PAGE)?;
            for stored in &page {
                at = stored.record.place();
                if !packing.put(at, vec![Item::Record(stored.record.as_bytes().to_vec())]) {
                    return Ok(false);
                }
            }
            if page.len() < PAGE as usize {
                return Ok(true);
            }
        }
    }

    /// The newest head of each other chain.
    pub(super) fn heads(&self, exchange: &Exchange<'_>) -> Result<BTreeMap<ChainId, ChainHead>, Error> {
        let heads = self.store.gate_heads(exchange.event())?;
        Ok(heads.into_iter().map(|head| (head.fields().chain, head)).collect())
    }

    /// Every scanner's certificates, this one's among them.
    pub(super) fn certificates(&self, exchange: &Exchange<'_>) -> Result<Certificates, Error> {
        let mut found = Certificates::new();
        let own = exchange.certificate.to_vec();
        for signed in self.store.gate_certificates(exchange.event())?.into_iter().chain([own]) {
            if let Ok(certificate) = exchange.certificate(&signed) {
                let of_scanner = found.entry(certificate.scanner).or_default();
                if of_scanner.iter().all(|(_, known)| *known != signed) {
                    of_scanner.push((certificate, signed));
                }
            }
        }
        Ok(found)
    }

    /// What is held of each chain that has records or a head.
    fn states(
        &self,
        exchange: &Exchange<'_>,
        heads: &BTreeMap<ChainId, ChainHead>,
    ) -> Result<BTreeMap<ChainId, ChainState>, Error> {
        let mut states = self.chains.states(&self.store, exchange.event())?;
        for (chain, head) in heads {
            states.entry(*chain).or_default().head = head.rank();
        }
        Ok(states)
    }

    /// How far this scanner's own chain goes, said now.
    fn own_head(&self, exchange: &Exchange<'_>) -> Result<ChainHead, Error> {
        let post = exchange.post;
        let last = self.store.ledger_head(post.chain)?;
        let fields = HeadFields {
            chain: post.chain,
            scanner: post.scanner.scanner,
            event: exchange.event(),
            sequence: last.sequence,
            hash: last.hash,
            time_ms: u64::try_from(self.time.now()?.unix_ms).unwrap_or(0),
        };
        let message = ChainHead::message(&fields.to_bytes());
        let signature = sign_with(&*self.vault, post.scanner.key_handle.clone(), Purpose::Record, message)?;
        let unsayable = |_| Error::Untrusted { what: "the chain's head cannot be said" };
        ChainHead::from_parts(&fields, signature).map_err(unsayable)
    }
}

/// Why a ledger was not written.
enum Unwritten {
    File(std::io::Error),
    Own(Error),
}

/// What a delta has beside its items, at most: magic, event, the place to go on from.
const DELTA_HEAD: usize = 4 + 8 + 1 + 52;

impl MergeReport {
    /// Of the double entries that were told on the way, those that are still some after all: later records may take one back.
    pub fn tell_doubles_anew(&mut self, report: LedgerReport) {
        let told: BTreeSet<_> = self.double_entries.drain(..).map(|double| double.ticket).collect();
        let still = report.double_entries.into_iter().filter(|double| told.contains(&double.ticket));
        self.double_entries.extend(still);
    }

    /// Counts another merge in.
    pub fn add(&mut self, one: Self) {
        self.added += one.added;
        self.repeated += one.repeated;
        self.admissions += one.admissions;
        self.discounted += one.discounted;
        let room = MOST_REFUSED.saturating_sub(self.refused.len());
        self.refused.extend(one.refused.into_iter().take(room));
        let named: BTreeSet<_> = one.double_entries.iter().map(|double| double.ticket.clone()).collect();
        self.double_entries.retain(|double| !named.contains(&double.ticket));
        self.double_entries.extend(one.double_entries);
    }
}
