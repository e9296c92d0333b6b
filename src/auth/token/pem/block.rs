//! The blocks of a PEM text, read as laxly as RFC 7468 section 2 allows: white space may stand wherever it likes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::auth::token::pem::PemError;

/// What stands between BEGIN and END.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Every block; what stands around them is for people.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, PemError> {
    let damaged = |why: &str| PemError::NotPem(why.to_owned());
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        // Where the dashes behind the label are damaged, the key would stand in it.
        let is_label = |label: &str| {
            label.len() < 40 && label.bytes().all(|byte| b" .#".contains(&byte) || is_upper(byte))
        };
        let label = begun.split_once("-----").filter(|(label, _)| is_label(label));
        let (label, behind) = label.ok_or_else(|| damaged("a line with -----BEGIN is damaged"))?;
        let end = format!("-----END {label}-----");
        let (body, behind) =
            behind.split_once(&end).ok_or_else(|| damaged(&format!("it has no line {end}")))?;
        blocks.push(Block { label, bytes: bytes(label, body)? });
        rest = behind;
    }
    if blocks.is_empty() {
        return Err(damaged("it has no line with -----BEGIN"));
    }
    Ok(blocks)
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn bytes(label: &str, body: &str) -> Result<Zeroizing<Vec<u8>>, PemError> {
    if body.contains("Proc-Type:") && body.contains("ENCRYPTED") {
        return Err(PemError::Label { found: format!("{label}, encrypted"), advice: DECRYPT });
    }
    let damaged = |why: &str| PemError::NotPem(format!("the block {label:?} is damaged: {why}"));
    if body.contains("\\n") {
        return Err(damaged("it has the two characters \\n where lines should end; `printf %b` mends it"));
    }
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let packed: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b).collect());
    if !packed.iter().all(is_base64) {
        return Err(damaged("something else than base64 stands in it"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(packed.len()));
    STANDARD
        .decode_vec(&packed, &mut bytes)
        .map_err(|_| damaged("its base64 is cut off or has a stray character"))?;
    Ok(bytes)
}

pub(super) const DECRYPT: &str = "; decrypt it first: openssl pkey -in FILE -out PLAIN";
