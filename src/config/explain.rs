//! What one key means, and what it is set to.

use std::fmt;
use std::path::Path;

use super::changes::is_live;
use super::fault::nearest;
use super::manual::{Entry, MANUAL};
use super::place::KeyPath;
use super::tree::{Kind, Node};
use super::{DEFAULTS, Place, layers};

/// Everything about one key, in words.
pub struct Explained {
    key: String,
    entry: &'static Entry,
    variable: Option<String>,
    now: String,
}

/// There is no such key.
#[derive(Debug, thiserror::Error)]
pub enum NoSuchKey {
    /// It is a section.
    #[error("`{asked}` is a section; ask for one of its keys: {}", keys.join(", "))]
    Section {
        /// What was asked for.
        asked: String,
        /// What is in it.
        keys: Vec<String>,
    },
    /// It is nothing.
    #[error("there is no key `{asked}`{}", hint(near))]
    Unknown {
        /// What was asked for.
        asked: String,
        /// What was probably meant.
        near: Vec<String>,
    },
}

fn hint(near: &[String]) -> String {
    match near {
        [] => "; `hirebridge config default` shows all".to_owned(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Says what `key` means, and what the file and the environment set it to.
///
/// # Errors
/// [`NoSuchKey`], with those that were probably meant.
pub fn explain(
    key: &str,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Explained, NoSuchKey> {
    let asked = key.split_once('[').map_or(key.to_owned(), |(list, rest)| {
        format!("{list}{}", rest.split_once(']').map_or("", |(_, rest)| rest))
    });
    let common = common_rule(&asked);
    // The longest: a rule's key is no attribute with a dot in its name.
    let found =
        MANUAL.iter().filter(|entry| entry.matches(common).is_some()).max_by_key(|entry| entry.depth());
    let entry = found.ok_or_else(|| none(key, &asked, common))?;
    let path = path(entry, common, &asked);
    let variables = env.collect();
    let now = match layers(DEFAULTS, file, &variables, &mut Vec::new()) {
        _ if entry.listed => "shown in the file alone".to_owned(),
        Ok((_, tree)) => tree.at(&path).map_or_else(|| "not set".to_owned(), |node| shown(entry, node)),
        Err(errors) => format!("cannot be told: {errors}"),
    };
    let variable = path.variable().filter(|_| !entry.listed);
    Ok(Explained { key: asked, entry, variable, now })
}

/// A source's own rule is explained as the rule for all is.
fn common_rule(asked: &str) -> &str {
    let own = asked.strip_prefix("sources.").and_then(|rest| rest.split_once('.'));
    let is_rule = |key: &str| ["mapping", "ignore"].contains(&key.split('.').next().unwrap_or_default());
    own.map(|(_, key)| key).filter(|key| is_rule(key)).unwrap_or(asked)
}

fn none(key: &str, asked: &str, common: &str) -> NoSuchKey {
    let keys: Vec<_> = MANUAL.iter().filter(|entry| entry.is_within(common)).map(Entry::name).collect();
    let asked_for = key.to_owned();
    if keys.is_empty() {
        NoSuchKey::Unknown { asked: asked_for, near: meant(asked) }
    } else {
        NoSuchKey::Section { asked: asked_for, keys }
    }
}

fn path(entry: &Entry, common: &str, asked: &str) -> KeyPath {
    let names = entry.matches(common).unwrap_or_default();
    let source = asked.strip_suffix(common).unwrap_or_default().trim_end_matches('.');
    source
        .split('.')
        .filter(|name| !name.is_empty())
        .chain(names)
        .fold(KeyPath::default(), |way, name| way.key(name))
}

/// Keys of that name in any section, else the one that is most like it.
fn meant(asked: &str) -> Vec<String> {
    let last = asked.rsplit('.').next().unwrap_or(asked);
    let same: Vec<_> = MANUAL.iter().filter(|entry| entry.key == last).map(Entry::name).collect();
    if !same.is_empty() {
        return same;
    }
    let all: Vec<_> = MANUAL.iter().map(Entry::name).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    nearest(asked, &all).map(str::to_owned).into_iter().collect()
}

/// A value and who set it; of a secret, only who.
fn shown(entry: &Entry, node: &Node) -> String {
    let place = match &node.place {
        Place::Default => return "the default".to_owned(),
        place => place,
    };
    let is_url_with_password =
        entry.name() == "ledger.url" && !matches!(&node.kind, Kind::Text(url) if url.starts_with("sqlite:"));
    if entry.is_secret() || node.is_reference() || is_url_with_password {
        return format!("set, and not shown ({place})");
    }
    match text(node) {
        Some(text) => format!("{text} ({place})"),
        None => format!("set ({place})"),
    }
}

/// A value that is no section, as it is written.
fn text(node: &Node) -> Option<String> {
    Some(match &node.kind {
        Kind::Text(text) | Kind::Loose(text) => format!("{text:?}"),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Bool(value) => value.to_string(),
        Kind::List(items) if !items.iter().any(Node::is_reference) => {
            format!("[{}]", items.iter().map(text).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Kind::List(_) | Kind::Table(_) | Kind::Filling(_) => return None,
    })
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry;
        writeln!(f, "{}\n  {}", self.key, entry.sentence)?;
        let what = if entry.has_default { "default" } else { "example" };
        writeln!(f, "  {what}:      {}", entry.written)?;
        if let Some(variable) = &self.variable {
            writeln!(f, "  environment:  {variable}")?;
        }
        writeln!(f, "  now:          {}", self.now)?;
        let change =
            if is_live(&entry.name()) { "taken up by `hirebridge config reload`" } else { "needs a restart" };
        write!(f, "  a change:     {change}")
    }
}
