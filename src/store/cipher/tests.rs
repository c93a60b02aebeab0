//! The provider against published vectors, through the same C table that SQLCipher calls.

use super::*;
use std::mem::MaybeUninit;

fn table() -> Provider {
    let mut provider = MaybeUninit::<Provider>::uninit();
    // SAFETY: the memory has the table's size; it is read only after it was filled.
    unsafe {
        assert_eq!(ticket_wallet_sqlcipher_provider(provider.as_mut_ptr()), SQLITE_OK);
        provider.assume_init()
    }
}

fn len(bytes: &[u8]) -> c_int {
    c_int::try_from(bytes.len()).unwrap()
}

fn hmac_of(algorithm: c_int, key: &[u8], first: &[u8], second: Option<&[u8]>) -> String {
    let table = table();
    // SAFETY: all buffers are live and of the lengths said.
    unsafe {
        let mut out = vec![0; usize::try_from((table.get_hmac_sz)(ptr::null_mut(), algorithm)).unwrap()];
        let (second, second_len) = second.map_or((ptr::null(), 0), |s| (s.as_ptr(), len(s)));
        let done = (table.hmac)(
            ptr::null_mut(),
            algorithm,
            key.as_ptr(),
            len(key),
            first.as_ptr(),
            len(first),
            second,
            second_len,
            out.as_mut_ptr(),
        );
        assert_eq!(done, SQLITE_OK);
        hex::encode(out)
    }
}

/// RFC 4231, test case 2, and RFC 2202, test case 2; whole and in two parts.
#[test]
fn hmac_holds_published_vectors() {
    let expected = [
        (SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            SHA512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
             caeab1a34d4a6b4b636e070a38bce737",
        ),
    ];
    for (algorithm, tag) in expected {
        assert_eq!(hmac_of(algorithm, b"Jefe", b"what do ya want for nothing?", None), tag);
        assert_eq!(hmac_of(algorithm, b"Jefe", b"what do ya want ", Some(b"for nothing?")), tag);
    }
}

/// RFC 6070 for SHA-1; the SHA-512 value is that of Python's `hashlib.pbkdf2_hmac`.
#[test]
fn pbkdf2_holds_published_vectors() {
    let table = table();
    let expected = [
        (SHA1, 4096, "4b007901b765489abead49d926f721d065a429c1"),
        (SHA256, 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"),
        (SHA512, 1, "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"),
    ];
    for (algorithm, rounds, key) in expected {
        let mut out = vec![0; key.len() / 2];
        // SAFETY: all buffers are live and of the lengths said.
        let done = unsafe {
            (table.kdf)(
                ptr::null_mut(),
                algorithm,
                b"password".as_ptr(),
                8,
                b"salt".as_ptr(),
                4,
                rounds,
                len(&out),
                out.as_mut_ptr(),
            )
        };
        assert_eq!((done, hex::encode(out).as_str()), (SQLITE_OK, key));
    }
}

/// NIST SP 800-38A, F.2.5 and F.2.6, from buffer to buffer and in place.
#[test]
fn cipher_holds_nist_vectors_in_place_too() {
    let table = table();
    let key = hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
    let iv = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    let plain = hex::decode(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    )
    .unwrap();
    let secret = hex::decode(
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
         39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    )
    .unwrap();
    for (mode, from, to) in [(ENCRYPT, &plain, &secret), (0, &secret, &plain)] {
        let run = |source: *const u8, out: *mut u8, length: c_int| {
            // SAFETY: the caller passes live buffers of `length` bytes.
            unsafe {
                (table.cipher)(ptr::null_mut(), mode, key.as_ptr(), 32, iv.as_ptr(), source, length, out)
            }
        };
        let mut apart = vec![0; from.len()];
        assert_eq!(run(from.as_ptr(), apart.as_mut_ptr(), len(from)), SQLITE_OK);
        assert_eq!(&apart, to);
        let mut in_place = from.clone();
        let buffer = in_place.as_mut_ptr();
        assert_eq!(run(buffer, buffer, len(from)), SQLITE_OK);
        assert_eq!(&in_place, to);
        assert_eq!(run(from.as_ptr(), apart.as_mut_ptr(), 17), SQLITE_ERROR, "not whole blocks");
        assert_eq!(run(from.as_ptr(), ptr::null_mut(), 16), SQLITE_ERROR);
    }
}

#[test]
fn random_fills_and_nulls_are_refused() {
    let table = table();
    let (mut first, mut second) = ([0_u8; 32], [0_u8; 32]);
    // SAFETY: buffers of the lengths said, or null.
    unsafe {
        assert_eq!((table.random)(ptr::null_mut(), first.as_mut_ptr().cast(), 32), SQLITE_OK);
        assert_eq!((table.random)(ptr::null_mut(), second.as_mut_ptr().cast(), 32), SQLITE_OK);
        assert_ne!(first, second);
        assert_eq!((table.random)(ptr::null_mut(), ptr::null_mut(), 32), SQLITE_ERROR);
        assert_eq!((table.get_hmac_sz)(ptr::null_mut(), 9), 0);
        assert_eq!(ticket_wallet_sqlcipher_provider(ptr::null_mut()), SQLITE_ERROR);
    }
}
