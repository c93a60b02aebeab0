//! The code of a SECURE ticket, which never changes: `POST event/v1/ticket/:id/qrcode` gives its picture, and
//! `GET event/v1/organizer/:org/event/:id/public_key` the key with which its text is signed.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::json;

use super::{Bam, TicketPlace, path_id, wire};
use crate::barcode::{EventKey, read_png};
use crate::error::Error;
use crate::model::{StaticCode, Symbology};
use crate::remote::{Request, Session};

const QR_CODE: &str = "POST event/v1/ticket/:id/qrcode";
const PUBLIC_KEY: &str = "GET event/v1/organizer/:org/event/:id/public_key";
/// Before the Base64 of a picture that is written as an address (RFC 2397).
const DATA_URL: &str = "data:image/png;base64,";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct PublicKey {
    public_key: String,
}

impl Bam {
    /// The picture of a ticket's code, PNG. Whoever sees it has the code.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `id`.
    pub async fn qr_code(&self, session: &Session, (tenant, id): TicketPlace<'_>) -> Result<Vec<u8>, Error> {
        let url = self.tenant_url(tenant, &format!("event/v1/ticket/{}/qrcode", path_id(id)?))?;
        // It asks for the code of this ledger function; it does not call it.
        let body = json!({ "action": "trx", "fcn": "ticket.invalidate" });
        let reply = session.send(&self.http, self, || Request::post(url.clone(), QR_CODE, &body)).await?;
        let Code { code } = reply.json::<wire::Data<Code>>()?.data;
        picture(&code).ok_or_else(|| reply.unreadable("data.code"))
    }

    /// The text of a ticket's code.
    ///
    /// # Errors
    /// As [`Bam::qr_code`]; [`Error::Reply`] also when no code can be read in the picture.
    pub async fn static_code(&self, session: &Session, place: TicketPlace<'_>) -> Result<StaticCode, Error> {
        let picture = self.qr_code(session, place).await?;
        let text = read_png(&picture)
            .map_err(|e| Error::Reply { endpoint: QR_CODE.to_owned(), field: format!("data.code: {e}") })?;
        Ok(StaticCode { text, symbology: Symbology::Qr, source: "qrcode".to_owned() })
    }

    /// The key with which the codes of an event are signed.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`] also for what is no P-256 key; [`Error::Input`] naming
    /// `id`.
    pub async fn event_public_key(
        &self,
        session: &Session,
        tenant: Option<&str>,
        organizer_id: &str,
        event_id: &str,
    ) -> Result<EventKey, Error> {
        let (organizer, event) = (path_id(organizer_id)?, path_id(event_id)?);
        let path = format!("event/v1/organizer/{organizer}/event/{event}/public_key");
        let url = self.tenant_url(tenant, &path)?;
        let reply = session.send(&self.http, self, || Request::get(url.clone(), PUBLIC_KEY)).await?;
        let PublicKey { public_key } = reply.json::<wire::Data<PublicKey>>()?.data;
        EventKey::parse(public_key.as_bytes()).map_err(|_| reply.unreadable("data.public_key"))
    }
}

/// The bytes of a picture in Base64, with or without padding, line breaks and the beginning of an address.
fn picture(code: &str) -> Option<Vec<u8>> {
    let code = code.trim();
    let digits = code.strip_prefix(DATA_URL).unwrap_or(code);
    let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_in_base64_of_several_kinds() {
        for code in ["iVBORw==", "iVBORw", " iVBO\r\nRw== ", "data:image/png;base64,iVBORw=="] {
            assert_eq!(picture(code).as_deref(), Some(b"\x89PNG".as_slice()), "{code}");
        }
        for code in ["iVBOR", "iV-ORw==", "data:image/svg+xml;base64,iVBORw==", "\u{e9}"] {
            assert_eq!(picture(code), None, "{code}");
        }
    }
}
