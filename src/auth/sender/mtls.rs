//! Tokens that are bound to certificates (RFC 8705): proof of possession in the transport.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::sender::{SenderConstraint, SenderEvidence};
use crate::wire::CertificateKey;

/// Binds tokens to the certificate that the client presents in the TLS handshake of every connection (mutual TLS).
///
/// * Data flow: the client asks for a token by a connection on which it has presented its certificate, at the token endpoint that the
///   authorization server names for that (RFC 8705 section 5). The authorization server puts the SHA-256 of the certificate into the token, and
///   into what introspection answers about it (`cnf` with `x5t#S256`). The client presents the same certificate to the resource server, and
///   proves in the handshake that it has the key. The resource server hashes the certificate once for each connection, and compares the hash with
///   that of every token. Behind a gateway nobody asks.
/// * Specification: RFC 8705 section 3; certificates that sign themselves as in section 2.2, but clients prove who they are by their secret.
/// * A stolen token is worth nothing without the key of the certificate, and requests carry nothing else that could be stolen.
/// * The cost is that of connections: the certificate, a signature by the client and its verification in each full handshake, and larger
///   tickets. A session that is resumed shows the certificate of its first handshake, and costs no signature. A request costs the comparison of
///   two hashes, and no bytes beside those of the claim in a JWT.
/// * Requests travel over TLS, and TLS must end where tokens are decided on: a proxy before that would have to pass the certificate on.
/// * A new certificate needs new tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MutualTls {
    /// The key of the certificate, by what it signs by.
    #[serde(default)]
    algorithm: CertificateKey,
}

impl SenderConstraint for MutualTls {
    fn evidence(&self) -> SenderEvidence {
        SenderEvidence::Certificate(self.algorithm)
    }
}
