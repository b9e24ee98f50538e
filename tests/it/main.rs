//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod command_line;
mod ledger;
mod once;
mod postgres;
mod refusals;
mod restart;
mod stop;
mod support;
