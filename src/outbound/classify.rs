//! What an attempt means for the next one. Pure, and blind to texts: they are localised and change.

use super::client::Failure;

/// What an attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It was answered with success.
    Done,
    /// It may be made again: surely not carried out, or harmless when carried out twice.
    Repeat,
    /// The credential was not taken, so it was not carried out.
    Credential,
    /// It must not be made again by itself.
    Final,
}

/// What happened, a status or a failure, judged for an operation that is `repeatable` or not.
///
/// An operation that is not repeatable (a create) is repeated only if it surely was not carried out:
/// nothing was sent, or it was turned away at the door with 429. A lost answer, a 5xx or a 408 leaves
/// it open.
pub fn classify(repeatable: bool, happened: Result<u16, Failure>) -> Meaning {
    match happened {
        Ok(200..=299) => Meaning::Done,
        Ok(401 | 403) => Meaning::Credential,
        Ok(429) | Err(Failure::NotSent(_)) => Meaning::Repeat,
        Ok(408 | 500..=599) | Err(Failure::Lost(_)) if repeatable => Meaning::Repeat,
        _ => Meaning::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::Meaning::{Credential, Done, Final, Repeat};
    use super::*;

    #[test]
    fn a_create_is_repeated_only_if_it_surely_was_not_carried_out() {
        let not_sent = ["dns", "connect_refused", "connect_timeout", "connect"];
        for code in not_sent {
            assert_eq!(classify(false, Err(Failure::NotSent(code))), Repeat, "{code}");
        }
        assert_eq!(classify(false, Ok(429)), Repeat);
        for code in ["timeout", "cut", "half_body", "body_too_large"] {
            assert_eq!(classify(false, Err(Failure::Lost(code))), Final, "{code}");
        }
        for status in [300, 301, 307, 400, 404, 405, 408, 409, 413, 415, 422, 500, 502, 503, 504] {
            assert_eq!(classify(false, Ok(status)), Final, "{status}");
        }
    }

    #[test]
    fn a_repeatable_call_is_also_repeated_when_its_answer_is_lost_or_the_server_failed() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(classify(true, Ok(status)), Repeat, "{status}");
        }
        for failure in [Failure::Lost("timeout"), Failure::NotSent("dns")] {
            assert_eq!(classify(true, Err(failure)), Repeat);
        }
        for status in [301, 307, 400, 404, 409, 422] {
            assert_eq!(classify(true, Ok(status)), Final, "{status}");
        }
    }

    #[test]
    fn success_and_credential_do_not_depend_on_the_operation() {
        for repeatable in [true, false] {
            assert_eq!(classify(repeatable, Ok(200)), Done);
            assert_eq!(classify(repeatable, Ok(201)), Done);
            assert_eq!(classify(repeatable, Ok(401)), Credential);
            assert_eq!(classify(repeatable, Ok(403)), Credential);
            assert_eq!(classify(repeatable, Err(Failure::Throttled)), Final);
            assert_eq!(classify(repeatable, Err(Failure::Shut)), Final);
        }
    }
}
