//! Proofs by the examples of RFC 9449, and by one change after the other to a good one.

use serde_json::{Value, json};

use super::uri::normal;
use super::*;
use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{TokenId, UnixTime};
use crate::registry::Part;

/// RFC 9449 section 7.1: the proof of a request to a resource, its access token and its resource.
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo\
                     RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19\
                     .eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN\
                     0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9\
                     .2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const RESOURCE: &str = "https://resource.example.org/protectedresource";
const NOW: UnixTime = UnixTime::from_secs(1_562_262_618);
/// RFC 9449 section 6.1: the thumbprint of its key.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn scheme(alg: &str) -> Part<dyn SignatureScheme> {
    Part::named(alg).unwrap()
}

fn rules(alg: &str) -> ProofRules {
    let max_age = std::time::Duration::from_mins(1);
    ProofRules { algorithm: scheme(alg), max_age, nonce: false, replay_cache: 1_000 }
}

fn verifier() -> ProofVerifier {
    ProofVerifier::new(rules("ES256"), RESOURCE).unwrap()
}

fn decide(verifier: &ProofVerifier, proof: &str) -> Result<AcceptedProof, ProofFault> {
    verifier.verify("GET", [proof], Some(TOKEN), NOW)
}

#[test]
fn the_example_of_the_standard_is_accepted_once() {
    let verifier = verifier();
    let accepted = AcceptedProof { thumbprint: THUMBPRINT.to_owned(), has_former_nonce: false };
    assert_eq!(TokenId::of(TOKEN).to_base64url(), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    assert_eq!(decide(&verifier, PROOF), Ok(accepted));
    assert_eq!(decide(&verifier, PROOF), Err(ProofFault::Replayed));
    assert_eq!(verifier.verify("GET", [], Some(TOKEN), NOW), Err(ProofFault::Missing));
    assert_eq!(verifier.verify("GET", [PROOF, PROOF], Some(TOKEN), NOW), Err(ProofFault::Several));
    assert_eq!(verifier.counts(), ProofCounts { accepted: 1, refused: 3, forgotten: 0 });
}

#[test]
fn a_stolen_proof_is_of_no_use_for_another_request() {
    let other = ProofVerifier::new(rules("ES256"), "https://resource.example.org/other").unwrap();
    assert_eq!(decide(&other, PROOF), Err(ProofFault::Resource));
    let verifier = verifier();
    let at = |now| verifier.verify("GET", [PROOF], Some(TOKEN), UnixTime::from_secs(now));
    assert_eq!(verifier.verify("POST", [PROOF], Some(TOKEN), NOW), Err(ProofFault::Method));
    assert_eq!(verifier.verify("GET", [PROOF], Some("another"), NOW), Err(ProofFault::Token));
    assert_eq!(at(NOW.secs() + 61), Err(ProofFault::Date));
    assert_eq!(at(NOW.secs() - 6), Err(ProofFault::Date));
    // Nothing of that has used it up, and to the second it still counts.
    assert!(at(NOW.secs() + 60).is_ok());
    assert!(ProofVerifier::new(rules("ES256"), RESOURCE).unwrap().verify("GET", [PROOF], None, NOW).is_ok());
}

/// A key, and the header and claims of a good proof by it.
struct Forge {
    scheme: Part<dyn SignatureScheme>,
    key: PrivateJwk,
    header: Value,
    claims: Value,
}

impl Forge {
    fn of(alg: &str) -> Self {
        let scheme = scheme(alg);
        let key = scheme.generate().unwrap();
        let header = json!({ "typ": "dpop+jwt", "alg": alg, "jwk": public(&key.public) });
        let ath = TokenId::of(TOKEN).to_base64url();
        let claims =
            json!({ "jti": "1", "htm": "GET", "htu": RESOURCE, "iat": NOW.secs(), "ath": ath, "more": {} });
        Self { scheme, key, header, claims }
    }

    fn proof(&self) -> String {
        let signing = SigningKey::with_header(&*self.scheme, self.key.clone(), &self.header).unwrap();
        signing.sign_payload(self.claims.to_string().as_bytes()).unwrap()
    }

    /// What becomes of it after a change.
    fn changed(change: impl FnOnce(&mut Self)) -> Result<AcceptedProof, ProofFault> {
        let mut forge = Self::of("ES256");
        change(&mut forge);
        decide(&verifier(), &forge.proof())
    }
}

fn public(key: &Jwk) -> Value {
    serde_json::to_value(&key.material).unwrap()
}

#[test]
fn every_header_but_a_good_one_is_refused() {
    let with = |name: &str, value: Value| Forge::changed(|forge| forge.header[name] = value);
    assert!(with("kid", "any".into()).is_ok());
    assert!(with("typ", "DPoP+JWT".into()).is_ok());
    for typ in ["at+jwt", "JWT", "application/dpop+jwt", ""] {
        assert_eq!(with("typ", typ.into()), Err(ProofFault::Type), "{typ}");
    }
    for alg in ["HS256", "none", "ES384", "es256", ""] {
        assert_eq!(with("alg", alg.into()), Err(ProofFault::Algorithm), "{alg}");
    }
    assert_eq!(with("crit", json!(["b64"])), Err(ProofFault::Malformed));
    assert_eq!(with("alg", 1.into()), Err(ProofFault::Malformed));
    for name in ["typ", "alg", "jwk"] {
        let gone = Forge::changed(|forge| drop(forge.header.as_object_mut().unwrap().remove(name)));
        let fault = match name {
            "typ" => ProofFault::Type,
            "alg" => ProofFault::Algorithm,
            _ => ProofFault::Key,
        };
        assert_eq!(gone, Err(fault), "{name}");
    }
}

#[test]
fn the_key_of_a_proof_must_be_a_public_one_for_its_algorithm_and_the_one_that_signed() {
    let private = Forge::changed(|forge| forge.header["jwk"] = serde_json::to_value(&forge.key).unwrap());
    assert_eq!(private, Err(ProofFault::SecretKey));
    let with = |jwk: Value| Forge::changed(|forge| forge.header["jwk"] = jwk);
    assert_eq!(with(json!({ "kty": "oct", "k": "AAAA", "alg": "ES256" })), Err(ProofFault::SecretKey));
    assert_eq!(with(json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" })), Err(ProofFault::SecretKey));
    assert_eq!(with(public(&scheme("ES384").generate().unwrap().public)), Err(ProofFault::Key));
    assert_eq!(with(json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" })), Err(ProofFault::Key));
    assert_eq!(with(json!("key")), Err(ProofFault::Key));
    assert_eq!(with(public(&scheme("ES256").generate().unwrap().public)), Err(ProofFault::Signature));
    // Another key of the right kind, with which the thief has signed indeed, is another thumbprint.
    let thief = Forge::of("ES256");
    let accepted = decide(&verifier(), &thief.proof()).unwrap();
    assert_eq!(accepted.thumbprint, thief.key.public.thumbprint());
    assert_ne!(accepted.thumbprint, THUMBPRINT);
}

/// A proof signed with the public key of the client as if that were a secret both sides share.
#[test]
fn an_hmac_under_the_public_key_is_refused_even_where_the_server_was_told_to_accept_hmacs() {
    let mut forge = Forge::of("HS256");
    forge.header["jwk"] = public(&scheme("ES256").generate().unwrap().public);
    assert_eq!(decide(&verifier(), &forge.proof()), Err(ProofFault::Algorithm));
    let careless = ProofVerifier::new(rules("HS256"), RESOURCE).unwrap();
    assert_eq!(decide(&careless, &forge.proof()), Err(ProofFault::Key));
    assert_eq!(decide(&careless, &Forge::of("HS256").proof()), Err(ProofFault::SecretKey));
}

#[test]
fn every_claim_that_a_proof_must_have_is_asked_for() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let gone = Forge::changed(|forge| drop(forge.claims.as_object_mut().unwrap().remove(name)));
        assert_eq!(gone, Err(ProofFault::Lacks(name)));
        let odd = Forge::changed(|forge| forge.claims[name] = json!([]));
        assert_eq!(odd, Err(ProofFault::Malformed), "{name}");
    }
    let with = |name: &str, value: Value| Forge::changed(|forge| forge.claims[name] = value);
    assert_eq!(with("htm", "get".into()), Err(ProofFault::Method));
    assert_eq!(with("ath", TokenId::of("other").to_base64url().into()), Err(ProofFault::Token));
    assert_eq!(with("htu", "https://resource.example.org/".into()), Err(ProofFault::Resource));
    let equal = "HTTPS://RESOURCE.example.org:443/%70rotectedresource?a=b#c";
    assert!(with("htu", equal.into()).is_ok());
}

#[test]
fn what_is_no_jws_is_no_proof() {
    let good = Forge::of("ES256").proof();
    let twice = good.replacen('.', ".e30.", 1);
    for proof in ["", ".", "..", "a.b.c", &good[..good.len() - 1], &twice, &format!("{good}=")] {
        assert_eq!(decide(&verifier(), proof), Err(ProofFault::Malformed), "{proof}");
    }
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(decide(&verifier(), &format!("{message}.AAAA")), Err(ProofFault::Signature));
}

#[test]
fn a_proof_of_every_registered_algorithm_is_made_and_accepted() {
    for alg in ["RS256", "PS256", "ES256", "ES384", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] {
        let key = ProofKey::generate(&*scheme(alg)).unwrap();
        let request = ToProve { method: "GET", uri: RESOURCE, token: Some(TOKEN), nonce: None };
        let verifier = ProofVerifier::new(rules(alg), RESOURCE).unwrap();
        for _ in 0..2 {
            let proof = key.prove(&request, NOW).unwrap();
            let accepted = decide(&verifier, &proof).unwrap_or_else(|fault| panic!("{alg}: {fault}"));
            assert_eq!(accepted.thumbprint, key.thumbprint());
        }
    }
}

#[test]
fn a_server_that_asks_for_a_nonce_takes_the_newest_and_the_one_before() {
    let verifier = ProofVerifier::new(ProofRules { nonce: true, ..rules("ES256") }, RESOURCE).unwrap();
    let key = ProofKey::generate(&*scheme("ES256")).unwrap();
    let later = |seconds| UnixTime::from_secs(NOW.secs() + seconds);
    let sent = |nonce: Option<&str>, now| {
        let proof = key.prove(&ToProve { method: "GET", uri: RESOURCE, token: Some(TOKEN), nonce }, now);
        let accepted = verifier.verify("GET", [&*proof.unwrap()], Some(TOKEN), now);
        accepted.map(|accepted| accepted.has_former_nonce)
    };
    assert_eq!(sent(None, NOW), Err(ProofFault::Nonce));
    assert_eq!(sent(Some("of somebody else"), NOW), Err(ProofFault::Nonce));
    let nonce = verifier.nonce(NOW).unwrap();
    assert_eq!(sent(Some(&nonce), NOW), Ok(false));
    assert_eq!(sent(Some(&nonce), later(60)), Ok(true));
    assert_eq!(sent(Some(&nonce), later(120)), Err(ProofFault::Nonce));
    assert_eq!(sent(verifier.nonce(later(120)).as_deref(), later(120)), Ok(false));
    let another = ProofVerifier::new(ProofRules { nonce: true, ..rules("ES256") }, RESOURCE).unwrap();
    assert_ne!(another.nonce(NOW), Some(nonce));
    assert_eq!(ProofVerifier::new(rules("ES256"), RESOURCE).unwrap().nonce(NOW), None);
}

#[test]
fn of_many_who_use_one_proof_at_once_one_is_believed() {
    let verifier = verifier();
    let believed = std::thread::scope(|scope| {
        let uses: Vec<_> = (0..16).map(|_| scope.spawn(|| decide(&verifier, PROOF).is_ok())).collect();
        uses.into_iter().map(|thread| thread.join().unwrap()).filter(|is| *is).count()
    });
    assert_eq!(believed, 1);
}

#[test]
fn proofs_that_no_room_is_left_for_are_counted_and_the_newest_are_kept() {
    let replays = super::replays::Replays::new(100, std::time::Duration::from_mins(1));
    for number in 0..10_000 {
        assert!(replays.take("key", &number.to_string()), "{number}");
    }
    // moka brings its books up to date now and then.
    for number in 9_990..10_000 {
        assert!(!replays.take("key", &number.to_string()), "{number}");
    }
    assert!((8_000..=9_900).contains(&replays.forgotten()), "{}", replays.forgotten());
    assert!(replays.take("other key", "9999"));
}

#[test]
fn uris_are_compared_in_their_normal_form() {
    for (written, expected) in [
        ("http://a/b", Some("http://a/b")),
        ("HTTP://A:80/B?c#d", Some("http://a/B")),
        ("https://a:443", Some("https://a/")),
        ("https://a:80/", Some("https://a:80/")),
        ("http://a:/x", Some("http://a/x")),
        ("http://a/%7e%2f%41%2", Some("http://a/~%2FA%2")),
        ("http://a/%zz%é", Some("http://a/%zz%é")),
        ("http:///x", None),
        ("/resource", None),
        ("", None),
    ] {
        assert_eq!(normal(written).as_deref(), expected, "{written}");
    }
}
