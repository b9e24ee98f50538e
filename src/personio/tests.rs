//! The whole stack against a scripted server.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::task::JoinSet;

use super::stage::{Reply, Seen, Stage};
use super::*;
use crate::domain::{Employee, Flaw, Outcome, Upload, UploadOutcome, Waiting};
use crate::ledger::Ticket;

const AUTH: &str = "POST /v1/auth";
const CREATE: &str = "POST /v1/company/employees";
const UPLOAD: &str = "POST /v1/company/documents";
const LOOK_UP: &str = "GET /v1/company/employees";
const TOKEN: Reply = Reply::Json(200, r#"{"success":true,"data":{"token":"papi-1","expires_in":86400}}"#);
const CREATED: Reply = Reply::Json(200, r#"{"success":true,"data":{"id":7,"message":"success"}}"#);
const NOBODY: Reply = Reply::Json(200, r#"{"success":true,"data":[]}"#);
const BUSY: Reply = Reply::Raw("HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
const NOT_VALID: Reply = Reply::Json(403, r#"{"success":false,"error":{"code":403}}"#);

struct Scene {
    stage: Stage,
    reader: Reader,
    writer: Writer,
    clock: Clock,
    metrics: Metrics,
}

impl Scene {
    /// A server that gives tokens, and does as it is told otherwise.
    async fn open(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(script, |_| {}).await
    }

    async fn with(
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        let clock = Clock::manual("2026-11-22T08:00:00Z".parse().expect("a timestamp"));
        let stage = Stage::open(script).await;
        let mut settings = settings(&stage.url);
        adjust(&mut settings);
        let metrics = Metrics::default();
        let (reader, writer) =
            connect(&settings, &Guard::open_to(&stage.url), &clock, &metrics).expect("usable settings");
        Self { stage, reader, writer, clock, metrics }
    }

    fn in_a_minute(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_mins(1)
    }

    async fn create(&self) -> Creation {
        let mut employee = Employee::default();
        employee.set("email", json!("mia@example.org"));
        self.writer.create(Ticket::for_test(self.in_a_minute(), employee)).await
    }

    async fn upload(&self) -> Uploading {
        self.upload_of(Content::of("hello".into())).await
    }

    async fn upload_of(&self, content: Content) -> Uploading {
        let upload = Upload {
            employee: 7,
            category: 2,
            title: "Lebenslauf Jürgen".into(),
            date: Some(jiff::civil::date(2027, 1, 31)),
            comment: None,
            file_name: "Größe \"1\".txt".into(),
            size: content.size(),
        };
        // Less than the slowest pace waits for its next place.
        let deadline = self.clock.now() + SignedDuration::from_secs(59);
        self.writer.upload(Ticket::for_test(deadline, upload), content).await
    }

    fn count(&self, what: &str) -> usize {
        self.stage.seen(what).len()
    }
}

fn settings(url: &Url) -> Settings {
    Settings {
        base_url: url.clone(),
        client_id: "papi-id".into(),
        client_secret: "papi-secret".into(),
        app_id: "HIREBRIDGE".into(),
        partner_id: None,
        profile_url: Some("https://acme.app.personio.com/staff/details/{id}".into()),
        attempt_timeout: SignedDuration::from_secs(5),
        call_timeout: SignedDuration::from_secs(20),
        reads_per_minute: 0,
        creates_per_minute: 0,
        uploads_per_minute: 0,
        learn_every: SignedDuration::ZERO,
    }
}

/// Tokens for whoever asks; `reply` for the rest.
fn and_tokens(reply: impl Fn(&Seen, usize) -> Reply) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, before| if seen.what == AUTH { TOKEN } else { reply(seen, before) }
}

fn unknown(what: &str) -> Outcome {
    Outcome::Unknown { what: what.to_owned() }
}

#[tokio::test]
async fn a_create_whose_outcome_is_open_is_sent_once() {
    let replies = [
        (Reply::Raw(""), "cut"),
        (Reply::Raw("HTTP/1.1 200 X\r\nContent-Length: 60\r\n\r\n{\"success\":true,"), "half_body"),
        (Reply::Json(502, ""), "status_502"),
        (Reply::Json(503, r#"{"success":false}"#), "status_503"),
        (Reply::Json(408, ""), "status_408"),
        (Reply::Raw("HTTP/1.1 307 X\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n"), "status_307"),
    ];
    for (reply, what) in replies {
        let scene = Scene::open(and_tokens(move |_, _| reply)).await;
        assert_eq!(scene.create().await.outcome, unknown(what));
        assert_eq!(scene.count(CREATE), 1, "{what}");
    }
}

#[tokio::test]
async fn a_create_that_hangs_is_given_up_and_sent_once() {
    let quick = |settings: &mut Settings| settings.attempt_timeout = SignedDuration::from_secs(1);
    let scene = Scene::with(and_tokens(|_, _| Reply::Hang), quick).await;
    assert_eq!(scene.create().await.outcome, unknown("timeout"));
    assert_eq!(scene.count(CREATE), 1);
}

#[tokio::test]
async fn a_create_that_was_turned_away_with_429_is_made_again() {
    let script = |_: &Seen, before| if before == 0 { BUSY } else { CREATED };
    let scene = Scene::open(and_tokens(script)).await;
    assert_eq!(scene.create().await.outcome, Outcome::Created { employee: 7 });
    assert_eq!(scene.count(CREATE), 2);
    assert!(scene.metrics.text().contains(r#"personio_retries_total{operation="create"} 1"#));
}

#[tokio::test]
async fn a_wait_that_does_not_fit_is_not_begun() {
    let script = |_: &Seen, _| Reply::Raw("HTTP/1.1 429 X\r\nRetry-After: 300\r\nContent-Length: 0\r\n\r\n");
    let scene = Scene::open(and_tokens(script)).await;
    let creation = scene.create().await;
    assert_eq!(creation.outcome, Outcome::NotSent(Waiting::Throttled));
    assert_eq!(creation.retry_at, Some(scene.clock.now() + SignedDuration::from_mins(5)));
    assert_eq!(scene.count(CREATE), 1);
}

#[tokio::test]
async fn a_create_that_cannot_connect_is_tried_again_and_was_not_sent() {
    let mut scene = Scene::open(and_tokens(|_, _| CREATED)).await;
    scene.reader.authenticate().await.expect("a token");
    scene.stage.close().await;
    assert_eq!(scene.create().await.outcome, Outcome::NotSent(Waiting::Unreachable));
    assert!(scene.metrics.text().contains(r#"personio_retries_total{operation="create"} 3"#));
}

#[tokio::test]
async fn a_create_past_its_deadline_is_not_sent() {
    let scene = Scene::open(and_tokens(|_, _| CREATED)).await;
    scene.reader.authenticate().await.expect("a token");
    let late = Ticket::for_test(scene.clock.now(), Employee::default());
    assert_eq!(scene.writer.create(late).await.outcome, Outcome::NotSent(Waiting::Unreachable));
    assert_eq!(scene.count(CREATE), 0);
}

#[tokio::test]
async fn twenty_who_need_a_token_share_one() {
    let scene = Scene::open(and_tokens(|_, _| NOBODY)).await;
    let mut waiters = JoinSet::new();
    for _ in 0..20 {
        let (reader, deadline) = (scene.reader.clone(), scene.in_a_minute());
        waiters.spawn(async move { reader.find_by_email("mia@example.org", deadline).await });
    }
    assert!(waiters.join_all().await.iter().all(|found| found == &Ok(Vec::new())));
    assert_eq!((scene.count(AUTH), scene.count(LOOK_UP)), (1, 20));
}

#[tokio::test]
async fn those_who_wait_for_a_token_share_the_failure_too() {
    let scene = Scene::open(|_, _| Reply::Json(503, "")).await;
    let mut waiters = JoinSet::new();
    for _ in 0..20 {
        let (reader, deadline) = (scene.reader.clone(), scene.in_a_minute());
        waiters.spawn(async move { reader.find_by_email("mia@example.org", deadline).await });
    }
    let down = Err(CallError::Unreachable("status_503".into()));
    assert!(waiters.join_all().await.iter().all(|found| found == &down));
    assert_eq!(scene.count(AUTH), 4);
}

#[tokio::test]
async fn a_refused_credential_is_asked_about_twice_a_minute_at_most() {
    let scene = Scene::open(|_, _| NOT_VALID).await;
    for _ in 0..3 {
        let (one, two) = tokio::join!(scene.reader.authenticate(), scene.create());
        assert_eq!(one, Err(CallError::Credential));
        assert_eq!(two.outcome, Outcome::NotSent(Waiting::Credential));
    }
    assert_eq!(scene.count(AUTH), 1);
    scene.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(scene.reader.authenticate().await, Err(CallError::Credential));
    assert_eq!(scene.count(AUTH), 2);
}

#[tokio::test]
async fn a_create_is_made_once_more_with_a_new_token() {
    for status in [401, 403] {
        let script = move |_: &Seen, before| if before == 0 { Reply::Json(status, "") } else { CREATED };
        let scene = Scene::open(and_tokens(script)).await;
        assert_eq!(scene.create().await.outcome, Outcome::Created { employee: 7 });
        assert_eq!((scene.count(AUTH), scene.count(CREATE)), (2, 2));
    }
}

#[tokio::test]
async fn a_missing_right_does_not_wear_out_the_limit_on_tokens() {
    let script = |seen: &Seen, _| if seen.what == CREATE { CREATED } else { NOT_VALID };
    let scene = Scene::open(and_tokens(script)).await;
    for _ in 0..5 {
        let found = scene.reader.find_by_email("mia@example.org", scene.in_a_minute()).await;
        assert_eq!(found, Err(CallError::NotAllowed));
        assert_eq!(scene.create().await.outcome, Outcome::Created { employee: 7 });
    }
    assert_eq!((scene.count(AUTH), scene.count(LOOK_UP)), (2, 6));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let scene = Scene::open(and_tokens(|_, _| CREATED)).await;
    scene.create().await;
    scene.clock.advance(SignedDuration::from_hours(23));
    scene.create().await;
    assert_eq!(scene.count(AUTH), 1);
    scene.clock.advance(SignedDuration::from_mins(56));
    scene.create().await;
    assert_eq!(scene.count(AUTH), 2);
}

#[tokio::test]
async fn each_attempt_takes_the_token_of_its_time_and_a_place_in_the_pace() {
    let clock = Arc::new(std::sync::OnceLock::<Clock>::new());
    let of_the_scene = Arc::clone(&clock);
    let script = move |_: &Seen, before| {
        if before == 0
            && let Some(clock) = of_the_scene.get()
        {
            clock.advance(SignedDuration::from_hours(24));
        }
        BUSY
    };
    let slow = |settings: &mut Settings| settings.creates_per_minute = 1;
    let scene = Scene::with(and_tokens(script), slow).await;
    clock.set(scene.clock.clone()).expect("set once");
    let in_two_days = scene.clock.now() + SignedDuration::from_hours(24) + SignedDuration::from_secs(30);
    let patient = Ticket::for_test(in_two_days, Employee::default());
    assert_eq!(scene.writer.create(patient).await.outcome, Outcome::NotSent(Waiting::Throttled));
    assert_eq!((scene.count(AUTH), scene.count(CREATE)), (2, 4), "the second attempt needed a new token");
    for _ in 0..2 {
        assert_eq!(scene.writer.create(short(&scene)).await.outcome, Outcome::NotSent(Waiting::Throttled));
    }
    assert_eq!(scene.count(CREATE), 11, "one a day ago, and the pace has room for ten, repeats included");
}

fn short(scene: &Scene) -> Ticket<Employee> {
    Ticket::for_test(scene.clock.now() + SignedDuration::from_secs(30), Employee::default())
}

#[tokio::test]
async fn a_read_is_repeated_when_its_answer_is_lost() {
    let script = |_: &Seen, before| match before {
        0 => Reply::Raw(""),
        1 => Reply::Json(502, ""),
        _ => NOBODY,
    };
    let scene = Scene::open(and_tokens(script)).await;
    assert_eq!(scene.reader.find_by_email("mia@example.org", scene.in_a_minute()).await, Ok(Vec::new()));
    assert_eq!(scene.count(LOOK_UP), 3);
}

#[tokio::test]
async fn an_address_is_asked_for_as_it_is_and_only_its_owner_is_believed() {
    const EVERYBODY: Reply = Reply::Json(
        200,
        r#"{"success":true,"data":[
            {"type":"Employee","attributes":{"id":{"value":1},"email":{"value":"other@example.org"}}},
            {"type":"Employee","attributes":{"id":{"value":2},"email":{"value":"A&limit=1+b@example.org"}}}]}"#,
    );
    let scene = Scene::open(and_tokens(|_, _| EVERYBODY)).await;
    let found = scene.reader.find_by_email("a&limit=1+B@example.org", scene.in_a_minute()).await;
    assert_eq!(found.expect("an answer").iter().map(|person| person.id).collect::<Vec<_>>(), [2]);
    assert_eq!(scene.stage.seen(LOOK_UP)[0].query, "email=a%26limit%3D1%2BB%40example.org&limit=100");
}

#[tokio::test]
async fn an_address_in_capitals_is_also_looked_for_in_lower_case() {
    let scene = Scene::open(and_tokens(|_, _| NOBODY)).await;
    scene.reader.find_by_email("Mia@example.org", scene.in_a_minute()).await.expect("an answer");
    let queries: Vec<_> = scene.stage.seen(LOOK_UP).into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries, ["email=Mia%40example.org&limit=100", "email=mia%40example.org&limit=100"]);
}

#[tokio::test]
async fn the_credential_goes_in_the_body_and_every_call_is_signed_with_our_name() {
    let scene = Scene::open(and_tokens(|_, _| CREATED)).await;
    scene.create().await;
    let auth = &scene.stage.seen(AUTH)[0];
    assert_eq!(auth.body, r#"{"client_id":"papi-id","client_secret":"papi-secret"}"#);
    assert_eq!(auth.query, "");
    let create = &scene.stage.seen(CREATE)[0];
    assert_eq!(create.body, r#"{"employee":{"email":"mia@example.org"}}"#);
    for line in ["authorization: bearer papi-1", "content-type: application/json"] {
        assert!(create.headers.lines().any(|header| header == line), "{line}");
    }
    for call in [auth, create] {
        assert!(call.headers.contains("x-personio-app-id: hirebridge\r\n"), "{}", call.headers);
        assert!(!call.headers.contains("partner"), "{}", call.headers);
        assert!(call.headers.contains("user-agent: hirebridge/"), "{}", call.headers);
    }
}

#[tokio::test]
async fn a_partner_says_so() {
    let partner = |settings: &mut Settings| settings.partner_id = Some("ACME".into());
    let scene = Scene::with(and_tokens(|_, _| CREATED), partner).await;
    scene.create().await;
    assert!(scene.stage.seen(CREATE)[0].headers.contains("x-personio-partner-id: acme"));
}

#[tokio::test]
async fn an_employee_who_is_not_there_is_none() {
    let scene = Scene::open(and_tokens(|_, _| Reply::Json(404, r#"{"success":false}"#))).await;
    assert_eq!(scene.reader.person(7).await, Ok(None));
    assert_eq!(
        scene.reader.profile_link(7).as_deref(),
        Some("https://acme.app.personio.com/staff/details/7")
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable() {
    let scene = Scene::open(|_, _| Reply::Json(503, "")).await;
    assert_eq!(scene.reader.authenticate().await, Err(CallError::Unreachable("status_503".into())));
    assert_eq!(scene.count(AUTH), 4);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let url: Url = "https://api.personio.de".parse().expect("a URL");
    let refused = |adjust: fn(&mut Settings)| {
        let mut settings = settings(&url);
        adjust(&mut settings);
        match connect(&settings, &Guard::default(), &Clock::system(), &Metrics::default()) {
            Err(ConnectError::Setting { key, .. }) => key,
            Err(ConnectError::Client(error)) => panic!("{error}"),
            Ok(_) => "none",
        }
    };
    assert_eq!(refused(|settings| settings.app_id = "a\nb".into()), "app_id");
    assert_eq!(refused(|settings| settings.partner_id = Some(String::new())), "partner_id");
    assert_eq!(refused(|settings| settings.attempt_timeout = SignedDuration::ZERO), "attempt_timeout");
    assert_eq!(refused(|settings| settings.profile_url = Some("https://acme".into())), "profile_url");
    assert_eq!(refused(|_| {}), "none");
}

const STORED: Reply = Reply::Json(201, r#"{"success":true,"data":{"id":1,"type":"Document"}}"#);

#[tokio::test]
async fn an_upload_is_one_form_with_the_librarys_boundary() {
    let scene = Scene::open(and_tokens(|_, _| STORED)).await;
    assert_eq!(scene.upload().await.outcome, UploadOutcome::Stored);
    let seen = &scene.stage.seen(UPLOAD)[0];
    let boundary = seen
        .headers
        .lines()
        .find_map(|line| line.strip_prefix("content-type: multipart/form-data; boundary="));
    let boundary = boundary.expect("a boundary");
    let part = |head: &str, body: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    };
    let expected = [
        part("name=\"title\"", "Lebenslauf Jürgen"),
        part("name=\"employee_id\"", "7"),
        part("name=\"category_id\"", "2"),
        part("name=\"date\"", "2027-01-31"),
        part("name=\"file\"; filename=\"Größe \\\"1\\\".txt\"\r\nContent-Type: text/plain", "hello"),
        format!("--{boundary}--\r\n"),
    ];
    assert_eq!(seen.body, expected.concat());
    assert!(seen.headers.contains("authorization: bearer papi-1"), "{}", seen.headers);
    assert!(seen.headers.contains(&format!("content-length: {}", seen.body.len())), "{}", seen.headers);
}

#[tokio::test]
async fn an_upload_whose_outcome_is_open_is_sent_once() {
    for (reply, what) in [
        (Reply::Raw(""), "cut"),
        (Reply::Raw("HTTP/1.1 201 X\r\nContent-Length: 60\r\n\r\n{\"success\":true,"), "half_body"),
        (Reply::Json(502, ""), "status_502"),
        (Reply::Json(503, r#"{"success":false}"#), "status_503"),
    ] {
        let scene = Scene::open(and_tokens(move |_, _| reply)).await;
        assert_eq!(scene.upload().await.outcome, UploadOutcome::Unknown { what: what.into() });
        assert_eq!(scene.count(UPLOAD), 1, "{what}");
    }
}

#[tokio::test]
async fn an_upload_that_was_turned_away_is_sent_whole_once_more() {
    let script = |seen: &Seen, before| match (seen.what.as_str(), before) {
        (AUTH, 0) => TOKEN,
        (AUTH, _) => Reply::Json(200, r#"{"success":true,"data":{"token":"papi-2","expires_in":86400}}"#),
        (_, 0) => BUSY,
        (_, 1) => NOT_VALID,
        _ => STORED,
    };
    let scene = Scene::open(script).await;
    assert_eq!(scene.upload().await.outcome, UploadOutcome::Stored);
    let seen = scene.stage.seen(UPLOAD);
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.body.contains("\r\n\r\nhello\r\n")));
    assert!(seen[2].headers.contains("bearer papi-2"));
}

#[tokio::test]
async fn uploads_leave_at_their_own_pace() {
    let slow = |settings: &mut Settings| settings.uploads_per_minute = 1;
    let scene = Scene::with(and_tokens(|_, _| STORED), slow).await;
    for n in 0..20 {
        let outcome = scene.upload().await.outcome;
        let late = UploadOutcome::NotSent(Waiting::Throttled);
        assert_eq!(outcome, if n < 10 { UploadOutcome::Stored } else { late }, "{n}");
    }
    assert_eq!(scene.count(UPLOAD), 10, "what may leave at once");
}

#[tokio::test]
async fn a_missing_right_to_documents_is_told_from_a_wrong_credential() {
    let scene = Scene::open(and_tokens(|_, _| NOT_VALID)).await;
    assert_eq!(scene.upload().await.outcome, UploadOutcome::Refused(Flaw::NoRight));
    let scene = Scene::open(|_, _| NOT_VALID).await;
    assert_eq!(scene.upload().await.outcome, UploadOutcome::NotSent(Waiting::Credential));
    assert_eq!(scene.count(UPLOAD), 0);
}

#[tokio::test]
async fn neither_file_nor_token_follows_a_redirect() {
    let other = Stage::open(|_, _| STORED).await;
    let location: &'static str =
        format!("HTTP/1.1 307 X\r\nLocation: {}v1/company/documents\r\nContent-Length: 0\r\n\r\n", other.url)
            .leak();
    let scene = Scene::open(and_tokens(move |_, _| Reply::Raw(location))).await;
    assert_eq!(scene.upload().await.outcome, UploadOutcome::Unknown { what: "status_307".into() });
    assert_eq!((scene.count(UPLOAD), other.seen(UPLOAD).len()), (1, 0));
}

#[tokio::test]
async fn a_file_that_turns_out_shorter_or_longer_is_broken_off() {
    for size in [4, 6] {
        let scene = Scene::open(and_tokens(|_, _| STORED)).await;
        let content = Content::new(size, || {
            let (sender, pieces) = tokio::sync::mpsc::channel(2);
            for piece in ["hel", "lo"] {
                sender.try_send(Ok(piece.into())).expect("there is room for two");
            }
            pieces
        });
        let uploading = scene.upload_of(content).await;
        assert!(matches!(uploading.outcome, UploadOutcome::Unknown { .. }), "{:?}", uploading.outcome);
        assert_eq!(scene.count(UPLOAD), 0, "no whole request arrived");
    }
}
