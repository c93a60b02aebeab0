//! What a simulation is like: every option of the command, with its default.

use clap::Args;

/// What is simulated. Shares are in percent.
#[derive(Debug, Clone, PartialEq, Eq, Args, serde::Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches of a command")]
pub struct Options {
    /// Where all choices come from; the keys of devices and the ids of chains are new in each run
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    pub seed: u64,
    /// Scanners at the doors, those that lie among them
    #[arg(long, value_name = "N", default_value_t = Options::default().scanners)]
    pub scanners: u32,
    /// Signed tickets
    #[arg(long, value_name = "N", default_value_t = Options::default().tickets)]
    pub tickets: u32,
    /// How long the doors are open, in simulated minutes
    #[arg(long, value_name = "N", default_value_t = Options::default().minutes)]
    pub minutes: u32,
    /// Groups of scanners; those of one group hear each other
    #[arg(long, value_name = "N", default_value_t = Options::default().groups)]
    pub groups: u32,
    /// How much of the time two groups cannot hear each other
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().apart)]
    pub apart: u32,
    /// Each scanner asks another one so often, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().exchange_s)]
    pub exchange_s: u32,
    /// How long a message takes at most, in milliseconds; one of a hundred takes sixty times as long
    #[arg(long, value_name = "MS", default_value_t = Options::default().delay_ms)]
    pub delay_ms: u32,
    /// Messages that are lost
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().loss)]
    pub loss: u32,
    /// Messages that come twice
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().doubled)]
    pub doubled: u32,
    /// The longest delta that scanners ask for, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_bytes)]
    pub max_bytes: u32,
    /// How far clocks are off, in seconds, one way or the other
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().skew_s)]
    pub skew_s: u32,
    /// Scanners whose clock is off
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().skewed)]
    pub skewed: u32,
    /// How long a frame stays fresh, in seconds, 5 to 255
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().window_s,
          value_parser = clap::value_parser!(u8).range(5..))]
    pub window_s: u8,
    /// Scanners that never come back
    #[arg(long, value_name = "N", default_value_t = Options::default().lost)]
    pub lost: u32,
    /// Scanners that are switched off and on again
    #[arg(long, value_name = "N", default_value_t = Options::default().restarted)]
    pub restarted: u32,
    /// Scanners whose store is lost, and that sign in anew
    #[arg(long, value_name = "N", default_value_t = Options::default().wiped)]
    pub wiped: u32,
    /// Scanners with a certificate that lie
    #[arg(long, value_name = "N", default_value_t = Options::default().rogues)]
    pub rogues: u32,
    /// Lies of each of them in a minute
    #[arg(long, value_name = "N", default_value_t = Options::default().lies)]
    pub lies: u32,
    /// Whether a manifest names them at three quarters of the time
    #[arg(long)]
    pub revoke_rogues: bool,
    /// Tickets that are shown at a second door
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().again)]
    pub again: u32,
    /// Tickets that are sold on, whose old copy is shown too
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().resold)]
    pub resold: u32,
    /// Tickets that a manifest revokes, which comes at a third of the time and which half of the scanners get
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().revoked)]
    pub revoked: u32,
    /// Admissions that are taken back
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().undone)]
    pub undone: u32,
    /// Refusals that staff override
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().overridden)]
    pub overridden: u32,
    /// How many of the honest scanners that are left exchange all they have in the end; 0 is all of them
    #[arg(long, value_name = "N", default_value_t = Options::default().full)]
    pub full: u32,
    /// Control: scanners that throw away what they are sent, which the checks must notice
    #[arg(long, value_name = "N", default_value_t = Options::default().deaf)]
    pub deaf: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            scanners: 16,
            tickets: 2_000,
            minutes: 60,
            groups: 4,
            apart: 50,
            exchange_s: 60,
            delay_ms: 2_000,
            loss: 5,
            doubled: 5,
            max_bytes: 1 << 16,
            skew_s: 120,
            skewed: 25,
            window_s: 60,
            lost: 1,
            restarted: 2,
            wiped: 1,
            rogues: 1,
            lies: 4,
            revoke_rogues: false,
            again: 5,
            resold: 3,
            revoked: 2,
            undone: 1,
            overridden: 1,
            full: 0,
            deaf: 0,
        }
    }
}

impl Options {
    /// What cannot be simulated.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let shares = [
            self.apart,
            self.loss,
            self.doubled,
            self.skewed,
            self.again,
            self.resold,
            self.revoked,
            self.undone,
            self.overridden,
        ];
        let counts = [self.minutes, self.groups, self.exchange_s, self.tickets];
        let in_trouble = self.rogues.saturating_add(self.lost).saturating_add(self.wiped);
        [
            (shares.iter().any(|share| *share > 100), "a share is 0 to 100"),
            (counts.contains(&0), "minutes, groups, the time between exchanges and tickets count from 1"),
            (in_trouble.saturating_add(self.deaf) >= self.scanners, "one scanner at least must stay honest"),
        ]
        .into_iter()
        .find(|(is_wrong, _)| *is_wrong)
        .map(|(_, what)| what)
    }
}
