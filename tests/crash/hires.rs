//! The hires that an ATS has, made from the seed: who they are, what is delivered about them and in which order.

use fastrand::Rng;
use hirebridge::sim::{Person, Status};
use serde_json::{Value, json};

use crate::papers::{self, Paper};
use crate::support::ashby::{candidate_hire, with_field, without_offer};

/// The attribute in which every employee carries the application's id, so that it is known whose they are.
pub(crate) const REFERENCE: &str = "dynamic_101";

/// One hire, as the ATS knows it.
pub(crate) struct Application {
    /// The application's id at the ATS.
    pub(crate) id: String,
    /// Who it is: two applications may be one person's.
    pub(crate) person: usize,
    /// The source that it comes through.
    pub(crate) source: &'static str,
    /// The files that the ATS has of it.
    pub(crate) papers: Vec<Paper>,
    /// What is delivered: one round after the other, the deliveries of a round together.
    pub(crate) rounds: Vec<Vec<Value>>,
}

impl Application {
    /// What `candidate.info` says of whoever has files. Source: Ashby's OpenAPI.
    pub(crate) fn candidate(&self) -> Option<(String, Value)> {
        let resume = self.papers.first()?.handle();
        let id = format!("c-{}", self.id);
        let email = self.whole()["data"]["application"]["candidate"]["primaryEmailAddress"].clone();
        let candidate = json!({"id": id, "name": "Mia Beispiel", "primaryEmailAddress": email,
            "emailAddresses": [email], "phoneNumbers": [], "socialLinks": [], "tags": [], "customFields": [],
            "applicationIds": [self.id], "resumeFileHandle": resume, "fileHandles": [resume]});
        Some((id, candidate))
    }

    /// The delivery that says everything.
    pub(crate) fn whole(&self) -> &Value {
        self.rounds.last().and_then(|round| round.last()).expect("every hire has a delivery")
    }
}

/// So many hires, and the people whom Personio knows before any of them.
pub(crate) fn hires(rng: &mut Rng, many: usize) -> (Vec<Application>, Vec<Person>) {
    let mut known = Vec::new();
    let hires = (0..many).map(|n| application(rng, n, &mut known)).collect();
    (hires, known)
}

fn application(rng: &mut Rng, n: usize, known: &mut Vec<Person>) -> Application {
    let id = format!("a-{n}");
    let (person, email) = match rng.u8(..100) {
        0..5 if n > 0 => another_address(rng, n),
        5..8 => {
            known.push(already_there(rng, &address(n)));
            (n, address(n))
        }
        _ => (n, address(n)),
    };
    let mut whole = misfits(rng, candidate_hire(&id, "Mia Beispiel", &email));
    let papers = papers(rng, &id);
    let source = if papers.is_empty() { "ashby" } else { papers::SOURCE };
    let signed: Vec<_> =
        papers.iter().filter(|paper| paper.kind == "signed_offer").map(Paper::handle).collect();
    whole["data"]["offer"]["latestVersion"]["fileHandles"] = signed.into();
    let rounds = match rng.u8(..100) {
        0..10 => vec![vec![without_offer("applicationUpdate", &id, "Mia Beispiel", &email)], vec![whole]],
        10..15 => {
            vec![vec![without_offer("applicationUpdate", &id, "Mia Beispiel", &email), whole.clone(), whole]]
        }
        15..22 => vec![vec![nameless(&whole)], vec![whole.clone(), whole]],
        _ => (0..rng.usize(1..3)).map(|_| vec![whole.clone(); rng.usize(1..4)]).collect(),
    };
    Application { id, person, source, papers, rounds }
}

/// Some have a CV, and some of those a signed offer.
fn papers(rng: &mut Rng, application: &str) -> Vec<Paper> {
    let kinds: &[&'static str] = match rng.u8(..100) {
        0..15 => &["resume"],
        15..30 => &["resume", "signed_offer"],
        _ => &[],
    };
    kinds.iter().map(|kind| Paper::new(rng, application, kind)).collect()
}

fn address(n: usize) -> String {
    format!("hire-{n}@example.org")
}

/// A second application of somebody who has one already, under an address that may look different.
fn another_address(rng: &mut Rng, n: usize) -> (usize, String) {
    let person = rng.usize(..n);
    let email = match rng.u8(..3) {
        0 => address(person),
        1 => address(person).to_uppercase(),
        _ => format!("hire-{person}+{n}@example.org"),
    };
    (person, email)
}

fn already_there(rng: &mut Rng, email: &str) -> Person {
    let status = if rng.bool() { Status::Active } else { Status::Inactive };
    Person {
        email: email.to_owned(),
        first_name: "Max".into(),
        last_name: "Muster".into(),
        status: Some(status),
        ..Person::default()
    }
}

/// Now and then values that Personio does not know, and drops.
fn misfits(rng: &mut Rng, mut body: Value) -> Value {
    for (title, known, unknown) in [
        ("Department", "Engineering", "Nowhere"),
        ("Office", "Berlin", "Atlantis"),
        ("Contract", "permanent", "eternal"),
    ] {
        match rng.u8(..10) {
            0 | 1 => body = with_field(body, title, unknown),
            2..7 => body = with_field(body, title, known),
            _ => {}
        }
    }
    body
}

/// Without an address: held until a delivery brings one.
fn nameless(whole: &Value) -> Value {
    let mut body = whole.clone();
    body["data"]["application"]["candidate"]["primaryEmailAddress"] = json!(null);
    body
}

/// What goes where, for the configuration.
pub(crate) fn mapping() -> String {
    format!(
        "[mapping.fields]\n{REFERENCE} = \"application.id\"\ndepartment = \"custom.Department\"\n\
         office = \"custom.Office\"\ndynamic_107 = \"custom.Contract\"\n"
    )
}
