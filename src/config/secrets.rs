//! Puts the secrets in the place of what points to them, and refuses texts that cannot be meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::place::KeyPath;
use super::tree::{Kind, Node};

/// Where secrets are looked for.
pub(super) struct Keeping<'a> {
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
}

/// What is wrong, and what to do.
type Refusal = (String, String);

impl Keeping<'_> {
    /// Replaces every `{ env = … }` and `{ file = … }` outside mappings by the text it points to. What is
    /// refused is reported and becomes a filling.
    pub(super) fn fill(&self, node: &mut Node, path: &KeyPath, errors: &mut Vec<ConfigError>) {
        let is_secret = node.is_reference() && !path.in_mapping();
        let meant = match &mut node.kind {
            Kind::Table(_) if is_secret => self.secret(node).map(Some),
            Kind::Text(text) | Kind::Loose(text) => meant(text, path).map(|()| None),
            Kind::Table(entries) => {
                for (key, child) in entries {
                    self.fill(child, &path.key(key), errors);
                }
                return;
            }
            Kind::List(items) => {
                for (index, child) in items.iter_mut().enumerate() {
                    self.fill(child, &path.index(index), errors);
                }
                return;
            }
            _ => return,
        };
        match meant {
            Ok(None) => {}
            Ok(Some(secret)) => node.kind = Kind::Loose(secret),
            Err((problem, remedy)) => {
                errors.push(ConfigError {
                    key: path.to_string(),
                    place: node.place.clone(),
                    problem,
                    remedy,
                });
                node.kind = Kind::Filling(0);
            }
        }
    }

    fn secret(&self, node: &Node) -> Result<String, Refusal> {
        let (kind, pointer) = node.reference().expect("the caller saw that it is a reference");
        meant(pointer, &KeyPath::default())?;
        if kind == "env" { self.variable(pointer) } else { self.file(pointer) }
    }

    fn variable(&self, name: &str) -> Result<String, Refusal> {
        let shown = if is_variable_name(name) { name } else { "it names" };
        let Some(value) = self.variables.get(name) else {
            let problem = format!("is to come from the environment variable {shown}, which is not set");
            let remedy =
                "Set it where hirebridge is started; `{ env = … }` takes a variable's name, not a secret.";
            return Err((problem, remedy.to_owned()));
        };
        text(value).ok_or_else(|| {
            (
                format!("comes from the environment variable {shown}, which is empty"),
                "Set it to the secret.".into(),
            )
        })
    }

    fn file(&self, pointer: &str) -> Result<String, Refusal> {
        let path = self.locate(pointer);
        let content = std::fs::read_to_string(&path).map_err(|error| {
            let problem =
                format!("is to come from the file {}, which cannot be read: {error}", path.display());
            (problem, "Check the path, and that the user hirebridge runs as may read the file.".to_owned())
        })?;
        text(&content).ok_or_else(|| {
            (
                format!("comes from the file {}, which is empty", path.display()),
                "Write the secret into it.".into(),
            )
        })
    }

    /// Beside the configuration file, else where systemd puts credentials.
    fn locate(&self, pointer: &str) -> PathBuf {
        let beside = self.folder.join(pointer);
        if beside.exists() || Path::new(pointer).is_absolute() {
            return beside;
        }
        let credential =
            self.variables.get("CREDENTIALS_DIRECTORY").map(|folder| Path::new(folder).join(pointer));
        credential.filter(|path| path.exists()).unwrap_or(beside)
    }
}

/// A secret without the line end that editors and `echo` leave; none if nothing is left.
fn text(value: &str) -> Option<String> {
    let value = value.trim_end_matches(['\r', '\n']);
    (!value.trim().is_empty()).then(|| value.to_owned())
}

/// Refuses an empty text, and one in which `${VAR}` was left in the hope that somebody replaces it.
fn meant(text: &str, path: &KeyPath) -> Result<(), Refusal> {
    if let Some(name) = placeholder(text) {
        let problem = format!("holds a literal ${{{name}}}, which hirebridge does not replace");
        return Err((problem, format!("Write `{{ env = \"{name}\" }}` in place of the text.")));
    }
    if text.trim().is_empty() && !path.in_mapping() {
        return Err(("is empty".into(), "Give it a value, or leave it out if it is optional.".into()));
    }
    Ok(())
}

/// `VAR` of the first `${VAR}`.
fn placeholder(text: &str) -> Option<&str> {
    text.split("${").skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(name)
    })
}

/// Whether it looks like a variable's name. Anything else may be a secret in the wrong place: not shown.
fn is_variable_name(name: &str) -> bool {
    name.len() <= 64
        && name.contains(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
