//! A running service, as those commands reach it that are its clients.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::ConfigFile;
use super::healthcheck::address;
use crate::clock::Clock;
use crate::outbound::{Answer, Client, Guard, Request, Reuse, is_private};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Which service, and who asks.
#[derive(clap::Args)]
pub(super) struct Remote {
    /// The running service [default: on this machine, at the configured port]
    #[arg(long, env = "HIREBRIDGE_URL")]
    url: Option<Url>,
    /// A file with an operator's token in it; `hirebridge token new` makes one
    #[arg(long, value_name = "FILE", env = "HIREBRIDGE_TOKEN_FILE")]
    token_file: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

impl Remote {
    /// What makes single attempts, at this service.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(Reuse::Never, CONNECT, &Guard::open_to(&self.base()?), Clock::system())?)
    }

    fn base(&self) -> anyhow::Result<Url> {
        match &self.url {
            Some(url) => Ok(url.clone()),
            None => Ok(format!("http://{}", address(&self.config)?).parse()?),
        }
    }

    /// A request to the API, with the operator's token.
    pub(super) fn request(&self, method: Method, path: &str) -> anyhow::Result<Request> {
        let base = self.base()?;
        anyhow::ensure!(
            is_private(&base),
            "the token is sent over https, or in plain http to this machine alone: change --url"
        );
        let url = format!("{}{path}", base.as_str().trim_end_matches('/')).parse()?;
        let mut request = Request::new(method, url);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token()?.expose_secret()))
            .with_context(|| format!("{} holds no token", self.token_file.display()))?;
        bearer.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, bearer);
        Ok(request)
    }

    /// The token alone, or the header that `curl -H @FILE` sends.
    fn token(&self) -> anyhow::Result<SecretString> {
        let text = std::fs::read_to_string(&self.token_file);
        let text = text.with_context(|| format!("{} cannot be read", self.token_file.display()))?;
        let token = text.trim().trim_start_matches("Authorization:").trim().trim_start_matches("Bearer ");
        anyhow::ensure!(!token.trim().is_empty(), "{} is empty", self.token_file.display());
        Ok(token.trim().into())
    }
}

/// What the service says when it does not do what it was asked.
pub(super) fn refusal(answer: &Answer) -> anyhow::Error {
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let words = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    match (words("title"), words("detail")) {
        (title, _) if title.is_empty() => {
            anyhow::anyhow!("the service answered with status {}", answer.status)
        }
        (title, detail) if detail.is_empty() => anyhow::anyhow!("{title} (status {})", answer.status),
        (title, detail) => anyhow::anyhow!("{title}: {detail} (status {})", answer.status),
    }
}
