//! An offline-first ticket wallet core: encrypted store, sync, device-signed rotating barcode, and the gate that
//! checks it with no network. Apps use it from Swift and Kotlin through uniffi, servers and terminals from Rust.
//!
//! Facades: [`Wallet`] for ticket holders, [`Gate`] for staff, [`BoxOffice`] for organisers, [`Issuer`] for
//! servers. Each layer uses only what stands
//! below it; `tests/layers.rs` holds that.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

uniffi::setup_scaffolding!();

#[macro_use]
mod opaque;

pub mod admission;
pub mod barcode;
mod box_office;
mod bytes;
mod checker;
pub mod clock;
mod config;
mod device;
pub mod error;
mod events;
mod gate;
pub mod host;
mod issuer;
pub mod ledger;
pub mod manifest;
#[macro_use]
pub mod model;
mod presentation;
pub mod remote;
pub mod resale;
mod store;
mod sync;
mod wallet;

pub use box_office::BoxOffice;
pub use bytes::Malformed;
pub use checker::{CheckerConfig, CodeCheck, CodeChecker, CodeFields, DEFAULT_TOLERANCE_S, KnownIssuer};
pub use config::Config;
pub use error::WalletError;
pub use gate::Gate;
pub use issuer::{
    CredentialRequest, Issuer, ManifestDay, ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation,
    ManifestSection, ManifestTicket, NonceEpoch, STATEMENT_TOLERANCE_S, ScannerRequest, Statement,
};
pub use presentation::Presentation;
pub use store::{FileState, RecoveryReport};
pub use sync::{SignedIn, SyncProgress, SyncReport, SyncStage, WalletState};
pub use wallet::{
    AccountDiagnosis, Diagnosis, Subscription, SyncRun, TokenClaim, Wallet, WalletListener, WalletTime,
    diagnose_wallet, recover_wallet,
};

/// The README's example is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
