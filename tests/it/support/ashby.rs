//! Deliveries as Ashby sends them.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

/// The value of `Ashby-Signature` for this body.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

/// A fixture of the reference payloads.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/ashby/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("a fixture is JSON")
}

/// `candidateHire` of Mia, complete.
pub(crate) fn hire() -> Value {
    candidate_hire("a-1", "Mia Beispiel", "mia@example.org")
}

/// `candidateHire` of this number: a person and an application of its own.
pub(crate) fn nth(n: usize) -> Value {
    candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"))
}

/// `candidateHire` with an accepted offer.
pub(crate) fn candidate_hire(application: &str, name: &str, email: &str) -> Value {
    let mut body = without_offer("candidateHire", application, name, email);
    body["data"]["offer"] = json!({
        "id": format!("offer-{application}"),
        "applicationId": application,
        "acceptanceStatus": "Accepted",
        "latestVersion": {"id": "v1", "startDate": "2027-01-01T00:00:00.000Z", "createdAt": "2026-11-10T10:00:00.000Z"}
    });
    body
}

/// An event that carries the application alone.
pub(crate) fn without_offer(action: &str, application: &str, name: &str, email: &str) -> Value {
    json!({"webhookActionId": format!("{action}-{application}"), "action": action, "data": {"application": {
        "id": application,
        "createdAt": "2026-10-02T09:14:11.402Z",
        "updatedAt": "2026-11-18T15:03:27.881Z",
        "status": "Hired",
        "customFields": [],
        "candidate": {"id": format!("c-{application}"), "name": name,
            "primaryEmailAddress": {"value": email, "type": "Personal", "isPrimary": true}},
        "currentInterviewStage": {"id": "s", "title": "Hired", "type": "Hired", "orderInInterviewPlan": 1, "interviewPlanId": "p"},
        "job": {"id": "j", "title": "Engineer"},
        "hiringTeam": []
    }}})
}

/// The same with a custom field of the application.
pub(crate) fn with_field(mut body: Value, title: &str, value: &str) -> Value {
    let field = json!({"id": title, "isPrivate": false, "title": title, "value": value});
    let fields = body["data"]["application"]["customFields"].as_array_mut().expect("custom fields");
    fields.push(field);
    body
}
