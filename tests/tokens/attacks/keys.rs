//! Signatures by one key or algorithm that pass for another's.

use aws_lc_rs::hmac;
use bearerbench::auth::token::jwks::KeyMaterial;
use bearerbench::auth::token::{Rejection, base64url};
use serde_json::{Value, json};

use super::{Row, harmless, row};
use crate::workshop::{KEYS, Key, claims, with, without};

/// Against a ring of `key`, `second` and one more.
pub(super) fn rows(key: &Key, second: &Key, stranger: &Key) -> Vec<Row> {
    let payload = claims().to_string();
    let named = |kid: &str, by: &Key| by.token(with(by.header(), "kid", kid).to_string(), &payload);
    let embedded = |header: Value| stranger.token(header.to_string(), &payload);
    let public = serde_json::to_value(&stranger.pair.public).expect("plain data");
    let own = stranger.header();
    let posing = with(own.clone(), "kid", second.kid());
    let mut rows = vec![
        row("of a stranger", stranger.good(), Rejection::UnknownKey),
        row("of a stranger under the name of a key", named(second.kid(), stranger), Rejection::BadSignature),
        row(
            "without the name of its key, and there are several",
            second.token(without(second.header(), "kid").to_string(), &payload),
            Rejection::UnnamedKey,
        ),
    ];
    for (name, value) in [
        ("jwk", public),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let unknown = embedded(with(own.clone(), name, value.clone()));
        rows.push(row(format!("{name} with a key of its own"), unknown, Rejection::UnknownKey));
        let posing = embedded(with(posing.clone(), name, value));
        rows.push(row(format!("{name} under the name of a key"), posing, Rejection::BadSignature));
    }
    rows.extend(KEYS.iter().filter(|other| other.alg() != key.alg()).flat_map(|other| disguised(key, other)));
    rows.extend(public_key_as_secret(key));
    rows
}

/// A signature of another algorithm, under its own name and under that of the key.
fn disguised(key: &Key, other: &Key) -> [Row; 2] {
    // Whatever it signs: some schemes take long.
    static MESSAGE: &str = "message";
    let signature = base64url::encode(other.signer.sign(MESSAGE.as_bytes()).expect("it signs"));
    let token = |header: &Value| {
        let message =
            format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims().to_string()));
        format!("{message}.{signature}")
    };
    let (name, alg) = (&other.scheme, with(key.header(), "alg", other.alg()));
    [
        row(format!("{name} for its key"), token(&alg), Rejection::WrongAlgorithm),
        row(format!("signature of {name}"), token(&key.header()), Rejection::BadSignature),
    ]
}

/// HMAC with what everybody knows as its secret (RFC 8725 section 2.1).
fn public_key_as_secret(key: &Key) -> Vec<Row> {
    let jwk = serde_json::to_string(&key.pair.public).expect("plain data");
    let mut secrets = vec![("JWK", jwk.into_bytes()), ("kid", key.kid().into()), ("nothing", Vec::new())];
    let (bytes, der) = match &key.pair.public.material {
        KeyMaterial::EllipticCurve { crv, x, y } => {
            let point = [&[4], &x[..], &y[..]].concat();
            let curve: &[u8] = if crv == "P-256" {
                &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]
            } else {
                &[6, 5, 0x2b, 0x81, 4, 0, 0x22]
            };
            let algorithm = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], curve].concat();
            (point.clone(), spki(&algorithm, &point))
        }
        KeyMaterial::Rsa { n, e } => {
            let key = der(0x30, &[integer(n), integer(e)].concat());
            let algorithm = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0xd, 1, 1, 1, 5, 0];
            (n.to_vec(), spki(&algorithm, &key))
        }
        KeyMaterial::OctetKeyPair { x, .. } => (x.to_vec(), spki(&[6, 3, 0x2b, 0x65, 0x70], x)),
        // The form alone matters here, not which of the ML-DSA it says (17 to 19).
        KeyMaterial::AlgorithmKeyPair { public } => {
            (public.to_vec(), spki(&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], public))
        }
        KeyMaterial::Octets { .. } | KeyMaterial::Nothing => return Vec::new(),
    };
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
    secrets.extend([
        ("PEM", pem.clone().into_bytes()),
        ("PEM with a line end", format!("{pem}\n").into_bytes()),
        ("DER", der),
        ("base64url", base64url::encode(&bytes).into_bytes()),
        ("bytes", bytes),
    ]);
    let hashes = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    let mut rows = Vec::new();
    for (form, secret) in &secrets {
        for (alg, hash) in hashes {
            let header = with(key.header(), "alg", alg).to_string();
            let message =
                format!("{}.{}", base64url::encode(header), base64url::encode(claims().to_string()));
            let tag = hmac::sign(&hmac::Key::new(hash, secret), message.as_bytes());
            let token = format!("{message}.{}", base64url::encode(tag));
            rows.push(row(format!("{alg} with the {form} of the key"), token, Rejection::WrongAlgorithm));
        }
    }
    rows
}

/// Other forms of a good signature, against a ring of its key alone.
pub(super) fn signature_rows(key: &Key) -> Vec<Row> {
    let good = key.good();
    let (message, text) = good.rsplit_once('.').expect("three parts");
    let signature = base64url::decode(text).expect("base64url");
    let token = |signature: &[u8]| format!("{message}.{}", base64url::encode(signature));
    let bad = |name: &str, signature: &[u8]| row(name, token(signature), Rejection::BadSignature);
    let mut rows = vec![
        bad("signature cut", &signature[..signature.len() - 1]),
        bad("signature with a zero byte more", &[&signature[..], &[0]].concat()),
        bad("signature with a zero byte before", &[&[0], &signature[..]].concat()),
        bad("signature of zeros", &vec![0; signature.len()]),
        bad("signature of ones", &vec![0xff; signature.len()]),
        bad("signature twice", &[&signature[..], &signature[..]].concat()),
    ];
    if let KeyMaterial::EllipticCurve { crv, .. } = &key.pair.public.material {
        let (r, s) = signature.split_at(signature.len() / 2);
        let form = der(0x30, &[integer(r), integer(s)].concat());
        rows.push(bad(
            "signature in DER (RFC 7518 section 3.4 knows r and s one after the other only)",
            &form,
        ));
        rows.push(bad("r and s swapped", &[s, r].concat()));
        // Valid by design: ECDSA does not say which of s and n - s is meant, and tokens are not told apart by their
        // signatures here (revocation goes by `jti`).
        let mirrored = [r, &subtracted(&order(crv), s)].concat();
        rows.push(harmless("n - s instead of s", token(&mirrored)));
    }
    rows
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("keys are short").to_be_bytes();
    let length: &[u8] = match content.len() {
        0..=127 => &length[1..],
        128..=255 => &[0x81, length[1]],
        _ => &[0x82, length[0], length[1]],
    };
    [&[tag], length, content].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let sign: &[u8] = if bytes[start] & 0x80 == 0 { &[] } else { &[0] };
    der(2, &[sign, &bytes[start..]].concat())
}

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    der(0x30, &[der(0x30, algorithm), der(3, &[&[0], key].concat())].concat())
}

/// The order of the group (SEC 2 sections 2.4.2 and 2.5.1).
fn order(crv: &str) -> Vec<u8> {
    let hexadecimal = match crv {
        "P-256" => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "P-384" => {
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        other => panic!("the order of {other} is not known here"),
    };
    let byte = |at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).expect("hexadecimal");
    (0..hexadecimal.len()).step_by(2).map(byte).collect()
}

fn subtracted(from: &[u8], number: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut digits: Vec<u8> = from
        .iter()
        .zip(number)
        .rev()
        .map(|(a, b)| {
            let (difference, first) = a.overflowing_sub(*b);
            let (difference, second) = difference.overflowing_sub(u8::from(borrow));
            borrow = first || second;
            difference
        })
        .collect();
    digits.reverse();
    digits
}
