//! A source's section: what the ATS room reads, and the rules that belong to another room.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, Visitor};

use crate::{ats, mapping};

/// `[sources.NAME]`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Everything but the rules.
    pub ats: ats::settings::Settings,
    /// `[sources.NAME.mapping]`.
    pub mapping: Option<mapping::Settings>,
    /// `[[sources.NAME.ignore]]`.
    pub ignore: Vec<mapping::FilterSettings>,
    /// `[sources.NAME.documents]`.
    pub documents: mapping::FilingSettings,
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
                let (mut mapping, mut ignore, mut documents) = (None, Vec::new(), BTreeMap::new());
                let rest = WithoutRules {
                    map,
                    mapping: &mut mapping,
                    ignore: &mut ignore,
                    documents: &mut documents,
                };
                let ats = ats::settings::Settings::deserialize(MapAccessDeserializer::new(rest))?;
                Ok(Source { ats, mapping, ignore, documents })
            }
        }
        deserializer.deserialize_map(Section)
    }
}

/// The section's entries, of which `mapping`, `ignore` and `documents` are taken out on the way.
struct WithoutRules<'m, A> {
    map: A,
    mapping: &'m mut Option<mapping::Settings>,
    ignore: &'m mut Vec<mapping::FilterSettings>,
    documents: &'m mut mapping::FilingSettings,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutRules<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            match key.as_str() {
                "mapping" => *self.mapping = Some(self.map.next_value()?),
                "ignore" => *self.ignore = self.map.next_value()?,
                "documents" => *self.documents = self.map.next_value()?,
                _ => {
                    let key: StringDeserializer<A::Error> = key.into_deserializer();
                    return seed.deserialize(key).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
