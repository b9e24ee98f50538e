//! Where a company logs in to Personio, and what follows from it.

use std::str::FromStr;

/// A company's domain at Personio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// The company's own part.
    hostname: String,
    /// The whole.
    host: String,
}

/// Personio's own domains.
const DOMAINS: [&str; 2] = ["personio.com", "personio.de"];

impl FromStr for Login {
    type Err = &'static str;

    /// From what stands in the browser's address, or from the company's part alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_lowercase();
        let host = text.trim_start_matches("https://").split('/').next().unwrap_or_default();
        let (hostname, domain) = host.split_once('.').unwrap_or((host, "app.personio.com"));
        let of_personio = |known: &str| domain.strip_prefix("app.").unwrap_or(domain) == known;
        if !is_hostname(hostname) || !DOMAINS.into_iter().any(of_personio) {
            return Err("must be where you log in to Personio, such as acme.app.personio.com");
        }
        Ok(Self { hostname: hostname.to_owned(), host: format!("{hostname}.{domain}") })
    }
}

/// 3 to 40 letters, digits and dashes, none of these at an end:
/// <https://support.personio.de/hc/en-us/articles/7172393854109>.
fn is_hostname(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (3..=40).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('-') && !name.ends_with('-')
}

impl Login {
    /// Where to log in.
    pub(super) fn page(&self) -> String {
        format!("https://{}", self.host)
    }

    /// The page of an employee.
    pub(super) fn profile_url(&self) -> String {
        format!("https://{}/staff/details/{{id}}", self.host)
    }

    /// Where the job feed is, on either of Personio's domains.
    pub(super) fn feeds(&self) -> [String; 2] {
        ["de", "com"].map(|top| format!("https://{}.jobs.personio.{top}/xml", self.hostname))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_follows_from_where_one_logs_in() {
        for (text, host) in [
            ("acme.app.personio.com", "acme.app.personio.com"),
            ("https://Acme.app.personio.com/login?x=1", "acme.app.personio.com"),
            ("acme.personio.de", "acme.personio.de"),
            (" acme ", "acme.app.personio.com"),
        ] {
            let login: Login = text.parse().expect("a domain");
            assert_eq!(login.profile_url(), format!("https://{host}/staff/details/{{id}}"), "{text}");
            assert_eq!(login.feeds()[1], "https://acme.jobs.personio.com/xml");
        }
        for wrong in
            ["", "ab", "-acme", "acme.example.com", "acme.personio.com.example.org", "a_b.personio.de"]
        {
            assert!(wrong.parse::<Login>().is_err(), "{wrong}");
        }
    }
}
