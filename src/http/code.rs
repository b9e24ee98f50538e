//! The stable codes of problems: what a client may decide by.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::words::{self, Kind, Language, Words};

/// What went wrong, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "src/words/problems.toml explains each")]
pub enum Code {
    BadRequest,
    InvalidId,
    InvalidQuery,
    InvalidJson,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    IfMatchInvalid,
    TokenInUrl,
    Signature,
    Unauthenticated,
    Forbidden,
    CrossSite,
    TooManyTries,
    NotFound,
    OperatorNotFound,
    NameTaken,
    HireNotFound,
    ValueNotFound,
    DocumentNotFound,
    MethodNotAllowed,
    RequestTimeout,
    WrongState,
    WrongDocumentState,
    PlanChanged,
    ChangedMeanwhile,
    OtherVersion,
    TooEarly,
    LookUpImpossible,
    BackupElsewhere,
    TooLarge,
    UnsupportedMediaType,
    ContentEncoding,
    Invalid,
    NotSendable,
    UnknownSource,
    SourceNotAskable,
    NothingToReplay,
    ConfigurationRefused,
    EmployeeNotFound,
    IdempotencyKeyReused,
    UnreadablePayload,
    NoHire,
    Internal,
    PersonioUnreachable,
    AtsUnavailable,
    FileNotListed,
    LedgerUnavailable,
    Overloaded,
    SourcePaused,
    SecretAwaited,
}

impl Code {
    /// The HTTP status it goes with.
    pub fn status(self) -> StatusCode {
        use StatusCode as S;
        match self {
            Self::BadRequest
            | Self::InvalidId
            | Self::InvalidQuery
            | Self::InvalidJson
            | Self::IdempotencyKeyMissing
            | Self::IdempotencyKeyInvalid
            | Self::IfMatchInvalid
            | Self::TokenInUrl => S::BAD_REQUEST,
            Self::Signature | Self::Unauthenticated => S::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite => S::FORBIDDEN,
            Self::TooManyTries => S::TOO_MANY_REQUESTS,
            Self::NotFound
            | Self::OperatorNotFound
            | Self::HireNotFound
            | Self::ValueNotFound
            | Self::DocumentNotFound => S::NOT_FOUND,
            Self::MethodNotAllowed => S::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => S::REQUEST_TIMEOUT,
            Self::WrongState
            | Self::WrongDocumentState
            | Self::PlanChanged
            | Self::ChangedMeanwhile
            | Self::TooEarly
            | Self::LookUpImpossible
            | Self::BackupElsewhere
            | Self::NameTaken => S::CONFLICT,
            Self::OtherVersion => S::PRECONDITION_FAILED,
            Self::TooLarge => S::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::ContentEncoding => S::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid
            | Self::NotSendable
            | Self::UnknownSource
            | Self::SourceNotAskable
            | Self::NothingToReplay
            | Self::ConfigurationRefused
            | Self::EmployeeNotFound
            | Self::IdempotencyKeyReused
            | Self::UnreadablePayload
            | Self::NoHire => S::UNPROCESSABLE_ENTITY,
            Self::Internal => S::INTERNAL_SERVER_ERROR,
            Self::PersonioUnreachable => S::BAD_GATEWAY,
            Self::AtsUnavailable
            | Self::FileNotListed
            | Self::LedgerUnavailable
            | Self::Overloaded
            | Self::SourcePaused
            | Self::SecretAwaited => S::SERVICE_UNAVAILABLE,
        }
    }

    /// The code as it is written.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// What it means, and what to do.
    pub fn words(self, language: Language) -> &'static Words {
        words::of(Kind::Problem, &self.name(), language).expect("every code has words: a test asks for each")
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn every_code_has_words_and_all_words_have_a_code() {
        let schema = serde_json::to_value(Code::schema()).expect("a schema serialises");
        let codes = schema["enum"].as_array().expect("the names of all codes");
        let known: Vec<_> = words::all().iter().filter(|(kind, _)| *kind == Kind::Problem).collect();
        for code in codes {
            assert!(known.iter().any(|(_, entry)| *code == entry.code.as_str()), "{code} has no words");
        }
        assert_eq!(codes.len(), known.len(), "there are words for a code that does not exist");
    }
}
