//! Whether a request was made by the page itself: a browser sends cookies, and a proxy its headers, whoever's page has
//! made it do so.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};
use url::Url;

use super::code::Code;
use super::problem::Problem;

/// A page of somebody else cannot send this header without being asked first, and nobody is told yes.
const CONSOLE: HeaderName = HeaderName::from_static("x-hirebridge-console");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether this method may change something.
pub(super) fn changes(method: &Method) -> bool {
    method != Method::GET && method != Method::HEAD
}

/// Refuses what may change something and was not made by the page. For whoever is signed in by what a browser or a
/// proxy adds by itself.
pub(super) fn by_the_page(method: &Method, headers: &HeaderMap, public: Option<&Url>) -> Result<(), Problem> {
    if changes(method) && headers.get(CONSOLE).is_none_or(|value| value != "1") {
        return Err(Problem::of(Code::CrossSite).detail("console_header"));
    }
    from_here(method, headers, public)
}

/// Refuses what may change something and, as the browser says, was made by somebody else's page.
pub(super) fn from_here(method: &Method, headers: &HeaderMap, public: Option<&Url>) -> Result<(), Problem> {
    let site = headers.get_all(SEC_FETCH_SITE).iter().all(|site| site == "same-origin");
    let origin = headers.get_all(ORIGIN).iter().all(|origin| {
        origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()).is_some_and(|origin| {
            public.is_some_and(|public| public.origin() == origin.origin()) || is_host(&origin, headers)
        })
    });
    if changes(method) && !(site && origin) { Err(Problem::of(Code::CrossSite)) } else { Ok(()) }
}

/// Whether the origin is the address that was asked; the scheme is the proxy's, which we do not see.
fn is_host(origin: &Url, headers: &HeaderMap) -> bool {
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = asked.and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    asked.is_some_and(|asked| asked.origin() == origin.origin() && origin.origin().is_tuple())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn refused(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let all = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let public = Url::parse("https://hires.example.com/").ok();
        by_the_page(method, &all.collect(), public.as_ref()).is_err()
    }

    #[test]
    fn only_the_page_itself_changes_something() {
        const PAGE: (&str, &str) = ("x-hirebridge-console", "1");
        let post = Method::POST;
        assert!(!refused(&post, &[PAGE]), "a program that has the cookie");
        for (header, value, expected) in [
            ("origin", "https://hires.example.com", false),
            ("origin", "https://hires.example.com:443", false),
            ("origin", "http://localhost:8080", false),
            ("origin", "https://evil.example", true),
            ("origin", "https://hires.example.com.evil.example", true),
            ("origin", "http://hires.example.com", true),
            ("origin", "null", true),
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "none", true),
        ] {
            let host = ("host", "localhost:8080");
            assert_eq!(refused(&post, &[PAGE, host, (header, value)]), expected, "{header}: {value}");
            assert!(!refused(&Method::GET, &[host, (header, value)]), "reading is no harm");
        }
        assert!(refused(&post, &[]) && refused(&Method::DELETE, &[("x-hirebridge-console", "0")]));
    }
}
