//! Random ledgers of several scanners, honest and not, with what is true of each record known from how it was made.

use proptest::prelude::*;
use ticket_wallet::ledger::{Evidence, Kind, Record, RecordFields, Verdict};
use ticket_wallet::manifest::Profile;

use crate::peers::{Peer, code_bytes, ticket};
use crate::venue::{Shown, Venue};

pub(crate) const SIGNED: [&str; 3] = ["1", "2", "3"];
pub(crate) const PLAIN: &str = "plain";

/// How an admission of a signed ticket is proved, or is not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof {
    Good,
    GoodOfNextGeneration,
    OtherTicket,
    OtherGeneration,
    OtherTime,
    TooOld,
    /// The device's signature is of another frame.
    Spoilt,
    /// Taken from the newest good admission of anybody.
    Taken,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Admit(usize, Proof),
    AdmitPlain,
    Exit(usize),
    Undo { late: bool },
    Override { of: usize, with_code: bool },
    Refuse,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) peer: usize,
    pub(crate) deed: Deed,
    /// How many come in or leave.
    pub(crate) persons: u16,
    /// The scanner's clock is set back before it by five minutes, and stays so.
    pub(crate) is_set_back: bool,
    /// Also says something else at the same place, and goes on from there.
    pub(crate) forks: bool,
    /// Is lost on the way to everybody.
    pub(crate) is_lost: bool,
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![
        6 => Just(Proof::Good),
        2 => Just(Proof::GoodOfNextGeneration),
        1 => Just(Proof::OtherTicket),
        1 => Just(Proof::OtherGeneration),
        1 => Just(Proof::OtherTime),
        1 => Just(Proof::TooOld),
        1 => Just(Proof::Spoilt),
        2 => Just(Proof::Taken),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let deed = prop_oneof![
        8 => (0..SIGNED.len(), proof()).prop_map(|(of, proof)| Deed::Admit(of, proof)),
        2 => Just(Deed::AdmitPlain),
        2 => (0..SIGNED.len()).prop_map(Deed::Exit),
        2 => any::<bool>().prop_map(|late| Deed::Undo { late }),
        2 => (0..SIGNED.len(), any::<bool>()).prop_map(|(of, with_code)| Deed::Override { of, with_code }),
        1 => Just(Deed::Refuse),
    ];
    let rarely = || prop::bool::weighted(0.1);
    (0..3_usize, deed, 1..=3_u16, rarely(), rarely(), rarely()).prop_map(
        |(peer, deed, persons, is_set_back, forks, is_lost)| Step {
            peer,
            deed,
            persons,
            is_set_back,
            forks,
            is_lost,
        },
    )
}

/// A record, and whether its code proves it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) record: Record,
    pub(crate) is_proved: bool,
    pub(crate) is_lost: bool,
}

/// Makes the records of a plan; the clock of each scanner goes on by a second with each step, unless it is set back.
pub(crate) fn make(venue: &Venue, peers: &[Peer], steps: &[Step]) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    let mut behind_s = vec![0_i64; peers.len()];
    for (number, step) in (0_i64..).zip(steps) {
        let peer = &peers[step.peer];
        let back = if step.is_set_back { 300 } else { 0 };
        // No credential is older than an hour.
        behind_s[step.peer] = (behind_s[step.peer] + back).min(1_500);
        let at_s = number - 600 - behind_s[step.peer];
        let before = made.iter().rev().map(|one| &one.record).find(|one| one.fields().chain == peer.chain);
        let before = before.cloned();
        let (mut fields, is_proved) = fields(venue, peer, &made, before.as_ref(), step.deed, at_s);
        if matches!(step.deed, Deed::AdmitPlain | Deed::Exit(_)) || is_of_its_own(step.deed) {
            fields.persons = step.persons;
        }
        let fork = RecordFields { persons: fields.persons + 1, ..fields.clone() };
        for fields in [Some(fork).filter(|_| step.forks), Some(fields)].into_iter().flatten() {
            made.push(Made { record: peer.sign(fields), is_proved, is_lost: step.is_lost });
        }
    }
    made
}

/// An admission that is not taken from another scanner's.
fn is_of_its_own(deed: Deed) -> bool {
    matches!(deed, Deed::Admit(_, proof) if !matches!(proof, Proof::Taken))
}

fn fields(
    venue: &Venue,
    peer: &Peer,
    made: &[Made],
    before: Option<&Record>,
    deed: Deed,
    at_s: i64,
) -> (RecordFields, bool) {
    let time_ms = u64::try_from((venue.now_s() + at_s) * 1000).unwrap();
    let plain = peer.after(before, time_ms);
    let show = |of: usize, generation, presented| {
        let code = venue.show(&Shown { generation, presented, ..Shown::of(SIGNED[of]) });
        (code_bytes(&code), u32::try_from(venue.now_s() + presented).unwrap())
    };
    match deed {
        Deed::Admit(of, proof) => {
            let other = (of + 1) % SIGNED.len();
            let (mut code, mut presented_at) = match proof {
                Proof::OtherTicket => show(other, 1, at_s),
                Proof::GoodOfNextGeneration => show(of, 2, at_s),
                Proof::TooOld => show(of, 1, at_s - 300),
                Proof::Taken => {
                    let is_good = |one: &&Made| {
                        one.is_proved
                            && one.record.fields().kind == Kind::Admission
                            && one.record.fields().profile == Profile::Signed
                    };
                    let Some(taken) = made.iter().rev().find(is_good) else { return (plain, true) };
                    let said = taken.record.fields();
                    let chain = RecordFields { persons: 9, time_ms: said.time_ms + 1, ..said.clone() };
                    let RecordFields { chain: own, scanner, sequence, previous, .. } = plain;
                    return (RecordFields { chain: own, scanner, sequence, previous, ..chain }, true);
                }
                _ => show(of, 1, at_s),
            };
            match proof {
                Proof::Spoilt => code[180] ^= 1,
                Proof::OtherTime => presented_at += 1,
                _ => {}
            }
            let generation =
                if matches!(proof, Proof::OtherGeneration | Proof::GoodOfNextGeneration) { 2 } else { 1 };
            let named = (ticket(SIGNED[of]), generation);
            let fields = peer.admission((before, time_ms), named, (code, presented_at));
            (fields, matches!(proof, Proof::Good | Proof::GoodOfNextGeneration))
        }
        Deed::AdmitPlain => {
            let admitted = (Kind::Admission, Verdict::Admit);
            (of_plain(plain, admitted), true)
        }
        Deed::Exit(of) => (named(plain, of, (Kind::Exit, Verdict::Admit)), true),
        Deed::Undo { late } => {
            let is_own = |one: &&Made| {
                one.record.fields().chain == peer.chain && one.record.fields().kind == Kind::Admission
            };
            let Some(admission) = made.iter().rev().find(is_own) else { return (plain, true) };
            let said = admission.record.fields();
            let undone = Evidence { undone: Some(said.sequence), ..Evidence::default() };
            let RecordFields { sequence, previous, .. } = plain;
            let time_ms = said.time_ms + if late { 120_001 } else { 120_000 };
            let undo = RecordFields { kind: Kind::Undo, evidence: undone, time_ms, ..said.clone() };
            (RecordFields { sequence, previous, ..undo }, true)
        }
        Deed::Override { of, with_code } => {
            let (code, presented_at) = show(of, 1, at_s - 900);
            let reason = Some("the phone is old".to_owned());
            let code = Some(code).filter(|_| with_code);
            let evidence = Evidence { reason, code, ..Evidence::default() };
            let fields = named(plain, of, (Kind::Override, Verdict::Stale));
            (RecordFields { presented_at: Some(presented_at), evidence, ..fields }, with_code)
        }
        Deed::Refuse => (plain, true),
    }
}

fn named(fields: RecordFields, of: usize, (kind, verdict): (Kind, Verdict)) -> RecordFields {
    let ticket = Some(ticket(SIGNED[of]));
    RecordFields { ticket, generation: 1, kind, verdict, profile: Profile::Signed, ..fields }
}

fn of_plain(fields: RecordFields, (kind, verdict): (Kind, Verdict)) -> RecordFields {
    RecordFields { ticket: Some(ticket(PLAIN)), kind, verdict, ..fields }
}
