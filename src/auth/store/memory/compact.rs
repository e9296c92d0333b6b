//! Issued tokens in little room: what the tokens of a client have in common is kept once.

use std::collections::HashSet;
use std::sync::Arc;

use crate::auth::store::{Record, RevokedToken};
use crate::auth::token::{Claims, UnixTime, base64url};

/// A [`Record`] as the table keeps it: a pointer.
#[derive(Clone, Debug)]
pub(super) enum CompactRecord {
    Issued(Arc<OwnClaims>),
    /// All else: revoked tokens, grants, and every refresh token until its grant is forgotten.
    Whole(Arc<Record>),
}

/// What a token says by itself, beside what it shares with others.
#[derive(Debug)]
pub(super) struct OwnClaims {
    shared: Arc<Claims>,
    iat: UnixTime,
    exp: UnixTime,
    jti: TokenName,
}

/// A `jti`.
#[derive(Debug)]
enum TokenName {
    /// 256 bits as base64url, which is how this program writes it.
    Bits([u8; 32]),
    Text(Box<str>),
}

/// What tokens share: the claims of one of them, without what is its own.
#[derive(Default)]
pub(super) struct SharedClaims(HashSet<Arc<Claims>>);

impl SharedClaims {
    pub(super) fn compact(&mut self, record: Record) -> CompactRecord {
        match record {
            Record::Issued(claims) => {
                CompactRecord::Issued(Arc::new(self.part(Arc::unwrap_or_clone(claims))))
            }
            Record::Revoked(_) | Record::Refresh(_) | Record::Grant(_) => {
                CompactRecord::Whole(Arc::new(record))
            }
        }
    }

    fn part(&mut self, mut claims: Claims) -> OwnClaims {
        let (iat, exp, jti) = (claims.iat, claims.exp, TokenName::of(&claims.jti));
        (claims.iat, claims.exp) = (UnixTime::from_secs(0), UnixTime::from_secs(0));
        claims.jti.clear();
        let known = self.0.get(&claims).cloned();
        let shared = known.unwrap_or_else(|| {
            let new = Arc::new(claims);
            self.0.insert(Arc::clone(&new));
            new
        });
        OwnClaims { shared, iat, exp, jti }
    }

    /// Forgets what no token says any more.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|shared| Arc::strong_count(shared) > 1);
    }
}

impl CompactRecord {
    pub(super) fn record(&self) -> Record {
        match self {
            Self::Issued(own) => Record::Issued(Arc::new(Claims {
                iat: own.iat,
                exp: own.exp,
                jti: own.jti.text(),
                ..(*own.shared).clone()
            })),
            Self::Whole(record) => (**record).clone(),
        }
    }

    pub(super) fn revoked(&self) -> Option<&RevokedToken> {
        match self {
            Self::Issued(_) => None,
            Self::Whole(record) => match &**record {
                Record::Revoked(token) => Some(token),
                Record::Issued(_) | Record::Refresh(_) | Record::Grant(_) => None,
            },
        }
    }

    pub(super) fn expiry(&self) -> UnixTime {
        match self {
            Self::Issued(own) => own.exp,
            Self::Whole(record) => record.expiry(),
        }
    }
}

impl TokenName {
    fn of(jti: &str) -> Self {
        let bits = base64url::decode(jti).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        // Only what is written again as it was.
        match bits {
            Some(bits) if base64url::encode(bits) == jti => Self::Bits(bits),
            Some(_) | None => Self::Text(jti.into()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Bits(bits) => base64url::encode(bits),
            Self::Text(text) => text.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::{Audience, Groups, opaque};

    fn claims(jti: &str, iat: u64) -> Claims {
        Claims {
            iss: "https://as.example".to_owned(),
            sub: "client".to_owned(),
            aud: Audience::one("https://api.example/"),
            client_id: "client".to_owned(),
            scope: "read".to_owned(),
            iat: UnixTime::from_secs(iat),
            nbf: None,
            exp: UnixTime::from_secs(iat + 600),
            jti: jti.to_owned(),
            status: None,
            groups: Groups::default(),
            cnf: None,
        }
    }

    #[test]
    fn what_was_put_together_comes_apart_again_whatever_the_name() {
        let minted = opaque::mint();
        // The last of 43 characters has four bits that mean something: a text that differs in the others is another name.
        let not_canonical = format!("{}B", "A".repeat(42));
        let mut shared = SharedClaims::default();
        for (iat, name) in
            (1..).zip([minted.as_str(), &not_canonical, "", "order-66", &"A".repeat(43), &"A".repeat(44)])
        {
            let claims = claims(name, iat);
            let compact = shared.compact(Record::Issued(Arc::new(claims.clone())));
            assert_eq!(compact.expiry(), claims.exp);
            let Record::Issued(again) = compact.record() else { panic!("it was issued") };
            assert_eq!(*again, claims);
        }
        assert_eq!(shared.0.len(), 1, "they differ by what is their own alone");
    }

    #[test]
    fn what_tokens_share_is_kept_for_as_long_as_one_of_them_is() {
        let mut shared = SharedClaims::default();
        let other = Claims { scope: "write".to_owned(), ..claims("b", 1) };
        let [one, two] =
            [claims("a", 1), other].map(|claims| shared.compact(Record::Issued(Arc::new(claims))));
        assert_eq!(shared.0.len(), 2);
        drop(two);
        shared.sweep();
        assert_eq!(shared.0.len(), 1);
        drop(one);
        shared.sweep();
        assert_eq!(shared.0.len(), 0);
    }
}
