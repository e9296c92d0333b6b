//! Opaque tokens: nothing but randomness.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A fresh token: 256 random bits as 43 characters of base64url (RFC 6749 section 10.10 asks for 160 bits).
pub fn mint() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system gives randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
