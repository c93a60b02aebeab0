//! One HTTP client for all systems: made at the first request, bounded in time and size, and every reply tells the time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{AGE, AUTHORIZATION, DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::address::is_loopback;
use crate::clock::{ClockReading, TimeSample};
use crate::error::Error;
use crate::host::HostClock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REPLY_BYTES: usize = 64 << 20;
const MAX_REDIRECTS: usize = 5;

/// Takes in what replies say about the time.
pub type TimeListener = Arc<dyn Fn(&TimeSample) + Send + Sync>;

/// The client.
pub struct Http {
    client: OnceLock<Client>,
    /// For this very machine: the system's proxy is another one, and would read what is not encrypted.
    direct: OnceLock<Client>,
    clock: Arc<dyn HostClock>,
    on_time: TimeListener,
    headers: Vec<(&'static str, String)>,
}

opaque_debug!(Http);

/// A request.
pub struct Request<'a> {
    /// HTTP method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Method and path without ids, for errors.
    pub endpoint: &'static str,
    /// Bearer token.
    pub bearer: Option<Zeroizing<String>>,
    /// Idempotency key, without quotes.
    pub idempotency_key: Option<&'a str>,
    /// JSON body.
    pub body: Option<&'a Value>,
}

impl<'a> Request<'a> {
    /// A GET.
    pub fn get(url: Url, endpoint: &'static str) -> Self {
        Self { method: Method::GET, url, endpoint, bearer: None, idempotency_key: None, body: None }
    }

    /// A POST with a JSON body.
    pub fn post(url: Url, endpoint: &'static str, body: &'a Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(url, endpoint) }
    }
}

/// A reply, whole.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    endpoint: &'static str,
    retry_after_ms: Option<u64>,
    body: Vec<u8>,
}

impl Http {
    /// A client that sends `headers` with every request.
    pub fn new(
        clock: Arc<dyn HostClock>,
        headers: Vec<(&'static str, String)>,
        on_time: TimeListener,
    ) -> Self {
        Self { client: OnceLock::new(), direct: OnceLock::new(), clock, on_time, headers }
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// [`Error::Network`] when no whole reply came. Every status is a reply.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        let endpoint = request.endpoint;
        let failed =
            |reason: &str| Error::Network { endpoint: endpoint.to_owned(), reason: reason.to_owned() };
        let built = self.build(request)?;
        let sent = self.clock.read()?;
        let mut response = built.send().await.map_err(|e| failed(describe(&e)))?;
        let received = self.clock.read()?;
        self.tell_time(response.headers(), sent, received);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| failed(describe(&e)))? {
            if body.len() + chunk.len() > MAX_REPLY_BYTES {
                return Err(failed("the reply is larger than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        let retry_after_ms = self.retry_after_ms(response.headers());
        Ok(Reply { status: response.status().as_u16(), endpoint, retry_after_ms, body })
    }

    fn build(&self, request: Request<'_>) -> Result<reqwest::RequestBuilder, Error> {
        let mut builder = self.client(&request.url)?.request(request.method, request.url);
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = &request.bearer {
            let value = Zeroizing::new(format!("Bearer {}", **token));
            builder = builder.header(AUTHORIZATION, value.as_str());
        }
        if let Some(key) = request.idempotency_key {
            builder = builder.header("Idempotency-Key", format!("\"{key}\""));
        }
        if let Some(body) = request.body {
            builder = builder.json(body);
        }
        Ok(builder)
    }

    fn client(&self, url: &Url) -> Result<&Client, Error> {
        let direct = is_loopback(url);
        let slot = if direct { &self.direct } else { &self.client };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        // Fails only where the process has a provider already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = if direct { Client::builder().no_proxy() } else { Client::builder() };
        let client = builder
            .user_agent(concat!("ticket-wallet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(Policy::custom(same_origin))
            .build()
            .map_err(|_| Error::Untrusted { what: "the HTTP client cannot be set up" })?;
        Ok(slot.get_or_init(|| client))
    }

    fn tell_time(&self, headers: &HeaderMap, sent: ClockReading, received: ClockReading) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(unix_seconds);
        if let (Some(date_s), false) = (date, headers.contains_key(AGE)) {
            (self.on_time)(&TimeSample { date_s, sent, received });
        }
    }

    fn retry_after_ms(&self, headers: &HeaderMap) -> Option<u64> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(seconds.saturating_mul(1000));
        }
        let now = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(unix_seconds)?;
        u64::try_from(unix_seconds(text)?.saturating_sub(now))
            .ok()
            .map(|seconds| seconds.saturating_mul(1000))
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of a success as JSON of a known shape.
    ///
    /// # Errors
    /// [`Error::Status`] for any status but 2xx, [`Error::Reply`] for a body of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !self.is_success() {
            return Err(self.error());
        }
        serde_json::from_slice(&self.body)
            .map_err(|e| self.unreadable(&format!("line {} column {}", e.line(), e.column())))
    }

    /// The reply as the error it is: status, code and `Retry-After`, without the server's prose.
    pub fn error(&self) -> Error {
        Error::Status {
            endpoint: self.endpoint.to_owned(),
            status: self.status,
            server_code: server_code(&self.body),
            retry_after_ms: self.retry_after_ms,
        }
    }

    /// The error for a reply that is not what its documents say, at `field`.
    pub fn unreadable(&self, field: &str) -> Error {
        Error::Reply { endpoint: self.endpoint.to_owned(), field: field.to_owned() }
    }
}

/// The error code of a body: B.A.M's `errorCode` or `error`, or RFC 9457's `type`. Only a plain identifier is taken,
/// so that no prose and no personal data gets into errors.
fn server_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let plain = |text: &str| {
        let identifier = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        (!text.is_empty() && text.len() <= 64 && text.chars().all(identifier)).then(|| text.to_owned())
    };
    ["errorCode", "error", "type"].iter().filter_map(|name| body.get(name)).find_map(|value| match value {
        Value::String(text) => plain(text),
        Value::Number(number) => plain(&number.to_string()),
        _ => None,
    })
}

/// Follows redirects that stay on the same origin: anything else would carry the request's meaning, if not its token,
/// to somebody the account was not made with.
fn same_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if stays && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn unix_seconds(http_date: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(http_date).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// What went wrong, without the address: an address can hold ids.
fn describe(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "the server cannot be reached; check the address and the network"
    } else if error.is_body() || error.is_decode() {
        "the connection broke before the answer was complete"
    } else if error.is_builder() {
        "the request could not be built"
    } else {
        "the connection broke before an answer came"
    }
}
