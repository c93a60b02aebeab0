//! The command line of the sandbox.

use clap::Args;
use ticket_wallet_sandbox::SandboxConfig;

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Move the clock instead of waiting: under ten seconds instead of half a minute.
    #[arg(long)]
    pub(crate) fast: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxOptions {
    /// TCP port on 127.0.0.1; any free one without it.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Tickets of each user.
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub(crate) tickets: usize,
    /// The same seed makes the same season, passwords and issuer keys.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Seconds for which a frame of a barcode stays fresh, 5 to 255.
    #[arg(long, default_value_t = 30, value_name = "S", value_parser = clap::value_parser!(u8).range(5..))]
    pub(crate) window: u8,
    /// Serve the extension's change feed of all tenants' tickets too.
    #[arg(long)]
    pub(crate) feed: bool,
    /// Seconds for which a barcode's lease runs.
    #[arg(long, default_value_t = SandboxConfig::default().lease_s, value_name = "S")]
    pub(crate) lease: u32,
    /// Items of a page of B.A.M's lists.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) page_limit: u16,
    /// Seconds for which B.A.M's access tokens live.
    #[arg(long, default_value_t = SandboxConfig::default().token_life_s, value_name = "S")]
    pub(crate) token_life: u32,
    /// How often a ticket may be moved to another device.
    #[arg(long, default_value_t = SandboxConfig::default().moves, value_name = "N")]
    pub(crate) moves: u16,
    /// Seconds for which the extension's transfers wait for their recipients.
    #[arg(long, default_value_t = SandboxConfig::default().transfer_life_s, value_name = "S")]
    pub(crate) transfer_life: u32,
    /// Do in another way what a system's documents leave open, for example bam.error_key=error; as often as needed.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) choice: Vec<String>,
    /// List these choices with their values, and end.
    #[arg(long, conflicts_with = "choice")]
    pub(crate) choices: bool,
}
