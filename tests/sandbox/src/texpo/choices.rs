//! What TEXPO's documents leave open, as one sandbox does it.

use serde::{Deserialize, Serialize};

/// What TEXPO's documents leave open, as one sandbox does it. [`TexpoChoices::default`] is the likeliest reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TexpoChoices {
    /// Where the adminserver's methods stand.
    pub rpc_prefix: String,
    /// Where the adminserver's sign-in stands.
    pub auth_prefix: String,
    /// Where the holders' API stands.
    pub holder_prefix: String,
    /// Where the user API's sign-in stands.
    pub user_auth_prefix: String,
    /// The header that names the network.
    pub network_header: String,
    /// Whether requests without that header, or with another network, are refused.
    pub network_required: bool,
    /// What `error` is on a success.
    pub success_error: SuccessError,
    /// What `error.status` means.
    pub error_status: ErrorStatus,
    /// Whether an error has an HTTP status of its own; else it has 200.
    pub error_has_http_status: bool,
    /// The code of a missing permission.
    pub permission_code: i64,
    /// What a reply without a result is.
    pub empty: EmptyForm,
    /// Whether replies of the sign-in stand in `data`.
    pub sign_in_in_data: bool,
    /// How times are written, and the only way in which they are taken.
    pub timestamps: Timestamps,
    /// How prices are written.
    pub price: PriceText,
    /// What an update does.
    pub update: UpdateForm,
    /// Whether a written entry is shown in the reply; else the reply has no result.
    pub shows_written: bool,
    /// Whether a written entry's reply shows the catalogue's first entry instead.
    pub shows_another: bool,
    /// Whether the catalogue is answered without its list, as any reply without a result is.
    pub leaves_list_out: bool,
    /// What making an entry whose `productId` is taken does.
    pub duplicate: DuplicateForm,
    /// Whether changing or deleting an entry that is not there is refused.
    pub refuses_unknown: bool,
    /// Whether members that are not documented are kept.
    pub keeps_unknown: bool,
    /// Whether entries have members that are not documented.
    pub adds_members: bool,
    /// Whether purchased tickets are listed over HTTP.
    pub purchased_over_http: bool,
}

impl Default for TexpoChoices {
    fn default() -> Self {
        Self {
            rpc_prefix: "jsonRpc".to_owned(),
            auth_prefix: "auth".to_owned(),
            holder_prefix: "api/v0".to_owned(),
            user_auth_prefix: "api/v1/auth".to_owned(),
            network_header: "X-Network-Id".to_owned(),
            network_required: true,
            success_error: SuccessError::Missing,
            error_status: ErrorStatus::TrueIsFailure,
            error_has_http_status: false,
            permission_code: 403,
            empty: EmptyForm::Object,
            sign_in_in_data: false,
            timestamps: Timestamps::UnixSeconds,
            price: PriceText::AsSent,
            update: UpdateForm::Replaces,
            shows_written: true,
            shows_another: false,
            leaves_list_out: false,
            duplicate: DuplicateForm::Refused,
            refuses_unknown: true,
            keeps_unknown: true,
            adds_members: true,
            purchased_over_http: true,
        }
    }
}

/// What `error` is on a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessError {
    /// Not there.
    Missing,
    /// `null`.
    Null,
    /// `false`.
    False,
    /// `{}`.
    Empty,
    /// `{"status": …, "code": 0, "message": ""}`.
    Zero,
}

/// What `error.status` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStatus {
    /// `true` is a failure.
    TrueIsFailure,
    /// `true` is a success.
    TrueIsSuccess,
}

/// What a reply without a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyForm {
    /// No byte.
    Nothing,
    /// `{}`, with `error` as on any success.
    Object,
    /// `{"data": {}}`, with `error` as on any success.
    Data,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// RFC 3339, UTC.
    Iso,
}

/// How prices are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceText {
    /// With the digits that were sent.
    AsSent,
    /// As the shortest text of a double: `64.1`.
    Double,
    /// As a double with 17 digits: `64.099999999999994`.
    AllDigits,
    /// As a string.
    Text,
}

/// What an update does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateForm {
    /// The entry is what was sent, and nothing else.
    Replaces,
    /// The entry gets the members that were sent.
    Changes,
}

/// What making an entry whose `productId` is taken does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateForm {
    /// It is refused with code 409.
    Refused,
    /// The new entry stands in the place of the old.
    Overwrites,
    /// The old entry stays, and is the answer.
    Keeps,
}
