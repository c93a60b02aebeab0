//! What a gate says to staff.

use crate::admission::Allowed;
use crate::clock::ClockUncertainty;
use crate::ledger::{Kind, Verdict};
use crate::manifest::Profile;
use crate::model::SystemConfig;

/// What a gate signs in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum GateService {
    /// The extension beside whatever system sells the tickets: signed manifests, every record handed over.
    Extension,
    /// TickeTing itself: its list of tickets, admissions handed over.
    Ticketing,
    /// B.A.M itself: tickets by their signed codes, of which the event's key vouches; admissions go to its ledger.
    Bam,
}

/// What a member of staff signs in with.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct GateSignIn {
    /// What to sign in to.
    pub service: GateService,
    /// Where it is. TickeTing looks codes up for the app's own key: [`crate::model::TicketingConfig::app_key`].
    pub config: SystemConfig,
    /// The code that the organiser gave out; it fixes event and sections. Of B.A.M the validator's token, or the text of the
    /// QR code in which its dashboard shows it.
    pub admission_code: String,
    /// The door, as staff call it; 1 to 64 bytes.
    pub name: String,
    /// Whether records of the post before that were not sent are left on this device, where they stay.
    #[uniffi(default = false)]
    pub leave_unsent: bool,
}

opaque_debug!(GateSignIn);

/// What a gate's sync did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct GateSyncReport {
    /// Records handed over, or that stay here because the system has no call for them.
    pub sent: u32,
    /// How many of them the server holds something against; each says what.
    pub conflicts: u32,
    /// Records that wait for the next sync.
    pub unsent: u32,
    /// Records of other scanners that came from the server.
    pub received: u32,
}

/// How far a gate is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum GateReadiness {
    /// It is not signed in to an event.
    NotSignedIn,
    /// It has no manifest that can be read: it must prepare while there is a network.
    NotPrepared,
    /// It can scan, but tickets could still change hands after its manifest was made: that a ticket was resold since is
    /// seen only by the higher generation of its new copy.
    ReadyWithOldData,
    /// Its manifest is as new as the end of resale and transfer.
    Ready,
}

/// Whether others take the records that a scanner writes now: other scanners, and the server of the extension, by its
/// certificate. Times are Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum GateCertification {
    /// It has no certificate: it is not signed in, or its system gives none.
    NotNeeded,
    /// It is certified now.
    Valid {
        /// The last second; `None` is for ever.
        until: Option<i64>,
    },
    /// Not yet: others refuse what is recorded now. If the time of this device is right, signing in again helps.
    NotYetValid {
        /// The first second.
        from: i64,
    },
    /// No more: others refuse what is recorded now. Signing in again helps.
    Expired {
        /// The last second that counted.
        at: i64,
    },
    /// Its certificate cannot be read: others refuse what is recorded. Signing in again helps.
    Unreadable,
}

/// A section of an event.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GateSection {
    /// The code inside signed bytes.
    pub code: u16,
    /// Its name; the code in digits where the manifest has none.
    pub name: String,
}

/// What a gate is, and how far it is prepared. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GateStatus {
    /// How far it is prepared.
    pub readiness: GateReadiness,
    /// The door's name, as it was signed in.
    pub name: Option<String>,
    /// The event, 16 hex digits.
    pub event: Option<String>,
    /// This scanner, 16 hex digits.
    pub scanner: Option<String>,
    /// The sections let in here; empty lets in all.
    pub sections: Vec<GateSection>,
    /// The sequence of the manifest in use.
    pub manifest_sequence: Option<u32>,
    /// When its server made it.
    pub manifest_as_of: Option<i64>,
    /// From when on nothing is resold or transferred.
    pub closes_at: Option<i64>,
    /// Tickets that the manifest lists.
    pub tickets: u32,
    /// Records that the server does not have yet.
    pub unsent: u32,
    /// Whether others take what it records now.
    pub certification: GateCertification,
    /// How sure the time is.
    pub clock: ClockUncertainty,
}

/// How sure a gate is of what it says.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GateCertainty {
    /// Whether what it knows is as new as the end of resale and transfer.
    pub readiness: GateReadiness,
    /// How old the manifest is, in seconds.
    pub manifest_age_s: i64,
    /// How sure the scanner's time is. Unconfirmed, as after a reboot without a network, a code may be refused as stale or
    /// from the future, or a photograph pass, as far as the wall clock is wrong; the tolerance is never widened for it.
    pub clock: ClockUncertainty,
    /// Whether the code itself proves that it is no copy: signed just now by the device that the ticket is bound to.
    pub is_proved: bool,
    /// Other scanners of the event that were heard of.
    pub peers: u32,
    /// How long ago the one was heard that was heard last, in seconds. What others admitted since is not known here.
    pub newest_peer_age_s: Option<i64>,
    /// How long ago the one was heard that was not heard for longest.
    pub oldest_peer_age_s: Option<i64>,
}

/// An entry that stands against another.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct EarlierEntry {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// At which scanner, 16 hex digits.
    pub scanner: String,
    /// Whether it was this one.
    pub is_here: bool,
    /// The generation that was let in; 0 for a code that is not signed.
    pub generation: u16,
    /// Whether it was with a copy that is no longer valid: the holder of the newest one has not been here.
    pub on_superseded_copy: bool,
    /// Its record, for [`crate::Gate::undo`] and support.
    pub record_id: String,
}

/// What a gate says of a scanned code.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GateVerdict {
    /// Let in, or the first reason not to.
    pub verdict: Verdict,
    /// What kind of code it is.
    pub profile: Profile,
    /// The ticket, 24 hex digits, where the code names one.
    pub ticket: Option<String>,
    /// The generation of a signed code; 0 for others.
    pub generation: u16,
    /// The section, where the ticket is for one.
    pub section: Option<GateSection>,
    /// The seat, as staff read it.
    pub seat: Option<String>,
    /// Persons of this ticket who came in, this time not counted.
    pub entered: u32,
    /// How often the ticket lets in.
    pub allowed: Allowed,
    /// The entry that stands against this one.
    pub earlier: Option<EarlierEntry>,
    /// How sure the gate is.
    pub certainty: GateCertainty,
    /// The record on the disk.
    pub record_id: String,
    /// Whether this is a camera's double read: nothing was decided or written anew.
    pub is_repeated: bool,
}

/// A record of this gate.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GateRecord {
    /// Chain and sequence.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// What the scanner said.
    pub verdict: Verdict,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// The ticket, 24 hex digits.
    pub ticket: Option<String>,
    /// Generation; 0 for a code that is not signed.
    pub generation: u16,
    /// Persons.
    pub persons: u16,
    /// Of an override: why.
    pub override_reason: Option<String>,
    /// Whether the server has it.
    pub is_sent: bool,
    /// What the server holds against it.
    pub conflict: Option<String>,
}

/// How often a verdict came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct VerdictCount {
    /// The verdict.
    pub verdict: Verdict,
    /// How often.
    pub count: u32,
}

/// What happened at a gate.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct GateStatistics {
    /// Persons let in, overrides among them; what was taken back is not.
    pub entered: u32,
    /// Persons who left.
    pub left: u32,
    /// Persons let in against a verdict.
    pub overridden: u32,
    /// Persons whose admission was taken back.
    pub undone: u32,
    /// Refusals, by verdict.
    pub refusals: Vec<VerdictCount>,
    /// Records that the server does not have yet.
    pub unsent: u32,
}
