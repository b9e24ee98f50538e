//! A source's section: what the ATS room reads, and the mapping that belongs to another room.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, Visitor};

use crate::{ats, mapping};

/// `[sources.NAME]`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Everything but the mapping.
    pub ats: ats::settings::Settings,
    /// `[sources.NAME.mapping]`.
    pub mapping: Option<mapping::Settings>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Section;
        impl<'de> Visitor<'de> for Section {
            type Value = Source;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
                let mut mapping = None;
                let rest = WithoutMapping { map, mapping: &mut mapping };
                let ats = ats::settings::Settings::deserialize(MapAccessDeserializer::new(rest))?;
                Ok(Source { ats, mapping })
            }
        }
        deserializer.deserialize_map(Section)
    }
}

/// The section's entries, of which `mapping` is taken out on the way.
struct WithoutMapping<'m, A> {
    map: A,
    mapping: &'m mut Option<mapping::Settings>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutMapping<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key == "mapping" {
                *self.mapping = Some(self.map.next_value()?);
            } else {
                let key: StringDeserializer<A::Error> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
