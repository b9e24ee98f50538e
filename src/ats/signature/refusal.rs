//! Why a delivery is refused.

/// Why a delivery is refused. Its code is for our log and for `/v1/sources`, never for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no signature.
    #[error("the signature is missing")]
    HeaderMissing,
    /// The signature has no value.
    #[error("the signature is empty")]
    HeaderEmpty,
    /// The header of the signature, or another one that counts, comes more than once: none of them does.
    #[error("the signature's header comes more than once")]
    HeaderRepeated,
    /// What stands there is not what the scheme prescribes.
    #[error("the signature is not written as the sender writes it")]
    HeaderMalformed,
    /// Something that is signed along did not come.
    #[error("a part that is signed is missing")]
    PartMissing,
    /// The signature's place is in the body, which cannot be read.
    #[error("the body that holds the signature cannot be read")]
    BodyUnreadable,
    /// The signature was made with none of the live secrets, or over something else.
    #[error("no live secret matches the signature")]
    NoSecretMatches,
    /// The time that was signed along is none.
    #[error("the signature's time is missing or no number")]
    TimestampMalformed,
    /// The signature is right and was made too long ago.
    #[error("the signature is too old")]
    TimestampOld,
    /// The signature is right and was made in the future.
    #[error("the signature is from the future")]
    TimestampAhead,
    /// The signature is right, and what was packed in the body is larger than the limit.
    #[error("the body is larger than the limit once it is unpacked")]
    UnpackedTooLarge,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header_missing",
            Self::HeaderEmpty => "header_empty",
            Self::HeaderRepeated => "header_repeated",
            Self::HeaderMalformed => "header_malformed",
            Self::PartMissing => "part_missing",
            Self::BodyUnreadable => "body_unreadable",
            Self::NoSecretMatches => "no_secret_matches",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::TimestampOld => "timestamp_old",
            Self::TimestampAhead => "timestamp_ahead",
            Self::UnpackedTooLarge => "unpacked_too_large",
        }
    }
}
