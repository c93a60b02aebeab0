//! A transport that answers by a script, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use ticket_wallet::host::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError};

type Answers = Box<dyn Fn(&HttpRequest) -> HttpResponse + Send + Sync>;

pub(crate) struct Script {
    answers: Answers,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub(crate) fn new(answers: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answers: Box::new(answers), seen: Mutex::default() })
    }

    /// Everything that was asked so far.
    pub(crate) fn seen(&self) -> Vec<HttpRequest> {
        self.seen.lock().unwrap().clone()
    }
}

impl HttpTransport for Script {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        self.seen.lock().unwrap().push(request.clone());
        Ok((self.answers)(&request))
    }
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.into() }
}

pub(crate) fn redirect(to: &str) -> HttpResponse {
    let location = HttpHeader { name: "Location".to_owned(), value: to.to_owned() };
    HttpResponse { headers: vec![location], ..answer(302, "") }
}

/// A header of a request, in any case.
pub(crate) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let named = |header: &&HttpHeader| header.name.eq_ignore_ascii_case(name);
    request.headers.iter().find(named).map(|header| header.value.as_str())
}
