//! One exchange of ledgers: who connects asks until there is no more, and then it is the other one's turn.

use std::sync::Arc;

use indicatif::ProgressBar;
use ticket_wallet::ledger::{ChainHead, Delta, Item, Place, Record, Request};
use ticket_wallet::model::{LedgerDelta, MergeReport};
use ticket_wallet::{Gate, WalletError};

use super::link::Link;
use crate::failure::{Failure, PeerTrouble};
use crate::output::one_line;

/// The longest delta that is handed out: short enough to say in between how far it is.
const PIECE: u32 = 64 << 10;
/// So many deltas in an exchange may bring nothing of use, and so many requests ask for the same again.
const MOST_IDLE: u32 = 64;
/// What a gate says in place of a delta, before the reason.
const REFUSAL: &[u8] = b"TWN1";
/// A reason has so many characters at most.
const MAX_REASON: usize = 200;
/// What passes the turn on.
const TURN: &[u8] = b"";

/// What an exchange did so far.
#[derive(Default)]
pub(super) struct Exchanged {
    pub(super) merged: MergeReport,
    /// Records that were handed out.
    pub(super) sent: u32,
}

/// An exchange with one other gate.
pub(super) struct Exchange {
    gate: Arc<Gate>,
    link: Link,
    bar: ProgressBar,
    done: Exchanged,
}

impl Exchange {
    /// `bar` tells how far it is.
    pub(super) fn new(gate: Arc<Gate>, link: Link, bar: ProgressBar) -> Self {
        Self { gate, link, bar, done: Exchanged::default() }
    }

    /// The side that connects.
    pub(super) async fn begin(mut self) -> Result<Exchanged, Failure> {
        let outcome = match self.ask().await {
            Ok(()) => self.answer().await,
            failed => failed,
        };
        self.end(outcome).await
    }

    /// The side that listens.
    pub(super) async fn follow(mut self) -> Result<Exchanged, Failure> {
        let outcome = match self.answer().await {
            Ok(()) => self.ask().await,
            failed => failed,
        };
        self.end(outcome).await
    }

    async fn end(mut self, outcome: Result<(), Failure>) -> Result<Exchanged, Failure> {
        self.bar.finish_and_clear();
        match outcome {
            Ok(()) if self.done.merged.double_entries.is_empty() => Ok(self.done),
            Ok(()) => {
                let report = self.local(Gate::report).await?;
                self.done.merged.tell_doubles_anew(report);
                Ok(self.done)
            }
            Err(Failure::Peer(trouble, reason)) if self.done.merged.added > 0 => {
                let counts = format!("{reason}; {} new records had come and count", self.done.merged.added);
                Err(Failure::Peer(trouble, counts))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Asks for all that the other gate has and this one lacks.
    async fn ask(&mut self) -> Result<(), Failure> {
        let mut request = Some(self.local(Gate::ledger_request).await?);
        let (mut furthest, mut idle) = (None, 0);
        while let Some(asked) = request {
            self.link.send(&asked).await?;
            let delta = self.link.receive().await?;
            if let Some(reason) = delta.strip_prefix(REFUSAL) {
                return Err(refused(reason));
            }
            let last = last_place(&delta);
            let merged = self.local(move |gate| gate.merge(delta)).await.map_err(|e| of_peer(e, "delta"))?;
            // What is held already ends, as its places rise.
            let goes_on = last > furthest && merged.refused.is_empty();
            idle += u32::from(merged.added == 0 && !goes_on);
            furthest = furthest.max(last);
            if idle > MOST_IDLE {
                return Err(endless("goes on and on, and says nothing new"));
            }
            request = merged.next_request.clone();
            self.done.merged.add(merged);
            self.tell();
        }
        self.link.send(TURN).await
    }

    /// Answers until the turn is passed on.
    async fn answer(&mut self) -> Result<(), Failure> {
        let (mut asked_last, mut idle) = (None, 0);
        loop {
            let request = self.link.receive().await?;
            if request == TURN {
                return Ok(());
            }
            let asked = Request::from_bytes(&request).ok().and_then(|request| request.after);
            idle += u32::from(asked <= asked_last);
            if idle > MOST_IDLE {
                return Err(endless("asks for the same again and again"));
            }
            asked_last = asked;
            match self.local(move |gate| gate.ledger_delta(request, PIECE)).await {
                Ok(delta) => {
                    self.link.send(&delta.bytes).await?;
                    self.done.sent += records(&delta);
                    self.tell();
                }
                Err(failure) => {
                    // Whether the other gate hears that makes no difference here.
                    let _ = self.link.send(&refusal(&failure)).await;
                    return Err(of_peer(failure, "request"));
                }
            }
        }
    }

    /// What the gate does itself may wait for the disk, and checks many signatures.
    async fn local<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gate) -> Result<T, WalletError> + Send + 'static,
    ) -> Result<T, Failure> {
        let gate = Arc::clone(&self.gate);
        let done = tokio::task::spawn_blocking(move || work(&gate)).await;
        let broken = |e: tokio::task::JoinError| WalletError::Internal { reason: e.to_string() };
        Ok(done.map_err(broken)??)
    }

    fn tell(&self) {
        self.bar.set_message(format!(
            "Exchanging ledgers: {} new records came, {} went out",
            self.done.merged.added, self.done.sent
        ));
    }
}

/// The place of a delta's last record or head.
fn last_place(delta: &[u8]) -> Option<Place> {
    let items = Delta::from_bytes(delta).ok()?.items;
    items.iter().rev().find_map(|item| match item {
        Item::Record(bytes) => Some(Record::from_bytes(bytes).ok()?.place()),
        Item::Head(bytes) => Some(Place::before(ChainHead::from_bytes(bytes).ok()?.fields().chain)),
        Item::Certificate(_) => None,
    })
}

fn endless(what: &str) -> Failure {
    Failure::Peer(PeerTrouble::NoGate, format!("the other gate {what}"))
}

/// An error in what the other gate sent is that gate's.
fn of_peer(failure: Failure, sent: &str) -> Failure {
    match failure {
        Failure::Wallet(WalletError::InvalidInput { field, reason }) if field == sent => Failure::Peer(
            PeerTrouble::NoGate,
            format!("the {sent} of the other gate does not hold: {reason}"),
        ),
        other => other,
    }
}

/// What a gate that is not answered is told: why, as far as it is of its own making.
fn refusal(failure: &Failure) -> Vec<u8> {
    let reason = match failure {
        Failure::Wallet(WalletError::InvalidInput { field, reason }) if field == "request" => short(reason),
        _ => "it cannot answer now".to_owned(),
    };
    [REFUSAL, reason.as_bytes()].concat()
}

fn refused(reason: &[u8]) -> Failure {
    let reason = short(&String::from_utf8_lossy(reason));
    Failure::Peer(PeerTrouble::Refuses, format!("the other gate does not answer: {reason}"))
}

fn short(reason: &str) -> String {
    one_line(&reason.chars().take(MAX_REASON).collect::<String>()).trim().to_owned()
}

fn records(delta: &LedgerDelta) -> u32 {
    let items = Delta::from_bytes(&delta.bytes).map(|delta| delta.items).unwrap_or_default();
    let records = items.iter().filter(|item| matches!(item, Item::Record(_))).count();
    u32::try_from(records).unwrap_or(u32::MAX)
}
