//! Finds hires: by what the ledger can be asked, and by name, for which their records are opened.

use deunicode::deunicode;
use jiff::SignedDuration;

use super::Transfer;
use crate::domain::catalog::plain_latin;
use crate::domain::{Hire, HireId, Record};
use crate::ledger::{Filter, LedgerError};

/// A hire that has waited so long is one that a person has to look at.
const WAITED_LONG: SignedDuration = SignedDuration::from_hours(24);

/// How many records one search opens at a time, and in all: what is behind them is on the next page.
const AT_A_TIME: usize = 200;
const IN_ALL: usize = 5_000;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What the ledger can be asked.
    pub filter: Filter,
    /// Only those that a person has to look at.
    pub needs_person: bool,
    /// Only those whose name or e-mail address has all of these words in it.
    pub name: Option<String>,
}

/// Hires that were found, newest first, and the one after which it goes on, if it does.
pub struct Found {
    /// The hires.
    pub hires: Vec<Hire>,
    /// The last one that was looked at, if there may be more.
    pub next: Option<HireId>,
}

impl Transfer {
    /// Looks for hires. With a name a page may have fewer hires than asked for although there is a next one.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn search(&self, search: &Search) -> Result<Found, LedgerError> {
        let limit = search.filter.limit;
        let words = Words::of(search.name.as_deref().unwrap_or_default());
        let mut filter = self.meant(search);
        let mut hires = Vec::new();
        let mut looked_at = 0;
        loop {
            // One more than asked for tells whether there is a next page.
            filter.limit = if words.0.is_empty() { limit + 1 } else { AT_A_TIME };
            let read = self.ledger().list(&filter).await?;
            let is_last = read.len() < filter.limit;
            for hire in read {
                if hires.len() == limit {
                    return Ok(Found { hires, next: filter.after });
                }
                (filter.after, looked_at) = (Some(hire.id), looked_at + 1);
                if words.are_in(&hire.record) {
                    hires.push(hire);
                }
            }
            if is_last || looked_at >= IN_ALL {
                return Ok(Found { hires, next: filter.after.filter(|_| !is_last) });
            }
        }
    }

    /// How many hires a person has to look at.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be counted.
    pub async fn need_a_person(&self) -> Result<u64, LedgerError> {
        let search = Search { needs_person: true, ..Search::default() };
        self.ledger().count(&self.meant(&search)).await
    }

    fn meant(&self, search: &Search) -> Filter {
        let since = search.needs_person.then(|| self.0.now() - WAITED_LONG);
        Filter { needs_person: since, ..search.filter.clone() }
    }
}

/// The words of a search, each in the spellings in which it is looked for.
struct Words(Vec<[String; 2]>);

impl Words {
    fn of(text: &str) -> Self {
        Self(text.split_whitespace().map(spellings).collect())
    }

    fn are_in(&self, record: &Record) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let (facts, employee) = (&record.facts, &record.plan.employee);
        let fact = |name| facts.text(name);
        let sent = |name| employee.value(name).and_then(|value| value.as_str());
        let names = ["candidate.first_name", "candidate.last_name", "candidate.full_name"].map(fact);
        let addresses = [fact("candidate.email"), sent("email"), sent("first_name"), sent("last_name")];
        let text: Vec<_> = names.into_iter().chain(addresses).flatten().collect();
        let text = spellings(&text.join(" "));
        self.0.iter().all(|word| word.iter().zip(&text).any(|(word, text)| text.contains(word)))
    }
}

/// In small letters without accents; once with `ä` as `a`, and once as `ae`, the way it is written in German.
fn spellings(text: &str) -> [String; 2] {
    [deunicode(text), plain_latin(&text.to_lowercase())].map(|text| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Facts;

    #[test]
    fn a_name_is_found_as_people_type_it() {
        let mut facts = Facts::new();
        facts.put("candidate.first_name", "Zoë-Łucja");
        facts.put("candidate.last_name", "Müller-Groß");
        facts.put("candidate.email", "Zoe.M@Example.org");
        let record = Record { facts, ..Record::default() };
        let found = |text: &str| Words::of(text).are_in(&record);
        for text in ["müller", "Mueller", "MULLER", "gross zoe", "lucja", "zoe.m@", "", " "] {
            assert!(found(text), "{text}");
        }
        for text in ["muellers", "zoe meier", "q"] {
            assert!(!found(text), "{text}");
        }
    }
}
