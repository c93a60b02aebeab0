//! A Unidy brand of the sandbox, and clients of it.

use std::sync::{Arc, Mutex};

use ticket_wallet::clock::{ClockReading, TimeSample};
use ticket_wallet::error::Error;
use ticket_wallet::host::HttpTransport;
use ticket_wallet::model::{SystemConfig, Tokens, UnidyApi, UnidyConfig};
use ticket_wallet::remote::unidy::Unidy;
use ticket_wallet::remote::{Http, Session, TrustedClock};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, UnidyBrand, UnidyChoices};

use crate::phone::{self, TestClock};

/// Every session's tokens, as its keeper was told of them.
pub(crate) type Kept = Arc<Mutex<Vec<Option<Tokens>>>>;

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

/// The time is the device's.
pub(crate) struct NoTime;

impl TrustedClock for NoTime {
    fn learn(&self, _: &TimeSample) {}

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        reading.wall_ms / 1000
    }
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
        // The device's id goes with every request to its own servers.
        let headers = vec![("x-device-id", "device-1".to_owned())];
        let http = Http::new(transport, Arc::new(self.clock.clone()), headers, Arc::new(NoTime));
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
        let kept = Kept::default();
        let keeps = Arc::clone(&kept);
        let keep = move |tokens: Option<&Tokens>| {
            keeps.lock().unwrap().push(tokens.cloned());
            Ok(())
        };
        Self { unidy, session: Session::new(tokens, Box::new(keep)), kept }
    }

    /// What the keeper was told last.
    pub(crate) fn last_kept(&self) -> Option<Tokens> {
        self.kept.lock().unwrap().last().cloned().flatten()
    }
}

/// Status and code of a refusal.
pub(crate) fn refusal<T>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome.err() {
        Some(Error::Status { status, server_code, .. }) => (status, server_code.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}
