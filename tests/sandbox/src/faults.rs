//! Faults on demand, the log of requests and the `Date` header: one middleware around every route.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::bam::{self, BamError};
use crate::control;
use crate::extension;
use crate::listener::{Fuse, Pace};
use crate::problem::Problem;
use crate::recorder::read_ahead;
use crate::texpo;
use crate::ticketing::{self, TicketingError};
use crate::unidy::{self, UnidyError};

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request is handled so many milliseconds late; never, if the client hangs up before.
    LatencyMs(u64),
    /// 401, unhandled.
    Unauthorized,
    /// 429, unhandled.
    TooMany {
        /// The value of `Retry-After`, as it stands.
        retry_after: String,
    },
    /// 503, unhandled.
    Unavailable {
        /// The value of `Retry-After`, as it stands.
        retry_after: String,
    },
    /// Handled; the reply is a 200 with the first half of its body, and a `Content-Length` that matches.
    TruncatedJson,
    /// The connection is reset, unhandled.
    Reset,
    /// Handled and committed; then the connection is reset with no byte of the reply sent.
    LostReply,
    /// Handled in right time; only the reply's `Date` is wrong.
    ClockOff {
        /// Seconds added to the time.
        seconds: i64,
    },
    /// Handled; the reply's `Date` is this text.
    DateText {
        /// The value of `Date`, as it stands.
        text: String,
    },
    /// Handled; the reply has an `Age`, as one from a cache.
    Age {
        /// The value of `Age`.
        seconds: u64,
    },
    /// Handled; the reply has a `Retry-After`, whatever its status.
    RetryAfterOnSuccess {
        /// The value of `Retry-After`, as it stands.
        retry_after: String,
    },
    /// A plain 500 as a proxy gives it, unhandled.
    ServerError,
    /// Handled and committed; the reply is one of a gateway that gave up waiting.
    Gateway {
        /// 502, 503 or 504.
        status: u16,
        /// The code of an error in the body, where the body is one of the system's own; else it is none.
        code: Option<i64>,
    },
    /// 410, unhandled; from the extension it says that the cursor is too old.
    Gone,
    /// Handled; the reply comes in small pieces.
    Trickle {
        /// Bytes of a piece, 1 at least.
        bytes: u32,
        /// Milliseconds between two pieces.
        every_ms: u32,
    },
}

/// When a fault strikes: `skip` matching requests pass, the next `times` get the fault, later ones pass again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// HTTP method in any case; `None` is every method.
    #[serde(default)]
    pub method: Option<String>,
    /// A part of the path; empty is every path.
    pub path_contains: String,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests get the fault; 1 when left out of JSON.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

impl FaultRule {
    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted))
            && path.contains(&self.path_contains)
    }

    /// Counts one matching request; tells whether the fault strikes it.
    fn strikes(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let strikes = self.times > 0;
        self.times = self.times.saturating_sub(1);
        strikes
    }
}

/// Finds the fault for a request. Rules count in order; the first that strikes ends the search.
pub(crate) fn next_fault(rules: &mut [FaultRule], method: &Method, path: &str) -> Option<Fault> {
    rules
        .iter_mut()
        .find_map(|rule| (rule.matches(method, path) && rule.strikes()).then(|| rule.fault.clone()))
}

/// The middleware. Requests to the sandbox's own routes are neither logged nor recorded nor disturbed.
pub(crate) async fn disturb(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with(control::PREFIX) {
        fuse_of(&request).set_pace(None);
        let mut reply = next.run(request).await;
        set_header(&mut reply, header::DATE, &http_date(app.now_s()));
        return reply;
    }
    let fault = app.observe(request.method(), &path);
    let (recording, request) = app.recorder.begin(request);
    // The extension's writes are in progress while their bodies still come in.
    let request = if extension::serves(&path) { request } else { read_ahead(request).await };
    let silent = matches!(fault, Some(Fault::Reset | Fault::LostReply));
    let reply = disturbed(&app, fault, &path, request, next).await;
    app.recorder.end(&recording, if silent { 0 } else { reply.status().as_u16() });
    reply
}

async fn disturbed(app: &App, fault: Option<Fault>, path: &str, request: Request, next: Next) -> Response {
    fuse_of(&request).set_pace(match fault {
        Some(Fault::Trickle { bytes, every_ms }) => Some(Pace::new(bytes, every_ms)),
        _ => None,
    });
    let mut reply = match fault.clone() {
        None => next.run(request).await,
        Some(fault) => strike(fault, path, request, next).await,
    };
    reply = bam::reshape(app, reply).await;
    set_header(&mut reply, header::DATE, &http_date(app.now_s()));
    match fault {
        Some(Fault::ClockOff { seconds }) => {
            set_header(&mut reply, header::DATE, &http_date(app.now_s().saturating_add(seconds)));
        }
        Some(Fault::DateText { text }) => set_header(&mut reply, header::DATE, &text),
        Some(Fault::Age { seconds }) => set_header(&mut reply, header::AGE, &seconds.to_string()),
        Some(Fault::RetryAfterOnSuccess { retry_after }) => {
            set_header(&mut reply, header::RETRY_AFTER, &retry_after);
        }
        _ => {}
    }
    reply
}

/// Sets a header to a text as it stands; one that no header can hold leaves the reply as it was.
fn set_header(reply: &mut Response, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        reply.headers_mut().insert(name, value);
    }
}

async fn strike(fault: Fault, path: &str, request: Request, next: Next) -> Response {
    match fault {
        Fault::LatencyMs(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            next.run(request).await
        }
        Fault::Unauthorized if texpo::serves(path) => texpo::fault(StatusCode::UNAUTHORIZED),
        Fault::Unauthorized if unidy::serves(path) => UnidyError::unauthorized().into_response(),
        Fault::Unauthorized if ticketing::serves(path) => TicketingError::unauthenticated().into_response(),
        Fault::Unauthorized if extension::serves(path) => Problem::unauthorized().into_response(),
        Fault::Unauthorized => BamError::unauthorized().into_response(),
        Fault::TooMany { retry_after } => refuse(StatusCode::TOO_MANY_REQUESTS, path, &retry_after),
        Fault::Unavailable { retry_after } => refuse(StatusCode::SERVICE_UNAVAILABLE, path, &retry_after),
        Fault::TruncatedJson => cut_in_half(next.run(request).await).await,
        Fault::Reset => reset(&request),
        Fault::LostReply => {
            let fuse = fuse_of(&request);
            let reply = next.run(request).await;
            fuse.blow();
            reply
        }
        Fault::Gateway { status, code } => {
            next.run(request).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            match code {
                Some(code) => {
                    (status, Json(json!({ "error": { "status": true, "code": code } }))).into_response()
                }
                None => (status, "<html>Gateway</html>").into_response(),
            }
        }
        Fault::ServerError if ticketing::serves(path) => TicketingError::internal().into_response(),
        Fault::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n").into_response(),
        Fault::Gone if texpo::serves(path) => texpo::fault(StatusCode::GONE),
        Fault::Gone if unidy::serves(path) => UnidyError::new(StatusCode::GONE, "gone").into_response(),
        Fault::Gone if ticketing::serves(path) => TicketingError::of(StatusCode::GONE).into_response(),
        Fault::Gone if extension::serves(path) => extension::cursor_expired().into_response(),
        Fault::Gone => BamError::new(StatusCode::GONE, "GONE", "Gone").into_response(),
        Fault::ClockOff { .. }
        | Fault::DateText { .. }
        | Fault::Age { .. }
        | Fault::RetryAfterOnSuccess { .. }
        | Fault::Trickle { .. } => next.run(request).await,
    }
}

fn refuse(status: StatusCode, path: &str, retry_after: &str) -> Response {
    let (kind, title) = match status {
        StatusCode::TOO_MANY_REQUESTS => ("too-many-requests", "Too many requests"),
        _ => ("unavailable", "The service is unavailable"),
    };
    let mut reply = if unidy::serves(path) {
        UnidyError::new(status, &kind.replace('-', "_")).into_response()
    } else if ticketing::serves(path) {
        TicketingError::of(status).into_response()
    } else if texpo::serves(path) {
        texpo::fault(status)
    } else if extension::serves(path) {
        Problem::new(status, kind, title).into_response()
    } else {
        BamError::new(status, kind, title).into_response()
    };
    set_header(&mut reply, header::RETRY_AFTER, retry_after);
    reply
}

async fn cut_in_half(reply: Response) -> Response {
    let content_type = reply.headers().get(header::CONTENT_TYPE).cloned();
    let whole = to_bytes(reply.into_body(), usize::MAX).await.unwrap_or_default();
    let half = if whole.len() < 2 { "{".into() } else { whole.slice(..whole.len() / 2) };
    let mut cut = Response::new(Body::from(half));
    let json = HeaderValue::from_static("application/json");
    cut.headers_mut().insert(header::CONTENT_TYPE, content_type.unwrap_or(json));
    cut
}

/// The reply is never sent: the connection ends at the first attempt to write it.
fn reset(request: &Request) -> Response {
    fuse_of(request).blow();
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn fuse_of(request: &Request) -> Fuse {
    request.extensions().get::<ConnectInfo<Fuse>>().map(|info| info.0.clone()).unwrap_or_default()
}

/// An HTTP date (RFC 9110, section 5.6.7).
fn http_date(unix_s: i64) -> String {
    let time = chrono::DateTime::from_timestamp(unix_s, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
