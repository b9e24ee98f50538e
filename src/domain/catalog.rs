//! What Personio knows, as far as it could be learned: attributes with their options, and the names that
//! its employees carry. Distinct names only, never a record of a person.

use std::collections::{BTreeMap, BTreeSet};

use deunicode::deunicode;

use super::employee::{self, Shape};

/// The attributes whose values are names of something else in Personio, which drops a name that it does not
/// know. It lists them nowhere: they are learned from employees.
pub const NAMED: [&str; 3] = ["department", "office", "subcompany"];

/// How alike two names are at least, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.86;

/// How many names are offered at most.
const MOST_OFFERED: usize = 20;

/// An attribute of employees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// `first_name`, or `dynamic_<number>` for the company's own.
    pub key: String,
    /// What people see, in the company's language.
    pub label: String,
    /// `standard`, `date`, `integer`, `decimal`, `list`, `link`, `tags` or `multiline`, as Personio says it.
    pub kind: String,
    /// What it means, the same in every company: `date_of_birth`, `iban` …
    pub universal_id: Option<String>,
    /// What a list or tags attribute takes.
    pub options: Vec<String>,
}

/// A category of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub id: u64,
    /// What people see.
    pub name: String,
}

impl Category {
    /// Those that a rule's text means: one by its name to the letter goes before one by its id. Several may have one name.
    pub fn meant_by<'a>(text: &str, known: &'a [Self]) -> Vec<&'a Self> {
        let named: Vec<_> = known.iter().filter(|category| category.name.trim() == text).collect();
        let id = text.parse().ok();
        if named.is_empty() {
            known.iter().filter(|category| Some(category.id) == id).collect()
        } else {
            named
        }
    }
}

/// Attribute → the distinct names that employees carry.
pub type Names = BTreeMap<String, BTreeSet<String>>;

/// What could be learned. `None` is what the credential may not read, or nobody has asked for yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Every attribute that the credential may read.
    pub attributes: Option<Vec<Attribute>>,
    /// The names of departments, offices and subcompanies.
    pub names: Option<Names>,
    /// The categories of documents.
    pub categories: Option<Vec<Category>>,
}

/// Whether Personio takes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Known,
    /// Nobody could say.
    Unchecked,
    /// The company has nothing of this kind.
    NothingThere,
    /// It does not; these it does, the likeliest first.
    Unknown {
        /// How many of the offered ones are like the value.
        alike: usize,
        /// At most twenty.
        offered: Vec<String>,
    },
}

/// Why a label leads to no attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAttribute {
    /// The attributes could not be read.
    Unchecked,
    /// Several attributes have this label; their keys.
    Several(Vec<String>),
    /// None has it; labels like it.
    Unknown(Vec<String>),
}

impl Attribute {
    /// How a value for it must look.
    pub fn shape(&self) -> Shape {
        employee::shape_of(&self.key).unwrap_or(match self.kind.as_str() {
            "date" => Shape::Date,
            "integer" => Shape::Integer,
            "decimal" => Shape::Number,
            "list" => Shape::Option,
            "tags" => Shape::Tags,
            "multiline" => Shape::Lines,
            _ => Shape::Text,
        })
    }
}

impl Catalog {
    /// An attribute by its key.
    pub fn attribute(&self, key: &str) -> Option<&Attribute> {
        self.attributes.as_deref()?.iter().find(|attribute| attribute.key == key)
    }

    /// The company's own attributes.
    pub fn own(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().flatten().filter(|attribute| employee::is_dynamic(&attribute.key))
    }

    /// How a value for an attribute must look: an own one whose type nobody knows takes text.
    pub fn shape(&self, key: &str) -> Shape {
        let own = || self.attribute(key).map(Attribute::shape);
        employee::shape_of(key).or_else(own).unwrap_or(Shape::Lines)
    }

    /// The company's own attribute that people see under this label.
    ///
    /// # Errors
    /// [`NoAttribute`] if there is not exactly one, or nobody knows.
    pub fn labelled(&self, label: &str) -> Result<&Attribute, NoAttribute> {
        if self.attributes.is_none() {
            return Err(NoAttribute::Unchecked);
        }
        let found: Vec<_> = self.own().filter(|own| own.label.trim() == label.trim()).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let labels: BTreeSet<_> = self.own().map(|own| own.label.clone()).collect();
                Err(NoAttribute::Unknown(offer(label, labels.iter()).1))
            }
            several => Err(NoAttribute::Several(several.iter().map(|own| own.key.clone()).collect())),
        }
    }

    /// Labels of the company's own attributes that are like this text, the likeliest first.
    pub fn labels_like(&self, text: &str) -> Vec<String> {
        let labels: BTreeSet<_> = self.own().map(|own| own.label.clone()).collect();
        let (alike, mut offered) = offer(text, labels.iter());
        offered.truncate(alike);
        offered
    }

    /// Whether Personio takes this text as a value of the attribute. `known` counts as known.
    pub fn judge(&self, key: &str, value: &str, known: &[String]) -> Verdict {
        if NAMED.contains(&key) {
            let Some(names) = &self.names else { return Verdict::Unchecked };
            return match names.get(key) {
                _ if known.iter().any(|one| one == value) => Verdict::Known,
                // Nobody may read this attribute, or nobody has one.
                None if !self.may_read(key) => Verdict::Unchecked,
                None if known.is_empty() => Verdict::NothingThere,
                names => verdict(value, names.into_iter().flatten().chain(known)),
            };
        }
        match self.attribute(key) {
            Some(own) if matches!(own.shape(), Shape::Option | Shape::Tags) && !own.options.is_empty() => {
                verdict(value, own.options.iter().chain(known))
            }
            _ => Verdict::Unchecked,
        }
    }

    /// What Personio is known to take in place of this value, the likeliest first, and how many are like it.
    pub fn offers(&self, key: &str, value: &str) -> (usize, Vec<String>) {
        let names = self.names_of(key);
        let options = self.attribute(key).map(|own| own.options.as_slice()).unwrap_or_default();
        offer(value, names.chain(options).filter(|one| *one != value))
    }

    /// The names that employees carry in this attribute, as far as is known.
    pub fn names_of(&self, key: &str) -> impl Iterator<Item = &String> {
        self.names.as_ref().and_then(|names| names.get(key)).into_iter().flatten()
    }

    /// Whether the credential may read this attribute, as far as is known.
    fn may_read(&self, key: &str) -> bool {
        self.attributes.is_none() || self.attribute(key).is_some()
    }
}

fn verdict<'a>(value: &str, known: impl Iterator<Item = &'a String> + Clone) -> Verdict {
    if known.clone().any(|one| one == value) {
        return Verdict::Known;
    }
    let (alike, offered) = offer(value, known);
    Verdict::Unknown { alike, offered }
}

/// Names to offer in place of one, the likeliest first, and how many of them are like it.
fn offer<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> (usize, Vec<String>) {
    let mut ranked: Vec<_> = known.map(|one| (likeness(name, one), one)).collect();
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    ranked.dedup_by(|a, b| a.1 == b.1);
    let alike = ranked.iter().take_while(|(likeness, _)| *likeness >= ALIKE).count().min(MOST_OFFERED);
    (alike, ranked.into_iter().take(MOST_OFFERED).map(|(_, one)| one.clone()).collect())
}

/// From 0 to 1: 1 for names that differ in case, spaces, punctuation or the way umlauts are written only, a
/// little less for "New York" and "New York City".
fn likeness(one: &str, other: &str) -> f64 {
    let (one, other) = (words(one), words(other));
    if one == other {
        return 1.0;
    }
    let holds =
        |long: &[String], short: &[String]| !short.is_empty() && short.iter().all(|word| long.contains(word));
    if holds(&one, &other) || holds(&other, &one) {
        return 0.95;
    }
    // "Back end" and "Backend"; beyond, what a slip of the finger makes.
    let (one, other) = (one.concat(), other.concat());
    if one == other { 0.97 } else { strsim::jaro_winkler(&one, &other) * 0.95 }
}

/// The words of a name in one way of writing.
fn words(name: &str) -> Vec<String> {
    let plain = plain_latin(name).to_lowercase();
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Text in plain Latin letters: ä → ae, ß → ss, é → e, Ł → L, other scripts as they are read.
pub fn plain_latin(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // What a letter written as two code points ends with, "u" and a diaeresis for one.
            '\u{308}' => plain.push('e'),
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'Ä' => plain.push_str("Ae"),
            'Ö' => plain.push_str("Oe"),
            'Ü' => plain.push_str("Ue"),
            c if c.is_ascii() => plain.push(c),
            c => plain.push_str(&deunicode(c.encode_utf8(&mut [0; 4]))),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(department: &[&str], attributes: Vec<Attribute>) -> Catalog {
        let names = department.iter().map(|name| (*name).to_owned()).collect();
        Catalog {
            attributes: Some(attributes),
            names: Some(Names::from([("department".to_owned(), names)])),
            categories: None,
        }
    }

    fn own(key: &str, label: &str, kind: &str, options: &[&str]) -> Attribute {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Attribute { key: key.into(), label: label.into(), kind: kind.into(), universal_id: None, options }
    }

    fn likeliest(value: &str, known: &[&str]) -> Option<String> {
        match catalog(known, Vec::new()).judge("department", value, &[]) {
            Verdict::Unknown { alike, offered } => offered.into_iter().take(alike).next(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn the_likeliest_name_is_offered_however_it_is_written() {
        let known = [
            "Engineering",
            "Geschäftsführung",
            "New York City",
            "People & Culture",
            "Vertrieb",
            "Back Office",
        ];
        for (written, meant) in [
            ("engineering", "Engineering"),
            ("Enginering", "Engineering"),
            ("Geschaeftsfuehrung", "Geschäftsführung"),
            ("Gescha\u{308}ftsfu\u{308}hrung", "Geschäftsführung"),
            ("New York", "New York City"),
            ("  people and culture", "People & Culture"),
            ("Backoffice", "Back Office"),
        ] {
            assert_eq!(likeliest(written, &known).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(likeliest("Finance", &known), None);
    }

    #[test]
    fn a_known_value_is_known_to_the_letter_only() {
        let catalog = catalog(&["Engineering"], Vec::new());
        assert_eq!(catalog.judge("department", "Engineering", &[]), Verdict::Known);
        assert!(matches!(catalog.judge("department", "engineering", &[]), Verdict::Unknown { .. }));
        assert_eq!(catalog.judge("department", "New", &["New".to_owned()]), Verdict::Known);
        assert_eq!(catalog.judge("position", "Anything", &[]), Verdict::Unchecked);
        assert_eq!(Catalog::default().judge("department", "Engineering", &[]), Verdict::Unchecked);
    }

    #[test]
    fn a_company_without_subcompanies_is_told_from_one_whose_subcompanies_nobody_may_read() {
        let nobody_has_one = catalog(&[], vec![own("subcompany", "Subcompany", "standard", &[])]);
        assert_eq!(nobody_has_one.judge("subcompany", "Acme", &[]), Verdict::NothingThere);
        let not_readable = catalog(&[], Vec::new());
        assert_eq!(not_readable.judge("subcompany", "Acme", &[]), Verdict::Unchecked);
    }

    #[test]
    fn a_label_leads_to_exactly_one_attribute_or_to_those_like_it() {
        let catalog = catalog(
            &[],
            vec![
                own("dynamic_1", "Shirt size", "list", &["S", "M"]),
                own("dynamic_2", "Twice", "standard", &[]),
                own("dynamic_3", "Twice", "standard", &[]),
            ],
        );
        assert_eq!(catalog.labelled("Shirt size ").map(|own| own.key.as_str()), Ok("dynamic_1"));
        assert!(matches!(catalog.labelled("Twice"), Err(NoAttribute::Several(keys)) if keys.len() == 2));
        let unknown = catalog.labelled("shirt").expect_err("no such label");
        assert!(matches!(unknown, NoAttribute::Unknown(labels) if labels[0] == "Shirt size"));
        assert_eq!(Catalog::default().labelled("Shirt size"), Err(NoAttribute::Unchecked));
        assert!(matches!(catalog.judge("dynamic_1", "m", &[]), Verdict::Unknown { alike: 1, .. }));
    }

    #[test]
    fn letters_of_other_alphabets_become_plain_latin() {
        for (text, plain) in
            [("Jörg Weiß", "Joerg Weiss"), ("Łukasz Dvořák", "Lukasz Dvorak"), ("Mia", "Mia")]
        {
            assert_eq!(plain_latin(text), plain);
        }
    }
}
