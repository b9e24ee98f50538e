//! Never two, never lost, never a guess: also when the process is killed at any point, or started twice.

use futures_util::future::join_all;
use hirebridge::sim::{Behaviour, Fault, MetaShape, Operation, Work};
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, without_offer};
use crate::support::process::{eventually, hirebridge, text};
use crate::support::town::Town;
use crate::support::{Setup, state};

/// The states a hire went through.
fn way(hire: &Value) -> Vec<&str> {
    let history = hire["history"].as_array().expect("a history");
    let mut way: Vec<_> = history.iter().filter_map(|entry| entry["to"].as_str()).collect();
    way.dedup();
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_while_its_create_was_on_the_wire_is_looked_up_and_adopted() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Hang).done());
    let served = town.serve().await;
    town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
    served.kill();
    let served = town.serve().await;
    let hire = town.becomes(&served, "created(adopted)").await;
    assert_eq!(way(&hire), ["received", "ready", "sending", "unknown", "created(adopted)"]);
    assert_eq!(hire["employee"]["id"], json!(town.sim.employees()[0].id));
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_while_its_create_was_on_the_wire_and_not_found_is_not_created_again() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Hang).work(Work::Undone));
    let served = town.serve().await;
    town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
    served.kill();
    let served = town.serve().await;
    let lookups = town.sim.calls(Operation::ListEmployees);
    town.sim.arrival(Operation::ListEmployees, lookups + 3).await;
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!((state(&repeat).as_str(), &repeat["duplicate"]), ("unknown", &json!(true)));
    town.becomes(&served, "unknown").await;
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_before_its_permit_is_sent_after_the_restart() {
    let town = Town::new().await;
    let served = town.serve().await;
    town.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::Hang));
    town.deliver_until(&served, &hire(), Operation::ListEmployees).await;
    served.kill();
    assert_eq!(town.sim.creates(), 0);
    let served = town.serve().await;
    let stored = town.becomes(&served, "created").await;
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!((&repeat["hire"], &repeat["duplicate"]), (&stored["id"], &json!(true)));
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_about_when_its_outcome_was_stored_is_created_once() {
    for yields in [0, 1, 8, 64] {
        let town = Town::new().await;
        town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
        let served = town.serve().await;
        town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
        town.sim.release_answers();
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        served.kill();
        let served = town.serve().await;
        eventually("the hire has ended", || async {
            let hires = town.hires(&served).await;
            ["created", "created(adopted)"].contains(&state(&hires[0]).as_str()).then_some(())
        })
        .await;
        assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_before_it_was_compared_is_compared_after_the_restart() {
    let town = Town::with(Setup {
        sections: "[mapping.fields]\ndepartment = { const = \"Nowhere\" }".into(),
        ..Setup::default()
    })
    .await;
    town.sim.adjust(|manner| manner.meta = MetaShape::Absent);
    town.sim.misbehave(Fault::once(Operation::GetEmployee, Behaviour::Hang));
    let served = town.serve().await;
    let delivery = town.deliver(&served, &hire());
    tokio::join!(delivery, town.sim.arrival(Operation::GetEmployee, 1));
    served.kill();
    let served = town.serve().await;
    eventually("the dropped department is named", || async {
        let warnings = town.hires(&served).await.remove(0)["warnings"].take();
        (warnings[0]["field"] == "department").then_some(())
    })
    .await;
    assert_eq!(town.sim.creates(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_delivery_is_lost_and_none_is_created_twice_when_many_are_in_flight() {
    let town = Town::with(Setup { server: "wait = \"10ms\"".into(), ..Setup::default() }).await;
    town.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Wait));
    let bodies: Vec<_> = (0..20)
        .map(|n| candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org")))
        .collect();
    let served = town.serve().await;
    let mut answers = join_all(bodies[..10].iter().map(|body| town.deliver(&served, body))).await;
    let others: Vec<_> = bodies[10..].iter().map(|body| tokio::spawn(town.deliver(&served, body))).collect();
    town.sim.arrival(Operation::CreateEmployee, 12).await;
    served.kill();
    answers.extend(join_all(others).await.into_iter().map(|answer| answer.expect("no panic")));
    town.sim.behave();

    let served = town.serve().await;
    let known: Vec<_> = town.hires(&served).await.iter().map(|hire| hire["id"].clone()).collect();
    let answered: Vec<_> = answers.into_iter().flatten().map(|answer| answer["hire"].clone()).collect();
    assert!(answered.len() >= 10, "the first ten were answered");
    assert!(answered.iter().all(|hire| known.contains(hire)), "every answered delivery is a hire");

    let repeats = join_all(bodies.iter().map(|body| town.deliver(&served, body))).await;
    let repeats: Vec<_> =
        repeats.into_iter().map(|answer| answer.expect("an answer")["hire"].clone()).collect();
    assert!(answered.iter().all(|hire| repeats.contains(hire)), "a repeat is the same hire");
    let emails = |employee: &Value| employee["email"].as_str().expect("an address").to_owned();
    let hires = eventually("who is in Personio is created, and who is not is unknown", || async {
        let hires = town.hires(&served).await;
        let there: Vec<_> = town.sim.employees().iter().map(|stored| stored.person.email.clone()).collect();
        let settled = hires.iter().all(|hire| {
            let wanted =
                if there.contains(&emails(&hire["plan"]["employee"])) { "created" } else { "unknown" };
            hire["state"] == wanted
        });
        settled.then_some(hires)
    })
    .await;
    assert_eq!(hires.len(), 20);
    let requests = town.sim.requests();
    let creates = requests.iter().filter(|request| request.operation == Operation::CreateEmployee);
    let mut sent: Vec<_> = creates.map(|request| emails(&request.body["employee"])).collect();
    sent.sort();
    let all = sent.len();
    sent.dedup();
    assert_eq!((sent.len(), town.sim.employees().len()), (all, all), "each was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn hires_that_wait_or_settle_go_after_a_restart() {
    let town =
        Town::with(Setup { server: "wait = \"10ms\"".into(), settle: Some("1s".into()), ..Setup::default() })
            .await;
    town.sim.adjust(|manner| manner.rights.employees_write = false);
    let served = town.serve().await;
    town.deliver(&served, &hire()).await.expect("an answer");
    town.becomes(&served, "waiting(credential)").await;
    let early = without_offer("applicationUpdate", "a-2", "Max Muster", "max@example.org");
    assert_eq!(state(&town.deliver(&served, &early).await.expect("an answer")), "received");
    served.kill();
    town.sim.adjust(|manner| manner.rights.employees_write = true);
    let refused = town.sim.creates();
    let served = town.serve().await;
    eventually("both are created", || async {
        let hires = town.hires(&served).await;
        hires.iter().all(|hire| hire["state"] == "created").then_some(())
    })
    .await;
    assert_eq!((town.sim.creates() - refused, town.sim.employees().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_on_the_same_ledger_refuses_to_start() {
    let town = Town::new().await;
    let served = town.serve().await;
    let mut second = hirebridge(town.folder.path());
    second.args(["serve", "--config"]).arg(&town.config);
    let output = second.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("`ledger.url`") && said.contains("in use by another hirebridge"), "{said}");
    // The first one is none the worse for it.
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
}
