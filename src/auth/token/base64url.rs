//! Bytes in JSON and in tokens: base64url without padding (RFC 7515 section 2), by SIMD where the processor has it.

use std::fmt;
use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Bytes that JSON holds in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Base64Url(Vec<u8>);

/// Bytes that nobody else may know: never printed, overwritten when they are dropped. JSON holds them in base64url.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// A text that is not the one form in which base64url writes some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url without padding (RFC 7515 section 2)")]
pub struct NotBase64Url;

/// The characters for these bytes.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends the characters for these bytes.
pub fn encode_into(bytes: &[u8], text: &mut String) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// The bytes that the characters stand for. Padding, other characters and stray bits are refused.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, NotBase64Url> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| NotBase64Url)
}

/// Appends the bytes that the characters stand for; what `decode` refuses, this refuses, and then appends nothing.
pub fn decode_into(text: &str, bytes: &mut Vec<u8>) -> Result<(), NotBase64Url> {
    base64_simd::URL_SAFE_NO_PAD.decode_append(text, bytes).map_err(|_| NotBase64Url)
}

impl From<&[u8]> for Base64Url {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Base64Url {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Base64Url {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Base64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Base64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        decode(text.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl Secret {
    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    /// In a time that does not depend on where they differ.
    fn eq(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        decode(text.as_bytes()).map(Self::from).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// Lengths around every step of the SIMD code, which takes 32 characters at once and does the rest otherwise.
    const LENGTHS: std::ops::Range<usize> = 0..140;

    #[test]
    fn every_length_comes_back_as_it_was() {
        for length in LENGTHS {
            let bytes: Vec<u8> =
                (0..length).map(|at| u8::try_from((at * 91 + length) % 256).unwrap()).collect();
            let text = encode(&bytes);
            assert_eq!(decode(&text).as_ref(), Ok(&bytes), "{text}");
            let mut appended = vec![7];
            decode_into(&text, &mut appended).unwrap();
            assert_eq!(appended[1..], bytes);
        }
    }

    /// Each byte that is no character of the alphabet (padding, white space, NUL, `+`, `/` among them), at every place.
    #[test]
    fn every_other_character_is_refused_wherever_it_stands() {
        for length in LENGTHS {
            let good = encode(vec![0x5a; length]).into_bytes();
            for at in 0..good.len() {
                for byte in (0..=255_u8).filter(|byte| !ALPHABET.contains(byte)) {
                    let mut bad = good.clone();
                    bad[at] = byte;
                    assert_eq!(decode(&bad), Err(NotBase64Url), "{byte} at {at} of {}", good.len());
                }
            }
        }
    }

    #[test]
    fn of_all_texts_for_the_same_bytes_only_the_one_without_padding_and_stray_bits_is_taken() {
        for length in LENGTHS {
            let text = encode(vec![0x5a; length]);
            for padded in [format!("{text}="), format!("{text}=="), format!("{text}\n"), format!(" {text}")] {
                assert_eq!(decode(&padded), Err(NotBase64Url), "{padded:?}");
            }
            if text.len() % 4 == 0 {
                assert_eq!(decode(format!("{text}A")), Err(NotBase64Url), "six bits are no byte");
                continue;
            }
            // The last character of the others says less than six bits: the rest must be zero.
            let (body, last) = text.split_at(text.len() - 1);
            let others = ALPHABET.iter().map(|other| format!("{body}{}", char::from(*other)));
            let taken = others.filter(|other| decode(other).is_ok()).count();
            let stray_bits = if text.len() % 4 == 2 { 4 } else { 2 };
            assert_eq!(taken, 64 >> stray_bits, "{last}: as many as there are values of the bits that count");
        }
    }
}
