//! JSON from outside: read as any JSON, but of a bounded number of values, and without a copy of its texts.
//!
//! A value in memory is many times what it is on the wire: sixteen megabytes of `0,0,0,…` would become
//! half a gigabyte. No request needs more than a few values, however large its photograph is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::error::ApiError;

/// Most values of a body, keys counted as well.
const MAX_VALUES: usize = 10_000;

/// Any JSON. A text without escapes, such as a photograph in base64, is that of the body itself.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(Debug))]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number that is finite as a double.
    Number(Number),
    /// A text.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// Fields by their names.
    Object(Object<'a>),
}

/// The fields of an object.
pub type Object<'a> = BTreeMap<String, Value<'a>>;

impl Value<'_> {
    /// The same, independent of the body.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(values) => {
                Value::Array(values.into_iter().map(Value::into_owned).collect())
            }
            Value::Object(fields) => {
                let fields = fields.into_iter();
                Value::Object(
                    fields
                        .map(|(name, value)| (name, value.into_owned()))
                        .collect(),
                )
            }
        }
    }
}

/// Reads a body. As in JavaScript, of a field that is there twice the last counts.
///
/// # Errors
/// It is no JSON, is nested more than 127 deep, has a number that is beyond a double, or has too many
/// values.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, ApiError> {
    let mut left = MAX_VALUES;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Bounded(&mut left).deserialize(&mut json);
    let value = value.and_then(|value| json.end().map(|()| value));
    value.map_err(|_| match left {
        0 => ApiError::TooManyValues { limit: MAX_VALUES },
        _ => ApiError::BadRequest,
    })
}

/// Reads one value and all within, and counts them down.
struct Bounded<'a>(&'a mut usize);

impl Bounded<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.0 = self.0.saturating_sub(1);
        match *self.0 {
            0 => Err(E::custom("too many values")),
            _ => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(
        mut self,
        deserializer: D,
    ) -> Result<Value<'de>, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value<'de>, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("no finite number"))?;
        Ok(Value::Number(number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Bounded(&mut *self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut fields = Object::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.count::<A::Error>()?;
            let value = entries.next_value_seed(Bounded(&mut *self.0))?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<serde_json::Value, String> {
        let value = parse(text.as_bytes()).map_err(|error| error.to_string())?;
        assert_eq!(value.clone().into_owned(), value);
        Ok(serde_json::to_value(value).unwrap())
    }

    proptest! {
        #[test]
        fn all_text_is_read_as_serde_json_reads_it(text in r#"[\[\]{}",:\\u0-9a-f .eE+-]{0,40}|(true|null|"a"|[0-9]{1,25}|[{}:,])*"#) {
            let plain = serde_json::from_str::<serde_json::Value>(&text).ok();
            prop_assert_eq!(read(&text).ok(), plain);
        }
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text =
            r#"{"a":[null,true,-1,18446744073709551615,0.5,1e3,"é\ud83d\ude00"],"b":{"":{}}}"#;
        let value = json!({"a": [null, true, -1, u64::MAX, 0.5, 1e3, "é😀"], "b": {"": {}}});
        assert_eq!(read(text), Ok(value));
    }

    #[test]
    fn a_text_without_escapes_is_not_copied() {
        let body = br#"["plain", "esc\\aped"]"#;
        let Ok(Value::Array(texts)) = parse(body) else {
            panic!("it is a list");
        };
        let borrowed = |text: &Value| matches!(text, Value::String(Cow::Borrowed(_)));
        assert!(borrowed(&texts[0]) && !borrowed(&texts[1]));
    }

    #[test]
    fn the_last_of_two_fields_of_one_name_counts() {
        assert_eq!(read(r#"{"a":1,"a":"x"}"#), Ok(json!({"a": "x"})));
    }

    #[test]
    fn more_values_than_any_request_needs_are_refused_before_they_are_in_memory() {
        let most = format!("[{}0]", "0,".repeat(MAX_VALUES - 3));
        assert!(read(&most).is_ok());
        let array = format!("[{}0]", "0,".repeat(MAX_VALUES));
        let names: Vec<String> = (0..MAX_VALUES / 2).map(|n| format!("\"{n}\":0")).collect();
        for text in [array, format!("{{{}}}", names.join(","))] {
            assert_eq!(
                read(&text),
                Err("The request body has more than 10000 values.".to_owned())
            );
        }
    }
}
