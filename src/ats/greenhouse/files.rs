//! Greenhouse's attachments: `{filename, url, type}`, whose links live seven days. Source:
//! <https://developers.greenhouse.io/webhooks.html#common-attributes>.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::domain::file::gather;
use crate::domain::{DocumentKind, File, Note, Place};

/// What a note calls them.
const PLACE: &str = "attachments";

#[derive(Deserialize)]
struct Attachment {
    filename: String,
    url: Url,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

/// The candidate's files, each once. One that is not as documented never stops a hire.
pub(super) fn files(attachments: &Value, notes: &mut Vec<Note>) -> Vec<File> {
    let mut found = Vec::new();
    if !attachments.is_null() && !attachments.is_array() {
        notes.push(format!("file_left_out:{PLACE}"));
    }
    for (index, attachment) in attachments.as_array().into_iter().flatten().enumerate() {
        match Attachment::deserialize(attachment) {
            Ok(attachment) => drop(gather(&mut found, [file(attachment)])),
            Err(_) => notes.push(format!("file_left_out:{PLACE}[{index}]")),
        }
    }
    found
}

fn file(attachment: Attachment) -> File {
    let Attachment { filename, url, kind } = attachment;
    let id = id(&url, &filename);
    let kind = kind.as_deref().map_or(DocumentKind::Other, document_kind);
    File { id, kind, name: filename, date: None, place: Place::Link(url.into()) }
}

/// Greenhouse has no ids for attachments. A link is signed anew with each delivery, in its query; the rest of it says
/// which file it is.
fn id(url: &Url, name: &str) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    let hash = digest(&SHA256, format!("{bare}\n{name}").as_bytes());
    hex::encode(&hash.as_ref()[..16])
}

fn document_kind(kind: &str) -> DocumentKind {
    match kind {
        "resume" => DocumentKind::Resume,
        "cover_letter" => DocumentKind::CoverLetter,
        "offer_letter" | "offer_packet" => DocumentKind::OfferLetter,
        "signed_offer_letter" => DocumentKind::SignedOffer,
        // `take_home_test`, `attachment`, `other`, and what there may be some day.
        _ => DocumentKind::Other,
    }
}
