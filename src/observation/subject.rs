//! What was measured: one combination under comparison.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::design::{Checks, Design, TokenFormat};
use crate::observation::{Signature, Status};
use crate::registry::Choice;
use crate::wire::Http;

/// One combination under comparison. Nothing is decided by its words: they are for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the scenario, from 0; trials are done in another, random order.
    pub position: u32,
    /// Its parts by their role, as they would be written in a scenario. None of a server of somebody else's, and in recordings before
    /// version 4.
    pub parts: BTreeMap<String, Choice>,
    /// The validation architecture with its settings, in words.
    pub architecture: String,
    /// What clients hold; absent where a version of this program wrote the recording that knew no gateways: JWTs if they are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_format: Option<TokenFormat>,
    /// The JOSE `alg` of its JWTs with the settings of the scheme, in words; absent where there are opaque tokens only.
    pub signature: Option<String>,
    /// What is known of the scheme; absent for opaque tokens, and in recordings before version 2.
    pub scheme: Option<Signature>,
    /// The token store with its settings, in words.
    pub store: String,
    /// The version of HTTP that requests travelled by.
    pub http: Http,
    /// How requests travelled, in words; absent for plain HTTP/1.1 over TCP, which is all there was before version 3.
    pub wire: Option<String>,
    /// Bytes of `groups` in the claims of its tokens, beside what RFC 9068 requires.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_claims_bytes: u32,
    /// Thresholds for this subject alone, in k6's grammar.
    pub thresholds: Vec<String>,
    /// Whom it asks and how often, and what bounds how long it accepts a revoked token.
    pub design: Design,
    /// Size of a live token in characters: smallest, median and largest of the pool. Absent if no token was issued.
    pub token_characters: Option<[u64; 3]>,
    /// What a client, or a thief, can read of the claims of the median live token. Absent if no token was issued, and in recordings that a
    /// version of this program wrote which did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_claims: Option<ReadableClaims>,
    /// Size in characters of the proof that goes with a token in each request; absent where tokens are not bound to their senders, and 0 where
    /// connections show whose they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_characters: Option<u64>,
    /// What it takes to connect with a server that the load reaches. Absent without TLS, and in recordings that a version of this program wrote
    /// which did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_bytes: Option<HandshakeBytes>,
}

/// Bytes of TLS both ways, without what TCP and IP add, until a connection can carry requests; the tickets that follow are among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandshakeBytes {
    /// Of a full handshake.
    pub full: u64,
    /// Of one that takes up an earlier session; absent where none may.
    pub resumed: Option<u64>,
    /// The certificates among those of the former that the client presents; absent where it presents none.
    pub client_certificates: Option<u64>,
}

/// Claims that whoever holds a token can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadableClaims {
    /// How many members they have.
    pub members: u64,
    /// Their size as JSON.
    pub bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(bytes: &u32) -> bool {
    *bytes == 0
}

impl Subject {
    /// True if it accepts bad tokens by design: it checks nothing, or tokens that nobody signed.
    pub fn is_control(&self) -> bool {
        let unsigned = self.scheme.as_ref().is_some_and(|scheme| scheme.status == Status::Control);
        self.design.checks == Checks::Nothing || unsigned
    }

    /// Whether clients send JWTs.
    pub fn carries_jwts(&self) -> bool {
        let format = self.token_format;
        format.map_or_else(|| self.signature.is_some(), |format| format == TokenFormat::Jwt)
    }

    /// Whether requests travelled by HTTP/2.
    pub fn is_reached_by_http2(&self) -> bool {
        self.http == Http::Http2
    }

    /// False if its signatures are verified by an implementation that is known to decide wrongly.
    pub fn is_trusted(&self) -> bool {
        self.scheme.as_ref().is_none_or(Signature::is_trusted)
    }
}
