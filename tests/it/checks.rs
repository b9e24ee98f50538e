//! The self-check: what it finds, what it says to do, and who may ask.

use std::path::Path;

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hirebridge::sim::Behaviour;
use hirebridge::sim::{Fault, Manner, Operation, Options, Person, Rights, Seed, Sim};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::ashby::{hire, with_field};
use crate::support::process::{run, text};
use crate::support::{ADMIN, House, SENDER, Setup, VIEWER, configuration};

const MAPPED: &str = "[mapping.fields]\ndynamic_101 = { from = \"job.title\" }\n";
const MAPPED_WRONG: &str = "[mapping.fields]\ndynamic_999 = { from = \"job.title\" }\n";

/// `about: verdict` of each finding that matches, in order.
fn verdicts(report: &Value, about: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let ours = findings.iter().filter(|finding| finding["about"] == about);
    ours.map(|finding| finding["verdict"].as_str().expect("a verdict").to_owned()).collect()
}

fn finding<'a>(report: &'a Value, about: &str, verdict: &str) -> &'a Value {
    let mut findings = report["findings"].as_array().expect("findings").iter();
    findings
        .find(|finding| finding["about"] == about && finding["verdict"] == verdict)
        .unwrap_or_else(|| panic!("{about}: {verdict} in {report:#}"))
}

async fn examine(house: &House) -> Value {
    let reply = house.get("/v1/check").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    for finding in reply.json()["findings"].as_array().expect("findings") {
        let says_what_to_do = finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty());
        assert_eq!(says_what_to_do, finding["verdict"] != "ok", "{finding}");
    }
    reply.json()
}

async fn house(sections: &str, rights: Rights) -> House {
    let setup = Setup { sections: sections.into(), ..Setup::default() };
    let manner = Manner { rights, ..Manner::default() };
    House::facing(setup, Options { manner, ..Options::default() }).await
}

#[tokio::test]
async fn only_an_admin_may_ask_for_the_check() {
    let house = House::new().await;
    for (token, status) in [(ADMIN, 200), (SENDER, 403), (VIEWER, 403), ("hb_nobody", 401)] {
        assert_eq!(house.ask(Method::GET, "/v1/check", token, None).await.status, status, "{token}");
    }
    assert_eq!(house.send(house.bare(Method::GET, "/v1/check")).await.status, 401);
}

#[tokio::test]
async fn all_is_well_but_a_clock_that_is_wrong() {
    let house = house(MAPPED, Rights::default()).await;
    let report = examine(&house).await;
    assert_eq!(report["healthy"], true, "{report:#}");
    for (about, expected) in [
        ("configuration", vec!["ok"]),
        ("source", vec!["ok"]),
        ("ledger", vec!["ok"]),
        ("credential", vec!["ok"]),
        // Nobody is created, and no document added, to see whether that is allowed.
        ("employees", vec!["ok", "not_checkable"]),
        ("documents", vec!["ok", "not_checkable"]),
        ("names", vec!["not_checkable"]),
        ("attributes", vec!["ok", "ok"]),
        ("mapping", vec![]),
        // The tests' clock stands; the simulator answers with the real date.
        ("clock", vec!["warning"]),
    ] {
        assert_eq!(verdicts(&report, about), expected, "{about}");
    }
    assert!(
        finding(&report, "attributes", "ok")["found"].as_str().is_some_and(|f| f.contains("dynamic_101"))
    );
    assert!(finding(&report, "clock", "warning")["remedy"].as_str().is_some_and(|r| r.contains("NTP")));
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (0, 0));
}

#[tokio::test]
async fn missing_rights_are_warnings_that_say_what_to_tick() {
    let house = house(MAPPED, Rights::write_only()).await;
    let report = examine(&house).await;
    assert_eq!(report["healthy"], true, "hires still go: {report:#}");
    for about in ["employees", "attributes"] {
        let remedy = finding(&report, about, "warning")["remedy"].clone();
        assert!(remedy.as_str().is_some_and(|remedy| remedy.contains("Employees > Read")), "{remedy}");
        let place = finding(&report, about, "warning")["place"].clone();
        assert!(place.as_str().is_some_and(|place| place.starts_with("Marketplace > ")), "{place}");
        let place = finding(&report, about, "warning")["place_de"].clone();
        assert!(place.as_str().is_some_and(|place| place.contains("> Verbundene Integrationen")), "{place}");
    }
    let found = finding(&report, "attributes", "warning")["found"].clone();
    assert!(found.as_str().is_some_and(|found| found.contains("dynamic_101")), "{found}");
}

#[tokio::test]
async fn a_mapped_attribute_that_does_not_exist_is_a_problem() {
    let house = house(MAPPED_WRONG, Rights::default()).await;
    let report = examine(&house).await;
    assert_eq!(report["healthy"], false);
    let wrong = finding(&report, "attributes", "problem");
    assert!(wrong["found"].as_str().is_some_and(|found| found.contains("dynamic_999")), "{wrong}");
    assert!(wrong["remedy"].as_str().is_some_and(|r| r.contains("mapping.fields.dynamic_999")), "{wrong}");
}

#[tokio::test]
async fn categories_of_documents_are_held_against_personios() {
    let filing = "[sources.ashby.documents]\nresume = \"CVs\"\noffer_letter = \"contracts\"\nother = 3\n";
    let setup = |rights| async move {
        // Whether the key is any good is not what is looked at here.
        let ashby = "api_key = \"key\"\napi_base_url = \"http://127.0.0.1:1\"".into();
        let setup = Setup { sections: filing.into(), ashby, ..Setup::default() };
        let manner = Manner { rights, ..Manner::default() };
        House::facing(setup, Options { manner, ..Options::default() }).await
    };
    let report = examine(&setup(Rights::default()).await).await;
    assert_eq!(
        verdicts(&report, "documents"),
        ["ok", "ok", "problem", "ok", "not_checkable"].map(str::to_owned)
    );
    let wrong = finding(&report, "documents", "problem");
    let found = wrong["found"].as_str().expect("words");
    assert!(
        found.starts_with("sources.ashby.documents.offer_letter is \u{201c}contracts\u{201d}"),
        "{found}"
    );
    assert!(found.contains("did you mean \u{201c}Contracts\u{201d} (id 1)"), "{found}");

    let report = examine(&setup(Rights { documents_read: false, ..Rights::default() }).await).await;
    assert_eq!(verdicts(&report, "documents"), ["problem", "not_checkable"]);
    let place = finding(&report, "documents", "problem")["place"].clone();
    assert!(place.as_str().is_some_and(|place| place.starts_with("Marketplace > ")), "{place}");
}

/// Everything that can be wrong with rules.
const WRONG_RULES: &str = r#"
[mapping.fields]
department = { from = "custom.Department", values = { "Eng" = "Enginering" } }
"Desk no" = "custom.Desk"
dynamic_104 = "job.title"
dynamic_105 = { const = "by the window" }
dynamic_107 = { from = "custom.Contract", values = { "FullTime" = "Permanent" } }
subcompany = "job.location"
"#;

/// A house whose Personio has somebody in a department and, if it is named, a subcompany.
async fn peopled(sections: &str, subcompany: Option<&str>) -> House {
    let person = Person {
        email: "x@example.org".into(),
        department: Some("Engineering".into()),
        subcompany: subcompany.map(str::to_owned),
        ..Person::default()
    };
    let setup = Setup { learn: true, sections: sections.into(), ..Setup::default() };
    let seed = Seed { employees: vec![person], ..Seed::default() };
    House::facing(setup, Options { seed, ..Options::default() }).await
}

#[tokio::test]
async fn a_rule_that_cannot_work_in_this_personio_is_told_in_words() {
    let house = peopled(WRONG_RULES, Some("Acme GmbH")).await;
    let report = examine(&house).await;
    assert_eq!(report["healthy"], false);
    let findings = report["findings"].as_array().expect("findings");
    let told = |about: &str, verdict: &str, words: [&str; 3]| {
        let is_it = |finding: &&Value| {
            let text = finding.to_string();
            finding["about"] == about
                && finding["verdict"] == verdict
                && words.iter().all(|word| text.contains(word))
        };
        assert_eq!(findings.iter().filter(is_it).count(), 1, "{about} {verdict} {words:?} in {report:#}");
    };
    told("mapping", "warning", ["Enginering", "Engineering", "mapping.fields.department"]);
    told("attributes", "problem", ["Desk no", "Desk number", "mapping.fields.Desk no"]);
    told("mapping", "problem", ["dynamic_104 takes a date", "job.title", "mapping.fields.dynamic_104"]);
    told("mapping", "problem", ["by the window", "must be a whole number", "mapping.fields.dynamic_105"]);
    told("mapping", "problem", ["Permanent", "permanent", "add the option in Personio"]);
    told("subcompany", "ok", ["ashby has a rule", "Acme GmbH", ""]);
    told("names", "ok", ["department: 1", "office: 0", "subcompany: 1"]);
    assert_eq!((house.sim.creates(), house.sim.documents().len()), (0, 0));
}

#[tokio::test]
async fn a_source_that_tells_no_company_and_has_no_rule_for_it_is_told_with_the_known_names() {
    let house = peopled("", Some("Acme GmbH")).await;
    let without = finding(&examine(&house).await, "subcompany", "warning").clone();
    assert!(without["expected"].as_str().is_some_and(|expected| expected.contains("Acme GmbH")), "{without}");
    let ruled = "[mapping.fields]\nsubcompany = { const = \"Acme GmbH\" }\n";
    let house = peopled(ruled, Some("Acme GmbH")).await;
    assert_eq!(verdicts(&examine(&house).await, "subcompany"), ["ok"], "a rule fills it");
    let house = peopled("", None).await;
    assert_eq!(verdicts(&examine(&house).await, "subcompany"), ["ok"], "nobody is in one");
}

#[tokio::test]
async fn a_mapped_attribute_that_may_not_be_read_back_is_told() {
    let house = house("", Rights::default()).await;
    let readable = ["id", "status", "email", "first_name", "last_name", "position", "hire_date"];
    house.sim.adjust(|manner| manner.readable_attributes = Some(readable.map(str::to_owned).into()));
    let report = examine(&house).await;
    let unread = finding(&report, "attributes", "warning");
    assert!(
        unread["found"].as_str().is_some_and(|found| found
            .ends_with(": department, gender, office, preferred_name, subcompany, weekly_working_hours")),
        "{unread}"
    );
    assert!(unread["place"].as_str().is_some_and(|place| place.ends_with("Readable employee attributes")));
    assert_eq!(verdicts(&report, "attributes"), ["warning", "ok"]);
    // Without the status nobody sees who has left.
    let readable = readable.into_iter().filter(|name| *name != "status").map(str::to_owned);
    house.sim.adjust(|manner| manner.readable_attributes = Some(readable.collect()));
    let findings = examine(&house).await;
    let findings = findings["findings"].as_array().expect("findings");
    let told =
        findings.iter().any(|one| one["found"].as_str().is_some_and(|found| found.contains("held(rehire)")));
    assert!(told, "{findings:#?}");
}

#[tokio::test]
async fn a_wrong_secret_and_a_personio_that_is_down_are_told_apart() {
    let house = house("", Rights::default()).await;
    for (trouble, word) in [
        (Behaviour::status(403), "does not take it"),
        (Behaviour::status(503), "cannot be asked"),
        (Behaviour::Cut, "cannot be asked"),
    ] {
        house.sim.behave();
        house.sim.misbehave(Fault::new(Operation::Auth, trouble.clone()));
        let report = examine(&house).await;
        assert_eq!(report["healthy"], false, "{trouble:?}");
        let found = finding(&report, "credential", "problem")["found"].clone();
        assert!(found.as_str().is_some_and(|found| found.contains(word)), "{trouble:?}: {found}");
        house.clock.advance(jiff::SignedDuration::from_mins(1));
    }
}

/// A Personio, sections of the configuration, a text that is left out of it; the exit code and what is said.
struct Case<'a>(&'a str, &'a str, &'a str, i32, [&'a str; 2]);

/// A folder with a configuration that faces this Personio, and lacks a text.
fn configured(personio: &str, sections: &str, left_out: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let setup = Setup { sections: sections.into(), ..Setup::default() };
    let mut text = configuration(personio, folder.path(), &setup);
    if !left_out.is_empty() {
        text = text.replace(left_out, "");
    }
    std::fs::write(folder.path().join("hirebridge.toml"), text).expect("writable");
    folder
}

async fn check(folder: &Path) -> (Option<i32>, String) {
    let folder = folder.to_owned();
    let run = tokio::task::spawn_blocking(move || run(&folder, &["check"]));
    let output = run.await.expect("it runs");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test]
async fn the_command_ends_with_1_if_a_hire_would_fail_and_with_0_if_something_is_merely_lost() {
    let seed = Seed { client_secret: "another-secret".into(), ..Seed::default() };
    let write_only = Manner { rights: Rights::write_only(), ..Manner::default() };
    let well = Sim::start(Options::default()).await.expect("a simulator");
    let unread = Sim::start(Options { manner: write_only, ..Options::default() }).await.expect("a simulator");
    let other = Sim::start(Options { seed, ..Options::default() }).await.expect("a simulator");
    let (well, unread, other) = (well.url(), unread.url(), other.url());
    let nobody = "http://127.0.0.1:9";
    let cases = [
        Case(&well, MAPPED, "", 0, ["ok       clock", "ok       ledger"]),
        Case(&unread, "", "", 0, ["warning  employees", "Employees > Read"]),
        Case(&other, "", "", 1, ["PROBLEM  credential", "remedy:"]),
        Case(nobody, "", "", 1, ["PROBLEM  credential", "cannot be asked"]),
        Case(&well, MAPPED_WRONG, "", 1, ["PROBLEM  attributes", "dynamic_999"]),
        Case(&well, "", "sim-client-secret", 1, ["personio.client_secret", "hirebridge.toml:"]),
    ];
    for (n, Case(personio, sections, left_out, code, words)) in cases.into_iter().enumerate() {
        let folder = configured(personio, sections, left_out);
        let (ended, said) = check(folder.path()).await;
        assert_eq!(ended, Some(code), "case {n}: {said}");
        for word in words {
            assert!(said.contains(word), "case {n}: {word} in {said}");
        }
        assert!(!said.contains("sim-client-secret"), "case {n}");
    }
}

#[tokio::test]
async fn fields_lists_what_to_create_in_the_ats_to_the_letter() {
    let personio = Sim::start(Options::default()).await.expect("a simulator");
    let rule = "[mapping.fields]\n\"Desk number\" = \"custom.Desk Number\"\n";
    let folder = configured(&personio.url(), rule, "");
    let asked = move |args: &'static [&'static str]| {
        let path = folder.path().to_owned();
        let output = run(&path, args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (said, json) = tokio::task::spawn_blocking(move || {
        (asked(&["fields", "--for", "ashby"]), asked(&["fields", "--json"]))
    })
    .await
    .expect("it runs");
    for words in [
        "In ashby: custom fields of the offer",
        "Contract\n    one choice of: permanent | fixed-term | working student   (dynamic_107)\n",
        "Desk number\n    whole number   (dynamic_105)\n    nearly the same in your mapping: \u{201c}Desk Number\u{201d}\n",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let fields: Value = serde_json::from_str(&json).expect("JSON");
    let desk = fields.as_array().expect("a list").iter().find(|field| field["key"] == "dynamic_105");
    assert_eq!(desk.expect("the desk")["nearly"], json!(["Desk Number"]));
    assert_eq!((personio.creates(), personio.violations().len()), (0, 0));
}

/// An Ashby that lists custom fields, on two pages, to whoever has the key.
async fn ashby_with_fields() -> String {
    async fn answer(headers: HeaderMap, uri: Uri, axum::Json(body): axum::Json<Value>) -> Response {
        // `the-key:` in base64.
        if headers.get("authorization").is_none_or(|said| said != "Basic dGhlLWtleTo=") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        assert_eq!((uri.path(), &body["limit"]), ("/customField.list", &json!(100)));
        let choice = |label: &str, is_archived: bool| json!({"label": label, "value": label, "isArchived": is_archived});
        let first = json!([
            {"id": "1", "title": "Contract", "objectType": "Offer", "fieldType": "ValueSelect", "isArchived": false,
                "selectableValues": [choice("permanent", false), choice("for life", false), choice("fixed-term", true)]},
            {"id": "2", "title": "IBAN", "objectType": "Candidate", "fieldType": "String", "isArchived": true},
        ]);
        let second = json!([
            {"id": "3", "title": "desk-number", "objectType": "Application", "fieldType": "Number", "isArchived": false},
            {"id": "4", "title": "Gender", "objectType": "Candidate", "fieldType": "String", "isArchived": false},
        ]);
        let page = match body["cursor"].as_str() {
            Some("next") => json!({"success": true, "results": second, "moreDataAvailable": false}),
            _ => json!({"success": true, "results": first, "moreDataAvailable": true, "nextCursor": "next"}),
        };
        axum::Json(page).into_response()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("is bound"));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    url
}

/// A configuration with this key to that Ashby.
fn with_key(personio: &str, ashby: &str, key: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let ashby = format!("api_key = \"{key}\"\napi_base_url = \"{ashby}\"\n");
    let text = configuration(personio, folder.path(), &Setup { ashby, ..Setup::default() });
    std::fs::write(folder.path().join("hirebridge.toml"), text).expect("writable");
    folder
}

#[tokio::test]
async fn fields_compares_with_what_there_is_in_the_ats() {
    let personio = Sim::start(Options::default()).await.expect("a simulator");
    let ashby = ashby_with_fields().await;
    for (key, words, remark) in [
        (
            "the-key",
            &[
                "(dynamic_107)\n    there already: \u{201c}Contract\u{201d} (Offer)\n        it lacks: fixed-term | working \
                 student\n        it has, and Personio does not take: for life\n",
                "(dynamic_105)\n    nearly the same is there; rename it: \u{201c}desk-number\u{201d} (Application)\n",
                "    one choice of: male | female | diverse   (gender)\n    only if the ATS does not tell it by itself; needs \
                 the rule  gender = \"custom.Gender\"\n    there already: \u{201c}Gender\u{201d} (Candidate)\n",
                "IBAN\n    text   (dynamic_103)\nDate of birth",
            ][..],
            "",
        ),
        ("another-key", &["IBAN\n    text   (dynamic_103)\n"][..], "could not be listed"),
    ] {
        let folder = with_key(&personio.url(), &ashby, key);
        let asked = tokio::task::spawn_blocking(move || run(folder.path(), &["fields", "--for", "ashby"]));
        let output = asked.await.expect("it runs");
        let (said, beside) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{beside}");
        for words in words {
            assert!(said.contains(words), "{words} in {said}");
        }
        assert!(beside.contains(remark) && !beside.contains(key), "{beside}");
    }
}

#[tokio::test]
async fn a_key_that_the_ats_does_not_take_is_told() {
    let personio = Sim::start(Options::default()).await.expect("a simulator");
    let ashby = ashby_with_fields().await;
    for (key, words) in [
        ("the-key", "unproved api_key      ashby: ashby answers to the API key"),
        ("another-key", "warning  api_key      ashby: ashby does not take the API key"),
    ] {
        let folder = with_key(&personio.url(), &ashby, key);
        let (_, said) = check(folder.path()).await;
        assert!(said.contains(words) && !said.contains(key), "{said}");
    }
}

#[tokio::test]
async fn the_preview_of_the_command_line_is_that_of_the_service() {
    let setup = || Setup { learn: true, ..Setup::default() };
    let house = House::with(setup()).await;
    let body = with_field(with_field(hire(), "Contract", "permanent"), "Desk number", "7");
    let answer = house.deliver(&body).await;
    let sent = house.hire(&answer.hire()).await["plan"].clone();
    assert_eq!(sent["employee"]["custom_attributes"]["dynamic_107"], "permanent", "{sent}");

    let folder = TempDir::new().expect("a folder");
    let text_of = configuration(&house.sim.url(), folder.path(), &setup());
    std::fs::write(folder.path().join("hirebridge.toml"), text_of).expect("writable");
    std::fs::write(folder.path().join("body.json"), body.to_string()).expect("writable");
    let asked = tokio::task::spawn_blocking(move || {
        run(folder.path(), &["preview", "body.json", "--source", "ashby"])
    });
    let output = asked.await.expect("it runs");
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["plan"]["hash"], sent["hash"], "{shown}");
}
