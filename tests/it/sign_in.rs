//! Who is let in, and how: tokens of the ledger, sessions of browsers, a proxy's word, and nobody who only tries.

use std::fs;

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::process::{run, text};
use crate::support::town::Town;
use crate::support::{ADMIN, House, Reply, SENDER, Setup, VIEWER, is_problem};

async fn add(house: &House, name: &str, role: &str) -> (String, String) {
    let body = json!({"name": name, "role": role, "label": "laptop"});
    let added = house.ask(Method::POST, "/v1/operators", ADMIN, Some(&body)).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let part =
        |pointer: &str| added.json().pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    (part("/token"), part("/operator/id"))
}

async fn revoke(house: &House, which: Value) -> Reply {
    house.ask(Method::POST, "/v1/operators/revoke", ADMIN, Some(&which)).await
}

async fn who(house: &House, token: &str) -> Reply {
    house.ask(Method::GET, "/v1/session", token, None).await
}

/// Signs a browser in; its cookie.
async fn sign_in(house: &House, token: &str) -> String {
    let request = house.bare(Method::POST, "/v1/session").json(&json!({"token": token}));
    let reply = house.send(request).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let cookie = reply.headers["set-cookie"].to_str().expect("text").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(token) && reply.headers["cache-control"] == "no-store");
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn with(
    house: &House,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Reply {
    let request = house.bare(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    house.send(body.into_iter().fold(request, reqwest::RequestBuilder::json)).await
}

#[tokio::test]
async fn a_token_of_the_ledger_lets_in_until_it_is_revoked_and_is_never_shown_again() {
    let house = House::new().await;
    let (first, id) = add(&house, "kim", "viewer").await;
    let (second, _) = add(&house, "kim", "sender").await;
    assert_eq!(who(&house, &first).await.json()["role"], "viewer");
    assert_eq!(
        who(&house, &second).await.json(),
        json!({"name": "kim", "role": "sender", "via": "token", "expires_at": null})
    );

    let list = house.ask(Method::GET, "/v1/operators", ADMIN, None).await;
    assert!(!list.text.contains(&first) && !list.text.contains("sha256"), "{}", list.text);
    let names: Vec<_> = list.json()["operators"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["name"].as_str().unwrap_or("-"),
                one["role"].as_str().unwrap_or("-"),
                one["place"].as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            "vera viewer configuration",
            "mia sender configuration",
            "ada admin configuration",
            "kim viewer ledger",
            "kim sender ledger"
        ]
    );

    assert_eq!(revoke(&house, json!({"id": id})).await.status, 200);
    is_problem(&who(&house, &first).await, 401, "unauthenticated");
    assert_eq!(who(&house, &second).await.status, 200, "the other one goes on");
    assert_eq!(
        revoke(&house, json!({"name": "kim"})).await.json()["revoked"].as_array().map(Vec::len),
        Some(1)
    );
    is_problem(&who(&house, &second).await, 401, "unauthenticated");
    is_problem(&revoke(&house, json!({"name": "kim"})).await, 404, "operator_not_found");

    // Whoever is fixed in the configuration is neither added nor revoked here.
    let fixed = json!({"name": "MIA", "role": "admin"});
    is_problem(&house.ask(Method::POST, "/v1/operators", ADMIN, Some(&fixed)).await, 409, "name_taken");
    is_problem(&revoke(&house, json!({"name": "mia"})).await, 409, "name_taken");
    let wrong = json!({"name": "k m", "role": "boss"});
    let refused = house.ask(Method::POST, "/v1/operators", ADMIN, Some(&wrong)).await;
    is_problem(&refused, 422, "invalid");
    assert_eq!(refused.json()["errors"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_browser_is_signed_in_for_twelve_hours_and_only_its_own_page_changes_something() {
    let house = House::new().await;
    let cookie = sign_in(&house, SENDER).await;
    let session = [("Cookie", cookie.as_str())];
    let seen = with(&house, Method::GET, "/v1/session", &session, None).await;
    assert_eq!((&seen.json()["name"], &seen.json()["via"]), (&json!("mia"), &json!("session")));
    assert_eq!(with(&house, Method::GET, "/v1/hires", &session, None).await.status, 200);

    let typed = json!({"candidate": {"email": "m@example.org"}, "source": "ashby", "ats_id": "a-1"});
    let enter =
        async |headers: &[(&str, &str)]| with(&house, Method::POST, "/v1/hires", headers, Some(&typed)).await;
    let (page, here) = (("X-Hirebridge-Console", "1"), ("Sec-Fetch-Site", "same-origin"));
    is_problem(&enter(&session).await, 403, "cross_site");
    is_problem(&enter(&[session[0], page, ("Sec-Fetch-Site", "cross-site")]).await, 403, "cross_site");
    is_problem(&enter(&[session[0], page, ("Origin", "https://evil.example")]).await, 403, "cross_site");
    assert_eq!(enter(&[session[0], page, here]).await.status, 201);
    let check = with(&house, Method::GET, "/v1/check", &session, None).await;
    is_problem(&check, 403, "forbidden");
    // Of two cookies, one may be somebody else's.
    let two = format!("{cookie}; {cookie}");
    is_problem(
        &with(&house, Method::GET, "/v1/hires", &[("Cookie", &two)], None).await,
        401,
        "unauthenticated",
    );

    // Signed out, it is nobody's, wherever it was copied to.
    let out = with(&house, Method::DELETE, "/v1/session", &[session[0], page], None).await;
    assert_eq!(out.status, 204);
    assert!(out.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    is_problem(&with(&house, Method::GET, "/v1/session", &session, None).await, 401, "unauthenticated");

    let cookie = sign_in(&house, VIEWER).await;
    house.clock.advance(SignedDuration::from_hours(12));
    let late = with(&house, Method::GET, "/v1/session", &[("Cookie", &cookie)], None).await;
    is_problem(&late, 401, "unauthenticated");
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let mut house = House::new().await;
    let (token, _) = add(&house, "kim", "viewer").await;
    let (of_ledger, of_file) = (sign_in(&house, &token).await, sign_in(&house, SENDER).await);
    let is_in = async |house: &House, cookie: &str| {
        with(house, Method::GET, "/v1/session", &[("Cookie", cookie)], None).await.status == 200
    };
    assert!(is_in(&house, &of_ledger).await && is_in(&house, &of_file).await);
    revoke(&house, json!({"name": "kim"})).await;
    assert!(!is_in(&house, &of_ledger).await && is_in(&house, &of_file).await);
    // A restart ends no session.
    house.close().await;
    house.open().await;
    assert!(is_in(&house, &of_file).await);
}

#[tokio::test]
async fn ten_wrong_tokens_a_minute_shut_an_address_and_nobody_else() {
    let house =
        House::with(Setup { server: "trusted_proxies = [\"127.0.0.0/8\"]".into(), ..Setup::default() }).await;
    let from = async |address: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        with(
            &house,
            Method::GET,
            "/v1/session",
            &[("Authorization", &bearer), ("X-Forwarded-For", address)],
            None,
        )
        .await
    };
    for _ in 0..10 {
        is_problem(&from("192.0.2.1", "hb_wrong").await, 401, "unauthenticated");
    }
    let shut = from("192.0.2.1", SENDER).await;
    is_problem(&shut, 429, "too_many_tries");
    assert_eq!(shut.headers["retry-after"], "60");
    assert_eq!(from("192.0.2.2", SENDER).await.status, 200);
    // What the client writes itself stands to the left of what the proxy adds.
    is_problem(&from("192.0.2.9, 192.0.2.1", SENDER).await, 429, "too_many_tries");
    let body = json!({"token": SENDER});
    let sign_in =
        with(&house, Method::POST, "/v1/session", &[("X-Forwarded-For", "192.0.2.1")], Some(&body)).await;
    is_problem(&sign_in, 429, "too_many_tries");
    house.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(from("192.0.2.1", SENDER).await.status, 200);
}

#[tokio::test]
async fn forwarded_addresses_of_anybody_are_not_believed() {
    let house = House::new().await;
    for n in 0..10 {
        let address = format!("192.0.2.{n}");
        let headers = [("Authorization", "Bearer hb_wrong"), ("X-Forwarded-For", address.as_str())];
        with(&house, Method::GET, "/v1/session", &headers, None).await;
    }
    is_problem(&who(&house, SENDER).await, 429, "too_many_tries");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_asks_and_nobody_else_does() {
    let sign_in = "[server.proxy_sign_in]\nuser_header = \"X-User\"\ngroups_header = \"X-Groups\"\n\
        [server.proxy_sign_in.roles]\nhr = \"sender\"\nstaff = \"viewer\"\n";
    let server = |trusted: &str| format!("trusted_proxies = [\"{trusted}\"]\n{sign_in}");
    let house = House::with(Setup { server: server("127.0.0.1"), ..Setup::default() }).await;
    let ask = async |house: &House, headers: &[(&str, &str)]| {
        with(house, Method::GET, "/v1/session", headers, None).await
    };
    let said = ask(&house, &[("X-User", "lea@acme.example"), ("X-Groups", "staff, hr")]).await;
    assert_eq!(
        said.json(),
        json!({"name": "lea@acme.example", "role": "sender", "via": "proxy", "expires_at": null})
    );
    is_problem(&ask(&house, &[("X-User", "lea"), ("X-Groups", "guests")]).await, 403, "forbidden");
    is_problem(&ask(&house, &[("X-User", "Mia"), ("X-Groups", "hr")]).await, 403, "forbidden");
    is_problem(
        &ask(&house, &[("X-User", "lea"), ("X-User", "ada"), ("X-Groups", "hr")]).await,
        400,
        "bad_request",
    );
    is_problem(&ask(&house, &[("X-Groups", "hr")]).await, 401, "unauthenticated");
    let typed = json!({"candidate": {"email": "m@example.org"}, "source": "ashby", "ats_id": "a-1"});
    let headers = [("X-User", "lea"), ("X-Groups", "hr")];
    let refused = with(&house, Method::POST, "/v1/hires", &headers, Some(&typed)).await;
    is_problem(&refused, 403, "cross_site");

    let stranger = House::with(Setup { server: server("10.0.0.0/8"), ..Setup::default() }).await;
    is_problem(&ask(&stranger, &[("X-User", "lea"), ("X-Groups", "hr")]).await, 401, "unauthenticated");
}

#[tokio::test]
async fn a_secret_in_a_url_is_refused_whatever_it_is_called() {
    let house = House::new().await;
    let (token, _) = add(&house, "kim", "viewer").await;
    for path in [
        "/v1/hires?key=x".to_owned(),
        "/v1/hires?api_key=x".into(),
        "/v1/hires?Authorization=x".into(),
        format!("/v1/hires?q={token}"),
        format!("/v1/hires/{token}"),
    ] {
        let reply = house.ask(Method::GET, &path, ADMIN, None).await;
        is_problem(&reply, 400, "token_in_url");
    }
}

#[tokio::test]
async fn the_command_adds_lists_and_revokes_and_a_name_in_both_places_refuses_the_start() {
    let town = Town::new().await;
    let served = town.serve().await;
    fs::write(town.folder.path().join("admin.token"), ADMIN).expect("written");
    let operators = |more: &[&str]| {
        let common = ["--url", served.url.as_str(), "--token-file", "admin.token"];
        let output = run(town.folder.path(), &[&["operators"], more, &common].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, _) = operators(&["add", "kim", "--role", "sender", "--label", "laptop"]);
    assert_eq!(code, Some(0));
    let token = said.split_whitespace().find(|word| word.starts_with("hb_")).expect("the token").to_owned();
    let (_, listed, _) = operators(&["list"]);
    assert!(listed.contains("kim") && listed.contains("laptop") && !listed.contains(&token), "{listed}");
    let (code, _, said) = operators(&["add", "mia", "--role", "admin"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("configuration"), "{said}");
    assert_eq!(operators(&["add", "kim", "--role", "boss"]).0, Some(2));
    assert_eq!(Town::terminate(served).await, Some(0));

    let config = fs::read_to_string(&town.config).expect("read");
    let with_kim = format!(
        "{config}\n[[operators]]\nname = \"kim\"\nrole = \"viewer\"\ntoken_sha256 = \"{}\"\n",
        "a".repeat(64)
    );
    fs::write(town.folder.path().join("both.toml"), with_kim).expect("written");
    let refused = run(town.folder.path(), &["serve", "--config", "both.toml"]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("operators[3].name") && said.contains("hirebridge operators revoke kim"), "{said}");
}
