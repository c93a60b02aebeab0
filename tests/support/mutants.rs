//! Codes near the edges of format 1, most of them refused: altered bytes with and without a new signature, times,
//! windows, signatures at the ends of their ranges, cut texts, and what scanners put around a text.

use curve25519_dalek::Scalar;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;
use ticket_wallet::barcode::base45;

use crate::support::bytes;

/// When the vectors' valid code is read.
pub(crate) const NOW: i64 = 1_790_000_003;
const PRESENTED_AT: u32 = 1_790_000_000;
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P256_HALF: &str = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// A scanned text and the moment of its check.
pub(crate) struct Mutant {
    /// What was done to it.
    pub(crate) name: String,
    /// What the scanner hands over.
    pub(crate) text: Vec<u8>,
    /// Unix seconds.
    pub(crate) now: i64,
    /// Venue nonces that count at that time.
    pub(crate) nonces: Vec<Vec<u8>>,
}

impl Mutant {
    fn of(name: String, code: &[u8]) -> Self {
        Self::of_text(name, format!("TW1:{}", base45::encode(code)).into_bytes())
    }

    fn of_text(name: String, text: Vec<u8>) -> Self {
        Self { name, text, now: NOW, nonces: Vec::new() }
    }

    fn at(self, now: i64) -> Self {
        Self { now, ..self }
    }
}

/// All of them, always the same.
pub(crate) fn mutants(vectors: &Value) -> Vec<Mutant> {
    let keys = Keys::of(vectors);
    let valid = vectors["cases"][0]["text"].as_str().unwrap();
    let code = base45::decode(&valid.as_bytes()[4..]).unwrap();
    [
        altered(&code),
        altered_and_signed(&keys),
        times(&keys),
        device_signatures(&code),
        issuer_signatures(&code, &keys),
        texts(valid),
        nonces(&keys),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The private keys of the vectors, and their credential.
struct Keys {
    seed: Vec<u8>,
    issuer: Ed25519KeyPair,
    device: SigningKey,
    signed: Vec<u8>,
}

impl Keys {
    fn of(vectors: &Value) -> Self {
        let seed = bytes(&vectors["issuer_seed"]);
        Self {
            issuer: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(),
            seed,
            device: SigningKey::from_slice(&bytes(&vectors["device_private_key"])).unwrap(),
            signed: bytes(&vectors["credential"])[..70].to_vec(),
        }
    }

    /// The vectors' credential with these bytes at an offset, properly signed by issuer and device.
    fn code_with(&self, offset: usize, change: &[u8], presented_at: u32, nonce: &[u8]) -> Vec<u8> {
        let mut code = self.signed.clone();
        code[offset..offset + change.len()].copy_from_slice(change);
        let message = [b"ticket-wallet/1/credential\0", &code[..]].concat();
        code.extend(self.issuer.sign(&message).as_ref());
        self.prove(code, presented_at, nonce)
    }

    /// A credential with its proof.
    fn prove(&self, mut code: Vec<u8>, presented_at: u32, nonce: &[u8]) -> Vec<u8> {
        let at = presented_at.to_be_bytes();
        let length = [u8::try_from(nonce.len()).unwrap()];
        let hash = digest(&SHA256, &code);
        let message = [b"ticket-wallet/1/proof\0", hash.as_ref(), &at, &length, nonce].concat();
        let signature: Signature = self.device.sign(&message);
        code.extend(at);
        code.extend(signature.normalize_s().to_bytes());
        code
    }

    /// An issuer signature whose R is this encoding of the neutral element: S = k·a makes the equation hold.
    fn with_neutral_r(&self, r: &[u8; 32]) -> Vec<u8> {
        let mut a: [u8; 32] = digest(&SHA512, &self.seed).as_ref()[..32].try_into().unwrap();
        (a[0], a[31]) = (a[0] & 248, a[31] & 63 | 64);
        let public = self.issuer.public_key().as_ref();
        let hashed = [r, public, b"ticket-wallet/1/credential\0", &self.signed].concat();
        let k = Scalar::from_bytes_mod_order_wide(digest(&SHA512, &hashed).as_ref().try_into().unwrap());
        let s = k * Scalar::from_bytes_mod_order(a);
        [&self.signed[..], r, s.as_bytes()].concat()
    }
}

/// Each byte changed in one bit.
fn altered(code: &[u8]) -> Vec<Mutant> {
    let alter = |offset: usize| {
        let mut code = code.to_vec();
        code[offset] ^= 1 << (offset % 8);
        Mutant::of(format!("byte {offset} altered"), &code)
    };
    (0..code.len()).map(alter).collect()
}

/// Each byte of what the issuer signs changed in one bit, and fields at their ends, all signed like that.
fn altered_and_signed(keys: &Keys) -> Vec<Mutant> {
    let bits = (0..keys.signed.len()).map(|offset| (offset, vec![keys.signed[offset] ^ 1 << (offset % 8)]));
    let flags = [0x00, 0x13, 0x14, 0x18, 0x20, 0xff].map(|flags| (0, vec![flags]));
    let codes = [25, 27].into_iter().flat_map(|offset| [(offset, vec![0; 2]), (offset, vec![255; 2])]);
    let points = [(38, vec![0; 32]), (38, vec![255; 32])];
    let sign = |(offset, change): (usize, Vec<u8>)| {
        let code = keys.code_with(offset, &change, PRESENTED_AT, &[]);
        Mutant::of(format!("{} at {offset}, signed", hex::encode(change)), &code)
    };
    bits.chain(flags).chain(codes).chain(points).map(sign).collect()
}

/// Windows, validity and clocks, each on both sides of its limit.
fn times(keys: &Keys) -> Vec<Mutant> {
    let mut found = Vec::new();
    for window in [0_u8, 4, 5, 30, 255] {
        let code = keys.code_with(37, &[window], PRESENTED_AT, &[]);
        let oldest = i64::from(PRESENTED_AT) + i64::from(window) + 10;
        for now in [oldest, oldest + 1, i64::from(PRESENTED_AT) - 10, i64::from(PRESENTED_AT) - 11] {
            found.push(Mutant::of(format!("window {window} read at {now}"), &code).at(now));
        }
    }
    let second = |now: i64| u32::try_from(now).unwrap();
    for limit in [second(NOW) - 1, second(NOW), second(NOW) + 1, 0, u32::MAX] {
        for (what, offset) in [("not before", 29), ("lease end", 33)] {
            let code = keys.code_with(offset, &limit.to_be_bytes(), PRESENTED_AT, &[]);
            found.push(Mutant::of(format!("{what} {limit}"), &code));
        }
        let code = keys.code_with(0, &[], limit, &[]);
        for now in [i64::MIN, -1, 0, NOW, u32::MAX.into(), i64::MAX] {
            found.push(Mutant::of(format!("presented at {limit}, read at {now}"), &code).at(now));
        }
    }
    found
}

/// r and s at the ends of their ranges.
fn device_signatures(code: &[u8]) -> Vec<Mutant> {
    let around = |middle: &str| {
        let middle = hex::decode(middle).unwrap();
        let (last, head) = middle.split_last().unwrap();
        [last - 1, *last, last + 1].map(|last| [head, &[last]].concat())
    };
    let fixed = [vec![0; 32], vec![255; 32], [&[0; 31][..], &[1]].concat()];
    let values = fixed.into_iter().chain(around(P256_ORDER)).chain(around(P256_HALF));
    let place = |value: Vec<u8>| {
        [("r", 138), ("s", 170)].map(|(what, offset)| {
            let code = [&code[..offset], &value, &code[offset + 32..]].concat();
            Mutant::of(format!("{what} is {}", hex::encode(&value)), &code)
        })
    };
    values.flat_map(place).collect()
}

/// R and S of the issuer's signature in forms that lenient verifiers take.
fn issuer_signatures(code: &[u8], keys: &Keys) -> Vec<Mutant> {
    let order = hex::decode(ED25519_ORDER).unwrap();
    let mut lifted = code[102..134].to_vec();
    let mut carry = 0_u16;
    for (byte, add) in lifted.iter_mut().zip(&order) {
        carry += u16::from(*byte) + u16::from(*add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let with = |r: &[u8], s: &[u8]| [&code[..70], r, s].concat();
    let (r, s) = (&code[70..102], &code[102..134]);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut not_canonical = [255; 32]; // 2^255 − 18, which is 1 modulo the field's prime
    (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
    [
        ("S + L", with(r, &lifted)),
        ("S is L", with(r, &order)),
        ("S is zero", with(r, &[0; 32])),
        ("R is zero", with(&[0; 32], s)),
        ("R of all ones", with(&[255; 32], s)),
        ("R is the neutral element", keys.with_neutral_r(&neutral)),
        ("R is the neutral element, not canonical", keys.with_neutral_r(&not_canonical)),
    ]
    .into_iter()
    .map(|(name, credential)| Mutant::of(name.to_owned(), &keys.prove(credential, PRESENTED_AT, &[])))
    .collect()
}

/// The text cut, wrapped and misspelt.
fn texts(valid: &str) -> Vec<Mutant> {
    let cuts = (0..valid.len()).step_by(9).chain(valid.len() - 4..valid.len());
    let mut found: Vec<_> = cuts.map(|length| valid[..length].to_owned()).collect();
    let before = "]Q0 ]Q3 ]Q6 ]Q7 ]q1 ]C1 ]Q ]Q1]Q1 \\000026 \\000003\\000026 ]Q1\\000026 \\000026]Q1 \\00026 \\0000260 \
                  \\00002A \u{feff} TW1: tw1: TW2: 0";
    found.extend(before.split(' ').map(|before| format!("{before}{valid}")));
    let around =
        [" ", "\n", "\r\n", "\t", "\t \r\n\n", "\0", "\u{b}", "\u{a0}", "0", "000", "A0", "=", ":::"];
    found.extend(around.iter().flat_map(|x| [format!("{x}{valid}"), format!("{valid}{x}")]));
    for group in ["FGW", "GGW", ":::", "abc", "   ", "00_", "é0"] {
        found.push(format!("{}{group}{}", &valid[..154], &valid[157..]));
    }
    let mut found: Vec<_> = found.into_iter().map(String::into_bytes).collect();
    found.push([valid.as_bytes(), &[0xff]].concat());
    found.into_iter().map(|text| Mutant::of_text(String::from_utf8_lossy(&text).into_owned(), text)).collect()
}

/// Codes with and without a venue nonce, required and not, read with and without it.
fn nonces(keys: &Keys) -> Vec<Mutant> {
    let (right, wrong) = ([1; 8].to_vec(), [2; 8].to_vec());
    let required = keys.signed[0] | 2;
    let mut found = Vec::new();
    for flags in [keys.signed[0], required] {
        for signed in [&[][..], &right] {
            let code = keys.code_with(0, &[flags], PRESENTED_AT, signed);
            for known in
                [vec![], vec![right.clone()], vec![wrong.clone()], vec![wrong.clone(), right.clone()]]
            {
                let name = format!("flags {flags}, signed {signed:?}, known {known:?}");
                found.push(Mutant { nonces: known, ..Mutant::of(name, &code) });
            }
        }
    }
    found
}
