//! SQLCipher 4's pages: AES-256-CBC, then an initialisation vector of 16 bytes and an HMAC-SHA512 of 64 over both and
//! the page's number (SQLCipher, "Database Design").

use std::num::NonZeroU32;

use aes::Aes256;
use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::store::envelope::StoreKey;

pub(super) const PAGE: usize = 4096;
/// Bytes at the end of each page that are not SQLite's.
pub(super) const RESERVED: usize = IV + TAG;
const IV: usize = 16;
const TAG: usize = 64;
/// The first page begins with the salt.
const SALT: usize = 16;
const SALT_MASK: u8 = 0x3A;
const MAC_ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// The pages of a file; a rest shorter than a page is none.
pub(super) fn split(file: &[u8]) -> Vec<Vec<u8>> {
    file.chunks_exact(PAGE).map(<[u8]>::to_vec).collect()
}

/// Each page as SQLite knows it, `None` where it fails its check.
pub(super) fn decrypt_all(pages: &[Vec<u8>], key: &StoreKey) -> Vec<Option<Vec<u8>>> {
    let salt = key.salt.map(|byte| byte ^ SALT_MASK);
    let mut mac_key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, MAC_ROUNDS, &salt, &key.key, &mut *mac_key);
    let mac = hmac::Key::new(hmac::HMAC_SHA512, &*mac_key);
    let numbered = pages.iter().zip(1_u32..);
    numbered.map(|(page, number)| decrypt(page, number, &key.key, &mac)).collect()
}

fn decrypt(page: &[u8], number: u32, key: &[u8; 32], mac: &hmac::Key) -> Option<Vec<u8>> {
    let start = if number == 1 { SALT } else { 0 };
    let (signed, tag) = page.split_at_checked(PAGE - TAG)?;
    hmac::verify(mac, &[&signed[start..], &number.to_le_bytes()].concat(), tag).ok()?;
    let (encrypted, iv) = signed.split_at(PAGE - RESERVED);
    let iv: [u8; IV] = iv.try_into().ok()?;
    let mut plain = vec![0; PAGE];
    let decryptor = cbc::Decryptor::<Aes256>::new(key.into(), &iv.into());
    decryptor
        .decrypt_padded_b2b::<NoPadding>(&encrypted[start..], &mut plain[start..PAGE - RESERVED])
        .ok()?;
    if number == 1 {
        plain[..SALT].copy_from_slice(b"SQLite format 3\0");
    }
    Some(plain)
}
