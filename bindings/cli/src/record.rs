//! A system's own records, as they are shown.

use serde_json::Value;

/// The members in which the systems' documents have a barcode's text.
const BARCODES: [&str; 2] = ["barcode", "qr_code"];
const HIDDEN: &str = "(hidden)";

/// The record with the texts of barcodes hidden: only `show` shows a barcode. Null for what is no JSON.
pub(crate) fn shown(json: &str) -> Value {
    let mut record = serde_json::from_str(json).unwrap_or_default();
    hide(&mut record);
    record
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_text = member.is_string() || member.is_number();
                if is_text && BARCODES.contains(&name.as_str()) {
                    *member = HIDDEN.into();
                } else {
                    hide(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}
