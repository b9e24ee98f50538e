//! What differs between two configurations, and which of it a running service can take up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};

use super::place::KeyPath;
use super::tree::{Kind, Node};

/// Where a configuration was read, so that it can be read again.
#[derive(Clone, Default)]
pub(super) struct Origin {
    pub(super) file: Option<PathBuf>,
    pub(super) variables: BTreeMap<String, String>,
}

/// The file only: variables hold secrets.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:?})", self.file)
    }
}

/// A fingerprint of each value, secrets included: tells what changed and nothing else.
#[derive(Clone, Default)]
pub(super) struct Prints(BTreeMap<String, Vec<[u8; 32]>>);

impl fmt::Debug for Prints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prints({})", self.0.len())
    }
}

impl Prints {
    pub(super) fn of(tree: &Node) -> Self {
        let mut prints = Self::default();
        prints.add(tree, &KeyPath::default());
        prints
    }

    fn add(&mut self, node: &Node, path: &KeyPath) {
        let text = match &node.kind {
            Kind::Table(entries) => {
                return entries.iter().for_each(|(key, node)| self.add(node, &path.key(key)));
            }
            Kind::List(items) => {
                // Of a list only the whole is named; an empty one is one as well.
                self.press(path, &items.len().to_string());
                return items.iter().enumerate().for_each(|(n, node)| self.add(node, &path.index(n)));
            }
            Kind::Text(text) | Kind::Loose(text) => text.clone(),
            Kind::Integer(number) => number.to_string(),
            Kind::Float(number) => number.to_string(),
            Kind::Bool(value) => value.to_string(),
            Kind::Filling(_) => return,
        };
        self.press(path, &format!("{path} {text}"));
    }

    fn press(&mut self, path: &KeyPath, text: &str) {
        let name = path.to_string();
        let name = name.split('[').next().unwrap_or_default().to_owned();
        let mut print = [0; 32];
        print.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        self.0.entry(name).or_default().push(print);
    }

    /// The keys whose values are not the same.
    pub(super) fn differing(&self, other: &Self) -> BTreeSet<String> {
        let all = self.0.keys().chain(other.0.keys());
        all.filter(|key| self.0.get(*key) != other.0.get(*key)).cloned().collect()
    }

    /// Takes over what the other says of this key.
    pub(super) fn take(&mut self, key: &str, newer: &Self) {
        if let Some(print) = newer.0.get(key) {
            self.0.insert(key.to_owned(), print.clone());
        }
    }

    /// Takes over what the other says of keys that are not live.
    pub(super) fn keep_fixed(&mut self, running: &Self) {
        self.0.retain(|key, _| is_live(key));
        let fixed = running.0.iter().filter(|(key, _)| !is_live(key));
        self.0.extend(fixed.map(|(key, print)| (key.clone(), print.clone())));
    }
}

/// What a running service goes by anew; everything else is set at the start. A name that ends with a dot is
/// that of a section.
const LIVE: &[&str] = &[
    "server.public_url",
    "server.wait",
    "server.body_limit",
    "server.trusted_proxies",
    "server.proxy_sign_in.",
    "log.level",
    "personio.client_id",
    "personio.client_secret",
    "transfer.",
    "retention.",
    "sources.",
    "mapping.",
    "ignore",
    "operators",
];

/// What is not, though its section is.
const FIXED: &[&str] = &["transfer.in_flight", "transfer.ahead"];

/// Whether a running service can take up another value of this key.
pub fn is_live(key: &str) -> bool {
    !FIXED.contains(&key)
        && LIVE.iter().any(|live| key == *live || (key.starts_with(live) && starts_within(key, live)))
}

fn starts_within(key: &str, live: &str) -> bool {
    live.ends_with('.') || key[live.len()..].starts_with(['.', '['])
}
