//! What the company holds: its names and attributes, its people, their documents.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::calendar::Calendar;
use super::person::{Person, Status, Stored, StoredDocument};
use super::seed::{Attribute, Seed};

const FIRST_EMPLOYEE: u64 = 1001;

pub(super) struct Company {
    pub(super) subcompanies: Vec<String>,
    pub(super) departments: Vec<String>,
    pub(super) offices: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) categories: Vec<String>,
    pub(super) employees: BTreeMap<u64, Stored>,
    pub(super) documents: Vec<StoredDocument>,
    pub(super) calendar: Calendar,
    /// Ids by lower-case e-mail address.
    by_email: HashMap<String, Vec<u64>>,
    hidden: HashMap<u64, Hidden>,
}

/// For how long a new person is invisible to look-ups.
struct Hidden {
    lookups: Option<u32>,
    until: Option<Instant>,
}

impl Company {
    /// The company of the seed, without its people.
    pub(super) fn new(seed: Seed, calendar: Calendar) -> Self {
        Self {
            subcompanies: seed.subcompanies,
            departments: seed.departments,
            offices: seed.offices,
            attributes: seed.attributes,
            categories: seed.categories,
            employees: BTreeMap::new(),
            documents: Vec::new(),
            calendar,
            by_email: HashMap::new(),
            hidden: HashMap::new(),
        }
    }

    /// Stores a new person and gives out the id.
    pub(super) fn add(&mut self, mut person: Person) -> u64 {
        let id = self.employees.last_key_value().map_or(FIRST_EMPLOYEE, |(last, _)| last + 1);
        person.status = person.status.or(Some(Status::derived(person.hire_date, self.calendar.today())));
        let now = self.calendar.now();
        self.restore(Stored { id, created_at: now, last_modified_at: now, person });
        id
    }

    /// Puts back what was stored before.
    pub(super) fn restore(&mut self, stored: Stored) {
        self.by_email.entry(stored.person.email.to_lowercase()).or_default().push(stored.id);
        self.employees.insert(stored.id, stored);
    }

    /// The people with this address, the invisible included.
    pub(super) fn with_email(&self, email: &str, ignore_case: bool) -> Vec<u64> {
        let ids = self.by_email.get(&email.to_lowercase()).map(Vec::as_slice).unwrap_or_default();
        let same = |id: &&u64| ignore_case || self.employees[*id].person.email == email;
        ids.iter().filter(same).copied().collect()
    }

    /// Keeps a person from being found for a while; with neither bound, until all are revealed.
    pub(super) fn hide(&mut self, id: u64, lookups: Option<u32>, ms: Option<u64>) {
        let until = ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        self.hidden.insert(id, Hidden { lookups, until });
    }

    pub(super) fn reveal_all(&mut self) {
        self.hidden.clear();
    }

    /// Whether somebody shows up in a list that was not asked for this very person.
    pub(super) fn visible(&self, id: u64) -> bool {
        self.hidden.get(&id).is_none_or(Hidden::is_over)
    }

    /// Whether a look-up for this very person finds it; counts as one look-up.
    pub(super) fn found(&mut self, id: u64) -> bool {
        let Some(hidden) = self.hidden.get_mut(&id) else { return true };
        let over = hidden.is_over();
        hidden.lookups = hidden.lookups.map(|left| left.saturating_sub(1));
        if over {
            self.hidden.remove(&id);
        }
        over
    }
}

impl Hidden {
    fn is_over(&self) -> bool {
        self.lookups == Some(0) || self.until.is_some_and(|until| until <= Instant::now())
    }
}
