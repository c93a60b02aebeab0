//! Records as they came, their text untouched, so that no number, name or order in them is lost.

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::Bam;
use crate::error::Error;
use crate::remote::bounds::Gathering;
use crate::remote::{Reply, Request, Session};

/// Records asked for at once.
const PAGE: usize = 100;

/// A list of records.
pub(super) struct Records {
    pub(super) items: Vec<Box<RawValue>>,
    /// How many there are in all; `None` when the reply does not say.
    pub(super) total: Option<i64>,
}

/// What lists and answers are wrapped in.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    tickets: Option<&'a RawValue>,
    #[serde(borrow)]
    paging: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Paging<'a> {
    #[serde(borrow)]
    total: &'a RawValue,
}

impl Bam {
    /// Goes through a list page by page: each record is handed to `take`, which says whether it is one.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`]; [`Error::Reply`] for what is no list or no record, and for a list that ends
    /// before its total or goes beyond [`Gathering`]'s bounds.
    pub(super) async fn every_record(
        &self,
        session: &Session,
        (mut url, query, endpoint): (Url, &str, &'static str),
        mut take: impl FnMut(&RawValue) -> bool,
    ) -> Result<(), Error> {
        let (mut offset, mut gathering) = (0, Gathering::of(endpoint));
        loop {
            let asked = format!("{query}&limit={PAGE}&offset={offset}");
            url.set_query(Some(asked.trim_start_matches('&')));
            let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
            gathering.add(reply.bytes().len())?;
            let Records { items, total } = records(&reply)?;
            offset += items.len();
            if let Some(index) = items.iter().position(|item| !take(item)) {
                return Err(reply.unreadable(&format!("data[{index}].id")));
            }
            if total.is_none_or(|total| usize::try_from(total).is_ok_and(|total| offset >= total)) {
                return Ok(());
            }
            if items.is_empty() {
                return Err(reply.unreadable("paging.total"));
            }
        }
    }
}

/// The records of a reply: `{"data": [...]}` with or without `paging`, `{"data": {"tickets": [...]}}`,
/// `{"tickets": [...]}`, or the bare list.
///
/// # Errors
/// [`Error::Status`] for any status but 2xx, [`Error::Reply`] when there is no list.
pub(super) fn records(reply: &Reply) -> Result<Records, Error> {
    let body: Box<RawValue> = reply.json()?;
    let (items, total) = list(body.get(), 2).ok_or_else(|| reply.unreadable("data"))?;
    Ok(Records { items: items.into_iter().map(ToOwned::to_owned).collect(), total })
}

/// The one record of a reply: `{"data": {...}}`.
///
/// # Errors
/// As [`records`].
pub(super) fn record(reply: &Reply) -> Result<Box<RawValue>, Error> {
    let body: Box<RawValue> = reply.json()?;
    let envelope: Option<Envelope<'_>> = serde_json::from_str(body.get()).ok();
    let data = envelope.and_then(|envelope| envelope.data).ok_or_else(|| reply.unreadable("data"))?;
    Ok(data.to_owned())
}

fn list(json: &str, wrappings: u8) -> Option<(Vec<&RawValue>, Option<i64>)> {
    if json.starts_with('[') {
        return Some((serde_json::from_str(json).ok()?, None));
    }
    let envelope: Envelope<'_> = serde_json::from_str(json).ok()?;
    let inside = envelope.data.or(envelope.tickets).filter(|_| wrappings > 0)?;
    let (items, inner_total) = list(inside.get(), wrappings - 1)?;
    Some((items, envelope.paging.and_then(total).or(inner_total)))
}

/// `paging.total`, a number or a text of digits.
fn total(paging: &RawValue) -> Option<i64> {
    let Paging { total } = serde_json::from_str(paging.get()).ok()?;
    total.get().trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Option<(Vec<String>, Option<i64>)> {
        let (items, total) = list(json, 2)?;
        Some((items.into_iter().map(|item| item.get().to_owned()).collect(), total))
    }

    #[test]
    fn every_wrapping_of_a_list_is_read() {
        for (json, total) in [
            (r#"[{"id":1.10}, 2]"#, None),
            (r#"{"data":[{"id":1.10}, 2]}"#, None),
            (r#"{"data": [ {"id":1.10},2 ] ,"paging":{"limit":2,"offset":0,"total":7}}"#, Some(7)),
            (r#"{"data":[{"id":1.10},2],"paging":{"total":"7"}}"#, Some(7)),
            (r#"{"data":[{"id":1.10},2],"paging":{"total":[7]}}"#, None),
            (r#"{"data":[{"id":1.10},2],"paging":null}"#, None),
            (r#"{"tickets":[{"id":1.10},2],"more":true}"#, None),
            (r#"{"data":{"tickets":[{"id":1.10},2]}}"#, None),
            (r#"{"data":{"data":[{"id":1.10},2],"paging":{"total":7}}}"#, Some(7)),
        ] {
            let (items, found) = read(json).unwrap_or_else(|| panic!("{json}"));
            assert_eq!((items, found), (vec![r#"{"id":1.10}"#.to_owned(), "2".to_owned()], total), "{json}");
        }
        for json in
            ["", "null", "7", "{}", r#"{"data":null}"#, r#"{"data":7}"#, r#"{"data":{"data":{"data":[]}}}"#]
        {
            assert!(read(json).is_none(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]{}\",:\\\\a1]{0,40}") {
            let _ = read(&text);
        }
    }
}
