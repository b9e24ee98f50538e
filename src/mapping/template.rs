//! Templates: a value put together from several facts.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value};

use super::check_fact;
use crate::domain::Facts;
use crate::domain::catalog::plain_latin;
use crate::domain::facts::{self, CUSTOM};

/// How many steps a template may take: a loop that does not end does, here.
const FUEL: u64 = 20_000;

/// The one name under which an environment keeps its template.
const NAME: &str = "template";

/// What a template gives that has no value for a hire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoText {
    /// A fact that it needs is not known.
    Missing,
    /// It failed for another reason: a filter that does not take this value, or no end in sight.
    Failed,
}

/// A checked template over the facts of a hire.
#[derive(Clone)]
pub(super) struct Template(Arc<Environment<'static>>);

impl Template {
    /// Checks a template; the sentence says what is wrong with it.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("ascii", |text: &str| plain_latin(text));
        environment.add_filter("mailbox", |text: &str| mailbox(text));
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| format!("not a template: {}", error.detail().unwrap_or("wrong syntax")))?;
        let template = environment.get_template(NAME).map_err(|error| error.to_string())?;
        let functions: Vec<_> = environment.globals().map(|(name, _)| name.to_owned()).collect();
        let named = template.undeclared_variables(true);
        let facts: Vec<_> = named.into_iter().filter(|name| !functions.contains(name)).collect();
        facts.iter().try_for_each(|name| check_name(name))?;
        // A filter or test that does not exist shows only when it is used.
        let tried = template.render(Serde(sample(&facts)));
        if let Err(error) = tried
            && let ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction =
                error.kind()
        {
            return Err(format!("not a template: {}", error.detail().unwrap_or("an unknown name")));
        }
        Ok(Self(Arc::new(environment)))
    }

    /// The text for these facts.
    pub(super) fn text(&self, facts: &Facts) -> Result<Value, NoText> {
        let template = self.0.get_template(NAME).map_err(|_| NoText::Failed)?;
        let rendered = template.render(Serde(nested(facts)));
        rendered.map(|text| Value::String(text.trim().to_owned())).map_err(|error| match error.kind() {
            ErrorKind::UndefinedError => NoText::Missing,
            _ => NoText::Failed,
        })
    }
}

/// Every fact with some text, custom fields of these names among them.
fn sample(names: &[String]) -> Value {
    let mut facts = Facts::new();
    for (name, _) in facts::NAMES {
        facts.put(name, "1");
    }
    for title in names.iter().filter_map(|name| name.strip_prefix(CUSTOM)) {
        facts.put_custom(title, "1".into());
    }
    nested(&facts)
}

/// The facts with every group there, also those of which nothing is known: `default` works for a fact that is
/// the only one of its group, too.
fn nested(facts: &Facts) -> Value {
    let mut nested = facts.to_nested();
    for (name, _) in facts::NAMES {
        group(&mut nested, name);
    }
    group(&mut nested, CUSTOM);
    nested
}

fn group(nested: &mut Value, fact: &str) {
    let group = &mut nested[fact.split('.').next().unwrap_or(fact)];
    if group.is_null() {
        *group = Value::Object(Map::new());
    }
}

/// `custom` is looked into by title, so that a template may name it alone; everything else is a fact.
fn check_name(name: &str) -> Result<(), String> {
    if name == "custom" { Ok(()) } else { check_fact(name) }
}

/// A name as the part of an address before the @: plain Latin, lower case, one dash for what is between words.
/// Of a name without a letter nothing is made: half an address is none.
fn mailbox(name: &str) -> Result<String, Error> {
    let plain = plain_latin(name).to_lowercase().replace(['\'', '’', '`'], "");
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join("-");
    let nothing = || Error::new(ErrorKind::InvalidOperation, "nothing of the name can stand in an address");
    if words.is_empty() { Err(nothing()) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::new();
        facts.put("candidate.first_name", "Zoë Änne");
        facts.put("candidate.last_name", "O'Weiß");
        facts.put("candidate.city", "Köln");
        facts.put_custom("Shirt size", "M".into());
        facts
    }

    fn text(source: &str) -> Result<String, NoText> {
        let template = Template::compile(source).expect("a right template");
        template.text(&facts()).map(|value| value.as_str().expect("text").to_owned())
    }

    #[test]
    fn facts_become_text_and_nothing_is_half_made() {
        assert_eq!(text("{{ candidate.city }} / {{ custom['Shirt size'] }}").as_deref(), Ok("Köln / M"));
        assert_eq!(text("{{ candidate.city }} / {{ job.title }}"), Err(NoText::Missing));
        assert_eq!(text("{{ candidate.city }} / {{ candidate.phone }}"), Err(NoText::Missing));
        assert_eq!(text("{{ custom.Boots }}"), Err(NoText::Missing));
    }

    #[test]
    fn an_address_is_made_of_plain_letters() {
        let made =
            text("{{ candidate.first_name | mailbox }}.{{ candidate.last_name | mailbox }}@acme.example");
        assert_eq!(made.as_deref(), Ok("zoe-aenne.oweiss@acme.example"));
    }

    #[test]
    fn a_template_that_cannot_work_is_told_at_once() {
        for (source, told) in [
            ("{{ candidate.frist_name }}", "did you mean `candidate.first_name`"),
            ("{{ candidate.city", "not a template"),
            ("{{ nonsense }}", "there is no fact `nonsense`"),
            ("{{ candidate.city | shout }}", "not a template: filter shout is unknown"),
        ] {
            let error = Template::compile(source).err().unwrap_or_default();
            assert!(error.contains(told), "{source}: {error}");
        }
    }

    #[test]
    fn a_template_without_an_end_is_ended() {
        let endless = "{% for a in range(1000) %}{% for b in range(1000) %}.{% endfor %}{% endfor %}";
        assert_eq!(text(endless), Err(NoText::Failed));
    }
}
