//! Schemes as operators write them down, rightly and wrongly.

use super::*;

fn mistakes(toml: &str) -> Vec<String> {
    let settings: Settings = toml::from_str(toml).expect("the test's TOML is right");
    let wrong = settings.scheme().expect_err("something is wrong");
    wrong.into_iter().map(|(key, problem)| format!("{key} {problem}")).collect()
}

#[test]
fn a_scheme_may_be_written_down_key_by_key() {
    let written = scheme(
        r#"
        header = "Webhook-Signature"
        split = " "
        pick = "v1"
        pick_separator = ","
        encoding = "base64"
        key = "whsec"
        signed = "{header:webhook-id}.{ts}.{body}"
        timestamp = "header:webhook-timestamp"
        unit = "s"
        tolerance = "5m"
    "#,
    );
    assert_eq!(written, preset("standard-webhooks"));
    assert_eq!(scheme("preset = \"standard-webhooks\""), preset("standard-webhooks"));
    let header = HeaderName::from_static("x-signature");
    let plain = Scheme::Signature(Box::new(Signature::of_body(header, "")));
    assert_eq!(scheme("header = \"X-Signature\""), plain);
}

#[test]
fn keys_beside_a_preset_replace_its_own() {
    let Scheme::Signature(changed) =
        scheme("preset = \"svix\"\ntolerance = \"1h\"\npick = \"v2\"\npick_separator = \",\"")
    else {
        panic!("is a signature")
    };
    let Scheme::Signature(svix) = preset("svix") else { panic!("is a signature") };
    assert_eq!((&changed.signed, &changed.place), (&svix.signed, &svix.place));
    assert_eq!(
        changed.timestamp.and_then(|stamp| stamp.tolerance),
        Some(jiff::SignedDuration::from_hours(1))
    );
    let Scheme::Signature(elsewhere) = scheme("preset = \"greenhouse\"\nbody = \"/signature\"") else {
        panic!("is a signature")
    };
    assert_eq!(elsewhere.place, Place::Body("/signature".to_owned()));
}

#[test]
fn each_mistake_says_what_to_do() {
    for (toml, told) in [
        ("", "header is needed: the header that the signature is in. Or `preset`"),
        ("preset = \"greenhose\"", "preset is not known; did you mean `greenhouse`?"),
        ("preset = \"?\"", "preset is not known; there are ashby, breezy"),
        ("header = \"a b\"", "header is not the name of a header"),
        ("header = \"a\"\nbody = \"/a\"", "body has no meaning beside `header`"),
        ("body = \"signature\"", "body is not a JSON Pointer: write `/signature`"),
        ("header = \"a\"\nprefix = \"a\"\npick = \"b\"", "pick has no meaning beside `prefix`"),
        ("header = \"a\"\nsigned = \"{ts}\"", "signed holds neither {body} nor {json:/place}"),
        ("header = \"a\"\nsigned = \"x\"", "signed holds neither"),
        ("header = \"a\"\nsigned = \"{body\"", "signed has a `{` without its `}`"),
        ("header = \"a\"\nsigned = \"{bdy}\"", "signed has the unknown part `{bdy}`; there are {body}"),
        ("header = \"a\"\nsigned = \"{header:a b}{body}\"", "signed has `{header:a b}`, which is not"),
        ("header = \"a\"\nsigned = \"{ts}.{body}\"", "signed holds {ts}, and `timestamp` does not say"),
        ("header = \"a\"\ntimestamp = \"header:b\"", "signed must hold {ts}: a time that is not signed"),
        ("header = \"a\"\nsigned = \"{ts}{body}\"\ntimestamp = \"b\"", "timestamp must be `header:NAME`"),
        (
            "header = \"a\"\nsigned = \"{ts}{body}\"\ntimestamp = \"pair:t\"\ntolerance = \"-1s\"",
            "tolerance must not be",
        ),
        ("header = \"a\"\ntolerance = \"1s\"", "tolerance has no meaning without `timestamp`"),
        ("header = \"a\"\nunit = \"ms\"", "unit has no meaning without `timestamp`"),
        ("header = \"a\"\npick_separator = \",\"", "pick_separator has no meaning without `pick`"),
        ("header = \"a\"\nsplit = \"\"", "split is empty"),
        ("header = \"a\"\nuser = \"u\"", "user has no meaning without `token`"),
        ("token = \"basic\"", "user belongs to `token = \"basic\"`, which needs it"),
        ("token = \"basic\"\nuser = \"a:b\"", "user must hold no `:`"),
        ("token = \"cookie\"", "token must be `bearer`, `basic`, `header:NAME` or `form:FIELD`"),
        ("token = \"bearer\"\nheader = \"a\"", "header has no meaning beside `token`"),
        ("accept_unsigned = \"yes\"", "accept_unsigned lets anyone who knows the address make hires"),
        (
            "accept_unsigned = \"I know that anyone can send hires\"\ntoken = \"bearer\"",
            "token has no meaning beside",
        ),
    ] {
        let found = mistakes(toml);
        assert!(found[0].starts_with(told), "{toml}: {found:?}");
        assert_eq!(found.len(), 1, "{toml}: {found:?}");
    }
    assert!(toml::from_str::<Settings>("header = \"a\"\nencoding = \"binary\"").is_err());
    assert!(toml::from_str::<Settings>("heeder = \"a\"").is_err());
}

#[test]
fn several_mistakes_are_told_at_once() {
    let told = mistakes("header = \"a b\"\nsigned = \"x\"\nunit = \"ms\"");
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn a_secret_that_is_no_key_is_told_by_its_place_and_never_by_its_value() {
    let bad = |scheme: &Scheme, secrets: &[&str]| {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        let bad = Keys::new(scheme, &secrets).expect_err("one is wrong");
        bad.into_iter().map(|bad| (bad.index, bad.problem)).collect::<Vec<_>>()
    };
    let standard = preset("standard-webhooks");
    let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let told = bad(
        &standard,
        &[good, "whsec_!4711!", "whsec_c2hvcnQ=", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="],
    );
    assert_eq!(told.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3]);
    let words: Vec<_> = told.into_iter().map(|(_, problem)| problem).collect();
    assert_eq!(words[0], "is not written as `key` says: `whsec_` and base64");
    assert_eq!(words[1], "makes a key of 5 bytes; at least 16 are needed");
    assert!(words[2].starts_with("is a public key, with which anyone could sign"), "{}", words[2]);
    assert_eq!(bad(&preset("standard-webhooks-v1a"), &[good]).len(), 1);
    let hex = scheme("header = \"a\"\nkey = \"hex\"");
    assert_eq!(bad(&hex, &["xyz"])[0].1, "is not written as `key` says: hexadecimal");
    assert!(Keys::new(&hex, &["00112233445566778899aabbccddeeff".into()]).is_ok());
}
