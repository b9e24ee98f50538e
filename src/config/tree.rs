//! What was configured, before it becomes settings: one tree in which every value knows its place.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Place;
use super::place::{KeyPath, Step};

/// A value and who set it.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// No `Debug`: a tree holds secrets.
#[derive(Clone)]
pub(super) enum Kind {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Text(String),
    /// Text that stands for whatever is wanted: from the environment or a secret file.
    Loose(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// In place of what is missing or wrong and was reported, so that reading can go on; fits whatever is
    /// wanted. The number says how many fillings were tried.
    Filling(usize),
}

/// What the parser says about a text that is no TOML, and where. Holds nothing of the text.
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) problem: String,
}

impl Node {
    pub(super) fn table(place: Place) -> Self {
        Self { kind: Kind::Table(BTreeMap::new()), place }
    }

    /// Reads a TOML text; `place` says what to call one of its lines.
    pub(super) fn parse(text: &str, place: impl Fn(usize) -> Place) -> Result<Self, Vec<SyntaxError>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let place = |span: Range<usize>| place(position(text, span.start).0);
            let start = place(0..0);
            return Ok(Self { kind: Kind::Table(entries(table.into_inner(), &place)), place: start });
        }
        let mut errors: Vec<_> = errors.iter().map(|error| syntax_error(text, error)).collect();
        errors.dedup_by_key(|error| error.line);
        Err(errors)
    }

    /// What of a TOML text can be read, whatever is wrong with the rest.
    pub(super) fn legible(text: &str) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        Self { kind: Kind::Table(entries(table.into_inner(), &|_| Place::Default)), place: Place::Default }
    }

    pub(super) fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.kind, step) {
            (Kind::Table(entries), Step::Key(key)) => entries.get(key),
            (Kind::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    fn child_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.kind, step) {
            (Kind::Table(entries), Step::Key(key)) => entries.get_mut(key),
            (Kind::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }
    }

    pub(super) fn at(&self, path: &KeyPath) -> Option<&Self> {
        path.steps().iter().try_fold(self, Self::child)
    }

    pub(super) fn at_mut(&mut self, path: &KeyPath) -> Option<&mut Self> {
        path.steps().iter().try_fold(self, Self::child_mut)
    }

    /// The place of the value at `path`, or of the section nearest to it.
    pub(super) fn place(&self, path: &KeyPath) -> &Place {
        let mut node = self;
        for step in path.steps() {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        &node.place
    }

    /// The place of the value with this key as it is shown, or of the section nearest to it.
    pub(super) fn place_called(&self, key: &str) -> &Place {
        self.called(key, &KeyPath::default()).map_or(&self.place, |node| &node.place)
    }

    fn called(&self, key: &str, path: &KeyPath) -> Option<&Self> {
        let rest = key.strip_prefix(&path.to_string())?;
        if !(rest.is_empty() || path.steps().is_empty() || rest.starts_with(['.', '['])) {
            return None;
        }
        let nearer = match &self.kind {
            Kind::Table(entries) => entries.iter().find_map(|(name, node)| node.called(key, &path.key(name))),
            Kind::List(items) => {
                items.iter().enumerate().find_map(|(n, node)| node.called(key, &path.index(n)))
            }
            _ => None,
        };
        nearer.or(Some(self))
    }

    /// Lays `over` over this: sections are merged, everything else is replaced.
    pub(super) fn lay(&mut self, over: Self) {
        let merges = !self.is_reference() && !over.is_reference();
        match (&mut self.kind, over.kind) {
            (Kind::Table(below), Kind::Table(above)) if merges => {
                self.place = over.place;
                for (key, node) in above {
                    match below.get_mut(&key) {
                        Some(under) => under.lay(node),
                        None => {
                            below.insert(key, node);
                        }
                    }
                }
            }
            (kind, above) => {
                *kind = above;
                self.place = over.place;
            }
        }
    }

    /// Whether it stands for a secret that is kept elsewhere: exactly `{ env = … }` or `{ file = … }`.
    pub(super) fn is_reference(&self) -> bool {
        self.reference().is_some()
    }

    /// `("env", NAME)` or `("file", PATH)`.
    pub(super) fn reference(&self) -> Option<(&str, &str)> {
        let Kind::Table(entries) = &self.kind else { return None };
        let mut entries = entries.iter();
        let (Some((key, node)), None) = (entries.next(), entries.next()) else { return None };
        match &node.kind {
            Kind::Text(text) | Kind::Loose(text) if key == "env" || key == "file" => Some((key, text)),
            _ => None,
        }
    }

    /// Calls `each` with every text in it.
    pub(super) fn texts<'a>(&'a self, each: &mut impl FnMut(&'a str)) {
        match &self.kind {
            Kind::Table(entries) => entries.values().for_each(|node| node.texts(each)),
            Kind::List(items) => items.iter().for_each(|node| node.texts(each)),
            Kind::Text(text) | Kind::Loose(text) => each(text),
            Kind::Integer(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Filling(_) => {}
        }
    }
}

fn entries(table: DeTable<'_>, place: &impl Fn(Range<usize>) -> Place) -> BTreeMap<String, Node> {
    table
        .into_iter()
        .map(|(key, value)| {
            let node = Node { kind: kind(value.into_inner(), place), place: place(key.span()) };
            (key.into_inner().into_owned(), node)
        })
        .collect()
}

fn kind(value: DeValue<'_>, place: &impl Fn(Range<usize>) -> Place) -> Kind {
    match value {
        DeValue::Table(table) => Kind::Table(entries(table, place)),
        DeValue::Array(items) => Kind::List(items.into_iter().map(|item| element(item, place)).collect()),
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Boolean(value) => Kind::Bool(value),
        DeValue::Datetime(value) => Kind::Text(value.to_string()),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or(Kind::Float(f64::INFINITY), Kind::Integer),
        DeValue::Float(digits) => Kind::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
    }
}

fn element(item: Spanned<DeValue<'_>>, place: &impl Fn(Range<usize>) -> Place) -> Node {
    let place_of_item = place(item.span());
    Node { kind: kind(item.into_inner(), place), place: place_of_item }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> SyntaxError {
    let (line, column) = position(text, error.span().map_or(text.len(), |span| span.start));
    SyntaxError { line, column, problem: error.message().to_owned() }
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
