//! `bearerbench explain token-size`: the facts, for programs as they are and for people as tables.

use serde::Serialize;

use crate::auth::token::jwt::size::{every_size, published_key_bytes, token_characters};
use crate::auth::token::opaque;
use crate::auth::token::signature::{Conformance, SignatureScheme, Status};
use crate::cli::explain::text;
use crate::header_limit::{COOKIE_LIMIT, HeaderLimit, header_limits, refusing};
use crate::registry::Part;
use crate::units::ClaimsSize;

/// Sizes seen in the field, in bytes: group claims alone make some kilobytes (keycloak#13956, dotnet/aspnetcore#25271).
pub(super) const SEEN: [ClaimsSize; 5] = [
    ClaimsSize::of(300),
    ClaimsSize::of(1_000),
    ClaimsSize::of(4_000),
    ClaimsSize::of(9_000),
    ClaimsSize::of(16_000),
];

/// Everything that is said.
#[derive(Debug, Serialize)]
pub(super) struct TokenSizes {
    /// The claims of each column, JSON in bytes.
    pub(super) claims_bytes: Vec<ClaimsSize>,
    /// A row a kind of token, opaque ones first.
    pub(super) tokens: Vec<Row>,
    /// The limits for headers, strictest first.
    pub(super) limits: Vec<TokenLimit>,
    /// The limit of a cookie.
    pub(super) cookie: TokenLimit,
}

/// A kind of token.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The scheme with its settings; `opaque` where there is none.
    pub(super) name: String,
    /// What is known of its signature.
    pub(super) signature: Option<Scheme>,
    /// A token for each size of claims.
    pub(super) sizes: Vec<TokenSize>,
}

/// What is known of a scheme.
#[derive(Debug, Serialize)]
pub(super) struct Scheme {
    alg: &'static str,
    /// Who stands behind it.
    pub(super) status: String,
    /// The document that names it for JOSE, in a few words.
    #[serde(skip)]
    pub(super) backed_by: &'static str,
    /// Whether a standard backs it and its library answers the vectors of its peers rightly.
    pub(super) is_sound: bool,
    pub(super) conformance: String,
    /// Whether its library decides every published vector rightly; false too where there are none.
    pub(super) conforming: bool,
    /// The same with what is known to be wrong.
    #[serde(skip)]
    pub(super) known: Conformance,
    pub(super) post_quantum: bool,
    pub(super) signature_bytes: u32,
    pub(super) public_key_bytes: u32,
    /// `None` where the key is a secret.
    pub(super) jwks_entry_bytes: Option<usize>,
}

/// A token with claims of one size.
#[derive(Debug, Serialize)]
pub(super) struct TokenSize {
    claims_bytes: ClaimsSize,
    pub(super) characters: usize,
    /// Whose default limit it exceeds, strictest first.
    pub(super) refused_by: Vec<&'static str>,
    pub(super) fits_cookie: bool,
}

/// A limit with what follows from it.
#[derive(Debug, Serialize)]
pub(super) struct TokenLimit {
    #[serde(flatten)]
    pub(super) limit: HeaderLimit,
    pub(super) largest_token: u32,
}

/// The answer, for these sizes of claims or for those seen in the field.
pub(super) fn explain(claims: &[ClaimsSize], json: bool) -> String {
    let sizes = TokenSizes::of(if claims.is_empty() { &SEEN } else { claims });
    if json {
        serde_json::to_string(&sizes).expect("plain values have a JSON form")
    } else {
        text::of(&sizes)
    }
}

impl TokenSizes {
    pub(super) fn of(claims: &[ClaimsSize]) -> Self {
        let opaque = opaque::mint().len();
        let opaque = Row {
            name: "opaque".to_owned(),
            signature: None,
            sizes: claims.iter().map(|claims| TokenSize::of(*claims, opaque)).collect(),
        };
        let jwts = every_size().into_iter().map(|scheme| Row::of(&scheme, claims));
        Self {
            claims_bytes: claims.to_vec(),
            tokens: std::iter::once(opaque).chain(jwts).collect(),
            limits: header_limits().into_iter().map(TokenLimit::of).collect(),
            cookie: TokenLimit::of(&COOKIE_LIMIT),
        }
    }
}

impl Row {
    fn of(scheme: &Part<dyn SignatureScheme>, claims: &[ClaimsSize]) -> Self {
        let facts = scheme.facts();
        let conforming = facts.conformance.conforms();
        let signature = Scheme {
            alg: scheme.alg(),
            status: facts.status.to_string(),
            backed_by: match facts.status {
                Status::Standard(document) | Status::Draft(document) => document,
                Status::Superseded(_) => "superseded",
                Status::Control => "nobody: a control",
            },
            is_sound: matches!(facts.status, Status::Standard(_)) && conforming,
            conformance: facts.conformance.to_string(),
            conforming,
            known: facts.conformance,
            post_quantum: facts.post_quantum,
            signature_bytes: facts.signature_bytes,
            public_key_bytes: facts.public_key_bytes,
            jwks_entry_bytes: published_key_bytes(&**scheme),
        };
        let size = |claims: &ClaimsSize| {
            TokenSize::of(*claims, token_characters(&**scheme, claims.bytes() as usize))
        };
        Self {
            name: scheme.to_string(),
            signature: Some(signature),
            sizes: claims.iter().map(size).collect(),
        }
    }
}

impl TokenSize {
    fn of(claims_bytes: ClaimsSize, characters: usize) -> Self {
        Self {
            claims_bytes,
            characters,
            refused_by: refusing(characters as u64).iter().map(|limit| limit.server).collect(),
            fits_cookie: characters <= COOKIE_LIMIT.largest_token() as usize,
        }
    }
}

impl TokenLimit {
    fn of(limit: &HeaderLimit) -> Self {
        Self { limit: *limit, largest_token: limit.largest_token() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::signature::SIGNATURE_SCHEMES;

    #[test]
    fn programs_are_told_every_scheme_size_and_limit() {
        let json: serde_json::Value = serde_json::from_str(&explain(&[], true)).unwrap();
        let tokens = json["tokens"].as_array().unwrap();
        assert_eq!(
            (&tokens[0]["name"], &tokens[0]["sizes"][4]["characters"]),
            (&"opaque".into(), &43.into())
        );
        for entry in SIGNATURE_SCHEMES.entries {
            assert!(tokens.iter().any(|row| row["name"].as_str().unwrap().starts_with(entry.name)));
        }
        for row in tokens {
            assert_eq!(row["sizes"].as_array().unwrap().len(), SEEN.len());
        }
        let limit = &json["limits"][0];
        for key in ["server", "scope", "bytes", "known", "setting", "source", "largest_token"] {
            assert!(!limit[key].is_null(), "{key}");
        }
        assert_eq!(json["cookie"]["scope"], "cookie");
    }

    #[test]
    fn only_what_decides_every_published_vector_rightly_is_called_conforming() {
        let json: serde_json::Value = serde_json::from_str(&explain(&[], true)).unwrap();
        let signatures = json["tokens"].as_array().unwrap().iter().map(|row| &row["signature"]);
        let mut found = [false; 2];
        for signature in signatures.filter(|signature| !signature.is_null()) {
            let conforming = signature["conforming"].as_bool().unwrap();
            let words = signature["conformance"].as_str().unwrap();
            assert_eq!(conforming, words.starts_with("conforming ("), "{words}");
            found[usize::from(conforming)] = true;
        }
        assert_eq!(found, [true; 2], "both kinds are there");
    }

    #[test]
    fn a_token_is_marked_with_the_servers_that_refuse_it() {
        let sizes = TokenSizes::of(&["5.5KB".parse().unwrap(), "6.5KB".parse().unwrap()]);
        let es256 = sizes.tokens.iter().find(|row| row.name == "ES256").unwrap();
        assert!(!es256.sizes[0].refused_by.contains(&"nginx"), "{es256:?}");
        assert!(es256.sizes[1].refused_by.contains(&"nginx") && !es256.sizes[1].fits_cookie, "{es256:?}");
        assert!(!es256.sizes[1].refused_by.contains(&"HAProxy"));
    }
}
