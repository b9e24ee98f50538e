//! `hirebridge send --csv`: hires from a table, through the running service.

use std::fs;
use std::process::Output;

use hirebridge::sim::{Behaviour, Fault, Operation};
use serde_json::json;

use crate::support::process::{ended, hirebridge, text};
use crate::support::{House, SENDER, VIEWER, state};

const TABLE: &str = "candidate.first_name,candidate.last_name,candidate.email,offer.start_date\n\
                     Mia,Beispiel,mia@example.org,2027-01-01\n\
                     Zoë,Grünwald,zoe@example.org,2027-02-01\n\
                     ,,nameless@example.org,\n";

/// Runs the command beside the house, whose service goes on.
async fn send(house: &House, table: &str, token: &str, more: &[&str]) -> Output {
    let folder = house.folder.path();
    fs::write(folder.join("hires.csv"), table).expect("writable");
    fs::write(folder.join("token"), token).expect("writable");
    let mut command = hirebridge(folder);
    command.args([
        "send",
        "--csv",
        "hires.csv",
        "--token-file",
        "token",
        "--url",
        house.url("").trim_end_matches('/'),
    ]);
    command.args(more);
    tokio::task::spawn_blocking(move || ended(&mut command)).await.expect("it ends")
}

/// The lines on standard output, without the hires' ids.
fn lines(output: &Output) -> Vec<String> {
    let said = text(&output.stdout);
    let bare = |line: &str| {
        let words = line.split_whitespace().filter(|word| uuid::Uuid::parse_str(word).is_err());
        words.collect::<Vec<_>>().join(" ")
    };
    said.lines().map(bare).collect()
}

#[tokio::test]
async fn a_table_is_sent_once_however_often_it_is_run() {
    let house = House::new().await;
    let first = send(&house, TABLE, SENDER, &[]).await;
    assert_eq!(
        lines(&first),
        ["line 2: created", "line 3: created", "line 4: held(review)", "3 of 3 rows taken"],
        "{}",
        text(&first.stderr)
    );
    let again = send(&house, &TABLE.replace("mia@", "Mia@"), SENDER, &[]).await;
    assert_eq!(
        lines(&again)[1..],
        ["line 3: created (known already)", "line 4: held(review) (known already)", "2 of 3 rows taken"]
    );
    assert!(lines(&again)[0].starts_with("line 2: not taken:"), "the same key, other facts");
    assert_eq!(again.status.code(), Some(1));
    let turned = "candidate.email,candidate.last_name,offer.start_date,candidate.first_name\n\
                  zoe@example.org,Grünwald,2027-02-01,Zoë\nmia@example.org,Beispiel,2027-01-01,Mia\n";
    let other_way_round = send(&house, turned, SENDER, &[]).await;
    let known = ["line 2: created (known already)", "line 3: created (known already)", "2 of 2 rows taken"];
    assert_eq!(lines(&other_way_round), known, "a row is known by who it is, not by where it stands");
    assert_eq!(house.sim.creates(), 2);
}

#[tokio::test]
async fn a_dry_run_shows_the_plans_and_changes_nothing() {
    let house = House::new().await;
    let shown = send(&house, TABLE, VIEWER, &["--dry-run"]).await;
    let said = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert!(
        said.contains("line 2: would be sent") && said.contains("line 4: would wait for a person"),
        "{said}"
    );
    assert!(
        said.contains("\"first_name\": \"Zoë\"") && said.contains("\"hire_date\": \"2027-02-01\""),
        "{said}"
    );
    assert_eq!(house.sim.creates(), 0);
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
    let refused = send(&house, TABLE, VIEWER, &[]).await;
    assert_eq!(refused.status.code(), Some(1), "to look is not to send");
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn a_table_with_a_mistake_sends_nothing_at_all() {
    let house = House::new().await;
    for (from, to, told) in [
        ("offer.start_date", "offer.begin", "the column `offer.begin` is no fact"),
        ("zoe@example.org", "", "line 3 has neither `id` nor `candidate.email`"),
        ("zoe@example.org", "MIA@example.org", "line 3 is the same hire as line 2"),
        ("2027-02-01", "2027-02-01,x", "line 3 has 5 cells"),
    ] {
        let refused = send(&house, &TABLE.replace(from, to), SENDER, &[]).await;
        let said = text(&refused.stderr);
        assert!(said.contains(told), "{said}");
        assert_eq!(refused.status.code(), Some(1));
        assert!(!said.contains("example.org"), "{said}");
    }
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

#[tokio::test]
async fn with_a_source_and_an_id_a_row_and_a_webhook_are_one_hire() {
    let house = House::new().await;
    let table =
        "id;candidate.first_name;candidate.last_name;candidate.email\na-1;Mia;Beispiel;mia@example.org\n";
    let sent = send(&house, table, SENDER, &["--source", "ashby"]).await;
    assert_eq!(lines(&sent)[0], "line 2: created", "{}", text(&sent.stderr));
    let webhook = house.deliver(&crate::support::ashby::hire()).await;
    assert_eq!(webhook.json()["duplicate"], true);
    assert_eq!(house.sim.creates(), 1);
    let unknown = send(&house, table, SENDER, &["--source", "other"]).await;
    assert!(lines(&unknown)[0].starts_with("line 2: not taken:"));
}

#[tokio::test]
async fn an_unknown_outcome_is_not_repeated_by_running_it_again() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).done());
    let table = "candidate.first_name,candidate.last_name,candidate.email\nMia,Beispiel,mia@example.org\n";
    let first = send(&house, table, SENDER, &[]).await;
    assert_eq!(lines(&first)[0], "line 2: unknown", "{}", text(&first.stderr));
    let again = send(&house, table, SENDER, &[]).await;
    assert_eq!(lines(&again)[0], "line 2: unknown (known already)");
    assert_eq!(house.sim.creates(), 1);
    let hires = house.get("/v1/hires").await.json();
    assert_eq!(state(&hires["hires"][0]), "unknown");
}
