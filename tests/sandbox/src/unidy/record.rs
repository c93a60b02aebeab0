//! A JSON object whose members stay the text they came as: order, numbers and escapes survive.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record(Vec<(String, Box<RawValue>)>);

impl Record {
    /// Reads an object.
    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// A member.
    pub(crate) fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| &**value)
    }

    /// A member as a value; null when there is none.
    pub(crate) fn value(&self, name: &str) -> Value {
        self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// A member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Sets a member, in its place if it has one.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> serde_json::Result<()> {
        let raw = serde_json::value::to_raw_value(value)?;
        self.set_raw(name, raw);
        Ok(())
    }

    /// Sets a member to a text that is JSON.
    pub(crate) fn set_raw(&mut self, name: &str, raw: Box<RawValue>) {
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some((_, old)) => *old = raw,
            None => self.0.push((name.to_owned(), raw)),
        }
    }

    /// Removes a member.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(member, _)| member != name);
    }

    /// The members with their texts.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        while let Some((name, value)) = map.next_entry()? {
            record.0.push((name, value));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn members_keep_their_order_and_their_text() {
        let text = r#"{"b":1.50,"a":{"z":123456789012345678901234567890,"y":"ä"},"c":null}"#;
        let mut record = Record::read(text).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        record.set("a", &json!("x")).unwrap();
        record.set("d", &json!([])).unwrap();
        record.remove("c");
        assert_eq!(serde_json::to_string(&record).unwrap(), r#"{"b":1.50,"a":"x","d":[]}"#);
        assert_eq!((record.text("a").as_deref(), record.text("b")), (Some("x"), None));
    }
}
