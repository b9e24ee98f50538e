//! Deliveries, as far as they are answered at the door.

use super::*;

#[tokio::test]
async fn who_is_refused_does_not_learn_why() {
    let house = House::new().await;
    let signature = |value| ("ashby-signature", value);
    let wrong = format!("sha256={}", "0".repeat(64));
    let mut texts = Vec::new();
    for (path, headers) in [
        ("/webhooks/ashby", vec![]),
        ("/webhooks/ashby", vec![signature(wrong.as_str())]),
        ("/webhooks/ashby", vec![signature("sha1=0")]),
        ("/webhooks/ashby/", vec![]),
        ("/webhooks/nobody", vec![signature(wrong.as_str())]),
        ("/webhooks/%00%ff", vec![]),
        ("/webhooks/a%2f..%2fv1", vec![]),
    ] {
        let answer = house.post(path, &headers, r#"{"action": "candidateHire"}"#).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::UNAUTHORIZED, "signature"),
            "{path}"
        );
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "all answers are the same");

    let seen = house.viewer(Method::GET, "/v1/sources", &[], "").await.json();
    let source = &seen["sources"][0];
    assert_eq!(source["url"], "https://hires.example.com/webhooks/ashby");
    assert_eq!(source["refusals"], 4);
    assert_eq!(source["last_refusal"]["reason"], "header_missing");
    let metrics = house.get("/metrics").await.text;
    assert!(
        metrics.contains(r#"hirebridge_deliveries_total{source="unknown",result="refused"} 3"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_delivery_that_is_too_large_or_encoded_is_refused_before_it_is_read() {
    let house = House::new().await;
    let long = " ".repeat(201);
    assert_eq!(house.post("/webhooks/ashby", &[], &long).await.problem(), "too_large");
    let announced = house.post("/webhooks/ashby", &[("content-length", "201")], "{}").await;
    assert_eq!((announced.status, announced.header("connection")), (StatusCode::PAYLOAD_TOO_LARGE, "close"));
    let encoded = house.post("/webhooks/ashby", &[("content-encoding", "gzip")], "{}").await;
    assert_eq!(
        (encoded.status, encoded.problem().as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding")
    );
    let seen = house.viewer(Method::GET, "/v1/sources", &[], "").await.json();
    assert_eq!(seen["sources"][0]["last_refusal"]["reason"], "content_encoding");
}

#[tokio::test]
async fn a_handshake_is_answered_and_becomes_nothing() {
    let house = House::new().await;
    let ping = r#"{"action":"ping","data":{"webhookActionType":"ping"}}"#;
    let answer = house.post("/webhooks/ashby", &[], ping).await;
    assert_eq!(answer.text, r#"{"hire":null,"state":"ignored","reason":"ping"}"#);
    let seen = house.viewer(Method::GET, "/v1/sources", &[], "").await.json();
    assert_eq!(seen["sources"][0]["ignored"], json!({"ping": 1}));
}

#[tokio::test]
async fn who_opens_a_webhook_in_a_browser_is_told_what_it_is_for() {
    let house = House::new().await;
    for path in ["/webhooks/ashby", "/webhooks/ashby/", "/webhooks/nobody"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains("must POST"), "{detail}");
    }
}
