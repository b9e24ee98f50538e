//! What is said in the client's language.

use super::*;
use crate::words::{self, Kind, Language};

const GERMAN: (&str, &str) = ("accept-language", "de-DE,de;q=0.9,en;q=0.8");

#[tokio::test]
async fn a_problem_is_said_in_the_language_that_was_asked_for() {
    let house = House::new().await;
    let english = house.viewer(Method::GET, "/v1/nothing", &[], "").await;
    let german = house.viewer(Method::GET, "/v1/nothing", &[GERMAN], "").await;
    assert_eq!((english.problem(), german.problem()), ("not_found".into(), "not_found".into()));
    assert_eq!(english.json()["title"], "There is nothing at this address");
    assert_eq!(german.json()["title"], "Unter dieser Adresse gibt es nichts");
    assert_eq!((english.header("content-language"), german.header("content-language")), ("en", "de"));
    for answer in [&english, &german] {
        assert_eq!(answer.header("vary"), "accept-language");
        let length = answer.header("content-length");
        assert!(length.is_empty() || length == answer.text.len().to_string(), "{length} {}", answer.text);
    }
    let french = house.viewer(Method::GET, "/v1/nothing", &[("accept-language", "fr")], "").await;
    assert_eq!(french.text, english.text);
}

#[tokio::test]
async fn what_a_problem_says_besides_its_code_and_its_headers_are_kept_in_german() {
    let house = House::new().await;
    let answer = house.get("/v1/hires").await;
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let answer =
        house.ask(Method::GET, "/v1/hires", &[GERMAN, ("authorization", "Bearer hb_wrong")], "").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert_eq!(answer.json()["detail"], "Dieses Token ist nicht bekannt.");
    let answer = house.viewer(Method::GET, "/v1/check", &[GERMAN], "").await;
    assert_eq!(answer.problem(), "forbidden");
    assert_eq!(answer.json()["detail"], "Die Rolle des Tokens ist `viewer`; hierfür wird `admin` gebraucht.");
    let answer = house.viewer(Method::GET, "/v1/hires?limit=x", &[GERMAN], "").await;
    assert_eq!(answer.json()["errors"][0]["field"], "limit");
}

#[tokio::test]
async fn a_hire_says_where_it_stands_and_what_to_do() {
    let house = House::new().await;
    let json = ("content-type", "application/json");
    let body = r#"{"candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia@example.org"}}"#;
    let key = ("idempotency-key", "k-1");
    let entered = house.operator(SENDER, Method::POST, "/v1/hires", &[json, key, GERMAN], body).await;
    assert_eq!((entered.status, entered.header("content-language")), (StatusCode::CREATED, "de"));
    let expected = words::of(Kind::State, "held(review)", Language::German).expect("it is explained");
    assert_eq!(entered.json()["says"], expected.says.as_str());
    let list = house.viewer(Method::GET, "/v1/hires", &[], "").await;
    let expected = words::of(Kind::State, "held(review)", Language::English).expect("it is explained");
    let hire = &list.json()["hires"][0];
    assert_eq!(hire["says"], expected.says.as_str());
    assert_eq!(hire["remedy"].as_str(), expected.remedy.as_deref());
    assert_eq!((list.header("content-language"), list.header("vary")), ("en", "accept-language"));
}

#[tokio::test]
async fn all_codes_are_listed_with_their_words() {
    let house = House::new().await;
    let codes = house.viewer(Method::GET, "/v1/codes", &[GERMAN], "").await;
    assert_eq!(codes.header("content-language"), "de");
    let codes = codes.json();
    assert_eq!(codes["codes"].as_array().map(Vec::len), Some(words::all().len()));
    let dropped = json!("Personio hat diese Angabe nicht übernommen.");
    let mut all = codes["codes"].as_array().into_iter().flatten();
    let found =
        all.find(|code| code["kind"] == "warning" && code["code"] == "dropped").expect("it is listed");
    assert_eq!((&found["says"], &codes["language"]), (&dropped, &json!("de")));
}
