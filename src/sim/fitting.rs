//! What the company makes of the values that it is sent: names that do not exist are dropped, and so on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Answer;
use super::calendar::strict_date;
use super::company::Company;
use super::draft::Change;
use super::manner::{Manner, MetaShape, Unfit};
use super::seed::{Attribute, AttributeKind};

/// What was left out, and what Personio says about it.
pub(super) struct Dropped {
    field: String,
    message: String,
}

/// The changes that fit, and what had to go.
pub(super) struct Fitted {
    pub(super) changes: Vec<Change>,
    pub(super) dropped: Vec<Dropped>,
}

impl Company {
    /// Sorts out what does not exist here. `Err` is the refusal of the whole call.
    pub(super) fn fit(&self, changes: Vec<Change>, manner: &Manner) -> Result<Fitted, Box<Answer>> {
        let mut fitted = Fitted { changes: Vec::new(), dropped: Vec::new() };
        for change in changes {
            let change = match &change {
                Change::Custom(values) => {
                    Change::Custom(self.fit_custom(values, manner, &mut fitted.dropped)?)
                }
                Change::Supervisor(Some(id)) if !self.employees.contains_key(id) => {
                    let english = format!("Supervisor with ID {id} not found");
                    let german = format!("Vorgesetzte Person mit der ID {id} nicht gefunden");
                    return Err(Answer::unprocessable(manner.say(english, german)).into());
                }
                _ => change,
            };
            match self.unknown_name(&change) {
                Some((field, name)) => fitted.dropped.push(Dropped::name(field, name, manner)),
                None => fitted.changes.push(change),
            }
        }
        Ok(fitted)
    }

    fn unknown_name<'c>(&self, change: &'c Change) -> Option<(&'static str, &'c str)> {
        let (field, name, known) = match change {
            Change::Subcompany(name) => ("subcompany", name, &self.subcompanies),
            Change::Department(name) => ("department", name, &self.departments),
            Change::Office(name) => ("office", name, &self.offices),
            _ => return None,
        };
        (!known.contains(name)).then_some((field, name))
    }

    fn fit_custom(
        &self,
        values: &BTreeMap<String, String>,
        manner: &Manner,
        dropped: &mut Vec<Dropped>,
    ) -> Result<BTreeMap<String, String>, Box<Answer>> {
        let mut kept = BTreeMap::new();
        for (key, value) in values {
            let attribute = self.attributes.iter().find(|attribute| attribute.key == *key);
            let (unfit, why) = match attribute.map(|attribute| attribute.misfit(value)) {
                Some(None) => {
                    kept.insert(key.clone(), value.clone());
                    continue;
                }
                Some(Some(Misfit::Form)) => (Unfit::Violation, "has a value that is not of its type"),
                Some(Some(Misfit::Option)) => {
                    (manner.unknown_option, "has a value that is none of its options")
                }
                None => (manner.unknown_attribute, "does not exist"),
            };
            let message =
                manner.say(format!("Attribute {key} {why}"), format!("Attribut {key} ist ungültig"));
            match unfit {
                Unfit::Dropped => dropped.push(Dropped { field: key.clone(), message }),
                Unfit::Refused => return Err(Answer::unprocessable(message).into()),
                Unfit::Violation => {
                    let what = format!("employee.custom_attributes.{key} {why}");
                    return Err(Answer::violation(vec![what]).into());
                }
            }
        }
        Ok(kept)
    }
}

enum Misfit {
    /// Not a value of this type at all.
    Form,
    /// Not one of the options.
    Option,
}

impl Attribute {
    fn misfit(&self, value: &str) -> Option<Misfit> {
        let known = |option: &str| self.options.iter().any(|o| o == option);
        let (fits, misfit) = match self.kind {
            AttributeKind::Date => (strict_date(value).is_some(), Misfit::Form),
            AttributeKind::Integer => (value.parse::<i64>().is_ok(), Misfit::Form),
            AttributeKind::Decimal => (value.parse::<f64>().is_ok_and(f64::is_finite), Misfit::Form),
            AttributeKind::List => (known(value), Misfit::Option),
            AttributeKind::Tags => (tags(value).all(known), Misfit::Option),
            AttributeKind::Standard | AttributeKind::Link | AttributeKind::Multiline => return None,
        };
        (!fits).then_some(misfit)
    }
}

/// The single tags of a value that is written as a comma list.
pub(super) fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

impl Dropped {
    fn name(field: &str, name: &str, manner: &Manner) -> Self {
        let english = format!("The {field} \"{name}\" does not exist and was ignored.");
        let german = format!("\"{name}\" ({field}) existiert nicht und wurde ignoriert.");
        Self { field: field.into(), message: manner.say(english, german) }
    }

    /// `meta` of an answer; `None` if it is to have none.
    pub(super) fn meta(dropped: &[Self], shape: MetaShape) -> Option<Value> {
        match shape {
            MetaShape::Absent => None,
            MetaShape::Strings => Some(dropped.iter().map(|one| one.message.as_str()).collect()),
            MetaShape::Object => {
                Some(dropped.iter().map(|one| (one.field.clone(), json!(one.message))).collect())
            }
            MetaShape::Objects => {
                Some(dropped.iter().map(|one| json!({"field": one.field, "message": one.message})).collect())
            }
        }
    }
}
