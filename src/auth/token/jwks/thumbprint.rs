//! Names for keys: RFC 7638 thumbprints.

use aws_lc_rs::digest;

use crate::auth::token::base64url::{self, Secret};
use crate::auth::token::jwks::KeyMaterial;

/// SHA-256 over the required members in the order of their names, no white space (RFC 7638 section 3).
/// For `AKP` the algorithm is one of them (RFC 9964 section 6).
pub(super) fn thumbprint(alg: &str, material: &KeyMaterial) -> String {
    let members = match material {
        KeyMaterial::EllipticCurve { crv, x, y } => {
            format!(r#"{{"crv":{},"kty":"EC","x":"{x}","y":"{y}"}}"#, quoted(crv))
        }
        KeyMaterial::OctetKeyPair { crv, x } => {
            format!(r#"{{"crv":{},"kty":"OKP","x":"{x}"}}"#, quoted(crv))
        }
        KeyMaterial::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        KeyMaterial::AlgorithmKeyPair { public } => {
            format!(r#"{{"alg":{},"kty":"AKP","pub":"{public}"}}"#, quoted(alg))
        }
        KeyMaterial::Octets { k } => {
            return digest_of(&zeroize::Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, *text(k))));
        }
        KeyMaterial::Nothing => return "none".to_owned(),
    };
    digest_of(&members)
}

/// As JSON writes it: what a stranger calls a curve may hold quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn text(secret: &Secret) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(base64url::encode(secret.expose()))
}

fn digest_of(members: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, members.as_bytes()))
}
