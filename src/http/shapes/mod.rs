//! The JSON of hires and plans: what the API promises, apart from how the house thinks of them.

mod hire;
mod plan;
mod there;

pub(super) use hire::{FLAGS, HireShape};
pub(super) use plan::PlanShape;
pub use plan::Preview;
pub(super) use there::ThereShape;
