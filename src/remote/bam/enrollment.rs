//! The user's certificate on the ledger: `POST account/v1/certificate/enroll` and `…/renew`. The server makes the private
//! key and sends it along.

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::raw::record;
use super::{Bam, path_id, wire};
use crate::error::Error;
use crate::remote::{Reply, Request, Session};

/// A certificate and the private key that belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// The user's id, where it was told.
    pub id: Option<String>,
    /// The enrolment's id, a UUID: the name by which organisers reserve tickets for this user.
    pub enrollment_id: String,
    /// X.509, PEM.
    pub certificate_pem: String,
    /// The private key as the server wrote it, PEM.
    pub private_key: Zeroizing<String>,
}

opaque_debug!(Enrollment);

/// A wallet as the server writes it.
#[derive(Deserialize)]
pub(super) struct Wallet {
    #[serde(default, deserialize_with = "wire::lenient")]
    id: Option<String>,
    enrollment_id: String,
    certificate: String,
    private_key: Zeroizing<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    #[serde(deserialize_with = "wire::lenient")]
    should_renew_certificate: Option<bool>,
}

impl Bam {
    /// Makes a certificate for the signed-in user. Whoever enrols twice has two: a lost answer leaves one behind that
    /// nobody has the key of.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn enroll(&self, session: &Session) -> Result<Enrollment, Error> {
        self.certificate(session, "enroll", "POST account/v1/certificate/enroll").await
    }

    /// Makes another one in place of the one before, whose key counts no more.
    ///
    /// # Errors
    /// As [`Bam::enroll`].
    pub async fn renew_certificate(&self, session: &Session) -> Result<Enrollment, Error> {
        self.certificate(session, "renew", "POST account/v1/certificate/renew").await
    }

    /// Whether a user's certificate ends soon: `should_renew_certificate` of `GET account/v1/user/:id`. `None` where the
    /// server does not say, or does not show the user.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] but 403 and 404, [`Error::Reply`]; [`Error::Input`] naming `id`.
    pub async fn should_renew_certificate(
        &self,
        session: &Session,
        user: &str,
    ) -> Result<Option<bool>, Error> {
        let url = self.global(&format!("account/v1/user/{}", path_id(user)?))?;
        let request = || Request::get(url.clone(), "GET account/v1/user/:id");
        let reply = session.send(&self.http, self, request).await?;
        if matches!(reply.status, 403 | 404) {
            return Ok(None);
        }
        let user: Option<User> = wire::expected(record(&reply)?.get());
        Ok(user.unwrap_or_default().should_renew_certificate)
    }

    async fn certificate(
        &self,
        session: &Session,
        what: &str,
        endpoint: &'static str,
    ) -> Result<Enrollment, Error> {
        let url = self.global(&format!("account/v1/certificate/{what}"))?;
        let body = json!({});
        let reply = session.send(&self.http, self, || Request::post(url.clone(), endpoint, &body)).await?;
        let enrollment = read(&reply);
        // The reply holds the key as well.
        drop(Zeroizing::new(reply.into_bytes()));
        enrollment
    }
}

fn read(reply: &Reply) -> Result<Enrollment, Error> {
    of_wallet(reply.json::<wire::Data<Wallet>>()?.data, reply)
}

/// A wallet that came in a reply, with nothing of it empty.
pub(super) fn of_wallet(wallet: Wallet, reply: &Reply) -> Result<Enrollment, Error> {
    let Wallet { id, enrollment_id, certificate, private_key } = wallet;
    for (field, text) in [
        ("data.enrollment_id", enrollment_id.as_str()),
        ("data.certificate", &certificate),
        ("data.private_key", &private_key),
    ] {
        if text.trim().is_empty() {
            return Err(reply.unreadable(field));
        }
    }
    Ok(Enrollment { id, enrollment_id, certificate_pem: certificate, private_key })
}
