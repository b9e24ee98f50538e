//! Personio is away, or in trouble: hires wait without a call each, repeats stay within their budget, and what
//! waited goes on below Personio's own limits.

use std::time::Duration;

use hirebridge::outbound::breaker::{FAILURES, TRY_EVERY};
use hirebridge::outbound::budget::FLOOR;
use hirebridge::sim::{Behaviour, Fault, Operation, Outcome};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::nth;
use crate::support::{House, Setup, state};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The value of the line of `/metrics` that begins so.
async fn metric(house: &House, name: &str) -> Option<String> {
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split(' ').next_back().map(str::to_owned))
}

async fn personio(house: &House) -> Value {
    house.get("/v1/sources").await.json()["personio"].clone()
}

fn turned_away(house: &House) -> usize {
    house.sim.requests().iter().filter(|request| request.outcome == Outcome::Answered(429)).count()
}

/// Time passes, also for calls that wait for their departure, until so many hires are created and nothing more is
/// to be done.
async fn live_through(house: &House, created: usize) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    for tick in 0.. {
        house.clock.advance(SignedDuration::from_millis(100));
        ticks.tick().await;
        assert!(tick < 20_000, "{} of {created} are created", house.sim.employees().len());
        if tick % 50 == 0 && house.sim.employees().len() == created {
            let next = house.service().transfer().next_due().await.expect("the ledger can be read");
            if next.is_none() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn in_an_outage_hires_wait_without_calls_and_go_on_after_it_below_personios_limits() {
    const HIRES: usize = 300;
    let house = House::with(Setup { paced: true, ..Setup::default() }).await;
    house.sim.adjust(|manner| manner.rate_limits = true);
    house.sim.misbehave(Fault::new(Operation::Any, Behaviour::status(503)));
    let mut ids = Vec::new();
    for answer in house.deliver_all(HIRES).await {
        ids.push(answer.hire());
    }
    let first = house.hire(&ids[0]).await;
    assert_eq!(state(&first), "waiting(unreachable)");
    let calls = house.sim.calls(Operation::Any);
    assert!(calls <= FAILURES as usize, "{calls} calls for {HIRES} hires");
    assert_eq!(metric(&house, "hirebridge_personio_out_of_order").await.as_deref(), Some("1"));
    assert_eq!(personio(&house).await["state"], "out_of_order");
    assert_eq!(house.send(house.bare(Method::GET, "/readyz")).await.status, 200);

    for minute in 1..=20 {
        house.pass(MINUTE).await;
        let tries = house.sim.calls(Operation::Any) - calls;
        assert!(tries <= minute, "{tries} tries in {minute} steps of time");
    }
    assert!(house.sim.calls(Operation::Any) > calls, "it does try");
    assert_eq!(house.hire(&ids[0]).await["history"], first["history"], "it waits and nothing else");

    house.sim.behave();
    live_through(&house, HIRES).await;
    assert_eq!(turned_away(&house), 0, "calls too many");
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (HIRES, HIRES));
    assert_eq!(metric(&house, "hirebridge_personio_out_of_order").await.as_deref(), Some("0"));
    assert_eq!(personio(&house).await, json!({"state": "ok", "next_try_at": null}));
}

#[tokio::test]
async fn a_single_call_finds_out_that_personio_is_back() {
    let house = House::new().await;
    assert_eq!(house.deliver(&nth(100)).await.state(), "created");
    house.sim.misbehave(Fault::new(Operation::Any, Behaviour::Reset));
    for answer in house.deliver_all(20).await {
        house.hire(&answer.hire()).await;
    }
    assert_eq!(personio(&house).await["state"], "out_of_order");
    let (calls, creates) = (house.sim.calls(Operation::Any), house.sim.creates());
    let before_it_was_known = FAILURES as usize - 1;
    assert!(calls <= 4 + 20 + before_it_was_known, "{calls} calls: none is repeated once it is known");
    let a_moment = SignedDuration::from_secs(1);
    let until_the_next_try = SignedDuration::try_from(TRY_EVERY).expect("it is short");
    house.pass(until_the_next_try - a_moment).await;
    assert_eq!(house.deliver(&nth(101)).await.state(), "waiting(unreachable)");
    assert_eq!(house.sim.calls(Operation::Any), calls);
    house.pass(a_moment).await;
    assert_eq!(house.sim.calls(Operation::Any), calls + 1);
    assert_eq!(house.sim.creates(), creates, "a create is no way to find out");

    house.sim.behave();
    house.pass(until_the_next_try).await;
    house.pass(a_moment).await;
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (22, 22));
    assert_eq!(personio(&house).await["state"], "ok");
}

#[tokio::test]
async fn a_hire_that_waits_too_long_in_an_outage_is_handed_to_a_person_all_the_same() {
    let house = House::with(Setup { transfer: "give_up_after = \"1h\"".into(), ..Setup::default() }).await;
    house.sim.misbehave(Fault::new(Operation::Any, Behaviour::status(503)));
    let answers = house.deliver_all(3).await;
    for _ in 0..61 {
        house.pass(MINUTE).await;
    }
    for answer in answers {
        assert_eq!(state(&house.hire(&answer.hire()).await), "held(not_sent)");
    }
}

#[tokio::test]
async fn when_the_budget_of_repeats_is_spent_hires_wait_and_none_is_lost() {
    const HIRES: usize = 30;
    let house = House::new().await;
    let mut ids = Vec::new();
    for n in 0..HIRES {
        // Every other one, so that it is no outage.
        if n % 2 == 0 {
            house.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::status(503)));
        }
        ids.push(house.deliver(&nth(n)).await.hire());
    }
    let mut waiting = 0;
    for id in &ids {
        let state = state(&house.hire(id).await);
        waiting += usize::from(state == "waiting(unreachable)");
        assert!(state == "waiting(unreachable)" || state == "created", "{state}");
    }
    let repeats = house.sim.calls(Operation::ListEmployees) - HIRES;
    assert_eq!((repeats, waiting), (FLOOR, HIRES / 2 - FLOOR));
    let refused = metric(&house, "hirebridge_personio_retries_refused_total{operation=\"look_up\"}").await;
    assert_eq!(refused, Some(waiting.to_string()));
    house.pass(MINUTE).await;
    for id in &ids {
        assert_eq!(state(&house.hire(id).await), "created");
    }
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (HIRES, HIRES));
}

#[tokio::test]
async fn after_a_restart_one_of_those_that_wait_for_the_credential_goes_ahead() {
    let mut house = House::new().await;
    house.sim.adjust(|manner| manner.rights.employees_write = false);
    for answer in house.deliver_all(20).await {
        assert_eq!(state(&house.hire(&answer.hire()).await), "waiting(credential)");
    }
    house.close().await;
    let creates = house.sim.creates();
    house.open().await;
    for minute in 1..=5 {
        house.pass(MINUTE).await;
        let tried = house.sim.creates() - creates;
        assert!(tried <= 2 * (minute + 1), "{tried} creates in {minute} minutes");
    }
    assert!(house.sim.creates() > creates, "it does try");
    house.close().await;
    house.sim.adjust(|manner| manner.rights.employees_write = true);
    house.open().await;
    house.pass(MINUTE).await;
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!(house.sim.employees().len(), 20);
}
