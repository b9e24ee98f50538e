//! Who may see and do what over REST, how hires are listed, and how the API says no.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire};
use crate::support::{ADMIN, House, SECRET, SENDER, Setup, VIEWER, ashby, is_problem};

/// No hire has this id.
const NOBODY: &str = "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11";

/// The operations under `/v1` that the contract names.
async fn operations(house: &House) -> Vec<(Method, String)> {
    let contract = house.get("/openapi.yaml").await.text;
    let (mut path, mut all) = (String::new(), Vec::new());
    for line in contract.lines() {
        if let Some(name) = line.strip_prefix("  /").and_then(|line| line.strip_suffix(':')) {
            path = format!("/{name}");
        } else if let Some(method) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(':'))
            && ["get", "post", "put", "patch", "delete"].contains(&method)
            && path.starts_with("/v1")
        {
            let method = method.to_uppercase().parse().expect("a method");
            all.push((method, path.replace("{id}", NOBODY).replace("{value}", NOBODY).replace("{n}", "1")));
        }
    }
    all
}

/// Whether it is open to anyone: whoever signs in or out has no operator yet.
fn is_open(method: &Method, path: &str) -> bool {
    path == "/v1/session" && method != Method::GET
}

fn ids(list: &Value) -> Vec<String> {
    let hires = list["hires"].as_array().expect("hires");
    hires.iter().map(|hire| hire["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn nothing_under_v1_is_reached_without_a_token() {
    let house = House::new().await;
    let mut operations = operations(&house).await;
    assert!(operations.len() >= 10, "the contract was read: {operations:?}");
    operations.extend([(Method::GET, "/v1".into()), (Method::DELETE, "/v1/nothing/here".into())]);
    for (method, path) in operations.into_iter().filter(|(method, path)| !is_open(method, path)) {
        // Wrong tokens are counted by the minute.
        house.clock.advance(SignedDuration::from_mins(1));
        for bad in [None, Some("Bearer"), Some("Bearer hb_wrong"), Some("Basic aGI6aGI="), Some(VIEWER)] {
            let request = house.bare(method.clone(), &path);
            let request = bad.into_iter().fold(request, |request, bad| request.header("Authorization", bad));
            let refused = house.send(request).await;
            is_problem(&refused, 401, "unauthenticated");
            assert_eq!(refused.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn a_viewer_looks_a_sender_sends_and_an_admin_checks() {
    let house = House::new().await;
    let mut body = hire();
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    let id = house.deliver(&body).await.hire();
    let one = format!("/v1/hires/{id}");
    let (get, post) = (Method::GET, Method::POST);
    let typed = json!({"candidate": {"email": "mia@example.org"}, "source": "ashby", "ats_id": "a-9"});
    // Who may: 0 viewer, 1 sender, 2 admin.
    let cases = [
        (&get, "/v1/hires".to_owned(), None, 0),
        (&get, one.clone(), None, 0),
        (&get, "/v1/sources".to_owned(), None, 0),
        (&get, "/v1/codes".to_owned(), None, 0),
        (&post, "/v1/hires/preview".to_owned(), Some(json!({"candidate": {}})), 0),
        (&post, "/v1/hires/search".to_owned(), Some(json!({"name": "mia"})), 0),
        (&post, format!("{one}/preview"), Some(json!({})), 0),
        (&get, format!("{one}/personio"), None, 0),
        (&get, "/v1/catalog".to_owned(), None, 0),
        (&get, "/v1/status".to_owned(), None, 0),
        (&post, "/v1/hires".to_owned(), Some(typed), 1),
        (&post, "/v1/hires/fetch".to_owned(), Some(json!({"source": "ashby", "reference": "x"})), 1),
        (&post, format!("{one}/replay"), None, 2),
        (&get, format!("{one}/accesses"), None, 2),
        (&Method::DELETE, format!("/v1/hires/{NOBODY}/person"), None, 2),
        (&post, "/v1/people/export".to_owned(), Some(json!({"hire": NOBODY})), 2),
        (&post, "/v1/people/erase".to_owned(), Some(json!({"hire": NOBODY})), 2),
        (&post, format!("{one}/send"), Some(json!({"plan_hash": "x"})), 1),
        (&post, format!("{one}/documents/1/send"), None, 1),
        (&post, format!("{one}/dismiss"), Some(json!({})), 1),
        (&post, format!("{one}/link"), Some(json!({"employee_id": 1})), 1),
        (&get, "/v1/values".to_owned(), None, 0),
        (&post, format!("/v1/values/{NOBODY}/confirm"), None, 2),
        (&Method::DELETE, format!("/v1/values/{NOBODY}"), None, 2),
        (&get, "/v1/session".to_owned(), None, 0),
        (&get, "/v1/operators".to_owned(), None, 2),
        (&post, "/v1/operators".to_owned(), Some(json!({"name": "kim", "role": "viewer"})), 2),
        (&post, "/v1/operators/revoke".to_owned(), Some(json!({"name": "kim"})), 2),
        (&get, "/v1/check".to_owned(), None, 2),
        (&post, "/v1/backup".to_owned(), None, 2),
        (&post, "/v1/config/reload".to_owned(), None, 2),
    ];
    let known = operations(&house).await.into_iter().filter(|(method, path)| !is_open(method, path));
    let known: BTreeSet<_> = known.map(|(m, p)| format!("{m} {p}")).collect();
    let tried = cases.iter().map(|(method, path, ..)| format!("{method} {}", path.replace(&id, NOBODY)));
    assert_eq!(tried.collect::<BTreeSet<_>>(), known, "every operation of the contract is tried");
    for (method, path, body, needed) in cases {
        for (role, token) in [VIEWER, SENDER, ADMIN].into_iter().enumerate() {
            let reply = house.ask(method.clone(), &path, token, body.as_ref()).await;
            if role < needed {
                is_problem(&reply, 403, "forbidden");
            } else {
                assert!(![401, 403].contains(&reply.status.as_u16()), "{path}: {}", reply.text);
            }
        }
    }
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn what_is_refused_is_a_problem_with_a_stable_code() {
    let house = House::with(Setup { server: "body_limit = \"2KiB\"".into(), ..Setup::default() }).await;
    let one = format!("/v1/hires/{NOBODY}");
    let (get, post) = (Method::GET, Method::POST);
    let cases = [
        (&get, "/nothing".to_owned(), None, 404, "not_found"),
        (&get, "/v1/nothing".to_owned(), None, 404, "not_found"),
        (&get, one.clone(), None, 404, "hire_not_found"),
        (&get, "/v1/hires/7".to_owned(), None, 400, "invalid_id"),
        (&get, "/v1/hires?state=lost&name=mia".to_owned(), None, 400, "invalid_query"),
        (&get, "/v1/hires?token=x".to_owned(), None, 400, "token_in_url"),
        (&Method::PUT, one.clone(), None, 405, "method_not_allowed"),
        (&post, format!("{one}/send"), Some("{".to_owned()), 400, "invalid_json"),
        (&post, format!("{one}/send"), Some("{}".to_owned()), 422, "invalid"),
        (&post, format!("{one}/send"), Some(r#"{"plan_hash": "x"}"#.to_owned()), 404, "hire_not_found"),
        (&post, format!("{one}/link"), Some(r#"{"employee_id": "x"}"#.to_owned()), 422, "invalid"),
        (&post, format!("{one}/link"), Some(" ".repeat(3000)), 413, "too_large"),
        (&post, "/v1/hires/preview".to_owned(), Some(r#"{"payload": {}}"#.to_owned()), 422, "invalid"),
        (&post, "/v1/hires/preview".to_owned(), Some(preview("{")), 422, "unreadable_payload"),
        (&post, "/v1/hires/preview".to_owned(), Some(preview(r#"{"action":"ping"}"#)), 422, "no_hire"),
    ];
    for (method, path, body, status, code) in cases {
        let request = house.bare(method.clone(), &path).bearer_auth(SENDER);
        let json = |body| {
            request.try_clone().expect("no stream").header("Content-Type", "application/json").body(body)
        };
        let reply = house.send(body.map_or_else(|| request.try_clone().expect("no stream"), json)).await;
        is_problem(&reply, status, code);
    }
    let text = house.bare(post, "/v1/hires/preview").bearer_auth(SENDER).body("{}");
    is_problem(&house.send(text).await, 415, "unsupported_media_type");
}

fn preview(payload: &str) -> String {
    json!({"source": "ashby", "payload": payload}).to_string()
}

#[tokio::test]
async fn hires_are_listed_by_filter_and_page_by_page() {
    let other = format!(
        "[sources.berlin]\nkind = \"ashby\"\naccount = \"berlin\"\nsecrets = [\"{SECRET}-berlin\"]\n"
    );
    let setup = Setup { ashby: "account = \"acme\"".into(), sections: other, ..Setup::default() };
    let house = House::with(setup).await;
    let mut created = Vec::new();
    for n in 0..5 {
        let body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("m{n}@example.org"));
        created.insert(0, house.deliver(&body).await.hire());
        house.pass(SignedDuration::from_mins(1)).await;
    }
    let berlin = candidate_hire("a-0", "Ben Muster", "").to_string();
    let signature = ashby::signature(&format!("{SECRET}-berlin"), berlin.as_bytes());
    let request = house.bare(Method::POST, "/webhooks/berlin").header("Ashby-Signature", signature);
    let held = house.send(request.body(berlin)).await.hire();
    let all: Vec<_> = [vec![held.clone()], created.clone()].concat();

    // Received at 8:00, 8:01 … 8:05.
    let cases = [
        ("", all.clone()),
        ("?state=created", created.clone()),
        ("?state=held&source=berlin", vec![held.clone()]),
        ("?state=held&source=ashby", vec![]),
        ("?source=ashby", created.clone()),
        ("?ats_id=a-0", vec![held, created[4].clone()]),
        ("?ats_id=a-0&source=ashby", vec![created[4].clone()]),
        ("?since=2026-12-01T08:03:00Z", all[..3].to_vec()),
        ("?since=2026-12-01T09:03:00%2B01:00&state=created", created[..2].to_vec()),
        ("?state=erased", vec![]),
    ];
    for (query, expected) in cases {
        let list = house.get(&format!("/v1/hires{query}")).await.json();
        assert_eq!((ids(&list), &list["next_cursor"]), (expected, &Value::Null), "{query}");
    }

    for (filter, expected) in [("", &all), ("&state=created", &created)] {
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let list = house.get(&format!("/v1/hires?limit=2{filter}{cursor}")).await.json();
            seen.extend(ids(&list));
            pages += 1;
            // What comes meanwhile does not move the pages.
            house.deliver(&candidate_hire(&format!("n-{pages}{}", filter.len()), "Neu Hier", "")).await;
            match list["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let without_new: Vec<_> = seen.into_iter().filter(|id| all.contains(id)).collect();
        assert_eq!((&without_new, pages), (expected, 3));
    }
}

#[tokio::test]
async fn a_history_says_who_did_what_and_nothing_personal() {
    let house = House::new().await;
    let mut body = hire();
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    let id = house.deliver(&body).await.hire();
    let path = |action: &str| format!("/v1/hires/{id}/{action}");
    house.post(&path("dismiss"), &json!({})).await;
    let corrections = json!({"hire_date": "2027-03-01", "first_name": "Maria"});
    let plan = house.post(&path("preview"), &json!({"corrections": corrections})).await.json();
    let send = json!({"plan_hash": plan["plan"]["hash"], "corrections": corrections});
    assert_eq!(house.post(&path("send"), &send).await.state(), "created");
    let mut history = house.hire(&id).await["history"].clone();
    for entry in history.as_array_mut().expect("a history") {
        // What was corrected is of the record, and encrypted with it.
        entry.as_object_mut().expect("an entry").remove("fields");
    }
    let line =
        |e: &Value| ["actor", "to", "cause"].map(|key| e[key].as_str().unwrap_or("-").to_owned()).join(" ");
    let lines: Vec<_> = history.as_array().expect("a history").iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "source:ashby received stored",
            "system held(invalid) planned",
            "operator:mia held(invalid) dismissed",
            "operator:mia ready approved",
            "system ready looked_up:absent",
            "system sending permitted",
            "system created called:created",
            "system created compared",
        ]
    );
    for personal in ["Mia", "Maria", "Beispiel", "example.org", "2027-03-01", "soon", "Engineer"] {
        assert!(!history.to_string().contains(personal), "{personal}");
    }
}
