//! An event with many scanners, in simulated time: the real gate over its encrypted store at each door, real codes and
//! certificates, a network that separates, delays, loses, doubles and reorders what scanners tell each other, clocks that are
//! off, scanners that are lost, and scanners that lie. A delivery log beside it knows what each scanner was told, and
//! [`Check`] says what must hold by it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod chart;
mod checks;
mod device;
mod dice;
mod door;
mod ending;
#[path = "../../support/event_server.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "a server of tests, of which each uses its part")]
mod event_server;
mod exchange;
#[path = "../../support/hooked_vault.rs"]
#[allow(dead_code, reason = "tests use other parts of it")]
mod hooked_vault;
mod log;
#[path = "../../support/moments.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the seed is an option here")]
mod moments;
mod network;
mod options;
mod plan;
mod rogue;
mod server;
mod stores;
mod summary;
mod tickets;
#[path = "../../support/tiny_server.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "a server of tests, of which each uses its part")]
mod tiny_server;
mod world;

pub use checks::{Check, Failure};
pub use options::Options;
pub use summary::Outcome;

/// What a simulation is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A minute of the event, from 0.
    Minute(i64),
    /// A round of the exchange at the end, from 0.
    Round(u32),
}

/// Simulates an event from the seed. `tell` hears of each minute and each round.
///
/// # Errors
/// What cannot be simulated, or what kept a scanner from working at all: then nothing was checked.
pub fn simulate(options: &Options, mut tell: impl FnMut(Stage)) -> Result<Outcome, String> {
    if let Some(fault) = options.fault() {
        return Err(fault.to_owned());
    }
    let stores = stores::folder(options)?;
    let mut world = world::World::new(options, stores.path())?;
    world.run(|minute| tell(Stage::Minute(minute)))?;
    let witnesses = world.end(|round| tell(Stage::Round(round)))?;
    checks::check_all(&mut world, &witnesses);
    Ok(Outcome::of(world, &witnesses))
}
