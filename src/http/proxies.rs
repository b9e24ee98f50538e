//! The proxies before the service: whose word is taken for where a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use ipnet::IpNet;

use super::Settings;
use super::proxy_sign_in::SignIn;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What `server.trusted_proxies` and `[server.proxy_sign_in]` say.
#[derive(Debug, Default)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    pub(super) sign_in: Option<SignIn>,
}

impl Proxies {
    /// The proxies of the settings.
    ///
    /// # Errors
    /// Every mistake: key and problem.
    pub fn build(settings: &Settings) -> Result<Self, Vec<(&'static str, String)>> {
        let mut mistakes = Vec::new();
        let mut trusted = Vec::new();
        for text in &settings.trusted_proxies {
            match net(text) {
                Some(net) => trusted.push(net),
                None => mistakes.push((
                    "server.trusted_proxies",
                    "must be addresses or networks, such as `10.0.0.5` or `10.0.0.0/8`".to_owned(),
                )),
            }
        }
        let sign_in = settings.proxy_sign_in.as_ref().and_then(|sign_in| {
            if settings.trusted_proxies.is_empty() {
                let problem = "needs server.trusted_proxies: the headers of anybody else are not believed";
                mistakes.push(("server.proxy_sign_in", problem.to_owned()));
            }
            SignIn::build(sign_in).map_err(|wrong| mistakes.extend(wrong)).ok()
        });
        if mistakes.is_empty() { Ok(Self { trusted, sign_in }) } else { Err(mistakes) }
    }

    /// Whether this is one of the proxies.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// Where a request comes from: the peer, or what a trusted one says, hop by hop back to the first address that
    /// is not trusted. What stands to the left of that anybody may have written.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return peer;
        }
        let back = |hops: Vec<Option<IpAddr>>| {
            let mut client = peer;
            for hop in hops.into_iter().rev() {
                let Some(hop) = hop else { break };
                client = hop;
                if !self.trust(hop) {
                    break;
                }
            }
            client
        };
        let usual = back(hops(headers, &X_FORWARDED_FOR, address));
        let standard = back(hops(headers, &FORWARDED, forwarded_for));
        match (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(FORWARDED)) {
            (true, false) => usual,
            (false, true) => standard,
            // The proxy writes one of them: the other may be anybody's.
            (true, true) if usual == standard => usual,
            _ => peer,
        }
    }
}

fn net(text: &str) -> Option<IpNet> {
    let net = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    net.map(|net: IpNet| net.trunc())
}

/// The hops that a header names, in its order; what cannot be read is nobody.
fn hops(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Vec<Option<IpAddr>> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            // Quotation marks are not heeded: an open one would hide what the proxy adds.
            Ok(text) => all.extend(text.split(',').map(&read)),
            Err(_) => all.push(None),
        }
    }
    all
}

/// `for=192.0.2.1;proto=https`. <https://www.rfc-editor.org/rfc/rfc7239#section-4>
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    address(named.next()?.1)
}

/// An address, with or without brackets, quotation marks and a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// Who is at the other end of the connection.
pub(super) fn peer(parts: &Parts) -> IpAddr {
    let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connected.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(trusted: &[&str]) -> Proxies {
        let trusted = trusted.iter().map(|text| net(text).expect("a network")).collect();
        Proxies { trusted, sign_in: None }
    }

    fn client(trusted: &[&str], peer: &str, said: &[(&'static str, &'static str)]) -> String {
        let headers =
            said.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        proxies(trusted).client(peer.parse().expect("an address"), &all).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_comes_from() {
        let said = [("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client(&[], "10.0.0.1", &said), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &said), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &said), "203.0.113.9");
        assert_eq!(client(&["10.0.0.1"], "::ffff:10.0.0.1", &said), "203.0.113.9");
    }

    #[test]
    fn the_right_most_address_that_is_not_trusted_is_the_client() {
        for (header, said, expected) in [
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9:4711", "203.0.113.9"),
            ("x-forwarded-for", "1.1.1.1, unknown, 10.0.0.7", "10.0.0.7"),
            ("x-forwarded-for", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
            ("x-forwarded-for", "", "10.0.0.1"),
            ("x-forwarded-for", "2001:db8::1", "2001:db8::1"),
            ("forwarded", "for=1.1.1.1, for=203.0.113.9;proto=https", "203.0.113.9"),
            ("forwarded", "by=x;For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("forwarded", "for=\"1.1.1.1, for=203.0.113.9", "203.0.113.9"),
            ("forwarded", "for=_hidden", "10.0.0.1"),
        ] {
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[(header, said)]), expected, "{said}");
        }
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &lines), "203.0.113.9");
    }

    #[test]
    fn two_headers_that_say_different_things_are_not_believed() {
        let said = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.1.1.1")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &said), "10.0.0.1");
    }

    #[test]
    fn networks_are_read_with_and_without_their_length() {
        assert!(proxies(&["2001:db8::/32"]).trust("2001:db8:1::1".parse().expect("an address")));
        assert!(proxies(&["10.0.0.5/8"]).trust("10.9.9.9".parse().expect("an address")));
        assert!(!proxies(&["10.0.0.5"]).trust("10.0.0.6".parse().expect("an address")));
        for wrong in ["10.0.0.0/33", "proxy.internal", "10.0.0", "*"] {
            assert_eq!(net(wrong), None, "{wrong}");
        }
    }
}
