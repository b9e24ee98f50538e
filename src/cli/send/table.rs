//! The table: columns are facts, rows are hires.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

use crate::domain::facts::{CUSTOM, Kind, kind_of, nearest};

/// The column with the hire's number at the ATS.
const ID: &str = "id";

/// The column that makes a row known without it.
const EMAIL: &str = "candidate.email";

/// What the REST API takes for a hire that is typed.
const GROUPS: &[&str] = &["candidate", "job", "offer", "tenant", "custom"];

/// What divides several values in a cell.
const SEVERAL: char = '|';

/// All rows, checked.
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

/// One hire.
pub(super) struct Row {
    /// Where it is in the file.
    pub(super) line: usize,
    /// The hire's number at the ATS.
    pub(super) id: Option<String>,
    /// What makes a repeat of the row the same hire.
    pub(super) key: String,
    /// The facts, in the nested form of the REST API.
    pub(super) facts: Map<String, Value>,
}

impl Table {
    /// Reads a table. Errors say where, never what stands there.
    pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| anyhow::anyhow!("is not in UTF-8: save it as such"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let columns: Vec<_> =
            reader.headers().map_err(|error| broken(text, &error))?.iter().map(str::to_owned).collect();
        check(&columns)?;
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| broken(text, &error))?;
            let line = line_of(text, record.position());
            let row = row(line, columns.iter().map(String::as_str).zip(&record))?;
            if let Some(other) = seen.insert(row.key.clone(), line) {
                bail!("line {line} is the same hire as line {other}: one of them has to go");
            }
            rows.push(row);
        }
        ensure!(!rows.is_empty(), "has no rows");
        Ok(Self { rows })
    }
}

/// What divides the columns: what there is most of in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |mark: u8| first.bytes().filter(|byte| *byte == mark).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|mark| (count(*mark), *mark == b',')).unwrap_or(b',')
}

/// The line on which a record begins. The reader's own count is one behind where lines end in CR and LF: its record
/// then begins with the LF.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let begin = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
    1 + text.match_indices('\n').take_while(|(at, _)| *at <= begin).count()
}

/// The place alone: the error's own words may show a cell.
fn broken(text: &str, error: &csv::Error) -> anyhow::Error {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = line_of(text, pos.as_ref());
            anyhow::anyhow!("line {line} has {len} cells, and the first line names {expected_len} columns")
        }
        _ => anyhow::anyhow!("is no table that can be read"),
    }
}

fn check(columns: &[String]) -> anyhow::Result<()> {
    for (index, column) in columns.iter().enumerate() {
        ensure!(!columns[..index].contains(column), "the column `{column}` comes twice");
        let known = column == ID
            || kind_of(column).is_some()
            || column.strip_prefix(CUSTOM).is_some_and(|title| !title.is_empty());
        let nearest = || nearest(column).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        ensure!(known, "the column `{column}` is no fact{}", nearest());
        let group = column.split('.').next().unwrap_or_default();
        ensure!(
            column == ID || GROUPS.contains(&group),
            "the column `{column}` cannot be typed: leave it out"
        );
    }
    let known_by = [ID, EMAIL];
    ensure!(
        columns.iter().any(|column| known_by.contains(&column.as_str())),
        "needs a column `{ID}` or `{EMAIL}`"
    );
    Ok(())
}

fn row<'c>(line: usize, cells: impl Iterator<Item = (&'c str, &'c str)>) -> anyhow::Result<Row> {
    let mut groups: Map<String, Value> = Map::new();
    let (mut id, mut email) = (None, None);
    for (column, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        if column == ID {
            id = Some(cell.to_owned());
            continue;
        }
        if column == EMAIL {
            email = Some(cell.to_lowercase());
        }
        let (group, field) = column.split_once('.').context("the columns were checked")?;
        let group = groups.entry(group).or_insert_with(|| json!({}));
        group[field] = value(column, cell);
    }
    let by_id = id.as_ref().map(|id| format!("id {id}"));
    let key = by_id.or_else(|| email.map(|email| format!("email {email}")));
    let key = key.with_context(|| format!("line {line} has neither `{ID}` nor `{EMAIL}`"))?;
    Ok(Row { line, id, key, facts: groups })
}

fn value(column: &str, cell: &str) -> Value {
    let items = || cell.split(SEVERAL).map(str::trim).filter(|item| !item.is_empty());
    match kind_of(column) {
        Some(Kind::List) => items().collect(),
        Some(Kind::Emails) => items().map(|address| json!({ "address": address })).collect(),
        _ => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let error = Table::read(text.as_bytes()).err().expect("something is wrong");
        format!("{error:#}")
    }

    #[test]
    fn a_row_is_facts_under_their_names() {
        let text = "\u{feff}id;candidate.email;candidate.first_name;job.tags;custom.Shirt, size;offer.weekly_hours\r\n\
                    7;Mia@Example.org; Mia ;a | b;M;38.5\r\n;jo@example.org;\"Jo; J.\";;;\r\n";
        let table = Table::read(text.as_bytes()).expect("is right");
        let [mia, jo] = &table.rows[..] else { panic!("two rows") };
        assert_eq!((mia.line, mia.id.as_deref(), mia.key.as_str()), (2, Some("7"), "id 7"));
        assert_eq!(
            Value::Object(mia.facts.clone()),
            json!({"candidate": {"email": "Mia@Example.org", "first_name": "Mia"}, "job": {"tags": ["a", "b"]},
                "custom": {"Shirt, size": "M"}, "offer": {"weekly_hours": "38.5"}})
        );
        assert_eq!((jo.line, jo.id.as_deref(), jo.key.as_str()), (3, None, "email jo@example.org"));
        assert_eq!(
            Value::Object(jo.facts.clone()),
            json!({"candidate": {"email": "jo@example.org", "first_name": "Jo; J."}})
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_never_with_a_cell() {
        for (text, told) in [
            ("candidate.mail\nx", "the column `candidate.mail` is no fact; did you mean `candidate.email`?"),
            ("id,id\n1,1", "the column `id` comes twice"),
            (
                "id,application.hired_at\n1,x",
                "the column `application.hired_at` cannot be typed: leave it out",
            ),
            ("candidate.first_name\nMia", "needs a column `id` or `candidate.email`"),
            ("id,candidate.email\n,", "line 2 has neither `id` nor `candidate.email`"),
            (
                "id,candidate.email\n1,a@example.org\n1,b@example.org",
                "line 3 is the same hire as line 2: one of them has to go",
            ),
            (
                "candidate.email,job.title\nA@example.org,x\na@example.org,y",
                "line 3 is the same hire as line 2: one of them has to go",
            ),
            ("id,job.title\n1", "line 2 has 1 cells, and the first line names 2 columns"),
            ("id,job.title\r\n1,x\r\n2", "line 3 has 1 cells, and the first line names 2 columns"),
            ("id\n", "has no rows"),
        ] {
            assert_eq!(wrong(text), told);
        }
        let latin = Table::read(b"id,candidate.first_name\n1,J\xf6rg").err().expect("is not UTF-8");
        assert_eq!(latin.to_string(), "is not in UTF-8: save it as such");
    }
}
