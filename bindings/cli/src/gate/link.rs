//! Frames between two gates over TCP: four bytes of length, the most significant first, and a body of 1 MiB at most.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Failure, PeerTrouble};

/// The longest body.
const MAX_BODY: usize = 1 << 20;

/// A connection to another gate.
pub(super) struct Link {
    stream: TcpStream,
    /// How long a frame may take.
    wait: Duration,
}

impl Link {
    pub(super) fn new(stream: TcpStream, wait: Duration) -> Self {
        Self { stream, wait }
    }

    pub(super) async fn connect(address: &str, wait: Duration) -> Result<Self, Failure> {
        let connected = timeout(wait, TcpStream::connect(address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match connected {
            Ok(stream) => Ok(Self::new(stream, wait)),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                Err(Failure::Usage(format!("{address} is no address and port: {e}")))
            }
            Err(e) => Err(silent(format!("no gate can be reached at {address}: {}", e.kind()))),
        }
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_BODY);
        let length =
            length.ok_or_else(|| Failure::Usage("the request is too long for a frame".to_owned()))?;
        let frame = [&length.to_be_bytes(), body].concat();
        match timeout(self.wait, self.stream.write_all(&frame)).await {
            Ok(sent) => sent.map_err(|e| broken(&e)),
            Err(_) => Err(silent(format!("the other gate took nothing for {} s", self.wait.as_secs()))),
        }
    }

    /// Waits for a whole frame.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        match timeout(self.wait, read_frame(&mut self.stream)).await {
            Ok(read) => read,
            Err(_) => Err(silent(format!("the other gate said nothing for {} s", self.wait.as_secs()))),
        }
    }
}

async fn read_frame(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let length = stream.read_u32().await.map_err(|e| broken(&e))?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BODY);
    let length = length
        .ok_or_else(|| Failure::Peer(PeerTrouble::NoGate, "what speaks there is no gate".to_owned()))?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(|e| broken(&e))?;
    Ok(body)
}

fn broken(error: &io::Error) -> Failure {
    silent(match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the other gate closed the connection too early".to_owned()
        }
        kind => format!("the connection broke off: {kind}"),
    })
}

fn silent(reason: String) -> Failure {
    Failure::Peer(PeerTrouble::Silent, reason)
}
