//! The cryptography under SQLCipher: AES-256-CBC for the pages, HMAC, PBKDF2 and random numbers.
//!
//! SQLCipher calls a provider through a table of C functions. The build names the set-up function
//! (`SQLCIPHER_CRYPTO_CUSTOM` in `.cargo/config.toml`); SQLCipher calls it once, when SQLite starts. The layout of the
//! table is SQLCipher 4.19's `struct sqlcipher_provider`; `docs/sqlcipher-provider.md` says how it is kept right.
//!
//! Every function returns an SQLite result code and never unwinds: nothing here panics on any input that SQLCipher can
//! make, and wrong lengths are refused.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use std::num::NonZeroU32;
use std::ptr;
use std::slice;

use aes::Aes256;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hmac, pbkdf2};
use rusqlite::ffi::{SQLITE_ERROR, SQLITE_OK};

const KEY_LEN: usize = 32;
const BLOCK_LEN: usize = 16;
const ENCRYPT: c_int = 1;

/// SQLCipher's numbers for its hash functions; HMAC and PBKDF2 share them.
const SHA1: c_int = 0;
const SHA256: c_int = 1;
const SHA512: c_int = 2;

type Text = unsafe extern "C" fn(*mut c_void) -> *const c_char;
type Size = unsafe extern "C" fn(*mut c_void) -> c_int;
type Context = unsafe extern "C" fn(*mut *mut c_void) -> c_int;

/// `struct sqlcipher_provider`.
#[repr(C)]
pub struct Provider {
    init: Option<unsafe extern "C" fn() -> c_int>,
    shutdown: Option<unsafe extern "C" fn()>,
    get_provider_name: Text,
    add_random: unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
    random: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int,
    hmac: Hmac,
    kdf: Kdf,
    cipher: Cipher,
    get_cipher: Text,
    get_key_sz: Size,
    get_iv_sz: Size,
    get_block_sz: Size,
    get_hmac_sz: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    ctx_init: Context,
    ctx_free: Context,
    fips_status: Size,
    get_provider_version: Text,
    next: *mut Provider,
}

type Hmac = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_uchar,
    c_int,
    *const c_uchar,
    c_int,
    *const c_uchar,
    c_int,
    *mut c_uchar,
) -> c_int;
type Kdf = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_uchar,
    c_int,
    *const c_uchar,
    c_int,
    c_int,
    c_int,
    *mut c_uchar,
) -> c_int;
type Cipher = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_uchar,
    c_int,
    *const c_uchar,
    *const c_uchar,
    c_int,
    *mut c_uchar,
) -> c_int;

unsafe extern "C" {
    /// Sets SQLCipher up, or waits for who is at it, or finds it done.
    fn sqlcipher_extra_init(argument: *const c_char) -> c_int;
}

/// Waits until SQLCipher is set up. The first connection of a process starts SQLite, which calls itself ready a moment
/// before it has started SQLCipher: to a connection of another thread in that moment every key is refused.
///
/// Called after a connection is opened, for SQLite's own parts must be there. A failure is not told here: the connection
/// is then refused its key.
pub(super) fn wait_until_ready() {
    // SAFETY: SQLCipher takes a mutex of its own, returns at once if it is ready, and ignores the argument.
    unsafe { sqlcipher_extra_init(ptr::null()) };
}

/// Fills SQLCipher's provider table. SQLCipher calls this by name.
///
/// # Safety
/// `provider` is null or points to writable memory of the size of `struct sqlcipher_provider`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ticket_wallet_sqlcipher_provider(provider: *mut Provider) -> c_int {
    if provider.is_null() {
        return SQLITE_ERROR;
    }
    let table = Provider {
        init: None,
        shutdown: None,
        get_provider_name: provider_name,
        add_random,
        random,
        hmac: hmac_two,
        kdf,
        cipher,
        get_cipher: cipher_name,
        get_key_sz: key_size,
        get_iv_sz: block_size,
        get_block_sz: block_size,
        get_hmac_sz: hmac_size,
        ctx_init,
        ctx_free: ctx_init,
        fips_status,
        get_provider_version: provider_version,
        next: ptr::null_mut(),
    };
    // SAFETY: not null, and the caller vouches for size and writability.
    unsafe { provider.write(table) };
    SQLITE_OK
}

unsafe extern "C" fn provider_name(_: *mut c_void) -> *const c_char {
    c"ring-aes".as_ptr()
}

unsafe extern "C" fn provider_version(_: *mut c_void) -> *const c_char {
    const VERSION: &CStr = c"1";
    VERSION.as_ptr()
}

unsafe extern "C" fn cipher_name(_: *mut c_void) -> *const c_char {
    c"AES-256-CBC".as_ptr()
}

unsafe extern "C" fn key_size(_: *mut c_void) -> c_int {
    32
}

unsafe extern "C" fn block_size(_: *mut c_void) -> c_int {
    16
}

unsafe extern "C" fn fips_status(_: *mut c_void) -> c_int {
    0
}

unsafe extern "C" fn hmac_size(_: *mut c_void, algorithm: c_int) -> c_int {
    match algorithm {
        SHA1 => 20,
        SHA256 => 32,
        SHA512 => 64,
        _ => 0,
    }
}

/// There is no state to keep, and so nothing to free.
unsafe extern "C" fn ctx_init(_: *mut *mut c_void) -> c_int {
    SQLITE_OK
}

/// The system's generator needs no seeding.
unsafe extern "C" fn add_random(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn random(_: *mut c_void, buffer: *mut c_void, length: c_int) -> c_int {
    // SAFETY: SQLCipher passes a buffer of this length.
    let Some(buffer) = (unsafe { output(buffer.cast(), length) }) else { return SQLITE_ERROR };
    result(SystemRandom::new().fill(buffer).is_ok())
}

/// HMAC over the two inputs one after the other; the second may be absent.
unsafe extern "C" fn hmac_two(
    _: *mut c_void,
    algorithm: c_int,
    key: *const c_uchar,
    key_len: c_int,
    first: *const c_uchar,
    first_len: c_int,
    second: *const c_uchar,
    second_len: c_int,
    out: *mut c_uchar,
) -> c_int {
    let Some(algorithm) = hmac_algorithm(algorithm) else { return SQLITE_ERROR };
    // SAFETY: SQLCipher passes buffers of these lengths, and `out` as long as `get_hmac_sz` said.
    let (key, first, second, out) = unsafe {
        let Some(key) = input(key, key_len) else { return SQLITE_ERROR };
        let Some(first) = input(first, first_len) else { return SQLITE_ERROR };
        let second = input(second, second_len).unwrap_or_default();
        (key, first, second, out)
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    context.update(first);
    context.update(second);
    let tag = context.sign();
    let tag = tag.as_ref();
    if out.is_null() {
        return SQLITE_ERROR;
    }
    // SAFETY: as above; the tag is the algorithm's length. `copy` allows the output to lie inside an input.
    unsafe { ptr::copy(tag.as_ptr(), out, tag.len()) };
    SQLITE_OK
}

unsafe extern "C" fn kdf(
    _: *mut c_void,
    algorithm: c_int,
    password: *const c_uchar,
    password_len: c_int,
    salt: *const c_uchar,
    salt_len: c_int,
    rounds: c_int,
    out_len: c_int,
    out: *mut c_uchar,
) -> c_int {
    let algorithm = match algorithm {
        SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
        SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
        SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return SQLITE_ERROR,
    };
    let Some(rounds) = u32::try_from(rounds).ok().and_then(NonZeroU32::new) else { return SQLITE_ERROR };
    // SAFETY: SQLCipher passes buffers of these lengths.
    unsafe {
        let (Some(password), Some(salt), Some(out)) =
            (input(password, password_len), input(salt, salt_len), output(out, out_len))
        else {
            return SQLITE_ERROR;
        };
        // The inputs may not overlap the output for `derive`; SQLCipher never does that, and copies cost nothing here.
        let (password, salt) = (zeroize::Zeroizing::new(password.to_vec()), salt.to_vec());
        pbkdf2::derive(algorithm, rounds, &salt, &password, out);
    }
    SQLITE_OK
}

unsafe extern "C" fn cipher(
    _: *mut c_void,
    mode: c_int,
    key: *const c_uchar,
    key_len: c_int,
    iv: *const c_uchar,
    source: *const c_uchar,
    length: c_int,
    out: *mut c_uchar,
) -> c_int {
    // SAFETY: SQLCipher passes a key and an initialisation vector of the sizes it asked for above. `source` and `out`
    // are `length` bytes each and are either the same buffer or apart; `InOutBuf` takes both.
    unsafe {
        let (Some(key), Some(iv)) = (input(key, key_len), input(iv, 16)) else { return SQLITE_ERROR };
        let (Ok(key), Ok(iv)) = (<&[u8; KEY_LEN]>::try_from(key), <&[u8; BLOCK_LEN]>::try_from(iv)) else {
            return SQLITE_ERROR;
        };
        let Ok(length) = usize::try_from(length) else { return SQLITE_ERROR };
        if length % BLOCK_LEN != 0 || source.is_null() || out.is_null() {
            return SQLITE_ERROR;
        }
        let buffer = InOutBuf::<u8>::from_raw(source, out, length);
        let (blocks, _) = buffer.into_chunks();
        if mode == ENCRYPT {
            cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_blocks_inout(blocks);
        } else {
            cbc::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_blocks_inout(blocks);
        }
    }
    SQLITE_OK
}

fn hmac_algorithm(algorithm: c_int) -> Option<hmac::Algorithm> {
    match algorithm {
        SHA1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        SHA256 => Some(hmac::HMAC_SHA256),
        SHA512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// # Safety
/// `data` is null or points to `length` readable bytes.
unsafe fn input<'a>(data: *const c_uchar, length: c_int) -> Option<&'a [u8]> {
    let length = usize::try_from(length).ok()?;
    // SAFETY: not null, and the caller vouches for the length.
    (!data.is_null()).then(|| unsafe { slice::from_raw_parts(data, length) })
}

/// # Safety
/// `data` is null or points to `length` writable bytes that nothing else reads meanwhile.
unsafe fn output<'a>(data: *mut c_uchar, length: c_int) -> Option<&'a mut [u8]> {
    let length = usize::try_from(length).ok()?;
    // SAFETY: not null, and the caller vouches for the length.
    (!data.is_null()).then(|| unsafe { slice::from_raw_parts_mut(data, length) })
}

fn result(done: bool) -> c_int {
    if done { SQLITE_OK } else { SQLITE_ERROR }
}

#[cfg(test)]
mod tests;
