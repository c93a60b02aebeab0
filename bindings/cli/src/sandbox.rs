//! `sandbox`: serves the sandbox until interrupted.

use serde_json::json;
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::args::SandboxOptions;
use crate::failure::Failure;
use crate::output::Output;

/// The ready line is JSON with and without `--json`: scripts wait for it.
pub(crate) async fn run(options: &SandboxOptions, output: &Output) -> Result<(), Failure> {
    let config = SandboxConfig {
        port: options.port,
        seed: options.seed,
        tickets_per_user: options.tickets,
        window_s: options.window,
        feed: options.feed,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config)
        .await
        .map_err(|e| Failure::system(format!("the sandbox cannot start on port {}", options.port), e))?;
    output.value(&json!({
        "url": sandbox.url(),
        "users": sandbox.users(),
        "issuer_keys": sandbox.issuer_keys(),
    }))?;
    interrupted().await?;
    sandbox.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or a polite request to end.
async fn interrupted() -> Result<(), Failure> {
    let failed = |e| Failure::system("signals cannot be awaited", e);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
