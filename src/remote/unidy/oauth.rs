//! OAuth 2.0 and OpenID Connect: how a person signs in to the partner API in their browser, and a server by itself.
//!
//! An app opens [`AuthorizationRequest::url`] in the system's browser and hands over the address that it is sent back to.
//! Everything but the requests themselves is computed from its arguments alone.

mod authorization;
mod discovery;
mod id_token;
mod jwks;
mod token;

pub use authorization::{AuthorizationRequest, OAuthApp, Redirected, Response, SECRET_BYTES};
pub use discovery::AuthorizationServer;
pub use id_token::{Expected, IdClaims, IdToken};
pub use jwks::{Algorithm, Jwks};

use std::sync::{Arc, PoisonError};

use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::{Unidy, input, is_header_value};
use crate::device::random;
use crate::error::Error;
use crate::model::{IdTokenFault, OAuthError, Tokens, UnidyGrant};
use crate::remote::Request;
use crate::remote::address::join;

const DISCOVERY: &str = "GET .well-known/openid-configuration";
const KEYS: &str = "GET jwks_uri";
/// What is asked for when nothing else is configured; a server that signs in by itself has no identity to ask for.
const SCOPES: [&str; 3] = ["openid", "tickets:read", "tickets:write"];

/// A sign-in that came about.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthSignIn {
    /// The session.
    pub tokens: Tokens,
    /// Who signed in; `None` where no ID token was asked for or given.
    pub claims: Option<IdClaims>,
    /// Life of the access token, in seconds.
    pub expires_in: Option<u64>,
    /// What the app should know about how it came about.
    pub warning: Option<OAuthWarning>,
}

opaque_debug!(OAuthSignIn);

/// What is wrong with a way of signing in that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthWarning {
    /// The implicit flow puts the access token into an address, where the browser's history and other apps may see it, and
    /// its session cannot be renewed. OAuth 2.0 Security Best Current Practice (RFC 9700, section 2.1.2) advises against it:
    /// use the authorization code.
    ImplicitFlow,
}

impl OAuthWarning {
    /// What it means and what helps, for a person.
    pub fn advice(self) -> &'static str {
        match self {
            Self::ImplicitFlow => {
                "the implicit flow shows the access token to the browser and cannot be renewed; have the OAuth app set \
                 to the authorization code"
            }
        }
    }
}

impl Unidy {
    /// Begins a sign-in of a person, by the flow that is configured. Nothing is sent but the question where to.
    ///
    /// # Errors
    /// [`Error::Input`] naming `grant`, `client_id` or `redirect_uri`; as [`Unidy::authorization_server`];
    /// [`Error::OAuth`] when the server takes no `S256` challenge.
    pub async fn begin_sign_in(&self) -> Result<AuthorizationRequest, Error> {
        let response = match self.grant() {
            UnidyGrant::AuthorizationCode => Response::Code,
            UnidyGrant::Implicit => Response::Tokens,
            UnidyGrant::ClientCredentials => {
                return Err(input("grant", "with client credentials no person signs in"));
            }
        };
        let redirect_uri = self.config.redirect_uri.as_deref();
        let redirect_uri =
            redirect_uri.ok_or_else(|| input("redirect_uri", "the sign-in needs a way back"))?;
        let usable = Url::parse(redirect_uri).is_ok_and(|url| url.fragment().is_none());
        if !usable {
            return Err(input("redirect_uri", "not an address, or one with a fragment"));
        }
        let scopes = self.scopes();
        let app = OAuthApp { client_id: self.client_id()?, redirect_uri, scopes: &scopes };
        let server = self.authorization_server().await?;
        let fresh = || random::<SECRET_BYTES>().map(Zeroizing::new);
        let random = [fresh()?, fresh()?, fresh()?];
        Ok(AuthorizationRequest::begin(&server, &app, response, random)?)
    }

    /// Takes the address that the person was sent back to, checks it, and gives the session. `now` is in Unix seconds.
    ///
    /// # Errors
    /// [`Error::OAuth`]; [`Error::Status`] with the server's code (`invalid_grant`), as [`crate::remote::Http::send`],
    /// [`Error::Reply`].
    pub async fn complete_sign_in(
        &self,
        redirect: &str,
        pending: &AuthorizationRequest,
        now: i64,
    ) -> Result<OAuthSignIn, Error> {
        let redirected = pending.complete(redirect)?;
        let server = self.authorization_server().await?;
        // The brand may have changed its server meanwhile; the code is for the one that was asked.
        if server.issuer != pending.issuer {
            return Err(OAuthError::Issuer.into());
        }
        let (granted, through_browser) = match redirected {
            Redirected::Code(code) => (self.exchange(&server, &code, pending).await?, false),
            Redirected::Tokens { access, id_token, expires_in } => {
                if !is_header_value(&access) {
                    return Err(OAuthError::Parameter { field: "access_token" }.into());
                }
                (token::Granted { access, id_token, expires_in, refresh: None, scope: None }, true)
            }
        };
        let expected = Expected {
            issuer: &server.issuer,
            client_id: self.client_id()?,
            nonce: Some(&pending.nonce),
            access_token: Some(&granted.access),
            through_browser,
            now,
        };
        let claims = match &granted.id_token {
            Some(id_token) => Some(self.check_id_token(&server, id_token, expected).await?),
            // Who was asked for an identity and grants it gives one.
            None if pending.id_token && granted.grants("openid") => {
                return Err(OAuthError::from(IdTokenFault::Missing).into());
            }
            None => None,
        };
        let expires_in = granted.expires_in;
        let warning = through_browser.then_some(OAuthWarning::ImplicitFlow);
        Ok(OAuthSignIn { tokens: granted.into_tokens(), claims, expires_in, warning })
    }

    /// The brand's authorization server, asked for once.
    ///
    /// # Errors
    /// As [`crate::remote::Http::send`]; [`Error::Status`], [`Error::Reply`], [`Error::OAuth`].
    pub async fn authorization_server(&self) -> Result<Arc<AuthorizationServer>, Error> {
        let known = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let url = join(&self.brand, ".well-known/openid-configuration")?;
        let description: Value = self.http.send(Request::get(url, DISCOVERY)).await?.json()?;
        let server = Arc::new(AuthorizationServer::read(&description, &self.brand)?);
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&server));
        Ok(server)
    }

    /// A key that is not known yet may be new: the set is asked for once more.
    async fn check_id_token(
        &self,
        server: &AuthorizationServer,
        id_token: &str,
        expected: Expected<'_>,
    ) -> Result<IdClaims, Error> {
        let token = IdToken::read(id_token).map_err(OAuthError::from)?;
        let Some(place) = &server.jwks_uri else {
            return Ok(token.check(None, expected).map_err(OAuthError::from)?);
        };
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let keys = match known.filter(|keys| keys.has(token.algorithm, token.key_id.as_deref())) {
            Some(keys) => keys,
            None => self.fetch_keys(place).await?,
        };
        Ok(token.check(Some(&keys), expected).map_err(OAuthError::from)?)
    }

    async fn fetch_keys(&self, place: &Url) -> Result<Arc<Jwks>, Error> {
        let request = Request { anonymous: true, ..Request::get(place.clone(), KEYS) };
        let set: Value = self.http.send(request).await?.json()?;
        let keys = Arc::new(Jwks::read(&set)?);
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        Ok(keys)
    }

    pub(super) fn grant(&self) -> UnidyGrant {
        self.config.grant.unwrap_or_default()
    }

    fn client_id(&self) -> Result<&str, Error> {
        let id = self.config.client_id.as_deref().filter(|id| !id.is_empty());
        id.ok_or_else(|| input("client_id", "OAuth needs the app's id"))
    }

    fn scopes(&self) -> Vec<String> {
        if !self.config.scopes.is_empty() {
            return self.config.scopes.clone();
        }
        let by_itself = self.grant() == UnidyGrant::ClientCredentials;
        SCOPES.iter().skip(usize::from(by_itself)).map(|scope| (*scope).to_owned()).collect()
    }
}
