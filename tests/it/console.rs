//! The page's files: what they are sent with, and that they are all there is.

use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};

use crate::support::{House, is_problem};

#[tokio::test]
async fn the_page_comes_with_a_policy_that_allows_its_own_files_and_nothing_else() {
    let house = House::new().await;
    let page = house.send(house.bare(Method::GET, "/console/")).await;
    assert_eq!(page.status, 200);
    let header = |name: &str| page.headers[name].to_str().expect("text").to_owned();
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("cache-control"), "no-cache");
    assert!(page.headers.contains_key("permissions-policy") && page.headers.contains_key("etag"));
    assert!(!page.text.contains("style=") && !page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn the_page_is_found_without_its_slash_and_nothing_is_found_beside_it() {
    let house = House::new().await;
    let stay = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let answer = stay.get(house.url("/console")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.headers()["location"], "/console/");
    for path in [
        "/console/nothing.js",
        "/console/vendor/",
        "/console/vendor/README.md",
        "/console/../Cargo.toml",
        "/console/%2e%2e/mod.rs",
    ] {
        let answer = house.send(house.bare(Method::GET, path)).await;
        is_problem(&answer, 404, "not_found");
    }
    let script = house.send(house.bare(Method::GET, "/console/app.js")).await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    let tag = script.headers["etag"].clone();
    let again = house.send(house.bare(Method::GET, "/console/app.js").header("If-None-Match", tag)).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    let post = house.send(house.bare(Method::POST, "/console/")).await;
    is_problem(&post, 405, "method_not_allowed");
}
