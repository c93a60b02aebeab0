//! Everything that looks random in the season, but is the same for the same seed.

use ring::digest::{Context, SHA256};

/// 32 bytes that follow from the seed and a label.
pub(crate) fn bytes(seed: u64, label: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [b"ticket-wallet-sandbox\0", label.as_bytes(), b"\0", &seed.to_be_bytes()] {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// A number below `limit` (0 for a limit of 0) that follows from the seed and a label.
pub(crate) fn below(seed: u64, label: &str, limit: u32) -> u32 {
    let hash = bytes(seed, label);
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    number.checked_rem(limit).unwrap_or(0)
}

/// One of several that follows from the seed and a label.
pub(crate) fn pick<'a, T>(seed: u64, label: &str, choices: &'a [T]) -> Option<&'a T> {
    choices.get(below(seed, label, u32::try_from(choices.len()).ok()?) as usize)
}

/// A version 4 UUID that follows from the seed and a label.
pub(crate) fn uuid(seed: u64, label: &str) -> String {
    let mut raw = bytes(seed, label);
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = hex::encode(&raw[..16]);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_and_label_give_the_same() {
        assert_eq!(bytes(7, "a"), bytes(7, "a"));
        assert_ne!(bytes(7, "a"), bytes(8, "a"));
        assert_ne!(bytes(7, "a"), bytes(7, "b"));
        assert_eq!(below(7, "a", 0), 0);
    }

    #[test]
    fn uuids_have_their_shape() {
        let uuid = uuid(1, "x");
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }
}
