//! A plan while it is made: values are placed, judged against what Personio knows, or named as missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use super::rule::{Rule, Takes, Unknown};
use super::value::{Unfit, fit, is_unseen, tags};
use super::{Expected, Input, LABEL, as_text, label};
use crate::domain::catalog::{NAMED, NoAttribute, Verdict};
use crate::domain::employee::Shape;
use crate::domain::facts::CUSTOM;
use crate::domain::{Held, NameSplit, Plan, Warning};

const SUBCOMPANY: &str = "subcompany";

/// What stands in a proposed line where nobody can say what is meant.
const TO_FILL_IN: &str = "?";

pub(super) struct Draft<'a> {
    input: &'a Input<'a>,
    plan: Plan,
    /// The attributes that a rule was for, whether it had a value or not.
    ruled: BTreeSet<String>,
    /// Attribute → the one plain value that the ATS has for it.
    told: BTreeMap<String, String>,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum From<'a> {
    /// A person typed it: what is unusual about it is meant.
    Typed,
    /// A rule made it of this; the configuration has the rule under this name.
    Rule { name: &'a str, rule: &'a Rule, told: &'a Value },
    /// A person has said once that it is always to be this.
    Always(&'a String),
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        Self { input, plan: Plan::default(), ruled: BTreeSet::new(), told: BTreeMap::new() }
    }

    /// Applies one rule; what a person typed goes before it.
    pub(super) fn apply(&mut self, name: &str, rule: &Rule) {
        let found = rule.found(&self.input.facts, self.input.payloads);
        let needed = rule.expected == Expected::Required || !matches!(found, Ok(Value::Null));
        let Some(attribute) = self.attribute(name, needed) else { return };
        if !self.ruled.insert(attribute.clone()) {
            // Named by its key and by its label: the rule that came first counts.
            return;
        }
        if let Some(told) = found.as_ref().ok().and_then(as_text) {
            self.told.insert(attribute.clone(), told);
        }
        if let Some(typed) = self.input.corrections.get(&attribute) {
            return self.place(&attribute, rule.expected, typed, From::Typed);
        }
        let Ok(told) = found else {
            self.plan.warnings.push(Warning::about("template_failed", &attribute, None));
            return self.hold(Held::Invalid);
        };
        self.follow(&attribute, name, rule, &told);
        if rule.review && self.plan.employee.value(&attribute).is_some() {
            self.hold(Held::Review);
        }
    }

    /// A custom field of the ATS goes to the company's own attribute that people see under the same title,
    /// unless a rule is for that.
    pub(super) fn own_fields(&mut self) {
        let input = self.input;
        let marker = input.marker.as_ref().map(|(attribute, _)| attribute);
        for own in input.catalog.own().filter(|own| Some(&own.key) != marker) {
            let fact = format!("{CUSTOM}{}", own.label.trim());
            let Some(told) = input.facts.value(&fact) else { continue };
            if let Some(told) = as_text(told).filter(|_| !self.ruled.contains(&own.key)) {
                self.told.insert(own.key.clone(), told);
            }
            if self.ruled.contains(&own.key) || input.corrections.contains_key(&own.key) {
                continue;
            }
            if input.catalog.labelled(&own.label).is_err() {
                self.plan.note("label_not_unique");
                continue;
            }
            let rule = Rule::built_in(&fact, Expected::No);
            let name = format!("{LABEL}{}", own.label.trim());
            self.follow(&own.key, &name, &rule, told);
        }
    }

    /// What the ATS has for an attribute goes through the rule's value table, unless a person has said once what
    /// is always to become of it.
    fn follow(&mut self, attribute: &str, name: &str, rule: &Rule, told: &Value) {
        let text = as_text(told);
        let mut translations = self.input.translations.iter();
        let always = translations.find(|one| one.attribute == attribute && text.as_ref() == Some(&one.from));
        if let Some(one) = always {
            self.plan.note(&format!("always:{attribute}"));
            let value = Value::String(one.to.clone());
            return self.place(attribute, rule.expected, &value, From::Always(&one.to));
        }
        let value = rule.translate(told, self.takes(attribute));
        self.place(attribute, rule.expected, &value, From::Rule { name, rule, told });
    }

    fn takes(&self, attribute: &str) -> Takes {
        match self.input.catalog.shape(attribute) {
            _ if NAMED.contains(&attribute) => Takes::One,
            Shape::Option => Takes::One,
            Shape::Tags => Takes::Tags,
            _ => Takes::Text,
        }
    }

    /// What the ATS says for each attribute.
    pub(super) fn told(self) -> BTreeMap<String, String> {
        self.told
    }

    /// What a person typed for an attribute without a rule, the marker, and what the whole says.
    pub(super) fn finish(mut self) -> Plan {
        let input = self.input;
        for (attribute, value) in &input.corrections {
            if !self.ruled.contains(attribute) {
                self.place(attribute, Expected::No, value, From::Typed);
            }
        }
        if let Some((attribute, key)) = &input.marker {
            self.plan.employee.set(attribute, Value::String(key.clone()));
        }
        self.name_what_lacks();
        self.judge_split();
        self.judge_start();
        self.plan
    }

    /// The attribute that a rule is for. One that is named by a label which leads nowhere holds the hire, if
    /// there is something to send.
    fn attribute(&mut self, name: &str, needed: bool) -> Option<String> {
        let Some(label) = label(name) else { return Some(name.to_owned()) };
        let (code, options) = match self.input.catalog.labelled(label) {
            Ok(own) => return Some(own.key.clone()),
            Err(_) if !needed => return None,
            Err(NoAttribute::Unchecked) => ("attribute_not_checked", Vec::new()),
            Err(NoAttribute::Several(keys)) => ("attribute_not_unique", keys),
            Err(NoAttribute::Unknown(labels)) => ("attribute_unknown", labels),
        };
        self.plan.warnings.push(Warning { options, ..Warning::about(code, label, None) });
        self.hold(Held::Unmatched);
        None
    }

    /// Puts a value into the plan, or says why not.
    fn place(&mut self, attribute: &str, expected: Expected, found: &Value, from: From<'_>) {
        let known = self.input.catalog.attribute(attribute);
        let options = known.map(|known| known.options.as_slice()).unwrap_or_default();
        match fit(self.input.catalog.shape(attribute), attribute, found, options) {
            Ok(Some(value)) => self.judge(attribute, value, from),
            Ok(None) if expected == Expected::No => {}
            Ok(None) => {
                self.plan.missing.push(attribute.to_owned());
                if expected == Expected::Required {
                    self.hold(Held::Missing);
                }
            }
            Err(Unfit::Unnamed) => {
                self.plan.note(&format!("{attribute}_not_known"));
                if expected == Expected::Required {
                    self.place(attribute, expected, &Value::Null, from);
                }
            }
            Err(unfit) => {
                let options = match unfit {
                    Unfit::Several => self.input.catalog.offers(attribute, "").1,
                    _ => Vec::new(),
                };
                let about = Warning::about(unfit.code(), attribute, Some(found.clone()));
                self.plan.warnings.push(Warning { options, ..about });
                self.hold(Held::Invalid);
            }
        }
    }

    /// Whether Personio takes the value, as far as is known. It goes into the plan either way, so that a
    /// person who knows better can send it; only where there is nothing of the kind it does not.
    fn judge(&mut self, attribute: &str, value: Value, from: From<'_>) {
        let known = match from {
            From::Rule { rule, .. } => rule.known_values.as_slice(),
            From::Always(value) => std::slice::from_ref(value),
            From::Typed => &[],
        };
        let text = value.as_str().unwrap_or_default();
        let several = self.input.catalog.shape(attribute) == Shape::Tags;
        let parts: Vec<&str> = if several { tags(text).collect() } else { vec![text] };
        for part in parts {
            match self.input.catalog.judge(attribute, part, known) {
                Verdict::Unchecked if NAMED.contains(&attribute) => self.plan.note("names_not_checked"),
                Verdict::NothingThere if matches!(from, From::Typed) => {
                    self.unknown(attribute, part, 0, Vec::new(), from);
                }
                Verdict::NothingThere if attribute == SUBCOMPANY => return self.no_subcompanies(from),
                // Where nobody has one yet, nothing can be learned from those who have.
                Verdict::NothingThere => self.plan.note("names_not_checked"),
                Verdict::Known | Verdict::Unchecked => {}
                Verdict::Unknown { alike, offered } => self.unknown(attribute, part, alike, offered, from),
            }
        }
        self.plan.employee.set(attribute, value);
    }

    /// What was configured and is not sent is worth a word; what nobody asked for is not.
    fn no_subcompanies(&mut self, from: From<'_>) {
        if matches!(from, From::Rule { rule, .. } if !rule.built_in) {
            self.plan.note("no_subcompanies");
        }
    }

    fn unknown(&mut self, attribute: &str, value: &str, alike: usize, offered: Vec<String>, from: From<'_>) {
        let likeliest = offered.first().filter(|_| alike > 0).map(String::as_str);
        // A line for the company is always shown: it holds on until somebody has put a name in.
        let to = likeliest.or((attribute == SUBCOMPANY).then_some(TO_FILL_IN));
        let line = match (from, to) {
            (From::Rule { name, rule, told }, Some(to)) => {
                Some(rule.line(name, &rule.part_of(told, value, self.takes(attribute)), to))
            }
            _ => None,
        };
        let about = Warning::about("unknown_value", attribute, Some(value.into()));
        self.plan.warnings.push(Warning { options: offered, line, ..about });
        let policy = match from {
            From::Typed | From::Always(_) => Unknown::Send,
            From::Rule { rule, .. } => rule.unknown.unwrap_or(by_default(attribute)),
        };
        if policy == Unknown::Hold {
            self.hold(Held::Unmatched);
        }
    }

    /// The first reason counts, and what makes sending impossible before what a person may confirm.
    fn hold(&mut self, why: Held) {
        let final_ = |why| matches!(why, Held::Missing | Held::Invalid);
        match self.plan.hold {
            Some(known) if final_(known) || !final_(why) => {}
            _ => self.plan.hold = Some(why),
        }
    }

    fn name_what_lacks(&mut self) {
        for attribute in self.input.lacking {
            let sent = self.plan.employee.value(attribute).is_some();
            if !sent && !self.plan.missing.contains(attribute) {
                self.plan.missing.push(attribute.clone());
            }
        }
    }

    /// A name that a person has typed is not split any more.
    fn judge_split(&mut self) {
        let input = self.input;
        let typed = ["first_name", "last_name"].iter().any(|name| input.corrections.contains_key(*name));
        if typed {
            return;
        }
        let whole = input.facts.text("candidate.full_name").unwrap_or_default();
        if input.name_split.is_some() && whole.chars().any(is_unseen) {
            // The split takes a line break for a space; whoever wrote one in a name meant something else.
            self.plan.warnings.push(Warning::about(Unfit::Control.code(), "last_name", Some(whole.into())));
            self.hold(Held::Invalid);
        }
        match input.name_split {
            Some(NameSplit::ByParticle) => self.plan.note("name_split"),
            Some(NameSplit::Uncertain) => {
                let sent = self.plan.employee.value("last_name").cloned();
                self.plan.warnings.push(Warning::about("name_split", "last_name", sent));
                if input.review_split {
                    self.hold(Held::Review);
                }
            }
            _ => {}
        }
    }

    /// A first day that has passed, or is the day on which the hire was told, is often a field that the ATS
    /// filled by itself. Without a status of its own, the first day decides with which one Personio begins.
    fn judge_start(&mut self) {
        let sent = self.plan.employee.value("hire_date").cloned();
        let date = sent.as_ref().and_then(|sent| sent.as_str()?.parse::<Date>().ok());
        let Some(received) = self.input.received else { return };
        let today = self.input.today.unwrap_or(received).max(received);
        let has_passed = date.is_some_and(|date| date < today);
        let code = match date {
            Some(_) if has_passed => Some("hire_date_past"),
            Some(date) if date == received => Some("hire_date_today"),
            _ => None,
        };
        if let Some(code) = code.filter(|_| !self.input.corrections.contains_key("hire_date")) {
            self.plan.warnings.push(Warning::about(code, "hire_date", sent));
        }
        if self.plan.employee.value("status").is_none() {
            self.plan.status = Some(if has_passed { "active" } else { "onboarding" }.to_owned());
        }
    }
}

/// A department or office that nobody has yet may exist all the same; a wrong option is refused or lost, and
/// a wrong company is the wrong employer.
fn by_default(attribute: &str) -> Unknown {
    if matches!(attribute, "department" | "office") { Unknown::Send } else { Unknown::Hold }
}
