//! Where a setting stands: its key, and the line or the variable that set it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody: it is hirebridge's own default.
    Default,
    /// This line of the configuration file, counted from 1.
    Line(Arc<Path>, usize),
    /// The configuration file as a whole.
    File(Arc<Path>),
    /// The environment variable of this name.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("configuration"),
            Self::Line(path, line) => write!(f, "{}:{line}", path.display()),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One step from a section to what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the root of the configuration to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyPath(Vec<Step>);

impl KeyPath {
    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// This path as seen from one step further out.
    pub(super) fn within(mut self, step: Step) -> Self {
        self.0.insert(0, step);
        self
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path to what contains this value, and the last step.
    pub(super) fn split_last(&self) -> Option<(Self, &Step)> {
        self.0.split_last().map(|(last, rest)| (Self(rest.to_vec()), last))
    }

    /// Whether it leads into a mapping: values there are the customer's words, not settings.
    pub(super) fn in_mapping(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Key(key) if key == "mapping"))
    }

    /// The environment variable that sets this value, if one can.
    pub(super) fn variable(&self) -> Option<String> {
        if self.in_mapping() {
            return None;
        }
        let mut name = "HIREBRIDGE".to_owned();
        for step in &self.0 {
            let Step::Key(key) = step else { return None };
            name = format!("{name}__{}", key.to_uppercase().replace('-', "_"));
        }
        Some(name)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => write!(f, "{}{key}", if n == 0 { "" } else { "." })?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
