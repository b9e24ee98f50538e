//! A person, as those commands are told of one that erase or export.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::remote::{Remote, refusal};
use crate::outbound::Answer;

/// How long an answer may take: every record is opened in a search by e-mail address.
const PATIENCE: Duration = Duration::from_mins(10);

/// Who is meant.
#[derive(clap::Args)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("whom").required(true).args(["hire", "ats_id", "email", "employee"])))]
pub(super) struct Person {
    /// The id of one hire
    #[arg(long, value_name = "ID")]
    hire: Option<String>,
    /// The application's id at the ATS
    #[arg(long, value_name = "ID", requires = "source")]
    ats_id: Option<String>,
    /// The source that --ats-id is about
    #[arg(long, value_name = "NAME", requires = "ats_id")]
    source: Option<String>,
    /// An e-mail address of the person: all hires in which it is found
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The employee's id in Personio
    #[arg(long, value_name = "ID")]
    employee: Option<u64>,
}

impl Person {
    /// What the API is told.
    pub(super) fn selector(&self) -> Map<String, Value> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let all = [
            ("hire", text(&self.hire)),
            ("ats_id", text(&self.ats_id)),
            ("source", text(&self.source)),
            ("email", text(&self.email)),
            ("employee", self.employee.map(|id| json!(id))),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Asks the service about a person.
pub(super) async fn ask(remote: &Remote, path: &str, about: Map<String, Value>) -> anyhow::Result<Answer> {
    let body = serde_json::to_vec(&Value::Object(about))?;
    let request = remote.request(Method::POST, path)?.with_json(body.into());
    let asked = request.url.clone();
    let answer = remote.client()?.send(request, PATIENCE).await;
    let answer = answer.map_err(|failure| anyhow::anyhow!(failure.code()));
    let answer = answer.with_context(|| format!("{asked} was not answered"))?;
    if answer.status == 200 { Ok(answer) } else { Err(refusal(&answer)) }
}
