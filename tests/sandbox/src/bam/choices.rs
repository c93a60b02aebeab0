//! What B.A.M's documents leave open, as one sandbox does it.

use serde::{Deserialize, Serialize};

/// What B.A.M's documents leave open, as one sandbox does it. [`BamChoices::default`] is the likeliest reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BamChoices {
    /// Whether the list of all tenants' tickets comes in pages and tells so in `paging`; else it is whole and has none.
    pub paged: bool,
    /// Whether a tenant's list of tickets does, too.
    pub tenant_paged: bool,
    /// Whether ids are sent as JSON strings; they are then taken as strings and as numbers, else as numbers alone.
    pub string_ids: bool,
    /// The member of errors that holds the code.
    pub error_key: ErrorKey,
    /// Whether errors repeat the HTTP status in their member `statusCode`.
    pub error_status: bool,
    /// Where a tenant serves `ticket/reserve`, `ticket/free`, `ticket/issue` and `ticket/send-group`.
    pub organizer_prefix: OrganizerPrefix,
    /// The member of the bodies of `ticket/free` and `ticket/issue` that holds the tickets' ids.
    pub ids_key: IdsKey,
    /// The form in which those bodies name them.
    pub ids_form: IdsForm,
    /// What `ticket/reserve` answers with.
    pub reserve_reply: ReserveReply,
    /// What `ticket/free` and `ticket/issue` answer with.
    pub write_reply: WriteReply,
    /// How the issue of a ticket goes on after `ticket/issue` was answered.
    pub issue: IssueEnd,
    /// The status of tickets from `ticket/issue` until they are issued: any text, such as `reserved` or one that is not
    /// part of the documented flow.
    pub status_between: String,
    /// Whether a tenant's list of tickets shows its organizer the tickets that are reserved, or about to be issued.
    pub reserved_listed: bool,
    /// Whether it tells the owner's enrollment of those, where it is asked to.
    pub owners_listed: bool,
    /// So many tickets reserved last are left out of a tenant's list: it is behind.
    pub unlisted_last: u32,
    /// Whether a refresh without `organizer_id` keeps the organizer that the session was opened for.
    pub refresh_keeps_organizer: bool,
    /// What is signed of a ledger's digest.
    pub ledger_digest: LedgerDigest,
    /// Who buys every offer on the market as soon as it is made, if anybody does: a user, or somebody outside.
    pub eager_buyer: Option<String>,
}

impl Default for BamChoices {
    fn default() -> Self {
        Self {
            paged: true,
            tenant_paged: false,
            string_ids: false,
            error_key: ErrorKey::ErrorCode,
            error_status: false,
            organizer_prefix: OrganizerPrefix::EventV1,
            ids_key: IdsKey::Ids,
            ids_form: IdsForm::Member,
            reserve_reply: ReserveReply::Data,
            write_reply: WriteReply::Data,
            issue: IssueEnd::AfterPolls(2),
            status_between: "confirmed".to_owned(),
            reserved_listed: true,
            owners_listed: true,
            unlisted_last: 0,
            refresh_keeps_organizer: false,
            ledger_digest: LedgerDigest::Hash,
            eager_buyer: None,
        }
    }
}

/// The member of errors that holds the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKey {
    /// `errorCode`
    #[serde(rename = "errorCode")]
    ErrorCode,
    /// `error`
    #[serde(rename = "error")]
    Error,
}

/// Where a tenant serves the organizer's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrganizerPrefix {
    /// `/event/v1/ticket/reserve` and so on.
    #[serde(rename = "event/v1")]
    EventV1,
    /// `/v1/ticket/reserve` and so on.
    #[serde(rename = "v1")]
    V1,
    /// `/ticket/reserve` and so on.
    #[serde(rename = "")]
    None,
}

/// The member of bodies that holds tickets' ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdsKey {
    /// `ids`
    Ids,
    /// `ticket_ids`
    TicketIds,
    /// `tickets`
    Tickets,
}

/// The form in which bodies name tickets; `ids` stands for the member that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdsForm {
    /// `{"ids": [17, 18]}`
    Member,
    /// `[17, 18]`
    List,
    /// `{"ids": [{"id": 17}, {"id": 18}]}`
    Objects,
    /// `{"ids": 17}`
    Single,
}

/// What a reservation is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReserveReply {
    /// `{"data": […]}`
    Data,
    /// `{"data": {"tickets": […]}}`
    DataTickets,
    /// `{"tickets": […]}`
    Tickets,
    /// `[…]`
    List,
}

/// What other writes to tickets are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteReply {
    /// `{"data": […]}` with the tickets as they are then.
    Data,
    /// `{}`
    Empty,
    /// 204 without a body.
    NoContent,
}

/// How the issue of a ticket goes on after it was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueEnd {
    /// The ticket is issued once so many replies showed it unissued; 0 issues it at once.
    AfterPolls(u32),
    /// The ticket is issued after so many seconds of the sandbox's time; 0 issues it at once.
    AfterSeconds(u32),
    /// The ticket is never issued.
    Never,
    /// The ticket is reserved again once so many replies showed it unissued.
    FallsBack(u32),
}

/// What is signed of a ledger's digest, which is a text in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerDigest {
    /// Its bytes, as a message: they are hashed before they are signed.
    Message,
    /// Its bytes as the hash that they are, as Fabric's own clients sign.
    Hash,
}
