//! Reads an enum: a word, or a section with one key that brings more.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};

use super::fault::Fault;
use super::place::Step;
use super::read::Reader;
use super::tree::{Kind, Node};

/// A word that chooses, with what it brings.
pub(super) struct Choice<'t> {
    pub(super) name: &'t str,
    pub(super) content: Option<&'t Node>,
}

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Choice<'_> {
    fn content(&self) -> Result<Reader<'_>, Fault> {
        self.content.map(Reader).ok_or_else(|| Error::invalid_type(Unexpected::Str(""), &"a map"))
    }

    fn step(&self) -> Step {
        Step::Key(self.name.to_owned())
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None | Some(Node { kind: Kind::Filling(_), .. }) => Ok(()),
            Some(_) => Err(Error::invalid_type(Unexpected::Map, &"a string")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self.content()?).map_err(|fault| fault.within(self.step()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.content()?.deserialize_seq(visitor).map_err(|fault| fault.within(self.step()))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let content = self.content()?;
        content.deserialize_struct("", fields, visitor).map_err(|fault| fault.within(self.step()))
    }
}
