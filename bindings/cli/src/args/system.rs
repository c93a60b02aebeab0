//! Which ticketing system, and what its documents leave open.

use clap::{Args, ValueEnum};
use ticket_wallet::model::{
    BamConfig, CertificatePin, SystemConfig, TicketSystem, UnidyApi, UnidyConfig, UnidyGrant,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SystemName {
    /// B.A.M Ticketing.
    Bam,
    /// Unidy.
    Unidy,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ApiName {
    /// The end user's API, with the SDK's key.
    Sdk,
    /// The partner API, with OAuth.
    Partner,
}

/// Where a system is and how it is spoken with.
#[derive(Debug, Args)]
pub(crate) struct SystemOptions {
    /// Which ticketing system.
    #[arg(long, value_enum)]
    pub(crate) system: SystemName,
    /// Address of its API, for example https://api.example.org; with Unidy the brand's.
    #[arg(long)]
    pub(crate) url: String,
    /// Addresses of tenants, with {tenant} in it.
    #[arg(long, value_name = "TEMPLATE")]
    tenant_url: Option<String>,
    /// Tenant of tickets that do not tell theirs.
    #[arg(long, value_name = "NAME")]
    default_tenant: Option<String>,
    /// Where the extension is served, with {tenant} where tenants serve it apart.
    #[arg(long, value_name = "TEMPLATE")]
    extension_url: Option<String>,
    /// A key that the server's certificates must have: SHA-256 of its SubjectPublicKeyInfo in base64; two at least.
    #[arg(long, value_name = "BASE64")]
    pin: Vec<String>,
    /// B.A.M: the organizer to sign in for.
    #[arg(long, value_name = "N")]
    organizer_id: Option<i64>,
    /// B.A.M: path before /ticket/reserve, /ticket/free and /ticket/issue; event/v1 without it.
    #[arg(long, value_name = "PATH")]
    organizer_prefix: Option<String>,
    /// Unidy: which of its two APIs.
    #[arg(long, value_enum, default_value = "sdk")]
    api: ApiName,
    /// Unidy: the key of the SDK's API.
    #[arg(long, value_name = "KEY", env = "TICKET_WALLET_SDK_KEY", hide_env_values = true)]
    sdk_key: Option<String>,
    /// Unidy: the OAuth app's id.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Unidy: where the OAuth app sends the person back to.
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// Unidy: a scope to ask for, as often as needed.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Unidy: time zone of the nightly job that ends tickets; Europe/Berlin without it.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Unidy: that job ends passive tickets too.
    #[arg(long)]
    passive_expires: bool,
    /// Unidy: path of the partner API; api/v1 without it.
    #[arg(long, value_name = "PATH")]
    partner_prefix: Option<String>,
}

impl SystemOptions {
    pub(crate) fn system(&self) -> TicketSystem {
        match self.system {
            SystemName::Bam => TicketSystem::Bam,
            SystemName::Unidy => TicketSystem::Unidy,
        }
    }

    /// The configuration; `grant` says how the partner API is signed in to.
    pub(crate) fn config(self, grant: Option<UnidyGrant>) -> SystemConfig {
        let (bam, unidy) = match self.system {
            SystemName::Bam => {
                let (organizer_prefix, organizer_id) = (self.organizer_prefix, self.organizer_id);
                (Some(BamConfig { organizer_prefix, organizer_id, ..BamConfig::default() }), None)
            }
            SystemName::Unidy => {
                let unidy = UnidyConfig {
                    api: match self.api {
                        ApiName::Sdk => UnidyApi::Sdk,
                        ApiName::Partner => UnidyApi::Partner,
                    },
                    sdk_key: self.sdk_key,
                    client_id: self.client_id,
                    redirect_uri: self.redirect_uri,
                    scopes: self.scope,
                    time_zone: self.time_zone,
                    passive_expires: self.passive_expires,
                    partner_prefix: self.partner_prefix,
                    grant,
                    ..UnidyConfig::default()
                };
                (None, Some(unidy))
            }
        };
        SystemConfig {
            tenant_url: self.tenant_url,
            default_tenant: self.default_tenant,
            extension_url: self.extension_url,
            pins: self.pin.into_iter().map(|sha256| CertificatePin { sha256, expires_at: None }).collect(),
            bam,
            unidy,
            ..SystemConfig::at(self.url)
        }
    }
}
