//! Operators: who may use the API, by the hash of a token. What an operator is let through to is decided
//! in [`door`](super::door).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::domain::Pass;
use crate::ledger::{Keyring, Session};

pub use crate::domain::{Role, UnknownRole};

/// What a name must be.
pub const NAME_RULE: &str = "must be 1 to 64 letters, digits, `.`, `_`, `@` or `-`";

/// What a token starts with, so that a leaked one is recognised.
const PREFIX: &str = "hb_";

/// `[[operators]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who it is: stands in histories and logs.
    pub name: String,
    /// `viewer`, `sender` or `admin`.
    pub role: String,
    /// SHA-256 of the token in hexadecimal; `hirebridge token new` prints it.
    pub token_sha256: String,
}

/// Somebody who may use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who it is.
    pub name: Arc<str>,
    /// What the operator may do.
    pub role: Role,
}

/// A mistake in the settings. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SettingError {
    /// The key: `operators[0].role`.
    pub key: String,
    /// What is wrong and what to do, as a sentence.
    pub problem: String,
}

/// All operators, each with the hash of a token.
#[derive(Default)]
pub struct Operators(Vec<(Operator, [u8; 32])>);

impl Operators {
    /// The operators of the settings.
    ///
    /// # Errors
    /// Every mistake, each with its key.
    pub fn build(all: &[Settings]) -> Result<Self, Vec<SettingError>> {
        let mut mistakes = Vec::new();
        let mut names = BTreeSet::new();
        let mut operators = Vec::new();
        for (index, settings) in all.iter().enumerate() {
            let mut mistake = |key: &str, problem: &str| {
                let key = format!("operators[{index}].{key}");
                mistakes.push(SettingError { key, problem: problem.to_owned() });
            };
            if !is_name(&settings.name) {
                mistake("name", NAME_RULE);
            } else if !names.insert(&settings.name) {
                mistake("name", "another operator has this name already");
            }
            let role = settings.role.parse::<Role>();
            if let Err(unknown) = role {
                mistake("role", &unknown.to_string());
            }
            let hash = hash_in(&settings.token_sha256);
            if hash.is_none() {
                mistake(
                    "token_sha256",
                    "must be 64 hexadecimal digits, as `hirebridge token new` prints them",
                );
            }
            if let (Ok(role), Some(hash)) = (role, hash) {
                operators.push((Operator { name: settings.name.as_str().into(), role }, hash));
            }
        }
        if mistakes.is_empty() { Ok(Self(operators)) } else { Err(mistakes) }
    }

    /// Whose token has this hash. Every operator's is compared, so that the time tells nothing.
    pub fn identify(&self, hash: &[u8; 32]) -> Option<&Operator> {
        self.found(|known| verify_slices_are_equal(known, hash).is_ok())
    }

    /// With whose token the session was opened.
    pub(super) fn of_session(&self, session: &Session, keyring: &dyn Keyring) -> Option<&Operator> {
        self.found(|known| keyring.mark(known).is(&session.token))
    }

    fn found(&self, is: impl Fn(&[u8; 32]) -> bool) -> Option<&Operator> {
        self.0.iter().fold(None, |found, (operator, known)| {
            let same = is(known);
            found.or(same.then_some(operator))
        })
    }

    /// Whether this name, spelt in whatever case, is among them.
    pub fn has(&self, name: &str) -> bool {
        self.all().any(|operator| operator.name.eq_ignore_ascii_case(name))
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Operator> {
        self.0.iter().map(|(operator, _)| operator)
    }

    /// A name that has a token in the ledger too. Who that is, and what it may do, would be said in two places.
    pub fn said_twice(&self, passes: &[Pass]) -> Option<SettingError> {
        let live = |name: &str| {
            let same = |pass: &&Pass| pass.revoked.is_none() && pass.name.eq_ignore_ascii_case(name);
            passes.iter().find(same)
        };
        self.all().enumerate().find_map(|(index, operator)| {
            let pass = live(&operator.name)?;
            let problem = format!(
                "is in the ledger too: {by} added a token for `{name}` on {day}; take this block out, start, and \
                 either leave it out or revoke that token (`hirebridge operators revoke {name}`) before you put it back",
                by = pass.added.by,
                name = pass.name,
                day = pass.added.at.strftime("%Y-%m-%d"),
            );
            Some(SettingError { key: format!("operators[{index}].name"), problem })
        })
    }
}

/// Count only.
impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operators({})", self.0.len())
    }
}

/// Whether this may be an operator's name: it stands in histories and logs.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

fn hash_in(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

/// What is compared in place of a token.
pub(super) fn hash_of(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// 256 random bits as text.
pub(super) fn new_secret() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A new token and its hash: the token is for its operator alone, the hash for the configuration.
pub fn new_token() -> (String, String) {
    let token = format!("{PREFIX}{}", new_secret());
    let hash = hex::encode(hash_of(&token));
    (token, hash)
}

/// Whether this looks like a token that [`new_token`] made: others are in no ledger.
pub(super) fn may_be_ours(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 43 && rest.bytes().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, role: &str, token_sha256: &str) -> Settings {
        Settings { name: name.into(), role: role.into(), token_sha256: token_sha256.into() }
    }

    #[test]
    fn a_new_token_lets_its_operator_in_and_nobody_else() {
        let (token, hash) = new_token();
        let (other, other_hash) = new_token();
        let all = [settings("mia", "sender", &hash), settings("ben", "viewer", &other_hash)];
        let operators = Operators::build(&all).expect("the settings are right");
        assert!(token.starts_with("hb_") && token.len() == 46, "{}", token.len());
        assert_eq!(operators.identify(&hash_of(&token)).map(|found| &*found.name), Some("mia"));
        assert_eq!(operators.identify(&hash_of(&other)).map(|found| found.role), Some(Role::Viewer));
        for wrong in ["", "hb_", &token[..45], &token.to_lowercase(), &hash] {
            assert_eq!(operators.identify(&hash_of(wrong)), None);
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_key_and_without_a_value() {
        let hash = new_token().1;
        let all = [
            settings("mia", "sender", &hash),
            settings("mia", "boss", "abc"),
            settings("a b", "admin", &hash),
        ];
        let found = Operators::build(&all).expect_err("is refused");
        let keys: Vec<_> = found.iter().map(|mistake| mistake.key.as_str()).collect();
        let expected =
            ["operators[1].name", "operators[1].role", "operators[1].token_sha256", "operators[2].name"];
        assert_eq!(keys, expected);
        assert!(found.iter().all(|mistake| !mistake.problem.contains("boss")));
    }
}
