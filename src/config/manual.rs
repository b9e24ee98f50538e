//! What the defaults say about every key: `default.toml` is read for its comments.

use std::sync::LazyLock;

use toml::{Table, Value};

use super::DEFAULTS;

/// In a section or a key, it stands for a name that the customer gives.
pub(super) const NAME: &str = "NAME";

/// Every key there is, in the order of `default.toml`.
pub(super) static MANUAL: LazyLock<Vec<Entry>> = LazyLock::new(|| entries(DEFAULTS));

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// `server`, `sources.NAME`; empty for none.
    pub(super) section: String,
    /// Whether the section is one of a list: `[[operators]]`.
    pub(super) listed: bool,
    pub(super) key: String,
    /// What it means.
    pub(super) sentence: String,
    /// Its default, or an example of a value.
    pub(super) value: Value,
    /// The same as it is written there.
    pub(super) written: String,
    /// Whether that is the default.
    pub(super) has_default: bool,
}

impl Entry {
    /// Section and key, with dots.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// How many names it has.
    pub(super) fn depth(&self) -> usize {
        self.section.split('.').count() + 1
    }

    /// Whether its value is never to be shown.
    pub(super) fn is_secret(&self) -> bool {
        is_kept_elsewhere(&self.value)
    }

    /// The names of this key as `asked` spells them, if `asked` is this key: `NAME` stands for any, and at
    /// the end for one with dots.
    pub(super) fn matches<'a>(&self, asked: &'a str) -> Option<Vec<&'a str>> {
        let name = self.name();
        let pattern: Vec<_> = name.split('.').collect();
        let names: Vec<_> = asked.splitn(pattern.len(), '.').collect();
        let fits = |(pattern, name): (&&str, &&str)| *pattern == NAME || pattern == name;
        let all = names.len() == pattern.len() && pattern.iter().zip(&names).all(fits);
        all.then_some(names)
    }

    /// Whether it is in this section, or in one below it.
    pub(super) fn is_within(&self, section: &str) -> bool {
        let (own, asked): (Vec<_>, Vec<_>) =
            (self.section.split('.').collect(), section.split('.').collect());
        let fits = |(own, asked): (&&str, &&str)| *own == NAME || own == asked;
        asked.len() <= own.len() && own.iter().zip(&asked).all(fits)
    }
}

/// Whether this is `{ file = … }` or `{ env = … }`, or a list of such.
fn is_kept_elsewhere(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.keys().all(|key| key == "file" || key == "env"),
        Value::Array(items) => items.iter().any(is_kept_elsewhere),
        _ => false,
    }
}

/// Reads a text in which every key follows its sentence, and a key without default is a comment.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut section, mut listed, mut sentence) = (String::new(), false, Vec::new());
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some((name, is_list)) = header(bare) {
            (section, listed) = (name.to_owned(), is_list);
            sentence.clear();
        } else if let Some((key, written, value)) = setting(bare) {
            let (section, sentence) = (section.clone(), sentence.join(" "));
            let has_default = bare == line;
            entries.push(Entry { section, listed, key, sentence, value, written, has_default });
        } else if line.is_empty() {
            sentence.clear();
        } else {
            sentence.push(bare);
            continue;
        }
        sentence.clear();
    }
    entries
}

fn header(line: &str) -> Option<(&str, bool)> {
    match line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
        Some(name) => Some((name, true)),
        None => Some((line.strip_prefix('[')?.strip_suffix(']')?, false)),
    }
}

fn setting(line: &str) -> Option<(String, String, Value)> {
    let (key, written) = line.split_once(" = ")?;
    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let (key, value) = line.parse::<Table>().ok()?.into_iter().next()?;
    Some((key, written.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_its_sentence_its_section_and_its_value() {
        let text = "# About all.\n\n[a]\n# One.\nx = 1\n# Two, of\n# two lines.\n# y = { env = \"Y\" }\n# About it.\n# [b.NAME]\n# Three.\n# z = \"1s\"";
        let found = entries(text);
        let told: Vec<_> =
            found.iter().map(|entry| (entry.name(), &*entry.sentence, entry.has_default)).collect();
        let expected =
            [("a.x", "One.", true), ("a.y", "Two, of two lines.", false), ("b.NAME.z", "Three.", false)];
        assert_eq!(told, expected.map(|(name, sentence, default)| (name.to_owned(), sentence, default)));
        assert!(found[1].is_secret() && !found[0].is_secret());
        assert_eq!(found[2].matches("b.acme.z"), Some(vec!["b", "acme", "z"]));
        assert_eq!(found[2].matches("b.z"), None);
    }

    #[test]
    fn every_key_has_a_sentence() {
        assert!(MANUAL.len() > 40, "{}", MANUAL.len());
        for entry in MANUAL.iter() {
            assert!(entry.sentence.ends_with(['.', '"']), "{}: {}", entry.name(), entry.sentence);
        }
    }
}
