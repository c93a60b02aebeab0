//! Records and enums that every layer speaks in. No input or output here.

#[macro_use]
mod named;

mod account;
mod document;
mod exchange;
pub mod expiry;
mod flow;
mod gate;
mod ids;
mod ledger;
mod market;
mod money;
mod oauth;
mod office;
mod online;
mod order;
mod outbox;
mod percentage;
mod pulled;
mod system;
mod texpo;
mod ticket;
mod ticketing;
mod unidy;

pub use account::{Account, AccountState, SignIn, StoredAccount, Tokens};
pub use document::{Document, StaticCode, Symbology};
pub use exchange::{SectionCount, SectionOrder, SectionOrderPage, SectionTransfer, SectionTransferPage};
pub use flow::{Flow, IssueProgress};
pub use gate::{
    EarlierEntry, GateCertainty, GateCertification, GateReadiness, GateRecord, GateSection, GateService,
    GateSignIn, GateStatistics, GateStatus, GateSyncReport, GateVerdict, VerdictCount,
};
pub use ids::{EventHash, Provider, ProviderError, TicketHash};
pub use ledger::{
    Discounted, DiscountedRecord, DoubleEntry, HeardScanner, LedgerDelta, LedgerEntry, LedgerFork,
    LedgerReport, MergeReport, MissingRecords, RefusedItem,
};
pub use market::{HeldReservation, Listing, MarketPage, MarketQuery, Offering, Purchase, PurchaseState};
pub use money::{Money, MoneyError};
pub use oauth::{IdTokenFault, OAuthError};
pub use office::{
    GroupOrder, OfficePage, OfficeTicket, OfficeWrite, OfficeWriteKind, OfficeWriteState, Reservation,
    ReservationItem,
};
pub use online::{
    BrowserSignIn, Capability, Certificate, CodeSignIn, HolderForm, HolderQuestion, IncomingTransfer,
    ListDirection, MailRequest, ServerTicketPage, ServerTicketQuery, TransferAnswer,
};
pub use order::{LedgerSale, Offer, Order, OrderStatus};
pub use outbox::{
    OutboxItem, RejectionReason, Statement, Transfer, TransferState, Write, WriteKind, WriteState,
};
pub use percentage::Percentage;
pub use pulled::{PulledEvent, PulledTicket};
pub use system::{
    BamConfig, BamIdsForm, CertificatePin, SystemConfig, TicketSystem, UnidyApi, UnidyConfig, UnidyGrant,
    UnidyUpdate,
};
pub use texpo::{
    GrantKind, Product, ProductFields, ProductGrant, ProductType, TexpoConfig, TexpoSignIn, TexpoTimestamps,
};
pub use ticket::{
    BarcodeProfile, Event, EventGroup, NoBarcodeReason, TicketDetail, TicketFilter, TicketFormat,
    TicketStatus, TicketSummary,
};
pub use ticketing::{
    Admission, AdmissionOrder, AdmissionPage, AdmissionQuery, AdmissionToken, GateAccess, TicketingAccess,
    TicketingCode, TicketingConfig, TicketingDates, TokenPage, TokenQuery,
};
pub use unidy::{UnidyAmount, UnidyFields, UnidyOrder, UnidyTicketQuery};
