//! An app's own transport over which a forger sits.

use std::sync::Arc;

use ticket_wallet::host::{HttpRequest, HttpResponse, HttpTransport, HttpTransportError};

use crate::line::Line;

/// Changes the body that a request is answered with.
type Forgery = Box<dyn Fn(&HttpRequest, &mut Vec<u8>) + Send + Sync>;

pub(crate) struct Forged(Arc<Line>, Forgery);

impl Forged {
    pub(crate) fn by(forgery: impl Fn(&HttpRequest, &mut Vec<u8>) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self(Line::new(), Box::new(forgery)))
    }
}

impl HttpTransport for Forged {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        let mut reply = self.0.send(request.clone())?;
        (self.1)(&request, &mut reply.body);
        Ok(reply)
    }
}
