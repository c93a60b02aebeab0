//! What a list of tickets can be asked for.

use super::raw::Members;
use super::record::UnidyTicket;
pub use crate::model::{UnidyOrder, UnidyTicketQuery};

/// The largest page.
pub const MAX_LIMIT: u32 = 250;

impl UnidyTicketQuery {
    /// The query string, percent-encoded; parameters that say nothing are left out. A page below 1 is 1, and a limit
    /// beyond what the server takes is the nearest that it takes.
    pub fn to_query(&self) -> String {
        let encode = |text: &String| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let direction = self.descending.map(|descending| if descending { "desc" } else { "asc" });
        let pairs = [
            ("page", self.page.map(|page| page.max(1).to_string())),
            ("limit", self.limit.map(|limit| limit.clamp(1, MAX_LIMIT).to_string())),
            ("state", self.state.as_ref().map(encode)),
            ("payment_state", self.payment_state.as_ref().map(encode)),
            ("order_by", self.order_by.map(|order| order.as_text().to_owned())),
            ("order_direction", direction.map(str::to_owned)),
            ("service_id", self.service_id.map(|id| id.to_string())),
            ("ticket_category_id", self.ticket_category_id.as_ref().map(encode)),
            ("user_id", self.user_id.as_ref().map(encode)),
        ];
        let present =
            pairs.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
        present.collect::<Vec<_>>().join("&")
    }
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageMeta {
    /// Tickets in all.
    pub count: Option<i64>,
    /// This page, counted from 1.
    pub page: Option<i64>,
    /// Tickets on a page.
    pub limit: Option<i64>,
    /// The last page.
    pub last: Option<i64>,
    /// The page before.
    pub prev: Option<i64>,
    /// The page after.
    pub next: Option<i64>,
}

/// One page of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyTicketPage {
    /// The tickets.
    pub tickets: Vec<UnidyTicket>,
    /// Where the page stands; `None` when the server does not say.
    pub meta: Option<PageMeta>,
    /// How many were asked for.
    pub asked: Option<u32>,
}

opaque_debug!(UnidyTicketPage);

impl UnidyTicketPage {
    /// Whether nothing comes after it, by the pages or the count that the server tells. Where it tells neither, a page that is
    /// just as long as was asked for may have another after it: a longer one is the whole list, and a shorter one its end.
    pub fn is_last(&self) -> bool {
        let as_asked =
            self.asked.is_some_and(|asked| usize::try_from(asked).is_ok_and(|n| n == self.tickets.len()));
        self.meta.and_then(PageMeta::ends).unwrap_or(!as_asked)
    }
}

impl PageMeta {
    /// Whether no page comes after it; `None` where it tells neither the next page, nor the last, nor how many there are.
    pub fn ends(self) -> Option<bool> {
        let counted = || Some(self.page?.max(1).saturating_mul(self.limit?.max(1)) >= self.count?);
        match (self.next, self.last, self.page) {
            (Some(_), ..) => Some(false),
            (None, Some(last), Some(page)) => Some(page >= last),
            _ => counted(),
        }
    }
}

/// The records of a list, in any of the three forms in which one comes: `{"meta": …, "results": […]}`, an object with the
/// list under the resource's name, or the list alone. `None` for anything else.
pub(super) fn list<'a>(json: &'a str, resource: &str) -> Option<(Vec<&'a str>, Option<PageMeta>)> {
    if let Some(items) = super::raw::items(json) {
        return Some((items, None));
    }
    let members = Members::read(json)?;
    let named = ["results", resource].into_iter().find_map(|name| members.raw(name));
    let meta = members.object("meta").map(|meta| PageMeta {
        count: meta.number("count"),
        page: meta.number("page"),
        limit: meta.number("limit"),
        last: meta.number("last"),
        prev: meta.number("prev"),
        next: meta.number("next"),
    });
    Some((super::raw::items(named?)?, meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_every_documented_parameter() {
        let query = UnidyTicketQuery {
            page: Some(2),
            limit: Some(250),
            state: Some("active".to_owned()),
            payment_state: Some("not payed".to_owned()),
            order_by: Some(UnidyOrder::StartsAt),
            descending: Some(true),
            service_id: Some(7),
            ticket_category_id: Some("ca97/x&y".to_owned()),
            user_id: Some("u".to_owned()),
        };
        assert_eq!(
            query.to_query(),
            "page=2&limit=250&state=active&payment_state=not%20payed&order_by=starts_at&order_direction=desc\
             &service_id=7&ticket_category_id=ca97%2Fx%26y&user_id=u"
        );
        assert_eq!(UnidyTicketQuery::default().to_query(), "");
        let odd = UnidyTicketQuery { page: Some(0), limit: Some(9000), ..UnidyTicketQuery::default() };
        assert_eq!(odd.to_query(), "page=1&limit=250");
    }

    #[test]
    fn lists_come_in_three_forms() {
        let meta = PageMeta {
            count: Some(3),
            page: Some(1),
            limit: Some(2),
            last: Some(2),
            prev: None,
            next: Some(2),
        };
        let paged = r#"{"meta": {"count": 3, "page": 1, "limit": "2", "last": 2, "prev": null, "next": 2},
            "results": [{"id": 1}, 2]}"#;
        assert_eq!(list(paged, "tickets"), Some((vec![r#"{"id": 1}"#, "2"], Some(meta))));
        assert_eq!(list(r#"{"tickets": [1]}"#, "tickets"), Some((vec!["1"], None)));
        assert_eq!(list(" [1 , 2]", "tickets"), Some((vec!["1", "2"], None)));
        for none in ["{}", r#"{"tickets": {}}"#, r#"{"other": []}"#, "7", "null", ""] {
            assert_eq!(list(none, "tickets"), None, "{none}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = |meta| UnidyTicketPage { tickets: Vec::new(), meta, asked: None }.is_last();
        let at = |page, last, next| Some(PageMeta { page, last, next, ..PageMeta::default() });
        assert!(page(None) && page(at(None, None, None)) && page(at(Some(2), Some(2), None)));
        assert!(!page(at(Some(1), Some(2), None)) && !page(at(Some(1), None, Some(2))));
        let of = |ids: &[&str]| {
            let tickets =
                ids.iter().filter_map(|id| UnidyTicket::read(&format!("{{\"id\": {id}}}"))).collect();
            UnidyTicketPage { tickets, meta: None, asked: Some(2) }.is_last()
        };
        assert!(of(&["1"]) && !of(&["1", "2"]) && of(&["1", "2", "3"]));
        // Without a next page or a last one, the count tells.
        let counted =
            |page, count| PageMeta { page: Some(page), limit: Some(25), count, ..PageMeta::default() };
        let ends =
            [(1, Some(26)), (2, Some(26)), (1, Some(25)), (1, None)].map(|(page, n)| counted(page, n).ends());
        assert_eq!(ends, [Some(false), Some(true), Some(true), None]);
    }
}
