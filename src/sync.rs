//! Sync: brings the server's tickets into the store and binds them to this device. Network calls are asynchronous;
//! what each brings is applied in one transaction after it, so that dropping a sync anywhere loses nothing.

mod binding;
mod engine;
mod runner;
mod time_keeper;

pub use engine::{Engine, SyncProgress, SyncReport, SyncStage};
pub use runner::{Runner, WalletState};
pub use time_keeper::TimeKeeper;
