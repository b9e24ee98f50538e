//! The configuration is read again while the service runs: whole or not at all. Paused and removed sources.

use std::fs;
use std::path::Path;

use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire};
use crate::support::process::{eventually, run, text};
use crate::support::town::Town;
use crate::support::{ADMIN, House, Reply, SECRET, SENDER, Setup, is_problem, notes, state};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Changes the configuration file.
fn edit(folder: &Path, change: impl FnOnce(String) -> String) {
    let path = folder.join("hirebridge.toml");
    let config = fs::read_to_string(&path).expect("readable");
    fs::write(&path, change(config)).expect("writable");
}

/// With more in front of the operators.
fn with(more: &str) -> impl FnOnce(String) -> String {
    move |config| config.replacen("[[operators]]", &format!("{more}\n[[operators]]"), 1)
}

/// Without the source `ashby`.
fn without_source(config: &str) -> String {
    let (before, after) = config.split_once("[sources.ashby]").expect("the source");
    let (_, operators) = after.split_once("[[operators]]").expect("operators");
    format!("{before}[[operators]]{operators}")
}

async fn reload(house: &House) -> Reply {
    house.ask(Method::POST, "/v1/config/reload", ADMIN, None).await
}

/// What was taken up, and what needs a restart.
async fn reloaded(house: &House) -> (Vec<String>, Vec<String>) {
    let reply = reload(house).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let keys = |name: &str| serde_json::from_value(reply.json()[name].take()).expect("keys");
    (keys("changed"), keys("needs_restart"))
}

fn nth(n: usize) -> Value {
    candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"))
}

fn position(house: &House, email: &str) -> Value {
    let creates =
        house.sim.requests().into_iter().filter(|request| request.operation == Operation::CreateEmployee);
    let mut sent = creates.map(|request| request.body["employee"].clone());
    sent.find(|employee| employee["email"] == email).expect("it was sent")["position"].clone()
}

const CHIEF: &str = "[mapping.fields]\nposition = { const = \"Chief\" }";

#[tokio::test]
async fn a_changed_mapping_holds_for_the_next_hire() {
    let house = House::new().await;
    house.deliver(&nth(1)).await.hire();
    assert_eq!(reloaded(&house).await, (vec![], vec![]), "nothing is different");
    edit(house.folder.path(), with(CHIEF));
    assert_eq!(reloaded(&house).await, (vec!["mapping.fields.position.const".into()], vec![]));
    assert_eq!(house.deliver(&nth(2)).await.state(), "created");
    assert_ne!(position(&house, "mia1@example.org"), "Chief");
    assert_eq!(position(&house, "mia2@example.org"), "Chief");
}

#[tokio::test]
async fn a_rule_that_keeps_hires_out_holds_for_the_next_hire() {
    let house = House::new().await;
    assert_eq!(house.deliver(&nth(1)).await.state(), "created");
    let rule = "[[ignore]]\nname = \"testers\"\nfact = \"candidate.email\"\nlike = \"*@example.org\"\n";
    edit(house.folder.path(), with(rule));
    assert_eq!(reloaded(&house).await, (vec!["ignore".to_owned()], vec![]));
    assert_eq!(house.deliver(&nth(2)).await.state(), "ignored(rule)");
    edit(house.folder.path(), |config| config.replace(rule, ""));
    assert_eq!(reloaded(&house).await, (vec!["ignore".to_owned()], vec![]));
    assert_eq!(house.deliver(&nth(3)).await.state(), "created");
}

#[tokio::test]
async fn a_hire_ends_by_the_configuration_that_it_began_with() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::Wait));
    let change = async {
        house.sim.arrival(Operation::ListEmployees, 1).await;
        edit(house.folder.path(), |config| without_source(&config));
        let (changed, _) = reloaded(&house).await;
        assert!(changed.contains(&"sources.ashby.kind".to_owned()), "{changed:?}");
        house.sim.release_answers();
    };
    let body = hire();
    let (answer, ()) = tokio::join!(house.deliver(&body), change);
    assert_eq!(answer.state(), "created");
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_whole_and_the_former_one_goes_on() {
    let house = House::new().await;
    edit(house.folder.path(), |config| {
        with(CHIEF)(config).replace("name = \"ada\"", "name = \"ben\"").replace("settle =", "setle =")
    });
    let refused = reload(&house).await;
    is_problem(&refused, 422, "configuration_refused");
    let problem = refused.json();
    let (error, line) = (&problem["errors"][0], line_of(&house, "setle"));
    assert_eq!(error["field"], "sources.ashby.setle");
    let said = error["message"].as_str().expect("words");
    assert!(
        said.contains(&format!("hirebridge.toml:{line}: `sources.ashby.setle` is not a known key")),
        "{said}"
    );
    assert!(!refused.text.contains(SECRET));
    house.deliver(&nth(1)).await.hire();
    assert_ne!(position(&house, "mia1@example.org"), "Chief");
    edit(house.folder.path(), |config| config.replace("setle =", "settle ="));
    assert_eq!(reloaded(&house).await.0, ["mapping.fields.position.const", "operators"]);
}

fn line_of(house: &House, word: &str) -> usize {
    let config = fs::read_to_string(house.folder.path().join("hirebridge.toml")).expect("readable");
    config.lines().position(|line| line.starts_with(word)).expect("the line") + 1
}

#[tokio::test]
async fn secrets_and_operators_are_replaced_without_a_restart() {
    let house = House::new().await;
    let old = house.signed(&nth(1));
    let hash =
        |token: &str| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()));
    edit(house.folder.path(), |config| {
        config.replace(SECRET, "another-secret-of-16").replace(&hash(SENDER), &hash("hb_other"))
    });
    assert_eq!(reloaded(&house).await.0, ["operators", "sources.ashby.secrets"]);
    assert_eq!(house.send(old).await.status, 401);
    let body = nth(2).to_string();
    let signature = crate::support::ashby::signature("another-secret-of-16", body.as_bytes());
    let request = house.bare(Method::POST, "/webhooks/ashby").header("Ashby-Signature", signature).body(body);
    assert_eq!(house.send(request).await.status, 200);
    assert_eq!(house.ask(Method::GET, "/v1/hires", SENDER, None).await.status, 401);
    assert_eq!(house.ask(Method::GET, "/v1/hires", "hb_other", None).await.status, 200);
}

#[tokio::test]
async fn what_needs_a_restart_is_named_each_time_and_the_rest_is_taken_up() {
    let house = House::new().await;
    edit(house.folder.path(), |config| {
        with(CHIEF)(config)
            .replace("127.0.0.1:0", "127.0.0.1:1")
            .replace("/ledger.db", "/other.db")
            .replace("[transfer]", "[transfer]\nin_flight = 1\nrequire_lookup = true")
    });
    let fixed = ["ledger.url", "server.listen", "transfer.in_flight"].map(str::to_owned).to_vec();
    let live = ["mapping.fields.position.const", "transfer.require_lookup"].map(str::to_owned).to_vec();
    assert_eq!(reloaded(&house).await, (live, fixed.clone()));
    assert_eq!(reloaded(&house).await, (vec![], fixed));
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    assert_eq!(house.deliver(&hire()).await.state(), "held(review)");
    assert!(!house.folder.path().join("other.db").exists());
}

#[tokio::test]
async fn only_an_admin_has_it_read_again() {
    let house = House::new().await;
    let refused = house.ask(Method::POST, "/v1/config/reload", SENDER, None).await;
    is_problem(&refused, 403, "forbidden");
}

/// A house whose Personio secret is in a file.
async fn with_secret_file() -> House {
    let house = House::new().await;
    write_secret(&house, "sim-client-secret");
    edit(house.folder.path(), |config| {
        config.replace("\"sim-client-secret\"", "{ file = \"personio_secret\" }")
    });
    assert_eq!(reloaded(&house).await, (vec![], vec![]), "the secret is the same");
    house
}

fn write_secret(house: &House, secret: &str) {
    fs::write(house.folder.path().join("personio_secret"), secret).expect("writable");
}

#[tokio::test]
async fn a_secret_that_was_changed_in_its_file_is_taken_up_when_personio_refuses_the_former_one() {
    let house = with_secret_file().await;
    house.deliver(&nth(1)).await.hire();
    house.sim.change_secret("a-newer-secret");
    write_secret(&house, "a-newer-secret");
    let id = house.deliver(&nth(2)).await.hire();
    house.pass(SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "created");
    assert_eq!(reloaded(&house).await, (vec![], vec![]), "it was taken up already");
}

#[tokio::test]
async fn a_secret_that_is_changed_after_the_refusal_is_taken_up_by_the_next_try() {
    let house = with_secret_file().await;
    house.sim.change_secret("a-newer-secret");
    let id = house.deliver(&nth(1)).await.hire();
    house.pass(SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "waiting(credential)");
    write_secret(&house, "a-newer-secret");
    house.pass(60 * SECOND).await;
    house.pass(SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "created");
    assert_eq!(house.sim.employees().len(), 1);
}

#[tokio::test]
async fn a_reload_takes_up_the_credential_at_once() {
    let house = with_secret_file().await;
    house.sim.change_secret("a-newer-secret");
    let id = house.deliver(&nth(1)).await.hire();
    house.pass(SECOND).await;
    write_secret(&house, "a-newer-secret");
    assert_eq!(reloaded(&house).await.0, ["personio.client_secret"]);
    house.pass(SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "created");
}

#[tokio::test]
async fn a_paused_source_asks_its_ats_to_repeat_and_stores_nothing() {
    let house = House::with(Setup { ashby: "enabled = false".into(), ..Setup::default() }).await;
    let paused = house.deliver(&hire()).await;
    is_problem(&paused, 503, "source_paused");
    assert_eq!(paused.headers["retry-after"], "300");
    let unsigned = house.bare(Method::POST, "/webhooks/ashby").body(hire().to_string());
    assert_eq!(house.send(unsigned).await.status, 401, "a stranger does not learn that it is there");
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
    let source = house.get("/v1/sources").await.json()["sources"][0].take();
    assert_eq!(source["enabled"], false);
    let check = house.get("/v1/check").await.json();
    let findings = check["findings"].as_array().expect("findings");
    let said = |finding: &&Value| finding["about"] == "source" && finding["verdict"] == "warning";
    assert!(findings.iter().any(|finding| said(&finding)), "{check:#}");
    assert_eq!(house.sim.creates(), 0);

    edit(house.folder.path(), |config| config.replace("enabled = false", "enabled = true"));
    assert_eq!(reloaded(&house).await.0, ["sources.ashby.enabled"]);
    assert_eq!(house.deliver(&hire()).await.state(), "created");
    assert_eq!(house.get("/v1/sources").await.json()["sources"][0]["enabled"], true);
}

#[tokio::test]
async fn a_hire_that_was_stored_before_the_pause_goes_on() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::status(500)).times(9));
    let id = house.deliver(&hire()).await.hire();
    edit(house.folder.path(), |config| config.replace("[sources.ashby]", "[sources.ashby]\nenabled = false"));
    assert_eq!(reloaded(&house).await.0, ["sources.ashby.enabled"]);
    house.sim.behave();
    house.pass(3600 * SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "created");
}

#[tokio::test]
async fn a_hire_of_a_removed_source_waits_for_a_person_who_can_send_it() {
    let house = House::new().await;
    house.sim.adjust(|manner| manner.rights.employees_write = false);
    let id = house.deliver(&hire()).await.hire();
    assert_eq!(state(&house.hire(&id).await), "waiting(credential)");
    edit(house.folder.path(), |config| without_source(&config));
    reloaded(&house).await;
    let creates = house.sim.creates();
    house.sim.adjust(|manner| manner.rights.employees_write = true);
    house.pass(60 * SECOND).await;
    let held = house.hire(&id).await;
    assert_eq!(state(&held), "held(review)");
    assert!(notes(&held).contains(&"source_removed"), "{held:#}");
    assert_eq!(house.sim.creates(), creates);
    assert_eq!(house.deliver(&hire()).await.status, 401);
    assert_eq!(house.get("/v1/hires?source=ashby").await.json()["hires"][0]["id"], json!(id));

    let preview = house.post(&format!("/v1/hires/{id}/preview"), &json!({})).await.json();
    let sending = json!({"plan_hash": preview["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &sending).await.status, 200);
    // Whose turn it is to try the credential is not known from outside: a minute later it is this one's.
    house.pass(60 * SECOND).await;
    assert_eq!(state(&house.hire(&id).await), "created");
    assert_eq!((house.sim.creates() - creates, house.sim.employees().len()), (1, 1));
}

#[tokio::test]
async fn a_hire_of_a_removed_source_that_was_never_planned_waits_for_a_person_too() {
    let house = House::with(Setup { settle: Some("1h".into()), ..Setup::default() }).await;
    let early =
        crate::support::ashby::without_offer("applicationUpdate", "a-2", "Max Muster", "max@example.org");
    let id = house.deliver(&early).await.hire();
    edit(house.folder.path(), |config| without_source(&config));
    reloaded(&house).await;
    house.pass(3601 * SECOND).await;
    let held = house.hire(&id).await;
    assert_eq!((state(&held).as_str(), house.sim.creates()), ("held(review)", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_was_taken_up_and_ends_with_1_if_it_is_refused() {
    let town = Town::new().await;
    let served = town.serve().await;
    let folder = town.folder.path();
    fs::write(folder.join("admin.token"), ADMIN).expect("writable");
    let command = || {
        let output = run(folder, &["config", "reload", "--url", &served.url, "--token-file", "admin.token"]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    edit(folder, |config| with(CHIEF)(config).replace("sqlite:", "sqlite:/elsewhere"));
    let said = "taken up: mapping.fields.position.const\nneeds a restart: ledger.url\n";
    assert_eq!(command(), (Some(0), said.to_owned(), String::new()));
    edit(folder, |config| {
        config.replace("sqlite:/elsewhere", "sqlite:").replace("role = \"admin\"", "role = \"boss\"")
    });
    let (code, _, said) = command();
    assert_eq!(code, Some(1));
    assert!(
        said.contains("The former configuration goes on") && said.contains("`operators[2].role`"),
        "{said}"
    );
    assert!(said.contains("hirebridge.toml:"), "{said}");
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sighup_has_it_read_again_and_tells_the_log() {
    let town = Town::new().await;
    let served = town.serve().await;
    let folder = town.folder.path();
    edit(folder, |config| config.replace("settle =", "setle ="));
    served.hang_up();
    eventually("it is refused", || async {
        served.log().contains("`sources.ashby.setle` is not a known key").then_some(())
    })
    .await;
    edit(folder, |config| {
        with(CHIEF)(config).replace("setle =", "settle =").replace("level = \"error\"", "level = \"info\"")
    });
    served.hang_up();
    eventually("it is taken up, and so is the log's level", || async {
        served.log().contains("\"taken\":\"log.level, mapping.fields.position.const\"").then_some(())
    })
    .await;
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
    let sent = town.sim.employees();
    assert_eq!(sent[0].person.position.as_deref(), Some("Chief"));
    assert!(served.log().contains("\"message\":\"delivery\""));
}
