//! What is known of a signature scheme, as plain data for the recording.

use crate::auth::token::jwks::Jwk;
use crate::auth::token::signature::{self, SignatureScheme};
use crate::observation::{Conformance, Signature, Status};

/// The facts of `scheme`, with the size of `key` as it is published.
pub(super) fn of(scheme: &dyn SignatureScheme, key: &Jwk) -> Signature {
    let facts = scheme.facts();
    let (status, source) = match facts.status {
        signature::Status::Standard(source) => (Status::Standard, source),
        signature::Status::Draft(source) => (Status::Draft, source),
        signature::Status::Superseded(source) => (Status::Superseded, source),
        signature::Status::Control => (Status::Control, ""),
    };
    let entry = || serde_json::to_string(key).expect("a key is plain data").len() as u64;
    Signature {
        alg: scheme.alg().to_owned(),
        library: facts.library.to_owned(),
        post_quantum: facts.post_quantum,
        status,
        source: source.to_owned(),
        conformance: match facts.conformance {
            signature::Conformance::Conforming { .. } => Conformance::Conforming,
            other if !other.is_trusted() => Conformance::NonConforming,
            _ => Conformance::Unverified,
        },
        conformance_in_words: facts.conformance.to_string(),
        public_key_bytes: facts.public_key_bytes,
        signature_bytes: facts.signature_bytes,
        key_set_entry_bytes: key.material.is_public().then(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::signature::every_variant;

    #[test]
    fn the_size_of_a_key_set_entry_is_that_of_its_json_and_a_secret_has_none() {
        for scheme in
            every_variant().filter(|scheme| !scheme.alg().contains("RS") && !scheme.alg().contains("PS"))
        {
            let key = scheme.generate().unwrap().public;
            let facts = of(&*scheme, &key);
            assert_eq!(facts.key_set_entry_bytes.is_some(), key.material.is_public(), "{scheme}");
            // Base64url needs four characters for three bytes.
            let least = u64::from(facts.public_key_bytes) * 4 / 3;
            assert!(facts.key_set_entry_bytes.is_none_or(|bytes| bytes > least), "{scheme}: {facts:?}");
            assert_eq!(facts.is_trusted(), scheme.facts().conformance.is_trusted(), "{scheme}");
        }
    }
}
