//! What is doubtful about the rules themselves, before any hire: they are held against what Personio has.

use serde_json::Value;

use super::rule::Rule;
use super::value::{fit, tags};
use super::{Mapping, label};
use crate::domain::Catalog;
use crate::domain::catalog::{NAMED, NoAttribute, Verdict};
use crate::domain::employee::{Shape, is_dynamic};
use crate::domain::facts::{self, Kind};

/// Something about a rule that does not go with what Personio has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The rule's place in the configuration: `mapping.fields.office`.
    pub key: String,
    /// What is doubtful.
    pub what: What,
}

/// What may be doubtful about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Personio does not list the attribute of this key.
    NotListed,
    /// No attribute of the company's own has this label; these are like it.
    NoLabel(Vec<String>),
    /// Several attributes have this label; their keys.
    Several(Vec<String>),
    /// No value of this fact fits the attribute.
    Type {
        /// The fact.
        fact: String,
        /// What the attribute takes, in words.
        takes: &'static str,
    },
    /// A value that stands in the configuration does not fit the attribute.
    Unfit {
        /// The value.
        value: String,
        /// What is wrong with it, as the end of a sentence.
        wrong: &'static str,
    },
    /// A value that stands in the configuration is not known in Personio.
    Unknown {
        /// The value.
        value: String,
        /// What is known, the likeliest first.
        options: Vec<String>,
        /// Whether Personio has nothing else.
        complete: bool,
    },
}

impl Mapping {
    /// What is doubtful about these rules, as far as is known of Personio.
    pub fn doubts(&self, catalog: &Catalog) -> Vec<Doubt> {
        let doubts = |(name, rule): (&String, &Rule)| {
            let found = match attribute(name, catalog) {
                Ok(Some(attribute)) => of_rule(&attribute, rule, catalog),
                Ok(None) => Vec::new(),
                Err(what) => vec![what],
            };
            let key = rule.key(name);
            found.into_iter().map(move |what| Doubt { key: key.clone(), what })
        };
        self.rules.iter().flat_map(doubts).collect()
    }

    /// Whether the configuration has a rule for this attribute.
    pub fn rules(&self, attribute: &str) -> bool {
        self.rules.get(attribute).is_some_and(|rule| !rule.built_in)
    }

    /// The attributes that Personio has in every company and that the rules fill.
    pub fn system_attributes(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str).filter(|name| label(name).is_none() && !is_dynamic(name))
    }

    /// The titles of the ATS's custom fields that the rules read.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.rules.values().flat_map(Rule::facts).filter_map(|fact| fact.strip_prefix(facts::CUSTOM))
    }
}

/// The key of the attribute that a rule is for; none if nobody can say.
fn attribute(name: &str, catalog: &Catalog) -> Result<Option<String>, What> {
    match label(name).map(|label| catalog.labelled(label)) {
        Some(Ok(own)) => Ok(Some(own.key.clone())),
        Some(Err(NoAttribute::Unchecked)) => Ok(None),
        Some(Err(NoAttribute::Several(keys))) => Err(What::Several(keys)),
        Some(Err(NoAttribute::Unknown(labels))) => Err(What::NoLabel(labels)),
        None if !is_dynamic(name) => Ok(Some(name.to_owned())),
        None if catalog.attributes.is_none() => Ok(None),
        None if catalog.attribute(name).is_none() => Err(What::NotListed),
        None => Ok(Some(name.to_owned())),
    }
}

fn of_rule(attribute: &str, rule: &Rule, catalog: &Catalog) -> Vec<What> {
    let shape = catalog.shape(attribute);
    let never = |fact: &&str| facts::kind_of(fact).is_some_and(|kind| !may_fit(kind, shape));
    // A table may make anything of anything.
    let wrong = rule.facts().filter(|_| !rule.has_table()).filter(never);
    let wrong = wrong.map(|fact| What::Type { fact: fact.to_owned(), takes: takes(shape) });
    let options = catalog.attribute(attribute).map(|known| known.options.as_slice()).unwrap_or_default();
    let written = rule.written_values().flat_map(|value| match fit(shape, attribute, &value, options) {
        Ok(Some(value)) => unknown(attribute, shape, &value, &rule.known_values, catalog),
        Ok(None) => Vec::new(),
        Err(unfit) => vec![What::Unfit { value: plain(&value), wrong: unfit.sentence() }],
    });
    // Names that nobody carries yet are what `known_values` is for; options are all there.
    let listed = rule.known_values.iter().filter(|_| !NAMED.contains(&attribute));
    let listed = listed.flat_map(|known| unknown(attribute, shape, &known.as_str().into(), &[], catalog));
    wrong.chain(written).chain(listed).collect()
}

fn unknown(attribute: &str, shape: Shape, value: &Value, known: &[String], catalog: &Catalog) -> Vec<What> {
    let text = value.as_str().unwrap_or_default();
    let parts: Vec<_> = if shape == Shape::Tags { tags(text).collect() } else { vec![text] };
    let judged = parts.into_iter().map(|part| (part, catalog.judge(attribute, part, known)));
    judged
        .filter_map(|(part, verdict)| match verdict {
            Verdict::Unknown { offered, .. } => Some(What::Unknown {
                value: part.to_owned(),
                options: offered,
                complete: !NAMED.contains(&attribute),
            }),
            _ => None,
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether any value of a fact of this kind could fit.
fn may_fit(kind: Kind, shape: Shape) -> bool {
    match (kind, shape) {
        (Kind::Emails, _) => false,
        // A list of one is one.
        (_, Shape::Text | Shape::Lines | Shape::Option | Shape::Tags)
        | (Kind::List, _)
        | (Kind::Date, Shape::Date) => true,
        (Kind::Date, _) => false,
        (Kind::Number, shape) => matches!(shape, Shape::Number | Shape::Integer),
        // An id may be a number.
        (Kind::Text, shape) => shape != Shape::Date,
    }
}

fn takes(shape: Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Lines => "text",
        Shape::Date => "a date",
        Shape::Number => "a number",
        Shape::Integer => "a whole number",
        Shape::Option => "one of its options",
        Shape::Tags => "some of its options",
        Shape::Gender => "male, female or diverse",
        Shape::Status => "onboarding, active, leave or inactive",
    }
}
