//! What is counted, by name; and how it is prepared, which is not counted.

use bearerbench::auth::token::jwks::JwkSet;
use bearerbench::auth::token::jwt::{KeyRing, Trust};
use bearerbench::auth::token::signature::{SignatureScheme, Signer, Verifier, every_variant};
use bearerbench::auth::token::{Policy, base64url};
use bearerbench::registry::Part;

use crate::fixtures::{self, Fixture};

/// One scheme of each kind, by its default library: a hash, a curve, a lattice. What surrounds the signature is the same
/// for all, and what is inside other libraries changes with `Cargo.lock` alone.
pub(crate) const GATED: &[&str] = &["HS256", "ES256", "ML-DSA-65"];

/// What is counted.
pub(crate) fn gated() -> Vec<Part<dyn SignatureScheme>> {
    every_variant().filter(|variant| GATED.contains(&&*variant.to_string())).collect()
}

/// A signature, and what checks it.
pub(crate) struct Verification {
    pub(crate) verifier: Box<dyn Verifier>,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Everything is done once before it is counted: libraries look at the processor, seed generators and allocate
/// when they are first used.
pub(crate) fn verification(index: usize) -> Verification {
    let variant = &gated()[index];
    let Fixture { token, key, .. } = fixtures::of(&fixtures::scheme(variant));
    let (message, signature) = token.rsplit_once('.').expect("a token has three parts");
    let case = Verification {
        verifier: variant.verifier(&key.public).expect("a key for the scheme"),
        message: message.as_bytes().to_vec(),
        signature: base64url::decode(signature).expect("a token is base64url"),
    };
    assert!(case.verifier.verifies(&case.message, &case.signature), "{variant} refuses its fixture");
    case
}

/// Two messages, and what signs them: signers whose attempts are random are easier told from the others by two.
pub(crate) struct Signing {
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) messages: [Vec<u8>; 2],
}

pub(crate) fn signing(index: usize) -> Signing {
    let variant = &gated()[index];
    let Fixture { token, key, .. } = fixtures::of(&fixtures::scheme(variant));
    let (message, _) = token.rsplit_once('.').expect("a token has three parts");
    let signer = variant.signer(&key).expect("a key for the scheme");
    signer.sign(message.as_bytes()).expect("it signs");
    Signing { signer, messages: [message.bytes().collect(), message.bytes().rev().collect()] }
}

/// A token, and what decides on it.
pub(crate) struct WholeToken {
    pub(crate) keys: KeyRing,
    pub(crate) policy: Policy,
    pub(crate) token: String,
}

pub(crate) fn whole_token(index: usize) -> WholeToken {
    let variant = &gated()[index];
    let Fixture { token, key, .. } = fixtures::of(&fixtures::scheme(variant));
    let trust = Trust { shared_key: Some(key.public), scheme: Some(variant.clone()) };
    let case =
        WholeToken { keys: KeyRing::new(&JwkSet::default(), &trust), policy: fixtures::policy(), token };
    case.decide().unwrap_or_else(|rejection| panic!("{variant}: the fixture is refused: {rejection:?}"));
    case
}
