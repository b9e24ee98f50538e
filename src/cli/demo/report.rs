//! What the demo prints: a table of what became of each delivery, and where to look.

use std::io::Write;

use jiff::SignedDuration;

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
    let verdict = match ended.state() {
        _ if ended.is_as_expected() => "yes",
        Some("unknown") => "not yet",
        _ => "NO",
    };
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
        remarks.push("the same hire, not sent again".to_owned());
    }
    if ended.state() == Some("unknown") {
        remarks.push("sent or not? it is looked up".to_owned());
    }
    for (list, words) in [("missing", "missing"), ("warnings", "warning: did not arrive")] {
        let names = ended.names(list);
        if !names.is_empty() {
            remarks.push(format!("{words}: {}", names.join(", ")));
        }
    }
    let documents = ended.documents().map(|(kind, state, category)| match state {
        "sent" => format!("{kind} sent to {category}"),
        state => format!("{kind} {state}"),
    });
    remarks.extend(documents);
    let reason = ended.reason().or(ended.answer["code"].as_str());
    remarks.extend(reason.map(str::to_owned));
    remarks.join("; ")
}

/// What is known about a hire that was looked up again.
pub(super) fn found(ended: &Ended) -> std::io::Result<()> {
    let [what, _, state, employee, ..] = row(ended);
    let how = ended.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut out = std::io::stdout();
    writeln!(out, "\nLooked up: {what} is {state}{how} now, employee {employee}.")?;
    out.flush()
}

/// What runs, for whoever looks at it.
pub(super) struct House<'a> {
    pub(super) service: &'a Service,
    pub(super) sim: &'a Sim,
    pub(super) folder: &'a Folder,
}

impl House<'_> {
    fn curl(&self) -> String {
        format!("curl -s -H 'Authorization: Bearer {}'", self.folder.token())
    }

    /// What a former demo was sending when it ended.
    pub(super) async fn left_over(&self) -> anyhow::Result<()> {
        // The service takes up what was in mid-send while it runs: it may have done so already, or not.
        let counts = self.service.transfer().ledger().counts().await?;
        let left = counts.iter().filter(|((_, state), _)| ["sending", "unknown"].contains(state));
        let left: u64 = left.map(|(_, count)| count).sum();
        if left > 0 {
            writeln!(
                std::io::stdout(),
                "The demo before this one ended in mid-send (hires: {left}). Nobody knows whether Personio got them, so they\n\
                 are not sent again: state `unknown`, looked up in a few seconds.\n"
            )?;
        }
        Ok(())
    }

    /// What to know while the deliveries are on their way.
    pub(super) fn opening(&self, slow: Option<SignedDuration>) -> std::io::Result<()> {
        let (url, curl) = (self.service.url(), self.curl());
        let mut out = std::io::stdout();
        writeln!(out, "hirebridge is on {url}, a simulated Personio on {}.", self.sim.url())?;
        if let Some(slow) = slow {
            writeln!(
                out,
                "\nPersonio takes {slow:#} to answer a create. Meanwhile, in another terminal, look:"
            )?;
            writeln!(out, "  {curl} {url}/v1/hires")?;
            if let Some(path) = self.folder.kept() {
                writeln!(out, "kill it in mid-send, and start it again:")?;
                writeln!(out, "  kill -9 {}", std::process::id())?;
                writeln!(out, "  hirebridge demo --data {}", path.display())?;
            }
        }
        writeln!(out, "\nDelivering the sample hires ...\n")?;
        out.flush()
    }

    /// It was stopped while it delivered.
    pub(super) fn broken_off(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout();
        writeln!(out, "\nStopped in mid-send.")?;
        if let Some(path) = self.folder.kept() {
            writeln!(out, "To see what becomes of it: hirebridge demo --data {}", path.display())?;
        }
        out.flush()
    }

    /// Where to look, and what to try.
    pub(super) fn invitation(&self, ended: &[Ended]) -> std::io::Result<()> {
        let (url, curl) = (self.service.url(), self.curl());
        let mut out = std::io::stdout();
        writeln!(out, "\nIt stays up until Ctrl-C. Where to look:")?;
        writeln!(out, "  {url}/console/          the page for people; sign in with the token below")?;
        writeln!(out, "  {url}/readyz            ready to store a delivery?")?;
        writeln!(out, "  {url}/metrics           what is counted")?;
        writeln!(out, "  {url}/openapi.yaml      the REST API")?;
        writeln!(out, "  {}/_sim/employees   what the simulated Personio has", self.sim.url())?;
        writeln!(out, "\nA token (admin): {}\n\nTry:", self.folder.token())?;
        writeln!(out, "  {curl} {url}/v1/hires")?;
        if let Some(id) = ended.iter().find_map(|ended| ended.answer["hire"].as_str()) {
            writeln!(out, "  {curl} {url}/v1/hires/{id}")?;
        }
        writeln!(out, "  {curl} -H 'Content-Type: application/json' {url}/v1/hires/preview \\")?;
        writeln!(
            out,
            "    -d '{{\"candidate\": {{\"first_name\": \"Mia\", \"last_name\": \"Beispiel\", \"email\": \"mia@example.org\"}}, \"job\": {{\"title\": \"Engineer\"}}}}'"
        )?;
        if let Some(path) = self.folder.kept() {
            writeln!(out, "\nEverything is kept in {}: start the demo again with it.", path.display())?;
        }
        out.flush()
    }
}
