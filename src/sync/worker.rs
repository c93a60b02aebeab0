//! The thread that sends what waits in the outbox by itself: after each new write and each sync, and after a
//! failure when its time has come. It sleeps while nothing waits.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::runner::Runner;

/// The clock of the waits counts sleep, timers do not: they are set short enough to notice.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);
/// After a round that failed and could put nothing off, for example because the clock fails.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The thread; it ends when this is dropped.
pub struct Worker {
    wake: Arc<Notify>,
    ended: watch::Sender<bool>,
}

opaque_debug!(Worker);

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, when it has no thread to give.
    pub fn start(runner: Weak<Runner>) -> std::io::Result<Self> {
        let wake = runner.upgrade().map(|runner| runner.due()).unwrap_or_default();
        let (ended, mut end) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let woken = Arc::clone(&wake);
        thread::Builder::new().name("wallet-outbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = end.wait_for(|end| *end) => {}
                    () = work(&runner, &woken) => {}
                }
            });
            // A call of the vault that goes on is left to itself.
            runtime.shutdown_background();
        })?;
        Ok(Self { wake, ended })
    }

    /// Something may be due.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ended.send_replace(true);
    }
}

/// Holds the runner only while it works, so that a wallet that is let go closes at once.
async fn work(runner: &Weak<Runner>, woken: &Notify) {
    let mut all_went_well = true;
    while let Some(due) = runner.upgrade().map(|runner| runner.next_due()) {
        match due {
            None => woken.notified().await,
            Some(Duration::ZERO) if !all_went_well => sleep(SLEEP_AFTER_FAILURE).await,
            Some(due) => tokio::select! {
                () = woken.notified() => {}
                () = sleep(due.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)) => {}
            },
        }
        let Some(runner) = runner.upgrade() else { return };
        all_went_well = runner.send_waiting().await;
    }
}
