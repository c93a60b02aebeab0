//! The token endpoint: codes, refresh tokens and client credentials for access tokens (RFC 6749, sections 4.1.3, 4.4.2
//! and 6).

use serde_json::Value;
use zeroize::Zeroizing;

use super::authorization::AuthorizationRequest;
use super::discovery::AuthorizationServer;
use crate::error::Error;
use crate::model::{OAuthError, Tokens, UnidyGrant};
use crate::remote::unidy::raw::Members;
use crate::remote::unidy::{Unidy, body, input, is_header_value};
use crate::remote::{Http, Reply, Request};

const TOKEN: &str = "POST oauth/token";

/// Codes that are about the app, not about the session.
const ABOUT_THE_APP: [&str; 5] =
    ["invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope"];

/// What the endpoint gave.
pub(super) struct Granted {
    pub(super) access: Zeroizing<String>,
    pub(super) refresh: Option<Zeroizing<String>>,
    pub(super) id_token: Option<Zeroizing<String>>,
    pub(super) expires_in: Option<u64>,
    pub(super) scope: Option<String>,
}

impl Granted {
    /// Whether a scope was granted; a server that does not say granted what was asked for (RFC 6749, section 5.1).
    pub(super) fn grants(&self, scope: &str) -> bool {
        self.scope.as_deref().is_none_or(|granted| granted.split(' ').any(|one| one == scope))
    }

    pub(super) fn into_tokens(self) -> Tokens {
        Tokens { access: self.access, refresh: self.refresh, session_id: None }
    }
}

impl Unidy {
    /// Signs a server in by its own id and secret. Such a session has no refresh token: it is renewed in the same way.
    ///
    /// # Errors
    /// [`Error::Input`] naming `client_id` or `client_secret`; as [`Unidy::authorization_server`]; [`Error::Status`] with
    /// the server's code (`invalid_client`); [`Error::OAuth`] when the server does not offer this grant.
    pub async fn client_credentials(&self) -> Result<Tokens, Error> {
        if self.config.client_secret.is_none() {
            return Err(input("client_secret", "a server signs in with the app's secret"));
        }
        let server = self.authorization_server().await?;
        if !server.offers_grant("client_credentials") {
            return Err(OAuthError::NotOffered { what: "client credentials" }.into());
        }
        let scope = self.scopes().join(" ");
        let parameters = [("grant_type", "client_credentials"), ("scope", &scope)];
        let granted = granted(&self.ask_for_tokens(&self.http, &server, &parameters).await?)?;
        Ok(granted.into_tokens())
    }

    pub(super) async fn exchange(
        &self,
        server: &AuthorizationServer,
        code: &str,
        pending: &AuthorizationRequest,
    ) -> Result<Granted, Error> {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &pending.redirect_uri),
            ("code_verifier", &pending.code_verifier),
        ];
        granted(&self.ask_for_tokens(&self.http, server, &parameters).await?)
    }

    /// Renews a session by its refresh token, or a server's own by its secret. An app without a secret that the server
    /// wants one of cannot renew: its person signs in again.
    pub(in crate::remote::unidy) async fn refresh_grant(
        &self,
        http: &Http,
        held: &Tokens,
    ) -> Result<Tokens, Error> {
        let Some(refresh) = &held.refresh else {
            return match self.grant() {
                UnidyGrant::ClientCredentials => self.client_credentials().await,
                _ => Err(Error::SignedOut),
            };
        };
        let server = self.authorization_server().await?;
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let reply = self.ask_for_tokens(http, &server, &parameters).await?;
        if !matches!(reply.status, 400 | 401 | 403) {
            return granted(&reply).map(Granted::into_tokens);
        }
        match reply.error() {
            Error::Status { server_code: Some(code), .. }
                if code == "invalid_client" && self.config.client_secret.is_none() =>
            {
                Err(Error::SignedOut)
            }
            Error::Status { server_code: Some(code), .. } if ABOUT_THE_APP.contains(&code.as_str()) => {
                Err(reply.error())
            }
            _ => Err(Error::SignedOut),
        }
    }

    /// As JSON, which the vendor documents, or as a form, which OAuth does.
    async fn ask_for_tokens(
        &self,
        http: &Http,
        server: &AuthorizationServer,
        parameters: &[(&str, &str)],
    ) -> Result<Reply, Error> {
        let own =
            [("client_id", Some(self.client_id()?)), ("client_secret", self.config.client_secret.as_deref())];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let all: Vec<_> = parameters.iter().copied().chain(own).collect();
        let url = server.token_endpoint.clone();
        if self.config.token_form {
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&all).finish();
            let form = Zeroizing::new(form);
            return http
                .send(Request { method: "POST", form: Some(&form), ..Request::get(url, TOKEN) })
                .await;
        }
        let members = all.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        let body = Value::Object(members.collect());
        http.send(Request::post(url, TOKEN, &body)).await
    }
}

fn granted(reply: &Reply) -> Result<Granted, Error> {
    let body = body(reply)?;
    let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("access_token"))?;
    let secret = |name| members.text(name).filter(|text| is_header_value(text)).map(Zeroizing::new);
    let is_bearer = |kind: String| kind.eq_ignore_ascii_case("bearer");
    if !members.text("token_type").is_none_or(is_bearer) {
        return Err(reply.unreadable("token_type"));
    }
    Ok(Granted {
        access: secret("access_token").ok_or_else(|| reply.unreadable("access_token"))?,
        refresh: secret("refresh_token"),
        id_token: secret("id_token"),
        expires_in: members.number("expires_in").and_then(|seconds| seconds.try_into().ok()),
        scope: members.text("scope"),
    })
}
