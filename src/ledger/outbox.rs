//! The outbox: what people are to be told, until it was told. Kept so that nothing is told twice, and nothing forgotten
//! over a restart.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::LedgerError;
use crate::domain::HireId;

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A hire.
    Hire(HireId),
    /// Something of the service's own: `personio`, the name of a source.
    Service(String),
}

impl Subject {
    /// Begins the name of what is not a hire, so that it cannot have the bytes of an id.
    const SERVICE: &[u8] = b"service of its own ";

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Hire(id) => id.0.as_bytes().to_vec(),
            Self::Service(name) => [Self::SERVICE, name.as_bytes()].concat(),
        }
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes.strip_prefix(Self::SERVICE) {
            Some(name) => Self::Service(String::from_utf8_lossy(name).into_owned()),
            None => Self::Hire(HireId(Uuid::from_slice(bytes).unwrap_or_default())),
        }
    }
}

/// Something that is to be told by one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its id, by which whoever gets it twice can tell.
    pub id: Uuid,
    /// What it is about.
    pub subject: Subject,
    /// Why: a state with its reason, or a code. There is one notice for each of a subject.
    pub about: String,
    /// By which channel.
    pub channel: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it came up.
    pub at: Timestamp,
}

/// Of which hires somebody wants to be told.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes, each of which stands for itself")]
pub struct Wanted {
    /// Of those that wait for a person.
    pub held: bool,
    /// Of those of which it is not known whether Personio has created them.
    pub unknown: bool,
    /// Of those that were created, and something about them is to be looked at.
    pub warnings: bool,
    /// Of those with a document that did not get to Personio, or may not have.
    pub document_failed: bool,
    /// Of all that were created.
    pub created: bool,
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It arrived.
    Sent,
    /// It did not, and is tried again then.
    Again(Timestamp),
    /// It did not, and is not tried any more.
    GivenUp,
}

impl Told {
    pub(super) fn columns(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Sent => ("sent", None),
            Self::Again(at) => ("pending", Some(at.as_millisecond())),
            Self::GivenUp => ("given_up", None),
        }
    }
}

/// What keeps notices. One implementation per engine; the same story is tested on each.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Hires and documents of them that changed since then into something that is `wanted`, each with the reason, of
    /// which there is no notice by this channel yet. What a person took off the list is left out.
    async fn noteworthy(
        &self,
        wanted: Wanted,
        channel: &str,
        since: Timestamp,
    ) -> Result<Vec<(HireId, String)>, LedgerError>;

    /// Keeps notices to be sent at once; those of which there is one already are passed over.
    async fn post(&self, notices: &[Notice]) -> Result<(), LedgerError>;

    /// Notices of a channel whose time has come, the longest due first.
    async fn to_send(&self, channel: &str, now: Timestamp, limit: usize) -> Result<Vec<Notice>, LedgerError>;

    /// Takes one on as the next try; until `until` nobody else does. `false` if somebody else has.
    async fn claim(&self, notice: &Notice, until: Timestamp) -> Result<bool, LedgerError>;

    /// Notes what became of it.
    async fn told(&self, notice: Uuid, how: Told) -> Result<(), LedgerError>;
}

/// How many are found at a time.
pub(super) const AT_A_TIME: i64 = 200;

/// What hires and documents there are to be told of, in the SQL of both engines; `$1` since when, `$2` to `$6` what is
/// wanted, `$7` the channel, `$8` how many.
macro_rules! noteworthy {
    ($subject:literal) => {
        concat!(
            "SELECT id, about FROM ( \
               SELECT id, state || coalesce('(' || reason || ')', '') AS about FROM hires \
                 WHERE state IN ('held', 'unknown', 'created') AND updated_at >= $1 \
                   AND flags NOT LIKE '%\"dismissed\":true%' \
                   AND (($2 AND state = 'held') OR ($3 AND state = 'unknown') OR ($4 AND state = 'created')) \
               UNION ALL \
               SELECT id, 'warnings' FROM hires \
                 WHERE state IN ('held', 'unknown', 'created') AND updated_at >= $1 \
                   AND flags NOT LIKE '%\"dismissed\":true%' AND $5 AND state = 'created' \
                   AND (flags LIKE '%\"warnings\":true%' OR flags LIKE '%\"double\":true%' OR \
                     (flags LIKE '%\"unhired\":true%' AND flags NOT LIKE '%\"unhire_overruled\":true%')) \
               UNION ALL \
               SELECT hire, 'document_failed' FROM documents \
                 WHERE state IN ('failed', 'unknown') AND updated_at >= $1 AND $6 GROUP BY hire \
             ) AS found WHERE NOT EXISTS ( \
               SELECT 1 FROM notices WHERE subject = ",
            $subject,
            " AND notices.about = found.about AND channel = $7) ORDER BY id LIMIT $8"
        )
    };
}
pub(super) use noteworthy;
