//! What is asked for: the members of a new entry, changes of one that is there, and whether an entry is as it was asked for.

use serde_json::Value;

use super::input;
use super::object::{self, Object};
use super::record::{CURRENCY, read_grants, read_price, read_time, write_time};
use crate::error::Error;
use crate::model::{Money, Product, ProductFields, ProductGrant, TexpoTimestamps};
use crate::remote::bounds;

/// The members of an entry that the documents have.
const DOCUMENTED: [&str; 11] = [
    "productId",
    "eventName",
    "eventStartDate",
    "eventEndDate",
    "ticketType",
    "ticketName",
    "ticketDescription",
    "price",
    "thumbnailId",
    "discount",
    "grants",
];

/// The members that a change names, as a JSON object.
///
/// # Errors
/// [`Error::Input`] naming `starts_at`, `ends_at`, `ticket_type`, `price`, `grants` or `more_json`.
pub fn changed_members(fields: &ProductFields, times: TexpoTimestamps) -> Result<String, Error> {
    Ok(changes(fields, times)?.to_string())
}

pub(super) fn changes(fields: &ProductFields, times: TexpoTimestamps) -> Result<Object, Error> {
    let mut object = Object::default();
    let mut set = |name: &str, json: Option<String>| json.into_iter().for_each(|json| object.set(name, json));
    let text = |value: &Option<String>| value.as_deref().map(object::text);
    let time = |field, value: Option<i64>| {
        let written = |unix_s| write_time(unix_s, times).ok_or_else(|| input(field, "beyond the calendar"));
        value.map(written).transpose()
    };
    set("eventName", text(&fields.event_name));
    set("eventStartDate", time("starts_at", fields.starts_at)?);
    set("eventEndDate", time("ends_at", fields.ends_at)?);
    if let Some(kind) = &fields.ticket_type {
        if !kind.is_possible() {
            return Err(input("ticket_type", "no day of such an event, or no text"));
        }
        set("ticketType", Some(object::text(&kind.to_text())));
    }
    set("ticketName", text(&fields.ticket_name));
    set("ticketDescription", text(&fields.ticket_description));
    set("price", fields.price.as_ref().map(price).transpose()?);
    set("thumbnailId", text(&fields.thumbnail_id));
    set("discount", text(&fields.discount));
    set("grants", fields.grants.as_deref().map(grants).transpose()?);
    if let Some(more) = &fields.more_json {
        let more = Object::read(more).filter(|_| bounds::check(more.as_bytes()).is_ok());
        object.take(&more.ok_or_else(|| input("more_json", "write the members as a JSON object"))?);
    }
    Ok(object)
}

/// Whether what was asked for of an entry is so that it can be sent.
///
/// # Errors
/// [`Error::Input`] naming `product_id`, `ends_at` or `more_json`.
pub(super) fn check(product_id: &str, asked: &Object, product: &Product) -> Result<(), Error> {
    if product_id.is_empty() {
        return Err(input("product_id", "must not be empty"));
    }
    if asked.get("productId").is_some_and(|id| id != object::text(product_id)) {
        return Err(input("more_json", "it names another productId"));
    }
    match (product.starts_at, product.ends_at) {
        (Some(starts_at), Some(ends_at)) if ends_at < starts_at => {
            Err(input("ends_at", "an event does not end before it starts"))
        }
        _ => Ok(()),
    }
}

/// A price as a JSON number with all its digits.
fn price(price: &Money) -> Result<String, Error> {
    if price.currency != CURRENCY {
        return Err(input("price", "prices are in USD here"));
    }
    if price.minor < 0 {
        return Err(input("price", "a price is 0 at least"));
    }
    Ok(price.major())
}

fn grants(grants: &[ProductGrant]) -> Result<String, Error> {
    let one = |grant: &ProductGrant| {
        if grant.role_id.is_empty() || grant.role_id.contains(':') || grant.kind.as_text().is_empty() {
            return Err(input("grants", "a grant has a kind, and the id of a role without a colon"));
        }
        let mut object = Object::default();
        object.set("grantType", object::text(grant.kind.as_text()));
        object.set("grantTarget", object::text(&grant.target()));
        Ok(object.to_string())
    };
    Ok(format!("[{}]", grants.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(",")))
}

/// Whether an entry has every member of a JSON object as it stands there: prices, times and grants by what they mean, other
/// numbers by their value, and objects with whatever else they have.
pub fn agrees(asked: &str, held: &str) -> bool {
    agree(asked, held, |_| true)
}

/// Whether an entry has every documented member of a JSON object as it stands there. A server need not keep others.
pub(super) fn shows(asked: &str, held: &str) -> bool {
    agree(asked, held, |name| DOCUMENTED.contains(&name))
}

fn agree(asked: &str, held: &str, counts: impl Fn(&str) -> bool) -> bool {
    let (Some(asked), Some(held)) = (Object::read(asked), Object::read(held)) else { return false };
    let mut asked = asked.all().filter(|(name, _)| counts(name));
    asked.all(|(name, asked)| held.get(name).is_some_and(|held| is_same(name, asked, held)))
}

fn is_same(name: &str, asked: &str, held: &str) -> bool {
    fn means<T: PartialEq>(read: impl Fn(&str) -> Option<T>, asked: &str, held: &str) -> bool {
        read(asked).is_some_and(|asked| read(held) == Some(asked))
    }
    let same_meaning = match name {
        "price" => means(read_price, asked, held),
        "eventStartDate" | "eventEndDate" => means(read_time, asked, held),
        "grants" => means(read_grants, asked, held),
        _ => false,
    };
    let values = || Some((serde_json::from_str(asked).ok()?, serde_json::from_str(held).ok()?));
    same_meaning || asked == held || values().is_some_and(|(asked, held)| is_alike(&asked, &held))
}

fn is_alike(asked: &Value, held: &Value) -> bool {
    match (asked, held) {
        (Value::Object(asked), Value::Object(held)) => {
            asked.iter().all(|(name, asked)| held.get(name).is_some_and(|held| is_alike(asked, held)))
        }
        (Value::Array(asked), Value::Array(held)) => {
            asked.len() == held.len() && asked.iter().zip(held).all(|(asked, held)| is_alike(asked, held))
        }
        (Value::Number(asked), Value::Number(held)) => asked == held || asked.as_f64() == held.as_f64(),
        _ => asked == held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GrantKind, ProductType};

    fn fields() -> ProductFields {
        ProductFields {
            event_name: Some("Expo".to_owned()),
            starts_at: Some(1_795_219_200),
            ends_at: Some(1_795_305_600),
            ticket_type: Some(ProductType::Days { day: 1, of: 3 }),
            ticket_name: Some("Day \"1\"".to_owned()),
            ticket_description: Some(String::new()),
            price: Some(Money { minor: 6410, currency: "USD".to_owned() }),
            thumbnail_id: Some("img-1".to_owned()),
            discount: Some("-10%".to_owned()),
            grants: Some(vec![ProductGrant::from_texts("userRole", "vip:hall-7")]),
            more_json: None,
        }
    }

    #[test]
    fn members_stand_in_the_documents_order_with_their_digits() {
        let written = changed_members(&fields(), TexpoTimestamps::UnixSeconds).unwrap();
        assert_eq!(
            written,
            r#"{"eventName":"Expo","eventStartDate":1795219200,"eventEndDate":1795305600,"ticketType":"days:1of3","ticketName":"Day \"1\"","ticketDescription":"","price":64.10,"thumbnailId":"img-1","discount":"-10%","grants":[{"grantType":"userRole","grantTarget":"vip:hall-7"}]}"#
        );
        let times = ProductFields { starts_at: Some(0), ..ProductFields::default() };
        for (form, json) in [
            (TexpoTimestamps::UnixSeconds, r#"{"eventStartDate":0}"#),
            (TexpoTimestamps::UnixMilliseconds, r#"{"eventStartDate":0}"#),
            (TexpoTimestamps::Iso, r#"{"eventStartDate":"1970-01-01T00:00:00Z"}"#),
        ] {
            assert_eq!(changed_members(&times, form).unwrap(), json);
        }
        let more = r#"{"price": 1.5000, "new": [ 12345678901234567890123 ]}"#.to_owned();
        let more = ProductFields { price: fields().price, more_json: Some(more), ..ProductFields::default() };
        let written = changed_members(&more, TexpoTimestamps::Iso).unwrap();
        assert_eq!(written, r#"{"price":1.5000,"new":[ 12345678901234567890123 ]}"#);
        assert_eq!(changed_members(&ProductFields::default(), TexpoTimestamps::Iso).unwrap(), "{}");
    }

    #[test]
    fn what_cannot_be_sent_names_its_field() {
        let none = ProductFields::default;
        let usd = |minor| Some(Money { minor, currency: "USD".to_owned() });
        let grant = |kind: &str, role: &str| ProductGrant {
            kind: GrantKind::from_text(kind),
            role_id: role.to_owned(),
            role_target: None,
        };
        for (fields, field) in [
            (ProductFields { price: usd(-1), ..none() }, "price"),
            (
                ProductFields { price: Some(Money { minor: 1, currency: "EUR".to_owned() }), ..none() },
                "price",
            ),
            (
                ProductFields { ticket_type: Some(ProductType::Days { day: 4, of: 3 }), ..none() },
                "ticket_type",
            ),
            (ProductFields { grants: Some(vec![grant("userRole", "a:b")]), ..none() }, "grants"),
            (ProductFields { grants: Some(vec![grant("", "a")]), ..none() }, "grants"),
            (ProductFields { grants: Some(vec![grant("userRole", "")]), ..none() }, "grants"),
            (ProductFields { more_json: Some("[]".to_owned()), ..none() }, "more_json"),
            (ProductFields { starts_at: Some(i64::MAX), ..none() }, "starts_at"),
            (ProductFields { ends_at: Some(i64::MIN), ..none() }, "ends_at"),
        ] {
            let found = changed_members(&fields, TexpoTimestamps::Iso).err();
            assert!(matches!(found, Some(Error::Input { field: f, .. }) if f == field), "{field}");
        }
        for (minor, json) in [(0, "0.00"), (7, "0.07"), (i64::MAX, "92233720368547758.07")] {
            let written =
                changed_members(&ProductFields { price: usd(minor), ..none() }, TexpoTimestamps::Iso);
            assert_eq!(written.unwrap(), format!("{{\"price\":{json}}}"));
        }
    }

    #[test]
    fn an_entry_is_as_asked_whatever_the_server_makes_of_its_text() {
        let asked = changed_members(&fields(), TexpoTimestamps::UnixSeconds).unwrap();
        let held = r#"{"added":1,"eventName":"Expo","eventStartDate":"2026-11-21T00:00:00.000Z","eventEndDate":1795305600000,
            "ticketType":"days:1of3","ticketName":"Day \u00221\"","ticketDescription":"","price":64.099999999999994,
            "thumbnailId":"img-1","discount":"-10%","grants":[{"id":1,"grantTarget":"vip:hall-7","grantType":"userRole"}]}"#;
        assert!(agrees(&asked, held) && agrees(&asked, &asked) && agrees("{}", held));
        assert!(!agrees(held, &asked), "it has a member more");
        for (from, to) in [
            ("64.099999999999994", "64.11"),
            ("1795305600000", "1795305601000"),
            ("hall-7", "hall-8"),
            ("\"discount\":\"-10%\",", ""),
        ] {
            assert!(!agrees(&asked, &held.replace(from, to)), "{from}");
        }
        assert!(agrees(r#"{"a":{"b":[1.0]}}"#, r#"{"a":{"c":2,"b":[1]}}"#));
        assert!(!agrees(r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[1,2]}}"#) && !agrees("[]", "[]"));
    }
}
