//! Bounds of what a server may send, checked before anything is made of it: a text of a few megabytes can stand for
//! gigabytes of values in memory, or for more nesting than an app's own parser survives. How many bytes one reply may have is
//! told to transports: [`crate::host::HttpRequest::max_reply_bytes`].

use crate::error::Error;

/// The deepest nesting of arrays and objects.
pub(super) const MAX_DEPTH: usize = 100;
/// The most items of one array, and members of one object. Pages of 100 are asked for.
pub(super) const MAX_ITEMS: usize = 10_000;
/// The most values in all, where an object counts as [`OBJECT`] values: about 80 bytes of memory each.
pub(super) const MAX_VALUES: usize = 2_000_000;
/// An object's own share of memory: its table and its first members.
const OBJECT: usize = 8;
/// The longest text that is kept to be sent back to its server: an entity tag, a cursor.
pub(super) const MAX_TAG_BYTES: usize = 4096;
/// The longest body in which the code of an error is looked for.
pub(super) const MAX_ERROR_BYTES: usize = 64 << 10;

/// The most pages of a list that is gathered in memory.
const MAX_PAGES: u32 = 1_000;
/// The most bytes that its pages may come to, and the same in words.
const MAX_LIST_BYTES: usize = 128 << 20;
const LIST_TOO_LARGE: &str = "a later page; the list has more than 128 MiB";
/// The most tickets in one pull, which are stored page by page: more than anybody owns.
pub(crate) const MAX_PULLED: u32 = 1_000_000;
/// The most bytes of records in one pull: a server does not fill the device.
pub(crate) const MAX_PULLED_BYTES: usize = 1 << 30;

/// A list that is gathered page by page, as far as it may go: a server whose list never ends is not followed for ever.
pub(crate) struct Gathering {
    endpoint: &'static str,
    pages: u32,
    bytes: usize,
}

opaque_debug!(Gathering);

impl Gathering {
    /// Nothing yet of the list that `endpoint` gives, a method and path without ids.
    pub(crate) fn of(endpoint: &'static str) -> Self {
        Self { endpoint, pages: 0, bytes: 0 }
    }

    /// Counts a page of so many bytes in.
    ///
    /// # Errors
    /// [`Error::Reply`] for what is beyond 128 MiB or 1,000 pages.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.pages += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let field = match (self.bytes > MAX_LIST_BYTES, self.pages > MAX_PAGES) {
            (true, _) => LIST_TOO_LARGE,
            (false, true) => "a later page; the list does not end",
            (false, false) => return Ok(()),
        };
        Err(Error::Reply { endpoint: self.endpoint.to_owned(), field: field.to_owned() })
    }
}

/// What a text of JSON has too much of, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    /// Nesting.
    #[error("byte {0}, nested deeper than {MAX_DEPTH}")]
    Depth(usize),
    /// Items of one array, or members of one object.
    #[error("byte {0}, one list of more than {MAX_ITEMS} items")]
    Items(usize),
    /// Values in all.
    #[error("byte {0}, more than {MAX_VALUES} values")]
    Values(usize),
}

/// Goes through a text of JSON once, with a bounded stack and no memory of its own. What is no JSON passes or not: a
/// parser tells.
pub(super) fn check(json: &[u8]) -> Result<(), Excess> {
    let mut separators = [0_usize; MAX_DEPTH + 1];
    let (mut depth, mut values) = (0_usize, 1_usize);
    let mut quoted = false;
    let mut bytes = json.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quoted, byte) {
            (true, b'\\') => {
                bytes.next();
            }
            (_, b'"') => quoted = !quoted,
            (true, _) => {}
            (false, b'[' | b'{') => {
                depth += 1;
                *separators.get_mut(depth).ok_or(Excess::Depth(at))? = 0;
                values += if *byte == b'{' { OBJECT } else { 1 };
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',') => {
                separators[depth] += 1;
                values += 1;
                if separators[depth] >= MAX_ITEMS {
                    return Err(Excess::Items(at));
                }
            }
            (false, _) => {}
        }
        if values > MAX_VALUES {
            return Err(Excess::Values(at));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    fn list(item: &str, items: usize) -> String {
        format!("[{}]", vec![item; items].join(","))
    }

    #[test]
    fn each_bound_is_met_exactly() {
        assert_eq!(check(nested(MAX_DEPTH).as_bytes()), Ok(()));
        assert_eq!(check(nested(MAX_DEPTH + 1).as_bytes()), Err(Excess::Depth(MAX_DEPTH)));
        assert_eq!(check(list("0", MAX_ITEMS).as_bytes()), Ok(()));
        assert_eq!(check(list("0", MAX_ITEMS + 1).as_bytes()), Err(Excess::Items(2 * MAX_ITEMS)));
        let members = vec![r#""a":0"#; MAX_ITEMS + 1].join(",");
        assert!(matches!(check(format!("{{{members}}}").as_bytes()), Err(Excess::Items(_))));
        // One for the list, one for each row and the comma after it, 9,999 for the commas of a row: 2,000,000 are 199.98 rows.
        let row = list("0", MAX_ITEMS);
        assert_eq!(check(list(&row, 199).as_bytes()), Ok(()));
        assert!(matches!(check(list(&row, 200).as_bytes()), Err(Excess::Values(_))));
        let object = list(r#"{"a":0}"#, 9_000);
        assert_eq!(check(list(&object, 24).as_bytes()), Ok(()));
        assert!(matches!(check(list(&object, 25).as_bytes()), Err(Excess::Values(_))));
    }

    #[test]
    fn a_gathered_list_has_its_bounds() {
        let told = |outcome: Result<(), Error>| outcome.unwrap_err().to_string();
        let mut large = Gathering::of("GET list");
        large.add(MAX_LIST_BYTES).unwrap();
        assert_eq!(
            told(large.add(1)),
            "GET list: the reply could not be read at a later page; the list has more than 128 MiB"
        );
        let mut long = Gathering::of("GET list");
        (0..MAX_PAGES).for_each(|_| long.add(0).unwrap());
        assert!(told(long.add(0)).ends_with("the list does not end"));
        assert_eq!(MAX_LIST_BYTES >> 20, 128, "as the words say");
    }

    #[test]
    fn brackets_and_commas_in_strings_are_text() {
        let text = r#"[,]{}\" \\"#.repeat(MAX_ITEMS);
        let json = serde_json::to_vec(&serde_json::json!({ &text: [&text, "\\", "\""] })).unwrap();
        assert_eq!(check(&json), Ok(()));
        // After each such string, structure counts again.
        for string in [r#""\\""#, r#""\"""#, r#""\u005b""#, r#""""#] {
            let json = format!("[{string},{}]", nested(MAX_DEPTH));
            assert!(matches!(check(json.as_bytes()), Err(Excess::Depth(_))), "{string}");
        }
    }

    #[test]
    fn the_excess_is_said_and_nothing_of_the_text() {
        assert_eq!(Excess::Depth(7).to_string(), "byte 7, nested deeper than 100");
        assert_eq!(Excess::Items(7).to_string(), "byte 7, one list of more than 10000 items");
        assert_eq!(Excess::Values(7).to_string(), "byte 7, more than 2000000 values");
    }

    proptest! {
        #[test]
        fn any_bytes_are_gone_through(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(check(&bytes), Ok(()), "so few bytes exceed nothing");
        }

        /// What serde_json reads within the bounds passes, whatever its strings hold.
        #[test]
        fn what_is_small_passes(strings in proptest::collection::vec(any::<String>(), 0..20)) {
            let json = serde_json::to_vec(&strings).unwrap();
            prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
            prop_assert_eq!(check(&json), Ok(()));
        }
    }
}
