//! TEXPO's sandbox, and clients of it.

#[path = "client.rs"]
mod client;

use std::sync::Arc;

use ticket_wallet::error::Error;
use ticket_wallet::host::{HttpResponse, HttpTransport};
use ticket_wallet::model::{
    Money, Product, ProductFields, ProductGrant, ProductType, SignIn, SystemConfig, TexpoConfig,
    TicketSystem, Tokens,
};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::texpo::Texpo;
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, TexpoAccess, TexpoChoices};

#[allow(unused_imports, reason = "each test program uses its own part")]
pub(crate) use self::client::{Kept, NoTime};
use crate::phone::{self, TestClock};
use crate::script::Script;

pub(crate) const STARTS_AT: i64 = 1_795_824_000;

pub(crate) struct Expo {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) access: TexpoAccess,
}

/// A client with a session.
pub(crate) struct Client {
    pub(crate) texpo: Texpo,
    pub(crate) session: Session,
    pub(crate) kept: Kept,
}

impl Expo {
    pub(crate) async fn new() -> Self {
        Self::with(TexpoChoices::default()).await
    }

    pub(crate) async fn with(texpo: TexpoChoices) -> Self {
        let clock = TestClock::new();
        let config = SandboxConfig { texpo, tickets_per_user: 1, ..SandboxConfig::default() };
        let sandbox = phone::sandbox(&clock, config).await;
        let access = sandbox.texpo();
        Self { clock, sandbox, access }
    }

    pub(crate) fn choose(&self, change: impl FnOnce(&mut TexpoChoices)) {
        let mut choices = TexpoChoices::default();
        change(&mut choices);
        self.sandbox.set_texpo_choices(choices);
    }

    pub(crate) fn config(&self) -> TexpoConfig {
        TexpoConfig { network_id: Some(self.access.network_id.clone()), ..TexpoConfig::default() }
    }

    pub(crate) fn texpo(&self, config: TexpoConfig) -> Texpo {
        client(&self.clock, None, &self.access.url, config)
    }

    /// Who has the permission.
    pub(crate) async fn manager(&self) -> Client {
        self.manager_with(self.config()).await
    }

    pub(crate) async fn manager_with(&self, config: TexpoConfig) -> Client {
        let texpo = self.texpo(config);
        let tokens = texpo.login(&self.access.manager, &self.access.password).await.unwrap();
        Client::new(texpo, tokens)
    }

    /// A user without it.
    pub(crate) async fn holder(&self, user: usize) -> Client {
        let texpo = self.texpo(self.config());
        let user = &self.sandbox.users()[user];
        let tokens = texpo.login(&user.name, &user.password).await.unwrap();
        Client::new(texpo, tokens)
    }

    pub(crate) fn sign_in_as(&self, name: &str, password: &str) -> SignIn {
        SignIn {
            system: TicketSystem::Texpo,
            config: SystemConfig { texpo: Some(self.config()), ..SystemConfig::at(&self.access.url) },
            user_name: name.to_owned(),
            password: password.to_owned(),
        }
    }

    pub(crate) fn holder_sign_in(&self, user: usize) -> SignIn {
        let user = &self.sandbox.users()[user];
        self.sign_in_as(&user.name, &user.password)
    }

    pub(crate) fn manager_sign_in(&self) -> SignIn {
        self.sign_in_as(&self.access.manager, &self.access.password)
    }

    pub(crate) fn fault(&self, path: &str, times: u32, fault: Fault) {
        let path_contains = path.to_owned();
        self.sandbox.fault(FaultRule { method: None, path_contains, skip: 0, times, fault });
    }

    /// How often a request came, its path's end as given.
    pub(crate) fn count(&self, request: &str) -> usize {
        self.sandbox.requests().iter().filter(|seen| seen.ends_with(request)).count()
    }

    /// How often a write was applied.
    pub(crate) fn applied(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind == kind).count()
    }
}

impl Client {
    pub(crate) fn new(texpo: Texpo, tokens: Tokens) -> Self {
        let (session, kept) = client::session(tokens);
        Self { texpo, session, kept }
    }

    /// A client whose every request gets this answer, and what it asked.
    pub(crate) fn answered(
        config: TexpoConfig,
        answer: impl Fn() -> HttpResponse + Send + Sync + 'static,
    ) -> (Self, Arc<Script>) {
        let script = Script::new(move |_| answer());
        let texpo = client(&TestClock::new(), Some(Arc::clone(&script) as _), "https://expo.example", config);
        (Self::new(texpo, tokens()), script)
    }

    pub(crate) async fn create(&self, id: &str, fields: &ProductFields) -> Result<Product, Error> {
        let product = self.texpo.new_product(id, fields)?;
        self.texpo.create_product(&self.session, &product).await
    }

    pub(crate) async fn update(&self, id: &str, fields: &ProductFields) -> Result<Product, Error> {
        let held = self.texpo.product(&self.session, id).await?.ok_or(Error::NotFound { what: "product" })?;
        let product = self.texpo.changed_product(&held, fields)?;
        self.texpo.update_product(&self.session, &product).await
    }

    pub(crate) async fn list(&self) -> Vec<Product> {
        self.texpo.products(&self.session).await.unwrap()
    }
}

pub(crate) fn tokens() -> Tokens {
    client::tokens("session-1")
}

pub(crate) fn client(
    clock: &TestClock,
    transport: Option<Arc<dyn HttpTransport>>,
    url: &str,
    config: TexpoConfig,
) -> Texpo {
    try_client(clock, transport, url, config).unwrap()
}

pub(crate) fn try_client(
    clock: &TestClock,
    transport: Option<Arc<dyn HttpTransport>>,
    url: &str,
    config: TexpoConfig,
) -> Result<Texpo, Error> {
    let http = client::http(transport, clock, client::of_device());
    http.set_retry_policy(clock.policy());
    Texpo::new(Arc::new(http), &SystemConfig { texpo: Some(config), ..SystemConfig::at(url) })
}

pub(crate) fn usd(minor: i64) -> Money {
    Money { minor, currency: "USD".to_owned() }
}

/// Every documented field.
pub(crate) fn all_fields() -> ProductFields {
    ProductFields {
        event_name: Some("Hafenmesse".to_owned()),
        starts_at: Some(STARTS_AT),
        ends_at: Some(STARTS_AT + 8 * 3600),
        ticket_type: Some(ProductType::Days { day: 1, of: 3 }),
        ticket_name: Some("Tageskarte".to_owned()),
        ticket_description: Some("Zutritt zu allen Hallen".to_owned()),
        price: Some(usd(6410)),
        thumbnail_id: Some("thumb-1".to_owned()),
        discount: Some("-10%".to_owned()),
        grants: Some(vec![ProductGrant::from_texts("userRole", "visitor:hall-7")]),
        more_json: None,
    }
}
