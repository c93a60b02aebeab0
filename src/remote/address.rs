//! Addresses of servers and of their tenants, checked before anything is sent there.

use std::net::Ipv4Addr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use crate::error::Error;

const TENANT: &str = "{tenant}";

/// Reads an API's address. It must be `https`, or `http` on this very machine, where tests and demos run.
///
/// # Errors
/// [`Error::Input`] naming `url`.
pub fn api_url(text: &str) -> Result<Url, Error> {
    let url =
        Url::parse(text).map_err(|_| refused("not an address; write it like https://api.example.org"))?;
    check(&url)?;
    Ok(url)
}

/// Whether something may be sent to an address, wherever the address comes from.
///
/// # Errors
/// [`Error::Input`] naming `url`.
pub(super) fn check(url: &Url) -> Result<(), Error> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("an address must not contain a user name or password"));
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(refused("http is only for this machine (127.0.0.1, [::1], localhost); use https")),
        _ => Err(refused("only https addresses can be used")),
    }
}

fn refused(reason: &str) -> Error {
    Error::Input { field: "url", reason: reason.to_owned() }
}

/// The template of tenants' addresses where none was configured: the tenant before the host, or, where no name can
/// stand before it (IP addresses, `localhost`), in the path.
pub fn tenant_template(api: &Url) -> String {
    let base = api.as_str().trim_end_matches('/');
    match api.host() {
        Some(Host::Domain(name)) if name != "localhost" => base.replacen("://", &format!("://{TENANT}."), 1),
        _ => format!("{base}/t/{TENANT}"),
    }
}

/// A tenant's address. A template without `{tenant}` serves all tenants.
///
/// # Errors
/// [`Error::Input`] when the tenant's name is not a plain label (letters, digits, `-`, `_`, at most 63), or the address
/// is none that [`api_url`] takes. A server cannot send tokens elsewhere by naming a strange tenant.
pub fn with_tenant(template: &str, tenant: &str) -> Result<Url, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if tenant.is_empty() || tenant.len() > 63 || !tenant.chars().all(plain) {
        return Err(Error::Input {
            field: "tenant",
            reason: "a tenant is letters, digits, - and _ only".to_owned(),
        });
    }
    api_url(&template.replace(TENANT, tenant))
}

/// Appends a path to a base, whether or not the base ends in a slash.
pub(super) fn join(base: &Url, path: &str) -> Result<Url, Error> {
    let joined = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&joined)
        .map_err(|_| Error::Input { field: "url", reason: "a path cannot be appended to it".to_owned() })
}

/// An id as one segment of a path, with all but unreserved characters encoded (RFC 3986, section 2.3). `.` and `..` cannot
/// be one, however they are written: they become the id of nothing.
pub(super) fn segment(id: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    if id == "." || id == ".." {
        return id.replace('.', "%252E");
    }
    utf8_percent_encode(id, RESERVED).to_string()
}

/// Whether an address is on this very machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST || ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in
            ["https://api.example.org", "http://127.0.0.1:8080/x", "http://[::1]:1", "http://localhost:9"]
        {
            assert!(api_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.example.org",
            "http://api.example.org",
            "ftp://h",
            "https://u:p@h",
            "file:///etc",
            "http://127.0.0.1.evil.org",
        ] {
            assert!(matches!(api_url(bad), Err(Error::Input { field: "url", .. })), "{bad}");
        }
    }

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        let base = Url::parse("https://api.example.org/v1").unwrap();
        for (id, path) in [
            ("7", "/v1/ticket/7"),
            ("de6500df-6fc4_~.x", "/v1/ticket/de6500df-6fc4_~.x"),
            ("a/../b?c#d", "/v1/ticket/a%2F..%2Fb%3Fc%23d"),
            ("%2e%2e", "/v1/ticket/%252e%252e"),
            ("ü ", "/v1/ticket/%C3%BC%20"),
            (".", "/v1/ticket/%252E"),
            ("..", "/v1/ticket/%252E%252E"),
            ("...", "/v1/ticket/..."),
        ] {
            assert_eq!(join(&base, &format!("ticket/{}", segment(id))).unwrap().path(), path, "{id}");
        }
    }

    #[test]
    fn tenants_stand_before_the_host_or_in_the_path() {
        let template = |url| tenant_template(&api_url(url).unwrap());
        assert_eq!(template("https://api.bam.fan"), "https://{tenant}.api.bam.fan");
        assert_eq!(template("http://127.0.0.1:8080"), "http://127.0.0.1:8080/t/{tenant}");
        assert_eq!(
            with_tenant("https://{tenant}.api.bam.fan", "org1").unwrap().as_str(),
            "https://org1.api.bam.fan/"
        );
        for bad in ["", "evil.org/", "a.b", "a/b", "a?b", "ü", &"a".repeat(64)] {
            assert!(with_tenant("https://{tenant}.api.bam.fan", bad).is_err(), "{bad}");
        }
    }
}
