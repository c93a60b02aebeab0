//! What an organiser asks for, checked before anything is sent.

use serde_json::{Value, json};

use crate::error::Error;
use crate::model::{BamIdsForm, GroupOrder, Reservation, ReservationItem};

/// Where the vendor's SDK has the tenant's other calls.
const DEFAULT_PREFIX: &str = "event/v1";
const DEFAULT_IDS_FIELD: &str = "ids";

pub(super) fn reserve_body(order: &Reservation) -> Result<Value, Error> {
    let owner = plain(&order.owner_enrollment_id, "owner_enrollment_id")?;
    let items = items(&order.items)?;
    Ok(json!({
        "event_id": positive(order.event_id, "event_id")?,
        "owner_id": owner,
        "format": plain(&order.format, "format")?,
        "ticket_reservation_items": items,
    }))
}

pub(super) fn group_body(order: &GroupOrder) -> Result<Value, Error> {
    if order.owner_emails.is_empty() {
        return Err(refused("owner_emails", "one address at least"));
    }
    if !order.owner_emails.iter().all(|address| is_address(address)) {
        return Err(refused("owner_emails", "an e-mail address is written like name@example.org"));
    }
    let mut body = json!({
        "event_id": positive(order.event_id, "event_id")?,
        "format": plain(&order.format, "format")?,
        "send_ticket_items": items(&order.items)?,
        "owner_emails": order.owner_emails,
    });
    if let Some(note) = &order.note {
        body["note"] = note.as_str().into();
    }
    Ok(body)
}

fn items(items: &[ReservationItem]) -> Result<Vec<Value>, Error> {
    if items.is_empty() {
        return Err(refused("items", "one item at least"));
    }
    items.iter().map(item).collect()
}

fn item(item: &ReservationItem) -> Result<Value, Error> {
    if item.quantity == 0 {
        return Err(refused("quantity", "one ticket at least"));
    }
    let mut body = json!({
        "ticket_config_id": positive(item.ticket_config_id, "ticket_config_id")?,
        "quantity": item.quantity,
    });
    for (name, id) in [("timeslot_id", item.timeslot_id), ("sector_id", item.sector_id)] {
        if let Some(id) = id {
            body[name] = positive(id, name)?.into();
        }
    }
    Ok(body)
}

pub(super) fn ids_body((form, field): (BamIdsForm, &str), ids: &[String]) -> Result<Value, Error> {
    if ids.is_empty() {
        return Err(refused("ids", "one ticket at least"));
    }
    let sent = ids.iter().map(|id| plain(id, "ids").map(id_value)).collect::<Result<Vec<_>, _>>()?;
    if (1..ids.len()).any(|at| ids[..at].contains(&ids[at])) {
        return Err(refused("ids", "a ticket is named twice"));
    }
    let one = |id: &Value| json!({ "id": id });
    match (form, sent.as_slice()) {
        (BamIdsForm::Member, _) => Ok(json!({ field: sent })),
        (BamIdsForm::List, _) => Ok(sent.into()),
        (BamIdsForm::Objects, _) => Ok(json!({ field: sent.iter().map(one).collect::<Vec<_>>() })),
        (BamIdsForm::Single, [id]) => Ok(json!({ field: id })),
        (BamIdsForm::Single, _) => Err(refused("ids", "this server takes one ticket at a time")),
    }
}

/// An id as it is sent: a number where it is written like one.
pub(in crate::remote::bam) fn id_value(id: &str) -> Value {
    id.parse::<u64>().ok().filter(|number| number.to_string() == id).map_or_else(|| id.into(), Value::from)
}

fn positive(id: i64, field: &'static str) -> Result<i64, Error> {
    if id > 0 { Ok(id) } else { Err(refused(field, "an id is a positive number")) }
}

/// A text that can be an id or a name of the system's own.
fn plain<'a>(text: &'a str, field: &'static str) -> Result<&'a str, Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if text.is_empty() || text.len() > 128 || !text.chars().all(is_plain) {
        return Err(refused(field, "letters, digits, - _ . and : only, 128 at most"));
    }
    Ok(text)
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn refused(field: &'static str, reason: &str) -> Error {
    Error::Input { field, reason: reason.to_owned() }
}

/// What stands before `ticket/reserve`: nothing, or a path that ends in a slash.
///
/// # Errors
/// [`Error::Input`] naming `organizer_prefix`.
pub(in super::super) fn prefix(configured: Option<&str>) -> Result<String, Error> {
    let path = configured.unwrap_or(DEFAULT_PREFIX).trim_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let is_segment = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(is_plain);
    if path.is_empty() {
        Ok(String::new())
    } else if path.split('/').all(is_segment) {
        Ok(format!("{path}/"))
    } else {
        Err(refused("organizer_prefix", "a path such as event/v1"))
    }
}

/// The member that holds the ids.
///
/// # Errors
/// [`Error::Input`] naming `ids_field`.
pub(in super::super) fn ids_field(configured: Option<String>) -> Result<String, Error> {
    let field = configured.unwrap_or_else(|| DEFAULT_IDS_FIELD.to_owned());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if field.is_empty() || field.len() > 64 || !field.chars().all(is_plain) {
        return Err(refused("ids_field", "a name such as ids"));
    }
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tickets(quantity: u32) -> ReservationItem {
        ReservationItem { ticket_config_id: 21, quantity, timeslot_id: None, sector_id: None }
    }

    fn reservation() -> Reservation {
        Reservation {
            tenant: None,
            event_id: 11,
            owner_enrollment_id: "5f0e9f1c-7d0b-4f7e-9a55-0d7c2f6c1b11".to_owned(),
            format: "SECURE".to_owned(),
            items: vec![
                ReservationItem { timeslot_id: Some(31), sector_id: Some(41), ..tickets(2) },
                tickets(1),
            ],
        }
    }

    fn group() -> GroupOrder {
        GroupOrder {
            tenant: None,
            event_id: 11,
            format: "PDF".to_owned(),
            items: vec![tickets(1)],
            note: Some("Bis bald".to_owned()),
            owner_emails: vec!["mira@example.org".to_owned()],
        }
    }

    fn field(refused: Result<Value, Error>) -> &'static str {
        match refused {
            Err(Error::Input { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_have_the_documented_members() {
        assert_eq!(
            reserve_body(&reservation()).unwrap(),
            json!({
                "event_id": 11, "owner_id": "5f0e9f1c-7d0b-4f7e-9a55-0d7c2f6c1b11", "format": "SECURE",
                "ticket_reservation_items": [
                    { "ticket_config_id": 21, "quantity": 2, "timeslot_id": 31, "sector_id": 41 },
                    { "ticket_config_id": 21, "quantity": 1 },
                ],
            })
        );
        assert_eq!(
            group_body(&group()).unwrap(),
            json!({
                "event_id": 11, "format": "PDF", "owner_emails": ["mira@example.org"], "note": "Bis bald",
                "send_ticket_items": [{ "ticket_config_id": 21, "quantity": 1 }],
            })
        );
        let ids = ["17", "018", "x-19", "18446744073709551616"].map(str::to_owned);
        let body = ids_body((BamIdsForm::Member, "ticket_ids"), &ids).unwrap();
        assert_eq!(body, json!({ "ticket_ids": [17, "018", "x-19", "18446744073709551616"] }));
        let body = |form, count| ids_body((form, "tickets"), &ids[..count]);
        assert_eq!(body(BamIdsForm::List, 2).unwrap(), json!([17, "018"]));
        assert_eq!(
            body(BamIdsForm::Objects, 2).unwrap(),
            json!({ "tickets": [{ "id": 17 }, { "id": "018" }] })
        );
        assert_eq!(body(BamIdsForm::Single, 1).unwrap(), json!({ "tickets": 17 }));
        assert_eq!(field(body(BamIdsForm::Single, 2)), "ids");
    }

    #[test]
    fn what_cannot_be_asked_for_names_its_member() {
        let with = |change: &dyn Fn(&mut Reservation)| {
            let mut order = reservation();
            change(&mut order);
            field(reserve_body(&order))
        };
        assert_eq!(with(&|order| order.event_id = 0), "event_id");
        assert_eq!(with(&|order| order.owner_enrollment_id.clear()), "owner_enrollment_id");
        assert_eq!(with(&|order| order.owner_enrollment_id = "a b".to_owned()), "owner_enrollment_id");
        assert_eq!(with(&|order| order.format = "PDF\"".to_owned()), "format");
        assert_eq!(with(&|order| order.items.clear()), "items");
        assert_eq!(with(&|order| order.items[1].quantity = 0), "quantity");
        assert_eq!(with(&|order| order.items[0].ticket_config_id = -1), "ticket_config_id");
        assert_eq!(with(&|order| order.items[0].timeslot_id = Some(0)), "timeslot_id");
        assert_eq!(with(&|order| order.items[0].sector_id = Some(-4)), "sector_id");
        for addresses in [vec![], vec!["mira"], vec!["@example.org"], vec!["mira@"], vec!["a@b", "a b@c"]] {
            let owner_emails = addresses.into_iter().map(str::to_owned).collect();
            assert_eq!(field(group_body(&GroupOrder { owner_emails, ..group() })), "owner_emails");
        }
        for ids in [vec![], vec![""], vec!["1", "2", "1"], vec!["1/2"], vec!["a\n"], vec!["é"]] {
            assert_eq!(
                field(ids_body(
                    (BamIdsForm::Member, "ids"),
                    &ids.into_iter().map(str::to_owned).collect::<Vec<_>>()
                )),
                "ids"
            );
        }
    }

    #[test]
    fn prefix_and_member_are_checked_when_they_are_configured() {
        for (configured, expected) in [
            (None, "event/v1/"),
            (Some("v1"), "v1/"),
            (Some("/event/v1/"), "event/v1/"),
            (Some(""), ""),
            (Some("/"), ""),
        ] {
            assert_eq!(prefix(configured).unwrap(), expected);
        }
        for bad in ["a//b", "..", "a/../b", "a?b", "a#b", "https://elsewhere.example", "a b", "%2e%2e"] {
            assert!(
                matches!(prefix(Some(bad)), Err(Error::Input { field: "organizer_prefix", .. })),
                "{bad}"
            );
        }
        assert_eq!(ids_field(None).unwrap(), "ids");
        assert_eq!(ids_field(Some("ticket_ids".to_owned())).unwrap(), "ticket_ids");
        for bad in ["", "a b", "a\"", "\u{e9}"] {
            let refused = ids_field(Some(bad.to_owned()));
            assert!(matches!(refused, Err(Error::Input { field: "ids_field", .. })), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_id_comes_back_as_it_was_written(id in "[a-zA-Z0-9._:-]{1,30}", number: u64) {
            for id in [id, number.to_string(), format!("0{number}")] {
                let body = ids_body((BamIdsForm::Member, "ids"), std::slice::from_ref(&id)).unwrap();
                let sent = &body["ids"][0];
                prop_assert_eq!(sent.as_str().map_or_else(|| sent.to_string(), str::to_owned), id);
            }
        }
    }
}
