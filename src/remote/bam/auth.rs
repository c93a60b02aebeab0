//! Signing in: `POST account/v1/auth/login` and `…/refresh`.

use serde_json::json;
use zeroize::Zeroizing;

use super::{Bam, wire};
use crate::error::Error;
use crate::model::Tokens;
use crate::remote::session::Refresh;
use crate::remote::{Http, Reply, Request};

impl Bam {
    /// Signs in with user name (or e-mail address) and password.
    ///
    /// # Errors
    /// [`Error::BadPassword`] when they are refused, else as [`Http::send`].
    pub async fn login(&self, user_name: &str, password: &str) -> Result<Tokens, Error> {
        let body = json!({ "username": user_name, "password": password });
        let request =
            Request::post(self.global("account/v1/auth/login")?, "POST account/v1/auth/login", &body);
        match self.http.send(request).await? {
            reply if matches!(reply.status, 400 | 401 | 403 | 422) => Err(Error::BadPassword),
            reply => pair(&reply),
        }
    }
}

impl Refresh for Bam {
    async fn refresh(&self, http: &Http, tokens: &Tokens) -> Result<Tokens, Error> {
        let body = json!({ "refresh_token": tokens.refresh.as_deref() });
        let request =
            Request::post(self.global("account/v1/auth/refresh")?, "POST account/v1/auth/refresh", &body);
        match http.send(request).await? {
            reply if matches!(reply.status, 400 | 401 | 403 | 404 | 422) => Err(Error::SignedOut),
            reply => pair(&reply),
        }
    }
}

fn pair(reply: &Reply) -> Result<Tokens, Error> {
    let wire::Data { data } = reply.json::<wire::Data<wire::TokenPair>>()?;
    let refresh = data.refresh_token.map(Zeroizing::new);
    Ok(Tokens { access: Zeroizing::new(data.token), refresh, session_id: None })
}
