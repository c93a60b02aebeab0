//! The sign-in in the person's browser: the address to open, and what comes back (RFC 6749, RFC 7636, RFC 9207).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use url::Url;
use zeroize::Zeroizing;

use super::discovery::AuthorizationServer;
use crate::model::OAuthError;

/// Random bytes of each of state, nonce and code verifier.
pub const SECRET_BYTES: usize = 32;

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Response {
    /// A code, which is traded for tokens.
    Code,
    /// Tokens in the address itself: the implicit flow, which leaves them in the browser's history and cannot be renewed.
    Tokens,
}

/// The app at the authorization server, as far as the browser needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthApp<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// Where the person is sent back to.
    pub redirect_uri: &'a str,
    /// What is asked for; `openid` among it asks for an ID token.
    pub scopes: &'a [String],
}

/// A sign-in that was begun. The app opens `url` in the system's browser and keeps the rest until the person comes back.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuthorizationRequest {
    /// Where the person signs in; nothing in it is secret.
    pub url: Url,
    /// Comes back unchanged, so that nobody else's answer is taken.
    pub state: Zeroizing<String>,
    /// Comes back in the ID token.
    pub nonce: Zeroizing<String>,
    /// Proves that who trades the code is who asked for it; of no use in the implicit flow.
    pub code_verifier: Zeroizing<String>,
    /// Where the person is sent back to.
    pub redirect_uri: String,
    /// Who was asked.
    pub issuer: String,
    /// Whether the answer must name who was asked.
    pub names_itself: bool,
    /// How the answer comes.
    pub response: Response,
    /// Whether an ID token was asked for.
    pub id_token: bool,
}

/// What the person brought back.
#[derive(Clone, PartialEq, Eq)]
pub enum Redirected {
    /// A code to trade.
    Code(Zeroizing<String>),
    /// The tokens themselves; the ID token is not checked yet.
    Tokens {
        /// Access token.
        access: Zeroizing<String>,
        /// ID token.
        id_token: Option<Zeroizing<String>>,
        /// Life of the access token, in seconds.
        expires_in: Option<u64>,
    },
}

opaque_debug!(AuthorizationRequest, Redirected);

impl AuthorizationRequest {
    /// Begins a sign-in, with three fresh random values.
    ///
    /// # Errors
    /// [`OAuthError::NotOffered`] when the server takes no `S256` challenge.
    pub fn begin(
        server: &AuthorizationServer,
        app: &OAuthApp<'_>,
        response: Response,
        random: [Zeroizing<[u8; SECRET_BYTES]>; 3],
    ) -> Result<Self, OAuthError> {
        if response == Response::Code && !server.offers_s256() {
            return Err(OAuthError::NotOffered { what: "PKCE with S256" });
        }
        let [state, nonce, code_verifier] = random.map(|bytes| Zeroizing::new(BASE64URL.encode(*bytes)));
        let id_token = app.scopes.iter().any(|scope| scope == "openid");
        let mut url = server.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", response_type(response, id_token))
            .append_pair("client_id", app.client_id)
            .append_pair("redirect_uri", app.redirect_uri)
            .append_pair("scope", &app.scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce);
        if response == Response::Code {
            query
                .append_pair("code_challenge", &challenge(&code_verifier))
                .append_pair("code_challenge_method", "S256");
        }
        drop(query);
        Ok(Self {
            url,
            state,
            nonce,
            code_verifier,
            redirect_uri: app.redirect_uri.to_owned(),
            issuer: server.issuer.clone(),
            names_itself: server.names_itself,
            response,
            id_token,
        })
    }

    /// Which sign-in an address says it answers; whether it does, [`AuthorizationRequest::complete`] tells.
    ///
    /// # Errors
    /// [`OAuthError::Redirect`], [`OAuthError::State`] when it names none, [`OAuthError::Parameter`].
    pub fn state_of(redirect: &str) -> Result<Zeroizing<String>, OAuthError> {
        let url = Url::parse(redirect).map_err(|_| OAuthError::Redirect)?;
        let in_query = Answer::read(url.query()).one("state")?;
        let state =
            in_query.map_or_else(|| Answer::read(url.fragment()).one("state"), |state| Ok(Some(state)))?;
        state.ok_or(OAuthError::State)
    }

    /// Reads the address that the person was sent back to.
    ///
    /// # Errors
    /// [`OAuthError::Redirect`], [`OAuthError::State`], [`OAuthError::Issuer`], [`OAuthError::Denied`],
    /// [`OAuthError::Parameter`].
    pub fn complete(&self, redirect: &str) -> Result<Redirected, OAuthError> {
        let url = Url::parse(redirect).map_err(|_| OAuthError::Redirect)?;
        let asked = Url::parse(&self.redirect_uri).map_err(|_| OAuthError::Redirect)?;
        if !leads_to(&url, &asked) {
            return Err(OAuthError::Redirect);
        }
        let answer = Answer::read(match self.response {
            Response::Code => url.query(),
            // A server that gives no tokens may say so in the query.
            Response::Tokens => url.fragment().filter(|fragment| !fragment.is_empty()).or(url.query()),
        });
        // Before anything else of it counts.
        if answer.one("state")?.as_deref() != Some(&self.state) {
            return Err(OAuthError::State);
        }
        match answer.one("iss")? {
            Some(issuer) if *issuer != self.issuer => return Err(OAuthError::Issuer),
            None if self.names_itself => return Err(OAuthError::Issuer),
            _ => {}
        }
        if let Some(code) = answer.one("error")? {
            return Err(OAuthError::denied(&code));
        }
        match self.response {
            Response::Code => Ok(Redirected::Code(answer.needed("code")?)),
            Response::Tokens => tokens(&answer),
        }
    }
}

fn tokens(answer: &Answer) -> Result<Redirected, OAuthError> {
    if !answer.needed("token_type")?.eq_ignore_ascii_case("bearer") {
        return Err(OAuthError::Parameter { field: "token_type" });
    }
    Ok(Redirected::Tokens {
        access: answer.needed("access_token")?,
        id_token: answer.one("id_token")?,
        expires_in: answer.one("expires_in")?.and_then(|seconds| seconds.parse().ok()),
    })
}

fn response_type(response: Response, id_token: bool) -> &'static str {
    match (response, id_token) {
        (Response::Code, _) => "code",
        (Response::Tokens, true) => "id_token token",
        (Response::Tokens, false) => "token",
    }
}

/// The challenge of a verifier (RFC 7636, section 4.2).
fn challenge(verifier: &str) -> String {
    BASE64URL.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Whether an address is the one that was asked for, with an answer added to it.
fn leads_to(url: &Url, asked: &Url) -> bool {
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url
    };
    let own: Vec<_> = asked.query_pairs().collect();
    bare(url) == bare(asked) && own.iter().all(|pair| url.query_pairs().any(|given| given == *pair))
}

/// The parameters of an answer.
struct Answer(Vec<(String, Zeroizing<String>)>);

impl Answer {
    fn read(parameters: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(parameters.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect())
    }

    /// A parameter; one that stands there twice is refused (RFC 6749, section 3.1).
    fn one(&self, field: &'static str) -> Result<Option<Zeroizing<String>>, OAuthError> {
        let mut found = self.0.iter().filter(|(name, _)| name == field).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(OAuthError::Parameter { field }),
            (value, None) => Ok(value.cloned()),
        }
    }

    fn needed(&self, field: &'static str) -> Result<Zeroizing<String>, OAuthError> {
        let found = self.one(field)?.filter(|value| !value.is_empty());
        found.ok_or(OAuthError::Parameter { field })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn server(more: &[(&str, serde_json::Value)]) -> AuthorizationServer {
        let mut description = json!({
            "issuer": "https://nord.example",
            "authorization_endpoint": "https://nord.example/oauth/authorize?brand=nord",
            "token_endpoint": "https://nord.example/oauth/token",
        });
        more.iter().for_each(|(name, value)| description[*name] = value.clone());
        AuthorizationServer::read(&description, &Url::parse("https://nord.example").unwrap()).unwrap()
    }

    fn begin(server: &AuthorizationServer, response: Response, redirect_uri: &str) -> AuthorizationRequest {
        let scopes = ["openid", "tickets:read"].map(str::to_owned);
        let app = OAuthApp { client_id: "app", redirect_uri, scopes: &scopes };
        let random = [1, 2, 3].map(|byte| Zeroizing::new([byte; SECRET_BYTES]));
        AuthorizationRequest::begin(server, &app, response, random).unwrap()
    }

    const APP: &str = "com.example.wallet:/signed-in?from=unidy";

    fn code() -> AuthorizationRequest {
        begin(&server(&[]), Response::Code, APP)
    }

    fn back(pending: &AuthorizationRequest, answer: &str) -> Result<Redirected, OAuthError> {
        pending.complete(&format!("{APP}&state={}{answer}", *pending.state))
    }

    #[test]
    fn the_address_asks_for_a_code_with_a_challenge() {
        let pending = code();
        let query: Vec<_> = pending.url.query_pairs().into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            query,
            [
                pair("brand", "nord"),
                pair("response_type", "code"),
                pair("client_id", "app"),
                pair("redirect_uri", APP),
                pair("scope", "openid tickets:read"),
                pair("state", &pending.state),
                pair("nonce", &pending.nonce),
                pair("code_challenge", &challenge(&pending.code_verifier)),
                pair("code_challenge_method", "S256"),
            ]
        );
        assert!(
            pending.code_verifier.len() >= 43 && !pending.url.as_str().contains(&**pending.code_verifier)
        );
        assert!(!format!("{pending:?}").contains(&**pending.state));
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_rfcs() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_server_without_s256_is_refused() {
        let server = server(&[("code_challenge_methods_supported", json!(["plain"]))]);
        let app = OAuthApp { client_id: "app", redirect_uri: APP, scopes: &[] };
        let random = || [1, 2, 3].map(|byte| Zeroizing::new([byte; SECRET_BYTES]));
        let refused = AuthorizationRequest::begin(&server, &app, Response::Code, random());
        assert_eq!(refused, Err(OAuthError::NotOffered { what: "PKCE with S256" }));
        assert!(AuthorizationRequest::begin(&server, &app, Response::Tokens, random()).is_ok());
    }

    #[test]
    fn an_answer_gives_its_code() {
        let code = Redirected::Code(Zeroizing::new("c/1".to_owned()));
        assert_eq!(back(&super::tests::code(), "&code=c%2F1").unwrap(), code);
        assert_eq!(back(&super::tests::code(), "&code=c%2F1&iss=https%3A%2F%2Fnord.example").unwrap(), code);
    }

    #[test]
    fn answers_of_others_are_refused() {
        let pending = code();
        let state = &*pending.state;
        for (redirect, refusal) in [
            (format!("{APP}&code=c"), OAuthError::State),
            (format!("{APP}&code=c&state="), OAuthError::State),
            (format!("{APP}&code=c&state={state}x"), OAuthError::State),
            (format!("{APP}&error=access_denied"), OAuthError::State),
            (format!("{APP}&code=c#state={state}"), OAuthError::State),
            (format!("{APP}&code=c&state={state}&state={state}"), OAuthError::Parameter { field: "state" }),
            (format!("{APP}&code=c&code=d&state={state}"), OAuthError::Parameter { field: "code" }),
            (format!("{APP}&code=&state={state}"), OAuthError::Parameter { field: "code" }),
            (format!("{APP}&state={state}"), OAuthError::Parameter { field: "code" }),
            (format!("{APP}&code=c&state={state}&iss=https://west.example"), OAuthError::Issuer),
            (format!("com.example.wallet:/signed-in?code=c&state={state}"), OAuthError::Redirect),
            (format!("com.example.other:/signed-in?from=unidy&code=c&state={state}"), OAuthError::Redirect),
            (format!("com.example.wallet:/other?from=unidy&code=c&state={state}"), OAuthError::Redirect),
            (format!("https://evil.example/?from=unidy&code=c&state={state}"), OAuthError::Redirect),
            (String::new(), OAuthError::Redirect),
        ] {
            assert_eq!(pending.complete(&redirect).err(), Some(refusal), "{redirect}");
        }
        let named = begin(
            &server(&[("authorization_response_iss_parameter_supported", json!(true))]),
            Response::Code,
            APP,
        );
        assert_eq!(back(&named, "&code=c").err(), Some(OAuthError::Issuer));
        assert!(back(&named, "&code=c&iss=https://nord.example").is_ok());
    }

    #[test]
    fn refusals_keep_their_code_and_nothing_else() {
        let denied = |code: &str| Some(OAuthError::Denied { code: code.to_owned() });
        let pending = code();
        let error = back(&pending, "&error=access_denied&error_description=Anna+said+no").err();
        assert_eq!(error, denied("access_denied"));
        assert!(error.unwrap().is_cancelled());
        assert_eq!(back(&pending, "&error=invalid_scope&code=c").err(), denied("invalid_scope"));
        assert!(back(&pending, "&error=server_error").unwrap_err().is_passing());
        for odd in ["anna@example.org", "a b", "", &"x".repeat(65)] {
            assert_eq!(back(&pending, &format!("&error={odd}")).err(), denied("unknown"), "{odd}");
        }
    }

    #[test]
    fn the_implicit_flow_answers_in_the_fragment() {
        let pending = begin(&server(&[]), Response::Tokens, APP);
        let asked = pending.url.query_pairs().find(|(name, _)| name == "response_type").unwrap();
        assert_eq!(asked.1, "id_token token");
        assert!(!pending.url.as_str().contains("code_challenge"));
        let back = |answer: &str| pending.complete(&format!("{APP}#state={}{answer}", *pending.state));
        let tokens = back("&access_token=a&token_type=Bearer&expires_in=7200&id_token=i.d.t").unwrap();
        let secret = |text: &str| Zeroizing::new(text.to_owned());
        assert_eq!(
            tokens,
            Redirected::Tokens {
                access: secret("a"),
                id_token: Some(secret("i.d.t")),
                expires_in: Some(7200)
            }
        );
        assert!(back("&access_token=a&token_type=bearer&expires_in=soon").is_ok());
        let missing = |field| Some(OAuthError::Parameter { field });
        assert_eq!(back("&token_type=bearer").err(), missing("access_token"));
        assert_eq!(back("&access_token=a").err(), missing("token_type"));
        assert_eq!(back("&access_token=a&token_type=mac").err(), missing("token_type"));
        let denied = pending.complete(&format!("{APP}&error=access_denied&state={}", *pending.state));
        assert!(denied.unwrap_err().is_cancelled());
        let in_query = format!("{APP}&access_token=a&token_type=bearer&state={}#x=y", *pending.state);
        assert_eq!(pending.complete(&in_query).err(), Some(OAuthError::State));
    }

    proptest! {
        #[test]
        fn nothing_but_the_right_state_gives_a_code(state in "[A-Za-z0-9_%&=#-]{0,50}", text in any::<String>()) {
            let pending = code();
            prop_assert!(pending.complete(&text).is_err());
            let found = pending.complete(&format!("{APP}&code=c&state={state}"));
            prop_assert_eq!(found.is_ok(), state.split(['&', '#']).next() == Some(&**pending.state));
        }
    }
}
