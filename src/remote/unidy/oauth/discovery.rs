//! The authorization server's description: `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0).

use serde_json::Value;
use url::Url;

use crate::model::OAuthError;
use crate::remote::address::is_loopback;

/// An authorization server, as its brand describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// Its name in tokens, exactly as written.
    pub issuer: String,
    /// Where the person signs in.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are traded.
    pub token_endpoint: Url,
    /// Where its public keys are; `None` when it serves none.
    pub jwks_uri: Option<Url>,
    /// Whether its redirects name it (RFC 9207).
    pub names_itself: bool,
    grants: Option<Vec<String>>,
    challenges: Option<Vec<String>>,
}

impl AuthorizationServer {
    /// Reads a description that `brand` served. What it names must be on the brand's own origin or `https`: a description
    /// cannot lead a code or a secret to a place that others read.
    ///
    /// # Errors
    /// [`OAuthError::Description`], [`OAuthError::Address`].
    pub fn read(description: &Value, brand: &Url) -> Result<Self, OAuthError> {
        let issuer = text(description, "issuer")?;
        trusted(issuer, brand, "issuer")?;
        let jwks_uri = match description.get("jwks_uri") {
            None | Some(Value::Null) => None,
            Some(_) => Some(address(description, brand, "jwks_uri")?),
        };
        let names_itself = description.get("authorization_response_iss_parameter_supported");
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: address(description, brand, "authorization_endpoint")?,
            token_endpoint: address(description, brand, "token_endpoint")?,
            jwks_uri,
            names_itself: names_itself == Some(&Value::Bool(true)),
            grants: texts(description, "grant_types_supported"),
            challenges: texts(description, "code_challenge_methods_supported"),
        })
    }

    /// Whether it trades this grant, as far as it says; one that does not say is asked.
    pub fn offers_grant(&self, grant: &str) -> bool {
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(|offered| offered == grant))
    }

    /// Whether it takes `S256` challenges (RFC 7636), as far as it says.
    pub fn offers_s256(&self) -> bool {
        self.challenges.as_ref().is_none_or(|methods| methods.iter().any(|method| method == "S256"))
    }
}

fn text<'a>(description: &'a Value, field: &'static str) -> Result<&'a str, OAuthError> {
    description.get(field).and_then(Value::as_str).ok_or(OAuthError::Description { field })
}

fn address(description: &Value, brand: &Url, field: &'static str) -> Result<Url, OAuthError> {
    trusted(text(description, field)?, brand, field)
}

/// An address of `https`, or of the very origin that the description came from, which was checked when it was configured.
fn trusted(address: &str, brand: &Url, field: &'static str) -> Result<Url, OAuthError> {
    let untrusted = OAuthError::Address { field };
    let url = Url::parse(address).map_err(|_| untrusted.clone())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let own = url.origin() == brand.origin() && (url.scheme() == "https" || is_loopback(&url));
    let elsewhere = url.scheme() == "https" && url.has_host();
    if plain && (own || elsewhere) { Ok(url) } else { Err(untrusted) }
}

fn texts(description: &Value, field: &str) -> Option<Vec<String>> {
    let list = description.get(field)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(base: &str) -> Value {
        json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/oauth/authorize"),
            "token_endpoint": format!("{base}/oauth/token"),
            "jwks_uri": format!("{base}/oauth/jwks"),
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["plain", "S256"],
        })
    }

    fn read(description: &Value, brand: &str) -> Result<AuthorizationServer, OAuthError> {
        AuthorizationServer::read(description, &Url::parse(brand).unwrap())
    }

    #[test]
    fn a_description_is_read_and_what_it_does_not_say_is_open() {
        let server = read(&described("https://nord.example"), "https://nord.example").unwrap();
        assert_eq!(server.issuer, "https://nord.example");
        assert_eq!(server.token_endpoint.as_str(), "https://nord.example/oauth/token");
        assert!(server.offers_grant("client_credentials") && !server.offers_grant("implicit"));
        assert!(server.offers_s256() && !server.names_itself);
        let mut less = described("https://nord.example");
        let members = less.as_object_mut().unwrap();
        members.retain(|name, _| ["issuer", "authorization_endpoint", "token_endpoint"].contains(&&**name));
        let server = read(&less, "https://nord.example").unwrap();
        assert!(server.offers_grant("implicit") && server.offers_s256() && server.jwks_uri.is_none());
    }

    #[test]
    fn addresses_are_the_brands_own_or_https() {
        let loopback = "http://127.0.0.1:8080/unidy/nord";
        assert!(read(&described(loopback), loopback).is_ok());
        assert!(read(&described("https://login.example"), "https://nord.example").is_ok());
        for (brand, other) in [
            ("https://nord.example", "http://nord.example/x"),
            ("https://nord.example", "http://127.0.0.1/x"),
            ("https://nord.example", "ftp://nord.example/x"),
            ("https://nord.example", "https://user:secret@nord.example/x"),
            ("https://nord.example", "https://nord.example/x#y"),
            ("https://nord.example", "/oauth/token"),
            ("https://nord.example", ""),
            (loopback, "http://127.0.0.1:8081/x"),
            (loopback, "http://evil.example/x"),
        ] {
            for field in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
                let mut description = described(brand);
                description[field] = json!(other);
                assert_eq!(read(&description, brand), Err(OAuthError::Address { field }), "{other}");
            }
        }
    }

    #[test]
    fn what_is_no_description_says_where() {
        for (field, value) in [("issuer", json!(7)), ("token_endpoint", json!(null)), ("jwks_uri", json!([]))]
        {
            let mut description = described("https://nord.example");
            description[field] = value;
            let found = read(&description, "https://nord.example");
            assert_eq!(found, Err(OAuthError::Description { field }));
        }
        assert_eq!(
            read(&json!([]), "https://nord.example"),
            Err(OAuthError::Description { field: "issuer" })
        );
    }
}
