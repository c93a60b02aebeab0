//! Brands: who is reached at which address, with which keys.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::choices::UnidyChoices;
use super::keys::SigningKeys;
use crate::app::lock;
use crate::seeded;

/// The names of the brands.
pub(crate) const BRANDS: [&str; 2] = ["nord", "west"];

/// A tenant of Unidy; `Debug` does not print its keys.
pub(crate) struct Brand {
    pub(crate) name: String,
    /// Where it is reached, without a slash at its end; also the issuer of its ID tokens.
    pub(crate) url: String,
    pub(crate) sdk_key: String,
    pub(crate) keys: SigningKeys,
}

impl fmt::Debug for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brand").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What all brands share.
#[derive(Debug)]
pub(crate) struct Unidy {
    /// Where the sandbox is reached.
    pub(crate) root: String,
    pub(crate) brands: Vec<Arc<Brand>>,
    choices: Mutex<UnidyChoices>,
    mails: Mutex<Vec<UnidyMail>>,
    /// When the maintenance job ran last, in Unix milliseconds.
    maintained_ms: AtomicI64,
}

/// An e-mail that a brand sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnidyMail {
    /// The name of the brand.
    pub brand: String,
    /// The recipient's address.
    pub to: String,
    /// What it is about: `magic_code`, `ticket_transfer`, or `invitation` to somebody without an account.
    pub kind: String,
    /// The code to sign in with, or the token of the transfer.
    pub secret: String,
}

impl fmt::Debug for UnidyMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnidyMail")
            .field("brand", &self.brand)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Unidy {
    /// Sets the brands up below the sandbox's address.
    pub(crate) fn new(choices: UnidyChoices, seed: u64, root: &str, now_ms: i64) -> io::Result<Self> {
        let brand = |name: &str| {
            let sdk_key = hex::encode(&seeded::bytes(seed, &format!("unidy sdk key {name}"))[..20]);
            let (url, keys) = (format!("{root}/unidy/{name}"), SigningKeys::generate(name)?);
            Ok(Arc::new(Brand { name: name.to_owned(), url, sdk_key, keys }))
        };
        Ok(Self {
            root: root.to_owned(),
            brands: BRANDS.iter().map(|name| brand(name)).collect::<io::Result<_>>()?,
            choices: Mutex::new(choices),
            mails: Mutex::default(),
            maintained_ms: AtomicI64::new(now_ms),
        })
    }

    /// The brand of this name.
    pub(crate) fn brand(&self, name: &str) -> Option<&Arc<Brand>> {
        self.brands.iter().find(|brand| brand.name == name)
    }

    /// What is switched on.
    pub(crate) fn choices(&self) -> UnidyChoices {
        lock(&self.choices).clone()
    }

    /// Switches.
    pub(crate) fn set_choices(&self, choices: UnidyChoices) {
        *lock(&self.choices) = choices;
    }

    /// Puts an e-mail into its recipient's box.
    pub(crate) fn send(&self, mail: UnidyMail) {
        lock(&self.mails).push(mail);
    }

    /// All e-mails so far.
    pub(crate) fn mails(&self) -> Vec<UnidyMail> {
        lock(&self.mails).clone()
    }

    /// When the maintenance job ran last.
    pub(crate) fn maintained_ms(&self) -> i64 {
        self.maintained_ms.load(Ordering::SeqCst)
    }

    /// Notes that the maintenance job ran.
    pub(crate) fn set_maintained_ms(&self, now_ms: i64) {
        self.maintained_ms.store(now_ms, Ordering::SeqCst);
    }
}
