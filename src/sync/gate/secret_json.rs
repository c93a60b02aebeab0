//! JSON with a secret in it.

use std::{io, mem};

use serde::Serialize;
use zeroize::Zeroizing;

/// JSON that is wiped when it is dropped. It is written into one piece of memory: a text that grows leaves copies of itself
/// behind. `None` for what no JSON can say.
pub(super) fn secret_json(value: &impl Serialize) -> Option<Zeroizing<String>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).ok()?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).ok()?;
    String::from_utf8(mem::take(&mut *json)).ok().map(Zeroizing::new)
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_json_in_a_buffer_of_its_own_length() {
        let value =
            serde_json::json!({ "private_key": "-----BEGIN\n\u{1F}".repeat(100), "sections": [1, 2] });
        let json = secret_json(&value).unwrap();
        assert_eq!(*json, value.to_string());
        assert_eq!(json.capacity(), json.len(), "it has never grown");
    }
}
