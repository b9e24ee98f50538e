//! `hirebridge fields`: which custom fields to create in the ATS, so that they need no rule.

use std::io::{self, Write};

use anyhow::Context;
use serde::Serialize;

use super::ConfigFile;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Attribute, Catalog};
use crate::personio;
use crate::telemetry::Metrics;

/// Show the custom fields to create in the ATS: one for each attribute of your own in Personio.
#[derive(clap::Args)]
#[command(after_help = "\
A custom field with exactly this title goes to the attribute without a rule in the mapping. Asks Personio for its
attributes by the configuration, and changes nothing.

Example:
  hirebridge fields --for ashby --config hirebridge.toml")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Say where this ATS has the fields
    #[arg(long = "for", value_name = "ATS", value_parser = ["ashby"])]
    ats: Option<String>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// A custom field, as it is to be created.
#[derive(Serialize)]
struct Field<'a> {
    /// To the letter.
    title: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    options: &'a [String],
    /// The attribute in Personio.
    key: &'a str,
    /// Titles and labels in the mapping that are nearly this one.
    nearly: Vec<&'a str>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let mappings = config.mappings().map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?;
    let catalog = catalog(&config).await?;
    let written: Vec<_> = mappings.titles().into_iter().chain(mappings.labels()).collect();
    let own = catalog.own().filter(|own| config.transfer.marker.as_ref() != Some(&own.key));
    let fields: Vec<_> = own.map(|own| field(own, &written, &catalog)).collect();
    let mut out = io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&fields)?)?;
        return Ok(());
    }
    if let Some(ats) = args.ats {
        writeln!(out, "In {ats}: custom fields of {}.\n", places(&ats))?;
    }
    fields.iter().try_for_each(|field| show(&mut out, field)).context("the output cannot be written")
}

async fn catalog(config: &Config) -> anyhow::Result<Catalog> {
    let (reader, _) =
        personio::connect(&config.personio, &config.guard(), &Clock::system(), &Metrics::default())?;
    let attributes = reader.attributes().await;
    let attributes =
        attributes.context("Personio's attributes cannot be read; `hirebridge check` says more")?;
    Ok(Catalog { attributes: Some(attributes), ..Catalog::default() })
}

/// Where an ATS has the custom fields that are read, as docs/ats/ says.
fn places(ats: &str) -> &'static str {
    match ats {
        "ashby" => {
            "the offer, the application or, with an API key, the candidate; of equal titles the first counts"
        }
        _ => "the offer, the application, the candidate or the job; of equal titles the first counts",
    }
}

fn field<'a>(own: &'a Attribute, written: &[&'a str], catalog: &Catalog) -> Field<'a> {
    let is_near = |text: &&&str| catalog.labels_like(text).contains(&own.label);
    let nearly = written.iter().filter(|text| **text != own.label.trim()).filter(is_near).copied().collect();
    Field { title: own.label.trim(), kind: kind(own), options: &own.options, key: &own.key, nearly }
}

/// Personio's type in words that any ATS's form has.
fn kind(own: &Attribute) -> &'static str {
    match own.kind.as_str() {
        "date" => "date",
        "integer" => "whole number",
        "decimal" => "number",
        "list" => "one choice of",
        "tags" => "several choices of",
        "multiline" => "text of several lines",
        "link" => "web address",
        _ => "text",
    }
}

fn show(out: &mut impl Write, field: &Field<'_>) -> io::Result<()> {
    writeln!(out, "{}", field.title)?;
    let options = field.options.join(" | ");
    let space = if options.is_empty() { "" } else { ": " };
    writeln!(out, "    {}{space}{options}   ({})", field.kind, field.key)?;
    for near in &field.nearly {
        writeln!(out, "    nearly the same in your mapping: \u{201c}{near}\u{201d}")?;
    }
    Ok(())
}
