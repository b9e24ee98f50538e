//! Reads settings from the tree with serde. Text from the environment becomes what is wanted: an
//! all-digit secret stays text where text is wanted, and is a number where a number is.

use std::collections::BTreeMap;
use std::collections::btree_map;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::choice::Choice;
use super::fault::Fault;
use super::place::Step;
use super::tree::{Kind, Node};

/// What is tried, one after the other, where text is wanted and none is known.
const FILLINGS: [&str; 4] = ["x", "1s", "http://localhost", "1"];

/// Whether there is an `n`th filling to try.
pub(super) fn has_filling(n: usize) -> bool {
    n < FILLINGS.len()
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t>(pub(super) &'t Node);

impl<'t> Reader<'t> {
    /// What is here, if it is text.
    fn text(self) -> Option<&'t str> {
        match &self.0.kind {
            Kind::Text(text) | Kind::Loose(text) => Some(text),
            Kind::Filling(n) => FILLINGS.get(*n).copied(),
            _ => None,
        }
    }

    /// What is here as a `T`, if it is text that may stand for one.
    fn loose<T: std::str::FromStr>(self) -> Option<T> {
        match &self.0.kind {
            Kind::Loose(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn unexpected(self) -> Unexpected<'t> {
        match &self.0.kind {
            Kind::Table(_) => Unexpected::Map,
            Kind::List(_) => Unexpected::Seq,
            Kind::Integer(number) => Unexpected::Signed(*number),
            Kind::Float(number) => Unexpected::Float(*number),
            Kind::Bool(value) => Unexpected::Bool(*value),
            Kind::Text(_) | Kind::Loose(_) | Kind::Filling(_) => Unexpected::Str(""),
        }
    }
}

/// Numbers: text may stand for them, and so may a filling.
macro_rules! numbers {
    ($($method:ident $number:ty => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match (&self.0.kind, self.loose::<$number>()) {
                (Kind::Filling(_), _) => visitor.$visit(<$number>::from(1_u8)),
                (_, Some(number)) => visitor.$visit(number),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.kind {
            Kind::Table(entries) => visitor.visit_map(Section::of(entries)),
            Kind::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Kind::Integer(number) => visitor.visit_i64(*number),
            Kind::Float(number) => visitor.visit_f64(*number),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Text(_) | Kind::Loose(_) | Kind::Filling(_) => {
                visitor.visit_str(self.text().unwrap_or_default())
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (&self.0.kind, self.loose::<bool>()) {
            (Kind::Filling(_), _) => visitor.visit_bool(false),
            (_, Some(value)) => visitor.visit_bool(value),
            _ => self.deserialize_any(visitor),
        }
    }

    numbers! {
        deserialize_i8 i64 => visit_i64;
        deserialize_i16 i64 => visit_i64;
        deserialize_i32 i64 => visit_i64;
        deserialize_i64 i64 => visit_i64;
        deserialize_u8 u64 => visit_u64;
        deserialize_u16 u64 => visit_u64;
        deserialize_u32 u64 => visit_u64;
        deserialize_u64 u64 => visit_u64;
        deserialize_f32 f64 => visit_f64;
        deserialize_f64 f64 => visit_f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.kind {
            Kind::Filling(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.kind {
            Kind::Filling(_) => visitor.visit_seq(Items([].iter().enumerate())),
            // Text from outside is a list of one: a variable or a secret file cannot say more.
            Kind::Loose(_) => visitor.visit_seq(Items(std::slice::from_ref(self.0).iter().enumerate())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.kind {
            Kind::Filling(_) => visitor.visit_map(Section::of(&BTreeMap::new())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0.kind {
            Kind::Filling(_) => {
                let entries = fields.iter().map(|&field| (field.to_owned(), self.0.clone())).collect();
                visitor.visit_map(Section::of(&entries))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let one = |entries: &'_ BTreeMap<String, Node>| entries.len() == 1;
        match &self.0.kind {
            Kind::Filling(_) => {
                visitor.visit_enum(Choice { name: variants.first().unwrap_or(&""), content: Some(self.0) })
            }
            Kind::Text(name) | Kind::Loose(name) => visitor.visit_enum(Choice { name, content: None }),
            Kind::Table(entries) if one(entries) => {
                let (name, content) = entries.iter().next().expect("it has one entry");
                visitor.visit_enum(Choice { name, content: Some(content) })
            }
            _ => Err(Error::invalid_type(self.unexpected(), &"a string")),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// What is in a section.
struct Section<'t> {
    entries: btree_map::Iter<'t, String, Node>,
    next: Option<(&'t str, &'t Node)>,
}

impl<'t> Section<'t> {
    fn of(entries: &'t BTreeMap<String, Node>) -> Self {
        Self { entries: entries.iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Section<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.entries.next() else { return Ok(None) };
        self.next = Some((key, node));
        let name: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|fault| fault.in_key(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, node) = self.next.take().expect("serde asks for the key first");
        seed.deserialize(Reader(node)).map_err(|fault| fault.within(Step::Key(key.to_owned())))
    }
}

/// What is in a list.
struct Items<'t>(std::iter::Enumerate<std::slice::Iter<'t, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((index, node)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(node)).map(Some).map_err(|fault| fault.within(Step::Index(index)))
    }
}
