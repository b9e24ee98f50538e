//! The simulator, seen from outside: how slow it is, and whom it has.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::senders::{Connection, email};

/// The simulator's control.
pub(crate) struct Simulator(SocketAddr);

impl Simulator {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Every call from now on takes so long.
    pub(crate) fn slow_down(&self, ms: u64) -> anyhow::Result<()> {
        self.control("DELETE", "faults", "")?;
        if ms > 0 {
            let fault = json!({"operation": "any", "behaviour": {"latency": {"ms": ms}}});
            self.control("POST", "faults", &fault.to_string())?;
        }
        Ok(())
    }

    /// Fails unless each of the first so many hires is one employee, and no call was wrong in any way.
    pub(crate) fn expect_each_once(&self, hires: usize) -> anyhow::Result<()> {
        let all = (0..hires).map(email).collect();
        self.expect(&all, &all)
    }

    /// Fails unless each of the answered is one employee, nobody is two, nobody is none of those who were sent, and
    /// no call was wrong in any way.
    pub(crate) fn expect(&self, answered: &BTreeSet<String>, sent: &BTreeSet<String>) -> anyhow::Result<()> {
        let violations = self.control("GET", "violations", "")?;
        anyhow::ensure!(violations == json!([]), "the simulator objects: {violations}");
        let employees = self.control("GET", "employees", "")?;
        let mut there = BTreeSet::new();
        for employee in employees.as_array().into_iter().flatten() {
            let email = employee["person"]["email"].as_str().unwrap_or_default();
            anyhow::ensure!(sent.contains(email), "{email} was not sent");
            anyhow::ensure!(there.insert(email.to_owned()), "{email} was created twice");
        }
        let lost = answered.difference(&there).next();
        anyhow::ensure!(lost.is_none(), "{lost:?} was answered and not created");
        Ok(())
    }

    fn control(&self, method: &str, what: &str, body: &str) -> anyhow::Result<Value> {
        let request = format!(
            "{method} /_sim/{what} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.0,
            body.len()
        );
        let (status, body) = Connection::open(self.0)?.exchange(request.as_bytes())?;
        anyhow::ensure!((200..300).contains(&status), "the simulator answered {method} {what} with {status}");
        Ok(serde_json::from_slice(&body)?)
    }
}
