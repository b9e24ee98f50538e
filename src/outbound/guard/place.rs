//! A host of the configuration's, with or without a port.

use std::net::IpAddr;

use url::{Host, Url};

/// A place that is reached although it is private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    host: Host<String>,
    /// None is any.
    port: Option<u16>,
}

impl Place {
    /// Reads `10.0.0.7`, `::1`, `[::1]:8443`, `files.internal:8443`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            let host = match ip {
                IpAddr::V4(ip) => Host::Ipv4(ip),
                IpAddr::V6(ip) => Host::Ipv6(ip),
            };
            return Some(Self { host, port: None });
        }
        let written = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        let url = Url::parse(&format!("https://{text}/")).ok().filter(|_| text.chars().all(written))?;
        // The URL itself forgets the port that https has anyway.
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Some(Self { host: bare(&url)?, port })
    }

    /// The place of a URL, at its port.
    pub(super) fn of(url: &Url) -> Option<Self> {
        Some(Self { host: bare(url)?, port: url.port_or_known_default() })
    }

    pub(super) fn is_at(&self, url: &Url) -> bool {
        bare(url).is_some_and(|host| host == self.host)
            && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        matches!(&self.host, Host::Domain(known) if *known == without_dot(name))
    }
}

/// The host, a name without the dot that may end it.
fn bare(url: &Url) -> Option<Host<String>> {
    Some(match url.host()? {
        Host::Domain(name) => Host::Domain(without_dot(name).to_owned()),
        host => host.to_owned(),
    })
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}
