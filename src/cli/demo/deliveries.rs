//! The deliveries that the demo posts, and what each must become.

use serde_json::{Value, json};

/// One delivery of the demo.
pub(super) struct Delivery {
    /// What it shows, for the table.
    pub(super) what: &'static str,
    /// The body, as Ashby would send it.
    pub(super) body: Value,
    /// Whether it is signed with the right secret.
    pub(super) signed: bool,
    /// What it must end as.
    pub(super) expected: Expected,
}

/// What a delivery must end as.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    /// The HTTP status of the answer.
    pub(super) status: u16,
    /// The state of its hire, or `ignored`; none if it was refused.
    pub(super) state: Option<&'static str>,
    /// What the hire names as missing.
    pub(super) missing: &'static [&'static str],
    /// The fields it warns about.
    pub(super) warnings: &'static [&'static str],
    /// The kinds of documents that follow.
    pub(super) documents: &'static [&'static str],
}

impl Expected {
    const CREATED: Self =
        Self { status: 200, state: Some("created"), missing: &[], warnings: &[], documents: &[] };

    const WITH_RESUME: Self = Self { documents: &["resume"], ..Self::CREATED };
}

/// Everything the demo posts, in this order.
pub(super) fn all() -> Vec<Delivery> {
    let jane = || hire("a-1001", "Jane Doe", "jane.doe@example.org", "Engineering", Some("2027-01-01"));
    let signed = |what, body, expected| Delivery { what, body, signed: true, expected };
    vec![
        signed("a hire with offer and résumé", jane(), Expected::WITH_RESUME),
        signed("the same delivery again", jane(), Expected::WITH_RESUME),
        signed(
            "a hire without an offer",
            hire("a-1002", "Jörg van der Müller", "joerg@example.org", "Sales", None),
            Expected { missing: &["hire_date"], ..Expected::CREATED },
        ),
        signed(
            "a department that Personio does not know",
            hire("a-1003", "Amélie Dubois", "amelie@example.org", "Enginering", Some("2027-02-01")),
            Expected { warnings: &["department"], ..Expected::CREATED },
        ),
        signed(
            "a ping",
            json!({"action": "ping", "data": {"webhookActionType": "ping"}}),
            Expected { state: Some("ignored"), ..Expected::CREATED },
        ),
        Delivery {
            what: "a wrong signature",
            body: hire("a-1004", "Mallory Fake", "mallory@example.org", "Sales", Some("2027-01-01")),
            signed: false,
            expected: Expected { status: 401, state: None, ..Expected::CREATED },
        },
    ]
}

/// Whether the demo's Ashby has a résumé of this candidate: of the first, for one shows it all.
pub(super) fn has_resume(candidate: &Value) -> bool {
    candidate["id"] == "candidate-of-a-1001"
}

/// Ashby's `candidateHire`. Shape: <https://developers.ashbyhq.com/docs/candidatehire>.
pub(super) fn hire(id: &str, name: &str, email: &str, department: &str, start: Option<&str>) -> Value {
    let field = |title: &str, value: &str| json!({"id": format!("field-{title}"), "isPrivate": false, "title": title, "value": value});
    let mut data = json!({"application": {
        "id": id,
        "createdAt": "2026-10-02T09:14:11.402Z",
        "updatedAt": "2026-11-18T15:03:27.881Z",
        "status": "Hired",
        "customFields": [field("Department", department), field("Office", "Berlin")],
        "candidate": {
            "id": format!("candidate-of-{id}"),
            "name": name,
            "primaryEmailAddress": {"value": email, "type": "Personal", "isPrimary": true}
        },
        "currentInterviewStage": {"id": "stage-hired", "title": "Hired", "type": "Hired",
            "orderInInterviewPlan": 1007, "interviewPlanId": "plan-1"},
        "job": {"id": "job-1", "title": "Backend Engineer"},
        "hiringTeam": []
    }});
    if let Some(start) = start {
        data["offer"] = json!({
            "id": format!("offer-of-{id}"),
            "applicationId": id,
            "acceptanceStatus": "Accepted",
            "offerStatus": "CandidateAccepted",
            "latestVersion": {
                "id": format!("offer-version-of-{id}"),
                "startDate": format!("{start}T00:00:00.000Z"),
                "createdAt": "2026-11-10T10:00:00.000Z",
                "customFields": []
            }
        });
    }
    json!({"webhookActionId": format!("delivery-of-{id}"), "action": "candidateHire", "data": data})
}
