//! The blocks of a PEM text, read as laxly as RFC 7468 section 2 allows: white space may stand wherever it likes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::auth::token::pem::PemError;

/// What stands between BEGIN and END. It may be a private key.
pub struct PemBlock<'a> {
    /// What it says that it is, like `CERTIFICATE`.
    pub label: &'a str,
    body: &'a str,
}

/// Every block, none if the text is not PEM; what stands around them is for people. Fails where a block has no end, or its first
/// line is damaged.
pub fn blocks(text: &str) -> Result<Vec<PemBlock<'_>>, PemError> {
    let damaged = |why: &str| PemError(format!("not PEM: {why}"));
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        // Where the dashes behind the label are damaged, the key would stand in it.
        let is_of_label =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" .#".contains(&byte);
        let is_label = |label: &str| label.len() < 40 && label.bytes().all(is_of_label);
        let label = begun.split_once("-----").filter(|(label, _)| is_label(label));
        let (label, behind) = label.ok_or_else(|| damaged("a line with -----BEGIN is damaged"))?;
        let end = format!("-----END {label}-----");
        let (body, behind) =
            behind.split_once(&end).ok_or_else(|| damaged(&format!("it has no line {end}")))?;
        blocks.push(PemBlock { label, body });
        rest = behind;
    }
    Ok(blocks)
}

impl PemBlock<'_> {
    /// Whether a password is needed to read it, by its label or by its first lines (RFC 1421 section 4.6, as openssl wrote it
    /// before PKCS#8).
    pub fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY"
            || self.body.contains("Proc-Type:") && self.body.contains("ENCRYPTED")
    }

    /// Its bytes. Fails if it is encrypted, or not base64.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let Self { label, body } = self;
        if self.is_encrypted() {
            return Err(PemError(format!("PEM of {label:?}, encrypted{DECRYPT}")));
        }
        let mut packed = Zeroizing::new(Vec::with_capacity(body.len()));
        packed.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b));
        let mut bytes = Zeroizing::new(Vec::with_capacity(body.len()));
        let why = match STANDARD.decode_vec(&packed, &mut bytes) {
            Ok(()) => return Ok(bytes),
            Err(_) if body.contains("\\n") => {
                "it has the two characters \\n where lines end; `printf %b` mends it"
            }
            Err(_) => "something else than base64 stands in it, or it is cut off",
        };
        Err(PemError(format!("the PEM block {label:?} is damaged: {why}")))
    }
}

pub(super) const DECRYPT: &str = "; decrypt it first: openssl pkey -in FILE -out PLAIN";
