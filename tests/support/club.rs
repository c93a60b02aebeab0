//! A Unidy brand of the sandbox, and clients of it.

#[path = "client.rs"]
mod client;

use std::sync::Arc;

use ticket_wallet::host::HttpTransport;
use ticket_wallet::model::{SystemConfig, Tokens, UnidyApi, UnidyConfig};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::unidy::Unidy;
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, UnidyBrand, UnidyChoices};

#[allow(unused_imports, reason = "each test program uses its own part")]
pub(crate) use self::client::{Kept, NoTime, refusal};
use crate::phone::{self, TestClock};

pub(crate) struct Club {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) brand: UnidyBrand,
}

/// A client with a session.
pub(crate) struct Holder {
    pub(crate) unidy: Unidy,
    pub(crate) session: Session,
    pub(crate) kept: Kept,
}

impl Club {
    pub(crate) async fn new() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = phone::sandbox(&clock, config).await;
        let brand = sandbox.unidy().unwrap().brands[0].clone();
        Self { clock, sandbox, brand }
    }

    /// Switches what the documents leave open.
    pub(crate) fn choose(&self, change: impl FnOnce(&mut UnidyChoices)) {
        let mut choices = self.sandbox.unidy_choices();
        change(&mut choices);
        self.sandbox.set_unidy_choices(choices);
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.wall_ms() / 1000
    }

    /// What the SDK's API needs.
    pub(crate) fn sdk_config(&self) -> UnidyConfig {
        UnidyConfig { sdk_key: Some(self.brand.sdk_key.clone()), ..UnidyConfig::default() }
    }

    /// What an OAuth client of this name needs.
    pub(crate) fn oauth_config(&self, client: &str) -> UnidyConfig {
        let client = self.brand.client(client).unwrap();
        UnidyConfig {
            api: UnidyApi::Partner,
            client_id: Some(client.client_id.clone()),
            client_secret: client.client_secret.clone(),
            redirect_uri: Some(client.redirect_uri.clone()),
            ..UnidyConfig::default()
        }
    }

    pub(crate) fn unidy(&self, config: UnidyConfig) -> Unidy {
        self.unidy_over(None, config)
    }

    /// A client whose app carries its requests.
    pub(crate) fn unidy_over(&self, transport: Option<Arc<dyn HttpTransport>>, config: UnidyConfig) -> Unidy {
        let http = client::http(transport, &self.clock, client::of_device());
        http.set_retry_policy(self.clock.policy());
        let config = SystemConfig { unidy: Some(config), ..SystemConfig::at(self.brand.url.clone()) };
        Unidy::new(Arc::new(http), &config).unwrap()
    }

    /// The user who signed in with the SDK's API.
    pub(crate) async fn holder(&self, user: usize) -> Holder {
        let unidy = self.unidy(self.sdk_config());
        let user = &self.sandbox.users()[user];
        let tokens = unidy.login(&user.name, &user.password).await.unwrap();
        Holder::new(unidy, tokens)
    }

    pub(crate) fn email(&self, user: usize) -> String {
        self.sandbox.users()[user].name.clone()
    }

    pub(crate) fn fault(&self, path: &str, times: u32, fault: Fault) {
        let path_contains = path.to_owned();
        self.sandbox.fault(FaultRule { method: None, path_contains, skip: 0, times, fault });
    }

    /// How often a request came, its path's end as given.
    pub(crate) fn count(&self, request: &str) -> usize {
        self.sandbox.requests().iter().filter(|seen| seen.ends_with(request)).count()
    }
}

impl Holder {
    pub(crate) fn new(unidy: Unidy, tokens: Tokens) -> Self {
        let (session, kept) = client::session(tokens);
        Self { unidy, session, kept }
    }

    /// What the keeper was told last.
    pub(crate) fn last_kept(&self) -> Option<Tokens> {
        self.kept.lock().unwrap().last().cloned().flatten()
    }
}
