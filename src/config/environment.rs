//! `HIREBRIDGE__SECTION__KEY`: settings from the environment, laid over those of the file.

use std::collections::BTreeMap;

use super::tree::{Kind, Node};
use super::{ConfigError, Place};

/// What stands before the section in a variable's name.
const PREFIX: &str = "HIREBRIDGE__";

/// The environment variables of this process, read here and nowhere else. Those that are no UTF-8 are left out.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    // `vars` would panic on a variable that is no UTF-8, whoever set it.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Lays the variables over `tree`.
pub(super) fn lay_over(tree: &mut Node, variables: &BTreeMap<String, String>, errors: &mut Vec<ConfigError>) {
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let place = Place::Variable(name.clone());
        if let Err((problem, remedy)) = set(tree, &keys, value, &place) {
            let (problem, remedy) = (problem.into(), remedy.into());
            errors.push(ConfigError { key: keys.join("."), place, problem, remedy });
        }
    }
}

type Refusal = (&'static str, &'static str);

fn set(node: &mut Node, keys: &[String], value: &str, place: &Place) -> Result<(), Refusal> {
    let [first, rest @ ..] = keys else {
        *node = Node { kind: Kind::Loose(value.to_owned()), place: place.clone() };
        return Ok(());
    };
    if first.is_empty() {
        return Err(("names no key", "Write HIREBRIDGE__SECTION__KEY."));
    }
    if first == "mapping" {
        return Err(("is a mapping", "Write mappings in the configuration file."));
    }
    let points = rest.is_empty() && matches!(first.as_str(), "env" | "file");
    if points && (node.is_reference() || !matches!(node.kind, Kind::Table(_))) {
        *node = Node::table(place.clone());
    }
    match &mut node.kind {
        Kind::Table(entries) => {
            let key = spelling(entries, first);
            let child = entries.entry(key).or_insert_with(|| Node::table(place.clone()));
            set(child, rest, value, place)
        }
        Kind::List(_) => Err(("is in a list", "Write lists in the configuration file.")),
        _ => Err(("is in a value, not in a section", "Write HIREBRIDGE__SECTION__KEY.")),
    }
}

/// The key as the file has it: a variable's name cannot hold the hyphen of `[sources.ashby-eu]`.
fn spelling(entries: &BTreeMap<String, Node>, key: &str) -> String {
    let hyphened = || entries.keys().find(|known| known.replace('-', "_") == key);
    if entries.contains_key(key) { key.to_owned() } else { hyphened().cloned().unwrap_or(key.to_owned()) }
}
