//! What the wallet is doing, so that it can be paused: new work is refused, work under way is given time, and what is
//! not done by then is interrupted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::error::Error;

/// Counts work under way.
pub struct Activity {
    state: Mutex<State>,
    interrupted: watch::Sender<bool>,
}

opaque_debug!(Activity, Work<'_>);

#[derive(Default)]
struct State {
    refusing: bool,
    running: usize,
}

/// Work under way, until it is dropped.
pub struct Work<'a> {
    activity: &'a Activity,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.activity.state().running -= 1;
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self { state: Mutex::default(), interrupted: watch::Sender::new(false) }
    }
}

impl Activity {
    /// Begins a piece of work.
    ///
    /// # Errors
    /// [`Error::Paused`].
    pub fn begin(&self) -> Result<Work<'_>, Error> {
        let mut state = self.state();
        if state.refusing {
            return Err(Error::Paused);
        }
        state.running += 1;
        Ok(Work { activity: self })
    }

    /// Runs asynchronous work, unless or until it is interrupted.
    ///
    /// # Errors
    /// [`Error::Paused`]; the work's own.
    pub async fn run<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let _work = self.begin()?;
        let mut interrupted = self.interrupted.subscribe();
        tokio::select! {
            biased;
            _ = interrupted.wait_for(|interrupted| *interrupted) => Err(Error::Paused),
            result = work => result,
        }
    }

    /// Refuses new work from now on.
    pub fn refuse(&self) {
        self.state().refusing = true;
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.state().running == 0
    }

    /// Ends asynchronous work at its next wait.
    pub fn interrupt(&self) {
        self.interrupted.send_replace(true);
    }

    /// Takes work again.
    pub fn resume(&self) {
        self.interrupted.send_replace(false);
        self.state().refusing = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
