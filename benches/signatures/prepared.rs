//! Keys, messages and signatures that all libraries of a scheme share.

use std::time::{Duration, Instant};

use bearerbench::auth::token::jwks::PrivateJwk;
use bearerbench::auth::token::signature::{SignatureScheme, every_variant};
use bearerbench::registry::{Choice, Part};

use crate::timed;

/// A library of a scheme.
pub(crate) type Variant = Part<dyn SignatureScheme>;

/// As many characters as header and payload of an RFC 9068 token with 400 bytes of claims have.
const MESSAGE_BYTES: usize = 640;

/// So many that no library gains from having seen a signature before.
const SIGNATURES: usize = 256;

/// Or as many as can be made in this time, for those that take long.
const SIGNING: Duration = Duration::from_millis(500);

/// A key, and messages that it signed.
pub(crate) struct Prepared {
    pub(crate) key: PrivateJwk,
    pub(crate) signed: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Prepared {
    /// Made by this library. At least two signatures, and no more unless something is `measured`.
    pub(crate) fn new(variant: &Variant, measured: bool) -> Self {
        let key = variant.generate().expect("a key");
        let signer = variant.signer(&key).expect("a key for the scheme");
        let (start, mut pairs) = (Instant::now(), Vec::new());
        while pairs.len() < 2 || measured && pairs.len() < SIGNATURES && start.elapsed() < SIGNING {
            let message = Self::message(pairs.len() as u64);
            let signature = signer.sign(&message).expect("it signs");
            pairs.push((message, signature));
        }
        Self { key, signed: pairs }
    }

    /// A message like no other, as long as every other.
    pub(crate) fn message(number: u64) -> Vec<u8> {
        let mut message = vec![b'a'; MESSAGE_BYTES];
        message[..8].copy_from_slice(&number.to_be_bytes());
        message
    }
}

/// The name of a variant in reports. One that fails its peers' vectors carries that with it.
pub(crate) fn title(variant: &Variant) -> String {
    let mark = if variant.facts().conformance.is_trusted() { "" } else { " (NOT conforming)" };
    format!("{variant}{mark}")
}

/// The libraries of each scheme and key size, the default first.
pub(crate) fn by_scheme() -> Vec<Vec<Variant>> {
    let mut schemes: Vec<(Choice, Vec<Variant>)> = Vec::new();
    for variant in every_variant() {
        let scheme = without_library(&variant);
        match schemes.iter_mut().find(|(known, _)| *known == scheme) {
            Some((_, libraries)) => libraries.push(variant),
            None => schemes.push((scheme, vec![variant])),
        }
    }
    schemes.into_iter().map(|(_, libraries)| libraries).collect()
}

fn without_library(variant: &Variant) -> Choice {
    let written = serde_json::to_value(variant).expect("a choice is plain data");
    let mut choice: Choice = serde_json::from_value(written).expect("it was a choice");
    choice.settings.remove("library");
    choice
}

/// How long it takes once, the second time: the first one prepares what libraries prepare when they are first used.
pub(crate) fn once(operation: &mut impl FnMut()) -> Duration {
    let first = timed(&mut *operation);
    if first > Duration::from_millis(100) { first } else { timed(operation) }
}
