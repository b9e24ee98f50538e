//! A mailbox that is told, by SMTP.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::civil::Time;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::Failed;
use super::letter::Letter;
use crate::outbound::guard::Guard;
use crate::outbound::is_private;

/// Its name.
pub(super) const CHANNEL: &str = "email";

/// How long one try may take, and each command of it.
const WITHIN: Duration = Duration::from_secs(30);
const COMMAND: Duration = Duration::from_secs(10);

/// `[notices.email]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    smtp: Url,
    password: Option<SecretString>,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "eight")]
    digest: String,
}

/// How often somebody is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Of each hire at once.
    #[default]
    Each,
    /// Once a day, of all that wait for a person.
    Digest,
}

fn eight() -> String {
    "08:00".into()
}

/// None of it: addresses are personal.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

impl Settings {
    fn time(&self) -> Option<Time> {
        Time::strptime("%H:%M", &self.digest).ok()
    }

    fn host(&self) -> String {
        self.smtp.host_str().unwrap_or_default().to_owned()
    }

    fn is_wrapped(&self) -> bool {
        self.smtp.scheme() == "smtps"
    }

    fn port(&self) -> u16 {
        self.smtp.port().unwrap_or(if self.is_wrapped() { 465 } else { 587 })
    }

    /// The host and port as an address of the web, by which the guard and others judge it.
    fn place(&self, scheme: &str) -> Option<Url> {
        Url::parse(&format!("{scheme}://{}:{}/", self.host(), self.port())).ok()
    }

    /// Whether it is this machine: nothing leaves it, so that no TLS is needed.
    fn is_here(&self) -> bool {
        self.place("http").is_some_and(|place| is_private(&place))
    }

    pub(super) fn objections(&self, guard: &Guard) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        let mut object = |key, problem: &str| all.push((key, problem.to_owned()));
        let place = self.place("https").filter(|_| matches!(self.smtp.scheme(), "smtp" | "smtps"));
        match place.filter(|_| !self.host().is_empty()) {
            None => object("notices.email.smtp", "must be such as `smtps://user@mail.example.com:465`"),
            Some(place) => {
                if let Err(why) = guard.check(&place) {
                    object("notices.email.smtp", why.remedy());
                }
            }
        }
        if self.smtp.password().is_some() {
            object("notices.email.smtp", "must hold no password: it goes into `password`");
        }
        if self.password.is_some() == self.smtp.username().is_empty() {
            object("notices.email.password", "belongs to a user in `smtp`, and a user there needs it");
        }
        if self.from.parse::<Mailbox>().is_err() {
            object("notices.email.from", "must be an address, such as `hirebridge <hires@example.com>`");
        }
        if self.to.is_empty() || self.to.iter().any(|to| to.parse::<Mailbox>().is_err()) {
            object("notices.email.to", "must be one address or more");
        }
        if self.time().is_none() {
            object("notices.email.digest", "must be a time of the day, such as \"08:00\"");
        }
        all
    }
}

/// Writes to a mailbox.
pub(super) struct Email {
    settings: Settings,
    guard: Guard,
}

impl Email {
    pub(super) fn new(settings: &Settings, guard: &Guard) -> Self {
        Self { settings: settings.clone(), guard: guard.clone() }
    }

    pub(super) fn has_digest(&self) -> bool {
        self.settings.mode == Mode::Digest
    }

    /// When the digest is sent, if there is one.
    pub(super) fn digest_at(&self) -> Option<Time> {
        self.settings.time().filter(|_| self.has_digest())
    }

    /// Sends it once; `id` stays the same however often it is tried.
    pub(super) async fn send(&self, id: Uuid, letter: Letter) -> Result<(), Failed> {
        let trying = tokio::time::timeout(WITHIN, self.deliver(id, letter));
        trying.await.unwrap_or_else(|_| Err("timeout".into()))
    }

    async fn deliver(&self, id: Uuid, letter: Letter) -> Result<(), Failed> {
        let message = self.written(id, letter).ok_or("not_sendable")?;
        let (host, port) = (self.settings.host(), self.settings.port());
        let found = self.guard.address(&host, port).await.map_err(|_| "forbidden")?;
        let transport = self.transport(found.ok_or("dns")?)?;
        transport.send(message).await.map(drop).map_err(|error| match error.status() {
            Some(code) => format!("smtp_{code}"),
            None if error.is_timeout() => "timeout".into(),
            None => "unreachable".into(),
        })
    }

    /// The connection goes to the address that was looked at; its certificate must be the name's.
    fn transport(&self, address: SocketAddr) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failed> {
        let settings = &self.settings;
        let tls = || TlsParameters::new_rustls(settings.host()).map_err(|_| "tls");
        let tls = match () {
            () if settings.is_wrapped() => Tls::Wrapper(tls()?),
            () if settings.is_here() => Tls::None,
            () => Tls::Required(tls()?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(address.port())
            .timeout(Some(COMMAND))
            .tls(tls);
        let user = percent_encoding::percent_decode_str(settings.smtp.username()).decode_utf8_lossy();
        Ok(match &settings.password {
            Some(password) => {
                let password = password.expose_secret().to_owned();
                builder.credentials(Credentials::new(user.into_owned(), password)).build()
            }
            None => builder.build(),
        })
    }

    fn written(&self, id: Uuid, letter: Letter) -> Option<lettre::Message> {
        let from: Mailbox = self.settings.from.parse().ok()?;
        let to: Option<Mailboxes> = self.settings.to.iter().map(|to| to.parse::<Mailbox>().ok()).collect();
        let named = format!("<{}@{}>", id.simple(), from.email.domain());
        MessageBuilder::new()
            .from(from)
            .mailbox(lettre::message::header::To::from(to?))
            .message_id(Some(named))
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .ok()
    }
}
