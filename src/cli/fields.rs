//! `hirebridge fields`: which custom fields to create in the ATS, so that they need no rule.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::ConfigFile;
use crate::ats::{self, CustomField, Sources, Trait};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Attribute, Catalog};
use crate::mapping::Mappings;
use crate::personio;
use crate::telemetry::Metrics;

/// How long the ATS may take to list its custom fields.
const ASK_WITHIN: Duration = Duration::from_secs(20);

/// Attributes that Personio has in every company and that an ATS may not tell: key, type, options.
const COMMON: [(&str, &str, &[&str]); 6] = [
    ("gender", "one choice of", &["male", "female", "diverse"]),
    ("preferred_name", "text", &[]),
    ("weekly_working_hours", "number", &[]),
    ("department", "text", &[]),
    ("office", "text", &[]),
    ("subcompany", "text", &[]),
];

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
    #[arg(long = "for", value_name = "ATS", value_parser = PossibleValuesParser::new(ats::kinds()))]
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
    options: Vec<&'a str>,
    /// The attribute in Personio.
    key: &'a str,
    /// Titles and labels in the mapping that are nearly this one.
    nearly: Vec<&'a str>,
    /// Custom fields of the ATS with this title, or nearly.
    there: Vec<There<'a>>,
    /// The line for the configuration, under `[mapping.fields]`, without which it goes nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

/// A custom field that there is already.
#[derive(Serialize)]
struct There<'a> {
    title: &'a str,
    /// What it belongs to in the ATS.
    place: &'a str,
    /// Whether the title is right to the letter.
    exact: bool,
    /// What Personio lets one choose and this field does not.
    lacks: Vec<&'a str>,
    /// What this field lets one choose and Personio does not take.
    unknown: Vec<&'a str>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let mappings = config.mappings().map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?;
    let catalog = catalog(&config).await?;
    let written: Vec<_> = mappings.titles().into_iter().chain(mappings.labels()).collect();
    let own = catalog.own().filter(|own| config.transfer.marker.as_ref() != Some(&own.key));
    let existing = existing(&config, args.ats.as_deref()).await;
    let own = own.map(|own| field(own, &written, &existing, &catalog));
    let every = catalog.attributes.iter().flatten().filter_map(|one| common(one, &mappings, &existing));
    let fields: Vec<_> = own.chain(every).collect();
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

/// The custom fields that there are in the ATS already, of all its sources with a key.
async fn existing(config: &Config, ats: Option<&str>) -> Vec<CustomField> {
    let Some(ats) = ats.filter(|ats| ats::has(ats, Trait::Api)) else { return Vec::new() };
    let sources = Sources::build(&config.ats(), &config.guard()).unwrap_or_default();
    let deadline = tokio::time::Instant::now() + ASK_WITHIN;
    let mut existing = Vec::new();
    let mut asked = false;
    for source in sources.iter().filter(|source| source.kind() == ats) {
        match source.custom_fields(deadline).await {
            None => continue,
            Some(Ok(fields)) => existing.extend(fields),
            Some(Err(error)) => remark(&format!(
                "{}: its custom fields could not be listed, so they are not compared: {error}. docs/ats/{ats}.md says which right the API key needs.",
                source.name()
            )),
        }
        asked = true;
    }
    if !asked {
        remark(&format!(
            "Without an api_key of {ats} in the configuration, the fields that are there already are not compared."
        ));
    }
    existing
}

/// Beside the list, so that it stays one that a program can read.
fn remark(text: &str) {
    // Whoever has closed it does not want to know.
    let _ = writeln!(io::stderr(), "{text}\n");
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

fn field<'a>(
    own: &'a Attribute,
    written: &[&'a str],
    existing: &'a [CustomField],
    catalog: &Catalog,
) -> Field<'a> {
    let title = own.label.trim();
    let is_near = |text: &str| catalog.labels_like(text).contains(&own.label);
    let nearly = written.iter().copied().filter(|text| *text != title && is_near(text)).collect();
    let options: Vec<_> = own.options.iter().map(String::as_str).collect();
    let alike = existing.iter().filter(|field| field.title.trim() == title || is_near(&field.title));
    let there = alike.map(|field| there(field, title, &options)).collect();
    Field { title, kind: kind(own), options, key: &own.key, nearly, there, rule: None }
}

/// For an attribute of every Personio: it needs a rule as well, unless the ATS tells it or there is one.
fn common<'a>(one: &'a Attribute, mappings: &Mappings, existing: &'a [CustomField]) -> Option<Field<'a>> {
    let (key, kind, options) = COMMON.into_iter().find(|(key, ..)| *key == one.key)?;
    let has_rule = mappings.by_source.values().any(|mapping| mapping.rules(key));
    let title = one.label.trim();
    let alike = existing.iter().filter(|field| field.title.trim().eq_ignore_ascii_case(title));
    let there = alike.map(|field| there(field, title, options)).collect();
    let rule = format!("{key} = {:?}", format!("custom.{title}"));
    (!has_rule).then(|| Field {
        title,
        kind,
        options: options.to_vec(),
        key,
        nearly: Vec::new(),
        there,
        rule: Some(rule),
    })
}

fn there<'a>(field: &'a CustomField, title: &str, options: &[&'a str]) -> There<'a> {
    let choices: Vec<_> = field.options.iter().map(String::as_str).collect();
    let without = |all: &[&'a str], known: &[&'a str]| -> Vec<&'a str> {
        all.iter().copied().filter(|one| !known.contains(one)).collect()
    };
    // A free text may say anything, and Personio takes anything where it has no options.
    let both = !choices.is_empty() && !options.is_empty();
    let lacks = if both { without(options, &choices) } else { Vec::new() };
    let unknown = if both { without(&choices, options) } else { Vec::new() };
    There { title: &field.title, place: &field.place, exact: field.title.trim() == title, lacks, unknown }
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
    if let Some(rule) = &field.rule {
        writeln!(out, "    only if the ATS does not tell it by itself; needs the rule  {rule}")?;
    }
    field.there.iter().try_for_each(|there| show_there(out, there))
}

fn show_there(out: &mut impl Write, there: &There<'_>) -> io::Result<()> {
    let There { title, place, exact, lacks, unknown } = there;
    let how = if *exact { "there already" } else { "nearly the same is there; rename it" };
    writeln!(out, "    {how}: \u{201c}{title}\u{201d} ({place})")?;
    for (what, options) in [("lacks", lacks), ("has, and Personio does not take", unknown)] {
        if !options.is_empty() {
            writeln!(out, "        it {what}: {}", options.join(" | "))?;
        }
    }
    Ok(())
}
