//! Signatures: the scheme is data, and [`Verified`] is the proof that a body passed it.

use std::fmt;

use aws_lc_rs::hmac;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};

/// How many bytes an HMAC-SHA256 has.
const TAG: usize = 32;

/// How an ATS signs: an HMAC-SHA256 over the raw body, carried by a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The header that carries the signature.
    pub header: HeaderName,
    /// What comes before the signature in the header: `sha256=`.
    pub prefix: &'static str,
    /// How the signature is written.
    pub encoding: Encoding,
}

/// How the bytes of a signature are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal, lower case only.
    LowerHex,
}

/// Why a delivery is refused. Its code is for our log and for `/v1/sources`, never for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no signature header.
    #[error("the signature header is missing")]
    HeaderMissing,
    /// The signature header has no value.
    #[error("the signature header is empty")]
    HeaderEmpty,
    /// The signature header comes more than once: none of them counts.
    #[error("the signature header comes more than once")]
    HeaderRepeated,
    /// The header's value is not what the scheme prescribes.
    #[error("the signature header is not written as the ATS writes it")]
    HeaderMalformed,
    /// The signature was made with none of the live secrets, or over another body.
    #[error("no live secret matches the signature")]
    NoSecretMatches,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header_missing",
            Self::HeaderEmpty => "header_empty",
            Self::HeaderRepeated => "header_repeated",
            Self::HeaderMalformed => "header_malformed",
            Self::NoSecretMatches => "no_secret_matches",
        }
    }
}

/// A source's live secrets, made ready once for every delivery to come.
pub struct Keys(Vec<hmac::Key>);

impl Keys {
    /// The keys of these secrets, in their order; a secret's key is its UTF-8 text.
    pub fn new(secrets: &[SecretString]) -> Self {
        let key =
            |secret: &SecretString| hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Self(secrets.iter().map(key).collect())
    }

    /// The secret that made `tag` over `message`. Every key is tried, so that the time tells nothing of
    /// which one it was; each comparison is constant in time.
    fn matching(&self, message: &[u8], tag: &[u8]) -> Option<usize> {
        self.0.iter().enumerate().fold(None, |found, (index, key)| {
            let matches = hmac::verify(key, message, tag).is_ok();
            found.or(matches.then_some(index))
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// A body whose signature was found right; made by [`verify`] alone.
#[derive(Clone)]
pub struct Verified {
    body: Bytes,
    secret: usize,
    delivery_id: Option<String>,
}

impl Verified {
    /// The same, with the id that the ATS gave the delivery in a header.
    #[must_use]
    pub(super) fn named(self, delivery_id: Option<String>) -> Self {
        Self { delivery_id, ..self }
    }

    /// The delivery's id at the ATS, if a header had it; for the log alone.
    pub fn delivery_id(&self) -> Option<&str> {
        self.delivery_id.as_deref()
    }

    /// The body, byte for byte as it was signed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Which of the source's secrets matched, counted from 0: an operator sees when an old one is no
    /// longer used.
    pub fn secret(&self) -> usize {
        self.secret
    }
}

/// Sizes only: the body is personal.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({} bytes, secret {})", self.body.len(), self.secret)
    }
}

/// Checks the signature of a body against every live secret.
///
/// # Errors
/// [`Refusal`], with the reason.
pub fn verify(scheme: &Scheme, keys: &Keys, headers: &HeaderMap, body: Bytes) -> Result<Verified, Refusal> {
    let tag = scheme.tag(headers)?;
    let secret = keys.matching(&body, &tag).ok_or(Refusal::NoSecretMatches)?;
    Ok(Verified { body, secret, delivery_id: None })
}

impl Scheme {
    fn tag(&self, headers: &HeaderMap) -> Result<[u8; TAG], Refusal> {
        let mut values = headers.get_all(&self.header).iter();
        let value = values.next().ok_or(Refusal::HeaderMissing)?;
        if values.next().is_some() {
            return Err(Refusal::HeaderRepeated);
        }
        let text = value.as_bytes();
        if text.trim_ascii().is_empty() {
            return Err(Refusal::HeaderEmpty);
        }
        let written = text.strip_prefix(self.prefix.as_bytes()).ok_or(Refusal::HeaderMalformed)?;
        self.encoding.decode(written).ok_or(Refusal::HeaderMalformed)
    }
}

impl Encoding {
    fn decode(self, written: &[u8]) -> Option<[u8; TAG]> {
        let mut tag = [0; TAG];
        match self {
            Self::LowerHex => {
                // The decoder also takes upper case, which no vendor documents.
                let lower = !written.iter().any(u8::is_ascii_uppercase);
                (lower && hex::decode_to_slice(written, &mut tag).is_ok()).then_some(tag)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::Value;

    use super::*;

    const BODY: &[u8] = br#"{"action":"candidateHire","data":{"application":{"id":"a"}}}"#;
    const SECRET: &str = "ashby-secret-token";
    const RIGHT: &str = "sha256=a98a8007e7befc7fe8e66feee092056d4bc299e60fadc8801522e9300c95c2fc";
    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ats/ashby/");

    fn scheme() -> Scheme {
        let header = HeaderName::from_static("ashby-signature");
        Scheme { header, prefix: "sha256=", encoding: Encoding::LowerHex }
    }

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|secret| SecretString::from(*secret)).collect::<Vec<_>>())
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let name = HeaderName::from_static("ashby-signature");
        let value = |text: &&str| (name.clone(), HeaderValue::from_str(text).expect("a header value"));
        values.iter().map(value).collect()
    }

    fn refusal(values: &[&str], body: &[u8]) -> Option<&'static str> {
        let body = Bytes::copy_from_slice(body);
        verify(&scheme(), &keys(&[SECRET]), &headers(values), body).err().map(Refusal::code)
    }

    #[test]
    fn the_vectors_verify() {
        let file = std::fs::read(format!("{FIXTURES}vectors.json")).expect("the vectors are there");
        let file: Value = serde_json::from_slice(&file).expect("the vectors are JSON");
        let vectors = file["vectors"].as_array().expect("a list");
        assert_eq!(vectors.len(), 3);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().expect("text");
            let body = match vector["body"].as_str() {
                Some(body) => body.as_bytes().to_vec(),
                None => std::fs::read(format!("{FIXTURES}{}", text("body_file"))).expect("the file is there"),
            };
            let signature = vector["headers"]["ashby-signature"].as_str().expect("text");
            let verified =
                verify(&scheme(), &keys(&[text("secret")]), &headers(&[signature]), body.clone().into());
            assert_eq!(verified.map(|verified| verified.body().clone()), Ok(body.into()), "{}", text("name"));
        }
    }

    #[test]
    fn a_missing_or_empty_header_is_refused() {
        assert_eq!(refusal(&[], BODY), Some("header_missing"));
        assert_eq!(refusal(&[""], BODY), Some("header_empty"));
        assert_eq!(refusal(&[" \t "], BODY), Some("header_empty"));
    }

    #[test]
    fn a_doubled_header_is_refused_in_either_order_even_if_both_are_right() {
        let wrong = RIGHT.replace("a98a", "b98a");
        for values in [[RIGHT, &wrong], [&wrong, RIGHT], [RIGHT, RIGHT], ["", RIGHT], [RIGHT, ""]] {
            assert_eq!(refusal(&values, BODY), Some("header_repeated"));
        }
        assert_eq!(refusal(&[&format!("{RIGHT}, {RIGHT}")], BODY), Some("header_malformed"));
    }

    #[test]
    fn a_signature_that_is_written_otherwise_is_refused() {
        let hex = RIGHT.strip_prefix("sha256=").expect("has the prefix");
        let otherwise = [
            hex.to_owned(),
            "sha256=".to_owned(),
            format!("sha1={hex}"),
            format!("SHA256={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha256= {hex}"),
            format!("sha256={hex} "),
            format!("sha256={hex}00"),
            format!("sha256={}", &hex[..62]),
            format!("sha256={}", &hex[..63]),
            format!("sha256={}g", &hex[..63]),
            format!("sha256={}ü", &hex[..62]),
            format!("sha256=sha256={hex}"),
        ];
        for value in otherwise {
            assert_eq!(refusal(&[&value], BODY), Some("header_malformed"), "{value}");
        }
    }

    #[test]
    fn one_flipped_bit_in_the_body_or_the_signature_is_refused() {
        assert_eq!(refusal(&[RIGHT], BODY), None);
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert_eq!(refusal(&[RIGHT], &body), Some("no_secret_matches"));
        }
        let flipped: Vec<String> = (7..RIGHT.len())
            .map(|at| {
                let other = if &RIGHT[at..=at] == "0" { "1" } else { "0" };
                format!("{}{other}{}", &RIGHT[..at], &RIGHT[at + 1..])
            })
            .collect();
        for value in flipped {
            assert_eq!(refusal(&[&value], BODY), Some("no_secret_matches"), "{value}");
        }
    }

    #[test]
    fn a_body_that_was_parsed_and_written_again_is_refused() {
        let value: Value = serde_json::from_slice(BODY).expect("is JSON");
        let pretty = serde_json::to_vec_pretty(&value).expect("can be written");
        assert_eq!(refusal(&[RIGHT], &pretty), Some("no_secret_matches"));
        assert_eq!(refusal(&[RIGHT], b""), Some("no_secret_matches"));
    }

    #[test]
    fn any_live_secret_will_do_and_it_is_known_which() {
        let found = |secrets: &[&str]| {
            let body = Bytes::from_static(BODY);
            verify(&scheme(), &keys(secrets), &headers(&[RIGHT]), body).map(|verified| verified.secret())
        };
        assert_eq!(found(&[SECRET, "the-next-secret-token"]), Ok(0));
        assert_eq!(found(&["the-next-secret-token", SECRET]), Ok(1));
        assert_eq!(found(&["another-source's-secret"]), Err(Refusal::NoSecretMatches));
        assert_eq!(found(&[]), Err(Refusal::NoSecretMatches), "without a secret nothing is let in");
    }

    #[test]
    fn neither_body_nor_secret_is_printed() {
        let verified = verify(&scheme(), &keys(&[SECRET]), &headers(&[RIGHT]), Bytes::from_static(BODY));
        assert_eq!(format!("{:?}", verified.expect("is right")), "Verified(60 bytes, secret 0)");
        assert_eq!(format!("{:?}", keys(&[SECRET])), "Keys(1)");
    }
}
