//! Base45 (RFC 9285), strict: every byte string has exactly one text, every other text is refused.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text was not Base45: a character outside the alphabet, a group above its maximum, or a length of 3n + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not Base45")]
pub struct NotBase45;

/// Encodes bytes as Base45 text, three characters for two bytes, two for a last single byte.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    let mut push = |digit: u16| text.push(char::from(ALPHABET[usize::from(digit % 45)]));
    for group in bytes.chunks(2) {
        match *group {
            [high, low] => {
                let value = u16::from_be_bytes([high, low]);
                push(value);
                push(value / 45);
                push(value / (45 * 45));
            }
            [single] => {
                push(u16::from(single));
                push(u16::from(single) / 45);
            }
            _ => {}
        }
    }
    text
}

/// Decodes Base45 text given as bytes.
///
/// # Errors
/// [`NotBase45`] for anything that [`encode`] would not have written.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, NotBase45> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.chunks(3) {
        let value =
            group.iter().rev().try_fold(0_u32, |sum, &c| Some(sum * 45 + digit(c)?)).ok_or(NotBase45)?;
        match group.len() {
            3 => bytes.extend(u16::try_from(value).map_err(|_| NotBase45)?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).map_err(|_| NotBase45)?),
            _ => return Err(NotBase45),
        }
    }
    Ok(bytes)
}

fn digit(character: u8) -> Option<u32> {
    ALPHABET.iter().position(|&c| c == character).and_then(|index| u32::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_rfc_9285_hold() {
        for (plain, text) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn refuses_what_encode_never_writes() {
        for text in ["GGW", ":::", "A", "ABCD", "::", "V5", "a00", "0_0", "\u{e9}0"] {
            assert_eq!(decode(text.as_bytes()), Err(NotBase45), "{text}");
        }
        assert_eq!(decode(b"FGW").unwrap(), [0xFF, 0xFF]);
        assert_eq!(decode(b"U5").unwrap(), [0xFF]);
    }

    proptest! {
        #[test]
        fn every_byte_string_comes_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
        }

        #[test]
        fn every_accepted_text_is_the_only_one(text in "[0-9A-Z $%*+./:-]{0,40}") {
            if let Ok(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
