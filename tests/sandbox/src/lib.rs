//! A sandbox for ticket wallets: an HTTP server on the loopback address that emulates B.A.M Ticketing, Unidy, TickeTing and
//! TEXPO and serves the wallet extension beside them, with real signatures, invented data and faults on demand.

mod app;
mod bam;
mod config;
mod control;
mod db;
mod edit;
mod extension;
mod faults;
mod gates;
mod journal;
mod listener;
mod moment;
mod problem;
mod recorder;
mod sandbox;
mod season;
mod seeded;
mod texpo;
mod ticketing;
mod unidy;
mod users;

pub use bam::{
    BamChoices, ErrorKey, IdsForm, IdsKey, IssueEnd, LedgerDigest, OrganizerPrefix, ReserveReply,
    ValidatorToken, WriteReply,
};
pub use config::{Clock, SandboxConfig};
pub use edit::TicketEdit;
pub use extension::{
    AdmissionCode, BadManifest, GateEventEdit, GateTicketEdit, ListingChange, MarketRules, NewListing,
    TransferEnd,
};
pub use faults::{Fault, FaultRule};
pub use journal::JournalEntry;
pub use recorder::RecordedRequest;
pub use sandbox::{Sandbox, keep_closed};
pub use texpo::{
    DuplicateForm, EmptyForm, ErrorStatus, PriceText, SuccessError, TexpoAccess, TexpoChoices, Timestamps,
    UpdateForm,
};
pub use ticketing::{
    DateForm, SectionForm, StatusCase, TicketingChoices, TicketingErrorKey, TicketingEventAccess,
    TicketingServed, UnusedForm, UpdateReply,
};
pub use unidy::{
    Consent, CreatedForm, ErrorForm, IdTokenAlgorithm, ListForm, NewUnidyClient, PriceForm, TokenBody,
    UnidyAccess, UnidyAccount, UnidyBrand, UnidyChoices, UnidyClient, UnidyMail, UnidyOffer, UpdateVerb,
};
pub use users::{OrganizerUser, User};
