//! The guard: which places outgoing calls may reach. Links and names come from elsewhere; none of them may lead
//! into the network that this service stands in, unless the configuration names the place.
//!
//! It looks three times: at the URL as it was parsed, at the addresses that a name resolves to (what is connected to
//! is what was looked at, so that a name cannot change its address in between), and at the peer that answered.

mod address;
mod place;
mod resolve;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use serde::Deserialize;
use url::Host;

use reqwest::dns::Resolve;

use place::Place;
use resolve::{Names, Resolver};

pub use address::is_public;

/// `[outbound]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Hosts, each with or without a port, that are reached although they are in a private network: a list, or one
    /// text with commas between them.
    #[serde(default, deserialize_with = "hosts")]
    pub allow: Vec<String>,
    /// The HTTP proxy that every call goes through, but those to `allow`.
    #[serde(default)]
    pub proxy: Option<Url>,
}

/// A variable of the environment can hold no list.
fn hosts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Hosts {
        All(Vec<String>),
        Text(String),
    }
    Ok(match Hosts::deserialize(deserializer)? {
        Hosts::All(hosts) => hosts,
        Hosts::Text(text) => text.split(',').map(|host| host.trim().to_owned()).collect(),
    })
}

impl Settings {
    /// The guard that obeys these settings.
    ///
    /// # Errors
    /// [`SettingError`] for the first that cannot be obeyed.
    pub fn guard(&self) -> Result<Guard, SettingError> {
        let mut rules = Rules { proxy: self.proxy.clone(), ..Rules::default() };
        for (index, text) in self.allow.iter().enumerate() {
            let wrong = || SettingError {
                key: format!("outbound.allow[{index}]"),
                problem: "must be a host with or without a port, such as \"10.0.0.7\" or \"files.internal:8443\"",
            };
            rules.allowed.push(Place::read(text).ok_or_else(wrong)?);
        }
        if self.proxy.as_ref().is_some_and(|proxy| !is_proxy(proxy)) {
            let problem = "must be such as \"http://proxy.internal:3128\", without a credential";
            return Err(SettingError { key: "outbound.proxy".into(), problem });
        }
        Ok(Guard { rules: Arc::new(rules), names: Names::system() })
    }
}

fn is_proxy(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    bare && url.has_host() && matches!(url.scheme(), "http" | "https") && url.path() == "/"
}

/// A setting that cannot be obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct SettingError {
    /// The key.
    pub key: String,
    /// What would be right.
    pub problem: &'static str,
}

/// Why a place may not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Neither https, nor plain HTTP to this machine where that is allowed.
    #[error("it is not https")]
    Scheme,
    /// A name or password stands in the URL.
    #[error("it holds a credential")]
    Credential,
    /// It is in this machine's network or reserved, and not in `outbound.allow`.
    #[error("it is a private address")]
    Address,
    /// It is not one of the hosts that this call may go to.
    #[error("it is another host")]
    Host,
}

impl Forbidden {
    /// What to say of a URL in the configuration.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Scheme => {
                "must begin with https://, unless it is on this machine and its host is in `outbound.allow`"
            }
            Self::Credential => "must hold no credential",
            Self::Address | Self::Host => {
                "is in a private network: if that is meant, add its host to `outbound.allow`"
            }
        }
    }
}

/// Says where calls may go. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    rules: Arc<Rules>,
    names: Names,
}

#[derive(Debug, Default)]
struct Rules {
    allowed: Vec<Place>,
    proxy: Option<Url>,
    /// Whether plain HTTP may be spoken to all that is allowed, not to this machine alone.
    plain: bool,
}

impl Default for Guard {
    /// Public places only.
    fn default() -> Self {
        Self { rules: Arc::default(), names: Names::system() }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({:?})", self.rules)
    }
}

impl Guard {
    /// The place that this URL names, wherever it is, and public ones: for a URL that a person at the keyboard typed.
    /// Plain HTTP is spoken there as well; whoever sends a secret asks [`is_private`](super::is_private) first.
    pub fn open_to(url: &Url) -> Self {
        let rules = Rules { allowed: Place::of(url).into_iter().collect(), proxy: None, plain: true };
        Self { rules: Arc::new(rules), names: Names::system() }
    }

    /// The same, with names resolved by something else.
    #[cfg(test)]
    pub(crate) fn resolving_by(self, names: Arc<dyn reqwest::dns::Resolve>) -> Self {
        Self { names: Names(names), ..self }
    }

    /// Looks at a URL before anything is sent there.
    ///
    /// # Errors
    /// [`Forbidden`]
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Credential);
        }
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(Forbidden::Scheme),
        };
        let host = url.host().ok_or(Forbidden::Address)?;
        if plain && !is_here(&host) && !(self.rules.plain && self.lists(url)) {
            return Err(Forbidden::Scheme);
        }
        let reached = match &host {
            // What any other name resolves to is looked at when it is resolved.
            Host::Domain(name) => (!is_here(&host) && !self.rules.names(name)) || self.lists(url),
            Host::Ipv4(ip) => is_public((*ip).into()) || self.lists(url),
            Host::Ipv6(ip) => is_public((*ip).into()) || self.lists(url),
        };
        if reached { Ok(()) } else { Err(Forbidden::Address) }
    }

    /// Whether the configuration names this host, at this port.
    pub fn lists(&self, url: &Url) -> bool {
        self.rules.allowed.iter().any(|place| place.is_at(url))
    }

    /// The address to connect to for what is no HTTP: the host is looked at as any other, and its name is resolved to
    /// addresses alone that are admitted. It goes through no proxy.
    ///
    /// # Errors
    /// [`Forbidden`]; `None` if the name has no address.
    pub async fn address(&self, host: &str, port: u16) -> Result<Option<SocketAddr>, Forbidden> {
        let url = Url::parse(&format!("https://{host}:{port}/")).map_err(|_| Forbidden::Address)?;
        self.check(&url)?;
        let name = match url.host().ok_or(Forbidden::Address)? {
            Host::Domain(name) => name.parse::<reqwest::dns::Name>().map_err(|_| Forbidden::Address)?,
            Host::Ipv4(ip) => return Ok(Some((ip, port).into())),
            Host::Ipv6(ip) => return Ok(Some((ip, port).into())),
        };
        match Resolver::new(self.clone()).resolve(name).await {
            Ok(mut found) => Ok(found.next().map(|found| (found.ip(), port).into())),
            Err(error) if error.is::<Forbidden>() => Err(Forbidden::Address),
            Err(_) => Ok(None),
        }
    }

    /// Looks at who answered.
    pub(super) fn admits_peer(&self, url: &Url, peer: Option<SocketAddr>) -> bool {
        let through_proxy = self.rules.proxy.is_some() && !self.lists(url);
        let peer = peer.map(|peer| peer.ip().to_canonical());
        through_proxy
            || match (url.host(), peer) {
                (Some(Host::Domain(name)), Some(ip)) => self.rules.admits(name, ip),
                (Some(Host::Ipv4(literal)), Some(ip)) => ip == IpAddr::from(literal),
                (Some(Host::Ipv6(literal)), Some(ip)) => ip == IpAddr::from(literal).to_canonical(),
                (_, None) | (None, _) => false,
            }
    }

    /// The same client, guarded: it resolves names as the guard says, and goes by no proxy but the configured one.
    pub(super) fn on(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        // A proxy in the environment would resolve the names, out of the guard's sight.
        let builder = builder.no_proxy().dns_resolver(Resolver::new(self.clone()));
        let Some(proxy) = self.rules.proxy.clone() else { return builder };
        let guard = self.clone();
        builder.proxy(reqwest::Proxy::custom(move |url| (!guard.lists(url)).then(|| proxy.clone())))
    }
}

impl Rules {
    /// Whether a place of this name is in the configuration, at whatever port.
    fn names(&self, name: &str) -> bool {
        self.allowed.iter().any(|place| place.is_named(name))
    }

    /// Whether this name may have this address.
    fn admits(&self, name: &str, ip: IpAddr) -> bool {
        let proxy = self.proxy.as_ref().and_then(Url::host_str).is_some_and(|proxy| proxy == name);
        is_public(ip) || proxy || self.names(name)
    }
}

/// Whether it is this machine.
pub(super) fn is_here(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => matches!(*name, "localhost" | "localhost."),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}
