//! Requests and replies of all systems: bounded in time and size, and every reply tells the time.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::transport::Transport;
use crate::clock::{ClockReading, TimeSample};
use crate::error::Error;
use crate::host::{HostClock, HttpHeader, HttpRequest, HttpResponse, HttpTransport};

const TIMEOUT_MS: u32 = 60_000;
const MAX_REPLY_BYTES: u64 = 64 << 20;

/// Takes in what replies say about the time.
pub type TimeListener = Arc<dyn Fn(&TimeSample) + Send + Sync>;

/// The client.
pub struct Http {
    transport: Transport,
    clock: Arc<dyn HostClock>,
    on_time: TimeListener,
    headers: Vec<(&'static str, String)>,
}

opaque_debug!(Http);

/// A request.
pub struct Request<'a> {
    /// HTTP method.
    pub method: &'static str,
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
        Self { method: "GET", url, endpoint, bearer: None, idempotency_key: None, body: None }
    }

    /// A POST with a JSON body.
    pub fn post(url: Url, endpoint: &'static str, body: &'a Value) -> Self {
        Self { method: "POST", body: Some(body), ..Self::get(url, endpoint) }
    }
}

/// A reply, whole.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    endpoint: &'static str,
    retry_after_ms: Option<u64>,
    body: Vec<u8>,
}

opaque_debug!(Reply);

impl Http {
    /// A client that sends `headers` with every request, over the app's transport where there is one.
    pub fn new(
        transport: Option<Arc<dyn HttpTransport>>,
        clock: Arc<dyn HostClock>,
        headers: Vec<(&'static str, String)>,
        on_time: TimeListener,
    ) -> Self {
        Self { transport: Transport::new(transport), clock, on_time, headers }
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// [`Error::Network`] when no whole reply came. Every status is a reply.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        let endpoint = request.endpoint;
        let request = self.build(request);
        let sent = self.clock.read()?;
        let response = self.transport.send(request).await;
        let response =
            response.map_err(|e| Error::Network { endpoint: endpoint.to_owned(), reason: e.to_string() })?;
        let received = self.clock.read()?;
        self.tell_time(&response, sent, received);
        let retry_after_ms = retry_after_ms(&response);
        Ok(Reply { status: response.status, endpoint, retry_after_ms, body: response.body })
    }

    fn build(&self, request: Request<'_>) -> HttpRequest {
        let header = |name: &str, value: String| HttpHeader { name: name.to_owned(), value };
        let mut headers: Vec<_> =
            self.headers.iter().map(|(name, value)| header(name, value.clone())).collect();
        if let Some(token) = &request.bearer {
            headers.push(header("Authorization", format!("Bearer {}", **token)));
        }
        if let Some(key) = request.idempotency_key {
            headers.push(header("Idempotency-Key", format!("\"{key}\"")));
        }
        if request.body.is_some() {
            headers.push(header("Content-Type", "application/json".to_owned()));
        }
        HttpRequest {
            method: request.method.to_owned(),
            url: request.url.into(),
            headers,
            body: request.body.map(|body| body.to_string().into_bytes()),
            timeout_ms: TIMEOUT_MS,
            max_reply_bytes: MAX_REPLY_BYTES,
        }
    }

    /// A stored copy (`Age`, RFC 9111, section 5.1) has an old date.
    fn tell_time(&self, response: &HttpResponse, sent: ClockReading, received: ClockReading) {
        if let (Some(date_s), None) = (response.header("date").and_then(unix_seconds), response.header("age"))
        {
            (self.on_time)(&TimeSample { date_s, sent, received });
        }
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

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after_ms(response: &HttpResponse) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let wait = unix_seconds(text)?.saturating_sub(response.header("date").and_then(unix_seconds)?);
    u64::try_from(wait).ok().map(|seconds| seconds.saturating_mul(1000))
}

fn unix_seconds(http_date: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(http_date).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}
