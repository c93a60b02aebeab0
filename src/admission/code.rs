//! Reading whatever was scanned: format 1, B.A.M's signed code, or a text that the manifest knows.

use std::str;

use crate::barcode::{
    BamCode, BamCodeTicket, CODE_LEN, Checks, CodeVerdict, EventKey, IssuerKey, NONCE_LEN, PREFIX, Reading,
    ScannedCode, VerifiedCredentials, read_remembering, strip_scanner_marks,
};
use crate::ledger::Verdict;
use crate::manifest::{Manifest, Profile, TicketRow};
use crate::model::{Provider, TicketHash};

/// The longest text of a QR code (ISO/IEC 18004, table 7: 40-L, digits).
const MAX_TEXT: usize = 7089;
/// `TickeTing` serials: 6 and 12 letters or digits.
const SERIAL_PARTS: [usize; 2] = [6, 12];

/// What a gate knows of its event, ready for scans.
pub struct Knowledge {
    manifest: Manifest,
    keys: Vec<IssuerKey>,
    event_key: Option<EventKey>,
    /// What hashes the ids that B.A.M's codes name.
    provider: Option<Provider>,
    /// The sections let in here; empty lets in all.
    sections: Vec<u16>,
    tolerance_s: u32,
    /// Forgotten with the manifest.
    verified: VerifiedCredentials,
}

opaque_debug!(Knowledge, ReadCode);

/// A code, read as far as it goes without the ticket's history.
#[derive(Clone)]
pub struct ReadCode {
    /// The first check that fails, or [`Verdict::Admit`].
    pub verdict: Verdict,
    /// What kind of code it is, or looks like.
    pub profile: Profile,
    /// The ticket, once the code proves it or the manifest knows it.
    pub ticket: Option<TicketHash>,
    /// The generation of a signed code; 0 for others.
    pub generation: u16,
    /// The section's code; 0 is the whole event.
    pub section: u16,
    /// When the device showed it, Unix seconds; others do not tell.
    pub presented_at: Option<u32>,
    /// The bytes of a signed code that holds, and the venue nonce in it.
    pub proof: Option<([u8; CODE_LEN], Option<[u8; NONCE_LEN]>)>,
    /// What the manifest says of the ticket.
    pub row: Option<TicketRow>,
    /// The code by which its system knows the ticket, where it is not signed.
    pub text: Option<String>,
}

impl ReadCode {
    fn refused(verdict: Verdict, profile: Profile) -> Self {
        Self {
            verdict,
            profile,
            ticket: None,
            generation: 0,
            section: 0,
            presented_at: None,
            proof: None,
            row: None,
            text: None,
        }
    }

    fn of_row(row: TicketRow, profile: Profile, verdict: Verdict, text: &str) -> Self {
        Self {
            ticket: Some(row.id),
            section: row.section,
            row: Some(row),
            text: Some(text.to_owned()),
            ..Self::refused(verdict, profile)
        }
    }
}

impl Knowledge {
    /// Makes a manifest ready for a gate that lets these sections in.
    pub fn new(manifest: Manifest, sections: Vec<u16>, tolerance_s: u32) -> Self {
        let key = |issuer: crate::manifest::Issuer| {
            let until = issuer.until.map_or(i64::MAX, i64::from);
            // The manifest's reader has refused keys that are none.
            Some(IssuerKey::from_bytes(&issuer.key).ok()?.valid_between(i64::from(issuer.from), until))
        };
        let keys = manifest.issuers().filter_map(key).collect();
        let event_key = manifest.event_key().and_then(|key| EventKey::parse(&key).ok());
        let verified = VerifiedCredentials::default();
        Self { manifest, keys, event_key, provider: None, sections, tolerance_s, verified }
    }

    /// With the event's provider, without which B.A.M's codes count for tickets with a row only.
    #[must_use]
    pub fn with_provider(self, provider: Option<Provider>) -> Self {
        Self { provider, ..self }
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The sections let in here; empty lets in all.
    pub fn sections(&self) -> &[u16] {
        &self.sections
    }

    /// Reads scanned bytes at `now`, Unix seconds.
    pub fn read(&self, scanned: &[u8], now: i64) -> ReadCode {
        let stripped = strip_scanner_marks(scanned);
        if stripped.starts_with(PREFIX.as_bytes()) {
            return self.signed(scanned, now);
        }
        match str::from_utf8(stripped).ok().filter(|text| !text.is_empty() && text.len() <= MAX_TEXT) {
            Some(text) => self.plain(text).unwrap_or_else(|| self.bam(text)),
            None => ReadCode::refused(Verdict::Malformed, Profile::Plain),
        }
    }

    /// Holds a signed code against this event at `now`, Unix seconds.
    pub(super) fn check(&self, now: i64, sections: &[u16], read: impl Fn(&Checks<'_>) -> Reading) -> Reading {
        let head = self.manifest.head();
        let nonces = self.manifest.nonces_at(now);
        let checks = Checks {
            keys: &self.keys,
            now,
            tolerance_s: self.tolerance_s,
            nonces: nonces.as_deref().unwrap_or_default(),
            nonce_required: head.nonce_required,
            event: Some(head.event),
            sections,
        };
        read(&checks)
    }

    fn signed(&self, scanned: &[u8], now: i64) -> ReadCode {
        let head = self.manifest.head();
        let reading =
            self.check(now, &self.sections, |checks| read_remembering(scanned, checks, &self.verified));
        let Some(code) = reading.code else {
            let wants_nonce =
                |code: ScannedCode| head.nonce_required || code.credential.fields().nonce_required;
            let lacks_nonce = reading.verdict == CodeVerdict::BadDeviceSignature
                && self.manifest.nonces_at(now).is_none()
                && ScannedCode::parse(scanned).is_some_and(wants_nonce);
            let verdict =
                if lacks_nonce { Verdict::NonceUnavailable } else { Verdict::from(reading.verdict) };
            return ReadCode::refused(verdict, Profile::Signed);
        };
        let fields = code.credential.fields();
        ReadCode {
            ticket: Some(fields.ticket),
            generation: fields.generation,
            section: fields.section,
            presented_at: Some(code.presented_at),
            proof: Some((code.to_bytes(), reading.nonce)),
            row: self.manifest.ticket(&fields.ticket).filter(|_| fields.event == head.event),
            ..ReadCode::refused(reading.verdict.into(), Profile::Signed)
        }
    }

    /// A text that the manifest knows, as it was scanned or, of a serial, before the first colon.
    fn plain(&self, text: &str) -> Option<ReadCode> {
        let mut codes = [Some(text), serial(text)].into_iter().flatten();
        let known = |code: &str| self.manifest.ticket_with_code(code.as_bytes());
        let (row, code) = codes.find_map(|code| Some((known(code)?, code)))?;
        Some(ReadCode::of_row(row, Profile::Plain, self.section_verdict(row.section), code))
    }

    fn bam(&self, text: &str) -> ReadCode {
        let refused = |verdict| ReadCode::refused(verdict, Profile::BamSigned);
        let Ok(code) = BamCode::parse(text) else {
            // One that was sold since the manifest was made may be let in by staff: its system is told.
            let text = serial(text).map(str::to_owned);
            return ReadCode { text, ..ReadCode::refused(Verdict::UnknownTicket, Profile::Plain) };
        };
        let Some(key) = &self.event_key else { return refused(Verdict::UnknownIssuer) };
        // This event's key says nothing of another event's code.
        if self.is_of_other_event(code.ticket()) {
            return refused(Verdict::WrongEvent);
        }
        if code.verify(key).is_err() {
            return refused(Verdict::BadIssuerSignature);
        }
        let named = code.ticket().to_string();
        if let Some(row) = self.manifest.ticket_with_code(named.as_bytes()) {
            return ReadCode::of_row(row, Profile::BamSigned, self.section_verdict(row.section), &named);
        }
        match self.unlisted(&named) {
            Some(ticket) => ReadCode { ticket: Some(ticket), text: Some(named), ..refused(Verdict::Admit) },
            None => refused(Verdict::UnknownTicket),
        }
    }

    fn is_of_other_event(&self, ticket: BamCodeTicket) -> bool {
        let event = self.provider.as_ref().and_then(|of| of.event(&ticket.event.to_string()).ok());
        event.is_some_and(|event| event != self.manifest.head().event)
    }

    /// The ticket without a row that B.A.M's code names, where such tickets are let in by it.
    fn unlisted(&self, named: &str) -> Option<TicketHash> {
        let provider = self.provider.as_ref()?;
        let lets_in = self.manifest.head().unlisted == Profile::BamSigned;
        provider.ticket(named).ok().filter(|_| lets_in)
    }

    fn section_verdict(&self, section: u16) -> Verdict {
        let passes = section == 0 || self.sections.is_empty() || self.sections.contains(&section);
        if passes { Verdict::Admit } else { Verdict::WrongSection }
    }
}

/// The serial that a text begins with, up to the first colon.
fn serial(text: &str) -> Option<&str> {
    text.split(':').next().filter(|before| is_serial(before))
}

fn is_serial(text: &str) -> bool {
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().all(|part| is_part(part)) && parts.iter().map(|part| part.len()).eq(SERIAL_PARTS)
}

impl From<CodeVerdict> for Verdict {
    fn from(verdict: CodeVerdict) -> Self {
        match verdict {
            CodeVerdict::Valid => Self::Admit,
            CodeVerdict::Malformed => Self::Malformed,
            CodeVerdict::UnknownIssuer => Self::UnknownIssuer,
            CodeVerdict::BadIssuerSignature => Self::BadIssuerSignature,
            CodeVerdict::BadDeviceSignature => Self::BadDeviceSignature,
            CodeVerdict::Stale => Self::Stale,
            CodeVerdict::FromTheFuture => Self::FromTheFuture,
            CodeVerdict::NotYetValid => Self::NotYetValid,
            CodeVerdict::LeaseExpired => Self::LeaseExpired,
            CodeVerdict::WrongEvent => Self::WrongEvent,
            CodeVerdict::WrongSection => Self::WrongSection,
        }
    }
}
