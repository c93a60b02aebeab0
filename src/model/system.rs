//! Ticketing systems and where they are.

use super::texpo::TexpoConfig;
use super::ticketing::TicketingConfig;

/// A ticketing system that this library speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TicketSystem {
    /// B.A.M Ticketing.
    Bam,
    /// Unidy.
    Unidy,
    /// TickeTing.
    Ticketing,
    /// TEXPO (Roomful, Valuverse).
    Texpo,
}

closed_enum!(TicketSystem { Bam = "bam", Unidy = "unidy", Ticketing = "ticketing", Texpo = "texpo" });

/// Where a ticketing system is, and what its documents leave open.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[serde(default)]
pub struct SystemConfig {
    /// The API's address, for example `https://api.bam.fan`; with Unidy the brand's, `https://brand.unidy.de`;
    /// with TEXPO the adminserver's.
    pub url: String,
    /// Addresses of tenants, with `{tenant}` in it, for example `https://{tenant}.api.bam.fan`. Without it the tenant
    /// is put before the host, or, where the host is an IP address or `localhost`, into the path as `/t/{tenant}`.
    #[uniffi(default = None)]
    pub tenant_url: Option<String>,
    /// The tenant of tickets that do not tell theirs.
    #[uniffi(default = None)]
    pub default_tenant: Option<String>,
    /// Which relations a ticket list asks for, as a RelationExpression; by default all that the wallet shows.
    #[uniffi(default = None)]
    pub relations: Option<String>,
    /// Where the extension is looked for, with `{tenant}` where tenants serve it apart; the tenant's address without it.
    #[uniffi(default = None)]
    pub extension_url: Option<String>,
    /// What B.A.M's documents leave open; the likeliest reading without it.
    #[uniffi(default = None)]
    pub bam: Option<BamConfig>,
    /// How Unidy is reached; the end user's API without it.
    #[uniffi(default = None)]
    pub unidy: Option<UnidyConfig>,
    /// How TickeTing is reached, and what its documents leave open; the likeliest reading without it.
    #[uniffi(default = None)]
    pub ticketing: Option<TicketingConfig>,
    /// What TEXPO's documents leave open; the likeliest reading without it.
    #[uniffi(default = None)]
    pub texpo: Option<TexpoConfig>,
    /// Keys of which the certificate chain of every server of this configuration must have one, beside the platform's own
    /// trust: two different ones at least, so that a key can be changed. None are asked for when this is empty, or when
    /// all have expired.
    #[uniffi(default = [])]
    pub pins: Vec<CertificatePin>,
}

impl SystemConfig {
    /// The defaults for an address.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// What B.A.M's documents leave open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[serde(default)]
pub struct BamConfig {
    /// What stands before `/ticket/reserve`, `/ticket/free` and `/ticket/issue` on the tenant's host; `event/v1`
    /// without it.
    #[uniffi(default = None)]
    pub organizer_prefix: Option<String>,
    /// The member that names the tickets to free or to issue; `ids` without it.
    #[uniffi(default = None)]
    pub ids_field: Option<String>,
    /// The organizer to sign in for.
    #[uniffi(default = None)]
    pub organizer_id: Option<i64>,
    /// Whether SECURE tickets of a tenant without the extension show B.A.M's own code, which never changes.
    #[uniffi(default = true)]
    pub static_codes: bool,
}

impl Default for BamConfig {
    fn default() -> Self {
        Self { organizer_prefix: None, ids_field: None, organizer_id: None, static_codes: true }
    }
}

/// Which of Unidy's two APIs an account uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum UnidyApi {
    /// `/api/sdk/v1`: end users, with the SDK's key and the user's ID token.
    #[default]
    Sdk,
    /// `/api/v1`: partners, and users through OAuth.
    Partner,
}

/// How the partner API of Unidy is signed in to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum UnidyGrant {
    /// A person in their browser; the code that comes back is traded with proof that it was asked for here (PKCE).
    #[default]
    AuthorizationCode,
    /// A server by its own id and secret; no person.
    ClientCredentials,
    /// A person in their browser, to which the tokens themselves come back. Not advised: see RFC 9700, section 2.1.2.
    Implicit,
}

/// With which verb the partner API of Unidy changes a ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum UnidyUpdate {
    /// `PATCH`.
    #[default]
    Patch,
    /// `PUT`, with the members that change, as with `PATCH`.
    Put,
}

/// How Unidy is reached.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[uniffi::export(Debug)]
#[serde(default)]
pub struct UnidyConfig {
    /// Which API.
    pub api: UnidyApi,
    /// The key of the SDK's API.
    #[uniffi(default = None)]
    pub sdk_key: Option<String>,
    /// What to call ourselves in the SDK's header `SDK-Version`; the header is left out without it.
    #[uniffi(default = None)]
    pub sdk_version: Option<String>,
    /// The OAuth app's id.
    #[uniffi(default = None)]
    pub client_id: Option<String>,
    /// The OAuth app's secret: on servers only, never in an app that is handed out.
    #[uniffi(default = None)]
    pub client_secret: Option<String>,
    /// How an account of the partner API is signed in; with the authorization code without it.
    #[uniffi(default = None)]
    pub grant: Option<UnidyGrant>,
    /// Whether requests to the token endpoint are forms, as OAuth has them, instead of JSON, as Unidy's documents do.
    #[uniffi(default = false)]
    pub token_form: bool,
    /// Where the OAuth app sends the person back to.
    #[uniffi(default = None)]
    pub redirect_uri: Option<String>,
    /// The scopes to ask for; `openid`, `tickets:read` and `tickets:write` when this is empty.
    #[uniffi(default = [])]
    pub scopes: Vec<String>,
    /// The time zone of the nightly job that ends tickets, an IANA name; `Europe/Berlin` without it.
    #[uniffi(default = None)]
    pub time_zone: Option<String>,
    /// Whether that job ends passive tickets too.
    #[uniffi(default = false)]
    pub passive_expires: bool,
    /// Path of the partner API; `api/v1` without it.
    #[uniffi(default = None)]
    pub partner_prefix: Option<String>,
    /// The partner API's name for tickets; `tickets` without it.
    #[uniffi(default = None)]
    pub tickets_resource: Option<String>,
    /// The partner API's name for ticket categories; `ticket_categories` without it.
    #[uniffi(default = None)]
    pub categories_resource: Option<String>,
    /// With which verb the partner API changes a ticket; `PATCH` without it.
    #[uniffi(default = None)]
    pub update: Option<UnidyUpdate>,
    /// Whether the brand has transfers switched on in the SDK's API, where that is known: what the server says of them
    /// counts from then on. Not declared without it until the server has listed them.
    #[uniffi(default = None)]
    pub transfers: Option<bool>,
}

opaque_debug!(UnidyConfig);

/// A key that a certificate chain must have: in the server's own certificate, or in an authority's above it that the server
/// sends. A root that the server does not send is not seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
pub struct CertificatePin {
    /// SHA-256 of the DER `SubjectPublicKeyInfo`, in base64 with padding: 44 characters.
    pub sha256: String,
    /// Unix seconds from which on it no longer counts; `None` for never.
    #[uniffi(default = None)]
    pub expires_at: Option<i64>,
}
