//! Keys of openssl and of the RFCs, and every scheme of the registry there and back.

use std::io::Write as _;
use std::process::{Command, Stdio};

use aws_lc_rs::encoding::AsRawBytes as _;
use aws_lc_rs::signature::{KeyPair as _, ML_DSA_44_SIGNING, PqdsaKeyPair};
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::OctetStringRef;

use super::*;
use crate::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use crate::registry::Part;

fn private_of(text: &str, alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    match read(text, alg)? {
        PemKey::Private(key) => Ok(key),
        PemKey::Public(key) => panic!("public: {key:?}"),
    }
}

fn public_of(text: &str, alg: Option<&str>) -> Result<Jwk, PemError> {
    match read(text, alg)? {
        PemKey::Private(_) => panic!("private"),
        PemKey::Public(key) => Ok(key),
    }
}

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn a_key_of_every_scheme_comes_back_from_pem_as_it_was_or_is_refused_with_another_format() {
    let mut written = 0;
    for entry in SIGNATURE_SCHEMES.entries {
        let scheme = Part::<dyn SignatureScheme>::named(entry.name).unwrap();
        let key = scheme.generate().unwrap();
        match private(&key) {
            Ok(text) => {
                assert_eq!(private_of(&text, Some(scheme.alg())).unwrap(), key, "{scheme}");
                let text = public(&key.public).unwrap();
                assert_eq!(public_of(&text, Some(scheme.alg())).unwrap(), key.public, "{scheme}");
                written += 1;
            }
            Err(error) => {
                assert!(matches!(error, PemError::NoPem(_)), "{scheme}: {error}");
                assert!(error.to_string().contains("--format jwk"), "{error}");
            }
        }
    }
    assert!(written >= 2, "ES256 and ML-DSA-65 have a PEM form");
}

#[test]
fn the_keys_of_rfc_8410_are_read_and_belong_together() {
    let key = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let with_public = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcN\
                       AQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let public = public_of(&pem("PUBLIC KEY", public), None).unwrap();
    let (one, two) = (pem("PRIVATE KEY", key), pem("PRIVATE KEY", with_public));
    assert_eq!(private_of(&one, None).unwrap().public, public);
    assert_eq!(private_of(&two, None).unwrap().public, public);
    assert_eq!(*private(&private_of(&two, None).unwrap()).unwrap(), one);
    let other = pem("PRIVATE KEY", &with_public.replace("Gb9ECWmE", "Gb9ECWmF"));
    assert!(matches!(private_of(&other, None), Err(PemError::Inconsistent(_))));
}

/// The private keys of RFC 9881 appendix C.1 have this seed.
fn seed() -> Vec<u8> {
    (0..32).collect()
}

#[test]
fn the_seed_of_rfc_9881_is_read_alone_and_with_the_expanded_key_that_must_fit() {
    let text = pem("PRIVATE KEY", "MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
    let key = private_of(&text, None).unwrap();
    assert_eq!(key.private.akp.as_ref().unwrap().expose(), seed());
    assert_eq!(key.public.alg, "ML-DSA-44");
    assert_eq!(*private(&key).unwrap(), text);

    let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &seed()).unwrap();
    let expanded = pair.private_key().as_raw_bytes().unwrap();
    let mut other = expanded.as_ref().to_vec();
    let (seed, expanded) = (octets(&seed()), octets(expanded.as_ref()));
    assert_eq!(private_of(&ml_dsa(&sequence(&[&seed, &expanded])), None).unwrap(), key);
    assert_eq!(key.public, PrivateJwk::akp("ML-DSA-44", pair.public_key().as_ref(), &[][..]).public);
    other[100] ^= 1;
    let unfit = ml_dsa(&sequence(&[&seed, &octets(&other)]));
    assert!(matches!(private_of(&unfit, None), Err(PemError::Inconsistent("ML-DSA-44"))));
    assert!(matches!(private_of(&ml_dsa(&expanded), None), Err(PemError::NoSeed("ML-DSA-44"))));
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
fn texts_that_are_no_keys_are_refused_with_what_to_do() {
    let refused = |text: &str, words: &str| {
        let error = read(text, None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused("hello", "-----BEGIN");
    refused("-----BEGIN PUBLIC KEY-----\nAAAA", "-----END");
    refused(&pem("PUBLIC KEY", "not base64!"), "damaged");
    refused(&pem("PUBLIC KEY", "MAMCAQA="), "SubjectPublicKeyInfo");
    refused(&pem("CERTIFICATE", "MAMCAQA="), "openssl x509 -pubkey");
    refused(&pem("ENCRYPTED PRIVATE KEY", "MAMCAQA="), "decrypt it first");
    // X25519 (RFC 8410), which signs nothing.
    refused(
        &pem("PUBLIC KEY", "MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="),
        "1.3.101.110",
    );
    let ed25519 = pem("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    let error = read(&ed25519, Some("ES256")).unwrap_err();
    assert_eq!(error.to_string(), "the PEM key is for Ed25519, not for ES256");
}

#[test]
#[ignore = "needs openssl"]
fn openssl_and_this_program_write_the_same_key_alike() {
    let kinds: [(&[&str], Option<&str>, Option<&str>); 5] = [
        (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], Some("RS256"), Some("rsa")),
        (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], Some("PS256"), Some("rsa")),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], None, Some("ec")),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], None, Some("ec")),
        (&["-algorithm", "ED25519"], None, None),
    ];
    for (options, alg, older) in kinds {
        let text = openssl(&[&["genpkey"], options].concat(), "");
        let key = private_of(&text, alg).unwrap();
        assert_eq!(*private(&key).unwrap(), text, "{options:?}");
        let spki = openssl(&["pkey", "-pubout"], &text);
        assert_eq!(public_of(&spki, alg).unwrap(), key.public, "{options:?}");
        assert_eq!(public(&key.public).unwrap(), spki, "{options:?}");
        if let Some(older) = older {
            let traditional: &[&str] = if older == "rsa" { &["rsa", "-traditional"] } else { &["ec"] };
            assert_eq!(private_of(&openssl(traditional, &text), alg).unwrap(), key, "{options:?}");
        }
        if older == Some("rsa") {
            assert!(matches!(read(&text, None), Err(PemError::WhichRsa)));
            assert!(matches!(read(&text, Some("ES256")), Err(PemError::OtherAlgorithm { .. })));
        }
    }
    let with_parameters = openssl(&["ecparam", "-name", "prime256v1", "-genkey"], "");
    assert!(with_parameters.contains("BEGIN EC PARAMETERS"));
    assert_eq!(private_of(&with_parameters, None).unwrap().public.alg, "ES256");
}

fn openssl(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("openssl is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}
