//! What can be wrong with a token.

/// What is bad about a bad token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKind {
    /// Past its `exp`.
    Expired,
    /// Never a token.
    Garbage,
    /// Meant for another audience.
    WrongAudience,
    /// Changed on the way.
    Tampered,
    /// Issued by somebody else.
    Unknown,
    /// Revoked at the authorization server before the load begins (RFC 7009).
    Revoked,
}

impl BadKind {
    /// Every kind, in the order of recordings.
    pub const ALL: [Self; 6] =
        [Self::Expired, Self::Garbage, Self::WrongAudience, Self::Tampered, Self::Unknown, Self::Revoked];

    /// Its name in scenarios and recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Garbage => "garbage",
            Self::WrongAudience => "wrong audience",
            Self::Tampered => "tampered",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the authorization server calls such a token active: what is wrong with it only a resource server can tell.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::WrongAudience)
    }
}
