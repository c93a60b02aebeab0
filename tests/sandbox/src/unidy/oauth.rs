//! OAuth 2.0 (RFC 6749) and OpenID Connect.

pub(crate) mod client;
