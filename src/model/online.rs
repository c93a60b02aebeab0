//! What a holder's account has beside its tickets: questions, certificates, transfers that come in, and what a system
//! can do at all.

use super::outbox::TransferState;
use super::ticket::{TicketFormat, TicketStatus};

/// What can be done with an account. Declared by its system, its configuration, and what its server has said so far; never
/// guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Capability {
    /// Its tickets are listed and kept.
    ListTickets,
    /// Answers about a ticket's holder can be read and saved.
    HolderAnswers,
    /// Codes that never change are kept and shown.
    StaticCodes,
    /// A ticket can be handed to somebody. With Unidy each brand switches this on or off: known after the first sync, or from
    /// the configuration.
    Transfers,
    /// Tickets that others hand over can be accepted and declined; known as `Transfers` is.
    IncomingTransfers,
    /// Tickets can be handed over, claimed and ordered by section and number.
    SectionTransfers,
    /// A ticket can be fetched as a file.
    TicketDocuments,
    /// Orders and their files can be fetched.
    Orders,
    /// Tickets can be offered on the system's own secondary market, and the account's offers read and taken back.
    Offers,
    /// The person can get a certificate.
    Enrollment,
    /// Tickets can be reserved, freed, issued and sent: the account acts for an organiser, by what its token permits or by
    /// the organiser that it signed in for. Which of these the organiser lets it do, its server decides.
    IssueTickets,
    /// Tickets can be made, changed and deleted by a partner.
    ManageTickets,
    /// Admission tokens can be issued to an event's staff, and tickets redeemed by them.
    Admissions,
    /// A catalogue of tickets to buy can be listed and changed.
    ManageCatalogue,
    /// The server beside it binds barcodes to this device: known after the first sync.
    SignedBarcodes,
    /// The server beside it tells what has changed: known after the first sync.
    ChangeFeed,
}

/// What a ticket's holder is asked, and what they answered.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct HolderForm {
    /// The questions in their order.
    pub questions: Vec<HolderQuestion>,
    /// The answers by the questions' keys, as a JSON object; `None` when there are none yet.
    pub response_json: Option<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// A question to a ticket's holder.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HolderQuestion {
    /// Names the answer in the response.
    pub key: String,
    /// The question, for people.
    pub content: Option<String>,
    /// What kind of answer is expected, as the system writes it.
    pub kind: Option<String>,
    /// Whether it must be answered.
    pub required: bool,
}

/// The order of a list at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ListDirection {
    /// Smallest first: `asc`.
    Ascending,
    /// Largest first: `desc`.
    Descending,
}

/// Which tickets to ask a server for, and how (B.A.M `GET v1/ticket`, at a tenant `GET event/v1/ticket`). What is left out
/// is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct ServerTicketQuery {
    /// Only of this tenant. Without it a wallet lists the tickets of all tenants, a box office those of its organiser's.
    #[uniffi(default = None)]
    pub tenant: Option<String>,
    /// Only in this format.
    #[uniffi(default = None)]
    pub format: Option<TicketFormat>,
    /// Only those that stand so. The list of all tenants is not documented to know it: such a server leaves nothing out.
    #[uniffi(default = None)]
    pub status: Option<TicketStatus>,
    /// Whether each record tells its owner's enrolment.
    #[uniffi(default = false)]
    pub with_enrollment_id: bool,
    /// The column to order by, by the server's name, such as `updated_at`.
    #[uniffi(default = None)]
    pub sort_by: Option<String>,
    /// The order.
    #[uniffi(default = None)]
    pub direction: Option<ListDirection>,
    /// The sub-objects to include, such as `[ticket_holder,ticket_config.event]`.
    #[uniffi(default = None)]
    pub with: Option<String>,
    /// At most this many, where the server pages.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
    /// Skip this many first, where the server pages.
    #[uniffi(default = 0)]
    pub offset: u32,
}

/// Tickets as a server lists them.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct ServerTicketPage {
    /// Each ticket's record as JSON, as it came.
    pub records: Vec<String>,
    /// How many there are in all; `None` where the server does not page, and this is the whole list.
    pub total: Option<u64>,
}

/// A person's certificate at a system; the private key that belongs to it stays in the store, sealed.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Certificate {
    /// The enrolment's id, a UUID.
    pub enrollment_id: String,
    /// X.509, PEM.
    pub certificate_pem: String,
}

/// A ticket that somebody hands over to this account.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct IncomingTransfer {
    /// Names it in `accept_transfer` and `decline_transfer`; whoever has it can answer: show it to nobody.
    pub token: String,
    /// Who hands it over.
    pub sender: Option<String>,
    /// The ticket's title.
    pub title: Option<String>,
    /// Where it stands.
    pub state: TransferState,
    /// Until when it can be accepted, Unix seconds.
    pub expires_at: Option<i64>,
}

/// What became of an answer to a ticket that somebody hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TransferAnswer {
    /// The ticket is the account's.
    Accepted,
    /// The offer was turned down.
    Declined,
    /// The server's reply was lost; the offer is open no longer, and the ticket is not the account's: it was turned down, or
    /// its sender took it back meanwhile.
    Over,
    /// The server's reply was lost, and nothing that can be read tells what became of it: the answer may still be carried
    /// out. It is never repeated by itself; `incoming_transfers` tells whether the offer is still open.
    Unknown,
}

closed_enum!(TransferAnswer {
    Accepted = "accepted",
    Declined = "declined",
    Over = "over",
    Unknown = "unknown",
});

/// What became of a request to send e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MailRequest {
    /// The server took it.
    Taken,
    /// The server's reply was lost, and nothing that can be read tells whether e-mail goes out. It is never repeated by
    /// itself.
    Unknown,
}

/// A sign-in that goes on in the person's browser.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct BrowserSignIn {
    /// What to open in the system's browser, not in a web view of the app's own.
    pub url: String,
    /// Names the sign-in; the address that the person comes back to has it too.
    pub state: String,
}

/// A sign-in that waits for the code which the person gets by e-mail.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct CodeSignIn {
    /// Names the sign-in in `sign_in_with_code`.
    pub id: String,
}

opaque_debug!(ServerTicketPage, HolderForm, Certificate, IncomingTransfer, BrowserSignIn, CodeSignIn);
