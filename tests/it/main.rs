//! hirebridge from outside: over HTTP and the command line, against the Personio simulator.

mod architecture;
mod once;
mod support;
mod truth;
