//! TickeTing: how it is reached, and what an event's hosts and staff work with there.

/// What an account of TickeTing is let in by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum TicketingAccess {
    /// A session, begun with user name and password.
    #[default]
    Session,
    /// An integration key from the system's administrators, or the key of an admission token: it is signed in with in place
    /// of the password.
    IntegrationKey,
}

/// What is written as a date into a query of TickeTing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum TicketingDates {
    /// `2026-11-21T00:00:00+00:00`.
    #[default]
    Iso,
    /// `2026-11-21 00:00:00`, in the configured time zone.
    Plain,
}

/// Which code of TickeTing's tickets is shown. No public document of the API's version 3 says what its entrances scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum TicketingCode {
    /// None.
    #[default]
    None,
    /// The ticket's serial.
    Serial,
    /// The fingerprint of the API's version 2: SHA-256 of `serial;owner`, in hex.
    Fingerprint,
}

/// How TickeTing is reached.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[serde(default)]
#[uniffi::export(Debug)]
pub struct TicketingConfig {
    /// What the account is let in by; a session without it.
    #[uniffi(default = None)]
    pub access: Option<TicketingAccess>,
    /// Which version of the API is spoken, for the header `X-Client-Version`; `3.0.0` without it.
    #[uniffi(default = None)]
    pub client_version: Option<String>,
    /// The app's own key, sent where no session is yet: when one is begun.
    #[uniffi(default = None)]
    pub app_key: Option<String>,
    /// The number of the account whose tickets are listed, `AB-12345678`; the session's own without it. An integration key
    /// has none of its own.
    #[uniffi(default = None)]
    pub account: Option<String>,
    /// After how many milliseconds a request is given up; 10,000 without it, as in the vendor's SDK.
    #[uniffi(default = None)]
    pub timeout_ms: Option<u32>,
    /// The time zone of times that are written without one, an IANA name; `UTC` without it.
    #[uniffi(default = None)]
    pub time_zone: Option<String>,
    /// How dates are written in queries; with their offset without it.
    #[uniffi(default = None)]
    pub dates: Option<TicketingDates>,
    /// Which code tickets show; none without it.
    #[uniffi(default = None)]
    pub codes: Option<TicketingCode>,
    /// Whether 404 for the first page of a list says that the list is empty, and not that it is none.
    #[uniffi(default = false)]
    pub empty_is_not_found: bool,
}

opaque_debug!(TicketingConfig);

/// A token that lets an event's staff redeem tickets.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct AdmissionToken {
    /// The system's id: the last part of its address.
    pub id: String,
    /// Its address below the API's, `/events/…/tokens/…`.
    pub uri: String,
    /// What a member of staff enters; whoever has it can redeem tickets.
    pub code: Option<String>,
    /// Whether it is the event's own token, good for all sections. It can neither be changed nor deleted.
    pub global: bool,
    /// The addresses of the sections that it can redeem tickets for.
    pub sections: Vec<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// Which admission tokens to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct TokenQuery {
    /// Counted from 1; the first without it.
    #[uniffi(default = None)]
    pub page: Option<u32>,
    /// How many on a page; the system's default, 25, without it.
    #[uniffi(default = None)]
    pub records: Option<u32>,
    /// `true` for the event's own token only, `false` for all others; both without it.
    #[uniffi(default = None)]
    pub global: Option<bool>,
}

/// A page of admission tokens.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<AdmissionToken>,
    /// How many there are in all, where the system says.
    pub total: Option<u64>,
    /// Which page this is, counted from 1.
    pub page: u32,
    /// Whether more pages follow.
    pub more: bool,
}

/// What an admission token's code gives to whoever enters it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct GateAccess {
    /// The key to sign in with as an integration key; show it to nobody.
    pub key: String,
    /// The event's id.
    pub event_id: String,
    /// The addresses of the sections that tickets can be redeemed for.
    pub sections: Vec<String>,
}

/// Tickets to redeem.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct AdmissionOrder {
    /// The event's id.
    pub event_id: String,
    /// Who redeems them, a name of the staff's choosing.
    pub redeemer: String,
    /// On which device, a name of the staff's choosing. With the redeemer's it is what a lost answer is read back by: give
    /// each device its own.
    pub device: String,
    /// The tickets' serials; one at least.
    pub serials: Vec<String>,
}

/// A ticket that was redeemed.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Admission {
    /// Its address below the API's.
    pub uri: String,
    /// The ticket's serial.
    pub ticket: String,
    /// Who redeemed it.
    pub redeemer: Option<String>,
    /// On which device.
    pub device: Option<String>,
    /// The address of the account that owns the ticket.
    pub patron: Option<String>,
    /// The address of the section.
    pub section: Option<String>,
    /// When, Unix seconds; `None` where it cannot be read.
    pub admitted_at: Option<i64>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// Which admissions to list.
#[derive(Clone, Default, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct AdmissionQuery {
    /// Counted from 1; the first without it.
    #[uniffi(default = None)]
    pub page: Option<u32>,
    /// How many on a page; the system's default, 25, without it.
    #[uniffi(default = None)]
    pub records: Option<u32>,
    /// Only by this redeemer.
    #[uniffi(default = None)]
    pub redeemer: Option<String>,
    /// Only on this device.
    #[uniffi(default = None)]
    pub device: Option<String>,
    /// Only of the ticket with this serial.
    #[uniffi(default = None)]
    pub ticket: Option<String>,
    /// Only of this patron: the address of an account.
    #[uniffi(default = None)]
    pub patron: Option<String>,
    /// Only of this section: its id.
    #[uniffi(default = None)]
    pub section: Option<String>,
}

/// A page of admissions.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct AdmissionPage {
    /// The admissions.
    pub admissions: Vec<Admission>,
    /// How many there are in all, where the system says.
    pub total: Option<u64>,
    /// Which page this is, counted from 1.
    pub page: u32,
    /// Whether more pages follow.
    pub more: bool,
}

opaque_debug!(
    AdmissionToken,
    TokenPage,
    GateAccess,
    AdmissionOrder,
    Admission,
    AdmissionQuery,
    AdmissionPage
);
