//! hirebridge carries each hire from an applicant tracking system into Personio, once.

pub mod ats;
pub mod clock;
pub mod config;
pub mod domain;
pub mod ledger;
pub mod mapping;
pub mod telemetry;
