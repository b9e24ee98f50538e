//! hirebridge carries each hire from an applicant tracking system into Personio, once.

pub mod ats;
pub mod clock;
pub mod domain;
pub mod http;
pub mod ledger;
pub mod mapping;
pub mod outbound;
pub mod personio;
pub mod telemetry;
pub mod transfer;
