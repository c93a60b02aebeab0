//! The listener: plain TCP whose connections can be reset from inside a handler.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// How long to wait before accepting again when the system refuses, for example for lack of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections that carry a [`Fuse`], and counts the bytes that they send.
#[derive(Debug)]
pub(crate) struct SandboxListener {
    pub(crate) listener: TcpListener,
    pub(crate) sent: Arc<AtomicU64>,
}

/// How slowly a connection sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    bytes: usize,
    every: Duration,
}

impl Pace {
    /// So many bytes at once, one at least, with so many milliseconds between two pieces.
    pub(crate) fn new(bytes: u32, every_ms: u32) -> Self {
        Self { bytes: bytes.max(1) as usize, every: Duration::from_millis(every_ms.into()) }
    }
}

/// Cuts its connection: from then on nothing more is sent, and closing it sends a TCP reset. It can also slow the
/// connection down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<FuseState>);

#[derive(Debug, Default)]
struct FuseState {
    blown: AtomicBool,
    reader: Mutex<Option<Waker>>,
    pace: Mutex<Option<Pace>>,
}

impl Fuse {
    /// Resets the connection.
    pub(crate) fn blow(&self) {
        self.0.blown.store(true, Ordering::SeqCst);
        let waiting = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Sends at this pace from now on; at full speed for `None`.
    pub(crate) fn set_pace(&self, pace: Option<Pace>) {
        *self.0.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }

    fn pace(&self) -> Option<Pace> {
        *self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_blown(&self) -> bool {
        self.0.blown.load(Ordering::SeqCst)
    }

    fn remember(&self, waker: &Waker) {
        *self.0.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

/// A connection with its fuse.
#[derive(Debug)]
pub(crate) struct FusedStream {
    stream: TcpStream,
    fuse: Fuse,
    /// Runs until the next piece may be sent.
    pause: Option<Pin<Box<Sleep>>>,
    sent: Arc<AtomicU64>,
}

impl FusedStream {
    /// Fails once the fuse is blown, having told the kernel to reset instead of closing in order.
    fn check(&self) -> io::Result<()> {
        if !self.fuse.is_blown() {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl Listener for SandboxListener {
    type Io = FusedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FusedStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) if stream.set_nodelay(true).is_ok() => {
                    let sent = Arc::clone(&self.sent);
                    return (FusedStream { stream, fuse: Fuse::default(), pause: None, sent }, address);
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, SandboxListener>> for Fuse {
    fn connect_info(stream: IncomingStream<'_, SandboxListener>) -> Self {
        stream.io().fuse.clone()
    }
}

impl AsyncRead for FusedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.fuse.remember(context.waker());
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for FusedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let pace = self.fuse.pace();
        if let (Some(_), Some(pause)) = (&pace, &mut self.pause) {
            ready!(pause.as_mut().poll(context));
        }
        let piece = &bytes[..bytes.len().min(pace.map_or(usize::MAX, |pace| pace.bytes))];
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, piece));
        if let Some(pace) = pace {
            self.pause = Some(Box::pin(sleep(pace.every)));
        }
        if let Ok(written) = written {
            self.sent.fetch_add(written as u64, Ordering::Relaxed);
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// An orderly close would send FIN ahead of the reset: a blown connection is only dropped.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
