//! `hirebridge token`: makes an operator's token.

use std::io::Write;

use crate::http::operators::{NAME_RULE, Role, is_name, new_token};

/// Make a token for a person or a program that uses the REST API.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  hirebridge token new mia --role sender")]
pub(super) enum Command {
    /// Make a token; only its hash goes into the configuration
    #[command(after_help = "Example:\n  hirebridge token new mia --role sender")]
    New {
        /// Whose it is; stands in the history of what that person does
        #[arg(value_parser = operator_name)]
        name: String,
        /// What it may do: viewer (sees), sender (also corrects and sends), admin (also checks)
        #[arg(long)]
        role: Role,
    },
}

pub(super) fn operator_name(name: &str) -> Result<String, &'static str> {
    if is_name(name) { Ok(name.to_owned()) } else { Err(NAME_RULE) }
}

pub(super) fn run(Command::New { name, role }: &Command) -> anyhow::Result<()> {
    let (token, hash) = new_token();
    let mut out = std::io::stdout();
    writeln!(out, "The token, shown this once; give it to {name}:\n\n  {token}\n")?;
    writeln!(out, "Add this to the configuration:\n")?;
    Ok(writeln!(out, "[[operators]]\nname = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{hash}\"")?)
}
