//! A scanner with a certificate that lies: what it writes is signed, and none of it happened.

use ticket_wallet::barcode::CODE_LEN;
use ticket_wallet::ledger::{
    ChainHead, ChainId, Delta, Evidence, HeadFields, Item, Kind, Record, RecordFields, ScannerId, Verdict,
};
use ticket_wallet::manifest::Profile;
use ticket_wallet::model::{EventHash, TicketHash};

use crate::device::DeviceVault;
use crate::dice::Dice;
use crate::tickets::said;

/// Codes of others that it remembers, and lies that it tells again and again.
const REMEMBERED: usize = 200;
/// Lies in one message.
const AT_ONCE: usize = 24;

/// What it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// An admission with a code that is none.
    NoCode,
    /// An admission with the code of another ticket.
    OthersCode,
    /// An admission of another generation than the code's.
    OtherGeneration,
    /// An admission with a true code, long before or after it was shown.
    OtherTime,
    /// An admission with a code from another's record, at its time.
    Wrapped,
    /// The same, and taken back.
    WrappedAndUndone,
    /// Two records at one place.
    Fork,
    Undo,
    Exit,
    Override,
    Refusal,
    /// An admission of a signed ticket by a plain code.
    PlainCode,
    /// An admission in the chain of another scanner.
    InOthersChain,
    /// What another scanner let in, taken back in that one's chain.
    UndoInOthersChain,
    /// The end of another's chain, as far as there are places.
    EndOfOthersChain,
    HeadTooFar,
    HeadFromBefore,
    HeadOfAnother,
}

const LIES: [Lie; 18] = [
    Lie::NoCode,
    Lie::OthersCode,
    Lie::OtherGeneration,
    Lie::OtherTime,
    Lie::Wrapped,
    Lie::WrappedAndUndone,
    Lie::Fork,
    Lie::Undo,
    Lie::Exit,
    Lie::Override,
    Lie::Refusal,
    Lie::PlainCode,
    Lie::InOthersChain,
    Lie::UndoInOthersChain,
    Lie::EndOfOthersChain,
    Lie::HeadTooFar,
    Lie::HeadFromBefore,
    Lie::HeadOfAnother,
];

/// What a lie is about.
pub(crate) struct Occasion {
    /// Unix milliseconds.
    pub(crate) now_ms: i64,
    /// A ticket that was not shown yet.
    pub(crate) ticket: TicketHash,
}

/// What became of a true code.
pub(crate) struct Misused {
    pub(crate) ticket: TicketHash,
    pub(crate) undone: bool,
}

pub(crate) struct Rogue {
    scanner: ScannerId,
    event: EventHash,
    /// A chain beside the one of its own gate.
    pub(crate) chain: ChainId,
    sequence: u32,
    last: [u8; 32],
    /// Admissions that it was brought.
    taken: Vec<RecordFields>,
    lies: Vec<Item>,
    pub(crate) told: u32,
}

impl Rogue {
    pub(crate) fn new(scanner: ScannerId, event: EventHash, dice: &mut Dice) -> Self {
        let chain = ChainId::of(scanner, dice.bytes());
        let (taken, lies) = (Vec::new(), Vec::new());
        Self { scanner, event, chain, sequence: 0, last: [0; 32], taken, lies, told: 0 }
    }

    /// Looks through what others sent for codes.
    pub(crate) fn overhear(&mut self, items: &[Item], dice: &mut Dice) {
        for item in items {
            let Item::Record(bytes) = item else { continue };
            let Ok(record) = Record::from_bytes(bytes) else { continue };
            if record.fields().evidence.code.is_some() && record.fields().scanner != self.scanner {
                keep(&mut self.taken, record.fields().clone(), dice);
            }
        }
    }

    /// Makes up something; returns the codes that it misused by which an entry is proved.
    pub(crate) fn lie(
        &mut self,
        vault: &DeviceVault,
        occasion: &Occasion,
        dice: &mut Dice,
    ) -> Result<Vec<Misused>, String> {
        let Some(lie) = dice.pick(&LIES).copied() else { return Ok(Vec::new()) };
        let taken = dice.pick(&self.taken).cloned();
        let mut misused = Vec::new();
        for item in self.made_up(lie, vault, occasion, taken, dice, &mut misused)? {
            keep(&mut self.lies, item, dice);
            self.told += 1;
        }
        Ok(misused)
    }

    fn made_up(
        &mut self,
        lie: Lie,
        vault: &DeviceVault,
        occasion: &Occasion,
        taken: Option<RecordFields>,
        dice: &mut Dice,
        misused: &mut Vec<Misused>,
    ) -> Result<Vec<Item>, String> {
        let about = Self::about(occasion);
        if matches!(lie, Lie::HeadTooFar | Lie::HeadFromBefore | Lie::HeadOfAnother) {
            return self.head(lie, vault, occasion, taken, dice).map(|head| head.into_iter().collect());
        }
        let own = match lie {
            Lie::NoCode => self.fields(&about, Kind::Admission, Some(dice.bytes())),
            Lie::Exit => self.fields(&about, Kind::Exit, None),
            Lie::Refusal => self.fields(&about, Kind::Refusal, None),
            Lie::Override => self.fields(&about, Kind::Override, None),
            Lie::PlainCode => {
                let plain = Claim { generation: 0, ..about };
                RecordFields { profile: Profile::Plain, ..self.fields(&plain, Kind::Admission, None) }
            }
            Lie::Fork => return self.fork(vault, &about),
            _ => {
                let Some(taken) = taken else { return Ok(Vec::new()) };
                return self.with_taken(lie, vault, &about, &taken, dice, misused);
            }
        };
        Ok(vec![self.add(vault, own)?])
    }

    /// Lies for which it needs another's record.
    fn with_taken(
        &mut self,
        lie: Lie,
        vault: &DeviceVault,
        about: &Claim,
        taken: &RecordFields,
        dice: &mut Dice,
        misused: &mut Vec<Misused>,
    ) -> Result<Vec<Item>, String> {
        let (Some(ticket), code) = (taken.ticket, taken.evidence.code) else { return Ok(Vec::new()) };
        let as_it_was = Claim {
            ticket,
            generation: taken.generation,
            time_ms: taken.time_ms,
            presented_at: taken.presented_at,
        };
        let far = 3_600_000 * (1 + u64::try_from(dice.below(3)).unwrap_or(0));
        let admission = |rogue: &Self, claim: &Claim| rogue.fields(claim, Kind::Admission, code);
        let one = match lie {
            Lie::OthersCode => admission(self, about),
            Lie::OtherGeneration => admission(self, &Claim { generation: taken.generation + 1, ..as_it_was }),
            Lie::OtherTime if dice.percent(50) => {
                admission(self, &Claim { time_ms: taken.time_ms + far, ..as_it_was })
            }
            Lie::OtherTime => admission(self, &Claim { time_ms: taken.time_ms - far, ..as_it_was }),
            Lie::Undo => {
                let undo = self.fields(&as_it_was, Kind::Undo, None);
                RecordFields { evidence: undoing(self.sequence.max(1)), ..undo }
            }
            Lie::InOthersChain => {
                let next = taken.sequence + 1 + u32::try_from(dice.below(3)).unwrap_or(0);
                return self.elsewhere(vault, taken.chain, next, self.fields(about, Kind::Admission, code));
            }
            Lie::UndoInOthersChain => {
                let undo = self.fields(&as_it_was, Kind::Undo, None);
                let undo = RecordFields { evidence: undoing(taken.sequence), ..undo };
                return self.elsewhere(vault, taken.chain, taken.sequence + 1, undo);
            }
            Lie::EndOfOthersChain => {
                let refusal = self.fields(about, Kind::Refusal, None);
                return self.elsewhere(vault, taken.chain, u32::MAX, refusal);
            }
            _ => {
                misused.push(Misused { ticket, undone: lie == Lie::WrappedAndUndone });
                admission(self, &as_it_was)
            }
        };
        if lie == Lie::Undo && self.sequence == 0 {
            return Ok(Vec::new());
        }
        let mut items = vec![self.add(vault, one)?];
        if lie == Lie::WrappedAndUndone {
            let undo = self.fields(&as_it_was, Kind::Undo, None);
            let undo = RecordFields { evidence: undoing(self.sequence), ..undo };
            items.push(self.add(vault, undo)?);
        }
        Ok(items)
    }

    /// Two records that each claim the next place; it goes on from the second.
    fn fork(&mut self, vault: &DeviceVault, about: &Claim) -> Result<Vec<Item>, String> {
        let one = self.fields(about, Kind::Refusal, None);
        let other = RecordFields { verdict: Verdict::Blocked, ..one.clone() };
        let (one, other) = (signed(vault, one)?, self.add(vault, other)?);
        Ok(vec![Item::Record(one.as_bytes().to_vec()), other])
    }

    /// A record of its own under a chain that is another's.
    fn elsewhere(
        &self,
        vault: &DeviceVault,
        chain: ChainId,
        sequence: u32,
        fields: RecordFields,
    ) -> Result<Vec<Item>, String> {
        let record = signed(vault, RecordFields { chain, sequence, previous: [7; 32], ..fields })?;
        Ok(vec![Item::Record(record.as_bytes().to_vec())])
    }

    fn head(
        &self,
        lie: Lie,
        vault: &DeviceVault,
        occasion: &Occasion,
        taken: Option<RecordFields>,
        dice: &mut Dice,
    ) -> Result<Option<Item>, String> {
        let now_ms = u64::try_from(occasion.now_ms).unwrap_or(0);
        let (chain, sequence, time_ms) = match (lie, taken) {
            (Lie::HeadTooFar, _) => (self.chain, self.sequence + 1_000, now_ms.saturating_sub(600_000)),
            (Lie::HeadFromBefore, _) => (self.chain, 1, now_ms + 600_000),
            (_, Some(taken)) => (taken.chain, taken.sequence + 5_000, now_ms + 3_600_000),
            (_, None) => return Ok(None),
        };
        let (scanner, event, hash) = (self.scanner, self.event, dice.bytes());
        let fields = HeadFields { chain, scanner, event, sequence, hash, time_ms };
        let signature = vault.sign_anything(ChainHead::message(&fields.to_bytes()))?;
        let head = ChainHead::from_parts(&fields, signature).map_err(said)?;
        Ok(Some(Item::Head(head.as_bytes().to_vec())))
    }

    /// What it says instead of an honest answer: with lies, and now and then without some records, or with one that it
    /// changed.
    pub(crate) fn twist(&self, delta: Delta, dice: &mut Dice) -> Vec<u8> {
        let Delta { event, more, mut items } = delta;
        if dice.percent(20) {
            items.retain(|_| dice.percent(70));
        }
        if dice.percent(20)
            && let Some(Item::Record(bytes)) = items.last_mut()
            && let Some(byte) = bytes.last_mut()
        {
            *byte ^= 1;
        }
        for _ in 0..AT_ONCE {
            items.extend(dice.pick(&self.lies).cloned());
        }
        let mut bytes = Delta { event, more, items }.to_bytes();
        if dice.percent(3) {
            bytes.pop();
        }
        bytes
    }

    /// What it tells without being asked.
    pub(crate) fn unasked(&self, certificate: &[u8], dice: &mut Dice) -> Vec<u8> {
        let items = vec![Item::Certificate(certificate.to_vec())];
        self.twist(Delta { event: self.event, more: None, items }, dice)
    }

    fn about(occasion: &Occasion) -> Claim {
        let time_ms = u64::try_from(occasion.now_ms).unwrap_or(0);
        let presented_at = u32::try_from(time_ms / 1000).ok();
        Claim { ticket: occasion.ticket, generation: 1, time_ms, presented_at }
    }

    /// What a record at the next place would say.
    fn fields(&self, claim: &Claim, kind: Kind, code: Option<[u8; CODE_LEN]>) -> RecordFields {
        let is_let_in = matches!(kind, Kind::Admission | Kind::Exit | Kind::Undo);
        let reason = (kind == Kind::Override).then(|| "let in by staff".to_owned());
        RecordFields {
            chain: self.chain,
            scanner: self.scanner,
            sequence: self.sequence + 1,
            previous: self.last,
            event: self.event,
            ticket: Some(claim.ticket),
            generation: claim.generation,
            persons: 1,
            time_ms: claim.time_ms,
            presented_at: claim.presented_at,
            kind,
            verdict: if is_let_in { Verdict::Admit } else { Verdict::AlreadyAdmitted },
            profile: Profile::Signed,
            clock_confirmed: true,
            evidence: Evidence { code, reason, ..Evidence::default() },
        }
    }

    /// Signs a record at the end of its chain.
    fn add(&mut self, vault: &DeviceVault, fields: RecordFields) -> Result<Item, String> {
        let record = signed(vault, fields)?;
        (self.sequence, self.last) = (record.fields().sequence, record.hash());
        Ok(Item::Record(record.as_bytes().to_vec()))
    }
}

/// What a lie says that happened.
struct Claim {
    ticket: TicketHash,
    generation: u16,
    time_ms: u64,
    presented_at: Option<u32>,
}

fn undoing(sequence: u32) -> Evidence {
    Evidence { undone: Some(sequence), ..Evidence::default() }
}

fn signed(vault: &DeviceVault, fields: RecordFields) -> Result<Record, String> {
    let bytes = fields.to_bytes().map_err(|e| format!("a lie cannot be said: {e}"))?;
    let signature = vault.sign_anything(Record::message(&bytes))?;
    Record::from_parts(fields, signature).map_err(said)
}

fn keep<T>(all: &mut Vec<T>, one: T, dice: &mut Dice) {
    if all.len() < REMEMBERED {
        all.push(one);
    } else {
        let place = dice.below(all.len());
        all[place] = one;
    }
}
