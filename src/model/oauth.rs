//! Why a sign-in through OAuth 2.0 and OpenID Connect did not come about. No value that came in is kept but a server's
//! error code, cut to a plain identifier.

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The discovery document lacks a member, or it is not of its type.
    #[error("the authorization server's description cannot be read at {field}")]
    Description {
        /// Which member.
        field: &'static str,
    },
    /// It names an address that is neither on the brand's own origin nor `https`.
    #[error("the authorization server's description names an address that is not trusted: {field}")]
    Address {
        /// Which member.
        field: &'static str,
    },
    /// The server does without something that is needed here.
    #[error("the authorization server does not offer {what}")]
    NotOffered {
        /// What.
        what: &'static str,
    },
    /// The redirect is not one to the address that was given.
    #[error("this is not the address that the sign-in was to come back to")]
    Redirect,
    /// It answers another sign-in than the one that was begun, or none.
    #[error("this answer does not belong to the sign-in that was begun")]
    State,
    /// It comes from another server than the one that was asked (RFC 9207).
    #[error("this answer comes from another authorization server")]
    Issuer,
    /// A parameter is missing, stands there twice, or cannot be used.
    #[error("the answer of the sign-in has no usable {field}")]
    Parameter {
        /// Which parameter.
        field: &'static str,
    },
    /// The server or the person said no (RFC 6749, sections 4.1.2.1 and 4.2.2.1).
    #[error("the sign-in was not granted: {code}")]
    Denied {
        /// `access_denied` where the person did, else the server's code.
        code: String,
    },
    /// The ID token fails a check.
    #[error("the ID token is not valid: {0}")]
    IdToken(IdTokenFault),
}

/// Which check an ID token fails (OpenID Connect Core 1.0, section 3.1.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    /// There is none, and one was asked for.
    #[error("there is none")]
    Missing,
    /// It is not a signed JWT.
    #[error("it cannot be read")]
    Form,
    /// It is signed by an algorithm that is not taken here, or by none.
    #[error("its signature is of a kind that is not taken")]
    Algorithm,
    /// The server publishes no key that it could be signed with.
    #[error("its key is not known")]
    Key,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is another server's.
    #[error("it is another server's")]
    Issuer,
    /// It is for another app.
    #[error("it is for another app")]
    Audience,
    /// It has expired, or does not say when it does.
    #[error("it has expired")]
    Expired,
    /// It answers another request.
    #[error("it answers another request")]
    Nonce,
    /// It belongs to another access token.
    #[error("it belongs to another access token")]
    AccessToken,
    /// It names nobody.
    #[error("it names nobody")]
    Subject,
}

impl OAuthError {
    /// The error of an `error` parameter, without its prose.
    pub fn denied(code: &str) -> Self {
        let identifier = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let plain = !code.is_empty() && code.len() <= 64 && code.chars().all(identifier);
        Self::Denied { code: if plain { code } else { "unknown" }.to_owned() }
    }

    /// Whether the person said no.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Denied { code } if code == "access_denied")
    }

    /// Whether the same sign-in may come about later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Denied { code } if code == "temporarily_unavailable" || code == "server_error")
    }
}

impl From<IdTokenFault> for OAuthError {
    fn from(fault: IdTokenFault) -> Self {
        Self::IdToken(fault)
    }
}
