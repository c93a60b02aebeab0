//! The sandbox's TickeTing, and clients of it.

#[path = "client.rs"]
mod client;

use std::sync::Arc;

use ticket_wallet::host::HttpTransport;
use ticket_wallet::model::{SignIn, SystemConfig, TicketSystem, TicketingAccess, TicketingConfig, Tokens};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::ticketing::Ticketing;
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, TicketingChoices, TicketingServed};

#[allow(unused_imports, reason = "each test program uses its own part")]
pub(crate) use self::client::{Kept, NoTime, refusal, tokens};
use crate::phone::{self, TestClock};

pub(crate) struct Festival {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) served: TicketingServed,
}

/// A client with a session.
pub(crate) struct Staff {
    pub(crate) ticketing: Ticketing,
    pub(crate) session: Session,
    pub(crate) kept: Kept,
}

impl Festival {
    pub(crate) async fn new() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = phone::sandbox(&clock, config).await;
        let served = sandbox.ticketing();
        Self { clock, sandbox, served }
    }

    /// Switches what the documents leave open.
    pub(crate) fn choose(&self, change: impl FnOnce(&mut TicketingChoices)) {
        let mut choices = self.sandbox.ticketing_choices();
        change(&mut choices);
        self.sandbox.set_ticketing_choices(choices);
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.wall_ms() / 1000
    }

    /// The id of an event.
    pub(crate) fn event(&self, number: usize) -> String {
        self.served.events[number].id.to_string()
    }

    /// The addresses of an event's sections.
    pub(crate) fn sections(&self, number: usize) -> Vec<String> {
        self.served.events[number].sections.clone()
    }

    pub(crate) fn client(&self, config: TicketingConfig) -> Ticketing {
        client(&self.served.url, &self.clock, None, client::of_device(), config)
    }

    /// The user who signed in.
    pub(crate) async fn holder(&self, user: usize) -> Staff {
        self.holder_with(user, TicketingConfig::default()).await
    }

    pub(crate) async fn holder_with(&self, user: usize, config: TicketingConfig) -> Staff {
        let user = &self.sandbox.users()[user];
        let ticketing = self.client(config);
        let tokens = ticketing.login(&user.name, &user.password).await.unwrap();
        Staff::new(ticketing, tokens)
    }

    /// A host of all events who signed in.
    pub(crate) async fn host(&self) -> Staff {
        self.host_with(TicketingConfig::default()).await
    }

    pub(crate) async fn host_with(&self, config: TicketingConfig) -> Staff {
        let host = &self.sandbox.organizers()[0];
        let ticketing = self.client(config);
        let tokens = ticketing.login(&host.name, &host.password).await.unwrap();
        Staff::new(ticketing, tokens)
    }

    /// Somebody with a key.
    pub(crate) fn with_key(&self, key: &str) -> Staff {
        self.with_key_and(key, TicketingConfig::default())
    }

    pub(crate) fn with_key_and(&self, key: &str, config: TicketingConfig) -> Staff {
        let config = TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..config };
        Staff::new(self.client(config), tokens(key))
    }

    pub(crate) fn user(&self, user: usize) -> (String, String) {
        let user = &self.sandbox.users()[user];
        (user.name.clone(), format!("/accounts/{}", self.sandbox.ticketing_account(&user.name).unwrap()))
    }

    pub(crate) fn fault(&self, method: &str, path: &str, times: u32, fault: Fault) {
        let (method, path_contains) = (Some(method.to_owned()), path.to_owned());
        self.sandbox.fault(FaultRule { method, path_contains, skip: 0, times, fault });
    }

    /// How often a request came, its path's end as given.
    pub(crate) fn count(&self, request: &str) -> usize {
        let (method, path) = request.split_once(' ').unwrap();
        let is_it = |seen: &&String| seen.starts_with(method) && seen.ends_with(path);
        self.sandbox.requests().iter().filter(is_it).count()
    }

    /// How many writes of a kind were applied.
    pub(crate) fn applied(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind == kind).count()
    }

    pub(crate) fn sign_in(&self, user: usize) -> SignIn {
        let user = &self.sandbox.users()[user];
        sign_in(&self.served.url, TicketingConfig::default(), &user.name, &user.password)
    }

    pub(crate) fn sign_in_as_host(&self) -> SignIn {
        let host = &self.sandbox.organizers()[0];
        sign_in(&self.served.url, TicketingConfig::default(), &host.name, &host.password)
    }
}

impl Staff {
    pub(crate) fn new(ticketing: Ticketing, tokens: Tokens) -> Self {
        let (session, kept) = client::session(tokens);
        Self { ticketing, session, kept }
    }

    /// Whether the keeper was told that the session has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.kept.lock().unwrap().last() == Some(&None)
    }
}

pub(crate) fn client(
    url: &str,
    clock: &TestClock,
    transport: Option<Arc<dyn HttpTransport>>,
    headers: Vec<(&'static str, String)>,
    config: TicketingConfig,
) -> Ticketing {
    let http = client::http(transport, clock, headers);
    http.set_retry_policy(clock.policy());
    let config = SystemConfig { ticketing: Some(config), ..SystemConfig::at(url) };
    Ticketing::new(Arc::new(http), &config).unwrap()
}

pub(crate) fn sign_in(url: &str, config: TicketingConfig, name: &str, password: &str) -> SignIn {
    SignIn {
        system: TicketSystem::Ticketing,
        config: SystemConfig { ticketing: Some(config), ..SystemConfig::at(url) },
        user_name: name.to_owned(),
        password: password.to_owned(),
    }
}
