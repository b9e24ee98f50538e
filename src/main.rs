//! The binary: parses the command line, runs one subcommand, turns an error chain into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    hirebridge::cli::main()
}
