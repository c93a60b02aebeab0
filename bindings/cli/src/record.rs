//! A system's own records, as they are shown: with the texts of barcodes hidden, and numbers to the digit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The members in which the systems' documents have a barcode's text.
const BARCODES: [&str; 2] = ["barcode", "qr_code"];
const HIDDEN: &str = "(hidden)";

/// The member in which TickeTing has what lets an admission token's bearer redeem tickets.
const CODES: [&str; 1] = ["code"];

/// Begins the text that stands for a number which [`Value`] would write in another way; a text that begins with it itself
/// has it twice. [`written`] and [`plain`] take it away.
const NUMBER: char = '\u{F8FF}';

/// The record with the texts of barcodes hidden: only `show` shows a barcode. Null for what is no JSON.
pub(crate) fn shown(json: &str) -> Value {
    without(json, &BARCODES)
}

/// The record of an admission token, with its code hidden: the commands that are for it tell it in its own place.
pub(crate) fn token(json: &str) -> Value {
    without(json, &CODES)
}

fn without(json: &str, names: &[&str]) -> Value {
    serde_json::from_str::<&RawValue>(json).map_or(Value::Null, |raw| read(raw.get(), names))
}

fn read(json: &str, names: &[&str]) -> Value {
    match json.as_bytes().first() {
        Some(b'{') => {
            let members = serde_json::from_str::<Members>(json).map(|members| members.0).unwrap_or_default();
            let shown = members.into_iter().map(|(name, value)| {
                let member = read(value.get(), names);
                let is_text = member.is_string() || member.is_number();
                let hidden = is_text && names.contains(&name.as_str());
                (marked(name), if hidden { HIDDEN.into() } else { member })
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items.into_iter().map(|item| read(item.get(), names)).collect()
        }
        Some(b'-' | b'0'..=b'9') => number(json),
        _ => match serde_json::from_str(json) {
            Ok(Value::String(text)) => marked(text).into(),
            other => other.unwrap_or_default(),
        },
    }
}

fn number(json: &str) -> Value {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let rendered = value.to_string();
    if rendered == json { value } else { format!("{NUMBER}{json}").into() }
}

fn marked(text: String) -> String {
    if text.starts_with(NUMBER) { format!("{NUMBER}{text}") } else { text }
}

/// The members of an object in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// JSON of [`Value`]'s, compact or not, with the numbers of records as they were written.
pub(crate) fn written(json: &str) -> String {
    let mark = format!("\"{NUMBER}");
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(&mark) {
        let (before, after) = (&rest[..at], &rest[at + mark.len()..]);
        text.push_str(before);
        // A quotation mark behind a backslash begins no text.
        let begins = !before.ends_with('\\');
        match after.find('"') {
            Some(end) if begins && !after.starts_with(NUMBER) => {
                text.push_str(&after[..end]);
                rest = &after[end + 1..];
            }
            _ => {
                text.push('"');
                if !begins {
                    text.push(NUMBER);
                }
                rest = after;
            }
        }
    }
    text + rest
}

/// A member as a person reads it: texts without quotes, numbers as they were written.
pub(crate) fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| written(&value.to_string()), str::to_owned);
    text.strip_prefix(NUMBER).map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_texts_stay_texts() {
        let json = r#"{"b":1.10,"a":12345678901234567890.123,"n":[1,-0.0,1e2,"1.10"],"x\"":"y"}"#;
        assert_eq!(written(&shown(json).to_string()), json);
        // What looks like the mark of a number is a server's text all the same.
        let odd =
            format!(r#"{{"{NUMBER}k":"{NUMBER}7","q":"a\"{NUMBER}7","{NUMBER}{NUMBER}":[{{"z":0.50}}]}}"#);
        assert_eq!(written(&shown(&odd).to_string()), odd);
        assert_eq!(written(&format!("{:#}", shown(r#"{"b":1.10}"#))), "{\n  \"b\": 1.10\n}");
        assert_eq!(plain(&shown("1.10")), "1.10");
        assert_eq!(plain(&shown("\"x\"")), "x");
        assert_eq!(shown("{"), Value::Null);
    }

    #[test]
    fn barcodes_are_hidden_wherever_they_are() {
        let json = r#"{"barcode":1.10,"m":[{"qr_code":"x","barcode":{"barcode":null}}]}"#;
        let hidden = r#"{"barcode":"(hidden)","m":[{"qr_code":"(hidden)","barcode":{"barcode":null}}]}"#;
        assert_eq!(written(&shown(json).to_string()), hidden);
        assert_eq!(token(r#"{"code":"x"}"#)["code"], HIDDEN);
    }
}
