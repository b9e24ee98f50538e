//! What the codes mean: for each a sentence, its cause and its remedy, in English and in German.
//!
//! The sentences are in `words/*.toml`, one file a kind. A test finds the codes in the source and fails if one has no
//! words, or if there are words for a code that nobody uses.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::domain::{DocumentState, State};

mod page;

pub use page::markdown;

/// A language that the codes are explained in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English: unless another one is asked for.
    #[default]
    English,
    /// German.
    German,
}

/// What a code is a code of. One text may be a code of several kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Where a hire stands, as `name` or `name(reason)`.
    State,
    /// Something a person should look at.
    Warning,
    /// An expected thing, noted for the record.
    Note,
    /// A mark on a hire.
    Flag,
    /// Why a delivery was refused.
    Refusal,
    /// Why nothing became of a delivery.
    Ignored,
    /// What went wrong with a request.
    Problem,
    /// What more there is to say of a problem; one sentence.
    Detail,
    /// What happened to a hire; one sentence.
    History,
    /// Where a document stands, as `name` or `name(reason)`.
    Document,
    /// Why deliveries were not fetched.
    Poll,
    /// What people are told of by webhook or e-mail, and is no state of a hire.
    Notice,
}

/// The words for a code in one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What it means.
    pub says: String,
    /// How it came about.
    pub cause: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

/// A code and its words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The stable code. What a code has behind a colon (`not_read_back:office`) is not part of it.
    pub code: String,
    en: Words,
    de: Words,
}

impl Entry {
    /// Its words in this language.
    pub fn words(&self, language: Language) -> &Words {
        match language {
            Language::English => &self.en,
            Language::German => &self.de,
        }
    }
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its name as BCP 47 has it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl FromStr for Language {
    type Err = &'static str;

    /// From a tag such as `de`, `DE` or `de-AT`.
    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let known = Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary));
        known.ok_or("must be `en` or `de`")
    }
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::State,
        Self::Warning,
        Self::Note,
        Self::Flag,
        Self::Refusal,
        Self::Ignored,
        Self::Problem,
        Self::Detail,
        Self::History,
        Self::Document,
        Self::Poll,
        Self::Notice,
    ];

    /// Its name, as the API shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Flag => "flag",
            Self::Refusal => "refusal",
            Self::Ignored => "ignored",
            Self::Problem => "problem",
            Self::Detail => "detail",
            Self::History => "history",
            Self::Document => "document",
            Self::Poll => "poll",
            Self::Notice => "notice",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::State => include_str!("words/states.toml"),
            Self::Warning => include_str!("words/warnings.toml"),
            Self::Note => include_str!("words/notes.toml"),
            Self::Flag => include_str!("words/flags.toml"),
            Self::Refusal => include_str!("words/refusals.toml"),
            Self::Ignored => include_str!("words/ignored.toml"),
            Self::Problem => include_str!("words/problems.toml"),
            Self::Detail => include_str!("words/details.toml"),
            Self::History => include_str!("words/history.toml"),
            Self::Document => include_str!("words/documents.toml"),
            Self::Poll => include_str!("words/polls.toml"),
            Self::Notice => include_str!("words/notices.toml"),
        }
    }

    /// Whether its codes are one sentence, without cause and remedy.
    pub fn is_one_sentence(self) -> bool {
        matches!(self, Self::Detail | Self::History)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entry: Vec<Entry>,
}

/// Every code with its kind, in the order in which they are shown.
pub fn all() -> &'static [(Kind, Entry)] {
    static ALL: LazyLock<Vec<(Kind, Entry)>> = LazyLock::new(|| {
        let read = |kind: Kind| {
            let file: File =
                toml::from_str(kind.text()).expect("these files are part of the program, and tested");
            file.entry.into_iter().map(move |entry| (kind, entry))
        };
        Kind::ALL.into_iter().flat_map(read).collect()
    });
    &ALL
}

/// The entry of a code. What follows a colon may belong to the code or be a detail that nobody lists.
pub fn entry(kind: Kind, code: &str) -> Option<&'static Entry> {
    let known = all().iter().find(|(of, entry)| *of == kind && entry.code == code);
    match known {
        Some((_, entry)) => Some(entry),
        None => entry_before_colon(kind, code),
    }
}

fn entry_before_colon(kind: Kind, code: &str) -> Option<&'static Entry> {
    entry(kind, code.rsplit_once(':')?.0)
}

/// The words of a code, if it is known.
pub fn of(kind: Kind, code: &str, language: Language) -> Option<&'static Words> {
    entry(kind, code).map(|entry| entry.words(language))
}

/// The words of a state with its reason.
pub fn of_state(state: State, language: Language) -> &'static Words {
    let name = state.to_string();
    of(Kind::State, &name, language).expect("every state has words: a test asks for each")
}

/// The words of a document's state with its reason.
pub fn of_document(state: DocumentState, language: Language) -> &'static Words {
    let name = state.to_string();
    of(Kind::Document, &name, language).expect("every state has words: a test asks for each")
}

/// What is said of a hire: of its state, or of the warnings that it `ended` with.
pub fn of_hire(state: State, ended_with_warnings: bool, language: Language) -> &'static Words {
    if matches!(state, State::Created(_)) && ended_with_warnings {
        return of(Kind::Flag, "warnings", language).expect("every flag has words: a test asks for each");
    }
    of_state(state, language)
}

/// The sentence of a [`Kind::Detail`], with its `{places}` filled.
pub fn detail(code: &str, places: &[(&str, String)], language: Language) -> String {
    let sentence = of(Kind::Detail, code, language).expect("every detail has words: a test asks for each");
    places.iter().fold(sentence.says.clone(), |sentence, (name, value)| {
        sentence.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_all_its_words_in_both_languages() {
        for (kind, entry) in all() {
            for language in Language::ALL {
                let Words { says, cause, remedy } = entry.words(language);
                let texts: Vec<_> =
                    [Some(says), cause.as_ref(), remedy.as_ref()].into_iter().flatten().collect();
                let expected = if kind.is_one_sentence() { 1 } else { 3 };
                assert_eq!(texts.len(), expected, "{kind} {} {}", entry.code, language.tag());
                for text in texts {
                    assert!(!text.trim().is_empty() && !text.contains('|'), "{kind} {}: {text}", entry.code);
                    let ends = text.ends_with('.');
                    let is_title = *kind == Kind::Problem && text == says;
                    assert_eq!(ends, !is_title, "{kind} {}: {text}", entry.code);
                }
            }
            assert_ne!(entry.en.says, entry.de.says, "{kind} {}", entry.code);
        }
    }

    #[test]
    fn no_code_stands_twice() {
        let codes: BTreeSet<_> = all().iter().map(|(kind, entry)| (kind.name(), &entry.code)).collect();
        assert_eq!(codes.len(), all().len());
    }

    #[test]
    fn a_detail_has_the_same_places_in_both_languages() {
        let places = |text: &str| -> BTreeSet<String> {
            text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
        };
        for (kind, entry) in all() {
            if *kind == Kind::Detail {
                assert_eq!(places(&entry.en.says), places(&entry.de.says), "{}", entry.code);
            }
        }
    }

    #[test]
    fn a_code_is_found_by_what_stands_before_its_colons() {
        let found = |kind, code| entry(kind, code).map(|entry| entry.code.as_str());
        assert_eq!(found(Kind::Note, "not_read_back:department"), Some("not_read_back"));
        assert_eq!(found(Kind::Note, "restored:2027-01-04T09:12:44Z"), Some("restored"));
        assert_eq!(found(Kind::History, "called:unknown:status_502"), Some("called:unknown"));
        assert_eq!(found(Kind::Note, "no_such_note:department"), None);
        assert_eq!(found(Kind::Warning, "not_read_back"), None);
    }

    #[test]
    fn languages_are_told_by_the_first_part_of_their_tag() {
        assert_eq!("de-AT".parse(), Ok(Language::German));
        assert_eq!("EN".parse(), Ok(Language::English));
        assert!("fr".parse::<Language>().is_err() && "deu".parse::<Language>().is_err());
    }
}
