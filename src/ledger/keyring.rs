//! The keyring: tokens that were given out, and browsers that are signed in.
//!
//! Neither a token nor its hash is kept, but a keyed hash of that, a [`Mark`]. Whoever asks does not know the key, so
//! that how long a look-up takes tells nothing about what is stored.

use std::fmt;

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::Timestamp;
use uuid::Uuid;

use super::LedgerError;
use super::row::time;
use super::seal::Seal;
use crate::domain::{Pass, Said};

/// What a token, or what is in a cookie, is recognised by: a keyed hash of its SHA-256.
#[derive(Clone)]
pub struct Mark(pub(super) Vec<u8>);

impl Mark {
    pub(super) fn of(sha256: &[u8; 32], seal: &Seal) -> Self {
        Self(seal.hash(&format!("token {}", hex::encode(sha256))))
    }

    /// Whether it is the same, in a time that does not depend on it.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

/// Nothing of it.
impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The token that it was signed in with: without it, the session is worth nothing.
    pub token: Mark,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Which passes.
#[derive(Clone, Debug)]
pub enum Which {
    /// All of the operator of this name, spelt in whatever case.
    Of(String),
    /// The one with this id.
    One(Uuid),
}

impl Which {
    /// Its two columns: name and id.
    pub(super) fn columns(&self) -> (Option<&str>, Option<Uuid>) {
        match self {
            Self::Of(name) => (Some(name), None),
            Self::One(id) => (None, Some(*id)),
        }
    }
}

/// What keeps passes and sessions. One implementation per engine; the same story is tested on each.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// What a token with this hash is recognised by.
    fn mark(&self, sha256: &[u8; 32]) -> Mark;

    /// Keeps a pass for whoever shows the token. Durable when it returns.
    async fn add_pass(&self, pass: &Pass, token: &Mark) -> Result<(), LedgerError>;

    /// All passes, oldest first, with those that were revoked.
    async fn passes(&self) -> Result<Vec<Pass>, LedgerError>;

    /// The pass of this token, unless it was revoked.
    async fn pass(&self, token: &Mark) -> Result<Option<Pass>, LedgerError>;

    /// Whether the operator of this name, spelt in whatever case, has a pass that was not revoked.
    async fn has_pass(&self, name: &str) -> Result<bool, LedgerError>;

    /// Revokes passes, and ends their sessions in the same commit. Returns those that were not revoked before.
    /// Durable when it returns.
    async fn revoke_passes(&self, which: &Which, by: &Said) -> Result<Vec<Pass>, LedgerError>;

    /// Notes when a pass was used last.
    async fn used(&self, pass: Uuid, at: Timestamp) -> Result<(), LedgerError>;

    /// Keeps a session, and forgets those that have ended by themselves. Durable when it returns.
    async fn open_session(&self, cookie: &Mark, session: &Session, now: Timestamp)
    -> Result<(), LedgerError>;

    /// The session of this cookie, unless it has ended.
    async fn session(&self, cookie: &Mark, now: Timestamp) -> Result<Option<Session>, LedgerError>;

    /// Ends the session of this cookie. Durable when it returns.
    async fn end_session(&self, cookie: &Mark) -> Result<(), LedgerError>;
}

/// The columns that an engine reads, in this order.
pub(super) const COLUMNS: &str = "id, name, role, label, added_at, added_by, used_at, revoked_at, revoked_by";

/// A row of `passes`.
pub(super) struct PassRow {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    pub label: Option<String>,
    pub added_at: i64,
    pub added_by: String,
    pub used_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub revoked_by: Option<String>,
}

impl PassRow {
    pub(super) fn open(self) -> Result<Pass, LedgerError> {
        let Self { id, name, label, .. } = self;
        let role = self.role.parse().map_err(|_| LedgerError::Damaged(format!("pass {id}")))?;
        let said = |(at, by)| Said { by, at: time(at) };
        Ok(Pass {
            id,
            name,
            role,
            label,
            added: said((self.added_at, self.added_by)),
            used_at: self.used_at.map(time),
            revoked: self.revoked_at.zip(self.revoked_by).map(said),
        })
    }
}
