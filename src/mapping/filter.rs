//! Rules that say which hires are not for Personio: a hire to which one applies is kept, shown and not sent.

use serde::Deserialize;
use serde_json::Value;

use super::{MappingError, check_fact};
use crate::domain::Facts;

/// One rule: `[[ignore]]`, or `[[sources.NAME.ignore]]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSettings {
    /// What the rule is called on the hires that it was for; its fact if it has no name.
    pub name: Option<String>,
    /// What it looks at.
    pub fact: String,
    /// It applies if the fact is this, or one of these.
    pub is: Option<Value>,
    /// It applies if the fact is known and none of these.
    pub is_not: Option<Value>,
    /// It applies if the fact is like this, or one of these: `*` stands for any text.
    pub like: Option<Value>,
    /// It applies if the fact is not known.
    #[serde(default)]
    pub missing: bool,
    /// These have to apply as well.
    #[serde(default)]
    pub and: Vec<FilterSettings>,
}

/// The checked rules, in their order. By default there are none.
#[derive(Clone, Default)]
pub struct Filters(Vec<Filter>);

#[derive(Clone)]
struct Filter {
    name: String,
    /// All of them have to apply.
    conditions: Vec<Condition>,
}

#[derive(Clone)]
struct Condition {
    fact: String,
    test: Test,
    missing: bool,
}

/// What a known fact is asked.
#[derive(Clone)]
enum Test {
    Never,
    Is(Vec<String>),
    IsNot(Vec<String>),
    Like(Vec<String>),
}

impl Filters {
    /// Checks the rules of a list, which `key` names in errors.
    ///
    /// # Errors
    /// Every rule that cannot work, with the nearest right name.
    pub fn compile(key: &str, all: &[FilterSettings]) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let mut filters = Vec::new();
        for (index, settings) in all.iter().enumerate() {
            let mut conditions = Vec::new();
            settings.check(&format!("{key}[{index}]"), &mut conditions, &mut errors);
            let name = settings.name.clone().unwrap_or_else(|| settings.fact.clone());
            filters.push(Filter { name, conditions });
        }
        if errors.is_empty() { Ok(Self(filters)) } else { Err(errors) }
    }

    /// These rules, and then those.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// The name of the first rule that applies to a hire with these facts.
    pub fn applying(&self, facts: &Facts) -> Option<&str> {
        let applies = |filter: &&Filter| filter.conditions.iter().all(|condition| condition.applies(facts));
        self.0.iter().find(applies).map(|filter| filter.name.as_str())
    }
}

impl FilterSettings {
    fn check(&self, key: &str, conditions: &mut Vec<Condition>, errors: &mut Vec<MappingError>) {
        let mut wrong = |part: &str, message: String| {
            errors.push(MappingError { key: format!("{key}{part}"), message });
        };
        if self.name.as_deref().is_some_and(|name| !is_name(name)) {
            wrong(".name", "must be 1 to 64 letters, digits, `-`, `_` or `.`".to_owned());
        }
        if let Err(message) = check_fact(&self.fact) {
            wrong(".fact", message);
        }
        match self.test() {
            Ok(test) => conditions.push(Condition { fact: self.fact.clone(), test, missing: self.missing }),
            Err((part, message)) => wrong(part, message.to_owned()),
        }
        for (index, more) in self.and.iter().enumerate() {
            more.check(&format!("{key}.and[{index}]"), conditions, errors);
        }
    }

    fn test(&self) -> Result<Test, (&'static str, &'static str)> {
        let texts = |part, value: &Value| texts(value).map_err(|message| (part, message));
        match (&self.is, &self.is_not, &self.like) {
            (Some(is), None, None) => texts(".is", is).map(Test::Is),
            (None, Some(is_not), None) => texts(".is_not", is_not).map(Test::IsNot),
            (None, None, Some(like)) => texts(".like", like).map(Test::Like),
            (None, None, None) if self.missing => Ok(Test::Never),
            (None, None, None) => Err(("", "needs `is`, `is_not`, `like` or `missing = true`")),
            _ => Err(("", "can have only one of `is`, `is_not` and `like`; write two rules, or `and`")),
        }
    }
}

impl Condition {
    fn applies(&self, facts: &Facts) -> bool {
        let Some(value) = facts.value(&self.fact) else { return self.missing };
        let known = parts(value);
        let any = |wanted: &[String], fits: fn(&str, &str) -> bool| {
            known.iter().any(|part| wanted.iter().any(|wanted| fits(part, wanted)))
        };
        match &self.test {
            Test::Never => false,
            Test::Is(wanted) => any(wanted, is_same),
            Test::IsNot(wanted) => !any(wanted, is_same),
            Test::Like(wanted) => any(wanted, is_like),
        }
    }
}

/// A name stands in notes and answers.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    (1..=64).contains(&name.chars().count()) && name.chars().all(fits)
}

/// One value or a list of them, in the form in which they are compared.
fn texts(value: &Value) -> Result<Vec<String>, &'static str> {
    let wrong = "must be a text, a number, true or false, or a list of such";
    let one = |value: &Value| match value {
        Value::String(text) if !text.trim().is_empty() => Ok(folded(text)),
        Value::Number(_) | Value::Bool(_) => Ok(folded(&value.to_string())),
        _ => Err(wrong),
    };
    match value {
        Value::Array(several) if !several.is_empty() => several.iter().map(one).collect(),
        Value::Array(_) => Err("is an empty list"),
        value => one(value).map(|one| vec![one]),
    }
}

/// A fact's value in the form in which it is compared; the parts of a list, and the addresses of e-mails.
fn parts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(several) => several.iter().flat_map(parts).collect(),
        Value::Object(fields) => fields.get("address").map(parts).unwrap_or_default(),
        Value::String(text) => vec![folded(text)],
        other => vec![folded(&other.to_string())],
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn is_same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    one == other || number(one).zip(number(other)).is_some_and(|(one, other)| one.total_cmp(&other).is_eq())
}

fn is_like(text: &str, pattern: &str) -> bool {
    let mut between: Vec<_> = pattern.split('*').collect();
    let (Some(last), false) = (between.pop(), between.is_empty()) else { return text == pattern };
    let Some(mut rest) = text.strip_prefix(between.remove(0)) else { return false };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filters(toml: &str) -> Result<Filters, Vec<MappingError>> {
        #[derive(Deserialize)]
        struct List {
            ignore: Vec<FilterSettings>,
        }
        let list: List = toml::from_str(toml).expect("the test's rules are TOML");
        Filters::compile("ignore", &list.ignore)
    }

    fn facts(nested: &Value) -> Facts {
        Facts::from_nested(nested.as_object().expect("an object")).expect("facts")
    }

    fn applies(rule: &str, nested: &Value) -> bool {
        let filters = filters(&format!("[[ignore]]\n{rule}")).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        filters.applying(&facts(nested)).is_some()
    }

    #[test]
    fn a_rule_applies_to_what_it_says_and_to_nothing_else() {
        let mia = json!({
            "candidate": {"email": "mia@test.example",
                "emails": [{"address": "mia@test.example", "kind": "private"}, {"address": "m@acme.example"}]},
            "job": {"employment_type": "Intern", "tags": ["Summer", "Berlin"], "country": "DE"},
            "offer": {"weekly_hours": 40},
            "custom": {"Test": true},
        });
        for (rule, expected) in [
            ("fact = 'job.employment_type'\nis = 'intern '", true),
            ("fact = 'job.employment_type'\nis = ['Working student', 'Intern']", true),
            ("fact = 'job.employment_type'\nis = 'Int'", false),
            ("fact = 'job.country'\nis_not = ['AT', 'CH']", true),
            ("fact = 'job.country'\nis_not = ['AT', 'DE']", false),
            ("fact = 'job.tags'\nis = 'berlin'", true),
            ("fact = 'job.tags'\nis_not = 'berlin'", false),
            ("fact = 'candidate.email'\nlike = '*@test.example'", true),
            ("fact = 'candidate.emails'\nlike = '*@acme.*'", true),
            ("fact = 'candidate.email'\nlike = 'test.example'", false),
            ("fact = 'candidate.email'\nlike = 'm*a@*st.example'", true),
            ("fact = 'candidate.email'\nlike = 'mia@test.example*mia@test.example'", false),
            ("fact = 'offer.weekly_hours'\nis = 40.0", true),
            ("fact = 'custom.Test'\nis = true", true),
            // Of what is not known nothing is said, unless that is what the rule is about.
            ("fact = 'job.department'\nis_not = 'Sales'", false),
            ("fact = 'job.department'\nis_not = 'Sales'\nmissing = true", true),
            ("fact = 'job.department'\nmissing = true", true),
            ("fact = 'job.country'\nmissing = true", false),
            ("fact = 'job.country'\nis = 'DE'\nand = [{ fact = 'job.tags', is = 'Summer' }]", true),
            ("fact = 'job.country'\nis = 'DE'\nand = [{ fact = 'job.tags', is = 'Winter' }]", false),
        ] {
            assert_eq!(applies(rule, &mia), expected, "{rule}");
        }
    }

    #[test]
    fn the_first_rule_that_applies_gives_its_name() {
        let rules = "[[ignore]]\nfact = 'job.country'\nis = 'FR'\n\
            [[ignore]]\nname = 'interns'\nfact = 'job.employment_type'\nis = 'Intern'\n\
            [[ignore]]\nfact = 'job.employment_type'\nis = 'Intern'";
        let filters = filters(rules).expect("right rules");
        let named =
            |kind| filters.applying(&facts(&json!({"job": {"employment_type": kind}}))).map(str::to_owned);
        assert_eq!((named("Intern").as_deref(), named("Employee")), (Some("interns"), None));
    }

    #[test]
    fn what_cannot_work_is_said_with_its_key_and_the_nearest_fact() {
        let rules = "[[ignore]]\nfact = 'job.employment_typ'\nis = 'Intern'\n\
            [[ignore]]\nfact = 'job.country'\n\
            [[ignore]]\nfact = 'job.country'\nis = 'DE'\nis_not = 'FR'\n\
            [[ignore]]\nfact = 'job.country'\nis = []\n\
            [[ignore]]\nname = 'a b'\nfact = 'job.country'\nis = 'DE'\nand = [{ fact = 'x', like = [['y']] }]";
        let wrong = filters(rules).err().expect("all are wrong");
        let words: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "ignore[0].fact: there is no fact `job.employment_typ`; did you mean `job.employment_type`?",
                "ignore[1]: needs `is`, `is_not`, `like` or `missing = true`",
                "ignore[2]: can have only one of `is`, `is_not` and `like`; write two rules, or `and`",
                "ignore[3].is: is an empty list",
                "ignore[4].name: must be 1 to 64 letters, digits, `-`, `_` or `.`",
                "ignore[4].and[0].fact: there is no fact `x`; facts look like `candidate.email` or \
                 `custom.Shirt size`",
                "ignore[4].and[0].like: must be a text, a number, true or false, or a list of such",
            ]
        );
    }
}
