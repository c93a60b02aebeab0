//! Who may write records of an event.

use super::LedgerError;
use crate::barcode::{DeviceKey, IssuerKey, P256_PUBLIC_LEN};
use crate::bytes::{Malformed, Reader, put_text};
use crate::model::EventHash;

const MAGIC: &[u8; 4] = b"TWS1";
const LABEL: &[u8] = b"ticket-wallet/1/scanner\0";
const SIGNATURE_LEN: usize = 64;
const MAX_NAME: usize = 64;

/// A scanner, as the server named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScannerId(pub [u8; 8]);

/// What a certificate says. Times are Unix seconds, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The event.
    pub event: EventHash,
    /// The scanner.
    pub scanner: ScannerId,
    /// The scanner's key.
    pub key: DeviceKey,
    /// Its records count from this time.
    pub not_before: u32,
    /// Its records count until this time; `None` is for ever.
    pub not_after: Option<u32>,
    /// The door, as staff call it; 1 to 64 bytes.
    pub name: String,
    /// The sections let in there, rising; empty lets in all.
    pub sections: Vec<u16>,
}

impl Certificate {
    /// The bytes that the manifest key signs, behind [`Certificate::message`]'s label.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for a name or sections that cannot stand in it, or a time that ends before it begins.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.event.0);
        bytes.extend(self.scanner.0);
        bytes.extend(self.key.to_x963());
        bytes.extend(self.not_before.to_be_bytes());
        bytes.extend(self.not_after.unwrap_or(0).to_be_bytes());
        put_text(&mut bytes, &self.name);
        bytes.push(u8::try_from(self.sections.len()).map_err(|_| Malformed { offset: bytes.len() })?);
        bytes.extend(self.sections.iter().flat_map(|code| code.to_be_bytes()));
        Self::parse(&bytes)?;
        Ok(bytes)
    }

    /// What is signed: a label, a zero byte, and the bytes.
    pub fn message(bytes: &[u8]) -> Vec<u8> {
        [LABEL, bytes].concat()
    }

    /// Reads a certificate that this manifest key signed.
    ///
    /// # Errors
    /// [`LedgerError::BadSignature`], [`LedgerError::Malformed`].
    pub fn read(signed: &[u8], key: &IssuerKey) -> Result<Self, LedgerError> {
        let body = signed.len().checked_sub(SIGNATURE_LEN).ok_or(Malformed { offset: signed.len() })?;
        let (body, signature) = signed.split_at(body);
        if !key.verifies(&Self::message(body), signature) {
            return Err(LedgerError::BadSignature);
        }
        Ok(Self::parse(body)?)
    }

    /// Whether a record of this time is the scanner's to write, Unix milliseconds.
    pub fn covers(&self, time_ms: u64) -> bool {
        let until = self.not_after.map_or(u64::MAX, u64::from);
        (u64::from(self.not_before)..=until).contains(&(time_ms / 1000))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.magic(MAGIC)?;
        let (event, scanner) = (EventHash(reader.array()?), ScannerId(reader.array()?));
        let key_at = reader.malformed();
        let key = DeviceKey::from_x963(&reader.array::<P256_PUBLIC_LEN>()?).map_err(|_| key_at)?;
        let times_at = reader.malformed();
        let (not_before, not_after) = (reader.u32()?, Some(reader.u32()?).filter(|at| *at != 0));
        let name = reader.text(1, MAX_NAME)?.to_owned();
        let mut sections: Vec<u16> = Vec::new();
        for _ in 0..reader.u8()? {
            let here = reader.malformed();
            let section = reader.u16()?;
            if sections.last().is_some_and(|before| *before >= section) {
                return Err(here);
            }
            sections.push(section);
        }
        reader.end()?;
        if not_after.is_some_and(|end| end < not_before) {
            return Err(times_at);
        }
        Ok(Self { event, scanner, key, not_before, not_after, name, sections })
    }
}
