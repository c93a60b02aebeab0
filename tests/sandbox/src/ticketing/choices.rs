//! What TickeTing's documents leave open, as switches.

use serde::{Deserialize, Serialize};

/// What the documents of TickeTing leave open, one field for each; the default is the most likely reading. They may change
/// while the sandbox runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketingChoices {
    /// Under which key the words of errors stand.
    pub errors: TicketingErrorKey,
    /// The least version that `X-Client-Version` may tell.
    pub least_version: String,
    /// Whether a new token is answered as global, as the document's own example has it.
    pub new_tokens_are_global: bool,
    /// Whether a new token is listed as global too.
    pub new_tokens_stay_global: bool,
    /// How dates are written.
    pub dates: DateForm,
    /// How a ticket says that it was not redeemed.
    pub unused: UnusedForm,
    /// How a ticket's section and owner are written.
    pub sections: SectionForm,
    /// How statuses are written.
    pub statuses: StatusCase,
    /// The most records of a page; whoever asks for more gets so many.
    pub most_records: usize,
    /// Whether a page beyond the end is 404 and not empty.
    pub beyond_is_not_found: bool,
    /// Whether the first page of an empty list is 404 and not empty.
    pub empty_is_not_found: bool,
    /// Whether an account's tickets come as a bare array, whatever page was asked for.
    pub bare_tickets: bool,
    /// What a changed token is answered with.
    pub update_reply: UpdateReply,
    /// After how many seconds a session has ended; never without it.
    pub session_life_s: Option<u32>,
    /// Whether signing in needs a valid key too.
    pub sign_in_needs_key: bool,
    /// By how many seconds the clock of admissions is ahead.
    pub admissions_ahead_s: i64,
    /// How many seconds later an admission is listed.
    pub admissions_lag_s: i64,
    /// Whether the list of admissions is filtered; else it has all of the event.
    pub admissions_are_filtered: bool,
    /// How many tickets a request admits at most; the others stay as they are. All without it.
    pub most_admitted: Option<usize>,
    /// Whether customers may read events.
    pub events_are_public: bool,
    /// Whether an event's tickets are listed by when they changed; else `modified_since` is refused.
    pub lists_changes: bool,
}

impl Default for TicketingChoices {
    fn default() -> Self {
        Self {
            errors: TicketingErrorKey::ByDocument,
            least_version: "3.0.0".to_owned(),
            new_tokens_are_global: false,
            new_tokens_stay_global: false,
            dates: DateForm::ByResource,
            unused: UnusedForm::NotAvailable,
            sections: SectionForm::Address,
            statuses: StatusCase::Title,
            most_records: 100,
            beyond_is_not_found: true,
            empty_is_not_found: false,
            bare_tickets: false,
            update_reply: UpdateReply::Token,
            session_life_s: None,
            sign_in_needs_key: false,
            admissions_ahead_s: 0,
            admissions_lag_s: 0,
            admissions_are_filtered: true,
            most_admitted: None,
            events_are_public: true,
            lists_changes: true,
        }
    }
}

/// Under which key the words of errors stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketingErrorKey {
    /// `message` or `error`, as the document has it for each.
    ByDocument,
    /// Always `message`.
    Message,
    /// Always `error`.
    Error,
}

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// With an offset, sessions without one.
    ByResource,
    /// `2026-11-21T00:00:00+00:00`.
    Iso,
    /// `2026-11-21 00:00:00`.
    Plain,
}

/// How a ticket says that it was not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusedForm {
    /// `N/A`.
    NotAvailable,
    /// `0000-00-00T00:00:00`.
    Zero,
    /// Null.
    Null,
    /// Not at all.
    Absent,
}

/// How a ticket's section and owner are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionForm {
    /// As addresses.
    Address,
    /// As records with their addresses.
    Record,
}

/// How statuses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusCase {
    /// `Issued`.
    Title,
    /// `issued`.
    Lower,
}

/// What a changed token is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateReply {
    /// The token.
    Token,
    /// 204 and nothing.
    Nothing,
}
