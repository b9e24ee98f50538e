//! Every way that a hire can take, within bounds: the implemented table of states and rules of the permit,
//! carried by a model of the replicas, the ledger's commits, the wire and the people around them.

mod carry;
mod house;
mod ledger;
mod properties;
mod rules;
mod world;

use stateright::{Checker, HasDiscoveries, Model};

use house::House;
use properties as promise;
use rules::{Broken, Engine, NOTHING, ONE_DELIVERY, PLAIN, Reading, Rules, faulty};
use world::Budget;

/// Explores all of it; fails with the shortest way to what must not be, or if something was never reached.
fn explore(name: &str, rules: Rules) {
    let house = House::new(rules).checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = house.spawn_bfs().join();
    let (unique, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{name}: {unique} states, {depth} steps deep");
    checker.assert_properties();
}

/// Breaks one rule and expects that this promise is seen to fail.
fn expect_failure(broken: Broken, promise: &'static str, rules: Rules) {
    let house = House::new(Rules { broken: Some(broken), ..rules });
    let checker = house.checker().finish_when(HasDiscoveries::AnyOf([promise].into())).spawn_bfs().join();
    let (found, states) = (checker.discovery(promise), checker.unique_state_count());
    let way = found.unwrap_or_else(|| panic!("{broken:?} was not noticed in {states} states")).into_actions();
    println!("{broken:?}: \"{promise}\" fails after {} steps, seen in {states} states: {way:?}", way.len());
}

#[test]
fn a_second_delivery_and_a_crash() {
    let budget = Budget { deliveries: 2, crashes: 1, ..NOTHING };
    explore("two deliveries, a crash", Rules { budget, bad_plans: true, foreign: false, ..PLAIN });
}

#[test]
fn crashes_and_lost_commits() {
    let budget = Budget { crashes: 2, lost_commits: 1, put_offs: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, foreign: false, ..PLAIN };
    explore("two crashes, a lost commit, an upstream that cannot be asked", rules);
}

#[test]
fn two_people() {
    let budget = Budget { clicks: 2, ..ONE_DELIVERY };
    let rules = Rules { budget, stale_lists: false, foreign: false, ..PLAIN };
    explore("two people", rules);
}

#[test]
fn a_person_and_an_unhire() {
    let budget = Budget { clicks: 1, unhires: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, stale_lists: false, foreign: false, ..PLAIN };
    explore("a person, an un-hire", rules);
}

#[test]
fn an_unhire_a_crash_and_a_lost_commit() {
    let budget = Budget { crashes: 1, unhires: 1, lost_commits: 1, ..ONE_DELIVERY };
    explore("an un-hire, a crash, a lost commit", Rules { budget, foreign: false, ..PLAIN });
}

#[test]
fn an_unhire_of_which_no_time_is_known() {
    let budget = Budget { clicks: 1, unhires: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, untimed: true, stale_lists: false, foreign: false, ..PLAIN };
    explore("an un-hire without a time, a person", rules);
}

#[test]
fn a_customer_who_wants_unknown_outcomes_sent_again_once() {
    let budget = Budget { crashes: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, resend: true, quiet: true, stale_lists: false, foreign: false, ..PLAIN };
    explore("resend_after_unknown, a crash, lists up to date", rules);
    let rules = Rules { resend: true, foreign: false, ..PLAIN };
    explore("resend_after_unknown, lists out of date", rules);
}

#[test]
fn a_credential_that_may_not_read() {
    let budget = Budget { crashes: 1, clicks: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, reading: Reading::Forbidden, foreign: false, ..PLAIN };
    explore("no right to read", rules);
}

#[test]
fn a_right_to_read_that_comes_and_goes() {
    let budget = Budget { clicks: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, reading: Reading::Changing, foreign: false, ..PLAIN };
    explore("a right that comes and goes", rules);
    let budget = Budget { unhires: 1, ..ONE_DELIVERY };
    explore("…and an un-hire", Rules { budget, reading: Reading::Changing, ..PLAIN });
}

#[test]
fn a_person_who_sends_again_after_an_unknown_outcome() {
    let budget = Budget { clicks: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, overruling: true, foreign: false, ..PLAIN };
    explore("sent again by a person", rules);
}

#[test]
#[ignore = "takes a minute; `cargo test --test model -- --ignored --nocapture` explores it"]
fn a_person_who_sends_again_twice() {
    let budget = Budget { clicks: 2, ..ONE_DELIVERY };
    let rules = Rules { budget, overruling: true, foreign: false, ..PLAIN };
    explore("sent again by a person, twice", rules);
}

#[test]
fn a_person_who_waits_until_it_is_quiet_makes_no_second_employee() {
    let budget = Budget { clicks: 1, crashes: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, overruling: true, quiet: true, stale_lists: false, foreign: false, ..PLAIN };
    explore("sent again by a person after the quiet time, lists up to date", rules);
}

#[test]
fn two_hires_of_one_person() {
    let budget = Budget { deliveries: 2, ..NOTHING };
    let rules = Rules { budget, hires: 2, replicas: 1, foreign: false, ..PLAIN };
    explore("two hires of one person", rules);
}

#[test]
fn one_process_alone() {
    let budget = Budget { deliveries: 2, crashes: 1, clicks: 1, unhires: 1, ..NOTHING };
    let rules = Rules { budget, engine: Engine::Sqlite, replicas: 1, bad_plans: true, ..PLAIN };
    explore("one process", rules);
}

#[test]
fn the_model_sees_orphans_that_are_sent_again() {
    expect_failure(Broken::OrphansAreSentAgain, promise::NEVER_TWO_EMPLOYEES, faulty());
}

#[test]
fn the_model_sees_unknown_outcomes_that_are_sent_again() {
    expect_failure(Broken::UnknownIsSentAgain, promise::NEVER_TWO_EMPLOYEES, faulty());
    expect_failure(Broken::UnknownIsSentAgain, promise::NOT_AGAIN, faulty());
}

#[test]
fn the_model_sees_a_permit_without_a_compare_and_set() {
    expect_failure(Broken::NoPermit, promise::NEVER_TWO_CALLS, faulty());
    expect_failure(Broken::NoCompare, promise::AS_STORED, faulty());
}

#[test]
fn the_permit_alone_stops_orphans_that_are_made_ready() {
    let rules = Rules { broken: Some(Broken::OrphansAreMadeReady), foreign: false, ..PLAIN };
    let checker = House::new(rules).checker().spawn_bfs().join();
    for promise in [promise::NEVER_TWO_CALLS, promise::NEVER_TWO_EMPLOYEES, promise::NOT_AGAIN] {
        checker.assert_no_discovery(promise);
    }
}

#[test]
fn the_model_sees_a_lost_commit_that_is_trusted() {
    expect_failure(Broken::LostCommitIsTrusted, promise::NEVER_TWO_CALLS, faulty());
}

#[test]
fn the_model_sees_that_the_same_person_is_sent_twice() {
    let budget = Budget { deliveries: 2, ..NOTHING };
    let rules = Rules { budget, hires: 2, replicas: 1, foreign: false, ..PLAIN };
    expect_failure(Broken::NoSamePerson, promise::NEVER_TWO_EMPLOYEES, rules);
}

#[test]
fn the_model_sees_an_answer_before_the_hire_is_stored() {
    expect_failure(Broken::AnswerBeforeStore, promise::STORED_FIRST, faulty());
}

#[test]
fn the_model_sees_hires_that_are_lost() {
    expect_failure(Broken::NoRecovery, promise::NEVER_LOST, faulty());
    expect_failure(Broken::UnhireForgetsTheTime, promise::NEVER_STUCK, faulty());
}

#[test]
fn the_model_sees_a_late_outcome_that_is_taken_for_a_later_call() {
    let budget = Budget { clicks: 1, ..ONE_DELIVERY };
    let rules = Rules { budget, overruling: true, ..PLAIN };
    expect_failure(Broken::LateOutcomesPrevail, promise::NOT_AGAIN, rules);
}
