//! Which ticketing system, and what its documents leave open.

use clap::{Args, ValueEnum};
use ticket_wallet::model::{
    BamConfig, BamIdsForm, CertificatePin, SystemConfig, TicketSystem, UnidyApi, UnidyConfig, UnidyGrant,
    UnidyUpdate,
};

use super::texpo::TexpoOptions;
use super::ticketing::TicketingOptions;
use crate::failure::Failure;

/// An option, and whether it was given.
pub(crate) type Given = (&'static str, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SystemName {
    /// B.A.M Ticketing.
    Bam,
    /// Unidy.
    Unidy,
    /// TickeTing.
    Ticketing,
    /// TEXPO.
    Texpo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ApiName {
    /// The end user's API, with the SDK's key.
    Sdk,
    /// The partner API, with OAuth.
    Partner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerbName {
    /// PATCH.
    Patch,
    /// PUT.
    Put,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdsFormName {
    /// A list of ids in the member.
    Member,
    /// A bare list of ids.
    List,
    /// A list of objects with an id each in the member.
    Objects,
    /// One id in the member: a call for each ticket.
    Single,
}

/// Which keys a server's certificates must have.
#[derive(Debug, Args)]
pub(crate) struct PinOptions {
    /// A key that the server's certificates must have: SHA-256 of its SubjectPublicKeyInfo in base64; two at least. With
    /// @UNIX behind it, it counts until that second.
    #[arg(long, value_name = "BASE64", value_parser = pin)]
    pub(super) pin: Vec<CertificatePin>,
}

/// Where a system is and how it is spoken with.
#[derive(Debug, Args)]
pub(crate) struct SystemOptions {
    /// Which ticketing system.
    #[arg(long, value_enum)]
    pub(crate) system: SystemName,
    /// Address of its API, for example https://api.example.org; with Unidy the brand's, with TEXPO the
    /// adminserver's.
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
    #[command(flatten)]
    pins: PinOptions,
    /// B.A.M: the organizer to sign in for.
    #[arg(long, value_name = "N")]
    organizer_id: Option<i64>,
    /// B.A.M: path before /ticket/reserve, /ticket/free and /ticket/issue; event/v1 without it.
    #[arg(long, value_name = "PATH")]
    organizer_prefix: Option<String>,
    /// B.A.M: the member that names the tickets to free or to issue; ids without it.
    #[arg(long, value_name = "NAME")]
    ids_field: Option<String>,
    /// B.A.M: how the tickets to free or to issue are named; as a list in that member without it.
    #[arg(long, value_enum, value_name = "FORM")]
    ids_form: Option<IdsFormName>,
    /// B.A.M: which relations of tickets to ask for, for example [ticket_config.event]; all that is shown without it.
    #[arg(long, value_name = "RELATIONS")]
    relations: Option<String>,
    /// B.A.M: do not show its own code, which never changes, where there is no signed one.
    #[arg(long)]
    no_static_codes: bool,
    /// Unidy: which of its two APIs; sdk without it.
    #[arg(long, value_enum)]
    api: Option<ApiName>,
    /// Unidy: the key of the SDK's API.
    #[arg(
        long,
        value_name = "KEY",
        allow_hyphen_values = true,
        env = "TICKET_WALLET_SDK_KEY",
        hide_env_values = true
    )]
    sdk_key: Option<String>,
    /// Unidy: what to call ourselves in the header SDK-Version.
    #[arg(long, value_name = "VERSION")]
    sdk_version: Option<String>,
    /// Unidy: the OAuth app's id.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client_id: Option<String>,
    /// Unidy: the OAuth app's secret, where it has one; better in the environment than here.
    #[arg(
        long,
        value_name = "SECRET",
        allow_hyphen_values = true,
        env = "TICKET_WALLET_CLIENT_SECRET",
        hide_env_values = true
    )]
    client_secret: Option<String>,
    /// Unidy: where the OAuth app sends the person back to.
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// Unidy: a scope to ask for, as often as needed.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Unidy: send forms to the token endpoint, in place of JSON.
    #[arg(long)]
    token_form: bool,
    /// Unidy: time zone of the nightly job that ends tickets; Europe/Berlin without it. TickeTing: of times without one; UTC
    /// without it.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Unidy: that job ends passive tickets too.
    #[arg(long)]
    passive_expires: bool,
    /// Unidy: path of the partner API; api/v1 without it.
    #[arg(long, value_name = "PATH")]
    partner_prefix: Option<String>,
    /// Unidy: the partner API's name for tickets; tickets without it.
    #[arg(long, value_name = "NAME")]
    tickets_resource: Option<String>,
    /// Unidy: the partner API's name for ticket categories; ticket_categories without it.
    #[arg(long, value_name = "NAME")]
    categories_resource: Option<String>,
    /// Unidy: the verb with which the partner API changes a ticket; patch without it.
    #[arg(long, value_enum, value_name = "VERB")]
    update_verb: Option<VerbName>,
    /// Unidy: whether the brand has transfers switched on; found out at the first sync without it.
    #[arg(long, value_name = "true|false")]
    transfers: Option<bool>,
    #[command(flatten)]
    ticketing: TicketingOptions,
    #[command(flatten)]
    texpo: TexpoOptions,
}

impl SystemOptions {
    pub(crate) fn system(&self) -> TicketSystem {
        self.system.into()
    }

    pub(crate) fn is_partner(&self) -> bool {
        self.api == Some(ApiName::Partner)
    }

    /// What is signed in with.
    pub(crate) fn secret_name(&self) -> &'static str {
        if self.ticketing.is_key() { "Key" } else { "Password" }
    }

    /// The configuration; `grant` says how the partner API is signed in to.
    pub(crate) fn config(self, grant: Option<UnidyGrant>) -> Result<SystemConfig, Failure> {
        self.only_of_this_system()?;
        let mut of_system = SystemConfig::default();
        match self.system {
            SystemName::Bam => of_system.bam = Some(self.bam()),
            SystemName::Unidy => of_system.unidy = Some(self.unidy(grant)),
            SystemName::Ticketing => {
                of_system.ticketing = Some(self.ticketing.config(self.time_zone.clone()));
            }
            SystemName::Texpo => of_system.texpo = Some(self.texpo.config()),
        }
        Ok(SystemConfig {
            url: self.url,
            tenant_url: self.tenant_url,
            default_tenant: self.default_tenant,
            extension_url: self.extension_url,
            relations: self.relations,
            pins: self.pins.pin,
            ..of_system
        })
    }

    fn bam(&self) -> BamConfig {
        BamConfig {
            organizer_prefix: self.organizer_prefix.clone(),
            ids_field: self.ids_field.clone(),
            ids_form: self.ids_form.map(BamIdsForm::from),
            organizer_id: self.organizer_id,
            static_codes: !self.no_static_codes,
        }
    }

    fn unidy(&self, grant: Option<UnidyGrant>) -> UnidyConfig {
        UnidyConfig {
            api: if self.is_partner() { UnidyApi::Partner } else { UnidyApi::Sdk },
            sdk_key: self.sdk_key.clone(),
            sdk_version: self.sdk_version.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            grant,
            token_form: self.token_form,
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scope.clone(),
            time_zone: self.time_zone.clone(),
            passive_expires: self.passive_expires,
            partner_prefix: self.partner_prefix.clone(),
            tickets_resource: self.tickets_resource.clone(),
            categories_resource: self.categories_resource.clone(),
            update: self.update_verb.map(UnidyUpdate::from),
            transfers: self.transfers,
        }
    }

    /// What is meant for another system would be lost without a word. Keys and secrets may come from the environment, for
    /// whatever system they are.
    fn only_of_this_system(&self) -> Result<(), Failure> {
        use SystemName::{Bam, Texpo, Ticketing, Unidy};
        let bam = [
            ("--organizer-id", self.organizer_id.is_some()),
            ("--organizer-prefix", self.organizer_prefix.is_some()),
            ("--ids-field", self.ids_field.is_some()),
            ("--ids-form", self.ids_form.is_some()),
            ("--relations", self.relations.is_some()),
            ("--no-static-codes", self.no_static_codes),
        ];
        let unidy = [
            ("--api", self.api.is_some()),
            ("--sdk-version", self.sdk_version.is_some()),
            ("--client-id", self.client_id.is_some()),
            ("--redirect-uri", self.redirect_uri.is_some()),
            ("--scope", !self.scope.is_empty()),
            ("--token-form", self.token_form),
            ("--passive-expires", self.passive_expires),
            ("--partner-prefix", self.partner_prefix.is_some()),
            ("--tickets-resource", self.tickets_resource.is_some()),
            ("--categories-resource", self.categories_resource.is_some()),
            ("--update-verb", self.update_verb.is_some()),
            ("--transfers", self.transfers.is_some()),
        ];
        let groups: [(&[SystemName], &[Given]); 5] = [
            (&[Bam], &bam),
            (&[Unidy], &unidy),
            (&[Unidy, Ticketing], &[("--time-zone", self.time_zone.is_some())]),
            (&[Ticketing], &self.ticketing.given()),
            (&[Texpo], &self.texpo.given()),
        ];
        let others = groups.iter().filter(|(systems, _)| !systems.contains(&self.system));
        let misplaced = others
            .flat_map(|(systems, options)| options.iter().map(move |option| (systems, option)))
            .find(|(_, (_, given))| *given);
        misplaced.map_or(Ok(()), |(systems, (name, _))| {
            let names: Vec<_> = systems.iter().map(|&system| TicketSystem::from(system).as_text()).collect();
            let names = names.join(" or ");
            Err(Failure::Usage(format!("{name}: only --system {names} has this; leave it out")))
        })
    }
}

impl From<VerbName> for UnidyUpdate {
    fn from(name: VerbName) -> Self {
        match name {
            VerbName::Patch => Self::Patch,
            VerbName::Put => Self::Put,
        }
    }
}

impl From<IdsFormName> for BamIdsForm {
    fn from(name: IdsFormName) -> Self {
        match name {
            IdsFormName::Member => Self::Member,
            IdsFormName::List => Self::List,
            IdsFormName::Objects => Self::Objects,
            IdsFormName::Single => Self::Single,
        }
    }
}

impl From<SystemName> for TicketSystem {
    fn from(name: SystemName) -> Self {
        match name {
            SystemName::Bam => Self::Bam,
            SystemName::Unidy => Self::Unidy,
            SystemName::Ticketing => Self::Ticketing,
            SystemName::Texpo => Self::Texpo,
        }
    }
}

fn pin(text: &str) -> Result<CertificatePin, String> {
    let (sha256, until) = text.split_once('@').map_or((text, None), |(key, until)| (key, Some(until)));
    let expires_at = until.map(str::parse).transpose().map_err(|_| "Unix seconds expected behind the @")?;
    Ok(CertificatePin { sha256: sha256.to_owned(), expires_at })
}
