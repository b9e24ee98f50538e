//! Whether a file is what it is said to be, and the name under which it may travel. Nothing is unpacked: only its
//! first bytes are looked at.

mod formats;
mod name;
#[cfg(test)]
mod tests;

use super::document::Flaw;
use formats::{Kind, is_plain_text, kind_of};

pub use name::clean;

/// So many first bytes are enough to examine a file.
pub const HEAD: usize = 8 * 1024;

/// The largest file that Personio takes, in bytes. Source: <https://github.com/personio/api-docs>.
pub const LARGEST: u64 = 30 * 1024 * 1024;

/// A file that may be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct CleanFile {
    /// Its name: no path, nothing that steers, at most 255 characters, with its ending.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
}

/// The type only: names are personal.
impl std::fmt::Debug for CleanFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CleanFile({})", self.media_type)
    }
}

/// Examines a file by its name at the ATS, the type that was declared with it, and its first bytes ([`HEAD`] of them,
/// or all). A name without an ending gets the one that the bytes show.
///
/// # Errors
/// [`Flaw::Empty`]; [`Flaw::TypeNotTaken`] if Personio takes no such files; [`Flaw::TypeDoubtful`] if name, declared
/// type and bytes do not say the same.
pub fn examine(name: &str, declared: Option<&str>, head: &[u8]) -> Result<CleanFile, Flaw> {
    if head.is_empty() {
        return Err(Flaw::Empty);
    }
    let cleaned = clean(name);
    let shown = shown_by(head);
    let (kind, name) = if let Some(ending) = name::ending(&cleaned) {
        (kind_of(ending).ok_or(Flaw::TypeNotTaken)?, cleaned)
    } else {
        let kind = guessed(shown, declared).ok_or(Flaw::TypeDoubtful)?;
        (kind, name::with_ending(&cleaned, kind.ending))
    };
    let agreed = kind.begins_as(shown) && kind.may_be_declared(declared.unwrap_or_default());
    if !agreed {
        return Err(Flaw::TypeDoubtful);
    }
    Ok(CleanFile { name, media_type: kind.media_type() })
}

/// The media type of a file with this name.
pub fn media_type(name: &str) -> &'static str {
    name::ending(name).and_then(kind_of).map_or("application/octet-stream", Kind::media_type)
}

/// What the first bytes show, by the usual ending of such files; `text` for plain text, nothing if they say nothing.
fn shown_by(head: &[u8]) -> &'static str {
    match infer::get(head).map(|known| known.extension()) {
        // One container, whatever is in it.
        Some("doc" | "xls" | "ppt" | "msi") => "ole",
        Some("jpeg") => "jpg",
        // Two letters that a text may well begin with.
        Some("bmp" | "exe" | "dll") if is_plain_text(head) => "text",
        Some(known) => known,
        // Readers of PDF look for its mark among the first 1024 bytes.
        None if head[..head.len().min(1024)].windows(5).any(|window| window == b"%PDF-") => "pdf",
        None if head.starts_with(b"bplist00") => "plist",
        None if head.starts_with(&[0xc5, 0xd0, 0xd3, 0xc6]) => "ps",
        None if head.starts_with(&[0x30, 0x80]) || head.starts_with(&[0x30, 0x82]) => "der",
        None if is_plain_text(head) => "text",
        None => "",
    }
}

/// The kind of a file without an ending.
fn guessed(shown: &str, declared: Option<&str>) -> Option<&'static Kind> {
    match shown {
        "" => None,
        // The container alone does not tell what is in it.
        "ole" | "text" => formats::declared_as(declared?).filter(|kind| kind.begins_as(shown)),
        shown => kind_of(shown),
    }
}
