//! Keys of the RFCs, and texts that are none. Those of openssl and of every scheme are in `tests/command`.

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
    assert!(matches!(one_of(&other, None), Err(PemError::Inconsistent(_))));
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
    assert!(matches!(one_of(&unfit, None), Err(PemError::Inconsistent("ML-DSA-44"))));
    assert!(matches!(one_of(&ml_dsa(&expanded), None), Err(PemError::NoSeed("ML-DSA-44"))));
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

#[test]
fn white_space_stands_in_a_block_wherever_it_likes() {
    let base64 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let expected = one_of(&pem("PUBLIC KEY", base64), None).unwrap();
    let columns = |number: usize| {
        let lines = base64.as_bytes().chunks(number).map(|line| std::str::from_utf8(line).unwrap());
        lines.collect::<Vec<_>>()
    };
    let lines = |ending: &str, number| format!("{ending}{}{ending}", columns(number).join(ending));
    for body in [
        lines("\n", 48),
        lines("\n", 76),
        lines("\r\n", 64),
        lines("\r", 20),
        lines(" \t\n", 64),
        lines("\n\n", 64),
        lines("\n    ", 64),
        lines("\n", 1),
        base64.to_owned(),
        format!(" {base64}"),
    ] {
        for (before, behind) in [("", ""), ("\n \n", " \n\n"), ("subject=nobody\n", "\nissuer=nobody")] {
            let text = format!("{before}-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----{behind}");
            assert_eq!(one_of(&text, None).unwrap(), expected, "{text:?}");
        }
    }
}

#[test]
fn texts_that_are_no_keys_are_refused_with_what_to_do() {
    let ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let good = pem("PUBLIC KEY", ed25519);
    let x25519 = pem("PUBLIC KEY", &ed25519.replace("K2Vw", "K2Vu"));
    let cases = [
        ("hello".to_owned(), "it has no line with -----BEGIN"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA".to_owned(), "it has no line -----END PUBLIC KEY-----"),
        (good.replace("END PUBLIC", "END PRIVATE"), "it has no line -----END PUBLIC KEY-----"),
        (good.replacen("KEY-----", "KEY----", 1), "a line with -----BEGIN is damaged"),
        (good.replace("BQYD", "BQ!D"), "something else than base64"),
        (good.replace("BQYD", "BQ\\nYD"), "printf %b"),
        (good.replace("BQYD", "BQD"), "its base64 is cut off"),
        (pem("PUBLIC KEY", "MAMCAQA="), "SubjectPublicKeyInfo"),
        (pem("PRIVATE KEY", "MAMCAQA="), "PKCS#8"),
        (pem("RSA PRIVATE KEY", "MAMCAQA="), "say so, like --alg RS256"),
        (pem("CERTIFICATE", "MAMCAQA="), "openssl x509 -pubkey"),
        (pem("ENCRYPTED PRIVATE KEY", "MAMCAQA="), "decrypt it first"),
        (pem("OPENSSH PRIVATE KEY", "MAMCAQA="), "ssh-keygen -p"),
        (pem("PKCS #7 SIGNED DATA", "MAMCAQA="), "\"PKCS #7 SIGNED DATA\", expected"),
        (x25519.clone(), "X25519 (1.3.101.110), which is not supported"),
        (good.clone() + &x25519, "block 2 of the file, \"PUBLIC KEY\": a key for X25519"),
        (pem("CERTIFICATE", "MAMCAQA=") + &pem("DH PARAMETERS", "MAMCAQA="), "block 2 of the file"),
    ];
    for (text, words) in cases {
        let error = format!("{:#}", anyhow::Error::from(read(&text, None).unwrap_err()));
        assert!(error.contains(words), "{words:?} is not in {error}");
        assert!(!error.contains("Gb9ECWmE"), "{error} tells what stands in the block");
    }
    let error = read(&good, Some("ES256")).unwrap_err();
    assert_eq!(error.to_string(), "the PEM key is for Ed25519, not for ES256");
    assert_eq!(read(&(pem("CERTIFICATE", "MAMCAQA=") + &good), None).unwrap().len(), 1);
}
