//! A ticket as a document: `POST api/sdk/v1/tickets/:id/export_link`, and what the link leads to.

use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::raw::Members;
use super::{Unidy, body};
use crate::error::Error;
use crate::host::MAX_DOCUMENT_BYTES;
use crate::model::UnidyApi;
use crate::remote::address::{is_loopback, segment};
use crate::remote::{Reply, Request, Session};

const LINK: &str = "POST api/sdk/v1/tickets/:id/export_link";
const DOCUMENT: &str = "GET the document";
/// A link may lead on to where documents are kept.
const MAX_REDIRECTS: usize = 3;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// PDF.
    Pdf,
    /// A pass for Apple Wallet.
    PkPass,
}

impl ExportFormat {
    /// The server's name.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::PkPass => "pkpass",
        }
    }

    /// Whether bytes begin as such a document does: a PDF with `%PDF-` within its first kilobyte (ISO 32000-1, annex H.3.4.1), a
    /// pass as the ZIP file that it is.
    fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Pdf => bytes[..bytes.len().min(1024)].windows(5).any(|window| window == b"%PDF-"),
            Self::PkPass => bytes.starts_with(b"PK\x03\x04"),
        }
    }
}

/// A link to a document. Whoever has it gets the document.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportLink {
    /// Where the document is.
    pub url: Zeroizing<String>,
    /// For how many seconds, where the server says.
    pub expires_in: Option<i64>,
    /// Of which kind it is.
    pub format: ExportFormat,
}

opaque_debug!(ExportLink);

impl Unidy {
    /// Asks for a link to a ticket's document.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`], also for a link that is neither `https` nor to the very
    /// machine on which the brand is; [`Error::Input`] naming `api` where the account is not of the SDK's API.
    pub async fn export_link(
        &self,
        session: &Session,
        ticket_id: &str,
        format: ExportFormat,
    ) -> Result<ExportLink, Error> {
        self.needs(UnidyApi::Sdk)?;
        let url = self.sdk(&format!("tickets/{}/export_link", segment(ticket_id)))?;
        let asked = json!({ "format": format.as_text() });
        let reply = session.send(&self.http, self, || Request::post(url.clone(), LINK, &asked)).await?;
        let body = body(&reply)?;
        let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("url"))?;
        let link = members.text("url").and_then(|url| self.document_url(&self.brand, &url));
        let url = Zeroizing::new(link.ok_or_else(|| reply.unreadable("url"))?.into());
        Ok(ExportLink { url, expires_in: members.number("expires_in"), format })
    }

    /// Asks for a link to a ticket's document and fetches it. Of a link that has ended before, a new one is asked for, once.
    ///
    /// # Errors
    /// As [`Unidy::export_link`] and [`Unidy::download`].
    pub async fn document(
        &self,
        session: &Session,
        ticket_id: &str,
        format: ExportFormat,
    ) -> Result<Vec<u8>, Error> {
        let link = self.export_link(session, ticket_id, format).await?;
        match self.download(&link).await {
            Err(Error::Status { status: 401 | 403 | 404 | 410, .. }) => {
                let link = self.export_link(session, ticket_id, format).await?;
                self.download(&link).await
            }
            other => other,
        }
    }

    /// Fetches a document, of 16 MiB at most. Nothing goes along that tells who asks: the link may lead to anybody. The
    /// account's certificate pins count on the brand's own host.
    ///
    /// # Errors
    /// As [`crate::remote::Http::send`]; [`Error::Status`] (401, 403, 404 or 410 once the link has expired), [`Error::Reply`] for
    /// what is no document of its kind.
    pub async fn download(&self, link: &ExportLink) -> Result<Vec<u8>, Error> {
        let unusable = || Error::Reply { endpoint: DOCUMENT.to_owned(), field: "url".to_owned() };
        let mut url = self.document_url(&self.brand, &link.url).ok_or_else(unusable)?;
        for _ in 0..=MAX_REDIRECTS {
            let request = Request {
                anonymous: true,
                max_reply_bytes: MAX_DOCUMENT_BYTES,
                ..Request::get(url.clone(), DOCUMENT)
            };
            let own = url.host() == self.brand.host();
            let reply =
                if own { self.http.send(request).await? } else { self.http.unpinned().send(request).await? };
            let next = reply.location().filter(|_| matches!(reply.status, 301 | 302 | 303 | 307 | 308));
            let Some(next) = next else { return document(reply, link.format) };
            url = self.document_url(&url, next).ok_or_else(|| reply.unreadable("location"))?;
        }
        Err(Error::Reply { endpoint: DOCUMENT.to_owned(), field: "location".to_owned() })
    }

    /// An address that a document may be fetched from: `https`, or on this machine where the brand is there too.
    fn document_url(&self, base: &Url, address: &str) -> Option<Url> {
        let url = base.join(address).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let local = url.scheme() == "http" && is_loopback(&url) && is_loopback(&self.brand);
        Some(url).filter(|url| plain && (local || url.scheme() == "https"))
    }
}

fn document(reply: Reply, format: ExportFormat) -> Result<Vec<u8>, Error> {
    if !reply.is_success() {
        return Err(reply.error());
    }
    if !format.begins(reply.bytes()) {
        return Err(reply.unreadable("body"));
    }
    Ok(reply.into_bytes())
}
