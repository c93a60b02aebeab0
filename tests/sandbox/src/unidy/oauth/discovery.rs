//! What apps find out by themselves: endpoints, keys, and who the user is.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::grant::Bearer;
use crate::unidy::caller::Site;
use crate::unidy::choices::IdTokenAlgorithm;
use crate::unidy::error::UnidyError;

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
pub(super) async fn configuration(site: Site) -> Json<Value> {
    let url = |path: &str| format!("{}{path}", site.brand.url);
    let algorithm = match site.choices.id_token_algorithm {
        IdTokenAlgorithm::Rs256 => "RS256",
        IdTokenAlgorithm::Es256 => "ES256",
    };
    Json(json!({
        "issuer": site.brand.url,
        "authorization_endpoint": url("/oauth/authorize"),
        "token_endpoint": url("/oauth/token"),
        "userinfo_endpoint": url("/oauth/userinfo"),
        "jwks_uri": url("/oauth/jwks"),
        "scopes_supported": ["openid", "email", "profile", "phone", "address", "tickets:read", "tickets:write"],
        "response_types_supported": [
            "code", "token", "id_token", "code id_token", "code token", "id_token token", "code id_token token",
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "implicit", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "email", "email_verified"],
    }))
}

/// `GET /oauth/jwks` (RFC 7517).
pub(super) async fn keys(site: Site) -> Json<Value> {
    Json(site.brand.keys.key_set())
}

/// `GET /oauth/userinfo` (OpenID Connect Core 1.0, section 5.3).
pub(super) async fn user_info(bearer: Bearer) -> Result<Json<Value>, UnidyError> {
    let user = bearer.user.as_ref().filter(|_| bearer.has("openid"));
    let user = user.ok_or_else(|| UnidyError::new(StatusCode::FORBIDDEN, "insufficient_scope"))?;
    Ok(Json(json!({"sub": user.unidy_id, "email": user.email, "email_verified": true})))
}
