//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod connections;
mod once;
mod support;
