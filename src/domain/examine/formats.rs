//! The types of files that Personio takes, how each begins, and what it may be declared as.

/// A type that Personio takes.
pub(super) struct Kind {
    /// The ending, in lower case.
    pub(super) ending: &'static str,
    /// What the first bytes may show: [`infer`]'s usual endings, and a few of our own.
    shows: &'static [&'static str],
    /// Media types, the proper one first.
    declared: &'static [&'static str],
}

const fn kind(
    ending: &'static str,
    shows: &'static [&'static str],
    declared: &'static [&'static str],
) -> Kind {
    Kind { ending, shows, declared }
}

const WORD: &str = "application/msword";
const EXCEL: &str = "application/vnd.ms-excel";
const SLIDES: &str = "application/vnd.ms-powerpoint";
const ZIP: &str = "application/zip";
const TEXT: &str = "text/plain";

/// Source: the list in Personio's own error message, <https://github.com/personio/api-docs>.
const KINDS: &[Kind] = &[
    kind("pdf", &["pdf"], &["application/pdf", "application/x-pdf", "application/acrobat", "text/pdf"]),
    kind(
        "docx",
        &["docx", "zip"],
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document", WORD, ZIP],
    ),
    kind("doc", &["ole", "rtf"], &[WORD, "application/vnd.ms-word", "application/rtf", "text/rtf"]),
    kind("jpg", &["jpg"], &["image/jpeg", "image/jpg", "image/pjpeg"]),
    kind("jpeg", &["jpg"], &["image/jpeg", "image/jpg", "image/pjpeg"]),
    kind("zip", &["zip"], &[ZIP, "application/x-zip-compressed", "application/x-zip"]),
    kind("png", &["png"], &["image/png", "image/x-png"]),
    kind("txt", &["text"], &[TEXT]),
    kind("odt", &["odt", "zip"], &["application/vnd.oasis.opendocument.text", ZIP]),
    kind(
        "xlsx",
        &["xlsx", "zip"],
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", EXCEL, ZIP],
    ),
    kind("rtf", &["rtf"], &["application/rtf", "text/rtf", "application/x-rtf", "text/richtext", WORD]),
    kind("htm", &["html", "xml", "text"], &["text/html", "application/xhtml+xml"]),
    kind("xls", &["ole"], &[EXCEL, "application/msexcel", "application/x-msexcel"]),
    kind(
        "p7s",
        &["der", "pem", "text"],
        &["application/pkcs7-signature", "application/x-pkcs7-signature", "application/pkcs7-mime"],
    ),
    kind(
        "pptx",
        &["pptx", "zip"],
        &["application/vnd.openxmlformats-officedocument.presentationml.presentation", SLIDES, ZIP],
    ),
    kind("pages", &["zip"], &["application/vnd.apple.pages", "application/x-iwork-pages-sffpages", ZIP]),
    kind("rar", &["rar"], &["application/vnd.rar", "application/x-rar-compressed", "application/x-rar"]),
    kind("ppt", &["ole"], &[SLIDES, "application/mspowerpoint"]),
    kind("gif", &["gif"], &["image/gif"]),
    kind("tif", &["tif"], &["image/tiff", "image/tif"]),
    kind("html", &["html", "xml", "text"], &["text/html", "application/xhtml+xml"]),
    kind("msg", &["ole"], &["application/vnd.ms-outlook", "application/x-msg"]),
    kind("asc", &["text", "pem"], &[TEXT, "application/pgp-signature", "application/pgp-encrypted"]),
    kind("tiff", &["tif"], &["image/tiff", "image/tif"]),
    kind("wps", &["ole", "zip"], &["application/vnd.ms-works", WORD]),
    kind("bmp", &["bmp"], &["image/bmp", "image/x-ms-bmp", "image/x-bmp"]),
    kind("7z", &["7z"], &["application/x-7z-compressed"]),
    kind("csv", &["text"], &["text/csv", TEXT, "application/csv", "text/x-csv", EXCEL]),
    kind("ics", &["text"], &["text/calendar", TEXT]),
    kind("vcf", &["text"], &["text/vcard", "text/x-vcard", "text/directory", TEXT]),
    kind(
        "dotx",
        &["docx", "zip"],
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.template", ZIP],
    ),
    kind(
        "numbers",
        &["zip"],
        &["application/vnd.apple.numbers", "application/x-iwork-numbers-sffnumbers", ZIP],
    ),
    kind("eps", &["ps"], &["application/postscript", "application/eps", "image/x-eps"]),
    kind("gz", &["gz"], &["application/gzip", "application/x-gzip"]),
    kind("ods", &["ods", "zip"], &["application/vnd.oasis.opendocument.spreadsheet", ZIP]),
    kind("otf", &["zip", "otf"], &["application/vnd.oasis.opendocument.formula-template", "font/otf", ZIP]),
    kind("odp", &["odp", "zip"], &["application/vnd.oasis.opendocument.presentation", ZIP]),
    kind("odg", &["zip"], &["application/vnd.oasis.opendocument.graphics", ZIP]),
    kind("rtfd", &["zip"], &[ZIP, "application/rtfd"]),
    kind("txz", &["xz"], &["application/x-xz", "application/x-xz-compressed-tar"]),
    kind("webarchive", &["plist", "xml"], &["application/x-webarchive"]),
    kind("xml", &["xml", "text"], &["application/xml", "text/xml"]),
    kind("xps", &["zip"], &["application/vnd.ms-xpsdocument", "application/oxps", ZIP]),
    kind("md", &["text", "html"], &["text/markdown", TEXT]),
    kind("fax", &["tif"], &["image/tiff", "image/fax", "image/g3fax"]),
];

/// Declarations that say nothing.
const SAYS_NOTHING: [&str; 7] = [
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/download",
    "application/x-download",
    "application/force-download",
    "application/unknown",
];

impl Kind {
    /// The proper media type.
    pub(super) fn media_type(&self) -> &'static str {
        self.declared[0]
    }

    pub(super) fn begins_as(&self, shown: &str) -> bool {
        self.shows.contains(&shown)
    }

    pub(super) fn may_be_declared(&self, declared: &str) -> bool {
        let declared = essence(declared);
        SAYS_NOTHING.contains(&&*declared) || self.declared.contains(&&*declared)
    }
}

/// The kind with this ending, in whatever case.
pub(super) fn kind_of(ending: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.ending.eq_ignore_ascii_case(ending))
}

/// The kind whose proper media type this is.
pub(super) fn declared_as(declared: &str) -> Option<&'static Kind> {
    let declared = essence(declared);
    KINDS.iter().find(|kind| kind.media_type() == declared)
}

/// The media type without its parameters.
fn essence(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether it is text: nothing steers but what lays out lines, unless a mark says that it is in 16 bits.
pub(super) fn is_plain_text(head: &[u8]) -> bool {
    let sixteen_bits = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let lays_out =
        |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || *byte >= 0x20 && *byte != 0x7f;
    sixteen_bits || head.iter().all(lays_out)
}
