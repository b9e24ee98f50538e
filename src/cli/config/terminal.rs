//! Questions to a person at a terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Whether somebody is there to be asked.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks until the answer can be used.
pub(super) fn ask<T, E: Display>(question: &str, read: impl Fn(&str) -> Result<T, E>) -> anyhow::Result<T> {
    loop {
        match read(&answer_to(question)?) {
            Ok(answer) => return Ok(answer),
            Err(why) => writeln!(io::stdout(), "  {why}")?,
        }
    }
}

/// Asks while the terminal does not show what is typed.
pub(super) fn ask_hidden(question: &str) -> anyhow::Result<String> {
    let shown = tcgetattr(io::stdin())?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
    let answer = answer_to(question);
    tcsetattr(io::stdin(), OptionalActions::Now, &shown)?;
    writeln!(io::stdout())?;
    answer
}

fn answer_to(question: &str) -> anyhow::Result<String> {
    let mut out = io::stdout();
    write!(out, "{question} ")?;
    out.flush()?;
    let mut answer = String::new();
    anyhow::ensure!(io::stdin().read_line(&mut answer)? > 0, "nothing was answered");
    Ok(answer.trim().to_owned())
}
