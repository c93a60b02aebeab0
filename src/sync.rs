//! Sync: brings the server's tickets into the store, binds them to this device, and brings the person's changes to the
//! server. Network calls are asynchronous; what each brings is applied in one transaction after it, so that dropping a
//! sync anywhere loses nothing.

mod activity;
mod bam;
mod binding;
mod codes;
mod core;
mod desk;
mod engine;
mod forgotten;
mod gate;
mod handover;
mod holder;
mod incoming;
mod market;
mod market_desk;
mod office;
mod outbox;
mod pace;
mod pull;
mod runner;
mod scanner;
mod sign_in;
mod time_keeper;
mod worker;

pub use self::core::Core;
pub use engine::{Engine, SyncProgress, SyncReport, SyncStage};
pub use gate::certification;
pub use market_desk::purchase;
pub use office::TicketIds;
pub use runner::{Runner, WalletState};
pub use scanner::{Scan, Scanner};
pub use sign_in::SignedIn;
pub use time_keeper::TimeKeeper;
pub use worker::Worker;
