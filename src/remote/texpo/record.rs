//! Entries of the catalogue and purchased tickets as they travel: what is typed of them, and the whole record as it was
//! written.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};

use super::{object, price};
use crate::model::{Money, Product, ProductGrant, ProductType, TexpoTimestamps};
use crate::remote::bounds;
use crate::remote::unidy::raw::{self, Members};

/// Every price is in this currency (the vendor's documents).
pub(super) const CURRENCY: &str = "USD";

/// Numbers from here on are milliseconds: as seconds they are the year 5138, as milliseconds 1973.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// A ticket that somebody bought: an entry of the catalogue with whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct PurchasedTicket {
    /// Opaque.
    pub ticket_id: String,
    /// Whose it is; opaque.
    pub user_id: Option<String>,
    /// When it was bought, Unix seconds.
    pub purchased_at: Option<i64>,
    /// What was bought, and the whole record; its product id is empty where the record has none.
    pub product: Product,
}

opaque_debug!(PurchasedTicket);

impl PurchasedTicket {
    /// Reads a record. `None` when it is no object, has no `ticketId`, or is beyond the bounds of replies.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let ticket_id = members.label("ticketId").filter(|id| !id.is_empty())?;
        let product_id = members.label("productId").unwrap_or_default();
        Some(Self {
            ticket_id,
            user_id: members.label("userId"),
            purchased_at: members.raw("purchaseDate").and_then(read_time),
            product: product(&members, product_id, record),
        })
    }
}

/// Reads an entry of the catalogue. `None` when it is no object, has no `productId`, or is beyond the bounds of replies.
pub fn read_product(record: &str) -> Option<Product> {
    let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
    let product_id = members.label("productId").filter(|id| !id.is_empty())?;
    Some(product(&members, product_id, record))
}

fn product(members: &Members<'_>, product_id: String, record: &str) -> Product {
    let time = |name| members.raw(name).and_then(read_time);
    Product {
        product_id,
        event_name: members.text("eventName"),
        starts_at: time("eventStartDate"),
        ends_at: time("eventEndDate"),
        ticket_type: members.text("ticketType").map(|text| ProductType::from_text(&text)),
        ticket_name: members.text("ticketName"),
        ticket_description: members.text("ticketDescription"),
        price: members.raw("price").and_then(read_price),
        thumbnail_id: members.label("thumbnailId"),
        discount: members.label("discount"),
        grants: members.raw("grants").and_then(read_grants).unwrap_or_default(),
        body_json: record.to_owned(),
    }
}

/// A price, a number or a text of one; see [`super::price`].
pub(super) fn read_price(json: &str) -> Option<Money> {
    price::parse(&raw::label(json)?, CURRENCY).ok()
}

/// Grants; one that is no object with a text for a kind and for a target is left out.
pub(super) fn read_grants(json: &str) -> Option<Vec<ProductGrant>> {
    let grant = |json: &str| {
        let grant = Members::read(json)?;
        Some(ProductGrant::from_texts(&grant.text("grantType")?, &grant.text("grantTarget")?))
    };
    Some(raw::items(json)?.into_iter().filter_map(grant).collect())
}

/// A time as JSON, as Unix seconds: a number of seconds or, from 100,000,000,000 on, of milliseconds; a text of such a
/// number; RFC 3339; a day with or without a time of day, in UTC. Fractions of a second are cut off.
pub fn read_time(json: &str) -> Option<i64> {
    let text = raw::label(json)?;
    let text = text.trim();
    if let Some(number) = whole_number(text) {
        let is_seconds = number.unsigned_abs() < FIRST_MILLISECONDS.unsigned_abs();
        return Some(if is_seconds { number } else { number.div_euclid(1000) });
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp());
    }
    let zoneless = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let time = zoneless.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    time.or_else(day).map(|time| time.and_utc().timestamp())
}

/// A number as JSON writes it, without its fraction.
fn whole_number(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let digits = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number: f64 = Some(text).filter(|text| text.chars().all(digits))?.parse().ok()?;
    // Far beyond any date, and far within what a float and 64 bits tell exactly.
    (number.abs() < 1e15).then_some(number.floor() as i64)
}

/// A time as JSON in the configured form; `None` beyond the calendar.
pub(super) fn write_time(unix_s: i64, form: TexpoTimestamps) -> Option<String> {
    Some(match form {
        TexpoTimestamps::UnixSeconds => unix_s.to_string(),
        TexpoTimestamps::UnixMilliseconds => unix_s.checked_mul(1000)?.to_string(),
        TexpoTimestamps::Iso => {
            let time = DateTime::from_timestamp(unix_s, 0)?;
            object::text(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOME_DAY: i64 = 1_795_219_200;

    #[test]
    fn a_time_is_read_in_each_of_its_forms() {
        for json in [
            "1795219200",
            "1795219200.9",
            "1795219200000",
            "1795219200999",
            "1.7952192e9",
            "1.7952192e12",
            "\"1795219200\"",
            "\" 1795219200000 \"",
            "\"2026-11-21T00:00:00Z\"",
            "\"2026-11-21T01:00:00.123+01:00\"",
            "\"2026-11-21T00:00:00\"",
            "\"2026-11-21T00:00:00.5\"",
            "\"2026-11-21 00:00:00\"",
            "\"2026-11-21 00:00\"",
            "\"2026-11-21\"",
        ] {
            assert_eq!(read_time(json), Some(SOME_DAY), "{json}");
        }
        assert_eq!((read_time("0"), read_time("-1")), (Some(0), Some(-1)));
        assert_eq!(read_time("-100000000000"), Some(-100_000_000));
        for none in [
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "\"soon\"",
            "\"21.11.2026\"",
            "\"2026-13-01\"",
            "1e300",
            "\"inf\"",
        ] {
            assert_eq!(read_time(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(unix_s in 200_000_000_i64..99_999_999_999) {
            use TexpoTimestamps as T;
            for form in [T::UnixSeconds, T::UnixMilliseconds, T::Iso] {
                prop_assert_eq!(read_time(&write_time(unix_s, form).unwrap()), Some(unix_s));
            }
        }

        #[test]
        fn no_text_is_too_much(text in any::<String>(), number in any::<f64>(), unix_s: i64) {
            let _ = (read_time(&text), read_time(&object::text(&text)), read_time(&number.to_string()));
            let _ = write_time(unix_s, TexpoTimestamps::Iso);
        }
    }
}
