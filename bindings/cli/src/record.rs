//! A system's own records, as they are shown.

use serde_json::Value;

/// The members in which the systems' documents have a barcode's text.
const BARCODES: [&str; 2] = ["barcode", "qr_code"];
const HIDDEN: &str = "(hidden)";

/// The member in which TickeTing has what lets an admission token's bearer redeem tickets.
const CODES: [&str; 1] = ["code"];

/// The record with the texts of barcodes hidden: only `show` shows a barcode. Null for what is no JSON.
pub(crate) fn shown(json: &str) -> Value {
    without(json, &BARCODES)
}

/// The record of an admission token, with its code hidden: the commands that are for it tell it in its own place.
pub(crate) fn token(json: &str) -> Value {
    without(json, &CODES)
}

fn without(json: &str, names: &[&str]) -> Value {
    let mut record = serde_json::from_str(json).unwrap_or_default();
    hide(&mut record, names);
    record
}

fn hide(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_text = member.is_string() || member.is_number();
                if is_text && names.contains(&name.as_str()) {
                    *member = HIDDEN.into();
                } else {
                    hide(member, names);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, names)),
        _ => {}
    }
}
