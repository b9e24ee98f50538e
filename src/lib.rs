//! hirebridge carries each hire from an applicant tracking system into Personio, once.

pub mod ats;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod due;
pub mod http;
pub mod ledger;
pub mod mapping;
pub mod notices;
pub mod outbound;
pub mod personio;
pub mod poll;
pub mod service;
pub mod sim;
pub mod telemetry;
pub mod transfer;
pub mod words;
