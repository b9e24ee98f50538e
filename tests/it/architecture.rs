//! The arrows between the rooms: who may import whom. A new arrow is a decision, made here and in
//! `docs/ARCHITECTURE.md`, not an accident.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may import. What is not named here may be imported by nobody.
const ARROWS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("telemetry", &[]),
    ("domain", &[]),
    ("sim", &[]),
    ("mapping", &["domain"]),
    ("words", &["domain"]),
    ("ledger", &["domain"]),
    ("outbound", &["clock"]),
    ("ats", &["clock", "domain", "outbound"]),
    ("personio", &["clock", "domain", "ledger", "outbound", "telemetry"]),
    ("catalog", &["clock", "domain", "personio"]),
    (
        "transfer",
        &["ats", "catalog", "clock", "domain", "ledger", "mapping", "outbound", "personio", "telemetry"],
    ),
    ("notices", &["clock", "domain", "ledger", "outbound", "telemetry", "words"]),
    ("due", &["clock", "ledger", "transfer"]),
    ("poll", &["ats", "clock", "http", "outbound", "telemetry", "transfer"]),
    ("check", &["ats", "catalog", "clock", "domain", "ledger", "mapping", "personio"]),
    ("http", &["ats", "check", "clock", "domain", "ledger", "telemetry", "transfer", "words"]),
    (
        "config",
        &[
            "ats",
            "clock",
            "http",
            "ledger",
            "mapping",
            "notices",
            "outbound",
            "personio",
            "telemetry",
            "transfer",
        ],
    ),
    (
        "service",
        &[
            "ats",
            "catalog",
            "check",
            "clock",
            "config",
            "due",
            "http",
            "ledger",
            "mapping",
            "notices",
            "outbound",
            "personio",
            "poll",
            "telemetry",
            "transfer",
        ],
    ),
    (
        "cli",
        &[
            "ats",
            "catalog",
            "check",
            "clock",
            "config",
            "domain",
            "http",
            "ledger",
            "mapping",
            "outbound",
            "personio",
            "service",
            "sim",
            "telemetry",
            "transfer",
            "words",
        ],
    ),
];

pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the source folder can be read");
    let mut files = Vec::new();
    for entry in entries.map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

pub(crate) fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The room of a file: the first part of its path below `src`.
fn room(file: &Path) -> String {
    let below = file.strip_prefix(src()).expect("a file of ours");
    let first = below.components().next().expect("a part").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without comments and without its tests.
pub(crate) fn code(file: &Path) -> String {
    if file.file_name().is_some_and(|name| name == "tests.rs" || name == "stage.rs")
        || file.components().any(|part| part.as_os_str() == "tests")
    {
        return String::new();
    }
    let text = fs::read_to_string(file).expect("a source file can be read");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names as `crate::room`, also in `use crate::{a, b}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let name = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        match after.strip_prefix('{') {
            Some(several) => {
                let several = several.split_once("};").map_or(several, |(several, _)| several);
                rooms.extend(several.split(',').map(name));
            }
            None => drop(rooms.insert(name(after))),
        }
    }
    rooms.retain(|room| ARROWS.iter().any(|(known, _)| known == room));
    rooms
}

#[test]
fn rooms_import_only_what_the_arrows_allow() {
    let mut wrong = Vec::new();
    for file in sources(&src()) {
        let room = room(&file);
        if room == "lib" || room == "main" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == room) else {
            wrong.push(format!("{}: the room `{room}` has no arrows in this test", file.display()));
            continue;
        };
        for import in imports(&code(&file)) {
            if import != room && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: {room} must not import {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_domain_the_mapping_and_the_words_are_pure() {
    for file in sources(&src()) {
        if matches!(room(&file).as_str(), "domain" | "mapping" | "words") {
            let code = code(&file);
            for outside in ["axum", "reqwest", "rusqlite", "tokio", "hyper", "std::fs", "std::env"] {
                assert!(!code.contains(&format!("{outside}::")), "{} names {outside}", file.display());
            }
        }
    }
}

#[test]
fn personio_sees_nothing_of_the_ledger_but_the_ticket() {
    for file in sources(&src()).into_iter().filter(|file| room(file) == "personio") {
        let code = code(&file);
        for after in code.split("crate::ledger::").skip(1) {
            assert!(after.starts_with("Ticket"), "{} imports more than Ticket", file.display());
        }
    }
}

#[test]
fn polls_see_nothing_of_http_but_what_is_shown_of_sources() {
    let code = code(&src().join("poll.rs"));
    let seen: Vec<_> = code.split("crate::http::").skip(1).collect();
    assert!(
        !seen.is_empty() && seen.iter().all(|after| after.starts_with("SourceWatch")),
        "poll sees more of http"
    );
}

#[test]
fn only_the_signature_makes_what_is_verified_and_only_the_ledger_makes_tickets() {
    for file in sources(&src()) {
        let code = code(&file);
        let name = file.strip_prefix(src()).expect("ours").display().to_string();
        if name != "ats/signature.rs" {
            assert!(!code.contains("Verified {"), "{name} makes a Verified");
        }
        if name != "ats/poll.rs" {
            assert!(!code.contains("(Item)") && !code.contains(" Item("), "{name} makes an Item");
        }
        if name != "ats/source.rs" {
            assert!(!code.contains("Verified::fetched"), "{name} says that something was fetched");
        }
        if !name.starts_with("ledger/") {
            assert!(!code.contains("Ticket::new"), "{name} makes a Ticket");
        }
    }
}
