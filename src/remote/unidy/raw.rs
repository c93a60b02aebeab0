//! JSON as it was written: members of an object by name, their text untouched, so that no number and no order is lost.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// An object's members; of two with one name the last counts.
pub(super) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// The members of an object; `None` when the text is none.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A member as it was written; `null` counts as absent.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.written(name).filter(|text| *text != "null")
    }

    /// A member as it was written, be it `null`.
    pub(super) fn written(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(self.raw(name)?)
    }

    /// A text, or a number as it was written: ids come as either.
    pub(super) fn label(&self, name: &str) -> Option<String> {
        label(self.raw(name)?)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.label(name)?.parse().ok()
    }

    /// The members of a member.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.raw(name)?)
    }

    /// Every member's name and text.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.get()))
    }
}

/// A JSON string's text.
pub(super) fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// A JSON string's text, or a number as it was written.
pub(super) fn label(json: &str) -> Option<String> {
    let number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if number { Some(json.to_owned()) } else { text(json) }
}

/// The items of an array, as they were written.
pub(super) fn items(json: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_text() {
        let members = Members::read(
            r#"{"a": 1.10, "b": "x\ny", "c": null, "d": {"e": 12345678901234567890123}, "f": true, "a": 2.20}"#,
        )
        .unwrap();
        assert_eq!(
            (members.raw("a"), members.raw("c"), members.written("c")),
            (Some("2.20"), None, Some("null"))
        );
        assert_eq!((members.text("b").as_deref(), members.text("a")), (Some("x\ny"), None));
        assert_eq!((members.label("a").as_deref(), members.label("f")), (Some("2.20"), None));
        assert_eq!((members.flag("f"), members.flag("a"), members.number("a")), (Some(true), None, None));
        let e = members.object("d").and_then(|d| d.label("e"));
        assert_eq!(e.as_deref(), Some("12345678901234567890123"));
        assert!(
            members.object("a").is_none() && Members::read("[]").is_none() && Members::read("{").is_none()
        );
        assert_eq!(items("[1, \"a\" ,{}]").unwrap(), ["1", "\"a\"", "{}"]);
    }
}
