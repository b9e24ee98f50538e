//! What the demo prints: a table of what became of each delivery, and where to look.

use std::io::Write;

use super::folder::Folder;
use super::visit::Ended;
use crate::service::Service;
use crate::sim::Sim;

/// One line a delivery.
pub(super) fn table(ended: &[Ended]) -> std::io::Result<()> {
    let heads = ["delivery", "answer", "state", "employee", "remarks", "as it should"];
    let rows: Vec<[String; 6]> = ended.iter().map(row).collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(heads[column].len())
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut out = std::io::stdout();
    line(&mut out, &heads.map(str::to_owned), &widths)?;
    line(&mut out, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(), &widths)?;
    for row in &rows {
        line(&mut out, row, &widths)?;
    }
    out.flush()
}

fn line(out: &mut impl Write, cells: &[String], widths: &[usize]) -> std::io::Result<()> {
    let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    writeln!(out, "{}", padded.join("  ").trim_end())
}

fn row(ended: &Ended) -> [String; 6] {
    let employee = ended.hire.as_ref().and_then(|hire| hire["employee"]["id"].as_u64());
    let verdict = if ended.is_as_expected() { "yes" } else { "NO" };
    [
        ended.what.to_owned(),
        ended.status.to_string(),
        ended.state().unwrap_or("-").to_owned(),
        employee.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        remarks(ended),
        verdict.to_owned(),
    ]
}

fn remarks(ended: &Ended) -> String {
    let mut remarks = Vec::new();
    if ended.answer["duplicate"] == true {
        remarks.push("the same hire, sent once".to_owned());
    }
    for (list, words) in [("missing", "missing"), ("warnings", "warning: did not arrive")] {
        let names = ended.names(list);
        if !names.is_empty() {
            remarks.push(format!("{words}: {}", names.join(", ")));
        }
    }
    let reason = ended.answer["reason"].as_str().or(ended.answer["code"].as_str());
    remarks.extend(reason.map(str::to_owned));
    remarks.join("; ")
}

/// Where to look, and what to try.
pub(super) fn invitation(
    service: &Service,
    sim: &Sim,
    folder: &Folder,
    ended: &[Ended],
) -> std::io::Result<()> {
    let (url, token) = (service.url(), folder.token());
    let mut out = std::io::stdout();
    writeln!(out, "\nIt stays up until Ctrl-C. Where to look:")?;
    writeln!(out, "  {url}/readyz        ready to store a delivery?")?;
    writeln!(out, "  {url}/metrics       what is counted")?;
    writeln!(out, "  {url}/openapi.yaml  the REST API")?;
    writeln!(out, "  {}/_sim/employees  what the simulated Personio has", sim.url())?;
    writeln!(out, "\nA token (admin): {token}\n\nTry:")?;
    writeln!(out, "  curl -s -H 'Authorization: Bearer {token}' {url}/v1/hires")?;
    if let Some(id) = ended.iter().find_map(|ended| ended.answer["hire"].as_str()) {
        writeln!(out, "  curl -s -H 'Authorization: Bearer {token}' {url}/v1/hires/{id}")?;
    }
    writeln!(
        out,
        "  curl -s -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' {url}/v1/hires/preview \\"
    )?;
    writeln!(
        out,
        "    -d '{{\"candidate\": {{\"first_name\": \"Mia\", \"last_name\": \"Beispiel\", \"email\": \"mia@example.org\"}}, \"job\": {{\"title\": \"Engineer\"}}}}'"
    )?;
    if let Some(path) = folder.kept() {
        writeln!(out, "\nEverything is kept in {}: start the demo again with it.", path.display())?;
    }
    out.flush()
}
