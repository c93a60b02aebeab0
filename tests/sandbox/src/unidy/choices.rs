//! What Unidy's documents leave open, as switches.

use axum::http::Method;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What the documents of Unidy leave open, one field for each; the default is the most likely reading. They may change
/// while the sandbox runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnidyChoices {
    /// How a ticket's `price` is written.
    pub price: PriceForm,
    /// Whether tickets say `exportable_to_wallet`; the document's own ticket never does.
    pub exportable_to_wallet: bool,
    /// Whether the first user has the document's own ticket, word for word.
    pub document_ticket: bool,
    /// How many tickets a page has when nobody says, 1 to 250.
    pub default_limit: u16,
    /// How errors are written.
    pub errors: ErrorForm,
    /// The path of the partner API below the brand, without slashes at its ends; empty for none.
    pub partner_prefix: String,
    /// The path of tickets below that.
    pub tickets_path: String,
    /// The path of ticket categories below that.
    pub categories_path: String,
    /// How lists of the partner API are wrapped.
    pub partner_list: ListForm,
    /// What a created ticket is answered with.
    pub created: CreatedForm,
    /// With which verb a ticket is changed.
    pub update: UpdateVerb,
    /// Whether a list's `meta` has the count, the page and the limit alone.
    pub count_only: bool,
    /// What bodies the token endpoint reads.
    pub token_body: TokenBody,
    /// Whether a client without a secret may refresh.
    pub refresh_without_secret: bool,
    /// Whether a refresh token counts once and its reply carries the next.
    pub rotate_refresh_tokens: bool,
    /// How long access tokens live, in seconds.
    pub access_token_life_s: u32,
    /// How long ID tokens live, in seconds.
    pub id_token_life_s: u32,
    /// How ID tokens are signed.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// What the authorization endpoint does before anybody signs in at its page.
    pub consent: Consent,
    /// Whether the maintenance job runs.
    pub maintenance: bool,
    /// How often the job looks for tickets whose `ends_at` is over, in minutes, from the full hour; 1 at least.
    pub raster_minutes: u16,
    /// The time zone of times and of the job that runs at 00:00, an IANA name; unknown ones are UTC.
    pub time_zone: String,
    /// Whether the job makes passive tickets inactive too.
    pub passive_expires: bool,
    /// Whether tickets can be handed to others.
    pub transfers: bool,
    /// Whether the list of transfers has those that have ended, too.
    pub ended_transfers: bool,
    /// How long a transfer waits for its recipient, in seconds.
    pub transfer_life_s: u32,
    /// How long the link to an export works, in seconds.
    pub export_life_s: u32,
    /// Whether e-mails reach their recipients.
    pub mail: bool,
    /// Whether the pages of tickets are switched on.
    pub pages: bool,
}

impl Default for UnidyChoices {
    fn default() -> Self {
        Self {
            price: PriceForm::Number,
            exportable_to_wallet: true,
            document_ticket: true,
            default_limit: 25,
            errors: ErrorForm::ByKind,
            partner_prefix: "api/v1".to_owned(),
            tickets_path: "tickets".to_owned(),
            categories_path: "ticket_categories".to_owned(),
            partner_list: ListForm::Results,
            created: CreatedForm::Body,
            update: UpdateVerb::Any,
            count_only: false,
            token_body: TokenBody::Any,
            refresh_without_secret: true,
            rotate_refresh_tokens: true,
            access_token_life_s: 7200,
            id_token_life_s: 3600,
            id_token_algorithm: IdTokenAlgorithm::Rs256,
            consent: Consent::Ask,
            maintenance: true,
            raster_minutes: 15,
            time_zone: "Europe/Berlin".to_owned(),
            passive_expires: false,
            transfers: true,
            ended_transfers: false,
            transfer_life_s: 14 * 86_400,
            export_life_s: 300,
            mail: true,
            pages: true,
        }
    }
}

impl UnidyChoices {
    /// The time zone.
    pub(crate) fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

/// How a ticket's `price` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceForm {
    /// As a number, `64` or `34.5`.
    Number,
    /// As a string with two decimals, `"64.00"`.
    String,
    /// As null.
    Null,
}

/// How errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorForm {
    /// Fields of a body as `error_details`, everything else as `error_identifier`.
    ByKind,
    /// `{"error_identifier": …, "errors": […]}`.
    Identifier,
    /// `{"error_details": {field: […]}}`; what belongs to no field stands under `base`.
    Details,
    /// Both at once.
    Both,
}

/// How lists of the partner API are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListForm {
    /// `{"meta": {…}, "results": […]}` as in the SDK API.
    Results,
    /// `{"tickets": […]}`, with the path's last part as the name.
    Named,
    /// `[…]`.
    Bare,
}

/// What a created ticket is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedForm {
    /// 201 and the ticket.
    Body,
    /// 204 and its address in `Location`.
    Location,
}

/// With which verb a ticket is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateVerb {
    /// `PATCH` and `PUT`.
    Any,
    /// `PATCH` only.
    Patch,
    /// `PUT` only.
    Put,
}

impl UpdateVerb {
    /// Whether a request with this method changes a ticket.
    pub(crate) fn takes(self, method: &Method) -> bool {
        (method == Method::PATCH && self != Self::Put) || (method == Method::PUT && self != Self::Patch)
    }
}

/// What bodies the token endpoint reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// JSON and forms.
    Any,
    /// JSON only.
    Json,
    /// Forms only.
    Form,
}

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenAlgorithm {
    /// RSA with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// What the authorization endpoint does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Shows a page to sign in at.
    Ask,
    /// Consents at once for this user.
    Approve {
        /// The name of the user.
        user: String,
    },
    /// Refuses at once.
    Deny,
}
