//! How many runs a test makes whose course is random from beginning to end. The full counts are those of
//! `cargo tool soak`; other runs make a tenth of them.

use proptest::test_runner::Config;

/// Sequences of events against the model.
pub(crate) const SEQUENCES: u32 = 2_000;
/// Histories of a market.
pub(crate) const HISTORIES: u32 = 1_000;
/// Processes that are killed.
pub(crate) const KILLS: u32 = 300;
/// Processes of gates that are killed.
pub(crate) const GATE_KILLS: u32 = 500;
/// Random ledgers that are merged in two ways.
pub(crate) const MERGES: u32 = 1_000;
/// Power cuts.
pub(crate) const CUTS: u32 = 200;
/// Damages of several pages, for each state of a wallet.
pub(crate) const DAMAGES: u32 = 250;
/// Events with many scanners.
pub(crate) const SIMULATIONS: u32 = 200;

/// The inputs of a property in a soak, ten times proptest's own number: `cargo tool` sets it.
const INPUTS_IN_SOAK: u32 = 2_560;

/// The full count where properties have as many inputs as in a soak, else in step with them, but never less than a
/// tenth.
pub(crate) fn in_step(full: u32) -> u32 {
    let inputs = Config::default().cases.min(INPUTS_IN_SOAK);
    (full * inputs / INPUTS_IN_SOAK).max(full / 10)
}
