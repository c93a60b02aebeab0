//! Signing in: at the adminserver, or as a holder at the user API. Both sessions go with `X-Session-Id`; neither can be
//! renewed.

use serde_json::json;
use zeroize::Zeroizing;

use super::{SESSION_HEADER, Texpo, below, is_header_value};
use crate::error::Error;
use crate::model::{TexpoSignIn, Tokens};
use crate::remote::address::join;
use crate::remote::unidy::raw;
use crate::remote::{Reply, Request, Session};

const LOGIN: &str = "POST /auth/login";
const CHECK: &str = "POST /auth/check";
const LOGOUT: &str = "POST /auth/logout";
const SIGN_IN: &str = "POST /api/v1/auth/signin";
const USER_CHECK: &str = "POST /api/v1/auth/check";
const SIGN_OUT: &str = "POST /api/v1/auth/signout";

/// The user API's header for the network, at its sign-in.
const NETWORK: &str = "X-Network";

/// Codes that refuse who signs in: unauthorized, invalid password, user not found.
const NOT_LET_IN: [i64; 3] = [401, 1006, 1021];

/// Calls of one sign-in.
struct Calls {
    prefix: String,
    sign_in: (&'static str, &'static str),
    /// The member that holds the session.
    session: &'static str,
    check: (&'static str, &'static str),
    sign_out: (&'static str, &'static str),
}

impl Texpo {
    /// Trades e-mail address and password for a session.
    ///
    /// # Errors
    /// [`Error::BadPassword`]; as [`crate::remote::Http::send`], [`Error::Answer`], [`Error::Status`], [`Error::Reply`].
    pub async fn login(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        let calls = self.calls();
        let (path, endpoint) = calls.sign_in;
        let body = json!({ "email": email, "password": password });
        let mut request = Request::post(join(&self.base, &below(&calls.prefix, path))?, endpoint, &body);
        request.named_header = self.sign_in_network();
        let reply = self.http.send(request).await?;
        let content = self.open(&reply).map_err(|error| match error {
            Error::Answer { code, .. } if NOT_LET_IN.contains(&code) => Error::BadPassword,
            Error::Status { status: 400 | 401 | 403, .. } => Error::BadPassword,
            other => other,
        })?;
        let session = content.member(calls.session).and_then(|json| raw::label(&json));
        let session = session.map(Zeroizing::new).filter(|session| is_header_value(session));
        let access = session.ok_or_else(|| reply.unreadable(calls.session))?;
        Ok(Tokens { access, refresh: None, session_id: None })
    }

    /// Whether the server knows a session.
    ///
    /// # Errors
    /// As [`crate::remote::Http::send`]; [`Error::Answer`], [`Error::Status`].
    pub async fn check(&self, session: &Session) -> Result<bool, Error> {
        let calls = self.calls();
        let (path, endpoint) = calls.check;
        let (url, empty) = (join(&self.base, &below(&calls.prefix, path))?, json!({}));
        match session.send(&self.http, self, || Request::post(url.clone(), endpoint, &empty)).await {
            Ok(reply) => self.open(&reply).map(|_| true),
            Err(Error::SignedOut) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Ends a session on the server. One that is over already counts as ended.
    ///
    /// # Errors
    /// As [`crate::remote::Http::send`]; [`Error::Answer`], [`Error::Status`].
    pub async fn sign_out(&self, tokens: &Tokens) -> Result<(), Error> {
        let calls = self.calls();
        let (path, endpoint) = calls.sign_out;
        let empty = json!({});
        let mut request = Request::post(join(&self.base, &below(&calls.prefix, path))?, endpoint, &empty);
        request.headers.push((SESSION_HEADER, tokens.access.clone()));
        request.named_header = self.sign_in_network();
        let reply: Reply = self.http.send(request).await?;
        match self.open(&reply) {
            Ok(_) | Err(Error::Answer { code: 401, .. } | Error::Status { status: 401, .. }) => Ok(()),
            Err(_) if reply.status == 401 => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn sign_in_network(&self) -> Option<(String, String)> {
        match self.config.sign_in {
            TexpoSignIn::Adminserver => self.network(),
            TexpoSignIn::UserApi => self.config.network_id.clone().map(|id| (NETWORK.to_owned(), id)),
        }
    }

    fn calls(&self) -> Calls {
        match self.config.sign_in {
            TexpoSignIn::Adminserver => Calls {
                prefix: self.paths.auth.clone(),
                sign_in: ("login", LOGIN),
                session: "sessionId",
                check: ("check", CHECK),
                sign_out: ("logout", LOGOUT),
            },
            TexpoSignIn::UserApi => Calls {
                prefix: self.paths.user_auth.clone(),
                sign_in: ("signin", SIGN_IN),
                session: "session_token",
                check: ("check", USER_CHECK),
                sign_out: ("signout", SIGN_OUT),
            },
        }
    }
}
