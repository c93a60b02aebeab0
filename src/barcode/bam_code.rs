//! B.A.M's own code of a SECURE ticket: text that never changes, signed with the event's P-256 key.
//!
//! ```text
//! base45(payload) ":::" base45(signature)
//! payload   = {"id":"E<event>TC<ticket configuration>T<number within it>"}
//! signature = ECDSA over SHA-256 of the payload's bytes, DER
//! ```
//!
//! No group of Base45 ends in `:`, so the first `:::` is the separator. Nothing in it tells when it was made: who copies
//! the text has the code, and only the system's validators know whether it was used.

use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

use super::base45;
use super::event_key::EventKey;

/// Between payload and signature.
const SEPARATOR: &str = ":::";
/// What a QR code holds at most, in alphanumeric mode (ISO/IEC 18004, table 7: 40-L).
const MAX_TEXT: usize = 4296;

/// Why a text is not such a code, or not this event's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BamCodeError {
    /// Longer than a QR code holds.
    #[error("the code is longer than a QR code holds")]
    TooLong,
    /// There is no `:::`.
    #[error("the code has no separator")]
    Separator,
    /// What stands before it is not Base45.
    #[error("the code's payload is not Base45")]
    Payload,
    /// What stands behind it is not Base45.
    #[error("the code's signature is not Base45")]
    Signature,
    /// The payload is not a JSON object with one `id` that is a text.
    #[error("the code's payload names no ticket")]
    NoId,
    /// The `id` is not `E…TC…T…` with three numbers.
    #[error("the code's ticket is not named like E1TC2T3")]
    Id,
    /// The signature is not the event key's.
    #[error("the code is not signed with the event's key")]
    NotSigned,
}

/// What a code names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BamCodeTicket {
    /// The event's id.
    pub event: u64,
    /// The ticket configuration's id.
    pub ticket_config: u64,
    /// The ticket's number within its configuration (`seq_num`).
    pub seq_num: u64,
}

/// A well-formed code. That its signature holds is asked with [`BamCode::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct BamCode {
    payload: Vec<u8>,
    signature: Vec<u8>,
    ticket: BamCodeTicket,
}

opaque_debug!(BamCode);

#[derive(Deserialize)]
struct Payload {
    id: String,
}

impl BamCode {
    /// Reads a code's text as a QR code holds it.
    ///
    /// # Errors
    /// [`BamCodeError`], all but [`BamCodeError::NotSigned`].
    pub fn parse(text: &str) -> Result<Self, BamCodeError> {
        if text.len() > MAX_TEXT {
            return Err(BamCodeError::TooLong);
        }
        let (payload, signature) = text.split_once(SEPARATOR).ok_or(BamCodeError::Separator)?;
        let payload = base45::decode(payload.as_bytes()).map_err(|_| BamCodeError::Payload)?;
        let signature = base45::decode(signature.as_bytes()).map_err(|_| BamCodeError::Signature)?;
        // serde would read a list as well.
        let object = Some(&payload).filter(|payload| payload.trim_ascii_start().starts_with(b"{"));
        let parsed = object.and_then(|payload| serde_json::from_slice(payload).ok());
        let Payload { id } = parsed.ok_or(BamCodeError::NoId)?;
        let ticket = BamCodeTicket::parse(&id).ok_or(BamCodeError::Id)?;
        Ok(Self { payload, signature, ticket })
    }

    /// Whether the signature is this key's over the payload.
    ///
    /// # Errors
    /// [`BamCodeError::NotSigned`] when it is not.
    pub fn verify(&self, key: &EventKey) -> Result<(), BamCodeError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.to_x963())
            .verify(&self.payload, &self.signature)
            .map_err(|_| BamCodeError::NotSigned)
    }

    /// What it names; nothing vouches for it before [`BamCode::verify`].
    pub fn ticket(&self) -> BamCodeTicket {
        self.ticket
    }

    /// The signed bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signature as it came: DER, if it is one.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl BamCodeTicket {
    /// Reads `E…TC…T…`; `None` for anything else.
    pub fn parse(id: &str) -> Option<Self> {
        let (event, rest) = id.strip_prefix('E')?.split_once("TC")?;
        let (ticket_config, seq_num) = rest.split_once('T')?;
        Some(Self { event: number(event)?, ticket_config: number(ticket_config)?, seq_num: number(seq_num)? })
    }

    /// The bytes that are signed.
    pub fn payload(&self) -> Vec<u8> {
        format!(r#"{{"id":"{self}"}}"#).into_bytes()
    }
}

impl fmt::Display for BamCodeTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}TC{}T{}", self.event, self.ticket_config, self.seq_num)
    }
}

/// The text of a code from its payload and the signature over it.
pub fn bam_code_text(payload: &[u8], signature: &[u8]) -> String {
    format!("{}{SEPARATOR}{}", base45::encode(payload), base45::encode(signature))
}

/// Digits only: `parse` alone would take a sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{Signature, SigningKey};
    use proptest::prelude::*;

    fn signing_key() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn event_key() -> EventKey {
        EventKey::parse(signing_key().verifying_key().to_sec1_point(false).as_bytes()).unwrap()
    }

    fn signed(payload: &[u8]) -> String {
        let signature: Signature = signing_key().sign(payload);
        bam_code_text(payload, signature.to_der().as_bytes())
    }

    fn text_of(payload: &str) -> String {
        bam_code_text(payload.as_bytes(), b"")
    }

    #[test]
    fn each_fault_has_its_name() {
        let good = r#"{"id":"E1TC2T3"}"#;
        for (text, expected) in [
            ("", BamCodeError::Separator),
            ("TW1:ABC", BamCodeError::Separator),
            (":::", BamCodeError::NoId),
            ("a:::00", BamCodeError::Payload),
            ("A:::00", BamCodeError::Payload),
            (&format!("{}:::a", base45::encode(good.as_bytes())), BamCodeError::Signature),
            (&format!("{}:::::::", base45::encode(good.as_bytes())), BamCodeError::Signature),
            (&text_of("E1TC2T3"), BamCodeError::NoId),
            (&text_of("[]"), BamCodeError::NoId),
            (&text_of(r#"["E1TC2T3"]"#), BamCodeError::NoId),
            (&text_of(r#"{"id":1}"#), BamCodeError::NoId),
            (&text_of(r#"{"id":"E1TC2T3","id":"E1TC2T4"}"#), BamCodeError::NoId),
            (&text_of(r#"{"id":"E1TC2T3"} x"#), BamCodeError::NoId),
            (&text_of(r#"{"id":"E1TC2"}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"e1tc2t3"}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"E1TC2T-3"}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"E1TC2T+3"}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"E1TC2T3 "}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"ETC2T3"}"#), BamCodeError::Id),
            (&text_of(r#"{"id":"E18446744073709551616TC2T3"}"#), BamCodeError::Id),
            (&"0".repeat(MAX_TEXT + 1), BamCodeError::TooLong),
        ] {
            assert_eq!(BamCode::parse(text).err(), Some(expected), "{text}");
        }
        let code = BamCode::parse(&text_of(good)).unwrap();
        assert_eq!(code.ticket(), BamCodeTicket { event: 1, ticket_config: 2, seq_num: 3 });
        assert_eq!(code.verify(&event_key()), Err(BamCodeError::NotSigned));
    }

    #[test]
    fn what_else_stands_in_the_payload_is_signed_with_it() {
        let code = BamCode::parse(&signed(br#"{ "v": 2, "id": "E4TC5T6", "to": {"a": []} }"#)).unwrap();
        assert_eq!(code.ticket(), BamCodeTicket { event: 4, ticket_config: 5, seq_num: 6 });
        assert_eq!(code.verify(&event_key()), Ok(()));
        assert_eq!(format!("{code:?}"), "BamCode(..)");
    }

    proptest! {
        #[test]
        fn every_ticket_comes_back_from_its_code(event: u64, ticket_config: u64, seq_num: u64) {
            let ticket = BamCodeTicket { event, ticket_config, seq_num };
            let code = BamCode::parse(&signed(&ticket.payload())).unwrap();
            prop_assert_eq!(code.ticket(), ticket);
            prop_assert_eq!(code.payload(), ticket.payload());
            prop_assert_eq!(code.verify(&event_key()), Ok(()));
        }

        #[test]
        fn no_text_is_too_odd_to_be_judged(text in "[0-9A-Z $%*+./:-]{0,80}|\\PC{0,40}") {
            if let Ok(code) = BamCode::parse(&text) {
                prop_assert!(code.verify(&event_key()).is_err());
            }
        }

        #[test]
        fn the_first_separator_is_the_only_one_that_counts(payload: Vec<u8>, signature: Vec<u8>) {
            let text = bam_code_text(&payload, &signature);
            let (before, after) = text.split_once(SEPARATOR).unwrap();
            prop_assert_eq!(base45::decode(before.as_bytes()).unwrap(), payload);
            prop_assert_eq!(base45::decode(after.as_bytes()).unwrap(), signature);
        }

        #[test]
        fn no_altered_code_passes(at: prop::sample::Index, character in "[0-9A-Z $%*+./:-]") {
            let text = signed(&BamCodeTicket { event: 31, ticket_config: 7, seq_num: 4711 }.payload());
            let at = at.index(text.len());
            let altered = format!("{}{character}{}", &text[..at], &text[at + 1..]);
            prop_assume!(altered != text);
            let passes = BamCode::parse(&altered).is_ok_and(|code| code.verify(&event_key()).is_ok());
            prop_assert!(!passes, "{}", altered);
        }
    }
}
