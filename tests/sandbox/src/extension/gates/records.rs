//! The records of an event: which of them are linked to the beginning of their chain, which count, and what they say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use ticket_wallet::barcode::{CODE_LEN, Checks, CodeVerdict, IssuerKey, PREFIX, base45, read};
use ticket_wallet::ledger::{Certificate, ChainId, Kind, Record, ScannerId};
use ticket_wallet::manifest::Profile;

use super::Place;
use super::scanner::Scanner;
use crate::app::App;
use crate::problem::Problem;

/// How many seconds a phone's clock and a scanner's may differ.
const TOLERANCE_S: u32 = 60;

/// A record that is kept, and what is known of it.
pub(super) struct Kept {
    pub(super) record: Record,
    /// Every record before it is there.
    pub(super) linked: bool,
}

/// All records of an event, by chain and sequence.
pub(super) struct Records {
    pub(super) all: Vec<Kept>,
    /// Places with two records.
    pub(super) forks: BTreeSet<(ChainId, u32)>,
}

impl Records {
    /// Reads them. Linked are those whose records before are all there.
    pub(super) fn of(db: &Connection, place: &Place) -> Result<Self, Problem> {
        let (mut linked, mut forks) = (HashMap::<(ChainId, u32), Vec<[u8; 32]>>::new(), BTreeSet::new());
        let (mut all, mut before) = (Vec::new(), None);
        for record in stored(db, place)? {
            let fields = record.fields();
            let at = (fields.chain, fields.sequence);
            if before == Some(at) {
                forks.insert(at);
            }
            before = Some(at);
            let parents = linked.get(&(fields.chain, fields.sequence.wrapping_sub(1)));
            let is_linked =
                fields.sequence == 1 || parents.is_some_and(|parents| parents.contains(&fields.previous));
            if is_linked {
                linked.entry(at).or_default().push(record.hash());
            }
            all.push(Kept { record, linked: is_linked });
        }
        Ok(Self { all, forks })
    }

    /// Why each does not count; `None` for one that does. What a scanner wrote after its last good record does not, nor
    /// does an admission whose code does not prove itself.
    pub(super) fn flaws(
        &self,
        app: &App,
        db: &Connection,
        place: &Place,
    ) -> Result<Vec<Option<&'static str>>, Problem> {
        let revocations = revocations(db, place)?;
        let issuer = app.tenant(&place.tenant).and_then(|tenant| tenant.issuer.as_ref());
        let key = issuer.and_then(|issuer| IssuerKey::from_bytes(&issuer.public_key()).ok());
        let keys: Vec<_> = key.into_iter().collect();
        Ok(self.all.iter().map(|kept| flaw(kept, &revocations, &keys)).collect())
    }

    /// Of each chain, up to where every record is there.
    pub(super) fn vector(&self) -> BTreeMap<ChainId, u32> {
        let mut held = BTreeMap::new();
        for kept in self.all.iter().filter(|kept| kept.linked) {
            held.insert(kept.record.fields().chain, kept.record.fields().sequence);
        }
        held
    }
}

/// The tickets that were let in to an event, by records that count.
pub(in super::super) fn admitted(
    app: &App,
    db: &Connection,
    place: &Place,
) -> Result<BTreeSet<[u8; 12]>, Problem> {
    let records = Records::of(db, place)?;
    let flaws = records.flaws(app, db, place)?;
    let counted = records.all.iter().zip(flaws).filter(|(_, flaw)| flaw.is_none());
    let inside = counted.filter(|(kept, _)| kept.record.fields().kind == Kind::Admission);
    Ok(inside.filter_map(|(kept, _)| kept.record.fields().ticket).map(|ticket| ticket.0).collect())
}

fn flaw(
    Kept { record, linked }: &Kept,
    revocations: &HashMap<ScannerId, Vec<(ChainId, u32)>>,
    keys: &[IssuerKey],
) -> Option<&'static str> {
    let fields = record.fields();
    let revoked = revocations.get(&fields.scanner).is_some_and(|chains| {
        !chains.iter().any(|(chain, last_good)| *chain == fields.chain && fields.sequence <= *last_good)
    });
    if !linked {
        Some("incomplete")
    } else if revoked {
        Some("revoked scanner")
    } else if fields.kind == Kind::Admission && fields.profile == Profile::Signed && !proves(record, keys) {
        Some("unproved code")
    } else {
        None
    }
}

/// Whether the code in an admission of a signed ticket lets this ticket in at the record's time.
fn proves(record: &Record, keys: &[IssuerKey]) -> bool {
    let fields = record.fields();
    let Some(code): Option<[u8; CODE_LEN]> = fields.evidence.code else { return false };
    let nonces: Vec<_> = fields.evidence.nonce.into_iter().collect();
    let text = format!("{PREFIX}{}", base45::encode(&code));
    let now = i64::try_from(fields.time_ms / 1000).unwrap_or(i64::MAX);
    let checks = Checks {
        nonce_required: false,
        keys,
        now,
        tolerance_s: TOLERANCE_S,
        nonces: &nonces,
        event: Some(fields.event),
        sections: &[],
    };
    let reading = read(text.as_bytes(), &checks);
    let Some(code) = reading.code.filter(|_| reading.verdict == CodeVerdict::Valid) else { return false };
    let said = code.credential.fields();
    Some(said.ticket) == fields.ticket && said.generation == fields.generation
}

fn stored(db: &Connection, place: &Place) -> Result<Vec<Record>, Problem> {
    let sql =
        "SELECT bytes FROM gate_record WHERE tenant = ?1 AND event_id = ?2 ORDER BY chain, sequence, hash";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map((&place.tenant, place.event), |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|bytes| Record::from_bytes(&bytes?).map_err(|_| Problem::internal())).collect()
}

/// Of each revoked scanner the chains that have a good record, and up to which.
fn revocations(db: &Connection, place: &Place) -> Result<HashMap<ScannerId, Vec<(ChainId, u32)>>, Problem> {
    let sql =
        "SELECT id, chain, last_good FROM gate_revocation JOIN gate_scanner ON gate_scanner.id = scanner
        WHERE tenant = ?1 AND event_id = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map((&place.tenant, place.event), |row| {
        Ok((ScannerId(row.get(0)?), ChainId(row.get(1)?), row.get(2)?))
    })?;
    let mut all = HashMap::<_, Vec<_>>::new();
    for row in rows {
        let (scanner, chain, last_good) = row?;
        all.entry(scanner).or_default().push((chain, last_good));
    }
    Ok(all)
}

/// The certificates of an event's scanners, those that were revoked too.
pub(super) fn certificates(
    app: &App,
    db: &Connection,
    place: &Place,
) -> Result<HashMap<ScannerId, Certificate>, Problem> {
    let issuer = app.tenant(&place.tenant).and_then(|tenant| tenant.manifest.as_ref());
    let key = issuer.ok_or_else(Problem::not_served)?.public_key();
    let key = IssuerKey::from_bytes(&key).map_err(|_| Problem::internal())?;
    let scanners = Scanner::all(db, place)?;
    let read = |one: &Scanner| Certificate::read(&one.certificate, &key).map_err(|_| Problem::internal());
    scanners.iter().map(|one| read(one).map(|certificate| (certificate.scanner, certificate))).collect()
}
