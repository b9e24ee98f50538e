//! The vectors, as they are and spoilt.

use super::*;

/// One vector.
struct Vector {
    name: String,
    scheme: Scheme,
    secret: String,
    headers: Vec<(String, String)>,
    body: String,
    now: i64,
    valid: bool,
}

impl Vector {
    fn judge(&self, headers: &[(String, String)], body: &[u8]) -> Result<(), &'static str> {
        self.judge_at(headers, body, self.now)
    }

    fn judge_at(&self, headers: &[(String, String)], body: &[u8], now: i64) -> Result<(), &'static str> {
        let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        judged(&self.scheme, &self.secret, &pairs, body, now)
    }

    /// The header that the signature is in, and its value.
    fn signature(&self) -> Option<(String, String)> {
        let name = self.scheme.header()?;
        self.headers.iter().find(|(known, _)| known == name.as_str()).cloned()
    }

    /// The other headers, and these values for the signature's.
    fn with(&self, values: &[&str]) -> Vec<(String, String)> {
        let (name, _) = self.signature().expect("it is in a header");
        let others = self.headers.iter().filter(|(known, _)| *known != name).cloned();
        others.chain(values.iter().map(|value| (name.clone(), (*value).to_owned()))).collect()
    }

    fn parameters(&self) -> &Signature {
        match &self.scheme {
            Scheme::Signature(signature) => signature,
            other => panic!("is a signature: {other:?}"),
        }
    }
}

fn vectors() -> Vec<Vector> {
    let file = fixture("signatures/vectors.json");
    let all = file["vectors"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let one = |vector: &Value| Vector {
        name: text(&vector["name"]),
        scheme: vector["preset"].as_str().map_or_else(|| scheme("header = \"x-signature\""), preset),
        secret: text(&vector["secret"]),
        headers: vector["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        body: text(&vector["body"]),
        now: vector["now"].as_i64().unwrap_or_default(),
        valid: vector["expect"] == "valid",
    };
    all.iter().map(one).collect()
}

/// Those that are right.
fn right() -> impl Iterator<Item = Vector> {
    vectors().into_iter().filter(|vector| vector.valid)
}

#[test]
fn every_vector_is_judged_as_it_should_be() {
    let all = vectors();
    assert_eq!(all.len(), 24);
    for vector in all {
        let judged = vector.judge(&vector.headers, vector.body.as_bytes());
        assert_eq!(judged.is_ok(), vector.valid, "{}: {judged:?}", vector.name);
    }
}

#[test]
fn every_preset_is_a_scheme_and_all_but_four_have_a_vector() {
    let tried = fixture("signatures/vectors.json");
    let tried: Vec<_> =
        tried["vectors"].as_array().expect("a list").iter().map(|v| v["preset"].clone()).collect();
    let untried: Vec<_> = preset::names().filter(|name| !tried.contains(&Value::from(*name))).collect();
    for name in preset::names() {
        assert!(matches!(preset(name), Scheme::Signature(_)), "{name}");
    }
    assert_eq!(untried, ["comeet", "knit", "svix", "talentech"]);
    assert_eq!(preset("comeet"), preset("greenhouse"));
    assert!(preset("greenhouse").covers_body() && !preset("lever").covers_body());
}

#[test]
fn a_missing_empty_or_doubled_signature_is_refused() {
    for vector in right() {
        let Some((_, good)) = vector.signature() else { continue };
        let body = vector.body.as_bytes();
        assert_eq!(vector.judge(&vector.with(&[]), body), Err("header_missing"), "{}", vector.name);
        assert_eq!(vector.judge(&vector.with(&["  "]), body), Err("header_empty"), "{}", vector.name);
        for both in [[good.as_str(), "bad"], ["bad", good.as_str()], [good.as_str(), good.as_str()]] {
            assert_eq!(vector.judge(&vector.with(&both), body), Err("header_repeated"), "{}", vector.name);
        }
    }
}

#[test]
fn another_sources_secret_is_refused() {
    for vector in right() {
        let others =
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", "whpk_AAAA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="];
        let other = others[usize::from(vector.parameters().algorithm == Algorithm::Ed25519)];
        let pairs: Vec<_> = vector.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let judged = judged(&vector.scheme, other, &pairs, vector.body.as_bytes(), vector.now);
        assert_eq!(judged, Err("no_secret_matches"), "{}", vector.name);
    }
}

#[test]
fn one_flipped_bit_of_the_body_or_of_the_signature_is_refused() {
    for vector in right() {
        if vector.scheme.covers_body() {
            for at in [0, vector.body.len() / 2, vector.body.len() - 1] {
                let mut body = vector.body.clone().into_bytes();
                body[at] ^= 1;
                assert_eq!(vector.judge(&vector.headers, &body), Err("no_secret_matches"), "{}", vector.name);
            }
        }
        let Some((_, good)) = vector.signature() else { continue };
        if good.contains(' ') && good.starts_with("v1,") {
            continue; // One of several is right.
        }
        // The last character of a padded or outer base64 has bits that say nothing.
        let at = good.find("v1=").map_or(good.trim_end_matches('=').len() - 8, |v1| v1 + 8);
        let other = if &good[at..=at] == "0" { "1" } else { "0" };
        let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        let judged = vector.judge(&vector.with(&[&bad]), vector.body.as_bytes());
        assert!(
            matches!(judged, Err("no_secret_matches" | "header_malformed")),
            "{}: {judged:?}",
            vector.name
        );
    }
}

#[test]
fn a_body_that_was_parsed_and_written_again_is_refused() {
    for vector in right().filter(|vector| vector.scheme.covers_body()) {
        let Ok(value) = serde_json::from_str::<Value>(&vector.body) else { continue };
        let again = serde_json::to_vec_pretty(&value).expect("can be written");
        assert_eq!(vector.judge(&vector.headers, &again), Err("no_secret_matches"), "{}", vector.name);
        let escaped = vector.body.contains("\\u");
        if escaped {
            let compact = serde_json::to_vec(&value).expect("can be written");
            assert_eq!(vector.judge(&vector.headers, &compact), Err("no_secret_matches"), "{}", vector.name);
        }
    }
}

#[test]
fn upper_case_hexadecimal_is_refused() {
    for vector in right().filter(|vector| vector.parameters().encoding == Encoding::Hex) {
        let Some((_, good)) = vector.signature().filter(|_| !vector.parameters().outer_base64) else {
            continue;
        };
        // Prefixes and keys stay as they are.
        let (before, hex) = good
            .rsplit_once(['=', ' '])
            .map_or(("", good.as_str()), |(_, hex)| (&good[..good.len() - hex.len()], hex));
        if good.contains("v0=") {
            continue;
        }
        let upper = format!("{before}{}", hex.to_uppercase());
        assert_ne!(upper, good);
        let judged = vector.judge(&vector.with(&[&upper]), vector.body.as_bytes());
        assert_eq!(judged, Err("header_malformed"), "{}", vector.name);
    }
}

#[test]
fn a_time_counts_to_the_second_in_both_directions() {
    let mut tried = 0;
    for vector in right() {
        let Some(Stamp { tolerance: Some(_), .. }) = vector.parameters().timestamp else { continue };
        let at = |offset: i64| vector.judge_at(&vector.headers, vector.body.as_bytes(), vector.now + offset);
        for near in [-300, -299, 0, 299, 300] {
            assert_eq!(at(near), Ok(()), "{} {near}", vector.name);
        }
        assert_eq!(at(301), Err("timestamp_old"), "{}", vector.name);
        assert_eq!(at(-301), Err("timestamp_ahead"), "{}", vector.name);
        tried += 1;
    }
    assert_eq!(tried, 8);
}

#[test]
fn a_time_that_is_none_is_refused_before_anything_is_computed() {
    let vector = right().find(|vector| vector.name == "standard-webhooks-sign").expect("is there");
    let with = |time: Option<&str>| {
        let others = vector.headers.iter().filter(|(name, _)| name != "webhook-timestamp").cloned();
        let all: Vec<_> =
            others.chain(time.map(|time| ("webhook-timestamp".to_owned(), time.to_owned()))).collect();
        vector.judge(&all, vector.body.as_bytes())
    };
    assert_eq!(with(Some("1614265330")), Ok(()));
    for wrong in
        [None, Some(""), Some("+1614265330"), Some("1614265330.0"), Some("now"), Some("11111111111111111")]
    {
        assert_eq!(with(wrong), Err("timestamp_malformed"), "{wrong:?}");
    }
    assert_eq!(with(Some("1614265331")), Err("no_secret_matches"), "the time is signed");
}

#[test]
fn what_the_signature_does_not_cover_can_be_changed() {
    // Why a scheme without the body is not for a source that believes the body.
    let lever = right().find(|vector| vector.name == "lever-candidateHired").expect("is there");
    let forged = lever.body.replace("5b8d2f0a", "00000000");
    assert_ne!(forged, lever.body);
    assert_eq!(lever.judge(&[], forged.as_bytes()), Ok(()));
    let token = lever.body.replace("9f2c41d7", "00000000");
    assert_eq!(lever.judge(&[], token.as_bytes()), Err("no_secret_matches"));
    let time = lever.body.replace("1792418709000", "1792418709001");
    assert_eq!(lever.judge(&[], time.as_bytes()), Err("no_secret_matches"));
}
