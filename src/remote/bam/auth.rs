//! Signing in: `POST account/v1/auth/login` and `…/refresh`, for an organizer where one is configured; and by a wallet's key
//! with `POST account/v1/auth/challenge` and `…/wallet`.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Bam, WalletKey, wire};
use crate::error::Error;
use crate::model::Tokens;
use crate::remote::session::Refresh;
use crate::remote::{Http, Reply, Request};

#[derive(Deserialize)]
struct Challenge {
    nonce: String,
}

impl Bam {
    /// Signs in with user name (or e-mail address) and password.
    ///
    /// # Errors
    /// [`Error::BadPassword`] when they are refused; [`Error::Input`] naming `organizer_id` when there is no such organizer or
    /// the user does not act for it; else as [`Http::send`].
    pub async fn login(&self, user_name: &str, password: &str) -> Result<Tokens, Error> {
        let body = self.for_organizer(json!({ "username": user_name, "password": password }));
        let request =
            Request::post(self.global("account/v1/auth/login")?, "POST account/v1/auth/login", &body);
        match self.http.send(request).await? {
            reply if matches!(reply.status, 403 | 404) && self.organizer_id.is_some() => Err(Error::Input {
                field: "organizer_id",
                reason: "there is no such organizer, or this user does not act for it".to_owned(),
            }),
            reply if matches!(reply.status, 400 | 401 | 403 | 422) => Err(Error::BadPassword),
            reply => pair(&reply),
        }
    }

    /// Signs a wallet in for an organizer: the server gives a nonce, and the wallet's key signs it. `client_nonce` is any text
    /// that was not used before. Nothing refreshes these tokens but another sign-in.
    ///
    /// # Errors
    /// [`Error::SignedOut`] for a wallet that the server does not take; else as [`Http::send`]; [`Error::Status`],
    /// [`Error::Reply`].
    pub async fn sign_in_with_wallet(
        &self,
        (enrollment_id, key): (&str, &WalletKey),
        organizer: &str,
        client_nonce: &str,
    ) -> Result<Tokens, Error> {
        let body = json!({ "client_nonce": client_nonce, "enrollment_id": enrollment_id });
        let url = self.global("account/v1/auth/challenge")?;
        let asked = self.http.send(Request::post(url, "POST account/v1/auth/challenge", &body)).await?;
        let Challenge { nonce } = taken(&asked)?.json::<wire::Data<Challenge>>()?.data;
        let body = json!({
            "client_nonce": client_nonce,
            "nonce": &nonce,
            "signed_nonce": hex::encode(key.sign_text(&nonce)),
            "organizer_id": organizer,
        });
        let url = self.global("account/v1/auth/wallet")?;
        let reply = self.http.send(Request::post(url, "POST account/v1/auth/wallet", &body)).await?;
        Ok(Tokens { refresh: None, ..pair(taken(&reply)?)? })
    }

    fn for_organizer(&self, mut body: Value) -> Value {
        if let Some(id) = self.organizer_id {
            body["organizer_id"] = id.into();
        }
        body
    }
}

impl Refresh for Bam {
    async fn refresh(&self, http: &Http, tokens: &Tokens) -> Result<Tokens, Error> {
        let body = self.for_organizer(json!({ "refresh_token": tokens.refresh.as_deref() }));
        let request =
            Request::post(self.global("account/v1/auth/refresh")?, "POST account/v1/auth/refresh", &body);
        match http.send(request).await? {
            reply if matches!(reply.status, 400 | 401 | 403 | 404 | 422) => Err(Error::SignedOut),
            reply => pair(&reply),
        }
    }
}

/// A reply that does not send the wallet away.
fn taken(reply: &Reply) -> Result<&Reply, Error> {
    if matches!(reply.status, 400 | 401 | 403 | 404 | 422) { Err(Error::SignedOut) } else { Ok(reply) }
}

fn pair(reply: &Reply) -> Result<Tokens, Error> {
    let wire::Data { data } = reply.json::<wire::Data<wire::TokenPair>>()?;
    let refresh = data.refresh_token.map(Zeroizing::new);
    Ok(Tokens { access: Zeroizing::new(data.token), refresh, session_id: None })
}
