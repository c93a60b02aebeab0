//! B.A.M's client outside of a wallet, signed in over real HTTP.

#[path = "client.rs"]
mod client;

use std::sync::Arc;

use ticket_wallet::model::{BamConfig, SystemConfig, Tokens};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::bam::Bam;
use ticket_wallet_sandbox::Sandbox;

use crate::phone::TestClock;

pub(crate) struct Client {
    pub(crate) bam: Bam,
    pub(crate) session: Session,
    pub(crate) tokens: Tokens,
}

impl Client {
    /// One of the sandbox's holders.
    pub(crate) async fn holder(clock: &TestClock, sandbox: &Sandbox, user: usize) -> Self {
        let user = &sandbox.users()[user];
        Self::sign_in(clock, &SystemConfig::at(sandbox.url()), (&user.name, &user.password)).await
    }

    /// Somebody who works for a tenant's organizer, with what else is configured.
    pub(crate) async fn organizer(
        clock: &TestClock,
        sandbox: &Sandbox,
        tenant: &str,
        config: BamConfig,
    ) -> Self {
        let user = sandbox.organizers().iter().find(|user| user.tenant == tenant).unwrap();
        let bam = BamConfig { organizer_id: Some(user.organizer_id), ..config };
        let config = SystemConfig { bam: Some(bam), ..SystemConfig::at(sandbox.url()) };
        Self::sign_in(clock, &config, (&user.name, &user.password)).await
    }

    pub(crate) async fn sign_in(
        clock: &TestClock,
        config: &SystemConfig,
        (name, password): (&str, &str),
    ) -> Self {
        let bam = client(clock, config);
        let tokens = bam.login(name, password).await.unwrap();
        let session = Session::new(tokens.clone(), Box::new(|_| Ok(())));
        Self { bam, session, tokens }
    }
}

/// A client that nobody has signed in with.
pub(crate) fn client(clock: &TestClock, config: &SystemConfig) -> Bam {
    let http = client::http(None, clock, client::of_device());
    http.set_retry_policy(clock.policy());
    Bam::new(Arc::new(http), config).unwrap()
}
