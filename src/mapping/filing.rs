//! Where documents go: which kinds follow a hire, under which of Personio's categories, and what they are called there.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::template::Template;
use super::{MappingError, check_fact};
use crate::domain::facts::{Kind, kind_of};
use crate::domain::{DocumentKind, Facts, File, Plan, PlannedDocument};

/// The longest title, in characters. Source: <https://developer.personio.de/reference/post_company-documents>.
const LONGEST_TITLE: usize = 255;

/// Kind → where it goes: `[sources.NAME.documents]`.
pub type FilingSettings = BTreeMap<String, DrawerSettings>;

/// Where documents of one kind go: a category alone, or a table.
#[derive(Clone, Debug)]
pub struct DrawerSettings(Table);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    category: Category,
    title: Option<String>,
    date: Option<String>,
    file_name: Option<String>,
}

/// A category by its name, or by its id as text.
#[derive(Clone, Debug)]
struct Category(String);

struct CategoryOrTable;

impl<'de> Visitor<'de> for CategoryOrTable {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name or the id of one of Personio's categories, or a table with `category`")
    }

    fn visit_str<E>(self, name: &str) -> Result<Table, E> {
        Ok(Table { category: Category(name.trim().to_owned()), title: None, date: None, file_name: None })
    }

    fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Table, E> {
        self.visit_str(&id.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<Table, E> {
        self.visit_str(&id.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for DrawerSettings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CategoryOrTable).map(Self)
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CategoryOrTable).map(|table| table.category)
    }
}

/// The checked rules of a source. By default no document follows.
#[derive(Clone, Default)]
pub struct Filing(BTreeMap<DocumentKind, Drawer>);

/// Where documents of one kind go.
#[derive(Clone)]
pub struct Drawer {
    /// The category's name, or its id.
    pub category: String,
    title: Option<Template>,
    date: Option<String>,
    file_name: Option<Template>,
}

impl Filing {
    /// Checks the rules of a table, which `key` names in errors.
    ///
    /// # Errors
    /// Every rule that cannot work.
    pub fn compile(key: &str, settings: &FilingSettings) -> Result<Self, Vec<MappingError>> {
        let (mut drawers, mut errors) = (BTreeMap::new(), Vec::new());
        for (name, DrawerSettings(table)) in settings {
            let key = format!("{key}.{name}");
            let Some(kind) = DocumentKind::ALL.into_iter().find(|kind| kind.name() == name) else {
                let known: Vec<_> = DocumentKind::ALL.iter().map(|kind| kind.name()).collect();
                let message = format!("is no kind of document; there are {}", known.join(", "));
                errors.push(MappingError { key, message });
                continue;
            };
            match Drawer::compile(table) {
                Ok(drawer) => drop(drawers.insert(kind, drawer)),
                Err((part, message)) => errors.push(MappingError { key: format!("{key}.{part}"), message }),
            }
        }
        if errors.is_empty() { Ok(Self(drawers)) } else { Err(errors) }
    }

    /// Where documents of a kind go; nowhere if they are off.
    pub fn of(&self, kind: DocumentKind) -> Option<&Drawer> {
        self.0.get(&kind)
    }

    /// The categories that are named, each with its kind.
    pub fn categories(&self) -> impl Iterator<Item = (DocumentKind, &str)> {
        self.0.iter().map(|(kind, drawer)| (*kind, drawer.category.as_str()))
    }

    /// Adds the files that would follow, and says which kinds would not.
    pub(super) fn plan(&self, files: &[File], plan: &mut Plan) {
        for file in files {
            let kind = file.kind.name().to_owned();
            match self.of(file.kind) {
                Some(Drawer { category, .. }) => {
                    let (id, category) = (file.id.clone(), category.clone());
                    plan.documents.push(PlannedDocument { id, kind, category });
                }
                None => plan.note(&format!("document_off:{kind}")),
            }
        }
    }
}

impl Drawer {
    fn compile(table: &Table) -> Result<Self, (&'static str, String)> {
        let Table { category: Category(category), title, date, file_name } = table;
        if category.is_empty() {
            return Err(("category", "is empty".to_owned()));
        }
        let template = |part, source: &Option<String>| {
            source.as_deref().map(Template::compile).transpose().map_err(|problem| (part, problem))
        };
        if let Some(fact) = date {
            check_fact(fact).map_err(|problem| ("date", problem))?;
            if kind_of(fact).is_some_and(|kind| kind != Kind::Date) {
                return Err(("date", format!("`{fact}` is no date")));
            }
        }
        Ok(Self {
            category: category.clone(),
            title: template("title", title)?,
            date: date.clone(),
            file_name: template("file_name", file_name)?,
        })
    }

    /// The document's title; its file's name if the rule has none, or lacks a fact.
    pub fn title(&self, facts: &Facts, file_name: &str) -> String {
        let title = text(self.title.as_ref(), facts).unwrap_or_else(|| split(file_name).0.to_owned());
        title.chars().take(LONGEST_TITLE).collect()
    }

    /// The name of its file, with the ending that it has.
    pub fn file_name(&self, facts: &Facts, file_name: &str) -> String {
        let Some(name) = text(self.file_name.as_ref(), facts) else { return file_name.to_owned() };
        match split(file_name).1 {
            Some(ending) => format!("{name}.{ending}"),
            None => name,
        }
    }

    /// Its date: what the rule says, else what the ATS says of the file.
    pub fn date(&self, facts: &Facts, file: &File) -> Option<Date> {
        let said = match &self.date {
            Some(fact) => facts.value(fact).and_then(Value::as_str),
            None => file.date.as_deref(),
        };
        said?.get(..10)?.parse().ok()
    }
}

fn text(template: Option<&Template>, facts: &Facts) -> Option<String> {
    let text = template?.text(facts).ok()?;
    text.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A name and its ending.
fn split(file_name: &str) -> (&str, Option<&str>) {
    file_name.rsplit_once('.').map_or((file_name, None), |(name, ending)| (name, Some(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Place;

    fn compiled(text: &str) -> Result<Filing, Vec<String>> {
        let settings: FilingSettings = toml::from_str(text).expect("TOML");
        let told = |errors: Vec<MappingError>| errors.iter().map(ToString::to_string).collect();
        Filing::compile("sources.ashby.documents", &settings).map_err(told)
    }

    fn file(kind: DocumentKind) -> File {
        let place = Place::Handle("h".into());
        File {
            id: "f1".into(),
            kind,
            name: "CV.pdf".into(),
            date: Some("2026-11-02T09:00:00Z".into()),
            place,
        }
    }

    #[test]
    fn kinds_without_a_category_are_off_and_the_plan_says_so() {
        let filing = compiled("resume = \"CVs\"\nother = 7").expect("right");
        let mut plan = Plan::default();
        let kinds = [DocumentKind::Resume, DocumentKind::OfferLetter, DocumentKind::Other];
        filing.plan(&kinds.map(file), &mut plan);
        let planned: Vec<_> = plan.documents.iter().map(|one| (&*one.kind, &*one.category)).collect();
        assert_eq!(planned, [("resume", "CVs"), ("other", "7")]);
        assert_eq!(plan.notes, ["document_off:offer_letter"]);
    }

    #[test]
    fn title_date_and_file_name_are_made_of_facts() {
        let rule = "resume = { category = \"CVs\", title = \"CV {{ candidate.last_name }}\", date = \"offer.start_date\", \
            file_name = \"{{ candidate.last_name }}\" }\nother = \"X\"";
        let filing = compiled(rule).expect("right");
        let mut facts = Facts::new();
        let drawer = filing.of(DocumentKind::Resume).expect("on");
        assert_eq!(drawer.title(&facts, "Mein CV.pdf"), "Mein CV", "without the fact");
        assert_eq!(drawer.date(&facts, &file(DocumentKind::Resume)), None);
        facts.put("candidate.last_name", "Müller");
        facts.put("offer.start_date", "2027-02-01");
        assert_eq!(drawer.title(&facts, "CV.pdf"), "CV Müller");
        assert_eq!(drawer.file_name(&facts, "CV.pdf"), "Müller.pdf");
        assert_eq!(drawer.date(&facts, &file(DocumentKind::Resume)), "2027-02-01".parse().ok());
        let other = filing.of(DocumentKind::Other).expect("on");
        assert_eq!(other.date(&facts, &file(DocumentKind::Other)), "2026-11-02".parse().ok());
        assert_eq!(other.title(&facts, &"ä".repeat(300)).chars().count(), 255);
    }

    #[test]
    fn a_rule_that_cannot_work_is_told_with_its_key() {
        for (text, told) in [
            ("cv = \"CVs\"", "sources.ashby.documents.cv: is no kind of document; there are resume,"),
            ("resume = \" \"", "sources.ashby.documents.resume.category: is empty"),
            ("resume = { category = 7, title = \"{{ nonsense }}\" }", "resume.title: there is no fact"),
            ("resume = { category = 7, date = \"candidate.email\" }", "resume.date: `candidate.email` is no"),
        ] {
            let errors = compiled(text).err().unwrap_or_default();
            assert!(errors.iter().any(|error| error.contains(told)), "{text}: {errors:?}");
        }
    }
}
