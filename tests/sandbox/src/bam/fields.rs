//! Reading the bodies of requests member by member; what is wrong is told by its name.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use serde_json::{Map, Value};

use super::BamError;

/// A JSON body as it was sent.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

/// 400: the body is not JSON of the right shape.
pub(super) fn unreadable(_: JsonRejection) -> BamError {
    BamError::bad_parameter("body")
}

/// The members of an object.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    members: &'a Map<String, Value>,
    /// Where the object stands in the body: empty, or with the dot that a member's name follows.
    at: String,
    /// Whether ids may be strings.
    string_ids: bool,
}

impl<'a> Fields<'a> {
    /// The members of a body.
    pub(super) fn of_body(body: &'a Value, string_ids: bool) -> Result<Self, BamError> {
        let members = body.as_object().ok_or_else(|| BamError::invalid("body"))?;
        Ok(Self { members, at: String::new(), string_ids })
    }

    /// An id.
    pub(super) fn id(&self, name: &str) -> Result<i64, BamError> {
        self.optional_id(name)?.ok_or_else(|| self.invalid(name))
    }

    /// An id that may be left out, or null.
    pub(super) fn optional_id(&self, name: &str) -> Result<Option<i64>, BamError> {
        self.given(name).map(|value| self.to_id(value).ok_or_else(|| self.invalid(name))).transpose()
    }

    /// One id or more, each of them once.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<i64>, BamError> {
        let ids: Option<Vec<_>> = self.array(name)?.iter().map(|value| self.to_id(value)).collect();
        let mut ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(|| self.invalid(name))?;
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() == count { Ok(ids) } else { Err(self.invalid(name)) }
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, BamError> {
        let text = self.given(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| self.invalid(name))
    }

    /// One of several texts.
    pub(super) fn choice(&self, name: &str, choices: &[&str]) -> Result<&'a str, BamError> {
        let text = self.text(name)?;
        if choices.contains(&text) { Ok(text) } else { Err(self.invalid(name)) }
    }

    /// A number of things, one at least.
    pub(super) fn quantity(&self, name: &str) -> Result<u32, BamError> {
        let number = self.given(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number > 0).ok_or_else(|| self.invalid(name))
    }

    /// One object or more.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, BamError> {
        let items = self.array(name)?;
        if items.is_empty() {
            return Err(self.invalid(name));
        }
        let object = |(index, item): (usize, &'a Value)| {
            let at = format!("{}{name}[{index}]", self.at);
            let members = item.as_object().ok_or_else(|| BamError::invalid(&at))?;
            Ok(Self { members, at: format!("{at}."), string_ids: self.string_ids })
        };
        items.iter().enumerate().map(object).collect()
    }

    /// Texts, none at least.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, BamError> {
        if self.given(name).is_none() {
            return Ok(Vec::new());
        }
        let texts: Option<Vec<_>> = self.array(name)?.iter().map(Value::as_str).collect();
        texts.ok_or_else(|| self.invalid(name))
    }

    /// 422 about a member.
    pub(super) fn invalid(&self, name: &str) -> BamError {
        BamError::invalid(&format!("{}{name}", self.at))
    }

    /// A member that is there and not null.
    pub(super) fn given(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn array(&self, name: &str) -> Result<&'a Vec<Value>, BamError> {
        self.given(name).and_then(Value::as_array).ok_or_else(|| self.invalid(name))
    }

    fn to_id(&self, value: &Value) -> Option<i64> {
        let text = value.as_str().filter(|_| self.string_ids);
        value.as_i64().or_else(|| text?.parse().ok()).filter(|id| *id > 0)
    }
}
