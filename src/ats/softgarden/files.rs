//! The files in a delivery, in Base64.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;

use super::contract::SoftgardenDocument;
use crate::domain::file::gather;
use crate::domain::{DocumentKind, File, Note, Place};

/// What a note calls them.
const PLACE: &str = "documents";

/// The person's files, each once. One that is not as agreed never stops a hire.
pub(super) fn files(documents: &Value, notes: &mut Vec<Note>) -> Vec<File> {
    let mut found = Vec::new();
    if !documents.is_null() && !documents.is_array() {
        notes.push(format!("file_left_out:{PLACE}"));
    }
    for (index, document) in documents.as_array().into_iter().flatten().enumerate() {
        match SoftgardenDocument::deserialize(document).ok().and_then(file) {
            Some(file) => drop(gather(&mut found, [file])),
            None => notes.push(format!("file_left_out:{PLACE}[{index}]")),
        }
    }
    found
}

fn file(document: SoftgardenDocument<'_>) -> Option<File> {
    let mut content = document.binary_data.to_owned();
    content.retain(|c| !c.is_ascii_whitespace());
    let content = Some(content).filter(|content| is_base64(content))?;
    let hash = || hex::encode(&digest(&SHA256, content.as_bytes()).as_ref()[..16]);
    Some(File {
        id: document.id.map_or_else(hash, |id| id.0),
        kind: document.kind.map_or(DocumentKind::Other, kind),
        name: document.file_name.to_owned(),
        date: None,
        place: Place::Inline(content),
    })
}

fn kind(name: &str) -> DocumentKind {
    DocumentKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(DocumentKind::Other)
}

/// Whether it can be decoded, as far as that shows without doing it.
fn is_base64(text: &str) -> bool {
    let padding = text.bytes().rev().take(2).take_while(|byte| *byte == b'=').count();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    text.len().is_multiple_of(4) && text.bytes().take(text.len() - padding).all(fits)
}
