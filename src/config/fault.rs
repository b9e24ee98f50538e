//! What serde says about a setting, put into words for whoever wrote it, without the value.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

use super::place::{KeyPath, Step};

/// The first thing that is wrong with a tree, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: KeyPath,
    pub(super) problem: Problem,
}

#[derive(Debug)]
pub(super) enum Problem {
    /// In the section at the path; with the keys that it knows.
    UnknownKey(String, &'static [&'static str]),
    /// In the section at the path.
    MissingKey(String),
    /// The key at the path is none that its section can take.
    WrongKey(String),
    /// The value at the path; what is wrong, in our own words.
    Wrong(String),
    /// The value at the path; what is wrong, in foreign words that may quote it.
    Foreign(String),
}

impl Fault {
    fn new(problem: Problem) -> Self {
        Self { path: KeyPath::default(), problem }
    }

    /// The same, seen from one step further out.
    pub(super) fn within(self, step: Step) -> Self {
        Self { path: self.path.within(step), ..self }
    }

    /// The same, found while its key was read.
    pub(super) fn in_key(self, key: &str) -> Self {
        match self.problem {
            Problem::UnknownKey(..) => self,
            Problem::Wrong(words) | Problem::Foreign(words) | Problem::WrongKey(words) => {
                Self { path: self.path, problem: Problem::WrongKey(words) }.within(Step::Key(key.to_owned()))
            }
            Problem::MissingKey(_) => self.within(Step::Key(key.to_owned())),
        }
    }
}

impl std::error::Error for Fault {}

impl Display for Fault {
    /// Never shown: the loader makes a `ConfigError` of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be read", self.path)
    }
}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Problem::Foreign(format!("cannot be used: {message}")))
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let wanted = wanted.to_string();
        let wanted = in_words(&wanted).unwrap_or(wanted);
        Self::new(Problem::Wrong(format!("must be {wanted}, not {}", kind(&found))))
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let wanted = wanted.to_string();
        match in_words(&wanted) {
            Some(words) => Self::new(Problem::Wrong(format!("must be {words}"))),
            // Some types say here why they refused, with or without the value.
            None => Self::new(Problem::Foreign(format!("cannot be used: {wanted}"))),
        }
    }

    fn invalid_length(_: usize, wanted: &dyn Expected) -> Self {
        Self::new(Problem::Foreign(format!("has the wrong length: {wanted}")))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let words = match nearest(variant, known) {
            Some(near) => format!("must be one of {}, perhaps `{near}`", list(known)),
            None => format!("must be one of {}", list(known)),
        };
        Self::new(Problem::Wrong(words))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownKey(field.to_owned(), known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::MissingKey(field.to_owned()))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::new(Problem::Wrong("sets a key twice, under two of its names".into()))
    }
}

/// What kind of value was found, without the value.
fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a decimal number",
        Unexpected::Char(_) | Unexpected::Str(_) => "this text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a section",
        _ => "what it is",
    }
}

/// What serde calls a type, in the words of a TOML file; none for what it does not call by itself.
fn in_words(wanted: &str) -> Option<String> {
    let most = |most: u64| format!("a whole number from 0 to {most}");
    Some(match wanted {
        "a boolean" => "true or false".into(),
        "a string" | "string" => "text in quotes".into(),
        "a sequence" => "a list".into(),
        "a map" => "a section".into(),
        "u8" => most(u8::MAX.into()),
        "u16" => most(u16::MAX.into()),
        "u32" => most(u32::MAX.into()),
        "u64" | "usize" => "a whole number, 0 or more".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        _ if wanted.starts_with("a nonzero") => "a whole number, 1 or more".into(),
        _ if wanted.starts_with("struct ") => "a section".into(),
        _ if wanted.starts_with("enum ") || wanted == "variant identifier" => "one of the known words".into(),
        _ => return None,
    })
}

/// The known word that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(word, known);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= 0.8).then_some(best)
}

/// `a`, `b`, `c`.
pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Takes out of foreign words whatever stands in one of the values they speak of.
pub(super) fn without_values(words: &str, values: &[&str]) -> String {
    let quotes = |c: char| c.is_whitespace() || "\"'`".contains(c);
    let quoted = |word: &str| {
        let word = word.trim_matches(|c: char| ",.:;()[]".contains(c));
        values.iter().any(|value| word == *value || (word.len() > 2 && holds(value, word)))
    };
    let mut kept = values.iter().filter(|value| value.len() > 2).fold(words.to_owned(), |kept, value| {
        kept.replace(*value, "…").replace(&value.escape_debug().to_string(), "…")
    });
    for word in words.split(quotes).filter(|word| quoted(word)) {
        kept = kept.replace(word, "…");
    }
    kept
}

fn holds(value: &str, word: &str) -> bool {
    value.contains(word) || value.escape_debug().to_string().contains(word)
}
