//! Reads the configuration: defaults, then a TOML file, then the environment; each lays over the one
//! before. Everything that is wrong is said at once, with its key and line, and never with its value.
//!
//! The settings themselves belong to the modules that obey them.

mod changes;
mod choice;
mod environment;
mod error;
mod explain;
mod fault;
mod manual;
mod place;
mod read;
mod repair;
mod schema;
mod secrets;
mod section;
mod settings;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use changes::is_live;
pub use error::{ConfigError, ConfigErrors};
pub use explain::{Explained, NoSuchKey, explain};
pub use place::Place;
pub use schema::schema;
pub use section::Source;
pub use settings::{Changes, Config};

use place::KeyPath;
use read::Reader;
use repair::Repair;
use secrets::Keeping;
use tree::{Kind, Node};

/// Every key that has a default, with one sentence about it.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// A setting that can be read but not obeyed, as found by the module it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The key, such as `sources.ashby.secrets[1]`.
    pub key: String,
    /// What is wrong, as the end of a sentence that begins with the key. Never the value.
    pub problem: String,
    /// What to do, as a sentence.
    pub remedy: String,
}

/// The address that the service listens on, as far as it can be told without reading any secret: from the
/// environment, else from `file`, else the default. A mistake elsewhere in the file does not matter: the service may
/// have been started before somebody made it.
pub fn listens_on(file: Option<&Path>) -> Option<SocketAddr> {
    let key = KeyPath::default().key("server").key("listen");
    let listen = |text: &str| match &Node::legible(text).at(&key)?.kind {
        Kind::Text(listen) => Some(listen.clone()),
        _ => None,
    };
    let set = environment().find(|(name, _)| name == "HIREBRIDGE__SERVER__LISTEN").map(|(_, value)| value);
    let set = set.or_else(|| listen(&std::fs::read_to_string(file?).ok()?)).or_else(|| listen(DEFAULTS));
    set?.parse().ok()
}

/// The environment variables of this process, for [`load`].
pub fn environment() -> impl Iterator<Item = (String, String)> {
    environment::variables()
}

/// Reads settings from `defaults`, then `file`, then those of `env` that are called
/// `HIREBRIDGE__SECTION__KEY`.
///
/// # Errors
/// Everything that is wrong, as far as it can be known at once.
pub fn load<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigErrors> {
    load_checked(defaults, file, env, |_| Vec::new())
}

/// Like [`load`]; then asks `check` what else is wrong, and adds the line to each of its objections.
///
/// # Errors
/// Everything that is wrong, as far as it can be known at once. `check` is asked only if all could be read.
pub fn load_checked<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    check: impl FnOnce(&T) -> Vec<Objection>,
) -> Result<T, ConfigErrors> {
    settled(defaults, file, &env.collect(), check).map(|(settings, _)| settings)
}

/// The settings, and the tree that they were read from.
fn settled<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    variables: &BTreeMap<String, String>,
    check: impl FnOnce(&T) -> Vec<Objection>,
) -> Result<(T, Node), ConfigErrors> {
    let mut errors = Vec::new();
    let (defaults, mut tree) = layers(defaults, file, variables, &mut errors)?;
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    Keeping { variables, folder }.fill(&mut tree, &KeyPath::default(), &mut errors);
    let settings = settle(&mut tree, &Repair { defaults: &defaults, file }, &mut errors);
    ConfigErrors::unless_none(errors)?;
    let settings: T = settings.expect("what cannot be read is reported");
    let objections = check(&settings).into_iter().map(|objection| placed(&tree, objection)).collect();
    ConfigErrors::unless_none(objections)?;
    Ok((settings, tree))
}

/// Where the setting that is shown as `key` stands, for what is found wrong with it only when it is obeyed.
pub fn place(file: Option<&Path>, env: impl Iterator<Item = (String, String)>, key: &str) -> Place {
    let variables = env.collect();
    let tree = layers(DEFAULTS, file, &variables, &mut Vec::new());
    tree.map_or(Place::Default, |(_, tree)| tree.place_called(key).clone())
}

/// The defaults, and the same with the file and the environment laid over them.
fn layers(
    defaults: &str,
    file: Option<&Path>,
    variables: &BTreeMap<String, String>,
    errors: &mut Vec<ConfigError>,
) -> Result<(Node, Node), ConfigErrors> {
    let defaults = Node::parse(defaults, |_| Place::Default).ok().expect("the built-in defaults are TOML");
    let mut tree = defaults.clone();
    if let Some(path) = file {
        tree.lay(read_file(path)?);
    }
    environment::lay_over(&mut tree, variables, errors);
    Ok((defaults, tree))
}

/// Reads the settings; what is wrong is reported and mended until all was read, or no more can be.
fn settle<T: DeserializeOwned>(
    tree: &mut Node,
    repair: &Repair<'_>,
    errors: &mut Vec<ConfigError>,
) -> Option<T> {
    /// More than anybody wants to read at once.
    const MOST_ERRORS: usize = 100;
    while errors.len() <= MOST_ERRORS {
        match T::deserialize(Reader(tree)) {
            Ok(settings) => return Some(settings),
            Err(fault) => {
                if !repair.mend(tree, fault, errors) {
                    return None;
                }
            }
        }
    }
    None
}

fn read_file(path: &Path) -> Result<Node, ConfigErrors> {
    let shared: Arc<Path> = path.into();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let problem = format!("cannot be read: {error}");
        let remedy = "Name a file that can be with `--config` or HIREBRIDGE_CONFIG.".into();
        let place = Place::File(Arc::clone(&shared));
        ConfigErrors::of([ConfigError { key: String::new(), place, problem, remedy }])
    })?;
    Node::parse(&text, |line| Place::Line(Arc::clone(&shared), line)).map_err(|errors| {
        ConfigErrors::of(errors.into_iter().map(|error| ConfigError {
            key: String::new(),
            place: Place::Line(Arc::clone(&shared), error.line),
            problem: format!("is no TOML at column {}: {}", error.column, error.problem),
            remedy: String::new(),
        }))
    })
}

fn placed(tree: &Node, objection: Objection) -> ConfigError {
    let Objection { key, problem, remedy } = objection;
    ConfigError { place: tree.place_called(&key).clone(), key, problem, remedy }
}
