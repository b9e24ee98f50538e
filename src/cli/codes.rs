//! `hirebridge codes`: what the codes mean.

use std::fmt::{self, Display};
use std::io::Write;

use crate::words::{self, Entry, Kind, Language, Words};

/// Say what a code means, how it came about and what to do; all codes, if none is named.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hirebridge codes exists
  hirebridge codes 'held(refused)' --lang de
  hirebridge codes not_read_back:department")]
pub(super) struct Args {
    /// A state, reason, warning, note or any other code
    code: Option<String>,
    #[command(flatten)]
    speech: Speech,
    /// Print all codes as Markdown, in both languages
    #[arg(long, conflicts_with_all = ["code", "language"])]
    markdown: bool,
}

/// In which language codes are explained.
#[derive(clap::Args)]
pub(super) struct Speech {
    /// The language in which codes are explained: `en` or `de`
    #[arg(id = "language", long = "lang", value_name = "LANGUAGE", default_value = "en")]
    pub(super) language: Language,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if args.markdown {
        return Ok(write!(out, "{}", words::markdown())?);
    }
    let found: Vec<_> = match &args.code {
        Some(code) => meant_by(code),
        None => words::all().iter().map(|(kind, entry)| (*kind, entry)).collect(),
    };
    anyhow::ensure!(!found.is_empty(), "there is no such code; `hirebridge codes` lists all");
    for (kind, entry) in found {
        let words = entry.words(args.speech.language);
        writeln!(out, "{}", Explained { kind, code: &entry.code, words, language: args.speech.language })?;
    }
    Ok(())
}

/// Every entry that the code may mean: of any kind, and a reason also without its state.
fn meant_by(code: &str) -> Vec<(Kind, &'static Entry)> {
    let of_kinds = Kind::ALL.into_iter().filter_map(|kind| Some((kind, words::entry(kind, code)?)));
    let reason = format!("({code})");
    let is_reason = |(kind, entry): &&(Kind, Entry)| *kind == Kind::State && entry.code.ends_with(&reason);
    let states = words::all().iter().filter(is_reason).map(|(kind, entry)| (*kind, entry));
    states.chain(of_kinds).collect()
}

/// A code with its words, as it stands in a terminal.
pub(super) struct Explained<'a> {
    pub(super) kind: Kind,
    pub(super) code: &'a str,
    pub(super) words: &'static Words,
    pub(super) language: Language,
}

impl Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cause, remedy) = match self.language {
            Language::English => ("cause:  ", "remedy: "),
            Language::German => ("Ursache:", "Abhilfe:"),
        };
        write!(f, "{} {}\n  {}", self.kind, self.code, self.words.says)?;
        for (name, text) in [(cause, &self.words.cause), (remedy, &self.words.remedy)] {
            if let Some(text) = text {
                write!(f, "\n  {name} {text}")?;
            }
        }
        Ok(())
    }
}
