//! Links to files that an ATS gives: a link is all that is needed to read its file.

use reqwest::header::HeaderMap;
use url::{Host, Url};

use super::{ApiError, Opened};

/// Opens a link that lies at Amazon's S3, as far as can be seen; else it is held to be at `usual`, the host in the
/// vendor's example, and goes elsewhere only if the operator allows it.
///
/// # Errors
/// [`ApiError::Unreadable`] if it is no URL.
pub(super) fn at_storage(link: &str, usual: &str) -> Result<Opened, ApiError> {
    let url = Url::parse(link).map_err(|_| ApiError::Unreadable)?;
    let hosts = vec![amazon_s3(&url).unwrap_or(usual).to_owned()];
    // The link is all that is needed; a key is for the ATS alone.
    Ok(Opened { url, headers: HeaderMap::new(), hosts })
}

/// The link's host, if it is one of Amazon's S3, in any region: <https://docs.aws.amazon.com/general/latest/gr/s3.html>.
fn amazon_s3(url: &Url) -> Option<&str> {
    let Some(Host::Domain(host)) = url.host() else { return None };
    let labels: Vec<&str> = host.strip_suffix(".amazonaws.com")?.rsplit('.').collect();
    matches!(labels[..], ["s3", ..] | [_, "s3", ..] | [_, "dualstack", "s3", ..]).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_at_amazons_s3_and_at_no_other_amazon() {
        for (url, known) in [
            ("https://s3.amazonaws.com/bucket/file?X-Amz-Signature=a", true),
            ("https://bucket.s3.amazonaws.com/file", true),
            ("https://s3.eu-central-1.amazonaws.com/bucket/file", true),
            ("https://my.bucket.s3.us-west-2.amazonaws.com/file", true),
            ("https://bucket.s3.dualstack.us-west-2.amazonaws.com/file", true),
            ("https://ec2-3-4-5-6.compute-1.amazonaws.com/file", false),
            ("https://s3.amazonaws.com.example.org/file", false),
            ("https://evils3.amazonaws.com/file", false),
            ("https://amazonaws.com/file", false),
            ("https://files.example.org/s3.amazonaws.com", false),
            ("https://169.254.169.254/file", false),
        ] {
            let opened = at_storage(url, "usual.example").expect("a URL");
            let host = if known { opened.url.host_str().unwrap_or_default() } else { "usual.example" };
            assert_eq!((opened.hosts, opened.headers.len()), (vec![host.to_owned()], 0), "{url}");
        }
    }
}
