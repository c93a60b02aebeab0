//! `gate listen` and `gate connect`: two gates in a network, with no server.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::MultiProgress;
use serde_json::json;
use ticket_wallet::Gate;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::exchange::{Exchange, Exchanged};
use super::link::Link;
use super::merged;
use crate::args::gate::{GateConnectOptions, GateListenOptions};
use crate::failure::{Failure, PeerTrouble};
use crate::interrupt::interrupted;
use crate::output::Output;
use crate::paging::spinner;

/// So many gates are served at once; others wait.
const MOST_AT_ONCE: usize = 16;
/// An exchange with one of many takes so long at most: others wait.
const MOST_TIME: Duration = Duration::from_secs(30 * 60);
/// How long a machine that has no connection left is let alone.
const BREATH: Duration = Duration::from_secs(1);

/// Exchanges ledgers with a gate that listens.
pub(super) async fn connect(
    gate: Gate,
    options: GateConnectOptions,
    output: &Output,
) -> Result<ExitCode, Failure> {
    // Said before anything goes over the network.
    gate.ledger_request()?;
    let wait = Duration::from_secs(options.wait.timeout);
    let link = Link::connect(&options.address, wait).await?;
    let done = Exchange::new(Arc::new(gate), link, spinner(output)).begin().await?;
    say(&options.address, Ok(&done), output)?;
    Ok(ExitCode::SUCCESS)
}

/// Serves one gate that connects, or with `keep` all of them.
pub(super) async fn listen(
    gate: Gate,
    options: GateListenOptions,
    output: &Output,
) -> Result<ExitCode, Failure> {
    gate.ledger_request()?;
    let failed = |e| Failure::system(format!("nobody can be heard at {}", options.address), e);
    let listener = TcpListener::bind(options.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let interrupted = interrupted()?;
    output.either(&json!({ "address": address.to_string() }), || ready_text(address))?;
    let served = Served {
        gate: Arc::new(gate),
        wait: Duration::from_secs(options.wait.timeout),
        bars: MultiProgress::new(),
        output,
    };
    tokio::select! {
        () = interrupted => Ok(()),
        ended = served.serve(&listener, options.keep) => ended,
    }?;
    Ok(ExitCode::SUCCESS)
}

fn ready_text(address: SocketAddr) -> String {
    let open = if address.ip().is_loopback() {
        ""
    } else {
        "\nThe ledger goes unencrypted over this network; `gate listen --help` says what can be read."
    };
    format!("Listening at {address}. At the other gate: ticket-wallet gate connect {address}{open}")
}

/// A gate while it listens.
struct Served<'a> {
    gate: Arc<Gate>,
    wait: Duration,
    bars: MultiProgress,
    output: &'a Output,
}

impl Served<'_> {
    async fn serve(&self, listener: &TcpListener, keep: bool) -> Result<(), Failure> {
        if !keep {
            let (stream, from) =
                listener.accept().await.map_err(|e| Failure::system("nobody can be heard", e))?;
            let done = self.exchange(stream).follow().await?;
            return say(&from.to_string(), Ok(&done), self.output);
        }
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                Some(ended) = running.join_next() => {
                    if let Ok((from, outcome)) = ended {
                        self.tell(from, &outcome)?;
                    }
                }
                accepted = listener.accept(), if running.len() < MOST_AT_ONCE => match accepted {
                    Ok((stream, from)) => {
                        let exchange = self.exchange(stream);
                        running.spawn(async move { (from, follow(exchange).await) });
                    }
                    Err(_) => tokio::time::sleep(BREATH).await,
                },
            }
        }
    }

    fn exchange(&self, stream: TcpStream) -> Exchange {
        let bar = self.bars.add(spinner(self.output));
        Exchange::new(Arc::clone(&self.gate), Link::new(stream, self.wait), bar)
    }

    /// Prints beside what turns.
    fn tell(&self, from: SocketAddr, outcome: &Result<Exchanged, Failure>) -> Result<(), Failure> {
        self.bars.suspend(|| say(&from.to_string(), outcome.as_ref(), self.output))
    }
}

/// One of many exchanges.
async fn follow(exchange: Exchange) -> Result<Exchanged, Failure> {
    let ended = tokio::time::timeout(MOST_TIME, exchange.follow()).await;
    let minutes = MOST_TIME.as_secs() / 60;
    let slow = format!("no end after {minutes} minutes; what had come counts, and the next exchange goes on");
    ended.unwrap_or(Err(Failure::Peer(PeerTrouble::Silent, slow)))
}

fn say(peer: &str, outcome: Result<&Exchanged, &Failure>, output: &Output) -> Result<(), Failure> {
    match outcome {
        Ok(done) => {
            let mut value = json!({ "peer": peer, "sent": done.sent });
            merged::extend(&mut value, &done.merged);
            output.either(&value, || {
                format!("{peer}: records handed out: {}. {}", done.sent, merged::text(&done.merged))
            })
        }
        Err(failure) => {
            let mut value = failure.json();
            value["peer"] = json!(peer);
            output.either(&value, || format!("{peer}: {failure}"))
        }
    }
}
