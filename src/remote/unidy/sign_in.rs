//! Signing in to the SDK's API: `POST api/sdk/v1/sign_ins` and what follows it. The session's id, `sid`, is kept beside the
//! refresh token: each is of use only with the other.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::raw::Members;
use super::{Unidy, body};
use crate::error::Error;
use crate::model::{Tokens, UnidyApi};
use crate::remote::address::segment;
use crate::remote::{Http, Reply, Request};

const ENDPOINT: &str = "POST api/sdk/v1/sign_ins";
const SEND_CODE: &str = "POST api/sdk/v1/sign_ins/:sid/send_magic_code";
const AUTHENTICATE: &str = "POST api/sdk/v1/sign_ins/:sid/authenticate";
const REFRESH: &str = "POST api/sdk/v1/sign_ins/:sid/refresh_token";
const SIGN_OUT: &str = "POST api/sdk/v1/sign_ins/:sid/sign_out";

/// Refusals of a renewal that say something else than that the session is over. They are passed on.
const NOT_ABOUT_THE_SESSION: [&str; 6] = [
    "account_locked",
    "account_unconfirmed",
    "missing_required_fields",
    "brand_connection_required",
    "feature_disabled",
    "unauthorized",
];

/// A sign-in under way.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInStep {
    /// Its id; goes into each further step.
    pub sid: Zeroizing<String>,
    /// Where it stands.
    pub status: SignInStatus,
    /// Whose it is, as the server wrote it.
    pub email: Option<String>,
    /// Whether its time is over.
    pub expired: bool,
    /// What the person can sign in with.
    pub login_options: LoginOptions,
    /// The brands that they can go on to, as JSON.
    pub brands: Vec<String>,
}

/// Where a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInStatus {
    /// The person must show a password or code.
    PendingVerification,
    /// They did.
    Authenticated,
    /// It is over.
    Completed,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

impl SignInStatus {
    /// Reads the server's text; one that is not known is kept.
    pub fn from_text(text: &str) -> Self {
        match text {
            "pending_verification" => Self::PendingVerification,
            "authenticated" => Self::Authenticated,
            "completed" => Self::Completed,
            other => Self::Other { text: other.to_owned() },
        }
    }
}

/// What a person can sign in with; all `false` where the server does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LoginOptions {
    /// A code by e-mail.
    pub magic_link: bool,
    /// A password.
    pub password: bool,
    /// A passkey.
    pub passkey: bool,
    /// Accounts elsewhere.
    pub social_logins: Vec<String>,
}

/// What a person shows.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// Their password.
    Password(&'a str),
    /// The code that they got by e-mail.
    Code(&'a str),
}

opaque_debug!(SignInStep, Secret<'_>);

impl Unidy {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// As [`Http::send`]; [`Error::Status`] with the server's identifier (`account_not_found`), [`Error::Reply`];
    /// [`Error::Input`] naming `api` where the account is not of the SDK's API.
    pub async fn start(&self, email: &str) -> Result<SignInStep, Error> {
        let body = json!({ "email": email });
        let reply = self.sign_in_step("sign_ins", ENDPOINT, &body, &self.http).await?;
        step(&reply)
    }

    /// Has a code sent to the person by e-mail. Returns after how many seconds it can be sent again, where the server says.
    ///
    /// # Errors
    /// As [`Unidy::start`] (`magic_code_recently_created`, `sign_in_not_found`, `sign_in_expired`, `account_locked`).
    pub async fn send_code(&self, sid: &str) -> Result<Option<i64>, Error> {
        let path = format!("sign_ins/{}/send_magic_code", segment(sid));
        let reply = self.sign_in_step(&path, SEND_CODE, &json!({}), &self.http).await?;
        let body = body(&reply)?;
        Ok(Members::read(body.get()).and_then(|reply| reply.number("enable_resend_after")))
    }

    /// Shows a password or code, and gives the session.
    ///
    /// # Errors
    /// [`Error::BadPassword`] when the secret is refused as `invalid_password` or without a reason; else as
    /// [`Unidy::start`] with the server's identifier: of the account `account_locked`, `account_unconfirmed`,
    /// `missing_required_fields`, `brand_connection_required`, and what it says of a code.
    pub async fn authenticate(&self, sid: &str, secret: Secret<'_>) -> Result<Tokens, Error> {
        let body = match secret {
            Secret::Password(password) => json!({ "password": password }),
            Secret::Code(code) => json!({ "code": code }),
        };
        let path = format!("sign_ins/{}/authenticate", segment(sid));
        match self.sign_in_step(&path, AUTHENTICATE, &body, &self.http).await {
            Ok(reply) => tokens(&reply, sid),
            Err(Error::Status { status: 400 | 401 | 403 | 422, server_code, .. })
                if server_code.as_deref().is_none_or(|code| code == "invalid_password") =>
            {
                Err(Error::BadPassword)
            }
            Err(other) => Err(other),
        }
    }

    /// Signs in with e-mail address and password in one go.
    ///
    /// # Errors
    /// As [`Unidy::authenticate`]; [`Error::BadPassword`] for an address that the server does not know, too.
    pub async fn login(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        let step = match self.start(email).await {
            Err(Error::Status { server_code, .. }) if server_code.as_deref() == Some("account_not_found") => {
                return Err(Error::BadPassword);
            }
            other => other?,
        };
        self.authenticate(&step.sid, Secret::Password(password)).await
    }

    /// Ends a session on the server. One that is over already counts as ended.
    ///
    /// # Errors
    /// As [`Http::send`]; [`Error::Status`].
    pub async fn sign_out(&self, tokens: &Tokens) -> Result<(), Error> {
        let Some(sid) = tokens.session_id.as_ref().filter(|_| self.config.api == UnidyApi::Sdk) else {
            return Ok(());
        };
        let body = json!({});
        let url = self.sdk(&format!("sign_ins/{}/sign_out", segment(sid)))?;
        let mut request = self.sdk_request(Request::post(url, SIGN_OUT, &body));
        request.headers.push(("X-ID-Token", tokens.access.clone()));
        match self.http.send(request).await? {
            reply if reply.is_success() || matches!(reply.status, 401 | 404 | 410) => Ok(()),
            reply => Err(reply.error()),
        }
    }

    /// Trades the refresh token, which is of use with the session's id only.
    pub(super) async fn refresh_sign_in(&self, http: &Http, held: &Tokens) -> Result<Tokens, Error> {
        let (Some(sid), Some(refresh)) = (&held.session_id, &held.refresh) else {
            return Err(Error::SignedOut);
        };
        let body = json!({ "refresh_token": **refresh });
        let path = format!("sign_ins/{}/refresh_token", segment(sid));
        match self.sign_in_step(&path, REFRESH, &body, http).await {
            Ok(reply) => tokens(&reply, sid),
            Err(Error::Status { status: 400 | 401 | 403 | 404 | 410 | 422, server_code, .. })
                if !server_code.as_deref().is_some_and(|code| NOT_ABOUT_THE_SESSION.contains(&code)) =>
            {
                Err(Error::SignedOut)
            }
            Err(other) => Err(other),
        }
    }

    async fn sign_in_step(
        &self,
        path: &str,
        endpoint: &'static str,
        body: &Value,
        http: &Http,
    ) -> Result<Reply, Error> {
        self.needs(UnidyApi::Sdk)?;
        let reply = http.send(self.sdk_request(Request::post(self.sdk(path)?, endpoint, body))).await?;
        if reply.is_success() { Ok(reply) } else { Err(reply.error()) }
    }
}

fn step(reply: &Reply) -> Result<SignInStep, Error> {
    let body = body(reply)?;
    let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("body"))?;
    let sid = members.label("sid").filter(|sid| !sid.is_empty()).ok_or_else(|| reply.unreadable("sid"))?;
    let brands = members.raw("brands").and_then(super::raw::items).unwrap_or_default();
    let options = members.raw("login_options").and_then(|json| serde_json::from_str(json).ok());
    Ok(SignInStep {
        sid: Zeroizing::new(sid),
        status: SignInStatus::from_text(&members.text("status").unwrap_or_default()),
        email: members.text("email"),
        expired: members.flag("expired").unwrap_or_default(),
        login_options: options.unwrap_or_default(),
        brands: brands.into_iter().map(str::to_owned).collect(),
    })
}

fn tokens(reply: &Reply, sid: &str) -> Result<Tokens, Error> {
    let body = body(reply)?;
    let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("body"))?;
    let secret = |name| members.text(name).filter(|text| !text.is_empty()).map(Zeroizing::new);
    let changed = members.label("sid").filter(|sid| !sid.is_empty());
    Ok(Tokens {
        access: secret("jwt")
            .filter(|jwt| super::is_header_value(jwt))
            .ok_or_else(|| reply.unreadable("jwt"))?,
        refresh: secret("refresh_token"),
        session_id: Some(Zeroizing::new(changed.unwrap_or_else(|| sid.to_owned()))),
    })
}
