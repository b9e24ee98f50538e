//! The page for people, `/console/`: static files that are part of the binary.
//!
//! They hold nothing personal and are given to anyone. What the page shows it asks of the REST API, as whoever has
//! signed in, and nothing else: so the page proves that the API is complete.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::App;
use super::problem;

/// What the browser is to allow: our own files and our own API. Nothing inline, no evaluated code, no text that
/// becomes markup (trusted types), no frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every file carries.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // Kept by the browser, and asked for again each time: after an update nobody works with half of the old page.
    (CACHE_CONTROL, "no-cache"),
];

/// A file of the page.
struct File {
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal)*) => {
        &[$(File { path: $path, bytes: include_bytes!(concat!("console/", $path)) }),*]
    };
}

/// All there are; a test holds the folder against this list.
static FILES: &[File] = files! {
    "index.html"
    "style.css"
    "icon.svg"
    "actions.js"
    "always.js"
    "api.js"
    "app.js"
    "codes.js"
    "dialog.js"
    "documents.js"
    "facts.js"
    "field.js"
    "health.js"
    "hire.js"
    "lib.js"
    "list.js"
    "live.js"
    "new.js"
    "parts.js"
    "personio.js"
    "plan-form.js"
    "plan.js"
    "send.js"
    "sign-in.js"
    "status.js"
    "timeline.js"
    "words-de.js"
    "words-en.js"
    "words.js"
    "vendor/htm.js"
    "vendor/hooks.js"
    "vendor/preact.js"
    "vendor/LICENSES.txt"
};

/// Each file's tag, in the order of [`FILES`].
static TAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let tag = |file: &File| format!("\"{}\"", hex::encode(&digest(&SHA256, file.bytes).as_ref()[..16]));
    let value = |tag: String| HeaderValue::from_str(&tag).expect("hex in quotes is visible ASCII");
    FILES.iter().map(|file| value(tag(file))).collect()
});

/// The page's routes, without the API's door before them: there is nothing personal in the files.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console", get(|| async { Redirect::permanent("/console/") }))
        .route("/console/", get(|headers: HeaderMap| async move { answer("index.html", &headers) }))
        .route(
            "/console/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { answer(&path, &headers) }),
        )
}

fn answer(path: &str, headers: &HeaderMap) -> Response {
    let Some(n) = FILES.iter().position(|file| file.path == path) else {
        return problem::Problem::of(super::code::Code::NotFound).into_response();
    };
    let (file, tag) = (&FILES[n], &TAGS[n]);
    let mut response = if is_known(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, media_type(path))], file.bytes).into_response()
    };
    let all = response.headers_mut();
    all.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    all.insert(ETAG, tag.clone());
    response
}

/// Whether the browser has this very file. <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| one.trim().trim_start_matches("W/") == *tag)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/console"))
    }

    fn is_a(ending: &str, file: &File) -> bool {
        file.path.rsplit_once('.').is_some_and(|(_, own)| own == ending)
    }

    fn text(file: &File) -> &'static str {
        std::str::from_utf8(file.bytes).expect("every file is text")
    }

    fn ours() -> impl Iterator<Item = &'static File> {
        FILES.iter().filter(|file| !file.path.starts_with("vendor/"))
    }

    #[test]
    fn every_file_of_the_folder_is_part_of_the_page() {
        let names = |below: &str| {
            let entries = fs::read_dir(folder().join(below)).expect("the folder can be read");
            let name = move |entry: fs::DirEntry| format!("{below}{}", entry.file_name().to_string_lossy());
            entries.map(|entry| name(entry.expect("an entry"))).collect::<Vec<_>>()
        };
        // The folder itself, and what tells developers where the vendored files are from.
        let apart = ["vendor", "vendor/README.md", "vendor/SHA256SUMS"];
        let mut there: BTreeSet<_> = names("").into_iter().chain(names("vendor/")).collect();
        for name in apart {
            assert!(there.remove(name), "{name}");
        }
        assert_eq!(there, FILES.iter().map(|file| file.path.to_owned()).collect());
    }

    #[test]
    fn what_is_not_ours_is_what_its_checksums_say() {
        let sums = fs::read_to_string(folder().join("vendor/SHA256SUMS")).expect("there are checksums");
        let scripts = FILES.iter().filter(|f| f.path.starts_with("vendor/") && is_a("js", f));
        for file in scripts {
            let name = file.path.trim_start_matches("vendor/");
            let line = format!("{}  {name}", hex::encode(digest(&SHA256, file.bytes)));
            assert!(sums.lines().any(|sum| sum == line), "{name}");
        }
    }

    #[test]
    fn nothing_becomes_markup_or_code_and_nothing_is_asked_of_another_host() {
        for file in ours().filter(|file| !is_a("svg", file)) {
            for forbidden in [
                "innerHTML",
                "InnerHTML",
                "outerHTML",
                "insertAdjacent",
                "eval(",
                "Function(",
                "http:",
                "https:",
                "javascript:",
                " style=\"",
                "document.write",
            ] {
                assert!(!text(file).contains(forbidden), "{} has {forbidden}", file.path);
            }
        }
    }

    #[test]
    fn every_module_that_is_imported_is_there() {
        for file in FILES.iter().filter(|file| is_a("js", file)) {
            let folder = file.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            for after in text(file).split("from \"./").skip(1) {
                let name = after.split('"').next().unwrap_or_default();
                let path = format!("{folder}{name}");
                assert!(FILES.iter().any(|file| file.path == path), "{} imports {path}", file.path);
            }
        }
    }

    #[test]
    fn a_browser_that_has_a_file_is_not_sent_it_again() {
        let first = answer("index.html", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[ETAG].clone();
        let asked = |value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            answer("index.html", &HeaderMap::from_iter([(IF_NONE_MATCH, value)])).status()
        };
        let tag = tag.to_str().expect("ASCII");
        assert_eq!(asked(&format!("\"x\", W/{tag}")), StatusCode::NOT_MODIFIED);
        assert_eq!(asked("\"x\""), StatusCode::OK);
    }

    /// The keys of a module of words, in order.
    fn keys(path: &str) -> Vec<&'static str> {
        let file = FILES.iter().find(|file| file.path == path).expect("it is part of the page");
        let key = |line: &'static str| {
            let (key, rest) = line.strip_prefix("  ")?.split_once(": ").filter(|_| !line.contains("//"))?;
            (rest.starts_with('"') && rest.ends_with("\",")).then(|| key.trim_matches('"'))
        };
        text(file).lines().filter_map(key).collect()
    }

    #[test]
    fn every_word_of_the_page_is_there_in_both_languages_and_used() {
        let (english, german) = (keys("words-en.js"), keys("words-de.js"));
        assert_eq!(english, german);
        let code: String = ours().filter(|file| !file.path.starts_with("words-")).map(text).collect();
        let calls =
            code.match_indices("t(\"").filter(|(at, _)| !code[..*at].ends_with(char::is_alphanumeric));
        for asked in calls.filter_map(|(at, call)| code[at + call.len()..].split('"').next()) {
            assert!(english.contains(&asked), "{asked} has no words");
        }
        for key in english {
            // What a code or a field is called is found by its name at run time.
            let found = key.contains('.') || key.ends_with("_says") || code.contains(&format!("\"{key}\""));
            assert!(found, "{key} is not used");
        }
    }
}
