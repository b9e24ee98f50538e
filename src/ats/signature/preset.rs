//! The schemes that vendors document, in the form in which an operator writes one down.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Scheme, Settings};

/// What `presets.toml` says, by name.
static PRESETS: LazyLock<BTreeMap<String, Settings>> =
    LazyLock::new(|| toml::from_str(include_str!("presets.toml")).expect("a test reads it"));

/// The scheme of this name.
///
/// # Panics
/// If there is none: the name is a literal, and the source that it belongs to has tests.
pub fn preset(name: &str) -> Scheme {
    let settings = keys_of(name).expect("the preset is there");
    settings.scheme().expect("a test makes all of them")
}

/// What a preset says, key by key.
pub(super) fn keys_of(name: &str) -> Option<&'static Settings> {
    PRESETS.get(name)
}

/// The presets there are.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.keys().map(String::as_str)
}
