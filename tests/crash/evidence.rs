//! What was seen from outside: by the senders, by the simulator, through the REST API.

use bytes::Bytes;
use serde_json::Value;

use crate::papers::Paper;

/// Everything that was seen, once nothing moves any more.
#[derive(Clone, Default)]
pub(crate) struct Evidence {
    /// What was delivered, and what was answered.
    pub(crate) delivered: Vec<Delivered>,
    /// The create calls that Personio got, in the order of their arrival.
    pub(crate) creates: Vec<Create>,
    /// The employees that were made by them.
    pub(crate) employees: Vec<Made>,
    /// The files that the ATS has.
    pub(crate) papers: Vec<Paper>,
    /// The uploads that Personio got, in the order of their arrival.
    pub(crate) uploads: Vec<Upload>,
    /// The documents that it has.
    pub(crate) filed: Vec<Filed>,
    /// Every hire as `GET /v1/hires/{id}` shows it in the end.
    pub(crate) shown: Vec<Value>,
    /// Some hires as they were shown before.
    pub(crate) glimpses: Vec<Value>,
    /// What must not happen at all: calls that nobody should make, answers that no ATS expects, a service
    /// that ends by itself.
    pub(crate) accidents: Vec<String>,
}

/// A hire, as the ATS knows it.
#[derive(Clone)]
pub(crate) struct Delivered {
    /// The application's id.
    pub(crate) application: String,
    /// Whose application it is.
    pub(crate) person: usize,
    /// The success answers, in the order in which they came.
    pub(crate) answers: Vec<Answer>,
}

/// A success answer to a delivery.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Answer {
    /// The hire's id.
    pub(crate) hire: String,
    /// The state, with its reason.
    pub(crate) state: String,
    /// Whether the hire was known already.
    pub(crate) duplicate: bool,
}

/// A create call, as Personio got it.
#[derive(Clone)]
pub(crate) struct Create {
    /// Its place among all calls.
    pub(crate) number: u64,
    /// The application whose employee it is.
    pub(crate) application: String,
    /// Whether it was turned away at the door (401, 403, 429): then it surely had no effect.
    pub(crate) turned_away: bool,
    /// What was to be stored, attribute by attribute.
    pub(crate) sent: Value,
}

/// An upload, as Personio got it.
#[derive(Clone)]
pub(crate) struct Upload {
    /// Its place among all calls.
    pub(crate) number: u64,
    /// The employee's id.
    pub(crate) employee: String,
    /// The file's name.
    pub(crate) name: String,
    /// Whether it was turned away at the door, or refused as it is: then it surely had no effect.
    pub(crate) turned_away: bool,
}

/// A document that Personio has.
#[derive(Clone)]
pub(crate) struct Filed {
    pub(crate) employee: u64,
    pub(crate) category: u64,
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

/// An employee that a create call made.
#[derive(Clone)]
pub(crate) struct Made {
    /// The id in Personio.
    pub(crate) id: u64,
    /// The application.
    pub(crate) application: String,
    /// What is stored, attribute by attribute.
    pub(crate) stored: Value,
}

/// The attributes of an employee in Personio's JSON, the company's own beside the others.
pub(crate) fn flat(mut employee: Value) -> Value {
    let own = employee["custom_attributes"].take();
    if let (Value::Object(all), Value::Object(own)) = (&mut employee, own) {
        all.remove("custom_attributes");
        all.extend(own);
    }
    employee
}

/// One line of a hire's history: from, to, cause. What is about a document is no step of the hire.
pub(crate) fn steps(shown: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    lines(shown).filter(|(from, to, cause)| from != to || !cause.starts_with("document_"))
}

/// What the history says of this document: stable codes, without its number.
pub(crate) fn steps_of(shown: &Value, n: u64) -> impl Iterator<Item = &str> {
    let about = format!(":{n}");
    lines(shown).filter_map(move |(_, _, cause)| {
        let (code, rest) = cause.split_at(cause.find(':')?);
        let is_its = rest == about || rest.strip_prefix(&about).is_some_and(|rest| rest.starts_with(':'));
        (code.starts_with("document_") && is_its).then_some(code)
    })
}

fn lines(shown: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    shown["history"].as_array().into_iter().flatten().map(|entry| {
        (
            entry["from"].as_str().unwrap_or_default(),
            entry["to"].as_str().unwrap_or_default(),
            entry["cause"].as_str().unwrap_or_default(),
        )
    })
}
