//! How events and tickets are named inside signed bytes: hashes over the provider and the provider's own id.

use std::fmt;

use ring::digest::{SHA256, digest};
use url::Url;

const SEPARATOR: char = '\u{1F}';

/// Why a provider's name or an id cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A part contains the separator, U+001F.
    #[error("a provider, event or ticket id must not contain U+001F")]
    Separator,
    /// The address has no host.
    #[error("the address names no host")]
    NoHost,
}

/// Who sold a ticket: `bam:api.example.org/org1` is the system, its API host in lower case (with the port where it is
/// not the scheme's own), and the tenant where there are tenants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Provider(String);

impl Provider {
    /// Names the provider behind an API address.
    ///
    /// # Errors
    /// [`ProviderError`] when the address has no host or a part contains U+001F.
    pub fn new(system: &str, api: &Url, tenant: Option<&str>) -> Result<Self, ProviderError> {
        let host = api.host_str().ok_or(ProviderError::NoHost)?.to_lowercase();
        let port = api.port().map_or_else(String::new, |port| format!(":{port}"));
        let tenant = tenant.map_or_else(String::new, |tenant| format!("/{tenant}"));
        Self::parse(&format!("{system}:{host}{port}{tenant}"))
    }

    /// Takes a provider's name as it stands.
    ///
    /// # Errors
    /// [`ProviderError::Separator`] when it contains U+001F.
    pub fn parse(name: &str) -> Result<Self, ProviderError> {
        if name.contains(SEPARATOR) { Err(ProviderError::Separator) } else { Ok(Self(name.to_owned())) }
    }

    /// The hash that stands for an event: the first 8 bytes of SHA-256 of `provider 0x1F event-id`.
    ///
    /// # Errors
    /// [`ProviderError::Separator`] when the id contains U+001F.
    pub fn event(&self, id: &str) -> Result<EventHash, ProviderError> {
        self.hash(id).map(EventHash)
    }

    /// The hash that stands for a ticket: the first 12 bytes of SHA-256 of `provider 0x1F ticket-id`.
    ///
    /// # Errors
    /// [`ProviderError::Separator`] when the id contains U+001F.
    pub fn ticket(&self, id: &str) -> Result<TicketHash, ProviderError> {
        self.hash(id).map(TicketHash)
    }

    fn hash<const N: usize>(&self, id: &str) -> Result<[u8; N], ProviderError> {
        if id.contains(SEPARATOR) {
            return Err(ProviderError::Separator);
        }
        let hash = digest(&SHA256, format!("{}{SEPARATOR}{id}", self.0).as_bytes());
        let mut out = [0; N];
        out.copy_from_slice(&hash.as_ref()[..N]);
        Ok(out)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event inside signed bytes; shown in lower-case hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventHash(pub [u8; 8]);

/// A ticket inside signed bytes; shown in lower-case hex, which is also its id in the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketHash(pub [u8; 12]);

impl TicketHash {
    /// Reads what it is written as: 24 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for TicketHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_is_system_host_and_tenant() {
        let named =
            |url: &str, tenant| Provider::new("bam", &Url::parse(url).unwrap(), tenant).unwrap().to_string();
        assert_eq!(named("https://API.Example.org/x", Some("org1")), "bam:api.example.org/org1");
        assert_eq!(named("https://api.example.org:443", None), "bam:api.example.org");
        assert_eq!(named("http://127.0.0.1:8080", Some("org1")), "bam:127.0.0.1:8080/org1");
    }

    #[test]
    fn hashes_are_those_of_the_vectors() {
        let provider = Provider::parse("bam:api.example.org/org1").unwrap();
        assert_eq!(provider.event("4711").unwrap().to_string(), "953b5546fa35e6a7");
        assert_eq!(provider.ticket("90210").unwrap().to_string(), "641f28287962ebcf0828e652");
    }

    #[test]
    fn separator_is_refused_everywhere() {
        let provider = Provider::parse("bam:h").unwrap();
        assert_eq!(provider.event("a\u{1F}b"), Err(ProviderError::Separator));
        assert_eq!(Provider::parse("a\u{1F}"), Err(ProviderError::Separator));
        let url = Url::parse("https://h").unwrap();
        assert_eq!(Provider::new("bam", &url, Some("\u{1F}")), Err(ProviderError::Separator));
    }
}
