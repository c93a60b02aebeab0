//! What a sandbox is started with.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bam::BamChoices;
use crate::texpo::TexpoChoices;
use crate::ticketing::TicketingChoices;
use crate::unidy::UnidyChoices;

/// Tells the time: Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a sandbox is started with.
#[derive(Clone)]
pub struct SandboxConfig {
    /// TCP port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The sandbox's own time: `Date` headers, tokens, leases, the check of statements.
    pub clock: Clock,
    /// The same seed makes the same season, enrollments, passwords and issuer keys.
    pub seed: u64,
    /// How many tickets each user owns, over all tenants.
    pub tickets_per_user: usize,
    /// Freshness window of credentials in seconds, 5 to 255.
    pub window_s: u8,
    /// How long a credential's lease runs, in seconds.
    pub lease_s: u32,
    /// Default and maximum page size of lists.
    pub page_limit: usize,
    /// How long an access token lives, in seconds.
    pub token_life_s: u32,
    /// How often a ticket may be moved to another device.
    pub moves: u16,
    /// How long a transfer waits for its recipient, in seconds; never past the start of the event.
    pub transfer_life_s: u32,
    /// How many scanners may sign in with one admission code.
    pub scanners_per_code: u16,
    /// Whether the extension serves its change feed of all tenants' tickets at the root.
    pub feed: bool,
    /// What B.A.M's documents leave open.
    pub bam: BamChoices,
    /// What Unidy's documents leave open.
    pub unidy: UnidyChoices,
    /// What TickeTing's documents leave open.
    pub ticketing: TicketingChoices,
    /// What TEXPO's documents leave open.
    pub texpo: TexpoChoices,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            port: 0,
            clock: Arc::new(system_time_ms),
            seed: 1,
            tickets_per_user: 24,
            window_s: 30,
            lease_s: 48 * 3600,
            page_limit: 100,
            token_life_s: 3600,
            moves: 3,
            transfer_life_s: 72 * 3600,
            scanners_per_code: 20,
            feed: false,
            bam: BamChoices::default(),
            unidy: UnidyChoices::default(),
            ticketing: TicketingChoices::default(),
            texpo: TexpoChoices::default(),
        }
    }
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("port", &self.port)
            .field("seed", &self.seed)
            .field("tickets_per_user", &self.tickets_per_user)
            .finish_non_exhaustive()
    }
}

fn system_time_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
