//! An app's own HTTP transport: real HTTP, which a test can watch, cut and answer itself.

use std::sync::{Arc, Mutex, OnceLock};

use ticket_wallet::host::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError};
use tokio::runtime::Runtime;

/// What a test does to a request; `None` lets it pass.
type Rule = Box<dyn FnMut(&Sent) -> Option<Result<u16, HttpTransportError>> + Send>;

/// What a test does when a reply has come and before the wallet has it.
type After = Box<dyn FnMut(&Sent) + Send>;

/// A request as it left the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.url.contains(path)
    }
}

pub(crate) struct Line {
    client: reqwest::Client,
    log: Mutex<Vec<Sent>>,
    rule: Mutex<Option<Rule>>,
    after: Mutex<Option<After>>,
}

impl Line {
    pub(crate) fn new() -> Arc<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Arc::new(Self { client, log: Mutex::default(), rule: Mutex::default(), after: Mutex::default() })
    }

    /// From now on every request meets this rule.
    pub(crate) fn rule(
        &self,
        rule: impl FnMut(&Sent) -> Option<Result<u16, HttpTransportError>> + Send + 'static,
    ) {
        *self.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// From now on this is done when a reply has come and before the wallet has it.
    pub(crate) fn after(&self, after: impl FnMut(&Sent) + Send + 'static) {
        *self.after.lock().unwrap() = Some(Box::new(after));
    }

    /// Every request passes again.
    pub(crate) fn mend(&self) {
        *self.rule.lock().unwrap() = None;
    }

    /// No network.
    pub(crate) fn cut(&self) {
        self.rule(|_| Some(Err(HttpTransportError::Unreachable)));
    }

    /// The requests so far that went to such a path.
    pub(crate) fn sent(&self, method: &str, path: &str) -> Vec<Sent> {
        self.log.lock().unwrap().iter().filter(|sent| sent.is(method, path)).cloned().collect()
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
        let mut builder = self.client.request(method, &request.url);
        for header in request.headers {
            builder = builder.header(header.name, header.value);
        }
        let broken = |error: reqwest::Error| match error.is_connect() {
            true => HttpTransportError::Unreachable,
            false => HttpTransportError::Broken,
        };
        let reply = builder.body(request.body.unwrap_or_default()).send().await.map_err(broken)?;
        let headers = reply.headers().iter().map(|(name, value)| HttpHeader {
            name: name.to_string(),
            value: value.to_str().unwrap().to_owned(),
        });
        let (status, headers) = (reply.status().as_u16(), headers.collect());
        Ok(HttpResponse { status, headers, body: reply.bytes().await.map_err(broken)?.to_vec() })
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    })
}

impl HttpTransport for Line {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let key = request.headers.iter().find(|header| header.name == "Idempotency-Key");
        let sent = Sent {
            method: request.method.clone(),
            url: request.url.clone(),
            key: key.map(|header| header.value.clone()),
            body: request.body.clone().unwrap_or_default(),
        };
        self.log.lock().unwrap().push(sent.clone());
        match self.rule.lock().unwrap().as_mut().and_then(|rule| rule(&sent)) {
            Some(Ok(status)) => Ok(HttpResponse { status, headers: Vec::new(), body: Vec::new() }),
            Some(Err(error)) => Err(error),
            None => {
                let reply = runtime().block_on(self.carry(request));
                if let Some(after) = self.after.lock().unwrap().as_mut() {
                    after(&sent);
                }
                reply
            }
        }
    }
}
