//! From facts to the plan: which Personio attribute gets which value. Pure.
//!
//! [`Mapping::compile`] checks the rules once, at start; [`Mapping::plan`] applies them to one hire. A
//! customer's rule for an attribute replaces the built-in one; a source's rule replaces both.

mod doubt;
mod draft;
mod filing;
mod filter;
mod origin;
mod rule;
mod template;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::employee::{self, SYSTEM, Shape};
use crate::domain::facts::{self, Facts};
use crate::domain::{Catalog, DocumentKind, File, NameSplit, Plan, Translation};
pub use doubt::{Doubt, What};
use draft::Draft;
pub use filing::{Drawer, Filing, FilingSettings};
pub use filter::{FilterSettings, Filters};
pub use rule::RuleSettings;
use rule::{COMMON, Rule};
use value::fit;

/// The rules of the configuration: `[mapping.fields]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Personio attribute, by its name or its label there → where its value comes from.
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
#[derive(Clone)]
pub struct Input<'a> {
    /// What Personio knows.
    pub catalog: &'a Catalog,
    /// The day on which the ATS told us of the hire.
    pub received: Option<Date>,
    /// The day on which the plan is made, if it is another.
    pub today: Option<Date>,
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
    /// What else is translated than the value tables say: confirmed, and for this source.
    pub translations: &'a [Translation],
    /// The marker attribute and the hire's key.
    pub marker: Option<(String, String)>,
    /// The files that the ATS told us of.
    pub files: &'a [File],
}

impl<'a> Input<'a> {
    /// These facts and nothing else.
    pub fn of(facts: Facts, catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            received: None,
            today: None,
            facts,
            payloads: &[],
            lacking: &[],
            name_split: None,
            review_split: false,
            corrections: Map::new(),
            translations: &[],
            marker: None,
            files: &[],
        }
    }
}

/// The checked rules, in the order of attributes.
#[derive(Clone)]
pub struct Mapping {
    rules: BTreeMap<String, Rule>,
    filters: Filters,
    filing: Filing,
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
        self.all().flat_map(Mapping::own_attributes).collect()
    }

    /// What is doubtful about the rules, as far as is known of Personio.
    pub fn doubts(&self, catalog: &Catalog) -> Vec<Doubt> {
        let mut told = Vec::new();
        for doubt in self.all().flat_map(|mapping| mapping.doubts(catalog)) {
            // The common rules are those of every source: what is wrong with them is told once.
            if !told.contains(&doubt) {
                told.push(doubt);
            }
        }
        told
    }

    /// The attributes that Personio has in every company and that any of the rules fills.
    pub fn system_attributes(&self) -> BTreeSet<&str> {
        self.all().flat_map(Mapping::system_attributes).collect()
    }

    /// The titles of the ATS's custom fields that any of the rules reads.
    pub fn titles(&self) -> BTreeSet<&str> {
        self.all().flat_map(Mapping::titles).collect()
    }

    /// The categories of documents that any of the rules names: source, kind, category.
    pub fn categories(&self) -> impl Iterator<Item = (&str, DocumentKind, &str)> {
        self.by_source.iter().flat_map(|(source, mapping)| {
            mapping.filing.categories().map(move |(kind, category)| (source.as_str(), kind, category))
        })
    }

    fn all(&self) -> impl Iterator<Item = &Mapping> {
        self.by_source.values().chain([&self.common])
    }

    /// The labels by which any of the rules names an attribute.
    pub fn labels(&self) -> BTreeSet<&str> {
        self.all().flat_map(Mapping::labels).collect()
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

/// Before the name of a rule, it says that the rest is a label.
const LABEL: &str = "label:";

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
        for (prefix, settings) in [(COMMON.to_owned(), common)].into_iter().chain(own) {
            for (attribute, settings) in &settings.fields {
                let key = format!("{prefix}.{attribute}");
                match check_name(attribute).and_then(|()| Rule::compile(settings, &prefix)) {
                    Ok(rule) => drop(rules.insert(attribute.clone(), rule)),
                    Err(message) => errors.push(MappingError { key, message }),
                }
            }
        }
        if errors.is_empty() {
            Ok(Self { rules, filters: Filters::default(), filing: Filing::default() })
        } else {
            Err(errors)
        }
    }

    /// The same rules for hires of which some are not for Personio.
    #[must_use]
    pub fn ignoring(self, filters: Filters) -> Self {
        Self { filters, ..self }
    }

    /// The same rules for hires that documents follow.
    #[must_use]
    pub fn with_documents(self, filing: Filing) -> Self {
        Self { filing, ..self }
    }

    /// Where documents go.
    pub fn filing(&self) -> &Filing {
        &self.filing
    }

    /// The name of the rule that says that a hire with these facts is not for Personio, if one does.
    pub fn ignored_by(&self, facts: &Facts) -> Option<&str> {
        self.filters.applying(facts)
    }

    /// Whether any rule looks into the payload, so that a plan needs it.
    pub fn needs_payloads(&self) -> bool {
        self.rules.values().any(Rule::needs_payloads)
    }

    /// Whether a plan may have this fact in it.
    pub fn uses(&self, fact: &str, catalog: &Catalog) -> bool {
        let of_own = |title: &str| catalog.own().any(|own| own.label.trim() == title);
        self.rules.values().any(|rule| rule.uses(fact))
            || fact.strip_prefix(facts::CUSTOM).is_some_and(of_own)
    }

    /// The company's own attributes that the rules fill: they must exist in Personio.
    pub fn own_attributes(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str).filter(|name| employee::is_dynamic(name))
    }

    /// The labels by which the rules name attributes of the company's own.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().filter_map(|name| label(name))
    }

    /// The line of the configuration that puts `to` in the place of what a rule finds for the attribute, if one does.
    pub fn line(&self, catalog: &Catalog, attribute: &str, facts: &Facts, to: &str) -> Option<String> {
        let (name, rule) = self.rule_for(catalog, attribute)?;
        if catalog.shape(attribute) == Shape::Tags {
            // The line would say what becomes of all the tags together.
            return None;
        }
        let told = rule.found(facts, &[]).ok()?;
        Some(rule.line(name, told.as_str()?, to))
    }

    /// Makes the plan. Never fails: what cannot be sent is held and named.
    pub fn plan(&self, input: &Input<'_>) -> Plan {
        let mut plan = self.draft(input).finish();
        self.filing.plan(input.files, &mut plan);
        plan
    }

    /// What the ATS says for each attribute, before any value table, as far as that is one plain value.
    pub fn told(&self, input: &Input<'_>) -> BTreeMap<String, String> {
        self.draft(input).told()
    }

    fn draft<'a>(&self, input: &'a Input<'a>) -> Draft<'a> {
        let mut draft = Draft::new(input);
        // An attribute may be named by its key here and by its label there: the source's rule goes before.
        let (of_the_source, common): (Vec<_>, Vec<_>) =
            self.rules.iter().partition(|(_, rule)| rule.is_of_a_source());
        for (name, rule) in of_the_source.into_iter().chain(common) {
            draft.apply(name, rule);
        }
        draft.own_fields();
        draft
    }

    /// The rule for an attribute as it is written in the configuration, with these entries added to its value
    /// table: one line of TOML. `None` if nothing is known of a rule for it.
    pub fn written<'a>(
        &self,
        catalog: &Catalog,
        attribute: &str,
        entries: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<String> {
        if let Some((name, rule)) = self.rule_for(catalog, attribute) {
            return Some(rule.written(name, entries));
        }
        let own = catalog.own().find(|own| own.key == attribute)?.label.trim().to_owned();
        let rule = Rule::built_in(&format!("{}{own}", facts::CUSTOM), Expected::No);
        Some(rule.written(&format!("{LABEL}{own}"), entries))
    }

    /// The rule that fills the attribute, by its name or by its label in Personio.
    fn rule_for(&self, catalog: &Catalog, attribute: &str) -> Option<(&String, &Rule)> {
        let leads_to = |label| catalog.labelled(label).is_ok_and(|own| own.key == attribute);
        self.rules.iter().find(|(name, _)| *name == attribute || label(name).is_some_and(leads_to))
    }
}

/// Whether the values of an attribute belong to one person each, so that no table can say anything of them.
pub fn is_personal(attribute: &str) -> bool {
    matches!(attribute, "email" | "first_name" | "last_name" | "preferred_name" | "hire_date")
}

/// A plain value as the text by which value tables know it.
pub fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether `corrections` may be laid over a plan: known attributes, values of the right shape.
///
/// # Errors
/// One `(attribute, sentence)` per correction that cannot be taken.
pub fn check_corrections(
    catalog: &Catalog,
    corrections: &Map<String, Value>,
) -> Result<(), Vec<(String, String)>> {
    let check = |attribute: &str, value: &Value| {
        if !is_attribute(attribute) {
            return Some(no_attribute(attribute));
        }
        let options = catalog.attribute(attribute).map(|known| known.options.as_slice()).unwrap_or_default();
        let unfit = fit(catalog.shape(attribute), attribute, value, options).err()?;
        Some(unfit.sentence().to_owned())
    };
    let wrong: Vec<_> = corrections
        .iter()
        .filter_map(|(attribute, value)| Some((attribute.clone(), check(attribute, value)?)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Whether this is the name of an attribute: Personio's, or one of the company's own.
fn is_attribute(name: &str) -> bool {
    employee::shape_of(name).is_some() || employee::is_dynamic(name)
}

/// The label that the name of a rule is, if it names an own attribute by what people see.
fn label(name: &str) -> Option<&str> {
    if is_attribute(name) { None } else { Some(name.strip_prefix(LABEL).unwrap_or(name)) }
}

/// Whether a rule may be for this; else a sentence with the nearest name. What is close to one of Personio's
/// names is a slip; a label that is must be said to be one.
fn check_name(name: &str) -> Result<(), String> {
    let slip = nearest(name).is_some() || name.starts_with("dynamic_") || name.trim().is_empty();
    if is_attribute(name) || name.starts_with(LABEL) || !slip { Ok(()) } else { Err(no_attribute(name)) }
}

/// The system attribute whose name is most like this.
fn nearest(name: &str) -> Option<&'static str> {
    let alike = SYSTEM.iter().map(|(known, _)| (strsim::jaro_winkler(known, name), *known));
    alike.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

fn no_attribute(name: &str) -> String {
    match nearest(name) {
        Some(known) => format!(
            "Personio has no attribute `{name}`; did you mean `{known}`? (If this is the label of an attribute \
             of your own, write \"{LABEL}{name}\".)"
        ),
        None => format!(
            "Personio has no attribute `{name}`; use a system attribute ({}), `dynamic_<number>` or, in the \
             configuration, the label of an attribute of your own",
            SYSTEM.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        ),
    }
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
