//! Requests and replies of all systems: bounded in time and size, and every reply tells the time.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::bounds::{self, MAX_ERROR_BYTES, MAX_TAG_BYTES};
use super::pins::{self, Pins};
use super::retry::{Pauses, RetryPolicy, http_date_s, retry_after_ms};
use super::transport::Transport;
use super::{address, echo};
use crate::clock::{ClockReading, TimeSample};
use crate::device::random_u64;
use crate::error::Error;
use crate::host::{
    HostClock, HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError, MAX_REPLY_BYTES,
};
use crate::model::CertificatePin;

/// The time that the wallet trusts, to requests.
pub trait TrustedClock: Send + Sync {
    /// Takes in what a reply says about the time.
    fn learn(&self, sample: &TimeSample);

    /// The time at a reading, Unix seconds.
    fn unix_s(&self, reading: &ClockReading) -> i64;
}

/// The client: one for a wallet, and of it one for each account that has certificate pins.
#[derive(Clone)]
pub struct Http {
    transport: Arc<Transport>,
    clock: Arc<dyn HostClock>,
    time: Arc<dyn TrustedClock>,
    headers: Vec<(&'static str, String)>,
    pauses: Arc<Pauses>,
    policy: Arc<Mutex<RetryPolicy>>,
    pins: Pins,
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
    /// Other headers by which the system knows who asks.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// One more, where the account's configuration gives its name.
    pub named_header: Option<(String, String)>,
    /// Idempotency key, without quotes.
    pub idempotency_key: Option<&'a str>,
    /// Entity tag of what is held, quotes included, as [`Reply::etag`] gave it.
    pub if_none_match: Option<&'a str>,
    /// JSON body.
    pub body: Option<&'a Value>,
    /// JSON body that is sent as it is written, in place of the other.
    pub json: Option<&'a str>,
    /// Body in the form `application/x-www-form-urlencoded`, in place of JSON.
    pub form: Option<&'a str>,
    /// Whether the headers that tell who asks are left out: for addresses that a server names.
    pub anonymous: bool,
    /// The longest reply to take, in bytes.
    pub max_reply_bytes: u64,
    /// After how many milliseconds it is given up; the policy's time without it.
    pub timeout_ms: Option<u32>,
}

impl<'a> Request<'a> {
    /// A GET.
    pub fn get(url: Url, endpoint: &'static str) -> Self {
        Self {
            method: "GET",
            url,
            endpoint,
            bearer: None,
            headers: Vec::new(),
            named_header: None,
            idempotency_key: None,
            if_none_match: None,
            body: None,
            json: None,
            form: None,
            anonymous: false,
            max_reply_bytes: MAX_REPLY_BYTES,
            timeout_ms: None,
        }
    }

    /// A POST with a JSON body.
    pub fn post(url: Url, endpoint: &'static str, body: &'a Value) -> Self {
        Self { method: "POST", body: Some(body), ..Self::get(url, endpoint) }
    }

    /// A PATCH with a JSON body.
    pub fn patch(url: Url, endpoint: &'static str, body: &'a Value) -> Self {
        Self { method: "PATCH", ..Self::post(url, endpoint, body) }
    }

    /// A PUT with a JSON body.
    pub fn put(url: Url, endpoint: &'static str, body: &'a Value) -> Self {
        Self { method: "PUT", ..Self::post(url, endpoint, body) }
    }

    /// A DELETE.
    pub fn delete(url: Url, endpoint: &'static str) -> Self {
        Self { method: "DELETE", ..Self::get(url, endpoint) }
    }

    /// Whether asking twice is like asking once (RFC 9110, section 9.2.1).
    fn is_safe(&self) -> bool {
        self.method == "GET"
    }
}

/// A reply, whole.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    endpoint: &'static str,
    retry_after_ms: Option<u64>,
    etag: Option<String>,
    location: Option<String>,
    server_code: Option<String>,
    date_s: Option<i64>,
    body: Vec<u8>,
}

opaque_debug!(Reply);

impl Http {
    /// A client that sends `headers` with every request, over the app's transport where there is one.
    pub fn new(
        transport: Option<Arc<dyn HttpTransport>>,
        clock: Arc<dyn HostClock>,
        headers: Vec<(&'static str, String)>,
        time: Arc<dyn TrustedClock>,
    ) -> Self {
        Self {
            transport: Arc::new(Transport::new(transport)),
            clock,
            time,
            headers,
            pauses: Arc::default(),
            policy: Arc::default(),
            pins: Pins::default(),
        }
    }

    /// The same client, whose connections need one of these keys in the server's certificate chain, beside the platform's
    /// trust: whatever host they go to.
    ///
    /// # Errors
    /// [`Error::Input`] naming `pins` for one alone, or one that is no SHA-256 in base64.
    pub fn pinned(&self, pins: &[CertificatePin]) -> Result<Self, Error> {
        Ok(Self { pins: Pins::new(pins)?, ..self.clone() })
    }

    /// The same client with the platform's trust alone: for hosts that are not the account's.
    pub(super) fn unpinned(&self) -> Self {
        Self { pins: Pins::default(), ..self.clone() }
    }

    /// The keys that a connection to this address needs now.
    fn keys(&self, url: &Url, now: &ClockReading) -> Result<Vec<String>, Error> {
        let keys = self.pins.at(self.time.unix_s(now));
        if keys.is_empty() {
            return Ok(keys);
        }
        if url.scheme() != "https" {
            return Err(pins::refused("only https has certificates to compare with pins"));
        }
        if !self.transport.checks_pins() {
            return Err(pins::refused("this app's HttpTransport does not check certificate pins"));
        }
        Ok(keys)
    }

    /// How requests are repeated.
    pub fn retry_policy(&self) -> RetryPolicy {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Sends a request: a write once; a GET again, with back-off, after a failure that passes. An origin that asked for
    /// a pause gets nothing until it is over. Dropping the future ends a wait as well.
    ///
    /// # Errors
    /// [`Error::Network`] when no whole reply came, [`Error::Pause`] when the origin's pause is longer than the policy
    /// waits, [`Error::Clock`]; [`Error::Input`] naming `url` for an address that is neither `https` nor on this machine,
    /// wherever it comes from; [`Error::Input`] naming `pins` where they cannot be checked. Every status is a reply.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        address::check(&request.url)?;
        let policy = self.retry_policy();
        let mut sent = 0;
        loop {
            self.wait_for_turn(&request, &policy).await?;
            let timeout_ms = request.timeout_ms.unwrap_or(policy.timeout_ms);
            let outcome = self.send_once(&request, timeout_ms).await;
            sent += 1;
            if !request.is_safe() || sent >= policy.attempts || !passes(&outcome) {
                return outcome;
            }
            let asked_ms = outcome.as_ref().ok().and_then(Reply::retry_after_ms);
            let wait_ms = asked_ms.unwrap_or(0).max(policy.backoff_ms(sent, random_u64()?));
            if wait_ms > policy.max_wait_ms {
                return outcome;
            }
            (policy.wait)(wait_ms).await;
        }
    }

    /// Waits until the origin's pause is over, in all no longer than the policy allows: while one request waits, the
    /// answer to another may prolong the pause.
    async fn wait_for_turn(&self, request: &Request<'_>, policy: &RetryPolicy) -> Result<(), Error> {
        let origin = request.url.origin();
        let mut may_wait_ms = policy.max_wait_ms;
        loop {
            let left_ms = self.pauses.left_ms(&origin, &self.clock.read()?);
            if left_ms == 0 {
                return Ok(());
            }
            may_wait_ms = may_wait_ms.checked_sub(left_ms).ok_or_else(|| Error::Pause {
                endpoint: request.endpoint.to_owned(),
                retry_after_ms: left_ms,
            })?;
            (policy.wait)(left_ms).await;
        }
    }

    async fn send_once(&self, request: &Request<'_>, timeout_ms: u32) -> Result<Reply, Error> {
        let endpoint = request.endpoint;
        let sent = self.clock.read()?;
        let pins = self.keys(&request.url, &sent)?;
        let carried = self.build(request, timeout_ms, pins);
        let response = self.transport.send(carried).await;
        let response = response.map_err(|why| Error::Network { endpoint: endpoint.to_owned(), why })?;
        // What a server did counts even when the clock cannot be read: then its reply tells no time.
        let received = self.clock.read();
        if let Ok(received) = &received {
            self.tell_time(&request.url, &response, &sent, received);
        }
        let received = received.unwrap_or(sent);
        let retry_after_ms = self.retry_after_ms(&response, &received);
        if let Some(pause_ms) = retry_after_ms.filter(|pause_ms| *pause_ms > 0) {
            self.pauses.ask(request.url.origin(), pause_ms, &received);
        }
        let etag = response.header("etag").filter(|tag| tag.len() <= MAX_TAG_BYTES).map(str::to_owned);
        let location = response.header("location").map(str::to_owned);
        let refused = !(200..300).contains(&response.status);
        let server_code =
            server_code(&response.body).filter(|code| refused && echo::may_be_told(request, code));
        Ok(Reply {
            status: response.status,
            endpoint,
            retry_after_ms,
            etag,
            location,
            server_code,
            date_s: response.header("date").and_then(http_date_s),
            body: response.body,
        })
    }

    fn build(&self, request: &Request<'_>, timeout_ms: u32, pins: Vec<String>) -> HttpRequest {
        let header = |name: &str, value: String| HttpHeader { name: name.to_owned(), value };
        let own = self.headers.iter().filter(|_| !request.anonymous);
        let mut headers: Vec<_> = own.map(|(name, value)| header(name, value.clone())).collect();
        if let Some(token) = &request.bearer {
            headers.push(header("Authorization", format!("Bearer {}", **token)));
        }
        headers.extend(request.headers.iter().map(|(name, value)| header(name, value.to_string())));
        headers.extend(request.named_header.iter().map(|(name, value)| header(name, value.clone())));
        if let Some(key) = request.idempotency_key {
            headers.push(header("Idempotency-Key", format!("\"{key}\"")));
        }
        if let Some(tag) = request.if_none_match {
            headers.push(header("If-None-Match", tag.to_owned()));
        }
        if request.body.is_some() || request.json.is_some() {
            headers.push(header("Content-Type", "application/json".to_owned()));
        } else if request.form.is_some() {
            headers.push(header("Content-Type", "application/x-www-form-urlencoded".to_owned()));
        }
        let written = request.json.map(|json| json.as_bytes().to_vec());
        let json = written.or_else(|| request.body.map(|body| body.to_string().into_bytes()));
        HttpRequest {
            method: request.method.to_owned(),
            url: request.url.to_string(),
            headers,
            body: json.or_else(|| request.form.map(|form| form.as_bytes().to_vec())),
            timeout_ms,
            max_reply_bytes: request.max_reply_bytes,
            pins,
        }
    }

    /// The names of the headers that go with a request.
    pub(super) fn header_names(&self, request: &Request<'_>) -> Vec<String> {
        self.build(request, 0, Vec::new()).headers.into_iter().map(|header| header.name).collect()
    }

    /// A stored copy has an old date: one with `Age` (RFC 9111, section 5.1), and what a 304 stands for.
    fn tell_time(&self, url: &Url, response: &HttpResponse, sent: &ClockReading, received: &ClockReading) {
        let Some(date_s) = response.header("date").and_then(http_date_s) else { return };
        if response.status == 304 || response.header("age").is_some() {
            return;
        }
        let source = url.origin().ascii_serialization();
        self.time.learn(&TimeSample { source, date_s, sent: sent.clone(), received: received.clone() });
    }

    /// A date counts from the reply's own, so that a server whose clock is wrong is understood all the same; without
    /// one, or from a cache, it counts from the trusted time.
    fn retry_after_ms(&self, response: &HttpResponse, received: &ClockReading) -> Option<u64> {
        let text = response.header("retry-after")?;
        let fresh = response.header("age").is_none();
        let date_s = response.header("date").filter(|_| fresh).and_then(http_date_s);
        retry_after_ms(text, date_s.unwrap_or_else(|| self.time.unix_s(received)))
    }
}

/// Whether a failure may be over in a moment. A timeout is not repeated: it has taken a minute already.
fn passes(outcome: &Result<Reply, Error>) -> bool {
    match outcome {
        Ok(reply) => matches!(reply.status, 429 | 500 | 502 | 503 | 504),
        Err(Error::Network { why, .. }) => {
            matches!(why, HttpTransportError::Unreachable | HttpTransportError::Broken)
        }
        Err(_) => false,
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether what is held is still so: the answer to [`Request::if_none_match`] (RFC 9110, section 15.4.5).
    pub fn is_not_modified(&self) -> bool {
        self.status == 304
    }

    /// Method and path of the request, for errors.
    pub(super) fn endpoint(&self) -> &'static str {
        self.endpoint
    }

    /// The entity tag, quotes included (RFC 9110, section 8.8.3); none that is longer than 4 KiB.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The body, whatever the status.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// When the server made it by its own clock (RFC 9110, section 6.6.1), Unix seconds. A stored copy has the time of what it
    /// is a copy of.
    pub fn date_s(&self) -> Option<i64> {
        self.date_s
    }

    /// How long the server asks to wait before the next request, in milliseconds, a day at most; whatever the status.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }

    /// The body of a success as JSON of a known shape.
    ///
    /// # Errors
    /// [`Error::Status`] for any status but 2xx, [`Error::Reply`] for a body of another shape, nested deeper than 100, with
    /// a list of more than 10,000 items or with more than 2,000,000 values.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !self.is_success() {
            return Err(self.error());
        }
        bounds::check(&self.body).map_err(|excess| self.unreadable(&excess.to_string()))?;
        serde_json::from_slice(&self.body)
            .map_err(|e| self.unreadable(&format!("line {} column {}", e.line(), e.column())))
    }

    /// The reply as the error it is: status, code and `Retry-After`, without the server's prose.
    pub fn error(&self) -> Error {
        Error::Status {
            endpoint: self.endpoint.to_owned(),
            status: self.status,
            server_code: self.server_code.clone(),
            retry_after_ms: self.retry_after_ms,
        }
    }

    /// Where the server points to (RFC 9110, section 10.2.2), as it wrote it.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The error for a reply that is not what its documents say, at `field`.
    pub fn unreadable(&self, field: &str) -> Error {
        Error::Reply { endpoint: self.endpoint.to_owned(), field: field.to_owned() }
    }
}

/// The error code of a body: B.A.M's `errorCode` or `error`, Unidy's `error_identifier` or `error_details`, or RFC 9457's
/// `type`. Only a plain identifier is taken, so that no prose and no personal data gets into errors; a body of more than
/// 64 KiB has none.
fn server_code(body: &[u8]) -> Option<String> {
    if body.len() > MAX_ERROR_BYTES {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let names = ["errorCode", "error_identifier", "error", "type"];
    let named = names.iter().filter_map(|name| body.get(name)).find_map(|value| match value {
        Value::String(text) => plain(text),
        Value::Number(number) => plain(&number.to_string()),
        _ => None,
    });
    named.or_else(|| code_of_details(body.get("error_details")?))
}

/// `{"base": ["transfer_expired"]}` names its error, `{"password": ["is too short"]}` the field: `invalid_password`, as
/// Unidy's SDK calls it.
fn code_of_details(details: &Value) -> Option<String> {
    let details = details.as_object()?;
    let words =
        |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).find_map(plain);
    let named = details.values().find_map(words);
    named.or_else(|| plain(&format!("invalid_{}", details.keys().next()?)))
}

fn plain(text: &str) -> Option<String> {
    let identifier = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    (!text.is_empty() && text.len() <= 64 && text.chars().all(identifier)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_plain_identifiers() {
        for (body, code) in [
            (r#"{"errorCode": "E1", "error": "E2"}"#, Some("E1")),
            (r#"{"error": 7}"#, Some("7")),
            (r#"{"type": "urn:x:y", "title": "words"}"#, Some("urn:x:y")),
            (r#"{"error_identifier": "transfer_expired", "errors": ["words"]}"#, Some("transfer_expired")),
            (r#"{"error_details": {"base": ["transfer_expired"]}}"#, Some("transfer_expired")),
            (r#"{"error_details": {"password": ["is too short"]}}"#, Some("invalid_password")),
            (r#"{"error_details": {"a": ["two words"], "b": ["taken"]}}"#, Some("taken")),
            (r#"{"error_details": {"an e-mail": ["two words"]}}"#, None),
            (r#"{"error_identifier": "x", "error_details": {"base": ["y"]}}"#, Some("x")),
            (r#"{"error_details": {}}"#, None),
            (r#"{"error_details": ["x"]}"#, None),
            (r#"{"error": "anna@example.org"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(server_code(body.as_bytes()).as_deref(), code, "{body}");
        }
    }
}
