//! What is known of an ATS before there is a source of it.

use bytesize::ByteSize;

use super::settings::{Mistakes, Settings};
use super::{AtsSource, KINDS, generic};
use crate::outbound::Guard;

/// One ATS in the list.
pub(super) struct Kind {
    /// What `kind = "…"` says.
    pub(super) name: &'static str,
    /// Makes a source of it; the mistakes it finds are added to the others.
    pub(super) build: Build,
    /// In what it differs from the plainest.
    pub(super) traits: &'static [Trait],
    /// The largest body, if it is not the usual one.
    pub(super) body_limit: Option<ByteSize>,
}

/// Makes a source of its settings.
type Build = fn(&Settings, &Guard, &mut Mistakes) -> Option<Box<dyn AtsSource>>;

/// In what an ATS differs from one whose webhook says everything, and is signed in its own way with a secret that is
/// known from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trait {
    /// It has an API that we ask, so that a key to it is of use.
    Api,
    /// Its API has to be told the account.
    ApiOfAccount,
    /// Its files can be had with a key to its API alone.
    FilesNeedKey,
    /// `[sources.NAME.signature]` says how it signs.
    SignatureByOperator,
    /// It makes its secret itself, after the running service has answered its test.
    SecretComesLater,
    /// Its deliveries can be fetched as well.
    Polled,
    /// It can be told that a hire is in Personio.
    TakesNotes,
}

impl Kind {
    /// The plainest.
    pub(super) const fn of(name: &'static str, build: Build) -> Self {
        Self { name, build, traits: &[], body_limit: None }
    }

    pub(super) fn has(&self, one: Trait) -> bool {
        self.traits.contains(&one)
    }
}

/// What `kind = "…"` may say.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Those of them that are a vendor's, and need no more than a secret.
pub fn vendors() -> impl Iterator<Item = &'static str> {
    kinds().filter(|kind| ![generic::KIND.name, generic::STANDARD.name].contains(kind))
}

/// Whether this kind of ATS is so.
pub fn has(kind: &str, one: Trait) -> bool {
    KINDS.iter().any(|known| known.name == kind && known.has(one))
}
