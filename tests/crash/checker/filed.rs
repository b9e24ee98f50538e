//! What must be true of documents.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Case, Invariant, text};
use crate::evidence::{Filed, Upload, steps_of};
use crate::papers::{FILED, Paper};
use crate::support::state;

impl Case<'_> {
    /// At most one upload of a file is sent whose effect cannot be ruled out, and none after it.
    pub(super) fn one_upload(&mut self) {
        let mut uploads: BTreeMap<(&str, &str), Vec<&Upload>> = BTreeMap::new();
        for upload in &self.evidence.uploads {
            uploads.entry((&upload.employee, &upload.name)).or_default().push(upload);
        }
        for ((employee, name), uploads) in uploads {
            let open = uploads.iter().position(|upload| !upload.turned_away);
            if let Some(after) = open.and_then(|open| uploads.get(open + 1)) {
                let what = format!(
                    "call {} uploads {name:?} to {employee} after one that may have had an effect",
                    after.number
                );
                self.complain(Invariant::OneDocument, owner(name), what);
            }
        }
        let mut filed: BTreeMap<(u64, &str), usize> = BTreeMap::new();
        for document in &self.evidence.filed {
            *filed.entry((document.employee, &document.name)).or_default() += 1;
        }
        for ((employee, name), times) in filed.into_iter().filter(|(_, times)| *times > 1) {
            self.complain(
                Invariant::OneDocument,
                owner(name),
                format!("{name:?} is {times} times with {employee}"),
            );
        }
    }

    /// What Personio has is a file of the ATS, byte by byte, under its category, with the hire's own employee.
    pub(super) fn documents_are_whole(&mut self) {
        for document in &self.evidence.filed {
            if let Some(what) = self.flaw_of(document) {
                self.complain(Invariant::DocumentsAreWhole, owner(&document.name), what);
            }
        }
    }

    fn flaw_of(&self, document: &Filed) -> Option<String> {
        let name = &document.name;
        let Some(paper) = self.evidence.papers.iter().find(|paper| paper.name == *name) else {
            return Some(format!("{name:?} is no file of the ATS"));
        };
        let made = self.evidence.employees.iter().find(|made| made.id == document.employee);
        let category = FILED.iter().find(|(kind, ..)| *kind == paper.kind).map(|(.., id)| *id);
        if paper.content != document.content {
            return Some(format!(
                "{name:?} has {} bytes, not {}",
                document.content.len(),
                paper.content.len()
            ));
        }
        if made.is_none_or(|made| made.application != paper.application) {
            return Some(format!("{name:?} is with {}, somebody else", document.employee));
        }
        (category != Some(document.category))
            .then(|| format!("{name:?} is in category {}", document.category))
    }

    /// Each file of whoever is created has arrived, or its state says why not.
    pub(super) fn documents_arrive(&mut self) {
        for paper in &self.evidence.papers {
            let Some(hire) = self.shown.get(&*paper.application) else { continue };
            if let Some(what) = self.absence(paper, hire).filter(|_| hire["state"] == "created") {
                self.complain(Invariant::DocumentsArrive, &paper.application, what);
            }
        }
    }

    fn absence(&self, paper: &Paper, hire: &Value) -> Option<String> {
        let Some(document) = document_of(paper, hire) else {
            // Who could not be asked is named.
            let mut notes = hire["notes"].as_array().into_iter().flatten().map(text);
            let was_asked = !notes.any(|note| note.starts_with("ats_call_failed:candidate.info"));
            return was_asked.then(|| format!("nothing is said of {:?}", paper.name));
        };
        let employee = hire["employee"]["id"].as_u64();
        let mut filed = self.evidence.filed.iter();
        let is_there = filed.any(|one| one.name == paper.name && Some(one.employee) == employee);
        let explained = match text(&document["state"]) {
            "sent" => is_there,
            "failed" => document["reason"].is_string() && document["remedy"].is_string(),
            "unknown" => document["remedy"].is_string(),
            _ => false,
        };
        (!explained).then(|| format!("{:?} is `{}`, there: {is_there}", paper.name, state(document)))
    }

    /// A document that was `unknown` is never sent again by itself, nor one that was sent or failed.
    pub(super) fn unknown_documents_are_not_sent_again(&mut self) {
        for (application, hire) in self.shown.clone() {
            for document in hire["documents"].as_array().into_iter().flatten() {
                let n = document["n"].as_u64().unwrap_or_default();
                let ended = ["document_unknown", "document_owner_gone", "document_sent", "document_failed"];
                let mut after = steps_of(hire, n).skip_while(|code| !ended.contains(code)).skip(1);
                if let Some(code) = after.next() {
                    let what = format!("document {n} goes on with `{code}` after its end");
                    self.complain(Invariant::OneDocument, application, what);
                }
            }
        }
    }
}

/// Why a document of a created hire has not ended.
pub(crate) fn unrest_of_documents(hire: &Value) -> Option<String> {
    let mut documents = hire["documents"].as_array().into_iter().flatten();
    let is_passing = |document: &&Value| ["pending", "sending"].contains(&text(&document["state"]));
    let passing = documents.find(is_passing).filter(|_| hire["state"] == "created")?;
    Some(format!("a document is left as `{}`", state(passing)))
}

fn document_of<'v>(paper: &Paper, hire: &'v Value) -> Option<&'v Value> {
    hire["documents"].as_array().into_iter().flatten().find(|document| document["name"] == paper.name)
}

/// The application whose file has this name.
fn owner(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}
