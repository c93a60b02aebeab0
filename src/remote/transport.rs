//! What carries a request: the built-in HTTP client, or the app's own. Both take the same request and give the same
//! reply, and neither leaves the origin it was sent to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use url::Url;

use super::address::is_loopback;
use super::{address, pins};
use crate::host::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// The carrier of an [`super::Http`].
pub(super) enum Transport {
    /// The built-in client.
    BuiltIn(Arc<BuiltIn>),
    /// The app's.
    Host(Arc<dyn HttpTransport>),
}

impl Transport {
    pub(super) fn new(host: Option<Arc<dyn HttpTransport>>) -> Self {
        host.map_or_else(|| Self::BuiltIn(Arc::default()), Self::Host)
    }

    /// Whether [`HttpRequest::pins`] are checked.
    pub(super) fn checks_pins(&self) -> bool {
        match self {
            Self::BuiltIn(_) => true,
            Self::Host(transport) => transport.checks_pins(),
        }
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        match self {
            Self::BuiltIn(client) => client.send_apart(request).await,
            Self::Host(transport) => {
                let (transport, limit) = (Arc::clone(transport), request.max_reply_bytes);
                let reply = tokio::task::spawn_blocking(move || transport.send(request)).await;
                let reply = reply.map_err(|_| failed("the app's transport broke off"))??;
                if reply.body.len() as u64 > limit { Err(HttpTransportError::TooLarge) } else { Ok(reply) }
            }
        }
    }
}

/// reqwest over rustls and ring, with the platform's trust store; made at the first request. Connections are shared by
/// requests with the same pins only.
#[derive(Default)]
pub(super) struct BuiltIn {
    clients: Mutex<HashMap<Reach, Client>>,
}

/// What a client may connect to.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reach {
    /// This very machine only: the system's proxy is another one, and would read what is not encrypted.
    direct: bool,
    /// Servers with one of these keys; with any where there is none.
    pins: Vec<String>,
}

/// Ends a request whose answer nobody waits for any more.
struct Dropped(AbortHandle);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl BuiltIn {
    /// Sends on a runtime that is always at work: connections are shared by callers of several runtimes, and one that
    /// belongs to a sleeping runtime would answer nobody.
    async fn send_apart(self: &Arc<Self>, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let client = Arc::clone(self);
        let sent = network()?.spawn(async move { client.send(request).await });
        let _dropped = Dropped(sent.abort_handle());
        sent.await.map_err(|_| failed("the request broke off"))?
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let url = Url::parse(&request.url).map_err(|_| failed("the request could not be built"))?;
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|_| failed("the request could not be built"))?;
        let reach = Reach { direct: is_loopback(&url), pins: request.pins };
        let mut builder = self.client(reach)?.request(method, url);
        for HttpHeader { name, value } in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let mut response = builder.timeout(timeout).send().await.map_err(|e| describe(&e))?;
        if response.content_length().is_some_and(|length| length > request.max_reply_bytes) {
            return Err(HttpTransportError::TooLarge);
        }
        let (status, headers) = (response.status().as_u16(), headers(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| describe(&e))? {
            if (body.len() + chunk.len()) as u64 > request.max_reply_bytes {
                return Err(HttpTransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }

    fn client(&self, reach: Reach) -> Result<Client, HttpTransportError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&reach) {
            return Ok(client.clone());
        }
        let client = reach.client().ok_or_else(|| failed("the HTTP client cannot be set up"))?;
        Ok(clients.entry(reach).or_insert(client).clone())
    }
}

impl Reach {
    fn client(&self) -> Option<Client> {
        // Fails only where the process has a provider already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("ticket-wallet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::custom(same_origin))
            .referer(false);
        if self.direct {
            builder = builder.no_proxy();
        }
        if !self.pins.is_empty() {
            builder = builder.tls_backend_preconfigured(pins::client_config(&self.pins).ok()?);
        }
        builder.build().ok()
    }
}

/// One thread for the network of all wallets of the process.
fn network() -> Result<&'static Runtime, HttpTransportError> {
    static NETWORK: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = NETWORK.get() {
        return Ok(runtime);
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).thread_name("wallet-network").enable_all().build();
    let runtime = runtime.map_err(|_| failed("the system has no thread to give"))?;
    // One that another thread made meanwhile serves as well; this one is let go without waiting.
    if let Err(spare) = NETWORK.set(runtime) {
        spare.shutdown_background();
    }
    NETWORK.get().ok_or_else(|| failed("the system has no thread to give"))
}

fn headers(headers: &HeaderMap) -> Vec<HttpHeader> {
    let readable =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    readable.map(|(name, value)| HttpHeader { name, value }).collect()
}

/// Follows redirects that stay on the same origin: anything else would carry the request's meaning, if not its token,
/// to somebody the account was not made with.
fn same_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin())
        && address::check(attempt.url()).is_ok();
    if stays && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn failed(reason: &str) -> HttpTransportError {
    HttpTransportError::Failed { reason: reason.to_owned() }
}

/// What went wrong, without the address: an address can hold ids.
fn describe(error: &reqwest::Error) -> HttpTransportError {
    // First, for a connection that is not made in time is a timeout too, and nothing was sent.
    if pins::is_mismatch(error) {
        HttpTransportError::PinMismatch
    } else if error.is_connect() {
        HttpTransportError::Unreachable
    } else if error.is_timeout() {
        HttpTransportError::TimedOut
    } else if error.is_builder() {
        failed("the request could not be built")
    } else {
        HttpTransportError::Broken
    }
}
