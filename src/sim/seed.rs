//! What the company has before the first call: credentials, names, attributes, categories, people.

use serde::{Deserialize, Serialize};

use super::person::Person;

/// The company that the simulator starts with. No `Debug`: it holds a secret and people.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The id that `POST /v1/auth` accepts.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: String,
    /// Names of the departments; any other name is dropped on create.
    pub departments: Vec<String>,
    /// Names of the offices; any other name is dropped on create.
    pub offices: Vec<String>,
    /// Names of the subcompanies; any other name is dropped on create.
    pub subcompanies: Vec<String>,
    /// The company's own attributes.
    pub attributes: Vec<Attribute>,
    /// Names of the document categories; their ids count from 1 in this order.
    pub categories: Vec<String>,
    /// People who are there already. Left alone when a data file exists.
    pub employees: Vec<Person>,
}

/// One attribute of the company, beside those that every Personio has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// `dynamic_<number>`
    pub key: String,
    /// What people read in Personio.
    pub label: String,
    /// The kind of its values.
    #[serde(rename = "type")]
    pub kind: AttributeKind,
    /// Personio's name for fields that mean the same in each company, such as `iban`.
    #[serde(default)]
    pub universal_id: Option<String>,
    /// The values that a list or tags attribute allows.
    #[serde(default)]
    pub options: Vec<String>,
}

/// The kinds of attributes
/// (<https://developer.personio.de/reference/get_company-employees-custom-attributes>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// One line of text.
    Standard,
    /// A calendar date.
    Date,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// One of the options.
    List,
    /// An address on the web.
    Link,
    /// Several of the options.
    Tags,
    /// Text of several lines.
    Multiline,
}

impl Attribute {
    /// An attribute without options.
    pub fn new(key: &str, label: &str, kind: AttributeKind) -> Self {
        Self { key: key.into(), label: label.into(), kind, universal_id: None, options: Vec::new() }
    }

    /// The same with options.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options = owned(options);
        self
    }

    /// The same with a universal id.
    #[must_use]
    pub fn universal_id(mut self, universal_id: &str) -> Self {
        self.universal_id = Some(universal_id.into());
        self
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self {
            client_id: "sim-client-id".into(),
            client_secret: "sim-client-secret".into(),
            departments: owned(&["Engineering", "Sales", "People"]),
            offices: owned(&["Berlin", "Munich"]),
            subcompanies: owned(&["Acme GmbH"]),
            attributes: attributes(),
            categories: owned(&["Contracts", "CVs", "Other"]),
            employees: Vec::new(),
        }
    }
}

fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::new("dynamic_101", "ATS reference", AttributeKind::Standard),
        Attribute::new("dynamic_102", "Phone (private)", AttributeKind::Standard),
        Attribute::new("dynamic_103", "IBAN", AttributeKind::Standard).universal_id("iban"),
        Attribute::new("dynamic_104", "Date of birth", AttributeKind::Date).universal_id("date_of_birth"),
        Attribute::new("dynamic_105", "Desk number", AttributeKind::Integer),
        Attribute::new("dynamic_106", "Bonus in percent", AttributeKind::Decimal),
        Attribute::new("dynamic_107", "Contract", AttributeKind::List).options(&[
            "permanent",
            "fixed-term",
            "working student",
        ]),
        Attribute::new("dynamic_108", "Marital status", AttributeKind::List).options(&["married", "single"]),
        Attribute::new("dynamic_109", "Profile", AttributeKind::Link),
        Attribute::new("dynamic_110", "Language skills", AttributeKind::Tags)
            .options(&["English", "French", "German", "Spanish"]),
        Attribute::new("dynamic_111", "Notes", AttributeKind::Multiline),
    ]
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
