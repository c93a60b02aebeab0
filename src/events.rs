//! Subscriptions to a state. Each has a worker of its own and room for one state, the newest: a listener that is slow
//! misses what was overtaken, one that blocks delays only itself, and no lock is held while it is called.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

/// A state, and who listens to it.
pub(crate) struct Hub<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    state: T,
    listeners: Vec<Weak<Slot<T>>>,
}

/// One subscription's place between the hub and its worker.
struct Slot<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

struct Waiting<T> {
    newest: Option<T>,
    ended: bool,
}

/// A subscription; dropping it ends it.
pub(crate) struct Listening<T> {
    slot: Arc<Slot<T>>,
}

impl<T: Clone + PartialEq + Send + 'static> Hub<T> {
    pub(crate) fn new(state: T) -> Self {
        Self { inner: Mutex::new(Inner { state, listeners: Vec::new() }) }
    }

    /// Changes the state and hands it to the listeners, if it is another now.
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        let mut inner = lock(&self.inner);
        let mut state = inner.state.clone();
        change(&mut state);
        if state == inner.state {
            return;
        }
        inner.state = state;
        let Inner { state, listeners } = &mut *inner;
        listeners.retain(|listener| listener.upgrade().is_some_and(|slot| slot.put(state.clone())));
    }

    /// Calls `tell` with the state as it is, then with what it becomes.
    ///
    /// # Errors
    /// The system's, when it has no thread to give.
    pub(crate) fn listen(&self, tell: impl Fn(T) + Send + 'static) -> std::io::Result<Listening<T>> {
        let mut inner = lock(&self.inner);
        let waiting = Mutex::new(Waiting { newest: Some(inner.state.clone()), ended: false });
        let slot = Arc::new(Slot { waiting, changed: Condvar::new() });
        let worker = Arc::clone(&slot);
        thread::Builder::new().name("wallet-listener".to_owned()).spawn(move || worker.work(&tell))?;
        inner.listeners.push(Arc::downgrade(&slot));
        Ok(Listening { slot })
    }
}

impl<T> Slot<T> {
    /// Puts the newest state in; `false` when nobody listens any more.
    fn put(&self, state: T) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.newest = Some(state);
        self.changed.notify_one();
        !waiting.ended
    }

    fn work(&self, tell: &(impl Fn(T) + Send)) {
        while let Some(state) = self.next() {
            // A listener that panics has missed this state and hears the next.
            let _ = catch_unwind(AssertUnwindSafe(|| tell(state)));
        }
    }

    fn next(&self) -> Option<T> {
        let idle = |waiting: &mut Waiting<T>| waiting.newest.is_none() && !waiting.ended;
        let waiting = self.changed.wait_while(lock(&self.waiting), idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.ended { None } else { waiting.newest.take() }
    }
}

impl<T> Listening<T> {
    /// Ends the subscription: at most the call that is under way still happens.
    pub(crate) fn end(&self) {
        let mut waiting = lock(&self.slot.waiting);
        waiting.ended = true;
        waiting.newest = None;
        self.slot.changed.notify_one();
    }
}

impl<T> Drop for Listening<T> {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    fn heard(hub: &Hub<u32>) -> (Listening<u32>, Receiver<u32>) {
        let (sender, receiver) = channel();
        (hub.listen(move |state| sender.send(state).unwrap_or_default()).unwrap(), receiver)
    }

    #[test]
    fn tells_the_state_first_and_then_its_changes() {
        let hub = Hub::new(1);
        let (_listening, heard) = heard(&hub);
        assert_eq!(heard.recv(), Ok(1));
        hub.change(|state| *state = 2);
        assert_eq!(heard.recv(), Ok(2));
        hub.change(|_| {});
        hub.change(|state| *state = 3);
        assert_eq!(heard.recv(), Ok(3), "what is no change is not told");
    }

    #[test]
    fn a_blocked_listener_delays_only_itself_and_then_hears_the_newest() {
        let hub = Hub::new(0);
        let (told, heard_by_slow) = channel();
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let _slow = hub.listen(move |state| {
            told.send(state).unwrap_or_default();
            let _ = lock(&gate).recv();
        });
        let (_quick, heard_by_quick) = heard(&hub);
        assert_eq!((heard_by_slow.recv(), heard_by_quick.recv()), (Ok(0), Ok(0)));
        for next in 1..=1000 {
            hub.change(|state| *state = next);
        }
        while heard_by_quick.recv().unwrap() != 1000 {}
        drop(release);
        assert_eq!(heard_by_slow.recv(), Ok(1000));
    }

    #[test]
    fn ends_by_drop_and_by_call_and_outlives_a_panic() {
        let hub = Hub::new(0);
        let (listening, after_end) = heard(&hub);
        listening.end();
        let (dropped, after_drop) = heard(&hub);
        drop(dropped);
        let (sender, after_panic) = channel();
        let _listening = hub.listen(move |state: u32| {
            assert_ne!(state, 0, "the first call panics");
            sender.send(state).unwrap_or_default();
        });
        while !lock(&hub.inner).listeners.is_empty() && after_panic.try_recv().is_err() {
            hub.change(|state| *state += 1);
            thread::yield_now();
        }
        assert_eq!(lock(&hub.inner).listeners.len(), 1);
        assert!(after_end.iter().all(|state| state == 0) && after_drop.iter().all(|state| state == 0));
    }
}
