//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod as_said;
mod ashby_api;
mod bad_input;
mod by_hand;
mod connections;
mod once;
mod operators;
mod support;
mod truth;
