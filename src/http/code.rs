//! The stable codes of problems: what a client may decide by.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is explained by its title below")]
pub enum Code {
    BadRequest,
    InvalidId,
    InvalidQuery,
    InvalidJson,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    TokenInUrl,
    Signature,
    Unauthenticated,
    Forbidden,
    NotFound,
    HireNotFound,
    ValueNotFound,
    MethodNotAllowed,
    RequestTimeout,
    WrongState,
    PlanChanged,
    ChangedMeanwhile,
    TooEarly,
    LookUpImpossible,
    BackupElsewhere,
    TooLarge,
    UnsupportedMediaType,
    ContentEncoding,
    Invalid,
    NotSendable,
    UnknownSource,
    EmployeeNotFound,
    IdempotencyKeyReused,
    UnreadablePayload,
    NoHire,
    Internal,
    PersonioUnreachable,
    LedgerUnavailable,
    Overloaded,
}

impl Code {
    /// The HTTP status it goes with, and its title.
    pub fn about(self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest => (S::BAD_REQUEST, "The request is not well formed"),
            Self::InvalidId => (S::BAD_REQUEST, "This is not the id of a hire"),
            Self::InvalidQuery => (S::BAD_REQUEST, "The query is not understood"),
            Self::InvalidJson => (S::BAD_REQUEST, "The body is not JSON"),
            Self::IdempotencyKeyMissing => (S::BAD_REQUEST, "An idempotency key is needed"),
            Self::IdempotencyKeyInvalid => (S::BAD_REQUEST, "The idempotency key cannot be used"),
            Self::TokenInUrl => (S::BAD_REQUEST, "A token does not belong in a URL"),
            Self::Signature => (S::UNAUTHORIZED, "The signature is missing or wrong"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "A token is needed"),
            Self::Forbidden => (S::FORBIDDEN, "The token's role does not suffice"),
            Self::NotFound => (S::NOT_FOUND, "There is nothing at this address"),
            Self::HireNotFound => (S::NOT_FOUND, "There is no such hire"),
            Self::ValueNotFound => (S::NOT_FOUND, "There is no such value"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "This address does not take this method"),
            Self::RequestTimeout => (S::REQUEST_TIMEOUT, "The body did not arrive in time"),
            Self::WrongState => (S::CONFLICT, "This cannot be done to a hire in this state"),
            Self::PlanChanged => (S::CONFLICT, "The plan is no longer the one that was seen"),
            Self::ChangedMeanwhile => (S::CONFLICT, "The hire was changed meanwhile"),
            Self::TooEarly => (S::CONFLICT, "The outcome may still become known by itself"),
            Self::LookUpImpossible => (S::CONFLICT, "The credential may not read employees"),
            Self::BackupElsewhere => (S::CONFLICT, "This ledger is backed up by other means"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => (S::UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
            Self::ContentEncoding => (S::UNSUPPORTED_MEDIA_TYPE, "Encoded bodies are not taken"),
            Self::Invalid => (S::UNPROCESSABLE_ENTITY, "Some fields are not right"),
            Self::NotSendable => (S::UNPROCESSABLE_ENTITY, "The plan may not be sent as it is"),
            Self::UnknownSource => (S::UNPROCESSABLE_ENTITY, "There is no such source"),
            Self::EmployeeNotFound => (S::UNPROCESSABLE_ENTITY, "Personio has no such employee"),
            Self::IdempotencyKeyReused => {
                (S::UNPROCESSABLE_ENTITY, "The idempotency key was used for something else")
            }
            Self::UnreadablePayload => (S::UNPROCESSABLE_ENTITY, "The payload is not what this ATS sends"),
            Self::NoHire => (S::UNPROCESSABLE_ENTITY, "The payload is not about a hire"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "Something went wrong here"),
            Self::PersonioUnreachable => (S::BAD_GATEWAY, "Personio could not be asked"),
            Self::LedgerUnavailable => (S::SERVICE_UNAVAILABLE, "Nothing can be stored at the moment"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "Nothing more can be taken at the moment"),
        }
    }

    /// The HTTP status it goes with.
    pub fn status(self) -> StatusCode {
        self.about().0
    }
}
