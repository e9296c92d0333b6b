//! How large tokens and published keys are, by arithmetic: nothing is signed.

use crate::auth::token::jwks::{Jwk, KeyMaterial};
use crate::auth::token::signature::{SignatureScheme, every_variant};
use crate::registry::Part;

/// Characters of base64url without padding for so many bytes.
const fn encoded(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Characters of an access token of this scheme with so many bytes of claims: header, claims and signature in
/// base64url with dots between them (RFC 7515 section 7.1).
pub fn token_characters(scheme: &dyn SignatureScheme, claims_bytes: usize) -> usize {
    let key = key_of_its_size(scheme);
    let header = serde_json::json!({ "alg": scheme.alg(), "kid": key.kid, "typ": "at+jwt" }).to_string();
    let signature = scheme.facts().signature_bytes as usize;
    encoded(header.len()) + 1 + encoded(claims_bytes) + 1 + encoded(signature)
}

/// Bytes of the scheme's key in a JWK Set (RFC 7517); `None` where a key must not be published.
pub fn published_key_bytes(scheme: &dyn SignatureScheme) -> Option<usize> {
    let key = key_of_its_size(scheme);
    let text = serde_json::to_string(&key).expect("a key is plain data");
    key.material.is_public().then_some(text.len())
}

/// Every scheme in every size of its signature, by its default library: another one makes tokens of the same size.
pub fn every_size() -> Vec<Part<dyn SignatureScheme>> {
    let mut sizes: Vec<Part<dyn SignatureScheme>> = Vec::new();
    for scheme in every_variant() {
        let same = |known: &Part<dyn SignatureScheme>| {
            known.kind() == scheme.kind() && known.facts().signature_bytes == scheme.facts().signature_bytes
        };
        if !sizes.iter().any(same) {
            sizes.push(scheme);
        }
    }
    sizes
}

/// Zeros in the form and size of a key of the scheme; the algorithm's name tells the type of its keys.
fn key_of_its_size(scheme: &dyn SignatureScheme) -> Jwk {
    let (alg, facts) = (scheme.alg(), scheme.facts());
    let zeros = |bytes: u32| vec![0; bytes as usize];
    let material = if alg == "none" {
        KeyMaterial::Nothing
    } else if facts.public_key_bytes == 0 {
        KeyMaterial::Octets { k: zeros(facts.signature_bytes).into() }
    } else if alg.starts_with("RS") || alg.starts_with("PS") {
        // A signature is as long as the modulus; every library here takes the exponent 65,537.
        KeyMaterial::Rsa { n: zeros(facts.signature_bytes).into(), e: zeros(3).into() }
    } else if let Some(bits) = alg.strip_prefix("ES") {
        // A signature is two numbers, each as long as a coordinate.
        let coordinate = zeros(facts.signature_bytes / 2);
        KeyMaterial::EllipticCurve {
            crv: format!("P-{bits}"),
            x: coordinate.clone().into(),
            y: coordinate.into(),
        }
    } else if alg == "Ed25519" {
        KeyMaterial::OctetKeyPair { crv: alg.to_owned(), x: zeros(facts.public_key_bytes).into() }
    } else {
        KeyMaterial::AlgorithmKeyPair { public: zeros(facts.public_key_bytes).into() }
    };
    Jwk::new(alg, material)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::jwt::SigningKey;

    /// Claims of exactly so many bytes of JSON.
    fn claims_of(bytes: usize) -> String {
        let claims =
            |scope: &str| serde_json::json!({ "iss": "https://as.example/", "scope": scope }).to_string();
        claims(&"r".repeat(bytes - claims("").len()))
    }

    #[test]
    fn tokens_and_published_keys_of_every_scheme_have_the_computed_size() {
        for scheme in every_size() {
            let key = SigningKey::generate(&*scheme).unwrap();
            for bytes in [300, 301, 302] {
                let token = key.sign_payload(claims_of(bytes).as_bytes()).unwrap();
                let spare = token_characters(&*scheme, bytes).checked_sub(token.len());
                // What ends in DER is a few bytes shorter at times.
                let shorter = if is_of_one_length(&*scheme) { 0 } else { 16 };
                assert!(spare.is_some_and(|spare| spare <= shorter), "{scheme} with {bytes} B: {spare:?}");
            }
            let published = serde_json::to_string(key.public()).unwrap().len();
            let is_public = key.public().material.is_public();
            assert_eq!(published_key_bytes(&*scheme), is_public.then_some(published), "{scheme}");
        }
    }

    /// False for composites, whose ECDSA half is DER.
    fn is_of_one_length(scheme: &dyn SignatureScheme) -> bool {
        !scheme.alg().contains("-ES")
    }

    #[test]
    fn every_scheme_is_there_and_in_every_size_once() {
        let sizes = every_size();
        for scheme in every_variant() {
            let facts = scheme.facts();
            let same = sizes.iter().filter(|size| {
                size.kind() == scheme.kind() && size.facts().signature_bytes == facts.signature_bytes
            });
            assert_eq!(same.count(), 1, "{scheme}");
        }
    }
}
