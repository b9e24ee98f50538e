//! The plans that were shown last: when another one would be sent meanwhile, the difference can be told.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Employee, Plan};

/// So many are kept, in memory alone. Whoever looked longer ago is shown the plan of now without the difference.
const KEPT: usize = 200;

/// What was shown, under the plan's hash, latest last.
#[derive(Default)]
pub(super) struct Seen(Mutex<VecDeque<(String, Employee)>>);

impl Seen {
    /// Keeps what a person is shown.
    pub(super) fn keep(&self, plan: &Plan) {
        let hash = plan.hash();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != hash);
        kept.push_back((hash, plan.employee.clone()));
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }

    /// Forgets all of them: whose plan is whose is not known here.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The employee in the plan with this hash, if it was shown lately.
    pub(super) fn employee(&self, hash: &str) -> Option<Employee> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == hash).map(|(_, employee)| employee.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_latest_are_kept() {
        let seen = Seen::default();
        let plan = |n: usize| {
            let mut plan = Plan::default();
            plan.employee.set("position", json!(n.to_string()));
            plan
        };
        (0..=KEPT).for_each(|n| seen.keep(&plan(n)));
        assert!(seen.employee(&plan(0).hash()).is_none());
        assert_eq!(seen.employee(&plan(KEPT).hash()), Some(plan(KEPT).employee));
    }
}
