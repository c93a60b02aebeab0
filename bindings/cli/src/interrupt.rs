//! Waiting for Ctrl-C.

use crate::failure::Failure;

/// From now on Ctrl-C and a polite request to end no longer end the process; gives what waits for one of them.
#[cfg(unix)]
pub(crate) fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |e| Failure::system("signals cannot be awaited", e);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // Without signals it serves until the process is ended.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
