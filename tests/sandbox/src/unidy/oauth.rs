//! OAuth 2.0 (RFC 6749) with PKCE (RFC 7636), and OpenID Connect: authorization code, implicit, client credentials and
//! refresh, for public clients and for those with a secret.

mod authorize;
pub(crate) mod client;
mod consent;
mod discovery;
mod error;
mod grant;
pub(super) mod page;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use grant::{Bearer, revoke_access};

use crate::app::App;

/// The routes below a brand.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::configuration))
        .route("/oauth/jwks", get(discovery::keys))
        .route("/oauth/userinfo", get(discovery::user_info))
        .route("/oauth/authorize", get(consent::ask).post(consent::answer))
        .route("/oauth/token", post(token::token))
}
