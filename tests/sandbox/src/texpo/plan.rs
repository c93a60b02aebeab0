//! The catalogue that a sandbox starts with, and larger ones.

use serde_json::json;

use super::state::Entry;

/// How many entries there are at the start.
pub(crate) const CATALOGUE: usize = 12;

const EVENTS: [&str; 4] = ["Hafenmesse", "Gartenbau-Tage „Grün“", "Buchmesse Weidental", "Expo 東"];
const TYPES: [&str; 4] = ["single", "days:1of3", "days:2of3", "days:3of3"];

/// So many entries; times are Unix seconds.
pub(crate) fn catalogue(count: usize, now_s: i64) -> Vec<Entry> {
    (0..count).map(|index| entry(index, now_s)).collect()
}

fn entry(index: usize, now_s: i64) -> Entry {
    let day = i64::try_from(index / EVENTS.len() % 90).unwrap_or_default() + 2;
    let starts_at = now_s - now_s.rem_euclid(86_400) + day * 86_400 + 9 * 3600;
    let product_id = format!("expo-{:05}", index + 1);
    let name = serde_json::Value::from(EVENTS[index % EVENTS.len()]);
    let (kind, cents) = (TYPES[index % TYPES.len()], 990 + index % 100 * 125);
    let grants = json!([{"grantType": "userRole", "grantTarget": format!("visitor:hall-{}", index % 7 + 1)}]);
    // The price is written with its two digits.
    let body = format!(
        r#"{{"productId":"{product_id}","eventName":{name},"eventStartDate":{starts_at},"eventEndDate":{},"ticketType":"{kind}","ticketName":"Ticket {}","ticketDescription":"Zutritt zu allen Hallen","price":{}.{:02},"thumbnailId":"thumb-{}","discount":"","grants":{grants}}}"#,
        starts_at + 8 * 3600,
        index + 1,
        cents / 100,
        cents % 100,
        index % 5,
    );
    Entry { product_id, body }
}
