//! The page at work: a browser signs in, corrects, sends, and is refused, by real HTTP. Skipped by name where there is
//! no browser.

mod browser;
mod desk;
mod hostile;
mod looks;
mod roles;
#[path = "../it/support/mod.rs"]
#[expect(dead_code, reason = "the harness of all tests; a few of them are here")]
mod support;

use browser::Browser;
use hirebridge::sim::{Options, Person, Seed};
use serde_json::Value;

use support::ashby::{candidate_hire, with_field};
use support::{House, Setup, start_of_test};

/// Each hire is looked at first; departments and offices come from custom fields.
const SECTIONS: &str = "[mapping.fields]\ndepartment = \"custom.Department\"\noffice = \"custom.Office\"\n";

fn colleague(n: usize, department: &str, office: &str) -> Person {
    Person {
        email: format!("colleague-{n}@example.org"),
        first_name: "Kim".into(),
        last_name: format!("Colleague {n}"),
        department: Some(department.into()),
        office: Some(office.into()),
        ..Person::default()
    }
}

/// A house whose Personio has colleagues, and in which a person looks at each hire.
async fn house() -> House {
    let employees = vec![colleague(1, "Engineering", "Berlin"), colleague(2, "Sales", "Munich")];
    let seed = Seed { employees, ..Seed::default() };
    let today = start_of_test().to_string()[..10].parse().ok();
    let setup =
        Setup { learn: true, ashby: "review = true".into(), sections: SECTIONS.into(), ..Setup::default() };
    House::facing(setup, Options { seed, today, ..Options::default() }).await
}

/// A hire for a department and an office that are not there.
fn doubtful(application: &str, name: &str) -> Value {
    let body = candidate_hire(application, name, &format!("{application}@example.org"));
    with_field(with_field(body, "Department", "Enginering"), "Office", "Berlin")
}

/// Delivers a hire; its id.
async fn deliver(house: &House, body: &Value) -> String {
    let answer = house.deliver(body).await;
    assert_eq!(answer.state(), "held(review)");
    answer.hire()
}

/// Opens the hire's page from the list.
async fn open(browser: &Browser, id: &str) {
    browser.click(&format!(".row a[href='#/hires/{id}']")).await;
    browser.find(".standing").await;
}
