//! Credentials whose issuer's signature was found to hold: a ticket that is scanned again costs one check less.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{Context, SHA256};

use super::credential::Credential;
use super::issuer_key::IssuerKey;

/// At most so many credentials are remembered.
const CAPACITY: usize = 4_096;

/// SHA-256 of a raw key and all bytes of a credential, its signature included.
type Pair = [u8; 32];

/// Remembers which key's signature on which credential holds: those asked for last, 2,048 at least and 4,096 at most.
///
/// Nothing else is remembered: not that a key is known, that a ticket is valid or that a device signed. What does not
/// hold is checked each time anew and takes no place, so that forged codes push nothing out.
#[derive(Default)]
pub struct VerifiedCredentials {
    seen: Mutex<Seen>,
}

/// What was asked for last, and what was before that: once the first is half of all, it takes the place of the second.
#[derive(Default)]
struct Seen {
    new: HashSet<Pair>,
    old: HashSet<Pair>,
}

opaque_debug!(VerifiedCredentials);

impl VerifiedCredentials {
    /// Whether the issuer's signature on the credential is this key's, as [`Credential::is_signed_by`] says.
    pub fn is_signed_by(&self, credential: &Credential, key: &IssuerKey) -> bool {
        self.holds(pair(credential, key), || credential.is_signed_by(key))
    }

    fn holds(&self, pair: Pair, check: impl FnOnce() -> bool) -> bool {
        if self.seen().recalls(pair) {
            return true;
        }
        // Others read meanwhile.
        let holds = check();
        if holds {
            self.seen().keep(pair);
        }
        holds
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn recalls(&mut self, pair: Pair) -> bool {
        if self.new.contains(&pair) {
            return true;
        }
        let is_old = self.old.contains(&pair);
        if is_old {
            self.keep(pair);
        }
        is_old
    }

    fn keep(&mut self, pair: Pair) {
        if self.new.len() == CAPACITY / 2 {
            self.old = mem::take(&mut self.new);
        }
        self.new.insert(pair);
    }
}

fn pair(credential: &Credential, key: &IssuerKey) -> Pair {
    let mut context = Context::new(&SHA256);
    context.update(&key.to_bytes());
    context.update(credential.as_bytes());
    let mut pair = [0; 32];
    pair.copy_from_slice(context.finish().as_ref());
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: usize) -> Pair {
        let mut pair = [0; 32];
        pair[..8].copy_from_slice(&number.to_be_bytes());
        pair
    }

    fn is_remembered(verified: &VerifiedCredentials, number: usize) -> bool {
        let mut was_checked = false;
        verified.holds(numbered(number), || {
            was_checked = true;
            false
        });
        !was_checked
    }

    fn count(verified: &VerifiedCredentials) -> usize {
        let seen = verified.seen();
        seen.new.union(&seen.old).count()
    }

    #[test]
    fn what_held_is_not_checked_again_and_what_did_not_is() {
        let verified = VerifiedCredentials::default();
        assert!(!is_remembered(&verified, 1), "a refusal");
        assert!(!is_remembered(&verified, 1), "is none the second time");
        assert!(verified.holds(numbered(1), || true));
        assert!(is_remembered(&verified, 1));
        assert!(!is_remembered(&verified, 2));
    }

    #[test]
    fn forged_codes_take_no_place() {
        let verified = VerifiedCredentials::default();
        assert!(verified.holds(numbered(0), || true));
        for number in 1..3 * CAPACITY {
            assert!(!is_remembered(&verified, number));
        }
        assert_eq!(count(&verified), 1);
        assert!(is_remembered(&verified, 0));
    }

    #[test]
    fn no_more_is_kept_than_fits_and_what_is_asked_for_stays() {
        let verified = VerifiedCredentials::default();
        let last = 3 * CAPACITY;
        for number in 0..=last {
            assert!(verified.holds(numbered(number), || true));
            assert!(is_remembered(&verified, 0), "asked for each time");
            let seen = verified.seen();
            assert!(seen.new.len() + seen.old.len() <= CAPACITY);
        }
        assert!(!is_remembered(&verified, 1), "long ago");
        assert!(is_remembered(&verified, last - CAPACITY / 2 + 2), "of the last half");
    }

    #[test]
    fn threads_share_it() {
        let verified = VerifiedCredentials::default();
        std::thread::scope(|scope| {
            for first in 0..4 {
                let verified = &verified;
                scope.spawn(move || {
                    for number in (first..400).chain(0..400) {
                        assert!(verified.holds(numbered(number), || true));
                        assert!(!is_remembered(verified, number + 1_000));
                    }
                });
            }
        });
        assert_eq!(count(&verified), 400);
    }
}
