//! A key vault in a file, for the terminal and for tests. It is no hardware: whoever can read the file has the keys.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyVault, KeyVaultError};
use crate::barcode::Purpose;

/// Keys in one JSON file that only its owner can read (mode 0600). Protects against nobody who has the file: use it
/// where there is no hardware vault.
#[derive(uniffi::Object)]
pub struct SoftwareVault {
    path: PathBuf,
    random: SystemRandom,
    lock: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
struct VaultFile {
    version: u32,
    /// AES-256 key, Base64.
    wrapping_key: Zeroizing<String>,
    /// PKCS #8 documents by handle, Base64.
    device_keys: BTreeMap<String, Zeroizing<String>>,
}

const VERSION: u32 = 1;

opaque_debug!(SoftwareVault);

#[uniffi::export]
impl SoftwareVault {
    /// A vault kept in the file at `path`, which is made at the first key.
    #[uniffi::constructor]
    pub fn new(path: String) -> Self {
        Self { path: PathBuf::from(path), random: SystemRandom::new(), lock: Mutex::new(()) }
    }
}

impl SoftwareVault {
    fn load(&self) -> Result<VaultFile, KeyVaultError> {
        let text = match fs::read(&self.path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(KeyVaultError::Missing),
            Err(e) => return Err(failed(&format!("the vault file cannot be read ({})", e.kind()))),
        };
        let file: VaultFile =
            serde_json::from_slice(&text).map_err(|_| failed("the vault file is damaged"))?;
        if file.version == VERSION { Ok(file) } else { Err(failed("the vault file has an unknown version")) }
    }

    fn load_or_create(&self) -> Result<VaultFile, KeyVaultError> {
        match self.load() {
            Err(KeyVaultError::Missing) => {
                let mut key = Zeroizing::new([0_u8; 32]);
                self.random.fill(&mut *key).map_err(|_| failed("no random numbers"))?;
                Ok(VaultFile {
                    version: VERSION,
                    wrapping_key: Zeroizing::new(BASE64.encode(*key)),
                    device_keys: BTreeMap::new(),
                })
            }
            other => other,
        }
    }

    fn save(&self, file: &VaultFile) -> Result<(), KeyVaultError> {
        let text = Zeroizing::new(
            serde_json::to_vec_pretty(file).map_err(|_| failed("the vault file cannot be written"))?,
        );
        write_private(&self.path, &text)
            .map_err(|e| failed(&format!("the vault file cannot be written ({})", e.kind())))
    }

    /// Runs `work` while neither another thread nor another process reads and rewrites the file.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, KeyVaultError>) -> Result<T, KeyVaultError> {
        let _threads = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let processes = private_file(&self.path.with_extension("lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|e| failed(&format!("the vault file cannot be locked ({})", e.kind())))?;
        let result = work();
        drop(processes);
        result
    }

    fn key_pair(&self, handle: &str) -> Result<EcdsaKeyPair, KeyVaultError> {
        let file = self.load()?;
        self.parse_key(file.device_keys.get(handle).ok_or(KeyVaultError::Missing)?)
    }

    fn parse_key(&self, encoded: &str) -> Result<EcdsaKeyPair, KeyVaultError> {
        let damaged = || failed("a key in the vault file is damaged");
        let pkcs8 = Zeroizing::new(BASE64.decode(encoded).map_err(|_| damaged())?);
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &self.random).map_err(|_| damaged())
    }
}

#[uniffi::export]
impl KeyVault for SoftwareVault {
    fn seal(&self, plaintext: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.locked(|| {
            let plaintext = Zeroizing::new(plaintext);
            let file = self.load_or_create()?;
            let mut nonce = [0; NONCE_LEN];
            self.random.fill(&mut nonce).map_err(|_| failed("no random numbers"))?;
            let mut sealed = plaintext.to_vec();
            wrapping_key(&file)?
                .seal_in_place_append_tag(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::from(associated_data),
                    &mut sealed,
                )
                .map_err(|_| failed("sealing failed"))?;
            self.save(&file)?;
            Ok([&nonce[..], &sealed].concat())
        })
    }

    fn unseal(&self, sealed: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        let file = self.load()?;
        let not_ours = KeyVaultError::Invalidated;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(not_ours.clone())?;
        let mut body = body.to_vec();
        let plain = wrapping_key(&file)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(associated_data), &mut body)
            .map_err(|_| not_ours)?;
        Ok(plain.to_vec())
    }

    fn create_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        self.locked(|| {
            let mut file = self.load_or_create()?;
            if let Some(existing) = file.device_keys.get(&handle) {
                return Ok(self.parse_key(existing)?.public_key().as_ref().to_vec());
            }
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.random)
                .map_err(|_| failed("a key could not be made"))?;
            let encoded = Zeroizing::new(BASE64.encode(pkcs8.as_ref()));
            let public = self.parse_key(&encoded)?.public_key().as_ref().to_vec();
            file.device_keys.insert(handle, encoded);
            self.save(&file)?;
            Ok(public)
        })
    }

    fn public_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        Ok(self.key_pair(&handle)?.public_key().as_ref().to_vec())
    }

    fn sign(&self, handle: String, _purpose: Purpose, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        let signature =
            self.key_pair(&handle)?.sign(&self.random, &message).map_err(|_| failed("signing failed"))?;
        Ok(signature.as_ref().to_vec())
    }

    fn delete_key(&self, handle: String) -> Result<(), KeyVaultError> {
        self.locked(|| {
            let mut file = match self.load() {
                Err(KeyVaultError::Missing) => return Ok(()),
                other => other?,
            };
            if file.device_keys.remove(&handle).is_some() { self.save(&file) } else { Ok(()) }
        })
    }
}

fn wrapping_key(file: &VaultFile) -> Result<LessSafeKey, KeyVaultError> {
    let damaged = || failed("the vault file's wrapping key is damaged");
    let key = Zeroizing::new(BASE64.decode(&*file.wrapping_key).map_err(|_| damaged())?);
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| damaged())?))
}

fn failed(reason: &str) -> KeyVaultError {
    KeyVaultError::Failed { reason: reason.to_owned() }
}

/// Writes a whole new file beside the old one, readable by its owner only, and puts it in the old one's place.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private_file(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
