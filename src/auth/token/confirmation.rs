//! To whose key a token is bound: the claim `cnf` (RFC 7800 section 3.1).

use aws_lc_rs::digest;
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};

use crate::auth::token::object::Members;
use crate::auth::token::{Section, base64url};

/// What a sender must show that it has. Where none of the known members is there, nobody can show it; where several are, nobody here does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Confirmation {
    /// The RFC 7638 thumbprint of a public key (RFC 9449 section 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// The SHA-256 of a certificate in base64url (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl Confirmation {
    /// The key with this RFC 7638 thumbprint.
    pub fn of_key(thumbprint: impl Into<String>) -> Self {
        Self { jkt: Some(thumbprint.into()), ..Self::default() }
    }

    /// This certificate, as DER.
    pub fn of_certificate(certificate: &[u8]) -> Self {
        let thumbprint = base64url::encode(digest::digest(&digest::SHA256, certificate));
        Self { x5t_s256: Some(thumbprint), ..Self::default() }
    }

    /// Whether it is the key with this thumbprint, and nothing else.
    pub fn is_key(&self, thumbprint: &str) -> bool {
        self.jkt.as_deref() == Some(thumbprint) && self.x5t_s256.is_none()
    }
}

impl<'de> Members<'de> for Confirmation {
    const SECTION: Section = Section::Claims;
    const NAMES: &'static [&'static str] = &["jkt", "x5t#S256"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        let member = if name == 0 { &mut self.jkt } else { &mut self.x5t_s256 };
        *member = Some(map.next_value()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// RFC 8705 appendix A.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx\n\
        ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG\n\
        SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ\n\
        /Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID\n\
        SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV\n\
        bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=\n\
        -----END CERTIFICATE-----\n";

    #[test]
    fn a_certificate_has_the_thumbprint_that_rfc_8705_gives_it() {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let cnf = serde_json::to_value(Confirmation::of_certificate(&certificate)).unwrap();
        let expected = serde_json::json!({ "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" });
        assert_eq!(cnf, expected);
    }

    #[test]
    fn what_is_bound_to_a_key_and_to_more_is_not_that_keys_alone() {
        let key = Confirmation::of_key("mine");
        assert!(key.is_key("mine") && !key.is_key("yours") && !Confirmation::default().is_key("mine"));
        assert!(!Confirmation { jkt: key.jkt, ..Confirmation::of_certificate(b"a") }.is_key("mine"));
    }
}
