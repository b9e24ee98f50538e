//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod checks;
mod credential;
mod health;
mod once;
mod privacy;
mod support;
