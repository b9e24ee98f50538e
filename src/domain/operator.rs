//! Who may use the API, as far as it is kept in the ledger.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use uuid::Uuid;

use super::translation::Said;

/// What an operator may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees hires and previews.
    Viewer,
    /// Corrects, sends, dismisses and links.
    Sender,
    /// Erases, checks, and lets others in.
    Admin,
}

impl Role {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Sender => "sender",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `viewer`, `sender` or `admin`")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let all = [Self::Viewer, Self::Sender, Self::Admin];
        all.into_iter().find(|role| role.name() == name).ok_or(UnknownRole)
    }
}

/// A token that was given out, without the token: whose it is, what it may do, who gave it and who took it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Its id: a UUID version 7, so that ids sort by time.
    pub id: Uuid,
    /// The operator that it lets in; one operator may have several.
    pub name: String,
    /// What it lets the operator do.
    pub role: Role,
    /// What it is for, in an admin's words.
    pub label: Option<String>,
    /// Who gave it, and when.
    pub added: Said,
    /// When it was used last, to the day.
    pub used_at: Option<Timestamp>,
    /// Who took it back, and when: from then on it lets nobody in.
    pub revoked: Option<Said>,
}

impl Pass {
    /// The day on which it was used last, in UTC.
    pub fn last_used(&self) -> Option<Date> {
        self.used_at.map(day)
    }

    /// Whether it is known that it was used on the day of this moment.
    pub fn was_used_on_the_day_of(&self, now: Timestamp) -> bool {
        self.last_used() == Some(day(now))
    }
}

fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Role::Viewer < Role::Sender && Role::Sender < Role::Admin);
    }

    #[test]
    fn a_role_is_read_by_its_name_alone() {
        for role in [Role::Viewer, Role::Sender, Role::Admin] {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("Admin".parse::<Role>(), Err(UnknownRole));
    }
}
