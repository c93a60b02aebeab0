//! The change feed: which tickets of the signed-in user have changed since a cursor.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Extension;
use crate::error::Error;
use crate::remote::address::join;
use crate::remote::bounds::MAX_TAG_BYTES;
use crate::remote::{Http, Refresh, Request, Session};

/// One change.
#[derive(Clone)]
pub enum FeedItem {
    /// A ticket as it is now: the system's record as it came.
    Ticket(Box<RawValue>),
    /// A ticket that is gone.
    Gone {
        /// The system's ticket id.
        id: String,
        /// Its organizer, where ids are each tenant's own.
        organizer_id: Option<i64>,
    },
}

/// One page of changes.
#[derive(Clone)]
pub struct FeedPage {
    /// The changes, oldest first.
    pub items: Vec<FeedItem>,
    /// Where the next page begins.
    pub cursor: String,
    /// Whether there is more by now.
    pub more: bool,
}

opaque_debug!(FeedItem, FeedPage);

#[derive(Deserialize)]
struct Body {
    items: Vec<Box<RawValue>>,
    cursor: String,
    #[serde(default)]
    more: bool,
}

impl Extension {
    /// A page of the feed: `GET /tickets`. `None` when the cursor is too old, and all must be asked for anew.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn changes(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<FeedPage>, Error> {
        let mut url = join(&self.base, "tickets")?;
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let reply = session.send(http, system, || Request::get(url.clone(), "GET /tickets")).await?;
        if reply.status == 410 && cursor.is_some() {
            return Ok(None);
        }
        let Body { items, cursor, more } = reply.json()?;
        if cursor.len() > MAX_TAG_BYTES {
            return Err(reply.unreadable("cursor"));
        }
        let items = items.into_iter().enumerate().map(|(index, item)| {
            FeedItem::read(item).ok_or_else(|| reply.unreadable(&format!("items[{index}].id")))
        });
        Ok(Some(FeedPage { items: items.collect::<Result<_, _>>()?, cursor, more }))
    }
}

/// What tells a ticket that is gone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head<'a> {
    #[serde(borrow)]
    deleted: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    organizer_id: Option<&'a RawValue>,
}

impl FeedItem {
    fn read(item: Box<RawValue>) -> Option<Self> {
        // serde would read a list as well, by position.
        let object = Some(item.get()).filter(|json| json.starts_with('{'));
        let head: Head<'_> = object.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        if head.deleted.map(RawValue::get) != Some("true") {
            return Some(Self::Ticket(item));
        }
        let id = head.id?.get();
        let number = id.starts_with(|c: char| c.is_ascii_digit()).then(|| id.to_owned());
        let id = number.or_else(|| serde_json::from_str(id).ok())?;
        Some(Self::Gone { id, organizer_id: head.organizer_id.and_then(|id| id.get().parse().ok()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<FeedItem> {
        FeedItem::read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_ticket_keeps_its_text_and_a_gone_one_its_id() {
        for json in
            [r#"{"id":1,"price":12345678901234567890123.10}"#, r#"{"deleted":false}"#, "7", "[true,7]"]
        {
            assert!(matches!(read(json), Some(FeedItem::Ticket(record)) if record.get() == json), "{json}");
        }
        for (json, gone, organizer) in [
            (r#"{"deleted":true,"id":17,"organizer_id":101}"#, "17", Some(101)),
            (r#"{"deleted":true,"id":"a-1","organizer_id":null}"#, "a-1", None),
        ] {
            let Some(FeedItem::Gone { id, organizer_id }) = read(json) else { panic!("{json}") };
            assert_eq!((id.as_str(), organizer_id), (gone, organizer));
        }
        for json in [r#"{"deleted":true}"#, r#"{"deleted":true,"id":[1]}"#, r#"{"deleted":true,"id":null}"#] {
            assert!(read(json).is_none(), "{json}");
        }
    }
}
