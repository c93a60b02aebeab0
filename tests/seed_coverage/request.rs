//! Which recorded requests a row means.

use std::fmt;

use ticket_wallet_sandbox::RecordedRequest;

/// A request by its method, path, query or body, and the status of its answer. A `*` in the path or in the body's
/// pointer stands for any one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    method: &'static str,
    path: &'static str,
    query: Option<(&'static str, &'static str)>,
    body: Option<String>,
    status: u16,
}

/// Any value of a query's field.
pub(crate) const ANY: &str = "*";

impl Asked {
    pub(crate) const fn new(method: &'static str, path: &'static str, status: u16) -> Self {
        Self { method, path, query: None, body: None, status }
    }

    /// Its query has this field.
    pub(crate) fn query(self, name: &'static str, value: &'static str) -> Self {
        Self { query: Some((name, value)), ..self }
    }

    /// Its body has this member.
    pub(crate) fn body(self, pointer: impl Into<String>) -> Self {
        Self { body: Some(pointer.into()), ..self }
    }

    pub(crate) fn is(&self, request: &RecordedRequest) -> bool {
        self.method == request.method
            && self.status == request.status
            && fits(self.path, &request.path)
            && self.query.is_none_or(|(name, value)| {
                request.query.iter().any(|(sent, with)| sent == name && (value == ANY || value == with))
            })
            && self.body.as_ref().is_none_or(|pointer| request.body.iter().any(|sent| fits(pointer, sent)))
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), text.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (wanted, given) if wanted == given => {}
            _ => return false,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some((name, value)) = self.query {
            write!(f, "?{name}={value}")?;
        }
        if let Some(pointer) = &self.body {
            write!(f, ", body {pointer}")?;
        }
        write!(f, " → {}", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_each_of_its_parts() {
        let sent = RecordedRequest {
            method: "POST".to_owned(),
            path: "/t/org1/ticket/reserve".to_owned(),
            query: vec![("dry".to_owned(), "no".to_owned())],
            body: vec!["/items".to_owned(), "/items/0/quantity".to_owned()],
            status: 200,
        };
        let asked = || Asked::new("POST", "/t/*/ticket/reserve", 200);
        for (known, yes) in [
            (asked(), true),
            (asked().query("dry", "no"), true),
            (asked().query("dry", ANY), true),
            (asked().body("/items/*/quantity"), true),
            (asked().query("dry", "yes"), false),
            (asked().query("wet", ANY), false),
            (asked().body("/items/quantity"), false),
            (asked().body("/items/*/quantity/*"), false),
            (Asked::new("PUT", "/t/*/ticket/reserve", 200), false),
            (Asked::new("POST", "/t/*/ticket", 200), false),
            (Asked::new("POST", "/t/*/ticket/reserve", 409), false),
        ] {
            assert_eq!(known.is(&sent), yes, "{known}");
        }
        let shown = asked().query("dry", "no").body("/items").to_string();
        assert_eq!(shown, "POST /t/*/ticket/reserve?dry=no, body /items → 200");
    }
}
