//! Reports what is wrong with a tree and mends it, so that reading can go on to the next thing.

use std::path::Path;

use super::fault::{Fault, Problem, list, nearest, without_values};
use super::place::{KeyPath, Step};
use super::read::has_filling;
use super::tree::{Kind, Node};
use super::{ConfigError, Place};

/// What is needed to say what to do, and to go on.
pub(super) struct Repair<'a> {
    pub(super) defaults: &'a Node,
    /// The configuration file, if there is one.
    pub(super) file: Option<&'a Path>,
}

impl Repair<'_> {
    /// Reports `fault` and mends `tree`. False if reading cannot go on.
    pub(super) fn mend(&self, tree: &mut Node, fault: Fault, errors: &mut Vec<ConfigError>) -> bool {
        let Fault { path, problem } = fault;
        if let Some(filling) = filling_at(tree, &path) {
            let Kind::Filling(n) = &mut filling.kind else { return false };
            *n += 1;
            return has_filling(*n);
        }
        let (key, words, remedy) = self.words(tree, &path, &problem);
        let place = self.place(tree, &key, &problem);
        errors.push(ConfigError { key: key.to_string(), place, problem: words, remedy });
        match problem {
            Problem::UnknownKey(..) | Problem::WrongKey(_) => remove(tree, &key),
            Problem::MissingKey(_) => fill(tree, &key, Kind::Filling(0)),
            Problem::Wrong(_) | Problem::Foreign(_) => {
                let default = self.defaults.at(&key).filter(|_| *tree.place(&key) != Place::Default);
                fill(tree, &key, default.map_or(Kind::Filling(0), |node| node.kind.clone()))
            }
        }
    }

    /// The key it is about, what is wrong with it, what to do.
    fn words(&self, tree: &Node, path: &KeyPath, problem: &Problem) -> (KeyPath, String, String) {
        match problem {
            Problem::UnknownKey(key, known) => {
                let remedy = match nearest(key, known) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None if known.is_empty() => String::new(),
                    None => format!("Known here: {}.", list(known)),
                };
                (path.key(key), "is not a known key".into(), remedy)
            }
            Problem::MissingKey(key) => {
                let key_path = path.key(key);
                let remedy = self.how_to_set(&key_path, path, key);
                (key_path, "is missing".into(), remedy)
            }
            Problem::WrongKey(words) => (path.clone(), key_words(path, words), String::new()),
            Problem::Wrong(words) => (path.clone(), words.clone(), Self::how_to_mend(tree, path, words)),
            Problem::Foreign(words) => {
                let mut values = Vec::new();
                if let Some(node) = tree.at(path) {
                    node.texts(&mut |text| values.push(text));
                }
                (path.clone(), without_values(words, &values), String::new())
            }
        }
    }

    fn how_to_set(&self, key_path: &KeyPath, section: &KeyPath, key: &str) -> String {
        let place = match (section.steps(), section.split_last()) {
            ([], _) => format!("a section or key `{key}`"),
            (_, Some((list, Step::Index(_)))) => format!("`{key} = …` to that `[[{list}]]`"),
            _ => format!("`{key} = …` under `[{section}]`"),
        };
        let file = match self.file {
            Some(_) => String::new(),
            None => " in a configuration file, named with `--config`".to_owned(),
        };
        match key_path.variable() {
            Some(variable) => format!("Add {place}{file}, or set the environment variable {variable}."),
            None => format!("Add {place}{file}."),
        }
    }

    fn how_to_mend(tree: &Node, path: &KeyPath, words: &str) -> String {
        match tree.at(path).map(|node| &node.kind) {
            Some(Kind::Table(entries)) if entries.contains_key("env") || entries.contains_key("file") => {
                "A secret is text, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`, and nothing beside it."
                    .into()
            }
            Some(Kind::Loose(_)) if words.starts_with("must be a section") => {
                "Sections are written in the configuration file.".into()
            }
            _ => String::new(),
        }
    }

    /// Where it stands; for what is missing: the section that lacks it, or else the file.
    fn place(&self, tree: &Node, key: &KeyPath, problem: &Problem) -> Place {
        let place = tree.place(key).clone();
        match (problem, self.file) {
            (Problem::MissingKey(_), Some(file)) if place == Place::Default => Place::File(file.into()),
            _ => place,
        }
    }
}

fn key_words(path: &KeyPath, words: &str) -> String {
    let words = match path.steps().last() {
        Some(Step::Key(key)) => without_values(words, &[key]),
        _ => words.to_owned(),
    };
    format!("is no name that can stand here: it {words}")
}

/// The filling on the way to `path`, if one was put there before.
fn filling_at<'t>(tree: &'t mut Node, path: &KeyPath) -> Option<&'t mut Node> {
    let mut way = KeyPath::default();
    for step in path.steps() {
        way = match step {
            Step::Key(key) => way.key(key),
            Step::Index(index) => way.index(*index),
        };
        if matches!(tree.at(&way)?.kind, Kind::Filling(_)) {
            return tree.at_mut(&way);
        }
    }
    None
}

fn remove(tree: &mut Node, path: &KeyPath) -> bool {
    let Some((parent, Step::Key(key))) = path.split_last() else { return false };
    match tree.at_mut(&parent).map(|node| &mut node.kind) {
        Some(Kind::Table(entries)) => entries.remove(key).is_some(),
        _ => false,
    }
}

fn fill(tree: &mut Node, path: &KeyPath, kind: Kind) -> bool {
    let Some((parent, last)) = path.split_last() else { return false };
    let filled = Node { kind, place: Place::Default };
    match (tree.at_mut(&parent).map(|node| &mut node.kind), last) {
        (Some(Kind::Table(entries)), Step::Key(key)) => {
            entries.insert(key.clone(), filled);
            true
        }
        (Some(Kind::List(items)), Step::Index(index)) if *index < items.len() => {
            items[*index] = filled;
            true
        }
        _ => false,
    }
}
