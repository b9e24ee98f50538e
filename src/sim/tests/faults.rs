//! Each way to misbehave, once.

use std::io;

use super::*;

const CREATE: Operation = Operation::CreateEmployee;
const LIST: Operation = Operation::ListEmployees;

/// Whether a failed call ended with a reset, and not with an orderly end.
fn was_reset(error: &reqwest::Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn an_answer_that_takes_its_time_comes_after_the_work() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Latency { ms: 3_600_000 }));
    let call = tokio::spawn(desk.creation(&mia()).send());
    desk.sim.arrival(CREATE, 1).await;
    assert_eq!(desk.sim.employees().len(), 1);
    assert_eq!(desk.outcomes()[1], Outcome::Open);
    assert!(!call.is_finished());
    call.abort();

    desk.sim.misbehave(Fault::once(LIST, Behaviour::Latency { ms: 1 }));
    assert_eq!(desk.found().await, 1);
}

#[tokio::test]
async fn an_answer_waits_until_it_is_released() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Wait));
    let call = tokio::spawn(desk.creation(&mia()).send());
    desk.sim.arrival(CREATE, 1).await;
    assert_eq!((desk.sim.employees().len(), desk.outcomes()[1]), (1, Outcome::Open));

    desk.sim.release_answers();
    let response = call.await.expect("no panic").expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(desk.outcomes()[1], Outcome::Answered(200));
}

#[tokio::test]
async fn statuses_come_with_and_without_retry_after_as_often_as_asked() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::new(CREATE, Behaviour::too_many(None)).times(2));
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::too_many(Some("7"))));
    let body = Some(json!({"success": false}));
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Status { code: 503, body, retry_after: None }));

    let mut seen = Vec::new();
    for _ in 0..5 {
        let answered = desk.create(mia()).await;
        let retry_after = answered.headers.get("retry-after").map(|value| value.as_bytes().to_vec());
        seen.push((answered.status, retry_after, answered.body["success"].clone()));
    }
    let expected = [
        (429, None, Value::Null),
        (429, None, Value::Null),
        (429, Some(b"7".to_vec()), Value::Null),
        (503, None, json!(false)),
        (200, None, json!(true)),
    ];
    assert_eq!(seen, expected);
    assert_eq!((desk.sim.creates(), desk.sim.employees().len()), (5, 1));
}

#[tokio::test]
async fn a_status_may_hide_that_the_work_was_done() {
    let desk = Desk::open().await;
    let body = Some(json!("upstream timed out"));
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Status { code: 504, body, retry_after: None }).done());
    let answered = desk.create(mia()).await;
    assert_eq!((answered.status, answered.body), (504, json!("upstream timed out")));
    assert_eq!(desk.sim.employees().len(), 1);
}

#[tokio::test]
async fn a_connection_is_cut_or_reset_before_or_after_the_work() {
    for (behaviour, reset, outcome) in
        [(Behaviour::Cut, false, Outcome::Cut), (Behaviour::Reset, true, Outcome::Reset)]
    {
        let desk = Desk::open().await;
        desk.sim.misbehave(Fault::once(CREATE, behaviour.clone()));
        desk.sim.misbehave(Fault::once(CREATE, behaviour.clone()).done());
        assert_eq!(was_reset(&desk.failing_create().await), reset, "{behaviour:?}");
        assert!(desk.sim.employees().is_empty(), "{behaviour:?}");
        assert_eq!(was_reset(&desk.failing_create().await), reset, "{behaviour:?}");
        assert_eq!(desk.sim.employees().len(), 1, "{behaviour:?}");
        assert_eq!(desk.outcomes()[1..], [outcome, outcome]);
        assert_eq!(desk.found().await, 1);
    }
}

#[tokio::test]
async fn work_is_done_late_when_told_or_after_a_while() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Reset).late());
    desk.failing_create().await;
    assert_eq!(desk.found().await, 0);
    desk.sim.revoke_token(); // what came with a good token is carried out all the same
    assert_eq!((desk.sim.release_late(), desk.sim.release_late()), (1, 0));
    assert_eq!(desk.sim.employees().len(), 1);

    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::status(504)).work(Work::Late { ms: Some(1) }));
    assert_eq!(desk.create(mia()).await.status, 504);
    until(|| desk.sim.employees().len() == 1).await;
}

#[tokio::test]
async fn a_hanging_call_ends_with_the_simulator() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Hang).done());
    let call = tokio::spawn(desk.creation(&mia()).send());
    until(|| desk.outcomes().last() == Some(&Outcome::Hanging)).await;
    assert_eq!(desk.sim.employees().len(), 1);
    assert!(!call.is_finished());
    desk.sim.stop().await;
    assert!(call.await.expect("no panic").is_err());
}

#[tokio::test]
async fn half_a_body_arrives_after_the_work() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::HalfBody));
    let mut response = desk.creation(&mia()).send().await.expect("the head is whole");
    assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(55)));
    let half = response.chunk().await.expect("half a body").expect("some bytes");
    assert_eq!(&half[..], b"{\"success\":true,\"data\":{\"id");
    assert!(response.chunk().await.is_err());
    assert_eq!(desk.sim.employees().len(), 1);
    assert_eq!(desk.outcomes()[1], Outcome::HalfAnswered(200));
}

#[tokio::test]
async fn answers_without_sense_hide_the_work() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::WithoutId));
    let answered = desk.create(mia()).await;
    assert_eq!(
        (answered.status, answered.body),
        (200, json!({"success": true, "data": {"message": "success"}}))
    );
    assert_eq!(desk.sim.employees().len(), 1);

    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Html));
    let answered = desk.create(mia()).await;
    assert_eq!(
        (answered.status, &answered.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("a header"))
    );
    assert!(answered.body.as_str().is_some_and(|page| page.starts_with("<!doctype html>")));
    assert_eq!(desk.sim.employees().len(), 1);
}

#[tokio::test]
async fn success_false_with_status_200_leaves_the_work_undone() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Refused));
    let answered = desk.create(mia()).await;
    assert_eq!((answered.status, answered.body), (200, refusal(0, "Something went wrong")));
    assert!(desk.sim.employees().is_empty());
}

#[tokio::test]
async fn messages_are_german_on_request() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::new(CREATE, Behaviour::German).times(2));
    let created = desk.create(mia_and(json!({"office": "Atlantis"}))).await;
    assert_eq!(created.body["meta"], json!(["\"Atlantis\" (office) existiert nicht und wurde ignoriert."]));
    let german = "Diese E-Mail-Adresse wird bereits verwendet.";
    assert_eq!(desk.create(mia()).await.body, refusal(422, german));
    assert_eq!(desk.create(mia()).await.body, refusal(422, "The email has already been taken."));
}

#[tokio::test]
async fn a_german_refusal_is_german() {
    let desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::German));
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::Refused));
    assert_eq!(desk.create(mia()).await.body, refusal(0, "Es ist ein Problem aufgetreten"));
}

#[tokio::test]
async fn a_new_person_is_invisible_for_some_look_ups_or_a_while() {
    let desk = Desk::open().await;
    let hidden = Behaviour::Invisible { lookups: Some(3), ms: None };
    desk.sim.misbehave(Fault::once(CREATE, hidden));
    assert_eq!(desk.create(mia()).await.status, 200);
    assert_eq!(desk.found().await, 0);
    assert_eq!(desk.get("/v1/company/employees/1001").await.status, 404);
    assert_eq!(desk.get(EMPLOYEES).await.body["metadata"]["total_elements"], json!(0));
    assert_eq!(desk.create(mia()).await.status, 422, "the address is taken all the same");
    assert_eq!((desk.found().await, desk.found().await), (0, 1));

    let desk = Desk::open().await;
    let hidden = Behaviour::Invisible { lookups: None, ms: Some(3_600_000) };
    desk.sim.misbehave(Fault::once(CREATE, hidden));
    desk.create(mia()).await;
    assert_eq!(desk.found().await, 0);
    desk.sim.behave();
    assert_eq!(desk.found().await, 1);
}

#[tokio::test]
async fn a_token_is_revoked_just_before_a_call() {
    let mut desk = Desk::open().await;
    desk.sim.misbehave(Fault::once(CREATE, Behaviour::RevokeToken));
    assert_eq!(desk.create(mia()).await.status, 403);
    let fresh = desk.log_in().await.body["data"]["token"].clone();
    desk.token = fresh.as_str().expect("a token").into();
    assert_eq!(desk.create(mia()).await.status, 200);
    assert_eq!((desk.sim.calls(Operation::Auth), desk.sim.calls(Operation::Any)), (2, 4));
}
