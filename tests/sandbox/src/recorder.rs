//! What clients sent, without its values, and every secret that must not turn up anywhere else.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use http_body::{Frame, SizeHint};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

use crate::app::lock;

/// A request as it came in, and the status of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query's names and values, decoded, in order.
    pub query: Vec<(String, String)>,
    /// JSON pointers (RFC 6901) to every member of every object in the body, or to every field of a form. Empty for a
    /// body that is neither, and for a request of the extension that a fault kept from its handler.
    pub body: Vec<String>,
    /// The HTTP status of the reply; 0 where none was sent.
    pub status: u16,
}

/// Names a file to which the secrets of all sandboxes of a process are added, one a line.
const FILE_VARIABLE: &str = "TICKET_WALLET_SANDBOX_SECRETS";

/// Keeps requests and secrets.
pub(crate) struct Recorder {
    requests: Mutex<Vec<RecordedRequest>>,
    secrets: Mutex<BTreeSet<String>>,
    file: Option<PathBuf>,
}

impl Default for Recorder {
    fn default() -> Self {
        let file = std::env::var_os(FILE_VARIABLE).map(PathBuf::from);
        Self { requests: Mutex::default(), secrets: Mutex::default(), file }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// A request that is being handled.
pub(crate) struct Recording {
    index: usize,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Records a request. Its body is overheard while it is read.
    pub(crate) fn begin(&self, request: Request) -> (Recording, Request) {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let mut requests = lock(&self.requests);
        let recording = Recording { index: requests.len(), read: Arc::default() };
        requests.push(RecordedRequest {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: form_urlencoded::parse(query).into_owned().collect(),
            body: Vec::new(),
            status: 0,
        });
        let body = Body::new(Overheard { body, read: Arc::clone(&recording.read) });
        (recording, Request::from_parts(head, body))
    }

    /// Completes the record of a request.
    pub(crate) fn end(&self, recording: &Recording, status: u16) {
        let body = members(&std::mem::take(&mut *lock(&recording.read)));
        if let Some(request) = lock(&self.requests).get_mut(recording.index) {
            request.body = body;
            request.status = status;
        }
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).clone()
    }

    /// Keeps a secret, before anybody has it.
    pub(crate) fn give_out(&self, secret: &str) {
        let is_new = lock(&self.secrets).insert(secret.to_owned());
        if let Some(file) = self.file.as_deref().filter(|_| is_new) {
            // Whoever named the file misses the secret there.
            drop(append(file, secret));
        }
    }

    /// All secrets so far.
    pub(crate) fn secrets(&self) -> Vec<String> {
        lock(&self.secrets).iter().cloned().collect()
    }
}

/// Adds a line, whole among those that other processes add. A text of several lines is given out line by line as well.
fn append(file: &Path, secret: &str) -> std::io::Result<()> {
    if secret.contains('\n') {
        return Ok(());
    }
    OpenOptions::new().create(true).append(true).open(file)?.write_all(format!("{secret}\n").as_bytes())
}

/// Reads the whole body of a request ahead of its handler.
pub(crate) async fn read_ahead(request: Request) -> Request {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Request::from_parts(head, Body::from(bytes))
}

/// A body that keeps what is read of it.
struct Overheard {
    body: Body,
    read: Arc<Mutex<Vec<u8>>>,
}

impl HttpBody for Overheard {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            lock(&self.read).extend_from_slice(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Pointers to the members of a body.
fn members(body: &[u8]) -> Vec<String> {
    let mut pointers = Vec::new();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        add_members(&value, "", &mut pointers);
    } else if let Some(fields) = form(body) {
        pointers.extend(fields.iter().map(|name| pointer("", name)));
    }
    pointers
}

fn add_members(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = pointer(at, name);
                pointers.push(at.clone());
                add_members(member, &at, pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                add_members(item, &format!("{at}/{index}"), pointers);
            }
        }
        _ => {}
    }
}

fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The names of a form's fields; `None` for what is no form.
fn form(body: &[u8]) -> Option<Vec<String>> {
    let is_form = body.contains(&b'=') && body.iter().all(|byte| byte.is_ascii_graphic());
    is_form.then(|| form_urlencoded::parse(body).map(|(name, _)| name.into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_without_their_values() {
        let body = br#"{"a": {"b/c": 1, "~": []}, "ids": [1, 2], "items": [{"n": 1}, {"m": {"k": null}}]}"#;
        let pointers =
            ["/a", "/a/b~1c", "/a/~0", "/ids", "/items", "/items/0/n", "/items/1/m", "/items/1/m/k"];
        assert_eq!(members(body), pointers);
        assert_eq!(
            members(b"grant_type=refresh_token&refresh_token=x%2Fy"),
            ["/grant_type", "/refresh_token"]
        );
        for other in [&b""[..], b"[]", b"7", b"not a form", b"\xff="] {
            assert_eq!(members(other), [""; 0]);
        }
    }
}
