//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod as_said;
mod ashby_api;
mod backup;
mod bad_input;
mod by_hand;
mod checks;
mod command_line;
mod connections;
mod credential;
mod framing;
mod health;
mod ledger;
mod once;
mod operators;
mod order;
mod postgres;
mod privacy;
mod recovery;
mod refusals;
mod restart;
mod restored;
mod siege;
mod stop;
mod support;
mod truth;
