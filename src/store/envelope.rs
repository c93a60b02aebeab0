//! The sealed key of the store, and the side files that belong to it.
//!
//! | file | content |
//! | --- | --- |
//! | `install.id` | 16 random bytes; hosts keep it out of backups |
//! | `wallet.key` | `TWK`, version 1, then what the key vault sealed: 32 bytes of key, 16 of salt |
//! | `wallet.kcv` | check value: HMAC-SHA256(key, `ticket-wallet/1/kcv` 0x00 ‖ salt), first 16 bytes |
//! | `wallet.db` | the encrypted database |

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{Error, RecoveryReason};
use crate::host::{KeyVault, KeyVaultError};

const HEADER: [u8; 4] = *b"TWK\x01";
const SEAL_LABEL: &[u8] = b"ticket-wallet/1/envelope\0";
const KCV_LABEL: &[u8] = b"ticket-wallet/1/kcv\0";
const INSTALL_ID_LEN: usize = 16;
const KCV_LEN: usize = 16;
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 16;

/// Where the files of one wallet are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) database: PathBuf,
    envelope: PathBuf,
    check_value: PathBuf,
    install_id: PathBuf,
}

/// The raw key of the database and the salt in its first 16 bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct StoreKey {
    key: [u8; KEY_LEN],
    salt: [u8; SALT_LEN],
}

impl Files {
    /// The files in `folder`, which is made where it is missing.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, Error> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .recursive(true)
            .create(folder)
            .map_err(|e| Error::file("the wallet's folder cannot be made", &e))?;
        Ok(Self {
            database: folder.join("wallet.db"),
            envelope: folder.join("wallet.key"),
            check_value: folder.join("wallet.kcv"),
            install_id: folder.join("install.id"),
        })
    }

    /// The key of the database that is here, or a new one where nothing is here yet. Changes nothing that exists.
    pub(super) fn key(&self, vault: &dyn KeyVault) -> Result<StoreKey, Error> {
        match (read(&self.envelope)?, read(&self.install_id)?) {
            (Some(envelope), Some(install_id)) => self.open_key(vault, &envelope, &install_id),
            (None, _) if !exists(&self.database) && !exists(&self.check_value) => self.make_key(vault),
            (None, _) => Err(Error::Recovery { why: RecoveryReason::KeyMissing }),
            (Some(_), None) => Err(Error::Recovery { why: RecoveryReason::KeyInvalid }),
        }
    }

    /// Compares the key with the check value. `Ok(false)` means that there is no check value yet.
    pub(super) fn check(&self, key: &StoreKey) -> Result<bool, Error> {
        match read(&self.check_value)? {
            None => Ok(false),
            Some(value) if value == key.check_value() => Ok(true),
            Some(_) => Err(Error::Recovery { why: RecoveryReason::WrongKey }),
        }
    }

    /// Marks the database as complete: from now on its absence is a loss and not a beginning.
    pub(super) fn write_check_value(&self, key: &StoreKey) -> Result<(), Error> {
        write(&self.check_value, &key.check_value())
    }

    /// The size of the database file; `None` when there is none.
    pub(super) fn database_len(&self) -> Result<Option<u64>, Error> {
        match fs::metadata(&self.database) {
            Ok(found) => Ok(Some(found.len())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::file("a file of the wallet cannot be read", &e)),
        }
    }

    fn open_key(&self, vault: &dyn KeyVault, envelope: &[u8], install_id: &[u8]) -> Result<StoreKey, Error> {
        let invalid = Error::Recovery { why: RecoveryReason::KeyInvalid };
        let Some(sealed) = envelope.strip_prefix(&HEADER) else { return Err(invalid) };
        let plain = match vault.unseal(sealed.to_vec(), [SEAL_LABEL, install_id].concat()) {
            Ok(plain) => Zeroizing::new(plain),
            Err(KeyVaultError::Missing) => return Err(Error::Recovery { why: RecoveryReason::KeyMissing }),
            Err(KeyVaultError::Invalidated) => return Err(invalid),
            Err(other) => return Err(other.into()),
        };
        StoreKey::from_bytes(&plain).ok_or(invalid)
    }

    fn make_key(&self, vault: &dyn KeyVault) -> Result<StoreKey, Error> {
        let install_id = match read(&self.install_id)? {
            Some(id) => id,
            None => {
                let id = random::<INSTALL_ID_LEN>()?;
                write(&self.install_id, &*id)?;
                id.to_vec()
            }
        };
        let plain = random::<{ KEY_LEN + SALT_LEN }>()?;
        let sealed = vault.seal(plain.to_vec(), [SEAL_LABEL, &install_id].concat())?;
        write(&self.envelope, &[&HEADER[..], &sealed].concat())?;
        StoreKey::from_bytes(&*plain).ok_or(Error::Recovery { why: RecoveryReason::KeyInvalid })
    }
}

impl StoreKey {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, salt) = bytes.split_at_checked(KEY_LEN)?;
        Some(Self { key: key.try_into().ok()?, salt: salt.try_into().ok()? })
    }

    /// The statement that keys a connection: 96 hex digits, no key derivation.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(hex::encode(self.key));
        Zeroizing::new(format!("PRAGMA key = \"x'{}{}'\"", *key, hex::encode(self.salt)))
    }

    fn check_value(&self) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        hmac::sign(&key, &[KCV_LABEL, &self.salt].concat()).as_ref()[..KCV_LEN].to_vec()
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .map_err(|_| Error::Untrusted { what: "the system gave no random numbers" })?;
    Ok(bytes)
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file("a file of the wallet cannot be read", &e)),
    }
}

/// Writes a whole file, synced, under its final name only when it is complete.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The new name must last before anything that depends on it is written.
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    });
    written.map_err(|e| Error::file("a file of the wallet cannot be written", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of these files are read by later versions: they do not change.
    #[test]
    fn layout_is_frozen() {
        let key = StoreKey::from_bytes(&(0..48).collect::<Vec<u8>>()).unwrap();
        assert_eq!(hex::encode(key.check_value()), "771f453c78268902d0b7fae33fa9e103");
        assert_eq!(
            *key.pragma(),
            "PRAGMA key = \"x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
             202122232425262728292a2b2c2d2e2f'\""
        );
        assert_eq!((HEADER, SEAL_LABEL), (*b"TWK\x01", &b"ticket-wallet/1/envelope\0"[..]));
        assert!(StoreKey::from_bytes(&[0; 47]).is_none() && StoreKey::from_bytes(&[0; 49]).is_none());
    }
}
