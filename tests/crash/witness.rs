//! Collects what the simulator and the REST API show: during the storm now and then, in the end all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use hirebridge::sim::{Operation, Outcome, Recorded, Sim, Stored};
use serde_json::{Value, json};

use crate::evidence::{Create, Filed, Made, Upload, flat};
use crate::hires::REFERENCE;
use crate::replicas::Replica;
use crate::support::ADMIN;

/// How often it looks. The simulator remembers thousands of calls, and far fewer come in this time.
const LOOK: Duration = Duration::from_millis(700);

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Witness {
    creates: BTreeMap<u64, Recorded>,
    uploads: BTreeMap<u64, Recorded>,
    pub(crate) glimpses: Vec<Value>,
}

impl Witness {
    /// Looks now and then, until the storm is over.
    pub(crate) async fn watch(
        mut self,
        sim: &Sim,
        api: &Api<'_>,
        rng: &mut Rng,
        over: impl Future<Output = ()>,
    ) -> Self {
        tokio::pin!(over);
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = &mut over => return self,
                _ = looks.tick() => {}
            }
            self.collect(sim);
            self.glimpse(api, rng).await;
        }
    }

    /// Some hires as they are at the moment, if anybody answers.
    async fn glimpse(&mut self, api: &Api<'_>, rng: &mut Rng) {
        let Ok(hires) = api.page(rng, "?limit=200").await else { return };
        let mut hires = hires["hires"].as_array().cloned().unwrap_or_default();
        rng.shuffle(&mut hires);
        for hire in hires.iter().take(8) {
            self.glimpses.extend(api.hire(rng, hire).await);
        }
    }

    /// The simulator forgets old calls: those that count are kept here, in their latest form.
    pub(crate) fn collect(&mut self, sim: &Sim) {
        for request in sim.requests() {
            match request.operation {
                Operation::CreateEmployee => self.creates.insert(request.number, request),
                Operation::UploadDocument => self.uploads.insert(request.number, request),
                _ => None,
            };
        }
    }

    /// The create calls, in the order of their arrival.
    pub(crate) fn creates(&self) -> Vec<Create> {
        self.creates.values().map(create).collect()
    }
}

impl Witness {
    /// The uploads, in the order of their arrival.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.uploads.values().map(upload).collect()
    }
}

fn upload(request: &Recorded) -> Upload {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Upload {
        number: request.number,
        employee: text(&request.body["employee_id"]),
        name: text(&request.body["file"]["file_name"]),
        turned_away: matches!(request.outcome, Outcome::Answered(401 | 403 | 429)),
    }
}

/// The documents that Personio has.
pub(crate) fn filed(sim: &Sim) -> Vec<Filed> {
    let all = sim.documents().into_iter();
    all.map(|document| Filed {
        employee: document.employee_id,
        category: document.category_id,
        name: document.file_name,
        content: document.content,
    })
    .collect()
}

fn create(request: &Recorded) -> Create {
    let sent = flat(request.body["employee"].clone());
    let application = sent[REFERENCE].as_str().unwrap_or("(no reference)").to_owned();
    let turned_away = matches!(request.outcome, Outcome::Answered(401 | 403 | 429));
    Create { number: request.number, application, turned_away, sent }
}

/// The employees that create calls made: those who were there before carry no reference.
pub(crate) fn employees(sim: &Sim) -> Vec<Made> {
    sim.employees().iter().filter_map(made).collect()
}

fn made(employee: &Stored) -> Option<Made> {
    let application = employee.person.custom_attributes.get(REFERENCE)?.clone();
    let stored = flat(json!(employee.person));
    Some(Made { id: employee.id, application, stored })
}

/// The REST API, at whichever replica answers.
pub(crate) struct Api<'a> {
    pub(crate) replicas: &'a [Replica],
    pub(crate) http: &'a reqwest::Client,
}

impl Api<'_> {
    async fn page(&self, rng: &mut Rng, path: &str) -> reqwest::Result<Value> {
        let replica = rng.choice(self.replicas).expect("there are replicas");
        let request = self.http.get(format!("{}/v1/hires{path}", replica.url())).bearer_auth(ADMIN);
        let answer = request.timeout(crate::senders::PATIENCE).send().await?.error_for_status()?;
        let text = answer.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON, not: {text}")))
    }

    /// A hire of a list, with its history.
    async fn hire(&self, rng: &mut Rng, listed: &Value) -> Option<Value> {
        let id = listed["id"].as_str().expect("a hire has an id");
        self.page(rng, &format!("/{id}")).await.ok()
    }

    /// All hires as lists show them; none if it is not answered.
    pub(crate) async fn list(&self, rng: &mut Rng) -> Option<Vec<Value>> {
        let (mut all, mut query) = (Vec::new(), "?limit=200".to_owned());
        loop {
            let page = self.page(rng, &query).await.ok()?;
            all.extend(page["hires"].as_array()?.iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return Some(all) };
            query = format!("?limit=200&cursor={cursor}");
        }
    }

    /// All hires with their histories; none if it is not answered.
    pub(crate) async fn all(&self, rng: &mut Rng) -> Option<Vec<Value>> {
        let mut all = Vec::new();
        for hire in self.list(rng).await? {
            all.push(self.hire(rng, &hire).await?);
        }
        Some(all)
    }
}
