//! What clients outside of a wallet need: HTTP of a device, and somebody who keeps their session.

use std::sync::{Arc, Mutex};

use ticket_wallet::clock::{ClockReading, TimeSample};
use ticket_wallet::error::Error;
use ticket_wallet::host::{HostClock, HttpTransport};
use ticket_wallet::model::Tokens;
use ticket_wallet::remote::{Http, Session, TrustedClock};
use zeroize::Zeroizing;

/// A session's tokens, as its keeper was told of them.
pub(crate) type Kept = Arc<Mutex<Vec<Option<Tokens>>>>;

/// The time is the device's.
pub(crate) struct NoTime;

impl TrustedClock for NoTime {
    fn learn(&self, _: &TimeSample) {}

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        reading.wall_ms / 1000
    }
}

/// HTTP by this clock, with headers that go with every request to the account's own servers.
pub(crate) fn http(
    transport: Option<Arc<dyn HttpTransport>>,
    clock: &(impl HostClock + Clone + 'static),
    headers: Vec<(&'static str, String)>,
) -> Http {
    Http::new(transport, Arc::new(clock.clone()), headers, Arc::new(NoTime))
}

/// The headers of a device.
pub(crate) fn of_device() -> Vec<(&'static str, String)> {
    vec![("x-device-id", "device-1".to_owned())]
}

/// A session, and what its keeper is told.
pub(crate) fn session(tokens: Tokens) -> (Session, Kept) {
    let kept = Kept::default();
    let keeps = Arc::clone(&kept);
    let keep = move |tokens: Option<&Tokens>| {
        keeps.lock().unwrap().push(tokens.cloned());
        Ok(())
    };
    (Session::new(tokens, Box::new(keep)), kept)
}

/// What a session is known by that nothing renews.
pub(crate) fn tokens(access: &str) -> Tokens {
    Tokens { access: Zeroizing::new(access.to_owned()), refresh: None, session_id: None }
}

/// Status and code of a refusal.
pub(crate) fn refusal<T>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome.err() {
        Some(Error::Status { status, server_code, .. }) => (status, server_code.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}
