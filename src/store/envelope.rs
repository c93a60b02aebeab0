//! The sealed key of the store and its check value.
//!
//! `wallet.key` is `TWK`, version 1, then what the key vault sealed, bound to `install.id`: 32 bytes of key, 16 of salt,
//! and, while the database is being given a new key, the 32 bytes of that one. `wallet.kcv` is HMAC-SHA256(key,
//! `ticket-wallet/1/kcv` 0x00 ‖ salt), the first 16 bytes: it tells a wrong key from a damaged database.

use ring::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::files::{Files, exists, read, write};
use crate::device::random;
use crate::error::{Error, RecoveryReason};
use crate::host::{KeyVault, KeyVaultError};

const HEADER: [u8; 4] = *b"TWK\x01";
const SEAL_LABEL: &[u8] = b"ticket-wallet/1/envelope\0";
const KCV_LABEL: &[u8] = b"ticket-wallet/1/kcv\0";
const INSTALL_ID_LEN: usize = 16;
const KCV_LEN: usize = 16;
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 16;

/// The raw key of the database and the salt in its first 16 bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(super) struct StoreKey {
    pub(super) key: [u8; KEY_LEN],
    pub(super) salt: [u8; SALT_LEN],
}

/// What an envelope holds.
pub(super) struct Keys {
    /// The database's key, unless `next` has taken its place already.
    pub(super) current: StoreKey,
    /// The key that the database was being given.
    pub(super) next: Option<StoreKey>,
}

opaque_debug!(StoreKey, Keys);

/// How a database's check value and its key go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// There is none yet: the database is being made.
    Absent,
    /// It fits.
    Fits,
}

impl Files {
    /// The keys of the database that is here, or new ones where nothing is here yet. Changes nothing that exists.
    pub(super) fn keys(&self, vault: &dyn KeyVault) -> Result<Keys, Error> {
        let is_new = ![&self.envelope, &self.database, &self.check_value].iter().any(|part| exists(part));
        if is_new { self.make_key(vault) } else { Ok(self.open_envelope(vault)?.1) }
    }

    /// The envelope that is here, and the keys in it.
    pub(super) fn open_envelope(&self, vault: &dyn KeyVault) -> Result<(Vec<u8>, Keys), Error> {
        let envelope = read(&self.envelope)?.ok_or(Error::Recovery { why: RecoveryReason::KeyMissing })?;
        let keys = open_keys(vault, &envelope, &self.bound_to()?)?;
        Ok((envelope, keys))
    }

    /// Compares the check value with the keys; it may be that of either.
    pub(super) fn check(&self, keys: &Keys) -> Result<Check, Error> {
        let Some(value) = read(&self.check_value)? else { return Ok(Check::Absent) };
        let fits = value == keys.current.check_value()
            || keys.next.as_ref().is_some_and(|next| value == next.check_value());
        if fits { Ok(Check::Fits) } else { Err(Error::Recovery { why: RecoveryReason::WrongKey }) }
    }

    /// Which of the keys the check value is of; the current one where it does not tell.
    pub(super) fn key_in_use(&self, keys: Keys) -> Result<StoreKey, Error> {
        let value = read(&self.check_value)?;
        let next = keys.next.filter(|next| value == Some(next.check_value()));
        Ok(next.unwrap_or(keys.current))
    }

    /// Marks the database as complete under this key: from now on its absence is a loss and not a beginning.
    pub(super) fn write_check_value(&self, key: &StoreKey) -> Result<(), Error> {
        write(&self.check_value, &key.check_value())
    }

    /// Puts the key into the envelope in place of what is there.
    pub(super) fn seal(&self, vault: &dyn KeyVault, key: &StoreKey) -> Result<(), Error> {
        self.write_envelope(&self.sealed(vault, key, None)?)
    }

    /// An envelope with the key, and the next one where there is one.
    pub(super) fn sealed(
        &self,
        vault: &dyn KeyVault,
        key: &StoreKey,
        next: Option<&StoreKey>,
    ) -> Result<Vec<u8>, Error> {
        let plain = Zeroizing::new([&key.key[..], &key.salt, next.map_or(&[], |next| &next.key)].concat());
        let sealed = vault.seal(plain.to_vec(), [SEAL_LABEL, &self.bound_to()?].concat())?;
        Ok([&HEADER[..], &sealed].concat())
    }

    /// Puts an envelope in place of the one that is there.
    pub(super) fn write_envelope(&self, envelope: &[u8]) -> Result<(), Error> {
        write(&self.envelope, envelope)
    }

    /// The id that envelopes are bound to.
    fn bound_to(&self) -> Result<Vec<u8>, Error> {
        read(&self.install_id)?.ok_or(Error::Recovery { why: RecoveryReason::RestoredBackup })
    }

    fn make_key(&self, vault: &dyn KeyVault) -> Result<Keys, Error> {
        if read(&self.install_id)?.is_none() {
            write(&self.install_id, &random::<INSTALL_ID_LEN>()?)?;
        }
        let current = StoreKey { key: random()?, salt: random()? };
        self.seal(vault, &current)?;
        Ok(Keys { current, next: None })
    }
}

fn open_keys(vault: &dyn KeyVault, envelope: &[u8], install_id: &[u8]) -> Result<Keys, Error> {
    let invalid = Error::Recovery { why: RecoveryReason::KeyInvalid };
    let Some(sealed) = envelope.strip_prefix(&HEADER) else { return Err(invalid) };
    let plain = match vault.unseal(sealed.to_vec(), [SEAL_LABEL, install_id].concat()) {
        Ok(plain) => Zeroizing::new(plain),
        Err(KeyVaultError::Missing) => return Err(Error::Recovery { why: RecoveryReason::KeyMissing }),
        Err(KeyVaultError::Invalidated) => return Err(invalid),
        Err(other) => return Err(other.into()),
    };
    Keys::from_bytes(&plain).ok_or(invalid)
}

impl Keys {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_at_checked(KEY_LEN)?;
        let (salt, next) = rest.split_at_checked(SALT_LEN)?;
        let current = StoreKey { key: key.try_into().ok()?, salt: salt.try_into().ok()? };
        let next = if next.is_empty() {
            None
        } else {
            Some(StoreKey { key: next.try_into().ok()?, salt: current.salt })
        };
        Some(Self { current, next })
    }
}

impl StoreKey {
    /// Another key for the same file.
    pub(super) fn successor(&self) -> Result<Self, Error> {
        Ok(Self { key: random()?, salt: self.salt })
    }

    /// The statement that keys a connection (`key`) or gives the database this key (`rekey`): 96 hex digits, no key
    /// derivation.
    pub(super) fn pragma(&self, name: &str) -> Zeroizing<String> {
        let key = Zeroizing::new(hex::encode(self.key));
        Zeroizing::new(format!("PRAGMA {name} = \"x'{}{}'\"", *key, hex::encode(self.salt)))
    }

    fn check_value(&self) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        hmac::sign(&key, &[KCV_LABEL, &self.salt].concat()).as_ref()[..KCV_LEN].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of these files are read by later versions: they do not change.
    #[test]
    fn layout_is_frozen() {
        let Keys { current, next } = Keys::from_bytes(&(0..48).collect::<Vec<u8>>()).unwrap();
        assert_eq!(hex::encode(current.check_value()), "771f453c78268902d0b7fae33fa9e103");
        assert_eq!(
            *current.pragma("key"),
            "PRAGMA key = \"x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
             202122232425262728292a2b2c2d2e2f'\""
        );
        assert!(next.is_none());
        let next = Keys::from_bytes(&(0..80).collect::<Vec<u8>>()).unwrap().next.unwrap();
        assert_eq!((next.key[0], next.key[31], next.salt), (48, 79, current.salt));
        assert_eq!((HEADER, SEAL_LABEL), (*b"TWK\x01", &b"ticket-wallet/1/envelope\0"[..]));
        assert!([0, 47, 49, 79, 81].iter().all(|len| Keys::from_bytes(&vec![0; *len]).is_none()));
    }
}
