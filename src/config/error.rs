//! What is wrong with a configuration, in words that never show a value.

use std::fmt;

use super::Place;

/// One thing that is wrong. Never holds a value, which could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, such as `personio.client_secret`; empty if it is about the whole file.
    pub key: String,
    /// Who set it.
    pub place: Place,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub problem: String,
    /// What to do, as a sentence; may be empty.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "`{}` ", self.key)?;
        }
        write!(f, "{}", self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, ". {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Sorted by line; what has no line comes last.
    pub(super) fn of(errors: impl IntoIterator<Item = ConfigError>) -> Self {
        let mut errors = Vec::from_iter(errors);
        errors.sort_by_key(|error| match error.place {
            Place::Line(_, line) => line,
            _ => usize::MAX,
        });
        Self(errors)
    }

    /// `Ok` if nothing is wrong.
    pub(super) fn unless_none(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self::of(errors)) }
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}
