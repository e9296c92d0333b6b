//! Writes the seeds of the fuzz target: `cargo test --test tokens -- --ignored seeds`.

use std::fs;
use std::path::Path;

use crate::attacks::table;
use crate::property::{NOW, SECRET};
use crate::workshop::{Key, now, schemes};

/// Larger ones are refused by their size alone.
const LARGEST: usize = 4_096;

#[test]
#[ignore = "writes files into the repository"]
fn seeds_of_the_fuzz_target_are_the_rows_of_the_attack_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/token");
    fs::create_dir_all(&folder).unwrap();
    let scheme = schemes().into_iter().find(|scheme| scheme.answers_to("HS256")).expect("registered");
    let mut key = Key::generate(&scheme);
    key.pair.public = bearerbench::auth::token::jwks::Jwk::new(
        "HS256",
        bearerbench::auth::token::jwks::KeyMaterial::Octets { k: SECRET[..].into() },
    );
    key.signer = scheme.signer(&key.pair).unwrap();
    for row in table(&key).into_iter().filter(|row| row.token.len() <= LARGEST) {
        let name: String =
            row.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        fs::write(folder.join(name), dated(&key, &row.token)).unwrap();
    }
}

/// The same claims around the date that the fuzz target goes by, so that the seeds do not age. What was signed rightly
/// is signed again.
fn dated(key: &Key, token: &str) -> String {
    use bearerbench::auth::token::base64url::{decode, encode};
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    if let Some(payload) = parts.get(1).and_then(|part| decode(part).ok())
        && let Ok(mut text) = String::from_utf8(payload)
    {
        for offset in [0, 60, 3_600] {
            text = text.replace(&(now() + offset).to_string(), &(NOW + offset).to_string());
        }
        parts[1] = encode(text);
    }
    match token.rsplit_once('.') {
        Some((message, _)) if parts.len() == 3 && key.signed(message) == token => {
            key.signed(&parts[..2].join("."))
        }
        _ => parts.join("."),
    }
}
