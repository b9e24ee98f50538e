//! Every code has words, and all words have a code. The codes are found in the source; whoever makes one in a way that
//! cannot be found is told, and names it in [`MADE`].

use std::collections::BTreeSet;
use std::fs;

use hirebridge::domain::DocumentState;
use hirebridge::domain::state::ALL;
use hirebridge::words::{self, Kind};

use crate::architecture::{code, sources, src};
use crate::command_line::{folder, said};

type Found = BTreeSet<(&'static str, String)>;

/// Where a code is an argument of a call: what stands before the bracket, which argument, and of what kind it is.
const CALLS: &[(&str, usize, Kind)] = &[
    ("hire.note(", 0, Kind::Note),
    ("plan.note(", 0, Kind::Note),
    ("notes.push(", 0, Kind::Note),
    ("Warning::about(", 0, Kind::Warning),
    (".remark(", 1, Kind::History),
    ("= ignored(", 0, Kind::Ignored),
    ("return ignored(", 0, Kind::Ignored),
    ("=> ignored(", 0, Kind::Ignored),
    ("Refused(unsigned(", 0, Kind::Refusal),
    (".detail(", 0, Kind::Detail),
    (".detail_with(", 0, Kind::Detail),
];

/// Where a code is a field of a value.
const FIELDS: &[(&str, &str, Kind)] = &[
    ("Warning {", "code: ", Kind::Warning),
    ("Self { held: ", "code: ", Kind::Note),
    ("Refused { ", "reason: ", Kind::Refusal),
    ("Unhired {", "otherwise: ", Kind::Ignored),
    ("Entry {", "cause: ", Kind::History),
    ("Entry =", "cause: ", Kind::History),
];

/// Passages that are lists of codes: file, beginning, end, kind, and what stands there and is none of them.
const LISTS: &[(&str, &str, &str, Kind, &[&str])] = &[
    // What is no gender is a note of its own, never a warning.
    ("mapping/value.rs", "fn code(", "\n    }\n", Kind::Warning, &["not_known"]),
    ("ats/json.rs", "fn code(", "\n    }\n", Kind::Note, &[]),
    ("ats/signature/refusal.rs", "fn code(", "\n    }\n", Kind::Refusal, &[]),
    ("ats/event.rs", "const MERGED", ";", Kind::Ignored, &[]),
    ("ats/recruitee/read.rs", "Says::Nothing => return", "\n", Kind::Ignored, &[]),
    ("ats/recruitee/complete.rs", "let places = (0..attachments", ";", Kind::Note, &[]),
    ("ats/generic/read.rs", "const HANDSHAKE", ";", Kind::Ignored, &[]),
    ("ats/ashby/read.rs", "return match signature(", "\n        };", Kind::Ignored, &[]),
    ("transfer/filed.rs", "const NOT_TOLD", ";", Kind::Ignored, &[]),
    ("http/webhooks.rs", "fn reason(", "\n}\n", Kind::Refusal, &[]),
    ("http/shapes/hire.rs", "const FLAGS", ";", Kind::Flag, &[]),
    ("http/sources.rs", "if full {", "}", Kind::Ignored, &[]),
    ("domain/history.rs", "fn cause(", "\n}\n", Kind::History, &[]),
    ("domain/document.rs", "fn cause(", "\n    }\n", Kind::History, &[]),
    ("domain/hire.rs", "const IGNORED_BY", "\n", Kind::Note, &[]),
    ("domain/history.rs", "const RESENT", ";", Kind::History, &[]),
    ("ledger/privacy.rs", "const ERASE_REQUESTED", ";", Kind::History, &[]),
    ("ats/poll.rs", "fn code(", "\n    }\n", Kind::Poll, &[]),
    ("poll.rs", "const NOT_STORED", ";", Kind::Poll, &[]),
    ("notices/message.rs", "const DOCUMENT_FAILED", "const WARNINGS", Kind::Notice, &[]),
];

/// Codes that are no literal where they are used: file, argument, and which codes it may be. None if they come from
/// where they are found already.
const MADE: &[(&str, &str, Kind, &[&str])] = &[
    ("domain/hire.rs", "code.to_owned()", Kind::Note, &[]),
    ("domain/plan.rs", "code.to_owned()", Kind::Note, &[]),
    ("http/webhooks.rs", "reason(problem.code())", Kind::Refusal, &[]),
    ("http/webhooks.rs", "refusal.code()", Kind::Refusal, &[]),
    ("ledger/sqlite/statements.rs", "row.get(4)?", Kind::History, &[]),
    ("ats/event.rs", "why.code()", Kind::Note, &[]),
    ("transfer/tell.rs", "&format!(\"{NOT_TOLD}:{}\", error.code())", Kind::Note, &["not_noted_at_ats"]),
    ("http/problem.rs", "code", Kind::Detail, &[]),
    ("http/request.rs", "detail", Kind::Detail, &["host_missing", "host_repeated"]),
    ("mapping/draft.rs", "&format!(\"{attribute}_not_known\")", Kind::Note, &["gender_not_known"]),
    ("mapping/draft.rs", "unfit.code()", Kind::Warning, &[]),
    ("mapping/draft.rs", "Unfit::Control.code()", Kind::Warning, &[]),
    (
        "mapping/draft.rs",
        "code",
        Kind::Warning,
        &[
            "attribute_not_checked",
            "attribute_not_unique",
            "attribute_unknown",
            "hire_date_past",
            "hire_date_today",
        ],
    ),
    ("transfer/aftermath.rs", "note", Kind::Note, &["not_read_back"]),
    ("transfer/compare.rs", "code", Kind::Warning, &["dropped", "changed"]),
    ("transfer/desk.rs", "what", Kind::History, &["dismissed", "undismissed"]),
    ("transfer/planner.rs", "note", Kind::Note, &[]),
    ("transfer/planner.rs", "&note", Kind::Note, &["ats_lacks"]),
    ("transfer/receive.rs", "&match &misread.path", Kind::Note, &[]),
    ("transfer/restored.rs", "&note", Kind::Note, &["restored"]),
];

/// Every source file that may make codes: its name and its code.
fn files() -> Vec<(String, String)> {
    let named = sources(&src()).into_iter().map(|file| {
        let name = file.strip_prefix(src()).expect("a file of ours").display().to_string();
        (name, code(&file))
    });
    named.filter(|(name, _)| !name.starts_with("sim/") && !name.starts_with("words")).collect()
}

/// The parts that commas divide, up to the bracket that ends them all.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut in_text, mut before) = (vec![String::new()], 0, false, ' ');
    for c in text.chars() {
        match c {
            '"' if before != '\\' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text && depth == 0 => break,
            ')' | ']' | '}' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is one").push(c);
        before = c;
    }
    parts.into_iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The texts in a passage.
fn literals(passage: &str) -> impl Iterator<Item = &str> {
    passage.split('"').skip(1).step_by(2)
}

/// What is certain of a code: `called:refused` of `called:refused:{status}`.
fn certain(text: &str) -> &str {
    text.split('{').next().unwrap_or_default().trim_end_matches(':')
}

/// The code that an argument is: a text, the beginning of one that is put together, or a constant.
fn literal(argument: &str, all: &[(String, String)]) -> Option<String> {
    let bare = argument.trim_start_matches('&').trim_start_matches("format!(");
    if let Some(text) = bare.strip_prefix('"') {
        let code = certain(text.split('"').next()?);
        return (!code.is_empty()).then(|| code.to_owned());
    }
    let is_constant = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let defined = format!("const {bare}: &str = \"");
    let found = all.iter().find_map(|(_, code)| code.split_once(&defined)).filter(|_| is_constant)?;
    found.1.split('"').next().map(str::to_owned)
}

/// Where codes are made in one file, and as what.
fn arguments(code: &str) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for (call, nth, kind) in CALLS {
        for after in code.split(call).skip(1) {
            found.extend(parts(after).into_iter().nth(*nth).map(|argument| (*kind, argument)));
        }
    }
    for (value, field, kind) in FIELDS {
        for after in code.split(value).skip(1) {
            let argument =
                parts(after).into_iter().find_map(|part| part.strip_prefix(field).map(str::to_owned));
            found.extend(argument.map(|argument| (*kind, argument)));
        }
    }
    found
}

fn codes_in_the_source() -> Found {
    let all = files();
    let states = ALL.iter().map(|state| (Kind::State.name(), state.to_string()));
    let documents = DocumentState::all().map(|state| (Kind::Document.name(), state.to_string()));
    states.chain(documents).chain(given(&all)).chain(listed(&all)).collect()
}

/// The codes that are given to something, and those that [`MADE`] says of the others.
fn given(all: &[(String, String)]) -> Found {
    let (mut found, mut unclear, mut used) = (Found::new(), Vec::new(), BTreeSet::new());
    for (file, code) in all {
        for (kind, argument) in arguments(code) {
            if argument.is_empty() {
                continue; // a call of the same name that takes nothing
            }
            let made = MADE.iter().position(|(of, said, as_, _)| {
                of == file
                    && *as_ == kind
                    && (*said == argument || argument.starts_with(&format!("{said} {{")))
            });
            match (literal(&argument, all), made) {
                (_, Some(made)) => drop(used.insert(made)),
                (Some(code), None) => drop(found.insert((kind.name(), code))),
                (None, None) => unclear.push(format!("{file}: which {kind} is `{argument}`? Say so in MADE")),
            }
        }
    }
    assert!(unclear.is_empty(), "{}", unclear.join("\n"));
    for (index, (file, argument, kind, codes)) in MADE.iter().enumerate() {
        assert!(
            used.contains(&index),
            "{file} makes no {kind} of `{argument}` any more: take it out of MADE"
        );
        let (_, text) = all.iter().find(|(name, _)| name == file).expect("it was used");
        for code in *codes {
            let written = text.contains(&format!("\"{code}")) || argument.contains('{');
            assert!(written, "{file} does not say {code} any more: take it out of MADE");
            found.insert((kind.name(), (*code).to_owned()));
        }
    }
    found
}

/// The codes that stand in a list.
fn listed(all: &[(String, String)]) -> Found {
    let mut found = Found::new();
    for (file, begins, ends, kind, none) in LISTS {
        let (_, code) = all.iter().find(|(name, _)| name == file).expect("a list's file");
        let (_, passage) = code.split_once(begins).unwrap_or_else(|| panic!("{file} has no `{begins}`"));
        let passage = passage.split_once(ends).map_or(passage, |(passage, _)| passage);
        let codes = literals(passage).map(certain).filter(|code| !none.contains(code));
        found.extend(codes.map(|code| (kind.name(), code.to_owned())));
    }
    found
}

#[test]
fn every_code_in_the_source_has_words_and_all_words_have_a_code() {
    let found = codes_in_the_source();
    // What a problem's code is, its own file compares.
    let explained = words::all().iter().filter(|(kind, _)| *kind != Kind::Problem);
    let explained: Found = explained.map(|(kind, entry)| (kind.name(), entry.code.clone())).collect();
    let missing: Vec<_> = found.difference(&explained).collect();
    let idle: Vec<_> = explained.difference(&found).collect();
    assert!(missing.is_empty(), "without words in src/words: {missing:?}");
    assert!(idle.is_empty(), "words in src/words for what nobody says: {idle:?}");
}

#[test]
fn the_page_of_codes_is_the_one_that_the_words_make() {
    let committed = fs::read_to_string(src().with_file_name("docs/errors.md")).expect("the page is there");
    let printed = said(folder().path(), &["codes", "--markdown"], 0);
    assert!(printed == committed, "run: hirebridge codes --markdown > docs/errors.md");
}

#[test]
fn a_code_is_explained_by_its_name_its_reason_or_with_its_detail() {
    let folder = folder();
    let german = said(folder.path(), &["codes", "exists", "--lang", "de"], 0);
    assert!(german.starts_with("state held(exists)\n") && german.contains("Abhilfe:"), "{german}");
    let with_detail = said(folder.path(), &["codes", "not_read_back:office"], 0);
    assert!(
        with_detail.starts_with("note not_read_back\n") && with_detail.contains("remedy:"),
        "{with_detail}"
    );
    let all = said(folder.path(), &["codes"], 0);
    assert_eq!(all.lines().filter(|line| !line.starts_with(' ')).count(), words::all().len());
    let none = said(folder.path(), &["codes", "no_such_code"], 1);
    assert!(none.contains("there is no such code"), "{none}");
    let french = said(folder.path(), &["codes", "--lang", "fr"], 2);
    assert!(french.contains("must be `en` or `de`"), "{french}");
}
