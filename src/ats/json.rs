//! Strict JSON: what is signed must not be readable in two ways.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::{Misread, is_id};
use crate::domain::Held;

/// How many arrays and objects may be inside one another.
pub const DEPTH: usize = 64;

/// Why a body is not read. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The text is not one JSON value: broken, followed by something, or begun with a byte order mark.
    #[error("the body is not JSON")]
    NotJson,
    /// More than [`DEPTH`] arrays and objects are inside one another.
    #[error("the body is nested too deep")]
    TooDeep,
    /// An object has a key twice.
    #[error("an object in the body has a key twice")]
    DuplicateKey,
}

impl Unreadable {
    /// The stable code for histories and answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::DuplicateKey => "duplicate_key",
        }
    }

    /// Why a hire with such a body waits for a person.
    pub fn held(self) -> Held {
        match self {
            Self::DuplicateKey => Held::Ambiguous,
            Self::NotUtf8 | Self::NotJson | Self::TooDeep => Held::Unreadable,
        }
    }
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// [`Unreadable`]: keys are compared as they read, so `"a"` and `"\u0061"` are the same one.
pub fn read(body: &[u8]) -> Result<Value, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
    let why = Cell::new(Unreadable::NotJson);
    let mut input = serde_json::Deserializer::from_str(text);
    let value = Strict { left: DEPTH, why: &why }.deserialize(&mut input).map_err(|_| why.get())?;
    input.end().map_err(|_| Unreadable::NotJson)?;
    Ok(value)
}

/// Reads a value as one of an ATS's shapes.
///
/// # Errors
/// [`Misread`] with the place of what does not fit; the parser's own words hold values and are dropped.
pub(super) fn shaped<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, Misread> {
    if let Ok(fits) = T::deserialize(value) {
        return Ok(fits);
    }
    // Following the path costs as much as reading, so that it is done only where it is needed.
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => Misread::at("$"),
        path => Misread::at(format!("$.{path}")),
    })
}

/// An id: a whole number, or a text that is fit for one. What an ATS shows in its examples is often all that it says.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Id(pub(super) String);

impl TryFrom<Value> for Id {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            Value::String(text) if is_id(&text) => Ok(Self(text)),
            _ => Err("not an id"),
        }
    }
}

/// Builds a value while it counts the depth and watches the keys; tells the reason through `why`,
/// because the parser's own error carries only words.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    why: &'a Cell<Unreadable>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(Unreadable::TooDeep)),
        }
    }

    fn refuse<E: Error>(self, why: Unreadable) -> E {
        self.why.set(why);
        E::custom(why.code())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let Entry::Vacant(place) = object.entry(key) else {
                return Err(self.refuse(Unreadable::DuplicateKey));
            };
            place.insert(fields.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_read_as_it_is() {
        let text = r#"{"b":[1,-2,1.5,true,null,"Jörg 🎸"],"a":{"c":""}}"#;
        let value = read(text.as_bytes()).expect("is JSON");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("is JSON"));
        assert_eq!(value.to_string(), text, "the order of the keys stays");
    }

    #[test]
    fn a_key_that_comes_twice_is_ambiguous_however_it_is_written() {
        for body in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#] {
            assert_eq!(read(body.as_bytes()), Err(Unreadable::DuplicateKey), "{body}");
        }
        assert_eq!(Unreadable::DuplicateKey.held(), Held::Ambiguous);
        assert!(
            read(r#"{"a":{"a":1},"b":{"a":1}}"#.as_bytes()).is_ok(),
            "one key in several objects is fine"
        );
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(DEPTH).as_bytes()).is_ok());
        assert_eq!(read(nested(DEPTH + 1).as_bytes()), Err(Unreadable::TooDeep));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH + 1), "}".repeat(DEPTH + 1));
        assert_eq!(read(objects.as_bytes()), Err(Unreadable::TooDeep));
    }

    #[test]
    fn ten_megabytes_of_brackets_do_no_harm() {
        assert_eq!(read("[".repeat(10 << 20).as_bytes()), Err(Unreadable::TooDeep));
        assert_eq!(read(r#"{"a":"#.repeat(2 << 20).as_bytes()), Err(Unreadable::TooDeep));
        let long = format!("\"{}\"", "ü".repeat(5 << 20));
        assert!(read(long.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_one_json_value_is_refused() {
        let bodies: &[&[u8]] = &[
            b"",
            b"  ",
            b"{",
            b"{} {}",
            b"{}x",
            b"nul",
            b"{'a':1}",
            b"[1,]",
            b"NaN",
            b"1e999",
            b"\"\\ud800\"",
            b"\"line\nbreak\"",
            b"\xef\xbb\xbf{}",
            b"a=1&b=2",
        ];
        for body in bodies {
            assert_eq!(read(body), Err(Unreadable::NotJson), "{}", body.escape_ascii());
        }
        assert!(read(b" {}\r\n").is_ok(), "white space around the value is JSON");
    }

    #[test]
    fn other_encodings_are_refused() {
        assert_eq!(read(b"{\"name\":\"J\xf6rg\"}"), Err(Unreadable::NotUtf8));
        assert_eq!(read(b"\xff\xfe{\x00}\x00"), Err(Unreadable::NotUtf8));
    }
}
