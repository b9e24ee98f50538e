//! The story that every ledger must be able to tell, and what the SQLite file must be besides.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::future::join_all;
use hirebridge::domain::{
    Actor, Event, Facts, Held, Hire, HireId, HireKey, LookUpZero, Outcome, Pass, Plan, Role, Said, State,
    Waiting,
};
use hirebridge::ledger::sqlite::SqliteLedger;
use hirebridge::ledger::{
    Accepted, Delivery, Denied, Filter, Ledger, LedgerError, LedgerKey, Owner, Session, Which,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::always::translations_are_kept;
use crate::erase::persons_are_erased;
use crate::shelf::documents_are_kept;
use crate::support::start_of_test;

/// The same story for every engine, told on an empty ledger.
pub(crate) async fn story(ledger: &dyn Ledger) {
    what_is_due_comes_in_its_order(ledger).await;
    a_key_is_one_hire(ledger).await;
    a_stale_version_is_not_saved(ledger).await;
    a_permit_is_granted_once(ledger).await;
    a_permit_is_granted_again_after_what_had_no_effect_or_a_person_said_so(ledger).await;
    one_person_is_sent_once_unless_a_person_says_otherwise(ledger).await;
    a_hire_is_sent_again_once_without_a_person(ledger).await;
    candidates_are_persons_and_follow_their_merges(ledger).await;
    an_un_hire_that_comes_first_is_remembered(ledger).await;
    audits_come_in_their_order(ledger).await;
    a_hire_comes_back_as_it_was(ledger).await;
    hires_are_listed_and_counted(ledger).await;
    hires_that_need_a_person_are_listed(ledger).await;
    many_at_once_are_one(ledger).await;
    translations_are_kept(ledger).await;
    documents_are_kept(ledger).await;
    bodies_are_deleted_once_no_hire_needs_them(ledger).await;
    passes_and_sessions_are_kept(ledger).await;
    persons_are_erased(ledger).await;
    ledger.probe().await.expect("a delivery could be stored");
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    start_of_test() + SignedDuration::from_secs(seconds)
}

pub(crate) fn key(application: &str) -> HireKey {
    HireKey { kind: "ashby".into(), account: "acme".into(), application: application.into() }
}

/// A received hire of a person of its own.
pub(crate) fn received(application: &str) -> Hire {
    let mut facts = Facts::new();
    facts.put("candidate.email", format!("{application}@example.org"));
    facts.put("candidate.first_name", "Mia-Marie");
    Hire::received(HireId(Uuid::now_v7()), "ashby", key(application), facts, at(0))
}

pub(crate) fn delivery(body: &str) -> Delivery {
    Delivery {
        source: "ashby".into(),
        at: at(0),
        event: "candidateHire".into(),
        delivery_id: None,
        secret: Some(0),
        body: body.to_owned().into(),
    }
}

pub(crate) async fn stored(ledger: &dyn Ledger, hire: Hire) -> Hire {
    match ledger.accept(hire, delivery("{}")).await.expect("stored") {
        Accepted::New(hire) => hire,
        Accepted::Repeat(hire) => panic!("{hire:?} was there"),
    }
}

pub(crate) fn take(hire: &mut Hire, event: &Event) {
    hire.apply(event, &Actor::System, at(1)).expect("the step is allowed");
}

pub(crate) async fn save(ledger: &dyn Ledger, hire: &mut Hire, events: &[Event]) {
    for event in events {
        take(hire, event);
    }
    ledger.save(hire).await.expect("saved");
}

/// A stored hire that may be sent.
pub(crate) async fn ready(ledger: &dyn Ledger, application: &str) -> Hire {
    let mut hire = stored(ledger, received(application)).await;
    save(ledger, &mut hire, &[Event::Planned(None)]).await;
    hire
}

/// The number of the permit, or why there is none.
pub(crate) async fn permit(ledger: &dyn Ledger, hire: &mut Hire) -> Result<Result<u32, Denied>, LedgerError> {
    let employee = hire.record.plan.employee.clone();
    let granted = ledger.permit(hire, employee, &Actor::System, at(2), at(20)).await?;
    Ok(granted.map(|ticket| {
        assert_eq!((ticket.subject(), ticket.deadline()), (hire.id.0, at(20)));
        ticket.number()
    }))
}

async fn what_is_due_comes_in_its_order(ledger: &dyn Ledger) {
    assert_eq!(ledger.next_due().await.expect("read"), None);
    let mut ids = Vec::new();
    for (application, seconds) in [("due-b", 20), ("due-a", 10), ("due-c", 30)] {
        let mut hire = ready(ledger, application).await;
        take(&mut hire, &Event::PutOff(Waiting::Unreachable));
        hire.next_at = Some(at(seconds));
        ledger.save(&mut hire).await.expect("saved");
        ids.push(hire.id);
    }
    let mut refused = ready(ledger, "due-credential").await;
    take(&mut refused, &Event::PutOff(Waiting::Credential));
    refused.next_at = Some(at(1));
    ledger.save(&mut refused).await.expect("saved");
    let (b, a, c) = (ids[0], ids[1], ids[2]);
    let due =
        async |seconds, limit, credential| ledger.due(at(seconds), limit, credential).await.expect("read");
    assert_eq!(ledger.next_due().await.expect("read"), Some(at(10)));
    assert_eq!(due(9, 10, 0).await, []);
    assert_eq!(due(10, 10, 0).await, [a]);
    assert_eq!(due(99, 10, 0).await, [a, b, c]);
    assert_eq!(due(99, 2, 0).await, [a, b]);
    assert_eq!(due(99, 10, 1).await, [a, b, c, refused.id]);
    assert_eq!(ledger.oldest_unfinished().await.expect("read"), Some(at(0)));
}

async fn a_key_is_one_hire(ledger: &dyn Ledger) {
    let first = stored(ledger, received("key")).await;
    let again = ledger.accept(received("key"), delivery("{\"again\": 1}")).await.expect("stored");
    let Accepted::Repeat(again) = again else { panic!("a second hire") };
    assert_eq!(again.id, first.id);
    assert_eq!(ledger.find(&key("key")).await.expect("read").map(|hire| hire.id), Some(first.id));
    assert!(ledger.find(&key("nobody")).await.expect("read").is_none());
    let bodies = ledger.bodies(first.id).await.expect("read");
    assert_eq!(bodies, [b"{}".to_vec(), b"{\"again\": 1}".to_vec()]);
    assert_eq!(ledger.history(first.id).await.expect("read").len(), 1, "a repeat is no step");
    for other in
        [HireKey { kind: "other".into(), ..key("key") }, HireKey { account: "other".into(), ..key("key") }]
    {
        let hire = Hire::received(HireId(Uuid::now_v7()), "ashby", other, Facts::new(), at(0));
        assert_ne!(stored(ledger, hire).await.id, first.id);
    }
}

async fn a_stale_version_is_not_saved(ledger: &dyn Ledger) {
    let mut hire = stored(ledger, received("stale")).await;
    let mut stale = ledger.hire(hire.id).await.expect("read").expect("there");
    save(ledger, &mut hire, &[Event::Planned(None)]).await;
    take(&mut stale, &Event::RuledOut);
    assert!(matches!(ledger.save(&mut stale).await, Err(LedgerError::Conflict)));
    let kept = ledger.hire(hire.id).await.expect("read").expect("there");
    assert_eq!(kept.state(), State::Ready);
    assert_eq!(ledger.history(hire.id).await.expect("read").len(), 2, "nothing of the other is left");
}

async fn a_permit_is_granted_once(ledger: &dyn Ledger) {
    let mut hire = ready(ledger, "once").await;
    let mut other = hire.clone();
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    assert_eq!(hire.state(), State::Sending);
    assert_eq!(ledger.hire(hire.id).await.expect("read").expect("there").state(), State::Sending);
    assert_eq!(permit(ledger, &mut other).await.expect("asked"), Err(Denied::Spent));
    assert_eq!(other.state(), State::Ready, "who was denied is not changed");
    assert!(permit(ledger, &mut hire).await.is_err(), "and never while it is being sent");
    assert!(ledger.orphans(at(1_000_000)).await.expect("read").is_empty(), "its owner lives");
}

async fn a_permit_is_granted_again_after_what_had_no_effect_or_a_person_said_so(ledger: &dyn Ledger) {
    let unknown = || Event::Called(Outcome::Unknown { what: "timeout".into() });
    let ways: [(&str, &[Event]); 3] = [
        ("void", &[Event::Called(Outcome::NotSent(Waiting::Throttled)), Event::Due]),
        ("refused", &[Event::Called(Outcome::Refused { status: 422 }), Event::Approved]),
        ("overruled", &[unknown(), Event::NotFound, Event::Approved]),
    ];
    for (application, way) in ways {
        let mut hire = ready(ledger, application).await;
        assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
        for event in way {
            save(ledger, &mut hire, std::slice::from_ref(event)).await;
        }
        let mut stale = hire.clone();
        assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(2), "{application}");
        assert_eq!(permit(ledger, &mut stale).await.expect("asked"), Err(Denied::Spent), "{application}");
    }
    let mut lost = ready(ledger, "lost").await;
    let mut before = lost.clone();
    assert_eq!(permit(ledger, &mut lost).await.expect("asked"), Ok(1));
    save(ledger, &mut lost, &[unknown()]).await;
    assert_eq!(permit(ledger, &mut before).await.expect("asked"), Err(Denied::Spent), "nobody said so");
}

async fn one_person_is_sent_once_unless_a_person_says_otherwise(ledger: &dyn Ledger) {
    let mut first = ready(ledger, "person").await;
    assert_eq!(permit(ledger, &mut first).await.expect("asked"), Ok(1));
    let mut second = received("person-again");
    second.record.facts = Facts::new();
    second.record.facts.put("candidate.email", "Person+ats@Example.org");
    let mut second = stored(ledger, second).await;
    save(ledger, &mut second, &[Event::Planned(None)]).await;
    let denied = permit(ledger, &mut second).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(first.id)));
    save(ledger, &mut first, &[Event::Called(Outcome::Created { employee: 7 })]).await;
    let denied = permit(ledger, &mut second).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(first.id)), "also once the first is created");
    second.flags.second_hire_approved = true;
    assert_eq!(permit(ledger, &mut second).await.expect("asked"), Ok(1));

    let mut found = ready(ledger, "found").await;
    assert_eq!(permit(ledger, &mut found).await.expect("asked"), Ok(1));
    save(ledger, &mut found, &[Event::OwnerGone, Event::Appeared { ours: false }]).await;
    let mut again = received("found-again");
    again.record.facts = Facts::new();
    again.record.facts.put("candidate.email", "found+ats@example.org");
    let mut again = stored(ledger, again).await;
    save(ledger, &mut again, &[Event::Planned(None)]).await;
    let denied = permit(ledger, &mut again).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(found.id)), "whoever it was that was found");

    let mut moved = ready(ledger, "moved").await;
    moved.record.plan.employee.set("email", json!("elsewhere@example.org"));
    assert_eq!(permit(ledger, &mut moved).await.expect("asked"), Ok(1));
    let mut again = received("moved-again");
    again.record.facts = Facts::new();
    again.record.facts.put("candidate.email", "elsewhere@example.org");
    let mut again = stored(ledger, again).await;
    save(ledger, &mut again, &[Event::Planned(None)]).await;
    let denied = permit(ledger, &mut again).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(moved.id)), "by the address it has by now");
}

async fn a_hire_is_sent_again_once_without_a_person(ledger: &dyn Ledger) {
    let unknown = || Event::Called(Outcome::Unknown { what: "timeout".into() });
    let mut hire = ready(ledger, "resent").await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    save(ledger, &mut hire, &[unknown()]).await;
    save(ledger, &mut hire, &[Event::Resent]).await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(2), "the customer has said so");
    save(ledger, &mut hire, &[unknown()]).await;
    save(ledger, &mut hire, &[Event::Resent]).await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Err(Denied::Spent), "and no more");
    save(ledger, &mut hire, &[Event::Spent]).await;
    save(ledger, &mut hire, &[Event::Approved]).await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(3), "but a person may");
}

/// A ready hire of this candidate, with an address of its own.
async fn ready_candidate(ledger: &dyn Ledger, application: &str, candidate: &str) -> Hire {
    let mut hire = received(application);
    hire.record.facts.put("candidate.id", candidate);
    let mut hire = stored(ledger, hire).await;
    save(ledger, &mut hire, &[Event::Planned(None)]).await;
    hire
}

async fn candidates_are_persons_and_follow_their_merges(ledger: &dyn Ledger) {
    let merge = async |gone: &str, kept: &str| {
        let any = key("any");
        ledger.merge(&any.candidate(gone), &any.candidate(kept), at(3)).await.expect("merged")
    };
    let mut sent = ready_candidate(ledger, "of-c1", "c1").await;
    assert_eq!(permit(ledger, &mut sent).await.expect("asked"), Ok(1));
    let mut same = ready_candidate(ledger, "of-c1-too", "c1").await;
    let denied = permit(ledger, &mut same).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(sent.id)), "another address, the same candidate");
    assert_eq!(ledger.same_person(&same).await.expect("read"), Some(sent.id));

    let mut merged = ready_candidate(ledger, "of-c2", "c2").await;
    assert_eq!(ledger.same_person(&merged).await.expect("read"), None);
    assert_eq!(merge("c2", "c3").await, [merged.id]);
    assert_eq!(ledger.same_person(&merged).await.expect("read"), None, "c3 is nobody who was sent");
    assert_eq!(merge("c1", "c3").await, [sent.id, same.id, merged.id]);
    let denied = permit(ledger, &mut merged).await.expect("asked");
    assert_eq!(denied, Err(Denied::SamePerson(sent.id)), "now they are one");
    assert_eq!(merge("c3", "c4").await.len(), 3, "and stay one");
    for late in ["c1", "c2", "c3", "c4"] {
        let mut late = ready_candidate(ledger, &format!("late-{late}"), late).await;
        assert_eq!(permit(ledger, &mut late).await.expect("asked"), Err(Denied::SamePerson(sent.id)));
    }
    assert_eq!(merge("c4", "c1").await.len(), 7, "the way back leads nowhere else");
    let mut other = ready_candidate(ledger, "of-c9", "c9").await;
    assert_eq!(permit(ledger, &mut other).await.expect("asked"), Ok(1));
}

async fn an_un_hire_that_comes_first_is_remembered(ledger: &dyn Ledger) {
    let unhire = async |application: &str, seconds: Option<i64>| {
        let body = delivery("{\"un\": 1}");
        ledger.unhire(&key(application), seconds.map(at), body).await.expect("stored").map(|hire| hire.id)
    };
    for (application, unhired, hired, wanted) in [
        ("un-later", Some(20), Some(10), Err(Denied::Overtaken(Some(at(20))))),
        ("un-same", Some(10), Some(10), Err(Denied::Overtaken(Some(at(10))))),
        ("un-earlier", Some(5), Some(10), Ok(1)),
        ("un-timeless", None, Some(10), Err(Denied::Overtaken(None))),
        ("un-hire-timeless", Some(5), None, Err(Denied::Overtaken(Some(at(5))))),
    ] {
        assert_eq!(unhire(application, unhired).await, None);
        let mut hire = received(application);
        hire.record.hired_at = hired.map(at);
        let mut hire = stored(ledger, hire).await;
        save(ledger, &mut hire, &[Event::Planned(None)]).await;
        assert_eq!(permit(ledger, &mut hire).await.expect("asked"), wanted, "{application}");
        assert_eq!(unhire(application, None).await, Some(hire.id), "now it is known");
        assert_eq!(ledger.bodies(hire.id).await.expect("read").len(), 2);
        if wanted.is_err() {
            assert_eq!(hire.state(), State::Ready, "who was denied is not changed");
            hire.flags.unhire_overruled = true;
            assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1), "a person knows of it");
        }
    }
    // The latest time counts, whatever comes last.
    for seconds in [5, 20, 10] {
        assert_eq!(unhire("un-often", Some(seconds)).await, None);
    }
    let mut hire = received("un-often");
    hire.record.hired_at = Some(at(15));
    let mut hire = stored(ledger, hire).await;
    save(ledger, &mut hire, &[Event::Planned(None)]).await;
    let denied = permit(ledger, &mut hire).await.expect("asked");
    assert_eq!(denied, Err(Denied::Overtaken(Some(at(20)))));
}

async fn audits_come_in_their_order(ledger: &dyn Ledger) {
    assert_eq!(ledger.next_audit().await.expect("read"), None);
    let next_due = ledger.next_due().await.expect("read");
    let mut ids = Vec::new();
    for (application, seconds) in [("audit-b", 200), ("audit-a", 100)] {
        let mut hire = ready(ledger, application).await;
        assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
        take(&mut hire, &Event::Called(Outcome::Created { employee: 7 }));
        hire.audit_at = Some(at(seconds));
        ledger.save(&mut hire).await.expect("saved");
        ids.push(hire);
    }
    let audits = async |seconds, limit| ledger.audits(at(seconds), limit).await.expect("read");
    assert_eq!(ledger.next_audit().await.expect("read"), Some(at(100)));
    assert_eq!(ledger.next_due().await.expect("read"), next_due, "an audit is nothing that presses");
    assert_eq!(audits(99, 9).await, []);
    assert_eq!(audits(300, 1).await, [ids[1].id]);
    assert_eq!(audits(300, 9).await, [ids[1].id, ids[0].id]);
    for hire in &mut ids {
        hire.audit_at = None;
        ledger.save(hire).await.expect("saved");
    }
    assert_eq!((ledger.next_audit().await.expect("read"), audits(300, 9).await), (None, vec![]));
}

async fn a_hire_comes_back_as_it_was(ledger: &dyn Ledger) {
    let mut hire = stored(ledger, received("whole")).await;
    hire.record.plan = Plan::default();
    hire.record.plan.employee.set("email", json!("whole@example.org"));
    hire.record.corrections.insert("office".into(), json!("Köln 🏢"));
    hire.look_up_zero = LookUpZero::Absent;
    (hire.flags.approved, hire.flags.double) = (true, true);
    (hire.record.hired_at, hire.record.doubles) = (Some(at(9)), vec![7, 8]);
    hire.audit_at = Some(at(5_000));
    save(ledger, &mut hire, &[Event::Planned(None)]).await;
    (hire.employee, hire.tries, hire.since, hire.next_at) = (Some(7), 3, Some(at(3)), Some(at(4_000)));
    hire.remark(&Actor::Operator("mia".into()), "dismissed", at(5));
    ledger.save(&mut hire).await.expect("saved");
    hire.record.facts.put("candidate.city", "Köln");
    ledger.save(&mut hire).await.expect("saved");

    let back = ledger.hire(hire.id).await.expect("read").expect("there");
    assert!(back.record == hire.record && back.key == hire.key && back.flags == hire.flags);
    assert_eq!((back.state(), back.look_up_zero), (State::Ready, LookUpZero::Absent));
    assert_eq!(
        (back.employee, back.tries, back.since, back.next_at),
        (Some(7), 3, Some(at(3)), Some(at(4_000)))
    );
    assert_eq!((back.received_at, back.updated_at), (at(0), at(5)));
    let history = ledger.history(hire.id).await.expect("read");
    let steps: Vec<_> = history.iter().map(|entry| (entry.actor.as_str(), entry.cause.as_str())).collect();
    assert_eq!(steps, [("source:ashby", "stored"), ("system", "planned"), ("operator:mia", "dismissed")]);
    assert_eq!(history[1].from.as_deref(), Some("received"));
    assert_eq!((history[1].to.as_str(), history[1].at), ("ready", at(1)));
    assert_eq!(back.audit_at, Some(at(5_000)));
    assert!(ledger.hire(HireId(Uuid::now_v7())).await.expect("read").is_none());
}

/// A person has to look at what is held or flagged, unless it was taken off the list, and at what has waited long.
async fn hires_that_need_a_person_are_listed(ledger: &dyn Ledger) {
    type Case<'a> = (&'a str, bool, &'a dyn Fn(&mut Hire));
    let held = |hire: &mut Hire| {
        hire.apply(&Event::Planned(Some(Held::Missing)), &Actor::System, at(1)).expect("allowed");
    };
    let waiting = |hire: &mut Hire, since| {
        hire.apply(&Event::Planned(None), &Actor::System, at(1)).expect("allowed");
        hire.apply(&Event::PutOff(Waiting::Credential), &Actor::System, at(1)).expect("allowed");
        hire.since = Some(since);
    };
    let cases: [Case<'_>; 9] = [
        ("received", false, &|_| {}),
        ("held", true, &held),
        ("dismissed", false, &|hire| {
            held(hire);
            hire.flags.dismissed = true;
        }),
        ("double", true, &|hire| hire.flags.double = true),
        ("warnings", true, &|hire| hire.flags.warnings = true),
        ("unhired", true, &|hire| hire.flags.unhired = true),
        ("overruled", false, &|hire| (hire.flags.unhired, hire.flags.unhire_overruled) = (true, true)),
        ("waits long", true, &|hire| waiting(hire, at(10))),
        ("waits", false, &|hire| waiting(hire, at(11))),
    ];
    let mut expected = Vec::new();
    for (name, listed, change) in cases {
        let mut hire = received(&format!("needs-{name}"));
        hire.source = "needs".into();
        let mut hire = stored(ledger, hire).await;
        change(&mut hire);
        ledger.save(&mut hire).await.expect("saved");
        expected.extend(listed.then_some(hire.id));
    }
    expected.reverse();
    let needs =
        Filter { source: Some("needs".into()), needs_person: Some(at(10)), limit: 100, ..Filter::default() };
    let list = async |filter: &Filter| -> Vec<HireId> {
        ledger.list(filter).await.expect("read").iter().map(|hire| hire.id).collect()
    };
    assert_eq!(list(&needs).await, expected);
    assert_eq!(ledger.count(&Filter { limit: 1, ..needs.clone() }).await.expect("counted"), 5);
    let missing = Filter { reason: Some("missing".into()), ..needs.clone() };
    assert_eq!(list(&missing).await, expected[4..]);
    assert_eq!(
        ledger
            .count(&Filter { state: Some("held".into()), needs_person: None, ..needs })
            .await
            .expect("counted"),
        2
    );
}

async fn hires_are_listed_and_counted(ledger: &dyn Ledger) {
    let mut ids = Vec::new();
    for n in 0..5 {
        let mut hire = received(&format!("list-{n}"));
        hire.source = "listed".into();
        hire.received_at = at(100 + n);
        hire.flags.unhired = n == 2;
        let mut hire = stored(ledger, hire).await;
        if n == 0 {
            save(ledger, &mut hire, &[Event::RuledOut]).await;
        }
        ids.push(hire.id);
    }
    ids.reverse();
    let listed = Filter { source: Some("listed".into()), limit: 100, ..Filter::default() };
    let list = async |filter: Filter| -> Vec<HireId> {
        ledger.list(&filter).await.expect("read").iter().map(|hire| hire.id).collect()
    };
    assert_eq!(list(listed.clone()).await, ids, "newest first");
    assert_eq!(list(Filter { limit: 2, ..listed.clone() }).await, ids[..2]);
    assert_eq!(list(Filter { limit: 2, after: Some(ids[1]), ..listed.clone() }).await, ids[2..4]);
    assert_eq!(list(Filter { state: Some("ignored".into()), ..listed.clone() }).await, ids[4..]);
    assert_eq!(list(Filter { ats_id: Some("list-3".into()), ..listed.clone() }).await, ids[1..2]);
    assert_eq!(list(Filter { since: Some(at(103)), ..listed.clone() }).await, ids[..2]);
    assert_eq!(list(Filter { flag: Some("unhired"), ..listed.clone() }).await, ids[2..3]);
    assert_eq!(list(Filter { flag: Some("double"), ..listed.clone() }).await, []);
    let counts = ledger.counts().await.expect("read");
    let count = |state| counts.get(&("listed".to_owned(), state)).copied().unwrap_or_default();
    assert_eq!((count("received"), count("ignored"), count("created")), (4, 1, 0));
}

async fn many_at_once_are_one(ledger: &dyn Ledger) {
    let accepts = (0..64).map(|_| ledger.accept(received("crowd"), delivery("{}")));
    let (mut new, mut ids) = (0, BTreeSet::new());
    for accepted in join_all(accepts).await {
        let hire = match accepted.expect("stored") {
            Accepted::New(hire) => {
                new += 1;
                hire
            }
            Accepted::Repeat(hire) => hire,
        };
        ids.insert(hire.id);
    }
    assert_eq!((new, ids.len()), (1, 1));
    let id = *ids.first().expect("one");
    let hire = ledger.hire(id).await.expect("read").expect("there");
    let mut crowd = vec![hire; 64];
    for hire in &mut crowd {
        take(hire, &Event::Planned(None));
    }
    let asked = join_all(crowd.iter_mut().map(|hire| permit(ledger, hire))).await;
    let tickets = asked.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count();
    assert_eq!(tickets, 1);
    assert_eq!(ledger.bodies(id).await.expect("read").len(), 64);
    assert_eq!(ledger.history(id).await.expect("read").len(), 3, "stored, planned, permitted");
}

async fn bodies_are_deleted_once_no_hire_needs_them(ledger: &dyn Ledger) {
    let with_body = async |application: &str, state: &[Event]| {
        let accepted = ledger.accept(received(application), delivery("{}")).await.expect("stored");
        let (Accepted::New(mut hire) | Accepted::Repeat(mut hire)) = accepted;
        save(ledger, &mut hire, state).await;
        hire
    };
    let held = Event::Planned(Some(Held::Review));
    let hires = [
        with_body("body-ended", &[Event::RuledOut]).await,
        with_body("body-received", &[]).await,
        with_body("body-ready", &[Event::Planned(None)]).await,
        with_body("body-held", std::slice::from_ref(&held)).await,
    ];
    let mut dismissed = with_body("body-dismissed", &[held]).await;
    dismissed.flags.dismissed = true;
    save(ledger, &mut dismissed, &[]).await;
    let with_file = with_body("body-with-file", &[Event::RuledOut]).await;
    crate::shelf::one_is_to_come(ledger, &with_file).await;
    let all = hires.iter().chain([&dismissed, &with_file]);
    let left = async || {
        let mut left = Vec::new();
        for hire in all.clone() {
            let bodies = ledger.bodies(hire.id).await.expect("read").len();
            left.extend(
                (bodies > 0).then(|| hire.key.application.strip_prefix("body-").expect("one of these")),
            );
        }
        left
    };
    let forget = async |before, limit| ledger.forget_bodies(before, limit).await.expect("deleted");
    assert_eq!(forget(at(-1_000), 999).await, 0, "nothing is that old");
    assert_eq!(left().await.len(), 6);
    assert_eq!(forget(at(1_000), 1).await, 1, "no more than that at once");
    while forget(at(1_000), 5).await > 0 {}
    assert_eq!(left().await, ["received", "ready", "held", "with-file"]);
    assert_eq!(ledger.history(hires[0].id).await.expect("read").len(), 2, "and nothing else of it");
}

fn open(path: &Path) -> SqliteLedger {
    let key = LedgerKey::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").expect("a key");
    SqliteLedger::open(path, &key, Owner::new()).expect("it opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_tells_the_story_of_a_ledger() {
    let folder = TempDir::new().expect("a folder can be made");
    story(&open(&folder.path().join("ledger.db"))).await;
}

#[tokio::test]
async fn a_reopened_file_has_everything_and_knows_whose_sender_is_gone() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("ledger.db");
    let first = open(&path);
    let mut sending = ready(&first, "gone").await;
    let mut copy = sending.clone();
    assert_eq!(permit(&first, &mut sending).await.expect("asked"), Ok(1));
    ready(&first, "rests").await;
    let before = first.list(&Filter { limit: 9, ..Filter::default() }).await.expect("read");
    assert!(first.orphans(at(0)).await.expect("read").is_empty());
    drop(first);

    let second = open(&path);
    let after = second.list(&Filter { limit: 9, ..Filter::default() }).await.expect("read");
    assert_eq!(after.len(), 2);
    assert!(before.iter().zip(&after).all(|(one, other)| {
        one.id == other.id && one.state() == other.state() && one.record == other.record
    }));
    assert_eq!(second.bodies(sending.id).await.expect("read"), [b"{}"]);
    assert_eq!(second.orphans(at(0)).await.expect("read"), [sending.id]);
    assert_eq!(permit(&second, &mut copy).await.expect("asked"), Err(Denied::Spent), "also after a restart");
    let again = second.accept(received("gone"), delivery("{}")).await.expect("stored");
    assert!(matches!(again, Accepted::Repeat(hire) if hire.id == sending.id));
    assert_eq!(permit(&second, &mut ready(&second, "new").await).await.expect("asked"), Ok(1));
    assert_eq!(second.orphans(at(0)).await.expect("read"), [sending.id], "our own is none");
}

#[tokio::test]
async fn no_file_of_the_ledger_shows_a_person() {
    let folder = TempDir::new().expect("a folder can be made");
    let ledger = open(&folder.path().join("ledger.db"));
    let body = json!({"name": "Mia-Marie", "email": "sealed@example.org"}).to_string();
    let hire = ledger.accept(received("sealed"), delivery(&body)).await.expect("stored");
    let Accepted::New(mut hire) = hire else { panic!("it is new") };
    hire.record.plan.employee.set("email", json!("sealed@example.org"));
    save(&ledger, &mut hire, &[Event::Planned(None)]).await;
    let files =
        || std::fs::read_dir(folder.path()).expect("readable").map(|file| file.expect("an entry").path());
    let shows = |text: &str| {
        files().any(|file| {
            let bytes = std::fs::read(file).expect("readable");
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    };
    for person in ["Mia-Marie", "sealed@example.org", "sealed@"] {
        assert!(!shows(person), "{person}");
    }
    assert!(shows("candidateHire"), "the files were read");
    drop(ledger);
    assert!(!shows("sealed@"));
}

/// A token is a pass until it is revoked; a session ends with its pass, with its time, or when it is ended.
async fn passes_and_sessions_are_kept(ledger: &dyn Ledger) {
    let keyring = ledger.keyring();
    let said = |seconds| Said { by: "ada".into(), at: at(seconds) };
    let mark = |n: u8| keyring.mark(&[n; 32]);
    let mut passes = Vec::new();
    for (n, name) in [(1, "Kim"), (2, "kim"), (3, "lea")] {
        let label = (n == 1).then(|| "laptop".to_owned());
        let (id, role) = (Uuid::now_v7(), Role::Sender);
        let pass = Pass { id, name: name.into(), role, label, added: said(n), used_at: None, revoked: None };
        keyring.add_pass(&pass, &mark(u8::try_from(n).expect("small"))).await.expect("kept");
        passes.push(pass);
    }
    assert_eq!(keyring.passes().await.expect("read"), passes);
    assert_eq!(keyring.pass(&mark(2)).await.expect("read").as_ref(), Some(&passes[1]));
    assert_eq!(keyring.pass(&mark(9)).await.expect("read"), None);
    keyring.used(passes[0].id, at(50)).await.expect("noted");
    assert_eq!(keyring.pass(&mark(1)).await.expect("read").and_then(|pass| pass.used_at), Some(at(50)));

    let session = |n| Session { token: mark(n), expires_at: at(1_000) };
    for (cookie, token) in [(101, 1), (102, 2), (103, 3)] {
        keyring.open_session(&mark(cookie), &session(token), at(60)).await.expect("kept");
    }
    let is_open = async |cookie, now| keyring.session(&mark(cookie), at(now)).await.expect("read").is_some();
    assert!(is_open(101, 999).await && !is_open(101, 1_000).await, "it ends by itself");
    keyring.end_session(&mark(103)).await.expect("ended");
    assert!(!is_open(103, 61).await);

    let revoked = keyring.revoke_passes(&Which::Of("KIM".into()), &said(70)).await.expect("revoked");
    assert_eq!(revoked.iter().map(|pass| pass.id).collect::<Vec<_>>(), [passes[0].id, passes[1].id]);
    assert!(keyring.revoke_passes(&Which::Of("kim".into()), &said(71)).await.expect("read").is_empty());
    assert_eq!(keyring.pass(&mark(1)).await.expect("read"), None);
    assert!(!is_open(101, 80).await && !is_open(102, 80).await, "their sessions have ended");
    assert!(!keyring.has_pass("kim").await.expect("read") && keyring.has_pass("LEA").await.expect("read"));
    let revoked = keyring.revoke_passes(&Which::One(passes[2].id), &said(72)).await.expect("revoked");
    assert_eq!(revoked[0].revoked, Some(said(72)));
    assert_eq!(keyring.passes().await.expect("read").len(), 3, "who was revoked is still known");
}
