//! Object identifiers <-> what JOSE calls the same.

use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{Any, AnyRef};

/// One kind of key: how its `AlgorithmIdentifier` names it.
pub(super) struct Algorithm {
    /// The object identifier.
    pub(super) oid: ObjectIdentifier,
    /// What its parameters are.
    pub(super) parameters: Parameters,
    /// The form of the key.
    pub(super) form: Form,
}

/// What stands beside the object identifier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameters {
    /// Nothing may stand there.
    Absent,
    /// NULL (RFC 3279 section 2.3.1).
    Null,
    /// The name of a curve (RFC 5480 section 2.1.1).
    Curve(ObjectIdentifier),
}

/// The form of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// PKCS#1 (RFC 8017 appendix A.1).
    Rsa,
    /// SEC 1 (RFC 5915): the algorithm, the curve, bytes of a coordinate.
    EllipticCurve(&'static str, &'static str, usize),
    /// RFC 8410.
    Ed25519,
    /// RFC 9881: the algorithm.
    MlDsa(&'static str),
    /// RFC 9909: the algorithm. n is 16 bytes, so keys have 32 and 64 bytes.
    SlhDsa(&'static str),
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");

/// Every kind of key that has a PEM form here.
pub(super) static ALGORITHMS: &[Algorithm] = &[
    Algorithm { oid: oid("1.2.840.113549.1.1.1"), parameters: Parameters::Null, form: Form::Rsa },
    Algorithm {
        oid: EC,
        parameters: Parameters::Curve(oid("1.2.840.10045.3.1.7")),
        form: Form::EllipticCurve("ES256", "P-256", 32),
    },
    Algorithm {
        oid: EC,
        parameters: Parameters::Curve(oid("1.3.132.0.34")),
        form: Form::EllipticCurve("ES384", "P-384", 48),
    },
    plain("1.3.101.112", Form::Ed25519),
    plain("2.16.840.1.101.3.4.3.17", Form::MlDsa("ML-DSA-44")),
    plain("2.16.840.1.101.3.4.3.18", Form::MlDsa("ML-DSA-65")),
    plain("2.16.840.1.101.3.4.3.19", Form::MlDsa("ML-DSA-87")),
    plain("2.16.840.1.101.3.4.3.20", Form::SlhDsa("SLH-DSA-SHA2-128s")),
    plain("2.16.840.1.101.3.4.3.21", Form::SlhDsa("SLH-DSA-SHA2-128f")),
];

const fn plain(text: &str, form: Form) -> Algorithm {
    Algorithm { oid: oid(text), parameters: Parameters::Absent, form }
}

impl Form {
    /// What JOSE calls the algorithm; RSA keys serve several.
    pub(super) fn alg(self) -> Option<&'static str> {
        match self {
            Self::Rsa => None,
            Self::Ed25519 => Some("Ed25519"),
            Self::EllipticCurve(alg, ..) | Self::MlDsa(alg) | Self::SlhDsa(alg) => Some(alg),
        }
    }
}

impl Parameters {
    /// As they are written.
    pub(super) fn written(self) -> Option<Any> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Any::null()),
            Self::Curve(curve) => {
                Some(Any::encode_from(&curve).expect("an object identifier can be written"))
            }
        }
    }

    /// Whether these are they. Some leave the NULL of RSA out.
    pub(super) fn are(self, read: Option<AnyRef<'_>>) -> bool {
        match (self, read) {
            (Self::Absent | Self::Null, None) => true,
            (Self::Null, Some(read)) => read.is_null(),
            (Self::Curve(curve), Some(read)) => {
                read.decode_as::<ObjectIdentifier>().is_ok_and(|oid| oid == curve)
            }
            (Self::Absent, Some(_)) | (Self::Curve(_), None) => false,
        }
    }
}
