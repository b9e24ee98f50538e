use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;

use super::*;

mod ashby;
mod settings;
mod vectors;

/// The keys of these secrets.
fn keys(scheme: &Scheme, secrets: &[&str]) -> Keys {
    let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    Keys::new(scheme, &secrets).expect("the secrets are fit")
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let one = |(name, value): &(&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        (name, HeaderValue::from_str(value).expect("a header's value"))
    };
    pairs.iter().map(one).collect()
}

/// The scheme that an operator wrote down.
fn scheme(toml: &str) -> Scheme {
    let settings: Settings = toml::from_str(toml).expect("the test's TOML is right");
    settings.scheme().expect("the test's scheme is right")
}

/// How a delivery to a source with this secret is judged.
fn judged(
    scheme: &Scheme,
    secret: &str,
    pairs: &[(&str, &str)],
    body: &[u8],
    now: i64,
) -> Result<(), &'static str> {
    let now = Timestamp::from_second(now).expect("a time");
    let body = Bytes::copy_from_slice(body);
    let judged = verify(scheme, &keys(scheme, &[secret]), &headers(pairs), body, now);
    judged.map(drop).map_err(Refusal::code)
}

const SECRET: &str = "a-secret-of-the-test";

#[test]
fn a_bearer_token_is_compared_to_the_letter() {
    let bearer = scheme("token = \"bearer\"");
    let judge = |values: &[&str]| {
        let pairs: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        judged(&bearer, SECRET, &pairs, b"{}", 0)
    };
    assert_eq!(judge(&["Bearer a-secret-of-the-test"]), Ok(()));
    assert_eq!(judge(&["bearer a-secret-of-the-test"]), Ok(()), "the scheme's case does not count");
    for wrong in ["Bearer a-secret-of-the-tes", "Bearer a-secret-of-the-test ", "Bearer A-secret-of-the-test"]
    {
        assert_eq!(judge(&[wrong]), Err("no_secret_matches"), "{wrong}");
    }
    assert_eq!(judge(&["Bearer "]), Err("no_secret_matches"));
    assert_eq!(judge(&["a-secret-of-the-test"]), Err("header_malformed"));
    assert_eq!(judge(&["Basic a-secret-of-the-test"]), Err("header_malformed"));
    assert_eq!(judge(&[]), Err("header_missing"));
    assert_eq!(judge(&[""]), Err("header_empty"));
    for both in [["Bearer a-secret-of-the-test", "Bearer x"], ["Bearer x", "Bearer a-secret-of-the-test"]] {
        assert_eq!(judge(&both), Err("header_repeated"));
    }
}

#[test]
fn a_header_of_its_own_or_a_forms_field_holds_the_secret_whole() {
    let own = scheme("token = \"header:X-Token\"");
    assert_eq!(judged(&own, SECRET, &[("x-token", SECRET)], b"", 0), Ok(()));
    assert_eq!(judged(&own, SECRET, &[("x-token", "another")], b"", 0), Err("no_secret_matches"));
    assert_eq!(judged(&own, SECRET, &[("authorization", SECRET)], b"", 0), Err("header_missing"));
    let field = scheme("token = \"form:token\"");
    let judge = |body: &str| judged(&field, SECRET, &[], body.as_bytes(), 0);
    assert_eq!(judge("name=Zo%C3%AB&token=a-secret-of-the-test"), Ok(()));
    assert_eq!(judge("token=a-secret-of-the-test+"), Err("no_secret_matches"));
    assert_eq!(judge("name=a"), Err("header_missing"));
    assert_eq!(judge("token="), Err("header_empty"));
    assert_eq!(judge("token=a-secret-of-the-test&token=x"), Err("header_repeated"));
    assert_eq!(judge("token=x&token=a-secret-of-the-test"), Err("header_repeated"));
}

#[test]
fn basic_needs_the_user_and_the_password() {
    let basic = scheme("token = \"basic\"\nuser = \"hires\"");
    let judge = |credential: &str| {
        let written = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, credential);
        judged(&basic, SECRET, &[("authorization", &format!("Basic {written}"))], b"", 0)
    };
    assert_eq!(judge("hires:a-secret-of-the-test"), Ok(()));
    for wrong in ["hires:a-secret", "other:a-secret-of-the-test", ":a-secret-of-the-test", "hires", ""] {
        assert!(judge(wrong).is_err(), "{wrong}");
    }
    let written = [("authorization", "Basic hires:a-secret-of-the-test")];
    assert_eq!(judged(&basic, SECRET, &written, b"", 0), Err("header_malformed"));
}

#[test]
fn everything_is_let_in_only_where_it_is_said_in_so_many_words() {
    let open = scheme("accept_unsigned = \"I know that anyone can send hires\"");
    let body = Bytes::from_static(b"{}");
    let keys = Keys::new(&open, &[]).expect("needs none");
    let verified = verify(&open, &keys, &HeaderMap::new(), body, Timestamp::UNIX_EPOCH).expect("is let in");
    assert_eq!(verified.secret(), None);
    for sentence in ["", "yes", "true", "i know that anyone can send hires"] {
        let settings = Settings { accept_unsigned: Some(sentence.to_owned()), ..Settings::default() };
        let wrong = settings.scheme().expect_err("is not the sentence");
        assert_eq!(wrong[0].0, "accept_unsigned");
    }
}

#[test]
fn sixteen_signatures_are_looked_at_and_no_more() {
    let list = scheme("header = \"x-signature\"\nsplit = \",\"");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let right = hex::encode(aws_lc_rs::hmac::sign(&key, b"{}"));
    let with_decoys = |decoys: usize| {
        let entries: Vec<_> = std::iter::repeat_n("0".repeat(64), decoys).chain([right.clone()]).collect();
        judged(&list, SECRET, &[("x-signature", &entries.join(","))], b"{}", 0)
    };
    assert_eq!(with_decoys(15), Ok(()));
    assert_eq!(with_decoys(16), Err("no_secret_matches"));
}

#[test]
fn a_body_is_read_before_it_is_verified_only_while_it_is_small_and_flat() {
    let lever = preset("lever");
    let judge = |body: &[u8]| judged(&lever, SECRET, &[], body, 0);
    let deep = format!("{{\"signature\":\"aa\",\"x\":{}1{}}}", "[".repeat(64), "]".repeat(64));
    assert_eq!(judge(deep.as_bytes()), Err("body_unreadable"));
    let twice = br#"{"signature":"aa","signature":"bb"}"#;
    assert_eq!(judge(twice), Err("body_unreadable"));
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(judge(large.as_bytes()), Err("body_unreadable"));
    assert_eq!(judge(b"not JSON"), Err("body_unreadable"));
    assert_eq!(judge(b"{}"), Err("header_missing"));
    assert_eq!(judge(br#"{"signature":{}}"#), Err("header_missing"));
    assert_eq!(judge(br#"{"signature":""}"#), Err("header_empty"));
    assert_eq!(judge(br#"{"signature":"xyz"}"#), Err("header_malformed"));
}

#[test]
fn a_number_in_what_is_signed_is_taken_as_it_was_sent_or_not_at_all() {
    let lever = preset("lever");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let judge = |written: &str, signed: &str| {
        let signature = hex::encode(aws_lc_rs::hmac::sign(&key, format!("t{signed}").as_bytes()));
        let body = format!(r#"{{"signature":"{signature}","token":"t","triggeredAt":{written}}}"#);
        judged(&lever, SECRET, &[], body.as_bytes(), 0)
    };
    assert_eq!(judge("1792418709000", "1792418709000"), Ok(()));
    assert_eq!(judge("\"1792418709000\"", "1792418709000"), Ok(()));
    for other in ["1792418709000.0", "1.7924187090e12", "-1", "99999999999999999999", "\"\"", "null", "[1]"] {
        assert_eq!(judge(other, other), Err("timestamp_malformed"), "{other}");
    }
}

#[test]
fn what_is_signed_along_has_to_come_once() {
    let template = scheme("header = \"x-signature\"\nsigned = \"{header:x-id}.{body}\"");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = |message: &str| hex::encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    let judge = |message: &str, ids: &[&str]| {
        let signature = signature(message);
        let mut pairs = vec![("x-signature", signature.as_str())];
        pairs.extend(ids.iter().map(|id| ("x-id", *id)));
        judged(&template, SECRET, &pairs, b"{}", 0)
    };
    assert_eq!(judge("7.{}", &["7"]), Ok(()));
    assert_eq!(judge("8.{}", &["7"]), Err("no_secret_matches"));
    assert_eq!(judge(".{}", &[]), Err("part_missing"));
    assert_eq!(judge(".{}", &[""]), Err("part_missing"));
    assert_eq!(judge("7.{}", &["7", "8"]), Err("header_repeated"));
    assert_eq!(judge("7.{}", &["7", "7"]), Err("header_repeated"));
}

#[test]
fn any_live_secret_will_do_and_it_is_known_which() {
    let scheme = preset("ashby");
    let found = |secrets: &[&str]| {
        let headers = headers(&[("ashby-signature", ashby::RIGHT)]);
        let body = Bytes::from_static(ashby::BODY);
        let verified = verify(&scheme, &keys(&scheme, secrets), &headers, body, Timestamp::UNIX_EPOCH);
        verified.map(|verified| verified.secret().expect("one matched"))
    };
    assert_eq!(found(&[ashby::SECRET, "the-next-secret-token"]), Ok(0));
    assert_eq!(found(&["the-next-secret-token", ashby::SECRET]), Ok(1));
    assert_eq!(found(&["another-source's-secret"]), Err(Refusal::NoSecretMatches));
    assert_eq!(found(&[]), Err(Refusal::NoSecretMatches), "without a secret nothing is let in");
}

#[test]
fn neither_body_nor_secret_is_printed() {
    let scheme = preset("ashby");
    let headers = headers(&[("ashby-signature", ashby::RIGHT)]);
    let keys = keys(&scheme, &[ashby::SECRET]);
    let body = Bytes::from_static(ashby::BODY);
    let verified = verify(&scheme, &keys, &headers, body, Timestamp::UNIX_EPOCH);
    assert_eq!(format!("{:?}", verified.expect("is right")), "Verified(60 bytes, secret Some(0))");
    assert_eq!(format!("{keys:?}"), "Keys(1)");
}

/// What a fixture holds.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(path).expect("the fixture is there");
    serde_json::from_slice(&text).expect("the fixture is JSON")
}
