//! Files at an ATS: what they are, and how to get at them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a file is. The names are those of the configuration and of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// The CV.
    Resume,
    /// An offer as it was written.
    OfferLetter,
    /// An offer that was signed.
    SignedOffer,
    /// Another document that was signed electronically.
    ESignature,
    /// A letter to the employer.
    CoverLetter,
    /// Any other file of the candidate's.
    Other,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Resume,
        Self::OfferLetter,
        Self::SignedOffer,
        Self::ESignature,
        Self::CoverLetter,
        Self::Other,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::OfferLetter => "offer_letter",
            Self::SignedOffer => "signed_offer",
            Self::ESignature => "e_signature",
            Self::CoverLetter => "cover_letter",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file at the ATS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The ATS's id of it; of one that has none, a hash of its content.
    pub id: String,
    /// What it is.
    pub kind: DocumentKind,
    /// Its name at the ATS, as it came.
    pub name: String,
    /// Its date, as the ATS says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// How to get at it.
    pub place: Place,
}

impl File {
    /// The same without what is in it, where that came along.
    #[must_use]
    pub fn without_content(&self) -> Self {
        let place = match &self.place {
            Place::Inline(_) => Place::Inline(String::new()),
            other => other.clone(),
        };
        Self { place, ..self.clone() }
    }
}

/// How to get at a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The ATS's API gives a link for this handle.
    Handle(String),
    /// A link that needs no key; some live 30 seconds.
    Link(String),
    /// A link that is opened with the ATS's key.
    KeyedLink(String),
    /// It came with the delivery, in Base64.
    Inline(String),
}

/// The kind only: names, links and content are personal.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.kind)
    }
}

/// What kind of place: links are secrets.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handle(_) => "Handle",
            Self::Link(_) => "Link",
            Self::KeyedLink(_) => "KeyedLink",
            Self::Inline(_) => "Inline",
        })
    }
}

/// Adds files to those that are known: each once, by its id. A kind that says more replaces one that says less, and a
/// newer place an older one, since links die. Whether anything is new.
pub fn gather(known: &mut Vec<File>, more: impl IntoIterator<Item = File>) -> bool {
    let before = known.clone();
    for file in more {
        match known.iter_mut().find(|one| one.id == file.id) {
            None => known.push(file),
            Some(one) => {
                let kind = one.kind.closer(file.kind);
                *one = File { kind, date: file.date.or(one.date.take()), ..file };
            }
        }
    }
    *known != before
}

impl DocumentKind {
    /// Of two kinds that a file is said to be, the one that says more.
    #[must_use]
    pub fn closer(self, other: Self) -> Self {
        let says = |kind: Self| match kind {
            Self::Other => 0,
            Self::ESignature => 1,
            Self::Resume | Self::CoverLetter | Self::OfferLetter => 2,
            Self::SignedOffer => 3,
        };
        if says(other) > says(self) { other } else { self }
    }
}
