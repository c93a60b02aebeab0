//! A JSON object whose members keep their order and their text.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Members in their order; of two with one name the last counts, in the place of the first.
#[derive(Default)]
pub(super) struct Object(Vec<(String, String)>);

impl Object {
    /// The members of an object; `None` when the text is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Gives a member this JSON.
    pub(super) fn set(&mut self, name: &str, json: impl Into<String>) {
        match self.0.iter_mut().find(|(held, _)| held == name) {
            Some((_, held)) => *held = json.into(),
            None => self.0.push((name.to_owned(), json.into())),
        }
    }

    /// A member's JSON, be it `null`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(held, _)| held == name).map(|(_, json)| json.as_str())
    }

    /// Every member.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, json)| (name.as_str(), json.as_str()))
    }

    /// Puts another object's members in the place of its own, behind its own where they are new.
    pub(super) fn take(&mut self, other: &Self) {
        other.all().for_each(|(name, json)| self.set(name, json));
    }
}

/// As JSON.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, json)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{json}", text(name))?;
        }
        f.write_str("}")
    }
}

/// A JSON string.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Object, M::Error> {
                let mut object = Object::default();
                while let Some((name, json)) = members.next_entry::<String, Box<RawValue>>()? {
                    object.set(&name, json.get());
                }
                Ok(object)
            }
        }

        json.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_text_of_members_stay() {
        let text = r#"{"b":1.10,"a":[ 1, 2 ],"é\"":12345678901234567890123}"#;
        let mut object = Object::read(text).unwrap();
        assert_eq!(object.to_string(), text);
        object.set("b", "2.20");
        object.set("c", "null");
        assert_eq!(object.to_string(), r#"{"b":2.20,"a":[ 1, 2 ],"é\"":12345678901234567890123,"c":null}"#);
        let twice = Object::read(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!((twice.to_string().as_str(), twice.get("c")), (r#"{"a":3,"b":2}"#, None));
        assert!(Object::read("[]").is_none() && Object::read("{").is_none());
        object.take(&twice);
        assert_eq!((object.get("a"), object.get("c")), (Some("3"), Some("null")));
    }
}
