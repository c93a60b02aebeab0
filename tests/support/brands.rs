//! Signing in to the sandbox's Unidy, by each of its ways.

use ticket_wallet::model::{SignIn, SystemConfig, TicketSystem, UnidyApi, UnidyConfig, UnidyGrant};
use ticket_wallet_sandbox::{Sandbox, UnidyBrand};

pub(crate) fn brand(sandbox: &Sandbox, name: &str) -> UnidyBrand {
    sandbox.unidy().unwrap().brands.into_iter().find(|brand| brand.name == name).unwrap()
}

/// A brand for end users.
pub(crate) fn end_user(sandbox: &Sandbox, name: &str) -> SystemConfig {
    let brand = brand(sandbox, name);
    let unidy = UnidyConfig { sdk_key: Some(brand.sdk_key), ..UnidyConfig::default() };
    SystemConfig { unidy: Some(unidy), ..SystemConfig::at(brand.url) }
}

/// A brand's partner API, through one of its OAuth clients.
pub(crate) fn partner(sandbox: &Sandbox, name: &str, client: &str, grant: UnidyGrant) -> SystemConfig {
    let brand = brand(sandbox, name);
    let client = brand.client(client).unwrap();
    let unidy = UnidyConfig {
        api: UnidyApi::Partner,
        client_id: Some(client.client_id.clone()),
        redirect_uri: Some(client.redirect_uri.clone()),
        scopes: client.scopes.clone(),
        grant: Some(grant),
        ..UnidyConfig::default()
    };
    SystemConfig { unidy: Some(unidy), ..SystemConfig::at(brand.url.clone()) }
}

/// A user of the sandbox at a brand.
pub(crate) fn sign_in_to(sandbox: &Sandbox, name: &str, user: usize) -> SignIn {
    let user = &sandbox.users()[user];
    SignIn {
        system: TicketSystem::Unidy,
        config: end_user(sandbox, name),
        user_name: user.name.clone(),
        password: user.password.clone(),
    }
}

/// A server that signs in to a brand's partner API by itself.
pub(crate) fn server_of(sandbox: &Sandbox, name: &str, client: &str) -> SignIn {
    let known = brand(sandbox, name).client(client).unwrap().clone();
    SignIn {
        system: TicketSystem::Unidy,
        config: partner(sandbox, name, client, UnidyGrant::ClientCredentials),
        user_name: known.client_id,
        password: known.client_secret.unwrap(),
    }
}
