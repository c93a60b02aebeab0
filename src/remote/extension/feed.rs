//! The change feed: which tickets of the signed-in user have changed since a cursor.

use serde::Deserialize;
use serde_json::Value;

use super::Extension;
use crate::error::Error;
use crate::remote::address::join;
use crate::remote::bounds::MAX_TAG_BYTES;
use crate::remote::{Http, Refresh, Request, Session};

/// One change.
#[derive(Clone, PartialEq)]
pub enum FeedItem {
    /// A ticket as it is now: the system's record.
    Ticket(Value),
    /// A ticket that is gone.
    Gone {
        /// The system's ticket id.
        id: String,
        /// Its organizer, where ids are each tenant's own.
        organizer_id: Option<i64>,
    },
}

/// One page of changes.
#[derive(Clone, PartialEq)]
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
    items: Vec<Value>,
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

impl FeedItem {
    fn read(item: Value) -> Option<Self> {
        if item.get("deleted").and_then(Value::as_bool) != Some(true) {
            return Some(Self::Ticket(item));
        }
        let id = match item.get("id")? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(Self::Gone { id, organizer_id: item.get("organizer_id").and_then(Value::as_i64) })
    }
}
