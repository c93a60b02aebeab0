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

/// Pauses are numbered in the order in which they were asked for.
#[derive(Default)]
struct State {
    running: usize,
    /// The last pause.
    pause: u64,
    /// The last one that was called off: it does not interrupt any more.
    called_off: u64,
    /// The last one that is over: work is taken again.
    over: u64,
}

impl State {
    fn is_refusing(&self) -> bool {
        self.pause > self.over
    }
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
        if state.is_refusing() {
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

    /// Refuses new work from now on; returns the number of this pause.
    pub fn refuse(&self) -> u64 {
        let mut state = self.state();
        state.pause += 1;
        state.pause
    }

    /// Whether a pause waits for work that is under way.
    pub fn is_awaited(&self, pause: u64) -> bool {
        self.is_wanted(pause) && self.state().running > 0
    }

    /// Whether a pause was not called off.
    pub fn is_wanted(&self, pause: u64) -> bool {
        pause > self.state().called_off
    }

    /// Ends asynchronous work at its next wait, unless the pause was called off.
    pub fn interrupt(&self, pause: u64) {
        let state = self.state();
        if pause > state.called_off {
            self.interrupted.send_replace(true);
        }
    }

    /// Calls off what pauses there are; returns the last of them. New work is still refused.
    pub fn call_off(&self) -> u64 {
        let mut state = self.state();
        state.called_off = state.pause;
        state.pause
    }

    /// Takes work again, unless another pause came after this one.
    pub fn resume(&self, pause: u64) {
        let mut state = self.state();
        state.over = state.over.max(pause);
        if !state.is_refusing() {
            self.interrupted.send_replace(false);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
