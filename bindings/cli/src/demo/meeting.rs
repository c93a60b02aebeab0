//! Two gates of the demo that meet with no network: what both let in is named, and refused from then on.

use serde_json::json;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{DoubleEntry, TicketSummary};
use ticket_wallet::{Gate, Wallet};

use super::door::internal;
use super::{Demo, WINDOW_S};
use crate::failure::Failure;
use crate::gate::{double_json, doubles_text};

/// The most that one gate hands the other at once, in bytes.
const PIECE: u32 = 64 << 10;

impl Demo<'_> {
    /// Lets in at the other gate, too, has both hear each other, and tries once more.
    pub(super) async fn meet(
        &self,
        (gate, other): (&Gate, &Gate),
        (wallet, ticket): (&Wallet, &TicketSummary),
    ) -> Result<(), Failure> {
        let what = "The same ticket at the East door, which cannot know,";
        self.show_at(other, (wallet, ticket), ("elsewhere", what), Verdict::Admit).await?;
        let doubles = bring(gate, other)?;
        if doubles != bring(other, gate)? {
            return Err(internal("the gates name different double entries".to_owned()));
        }
        let [double] = &doubles[..] else {
            return Err(internal(format!("{} double entries are named where one was due", doubles.len())));
        };
        let text = format!(
            "The gates meet and hand each other what they wrote, signed; no server has a part in it. Both name the same:\n{}",
            doubles_text(&doubles)
        );
        self.say("merged", &text, json!({ "double_entry": double_json(double) }))?;
        let what = "The ticket once more at the East door";
        self.show_at(other, (wallet, ticket), ("after_merge", what), Verdict::AlreadyAdmitted).await
    }

    /// Has a gate judge the next frame.
    async fn show_at(
        &self,
        gate: &Gate,
        (wallet, ticket): (&Wallet, &TicketSummary),
        step: (&str, &str),
        expected: Verdict,
    ) -> Result<(), Failure> {
        self.wait_s(i64::from(WINDOW_S)).await;
        let frame = wallet.present(ticket.id.clone(), None)?;
        self.scan(gate, step, (&frame.text, &frame.issuer_key), expected)
    }
}

/// Brings what one gate wrote to another, as an app does over whatever carries bytes. Returns which tickets let in too often.
fn bring(from: &Gate, to: &Gate) -> Result<Vec<DoubleEntry>, Failure> {
    let mut request = Some(to.ledger_request()?);
    while let Some(asked) = request {
        let delta = from.ledger_delta(asked, PIECE)?;
        request = to.merge(delta.bytes)?.next_request;
    }
    Ok(to.report()?.double_entries)
}
