//! The terminal's echo, off while a scanner types: what it types would stand among the verdicts.

#[cfg(unix)]
pub(super) use unix::Silence;

/// Where terminals have no such setting, what is typed is shown.
#[cfg(not(unix))]
pub(super) struct Silence;

#[cfg(not(unix))]
impl Silence {
    pub(super) fn begin() -> std::io::Result<Self> {
        Ok(Self)
    }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::task::JoinHandle;

    /// Holds the echo off. It comes back when this is dropped, and when the process is told to end.
    pub(in crate::gate) struct Silence {
        before: Termios,
        ending: JoinHandle<()>,
    }

    impl Silence {
        /// Of the terminal on stdin.
        pub(in crate::gate) fn begin() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let listen = |kind: SignalKind| Ok((kind, signal(kind)?));
            let kinds =
                [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
            let signals = kinds.into_iter().map(listen).collect::<io::Result<Vec<_>>>()?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
            let ending = tokio::spawn(end_by(signals, before.clone()));
            Ok(Self { before, ending })
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            self.ending.abort();
            restore(&self.before);
        }
    }

    /// A terminal that is gone needs nothing back.
    fn restore(before: &Termios) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }

    /// Ends the process by the first of these signals, as it would have ended without them: what was decided is on the disk.
    async fn end_by(signals: Vec<(SignalKind, Signal)>, before: Termios) {
        let (told, mut first) = tokio::sync::mpsc::channel(1);
        for (kind, mut signal) in signals {
            let told = told.clone();
            tokio::spawn(async move {
                if signal.recv().await.is_some() {
                    // Another signal came first.
                    let _ = told.send(kind).await;
                }
            });
        }
        if let Some(kind) = first.recv().await {
            restore(&before);
            std::process::exit(128 + kind.as_raw_value());
        }
    }
}
