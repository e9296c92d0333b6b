//! Keys of the RFCs. Those of openssl and of every scheme, and texts that are none, are in `tests/command`.

use aws_lc_rs::encoding::AsRawBytes as _;
use aws_lc_rs::signature::{KeyPair as _, ML_DSA_44_SIGNING, PqdsaKeyPair};
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::OctetStringRef;

use super::*;
use crate::auth::token::jwks::PrivateJwk;

fn one_of(text: &str, alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let mut keys = read(text, alg)?;
    assert_eq!(keys.len(), 1, "{keys:?}");
    Ok(keys.remove(0))
}

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn the_keys_of_rfc_8410_are_read_and_belong_together() {
    let key = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let with_public = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcN\
                       AQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let public = one_of(&pem("PUBLIC KEY", public), None).unwrap().public;
    let (one, two) = (pem("PRIVATE KEY", key), pem("PRIVATE KEY", with_public));
    assert_eq!(one_of(&one, None).unwrap().public, public);
    assert_eq!(one_of(&two, None).unwrap().public, public);
    assert_eq!(*private(&one_of(&two, None).unwrap()).unwrap(), one);
    let other = pem("PRIVATE KEY", &with_public.replace("Gb9ECWmE", "Gb9ECWmF"));
    assert!(one_of(&other, None).unwrap_err().to_string().contains("halves"));
}

/// The private keys of RFC 9881 appendix C.1 have this seed.
fn seed() -> Vec<u8> {
    (0..32).collect()
}

#[test]
fn the_seed_of_rfc_9881_is_read_alone_and_with_the_expanded_key_that_must_fit() {
    let text = pem("PRIVATE KEY", "MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
    let key = one_of(&text, None).unwrap();
    assert_eq!(key.private.akp.as_ref().unwrap().expose(), seed());
    assert_eq!(key.public.alg, "ML-DSA-44");
    assert_eq!(*private(&key).unwrap(), text);

    let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &seed()).unwrap();
    let expanded = pair.private_key().as_raw_bytes().unwrap();
    let mut other = expanded.as_ref().to_vec();
    let (seed, expanded) = (octets(&seed()), octets(expanded.as_ref()));
    assert_eq!(one_of(&ml_dsa(&sequence(&[&seed, &expanded])), None).unwrap(), key);
    assert_eq!(key.public, PrivateJwk::akp("ML-DSA-44", pair.public_key().as_ref(), &[][..]).public);
    other[100] ^= 1;
    let unfit = ml_dsa(&sequence(&[&seed, &octets(&other)]));
    assert!(one_of(&unfit, None).unwrap_err().to_string().contains("halves"));
    assert!(
        one_of(&ml_dsa(&expanded), None).unwrap_err().to_string().contains("the ML-DSA-44 key has no seed")
    );
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    OctetStringRef::new(bytes).unwrap().to_der().unwrap()
}

fn sequence(members: &[&[u8]]) -> Vec<u8> {
    let content = members.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], &content].concat()
}

/// ML-DSA-44 in PKCS#8 with this private key inside.
fn ml_dsa(inner: &[u8]) -> String {
    let algorithm = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17];
    let key = sequence(&[&[2, 1, 0], &algorithm, &octets(inner)]);
    pkcs8::SecretDocument::try_from(key)
        .unwrap()
        .to_pem("PRIVATE KEY", pkcs8::LineEnding::LF)
        .unwrap()
        .to_string()
}
