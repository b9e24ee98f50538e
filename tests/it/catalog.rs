//! What Personio knows is known before a hire is sent: names, options and attributes, learned, and learned anew.

use hirebridge::config::Config;
use hirebridge::sim::{Attribute, AttributeKind, Operation, Options, Person, Rights, Seed};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field};
use crate::support::{House, Setup, configuration, notes, start_of_test, state, text, warnings};

/// From custom fields, for Ashby's API is not asked here.
const FIELDS: &str = r#"
[mapping.fields]
department = "custom.Department"
office = "custom.Office"
"#;

/// What nobody but Personio is to know.
const CANARY: &str = "Kanarienvogel";

fn colleague(n: usize, department: &str, office: &str, subcompany: &str) -> Person {
    let some = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    Person {
        email: format!("{CANARY}-{n}@example.org"),
        first_name: CANARY.into(),
        last_name: CANARY.into(),
        position: some(CANARY),
        department: some(department),
        office: some(office),
        subcompany: some(subcompany),
        ..Person::default()
    }
}

/// A company with these people in it.
fn company(employees: Vec<Person>) -> Options {
    let offices = ["Berlin", "New York City"].map(str::to_owned).into();
    let seed = Seed { offices, employees, ..Seed::default() };
    Options { seed, today: start_of_test().to_string()[..10].parse().ok(), ..Options::default() }
}

fn people() -> Vec<Person> {
    vec![
        colleague(1, "Engineering", "Berlin", "Acme GmbH"),
        colleague(2, "Sales", "New York City", "Acme GmbH"),
    ]
}

fn learning(sections: &str) -> Setup {
    Setup { learn: true, sections: sections.into(), ..Setup::default() }
}

async fn house(sections: &str) -> House {
    House::facing(learning(sections), company(people())).await
}

/// The plan for a delivery.
async fn plan(house: &House, payload: &Value) -> Value {
    let reply = house.post("/v1/hires/preview", &json!({"source": "ashby", "payload": payload})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["plan"].clone()
}

/// The plan for a hire of this tenant.
async fn plan_of_tenant(house: &House, tenant: &str) -> Value {
    let typed = json!({
        "candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia@example.org"},
        "tenant": {"name": tenant}, "job": {"location": "Berlin"},
    });
    house.post("/v1/hires/preview", &typed).await.json()["plan"].clone()
}

fn in_department(name: &str) -> Value {
    with_field(hire(), "Department", name)
}

#[tokio::test]
async fn an_unknown_department_is_found_before_sending_and_the_proposed_line_mends_it() {
    let mut house = house(FIELDS).await;
    let body = with_field(in_department("Enginering"), "Office", "New York");
    let doubtful = plan(&house, &body).await;
    assert_eq!(
        warnings(&doubtful),
        ["unknown_value department=Enginering", "unknown_value office=New York"],
        "{doubtful:#}"
    );
    assert_eq!((&doubtful["sendable"], notes(&doubtful).len()), (&json!(true), 0));
    let options = |n: usize| doubtful["warnings"][n]["options"].clone();
    assert_eq!(
        (options(0), options(1)[0].clone()),
        (json!(["Engineering", "Sales"]), json!("New York City"))
    );
    let line = |n: usize| text(&doubtful["warnings"][n]["line"]).to_owned();
    assert!(line(0).contains("\"Enginering\" = \"Engineering\""), "{}", line(0));

    let pasted = format!("[mapping.fields]\n{}\n{}\n", line(0), line(1));
    house.reconfigure(|setup| setup.sections = pasted).await;
    let mended = plan(&house, &body).await;
    assert_eq!(mended["warnings"], json!([]));
    assert_eq!(
        (&mended["employee"]["department"], &mended["employee"]["office"]),
        (&json!("Engineering"), &json!("New York City"))
    );
    let id = house.deliver(&body).await.hire();
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), warnings(&hire).len(), notes(&hire).len()), ("created", 0, 0));
}

#[tokio::test]
async fn the_plan_says_how_personio_begins_and_what_is_final() {
    let house = house("").await;
    let shown = plan(&house, &hire()).await;
    assert_eq!((&shown["status"], &shown["final"]), (&json!("onboarding"), &json!(["email"])));
    let mut begun = hire();
    begun["data"]["offer"]["latestVersion"]["startDate"] = json!("2026-11-01");
    let shown = plan(&house, &begun).await;
    assert_eq!(
        (&shown["status"], warnings(&shown)),
        (&json!("active"), vec!["hire_date_past hire_date=2026-11-01".to_owned()])
    );
}

#[tokio::test]
async fn an_unknown_value_is_held_where_the_mapping_says_so_and_a_person_may_confirm_it() {
    let rule = r#"
        [mapping.fields]
        department = { from = "custom.Department", unknown = "hold" }
    "#;
    let house = house(rule).await;
    let answer = house.deliver(&in_department("People")).await;
    assert_eq!((answer.state().as_str(), house.sim.creates()), ("held(unmatched)", 0));
    let id = answer.hire();
    let held = house.hire(&id).await;
    assert_eq!(warnings(&held), ["unknown_value department=People"]);
    let hash = held["plan"]["hash"].clone();
    let sent = house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": hash})).await;
    assert_eq!((sent.state().as_str(), house.sim.creates()), ("created", 1));
    // Nobody was in it before; Personio has it all the same.
    let created = house.hire(&id).await;
    assert_eq!(created["warnings"], json!([]), "it arrived");
}

#[tokio::test]
async fn a_value_that_the_mapping_calls_known_is_sent_without_a_word() {
    let rule = r#"
        [mapping.fields]
        department = { from = "custom.Department", unknown = "hold", known_values = ["People"] }
    "#;
    let house = house(rule).await;
    let answer = house.deliver(&in_department("People")).await;
    let hire = house.hire(&answer.hire()).await;
    assert_eq!((answer.state().as_str(), &hire["warnings"]), ("created", &json!([])));
}

#[tokio::test]
async fn the_subcompany_is_the_tenant_or_nobody_is_sent_anywhere_else() {
    let house = house("").await;
    let known = plan_of_tenant(&house, "Acme GmbH").await;
    assert_eq!((&known["employee"]["subcompany"], &known["sendable"]), (&json!("Acme GmbH"), &json!(true)));
    let unmatched = plan_of_tenant(&house, "ACME").await;
    assert_eq!(
        (&unmatched["sendable"], &unmatched["employee"]["subcompany"]),
        (&json!(false), &json!("ACME"))
    );
    let warning = &unmatched["warnings"][0];
    assert_eq!((&warning["code"], &warning["options"]), (&json!("unknown_value"), &json!(["Acme GmbH"])));
    let line = "subcompany = { from = \"tenant.name\", values = { \"ACME\" = \"Acme GmbH\" } } # in [mapping.fields]";
    assert_eq!(warning["line"], line);
}

#[tokio::test]
async fn the_subcompany_may_come_from_another_fact_through_a_table() {
    let rule = r#"
        [mapping.fields]
        subcompany = { from = "job.location", values = { "Berlin" = "Acme GmbH" } }
    "#;
    let house = house(rule).await;
    let plan = plan_of_tenant(&house, "Somebody Else").await;
    assert_eq!((&plan["employee"]["subcompany"], &plan["warnings"]), (&json!("Acme GmbH"), &json!([])));
}

#[tokio::test]
async fn a_company_without_subcompanies_gets_none_and_holds_nobody() {
    let people = vec![colleague(1, "Sales", "Berlin", "")];
    let rule = "[mapping.fields]\nsubcompany = \"tenant.name\"\n";
    for (sections, noted) in [("", vec![]), (rule, vec!["no_subcompanies"])] {
        let house = House::facing(learning(sections), company(people.clone())).await;
        let plan = plan_of_tenant(&house, "Acme GmbH").await;
        assert_eq!((&plan["sendable"], &plan["warnings"]), (&json!(true), &json!([])), "{plan:#}");
        assert_eq!((plan["employee"].get("subcompany"), notes(&plan)), (None, noted));
    }
}

#[tokio::test]
async fn own_attributes_are_found_by_their_label_and_by_an_equal_title() {
    let house = house("[mapping.fields]\n\"Date of birth\" = \"custom.Birthday\"\n").await;
    let fields = [
        ("Birthday", "1990-05-17T00:00:00Z"),
        ("Desk number", "12"),
        ("Contract", "permanent"),
        ("Language skills", "German, English"),
    ];
    let body = fields.into_iter().fold(hire(), |body, (title, value)| with_field(body, title, value));
    let id = house.deliver(&body).await.hire();
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), &hire["warnings"]), ("created", &json!([])), "{hire:#}");
    let stored = house.sim.employees().pop().expect("somebody").person.custom_attributes;
    let stored = |key: &str| stored.get(key).map(String::as_str);
    assert_eq!(
        [stored("dynamic_104"), stored("dynamic_105"), stored("dynamic_107"), stored("dynamic_110")],
        [Some("1990-05-17"), Some("12"), Some("permanent"), Some("German, English")]
    );
}

#[tokio::test]
async fn what_does_not_fit_an_own_attribute_is_held_and_named() {
    let house = house("").await;
    for (n, (title, value, expected, named)) in [
        ("Desk number", "by the window", "held(invalid)", "not_a_whole_number dynamic_105=by the window"),
        ("Date of birth", "17.05.1990", "held(invalid)", "not_a_date dynamic_104=17.05.1990"),
        ("Contract", "Permanent", "held(unmatched)", "unknown_value dynamic_107=Permanent"),
        ("Language skills", "German, Klingon", "held(unmatched)", "unknown_value dynamic_110=Klingon"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia-{n}@example.org"));
        let id = house.deliver(&with_field(body, title, value)).await.hire();
        let hire = house.hire(&id).await;
        assert_eq!((state(&hire).as_str(), warnings(&hire)), (expected, vec![named.to_owned()]), "{title}");
    }
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn a_label_that_personio_does_not_have_is_held_with_those_that_are_like_it() {
    let house = house("[mapping.fields]\n\"Desk no\" = \"custom.Desk\"\n").await;
    let id = house.deliver(&with_field(hire(), "Desk", "12")).await.hire();
    let held = house.hire(&id).await;
    assert_eq!(
        (state(&held).as_str(), warnings(&held)),
        ("held(unmatched)", vec!["attribute_unknown Desk no=".to_owned()])
    );
    assert_eq!(held["warnings"][0]["options"][0], "Desk number");
}

#[tokio::test]
async fn without_the_right_to_read_the_plan_says_that_nothing_was_checked_and_the_hire_goes() {
    let mut personio = company(people());
    personio.manner.rights = Rights::write_only();
    let house = House::facing(learning(FIELDS), personio).await;
    let doubtful = plan(&house, &in_department("Enginering")).await;
    assert_eq!((notes(&doubtful), &doubtful["warnings"]), (vec!["names_not_checked"], &json!([])));
    let answer = house.deliver(&in_department("Enginering")).await;
    let hire = house.hire(&answer.hire()).await;
    assert!(notes(&hire).contains(&"names_not_checked"));
    assert_eq!(
        (answer.state().as_str(), warnings(&hire)),
        ("created", vec!["dropped department=Enginering".to_owned()])
    );
}

fn boots() -> Attribute {
    Attribute::new("dynamic_120", "Boots", AttributeKind::List).options(&["42"])
}

#[tokio::test]
async fn an_option_that_was_made_just_now_is_found_before_anybody_is_held() {
    let house = house("").await;
    house.sim.set_attribute(boots());
    house.clock.advance(SignedDuration::from_mins(2));
    let wearing = |size: &str| with_field(in_department("Sales"), "Contract", size);
    let asked = || house.sim.calls(Operation::ListAttributes);
    let contract =
        house.service().catalog().catalog().attribute("dynamic_107").expect("a contract").options.clone();
    let mut options: Vec<&str> = contract.iter().map(String::as_str).collect();
    options.push("for life");
    let known = Attribute::new("dynamic_107", "Contract", AttributeKind::List);
    house.sim.set_attribute(known.options(&options));
    let before = asked();
    assert_eq!(plan(&house, &wearing("for life")).await["warnings"], json!([]));
    assert_eq!(asked(), before + 1);

    // What is a minute old at most is not asked for again, however many ask.
    assert_eq!(plan(&house, &wearing("for ever")).await["sendable"], false);
    assert_eq!(asked(), before + 1);
    house.clock.advance(SignedDuration::from_mins(2));
    let (unknown, house) = (wearing("for ever"), &house);
    let several = (0..8).map(|_| plan(house, &unknown));
    let plans = futures_util::future::join_all(several).await;
    assert!(plans.iter().all(|plan| plan["sendable"] == false));
    assert_eq!(asked(), before + 2, "one asked for all");
}

#[tokio::test]
async fn what_personio_has_is_learned_again_every_so_often() {
    let house = house("").await;
    assert_eq!(house.sim.calls(Operation::ListAttributes), 1);
    house.clock.advance(SignedDuration::from_mins(59));
    house.sim.add(colleague(3, "People", "", ""));
    house.clock.advance(SignedDuration::from_mins(1));
    house.sim.arrival(Operation::ListEmployees, 2).await;
    // A plan with nothing doubtful in it asks for nothing.
    assert_eq!(plan(&house, &hire()).await["warnings"], json!([]));
    assert_eq!(house.sim.calls(Operation::ListAttributes), 2);
}

#[tokio::test]
async fn of_employees_nothing_is_asked_and_nothing_kept_but_the_three_names() {
    let house = house("").await;
    let requests = house.sim.requests();
    let pages: Vec<_> =
        requests.iter().filter(|request| request.operation == Operation::ListEmployees).collect();
    assert_eq!(pages.len(), 1);
    let query = pages[0].query.as_deref().unwrap_or_default();
    let asked: Vec<_> = query.split('&').filter_map(|part| part.strip_prefix("attributes%5B%5D=")).collect();
    assert_eq!(asked, ["department", "office", "subcompany"], "{query}");
    let kept = format!("{:?}", house.service().catalog().catalog());
    assert!(kept.contains("Engineering") && !kept.contains(CANARY), "{kept}");
}

#[test]
fn every_example_on_the_page_about_mapping_is_obeyed() {
    let page = include_str!("../../docs/mapping.md");
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("hirebridge.toml");
    let blocks: Vec<_> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 9, "{}", blocks.len());
    for block in blocks {
        let setup = Setup { sections: block.to_owned(), ..Setup::default() };
        std::fs::write(&path, configuration("http://127.0.0.1:9", folder.path(), &setup)).expect("writable");
        Config::load(Some(&path), std::iter::empty()).unwrap_or_else(|errors| panic!("{block}\n{errors}"));
    }
}
