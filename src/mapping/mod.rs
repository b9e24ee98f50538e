//! From facts to the plan: which Personio attribute gets which value. Pure.
//!
//! [`Mapping::compile`] checks the rules once, at start; [`Mapping::plan`] applies them to one hire. A
//! customer's rule for an attribute replaces the built-in one; a source's rule replaces both.

mod rule;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::employee::{self, SYSTEM, Shape};
use crate::domain::facts::{self, Facts};
use crate::domain::{Held, NameSplit, Plan, Warning};
use rule::Rule;
pub use rule::RuleSettings;
use value::{Unfit, fit, is_unseen};

/// The rules of the configuration: `[mapping.fields]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Personio attribute → where its value comes from.
    #[serde(default)]
    pub fields: BTreeMap<String, RuleSettings>,
}

/// A rule that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct MappingError {
    /// The setting, such as `mapping.fields.office`.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a plan is made from.
#[derive(Default)]
pub struct Input<'a> {
    /// What the ATS told us.
    pub facts: Facts,
    /// The payloads that JSONPaths look into, oldest first.
    pub payloads: &'a [Value],
    /// Attributes that the source knows it could not complete.
    pub lacking: &'a [String],
    /// How the name was split.
    pub name_split: Option<NameSplit>,
    /// Whether an uncertain split is to be looked at by a person.
    pub review_split: bool,
    /// What a person changed: attribute → value, `null` to leave it out.
    pub corrections: Map<String, Value>,
    /// The marker attribute and the hire's key.
    pub marker: Option<(String, String)>,
}

/// The checked rules, in the order of attributes.
#[derive(Clone)]
pub struct Mapping {
    rules: BTreeMap<String, Rule>,
}

/// The rules of all sources, and those for hires without a source.
pub struct Mappings {
    /// For hires typed by hand, and for those of a source that is no longer configured.
    pub common: Mapping,
    /// By the source's name.
    pub by_source: BTreeMap<String, Mapping>,
}

impl Mappings {
    /// The rules for hires of this source.
    pub fn of(&self, source: &str) -> &Mapping {
        self.by_source.get(source).unwrap_or(&self.common)
    }

    /// The company's own attributes that any of the rules fills.
    pub fn own_attributes(&self) -> BTreeSet<&str> {
        self.by_source.values().chain([&self.common]).flat_map(Mapping::own_attributes).collect()
    }
}

/// The rules that need no configuration: attribute, fact, and whether its absence is worth naming.
const BUILT_IN: &[(&str, &str, Expected)] = &[
    ("email", "candidate.email", Expected::Required),
    ("first_name", "candidate.first_name", Expected::Required),
    ("last_name", "candidate.last_name", Expected::Required),
    ("preferred_name", "candidate.preferred_name", Expected::No),
    ("gender", "candidate.gender", Expected::No),
    ("position", "job.title", Expected::Yes),
    ("department", "job.department", Expected::No),
    ("office", "job.location", Expected::No),
    ("subcompany", "tenant.name", Expected::No),
    ("hire_date", "offer.start_date", Expected::Yes),
    ("weekly_working_hours", "offer.weekly_hours", Expected::No),
];

/// What it means when an attribute has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing.
    No,
    /// It is named as missing; the hire goes without it.
    Yes,
    /// The hire is held.
    Required,
}

impl Mapping {
    /// Checks the rules and lays a source's over the common ones over the built-in ones. `prefix` names
    /// the source's table in errors.
    ///
    /// # Errors
    /// Every rule that names an unknown attribute or fact or has a wrong JSONPath, with the nearest right name.
    pub fn compile(common: &Settings, source: Option<(&str, &Settings)>) -> Result<Self, Vec<MappingError>> {
        let mut rules: BTreeMap<String, Rule> = BUILT_IN
            .iter()
            .map(|(attribute, fact, expected)| ((*attribute).to_owned(), Rule::built_in(fact, *expected)))
            .collect();
        let mut errors = Vec::new();
        let own = source.map(|(name, settings)| (format!("sources.{name}.mapping.fields"), settings));
        for (prefix, settings) in [("mapping.fields".to_owned(), common)].into_iter().chain(own) {
            for (attribute, settings) in &settings.fields {
                let key = format!("{prefix}.{attribute}");
                match check_attribute(attribute).and_then(|()| Rule::compile(settings)) {
                    Ok(rule) => drop(rules.insert(attribute.clone(), rule)),
                    Err(message) => errors.push(MappingError { key, message }),
                }
            }
        }
        if errors.is_empty() { Ok(Self { rules }) } else { Err(errors) }
    }

    /// Whether any rule looks into the payload, so that a plan needs it.
    pub fn needs_payloads(&self) -> bool {
        self.rules.values().any(Rule::needs_payloads)
    }

    /// The company's own attributes that the rules fill: they must exist in Personio.
    pub fn own_attributes(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str).filter(|name| employee::is_dynamic(name))
    }

    /// Makes the plan. Never fails: what cannot be sent is held and named.
    pub fn plan(&self, input: &Input<'_>) -> Plan {
        let mut plan = Plan::default();
        for (attribute, rule) in &self.rules {
            let corrected = input.corrections.get(attribute).cloned();
            let found = corrected.unwrap_or_else(|| rule.value(&input.facts, input.payloads));
            place(&mut plan, attribute, rule.expected, &found);
        }
        for (attribute, value) in &input.corrections {
            if !self.rules.contains_key(attribute) {
                place(&mut plan, attribute, Expected::No, value);
            }
        }
        if let Some((attribute, key)) = &input.marker {
            plan.employee.set(attribute, Value::String(key.clone()));
        }
        name_what_lacks(&mut plan, input);
        judge_split(&mut plan, input);
        plan
    }
}

/// Whether `corrections` may be laid over a plan: known attributes, values of the right shape.
///
/// # Errors
/// One `(attribute, sentence)` per correction that cannot be taken.
pub fn check_corrections(corrections: &Map<String, Value>) -> Result<(), Vec<(String, String)>> {
    let wrong: Vec<_> = corrections
        .iter()
        .filter_map(|(attribute, value)| {
            let problem = check_attribute(attribute).err().or_else(|| {
                let unfit = fit(shape_of(attribute), attribute, value).err()?;
                Some(unfit.sentence().to_owned())
            });
            problem.map(|sentence| (attribute.clone(), sentence))
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn shape_of(attribute: &str) -> Shape {
    employee::shape_of(attribute).unwrap_or(Shape::Text)
}

/// Puts a value into the plan, or says why not.
fn place(plan: &mut Plan, attribute: &str, expected: Expected, found: &Value) {
    match fit(shape_of(attribute), attribute, found) {
        Ok(Some(value)) => plan.employee.set(attribute, value),
        Ok(None) => match expected {
            Expected::No => {}
            Expected::Yes => plan.missing.push(attribute.to_owned()),
            Expected::Required => {
                plan.missing.push(attribute.to_owned());
                hold(plan, Held::Missing);
            }
        },
        Err(Unfit::Unnamed) => plan.note(&format!("{attribute}_not_known")),
        Err(unfit) => {
            plan.warnings.push(Warning::about(unfit.code(), attribute, Some(found.clone())));
            hold(plan, Held::Invalid);
        }
    }
}

/// The first reason counts.
fn hold(plan: &mut Plan, why: Held) {
    plan.hold.get_or_insert(why);
}

fn name_what_lacks(plan: &mut Plan, input: &Input<'_>) {
    for attribute in input.lacking {
        let sent = plan.employee.value(attribute).is_some();
        if !sent && !plan.missing.contains(attribute) {
            plan.missing.push(attribute.clone());
        }
    }
}

/// A name that a person has typed is not split any more.
fn judge_split(plan: &mut Plan, input: &Input<'_>) {
    let typed = ["first_name", "last_name"].iter().any(|name| input.corrections.contains_key(*name));
    let whole = input.facts.text("candidate.full_name").unwrap_or_default();
    if !typed && input.name_split.is_some() && whole.chars().any(is_unseen) {
        // The split takes a line break for a space; whoever wrote one in a name meant something else.
        plan.warnings.push(Warning::about(Unfit::Control.code(), "last_name", Some(whole.into())));
        hold(plan, Held::Invalid);
    }
    match input.name_split {
        Some(NameSplit::ByParticle) if !typed => plan.note("name_split"),
        Some(NameSplit::Uncertain) if !typed => {
            let sent = plan.employee.value("last_name").cloned();
            plan.warnings.push(Warning::about("name_split", "last_name", sent));
            if input.review_split {
                hold(plan, Held::Review);
            }
        }
        _ => {}
    }
}

/// Whether Personio could have an attribute of this name; else a sentence with the nearest one.
fn check_attribute(attribute: &str) -> Result<(), String> {
    if employee::shape_of(attribute).is_some() || employee::is_dynamic(attribute) {
        return Ok(());
    }
    let nearest = SYSTEM
        .iter()
        .map(|(name, _)| (strsim::jaro_winkler(name, attribute), *name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Err(match nearest {
        Some((_, name)) => format!("Personio has no attribute `{attribute}`; did you mean `{name}`?"),
        None => format!(
            "Personio has no attribute `{attribute}`; use a system attribute ({}) or `dynamic_<number>`",
            SYSTEM.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Whether a rule may read this fact; else a sentence with the nearest one.
fn check_fact(name: &str) -> Result<(), String> {
    let custom = name.strip_prefix(facts::CUSTOM).is_some_and(|title| !title.is_empty());
    if custom || facts::kind_of(name).is_some() {
        return Ok(());
    }
    Err(match facts::nearest(name) {
        Some(nearest) => format!("there is no fact `{name}`; did you mean `{nearest}`?"),
        None => {
            format!("there is no fact `{name}`; facts look like `candidate.email` or `custom.Shirt size`")
        }
    })
}

#[cfg(test)]
mod tests;
