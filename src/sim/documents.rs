//! `/v1/company/documents` and the categories that they are filed under.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::attributes::short;
use super::calendar::strict_date;
use super::call::{Body, Call, Part};
use super::company::Company;
use super::manner::Manner;
use super::person::StoredDocument;

const TITLE_LIMIT: usize = 255;
const FILE_LIMIT: usize = 30 * 1024 * 1024;

/// The endings that Personio takes, as its own error message lists them.
const ENDINGS: &str = "pdf, docx, doc, jpg, zip, png, txt, jpeg, odt, xlsx, rtf, htm, xls, p7s, pptx, pages, rar, \
    ppt, gif, tif, html, msg, asc, tiff, wps, bmp, 7z, csv, ics, vcf, dotx, numbers, eps, gz, ods, otf, odp, odg, \
    rtfd, txz, webarchive, xml, xps, md, fax";

/// `GET /v1/company/document-categories`
pub(super) fn categories(company: &Company) -> Answer {
    let all: Vec<Value> = (1..=company.categories.len()).map(|id| category(company, id as u64)).collect();
    Answer::data(200, all)
}

fn category(company: &Company, id: u64) -> Value {
    let place = usize::try_from(id).unwrap_or_default().checked_sub(1);
    let name = place.and_then(|place| company.categories.get(place));
    name.map_or(
        Value::Null,
        |name| json!({"id": id, "type": "DocumentCategory", "attributes": {"name": name}}),
    )
}

/// `POST /v1/company/documents`
pub(super) fn upload(company: &mut Company, call: &Call, manner: &Manner) -> Answer {
    let document = match &call.body {
        Body::Multipart(parts) => read(parts, manner),
        Body::Unreadable(what) => return Answer::violation(vec![what.clone()]),
        _ => return Answer::violation(vec!["the body must be multipart/form-data".into()]),
    };
    match document {
        Ok(document) => store(company, document),
        Err(objections) => objections.into_answer(manner),
    }
}

/// What is wrong with an upload: what the caller's code did wrong, and what is wrong with the file.
#[derive(Default)]
struct Objections {
    violations: Vec<String>,
    errors: Map<String, Value>,
}

impl Objections {
    fn field(&mut self, field: &str, message: String) {
        self.errors.insert(field.to_owned(), Value::Array(vec![message.into()]));
    }

    fn violation(&mut self, field: &str, what: &str) {
        self.violations.push(format!("the part {field} {what}"));
        self.field(field, format!("The {field} {what}."));
    }

    fn into_answer(self, manner: &Manner) -> Answer {
        let message = manner.say("The given data was invalid.", "Die angegebenen Daten waren ungültig.");
        let error = json!({"message": message, "code": 0, "error_data": self.errors});
        Answer::json(422, json!({"success": false, "error": error})).with_violations(self.violations)
    }
}

/// Reads the parts, each by name and type. The id is given when the document is stored.
fn read(parts: &[Part], manner: &Manner) -> Result<StoredDocument, Objections> {
    let mut wrong = Objections::default();
    check_names(parts, &mut wrong);
    let text = |name: &str| parts.iter().find(|part| part.name == name).and_then(Part::text);
    let (file_name, content) = file(parts, manner, &mut wrong);
    let document = StoredDocument {
        id: 0,
        employee_id: id(text("employee_id"), "employee_id", &mut wrong),
        category_id: id(text("category_id"), "category_id", &mut wrong),
        title: text("title").unwrap_or_default().to_owned(),
        comment: text("comment").map(str::to_owned),
        date: text("date").and_then(strict_date),
        file_name,
        content,
    };
    if document.title.is_empty() {
        wrong.violation("title", "is required");
    }
    if document.title.chars().count() > TITLE_LIMIT {
        wrong.violation("title", "may not be greater than 255 characters");
    }
    if text("date").is_some() && document.date.is_none() {
        wrong.violation("date", "does not match the format Y-m-d");
    }
    if wrong.errors.is_empty() { Ok(document) } else { Err(wrong) }
}

fn check_names(parts: &[Part], wrong: &mut Objections) {
    let known = ["title", "employee_id", "category_id", "comment", "date", "file"];
    for (at, part) in parts.iter().enumerate() {
        if !known.contains(&part.name.as_str()) {
            wrong.violation(&part.name, "is unknown");
        } else if parts[..at].iter().any(|earlier| earlier.name == part.name) {
            wrong.violation(&part.name, "is there twice");
        }
        if part.coded {
            wrong.violation(&part.name, "has a name in the coded form, which forms do not know");
        }
        let plain = part.content_type.as_deref().is_none_or(|kind| kind.starts_with("text/plain"));
        if part.name != "file" && (part.file_name.is_some() || !plain || part.text().is_none()) {
            wrong.violation(&part.name, "is to be plain text in UTF-8");
        }
    }
}

fn store(company: &mut Company, document: StoredDocument) -> Answer {
    let category = category(company, document.category_id);
    if category.is_null() {
        return no_result("DocumentCategory", document.category_id);
    }
    let Some(employee) = company.employees.get(&document.employee_id).map(|stored| short(company, stored))
    else {
        return no_result("Employee", document.employee_id);
    };
    let id = company.documents.last().map_or(1, |last| last.id + 1);
    let attributes = json!({
        "title": document.title,
        "date": document.date,
        "comment": document.comment,
        "employee": employee,
        "category": category,
    });
    company.documents.push(StoredDocument { id, ..document });
    Answer::data(201, json!({"id": id, "type": "Document", "attributes": attributes}))
}

fn no_result(model: &str, id: u64) -> Answer {
    Answer::refusal(404, 0, format!("No query results for model [{model}] {id}"))
}

fn id(text: Option<&str>, name: &str, wrong: &mut Objections) -> u64 {
    match text.map(str::parse) {
        Some(Ok(id)) => return id,
        Some(Err(_)) => wrong.violation(name, "must be an integer"),
        None => wrong.violation(name, "is required"),
    }
    0
}

/// The name and bytes of the file.
fn file(parts: &[Part], manner: &Manner, wrong: &mut Objections) -> (String, Bytes) {
    let part = parts.iter().find(|part| part.name == "file");
    let Some((part, name)) = part.and_then(|part| Some((part, part.file_name.as_ref()?))) else {
        wrong.violation("file", "is required, with a file name");
        return Default::default();
    };
    if let Some(what) = misnamed(name) {
        wrong.violation("file", what);
    }
    if part.content_type.as_deref().is_some_and(|kind| !kind.contains('/')) {
        wrong.violation("file", "has a Content-Type that is no media type");
    }
    if part.content.is_empty() {
        wrong.violation("file", "is empty");
    } else if part.content.len() > FILE_LIMIT {
        let english = "The file may not be greater than 30720 kilobytes.";
        wrong.field("file", manner.say(english, "Die Datei darf maximal 30720 Kilobytes groß sein."));
    } else if !name.rsplit_once('.').is_some_and(|(_, ending)| allowed(ending)) {
        let english = format!("The file must be a file of type: {ENDINGS}.");
        wrong.field("file", manner.say(english, format!("Die Datei muss den Dateityp {ENDINGS} haben.")));
    }
    (name.clone(), part.content.clone())
}

/// What no caller should let through in a file's name.
fn misnamed(name: &str) -> Option<&'static str> {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match name {
        _ if name.contains(['/', '\\']) => Some("has a path in its name"),
        _ if name.contains(steers) => Some("has characters in its name that steer"),
        _ if name.chars().count() > TITLE_LIMIT => Some("has a name of more than 255 characters"),
        _ => None,
    }
}

fn allowed(ending: &str) -> bool {
    ENDINGS.split(", ").any(|known| known.eq_ignore_ascii_case(ending))
}
