//! Looks for secrets in texts that no secret belongs in.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Shorter parts of a token are in texts by chance.
const SHORTEST_PART: usize = 16;

/// The forms in which a secret would be readable: as it is, in part, encoded, and as the bytes of a `Debug`.
pub(crate) fn forms(secret: &str) -> BTreeSet<String> {
    let bytes = secret.as_bytes();
    let debug = format!("{bytes:?}");
    let mut forms = BTreeSet::from([
        secret.to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
        hex::encode(bytes),
        hex::encode_upper(bytes),
        STANDARD.encode(bytes).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(bytes),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        debug.trim_matches(['[', ']']).to_owned(),
    ]);
    // Of a token, all but the head that says what kind it is.
    let parts = secret.split(['.', '\n']).skip(1).filter(|part| part.len() >= SHORTEST_PART);
    forms.extend(parts.filter(|part| !part.starts_with('-')).map(str::to_owned));
    forms
}

/// Texts by where they come from.
#[derive(Default)]
pub(crate) struct Scanner(Vec<(String, String)>);

impl Scanner {
    /// A value: what its `Debug` says.
    pub(crate) fn look(&mut self, what: &str, value: &dyn Debug) {
        self.0.push((format!("Debug of {what}"), format!("{value:?} {value:#?}")));
    }

    /// An error: what it says in both forms.
    pub(crate) fn hear(&mut self, what: &str, error: &(impl Debug + Display)) {
        self.look(what, error);
        self.0.push((format!("Display of {what}"), error.to_string()));
    }

    /// A value or an error.
    pub(crate) fn take<T: Debug, E: Debug + Display>(
        &mut self,
        what: &str,
        outcome: Result<T, E>,
    ) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.look(what, &value);
                Some(value)
            }
            Err(error) => {
                self.hear(what, &error);
                None
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where secrets are readable; never which.
    pub(crate) fn leaks(&self, secrets: &[String]) -> Vec<&str> {
        let forms: BTreeSet<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
        let leaky = |text: &str| forms.iter().any(|form| text.contains(form));
        self.0.iter().filter(|(_, text)| leaky(text)).map(|(what, _)| what.as_str()).collect()
    }
}
