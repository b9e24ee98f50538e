//! The self-check: what it finds, what it says to do, and who may ask.

use std::path::Path;

use hirebridge::sim::Behaviour;
use hirebridge::sim::{Fault, Manner, Operation, Options, Rights, Seed, Sim};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

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
        ("employees", vec!["ok", "ok"]),
        ("attributes", vec!["ok", "ok"]),
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
