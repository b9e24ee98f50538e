//! The text of a first configuration.

use url::Url;

use super::login::Login;
use crate::ats::{self, Trait};

/// What is known when it is written.
pub(super) struct First<'a> {
    pub(super) login: Option<&'a Login>,
    pub(super) public_url: Option<&'a Url>,
    /// Each ATS, and whether there is a key to its API, if it has one that is asked.
    pub(super) sources: Vec<(&'a str, Option<bool>)>,
}

impl First<'_> {
    /// The file, with a sentence to each key.
    pub(super) fn text(&self) -> String {
        let set = |key: &str, value: Option<String>, example: &str| match value {
            Some(value) => format!("{key} = {value:?}"),
            None => format!("# {key} = {example:?}"),
        };
        let public_url = self.public_url.map(|url| url.as_str().trim_end_matches('/').to_owned());
        let profile_url = self.login.map(Login::profile_url);
        let sources: String = self.sources.iter().map(|(kind, has_key)| source(kind, *has_key)).collect();
        format!(
            "\
# hirebridge. `hirebridge config explain KEY` says what a key means, `hirebridge config default` shows all of them.

[server]
# Plain HTTP; a proxy with TLS stands in front.
listen = \"127.0.0.1:8080\"
# Where the ATS reaches this service.
{}

[ledger]
# A file on a local disk, in the folder that hirebridge is started in; or postgres://… for several replicas.
url = \"sqlite:hirebridge.db\"
# Keep a copy of it elsewhere: nothing personal in the ledger can be read without it.
key = {{ file = \"ledger_key\" }}

[personio]
client_id = {{ file = \"personio_client_id\" }}
client_secret = {{ file = \"personio_client_secret\" }}
# The page of an employee, for links.
{}
{sources}
# Personio attribute = where it comes from; `hirebridge config explain mapping.fields.NAME` says how.
# [mapping.fields]
# department = {{ from = \"job.department\", values = {{ \"Eng\" = \"Engineering\" }} }}
",
            set("public_url", public_url, "https://hires.example.com"),
            set("profile_url", profile_url, "https://acme.app.personio.com/staff/details/{id}"),
        )
    }
}

fn source(kind: &str, has_key: Option<bool>) -> String {
    let needs_account = ats::has(kind, Trait::ApiOfAccount);
    let unless_there = if has_key == Some(true) && !needs_account { "" } else { "# " };
    let account = if needs_account {
        "# The company's id or subdomain there; the key below needs it, and it is part of what makes a hire one hire.\n# account = \"acme\"\n"
    } else {
        ""
    };
    let secret = if ats::has(kind, Trait::SecretComesLater) {
        format!(
            "\
# The ATS makes the secret when it has tested this service: put it into a file then, and change the comments.
awaiting_secret = true
# secrets = [{{ file = \"{kind}_secret\" }}]
"
        )
    } else {
        format!("# The same text goes into the ATS.\nsecrets = [{{ file = \"{kind}_secret\" }}]\n")
    };
    let key = has_key.map(|_| {
        format!(
            "\
{account}# The key to the ATS's API, which completes what the webhook lacks.
{unless_there}api_key = {{ file = \"{kind}_api_key\" }}
"
        )
    });
    format!(
        "
# Its address is POST /webhooks/{kind}; `hirebridge serve` prints what to register there.
[sources.{kind}]
kind = \"{kind}\"
{secret}{}",
        key.unwrap_or_default()
    )
}
