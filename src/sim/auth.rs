//! `POST /v1/auth`: one token for a credential pair, the same for 24 hours.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::answer::Answer;
use super::call::{Body, Call};
use super::manner::Manner;
use super::record::Bearer;

/// The token of the moment, and who may have it.
pub(super) struct Tokens {
    client_id: String,
    client_secret: String,
    current: Option<(String, Instant)>,
}

impl Tokens {
    pub(super) fn new(client_id: String, client_secret: String) -> Self {
        Self { client_id, client_secret, current: None }
    }

    pub(super) fn revoke(&mut self) {
        self.current = None;
    }

    pub(super) fn change_secret(&mut self, secret: &str) {
        secret.clone_into(&mut self.client_secret);
        self.revoke();
    }

    pub(super) fn judge(&self, token: Option<&str>, manner: &Manner) -> Bearer {
        match token {
            None => Bearer::Missing,
            Some(token) if self.good(manner) == Some(token) => Bearer::Accepted,
            Some(_) => Bearer::Rejected,
        }
    }

    pub(super) fn current(&self) -> Option<String> {
        self.current.as_ref().map(|(token, _)| token.clone())
    }

    /// Answers a request for a token.
    pub(super) fn issue(&mut self, call: &Call, manner: &Manner) -> Answer {
        if !call.query.is_empty() {
            let what = "credentials belong into the body of /v1/auth, never into the query";
            return Answer::refusal(403, 403, "Forbidden").with_violations(vec![what.into()]);
        }
        match credentials(&call.body) {
            Err(violations) => Answer::violation(violations),
            Ok((id, secret)) if id == self.client_id && secret == self.client_secret => self.grant(manner),
            Ok(_) => Answer::refusal(403, 0, manner.say("Wrong credentials", "Falsche Zugangsdaten")),
        }
    }

    fn grant(&mut self, manner: &Manner) -> Answer {
        let lifetime = lifetime(manner);
        let good = self.current.take().filter(|(_, since)| since.elapsed() < lifetime);
        let (token, since) = self.current.insert(good.unwrap_or_else(fresh));
        let left = lifetime.saturating_sub(since.elapsed()).as_secs();
        let data = json!({"token": token, "expires_in": left, "scope": manner.rights.scope()});
        Answer::data(200, data)
    }

    /// The token that is good now.
    fn good(&self, manner: &Manner) -> Option<&str> {
        let (token, since) = self.current.as_ref()?;
        (since.elapsed() < lifetime(manner)).then_some(token)
    }
}

fn fresh() -> (String, Instant) {
    (format!("papi-{}", Uuid::now_v7().simple()), Instant::now())
}

fn lifetime(manner: &Manner) -> Duration {
    Duration::from_secs(manner.token_lifetime_s)
}

/// Exactly `client_id` and `client_secret`, as JSON or as a form.
fn credentials(body: &Body) -> Result<(String, String), Vec<String>> {
    let fields: Vec<(String, Value)> = match body {
        Body::Json(Value::Object(object)) => object.clone().into_iter().collect(),
        Body::Form(pairs) => pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect(),
        _ => return Err(vec!["the body must be a JSON object or a form".into()]),
    };
    let (mut id, mut secret, mut wrong) = (None, None, Vec::new());
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("client_id", Value::String(text)) => id = Some(text),
            ("client_secret", Value::String(text)) => secret = Some(text),
            ("client_id" | "client_secret", _) => wrong.push(format!("{key} must be a string")),
            _ => wrong.push(format!("unknown field {key}")),
        }
    }
    match (id, secret) {
        (Some(id), Some(secret)) if wrong.is_empty() => Ok((id, secret)),
        (Some(_), Some(_)) => Err(wrong),
        _ => {
            wrong.push("client_id and client_secret are required".into());
            Err(wrong)
        }
    }
}
