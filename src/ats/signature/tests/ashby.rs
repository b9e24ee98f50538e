//! One plain scheme, tried to the letter.

use super::*;

pub(super) const BODY: &[u8] = br#"{"action":"candidateHire","data":{"application":{"id":"a"}}}"#;
pub(super) const SECRET: &str = "ashby-secret-token";
pub(super) const RIGHT: &str = "sha256=a98a8007e7befc7fe8e66feee092056d4bc299e60fadc8801522e9300c95c2fc";

fn refusal(values: &[&str], body: &[u8]) -> Option<&'static str> {
    let pairs: Vec<_> = values.iter().map(|value| ("ashby-signature", *value)).collect();
    judged(&preset("ashby"), SECRET, &pairs, body, 0).err()
}

#[test]
fn ashbys_own_vectors_verify() {
    let file = fixture("ashby/vectors.json");
    let vectors = file["vectors"].as_array().expect("a list");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().expect("text");
        let body = if let Some(body) = vector["body"].as_str() {
            body.as_bytes().to_vec()
        } else {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ats/ashby/");
            std::fs::read(format!("{folder}{}", text("body_file"))).expect("the file is there")
        };
        let signature = vector["headers"]["ashby-signature"].as_str().expect("text");
        let pairs = [("ashby-signature", signature)];
        assert_eq!(judged(&preset("ashby"), text("secret"), &pairs, &body, 0), Ok(()), "{}", text("name"));
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
