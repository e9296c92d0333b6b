//! The structures inside PKCS#8 and SPKI that differ by algorithm.

use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{BitStringRef, ContextSpecific, OctetStringRef, UintRef};
use pkcs8::der::{
    self, Decode as _, DecodeValue, Encode as _, EncodeValue, Header, Length, Reader, Sequence, SliceReader,
    TagMode, TagNumber, Writer,
};
use zeroize::Zeroizing;

/// `RSAPublicKey` (RFC 8017 appendix A.1.1): n and e.
pub(super) struct RsaPublicKey<'a>(pub(super) [UintRef<'a>; 2]);

/// `RSAPrivateKey` of two primes (RFC 8017 appendix A.1.2): n, e, d, p, q, dp, dq, qi.
pub(super) struct RsaPrivateKey<'a>(pub(super) [UintRef<'a>; 8]);

/// `ECPrivateKey` (RFC 5915 section 3).
pub(super) struct EcPrivateKey<'a> {
    /// The private key, as long as the curve's order.
    pub(super) d: &'a OctetStringRef,
    /// The curve. PKCS#8 names it outside.
    pub(super) curve: Option<ObjectIdentifier>,
    /// The point.
    pub(super) public: Option<BitStringRef<'a>>,
}

/// `ML-DSA-PrivateKey` (RFC 9881 section 6).
#[derive(Clone, Copy)]
pub(super) enum MlDsaPrivateKey<'a> {
    /// 32 bytes that everything follows from.
    Seed(&'a OctetStringRef),
    /// The key of FIPS 204 without the seed.
    Expanded,
    /// The seed, and the key of FIPS 204 that follows from it.
    Both(&'a OctetStringRef, &'a OctetStringRef),
}

impl<'a> DecodeValue<'a> for RsaPublicKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        Ok(Self([reader.decode()?, reader.decode()?]))
    }
}

impl EncodeValue for RsaPublicKey<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.iter().try_fold(Length::ZERO, |sum, integer| sum + integer.encoded_len()?)
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.0.iter().try_for_each(|integer| integer.encode(writer))
    }
}

impl<'a> Sequence<'a> for RsaPublicKey<'a> {}

/// RFC 8017 appendix A.1.2: two primes.
const TWO_PRIMES: u8 = 0;

impl<'a> DecodeValue<'a> for RsaPrivateKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        if u8::decode(reader)? != TWO_PRIMES {
            return Err(reader.error(der::Tag::Integer.value_error()));
        }
        let mut integers = [UintRef::new(&[0])?; 8];
        for integer in &mut integers {
            *integer = reader.decode()?;
        }
        Ok(Self(integers))
    }
}

impl EncodeValue for RsaPrivateKey<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.iter().try_fold(TWO_PRIMES.encoded_len()?, |sum, integer| sum + integer.encoded_len()?)
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        TWO_PRIMES.encode(writer)?;
        self.0.iter().try_for_each(|integer| integer.encode(writer))
    }
}

impl<'a> Sequence<'a> for RsaPrivateKey<'a> {}

const EC_VERSION: u8 = 1;
const CURVE: TagNumber = TagNumber(0);
const POINT: TagNumber = TagNumber(1);

impl EcPrivateKey<'_> {
    fn tagged_point(&self) -> Option<ContextSpecific<BitStringRef<'_>>> {
        self.public.map(|value| ContextSpecific { tag_number: POINT, tag_mode: TagMode::Explicit, value })
    }
}

impl<'a> DecodeValue<'a> for EcPrivateKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        if u8::decode(reader)? != EC_VERSION {
            return Err(reader.error(der::Tag::Integer.value_error()));
        }
        Ok(Self {
            d: reader.decode()?,
            curve: reader.context_specific(CURVE, TagMode::Explicit)?,
            public: reader.context_specific(POINT, TagMode::Explicit)?,
        })
    }
}

impl EncodeValue for EcPrivateKey<'_> {
    fn value_len(&self) -> der::Result<Length> {
        EC_VERSION.encoded_len()? + self.d.encoded_len()? + self.tagged_point().encoded_len()?
    }

    /// Inside PKCS#8, where the curve is named outside.
    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        EC_VERSION.encode(writer)?;
        self.d.encode(writer)?;
        self.tagged_point().encode(writer)
    }
}

impl<'a> Sequence<'a> for EcPrivateKey<'a> {}

const SEED: TagNumber = TagNumber(0);

impl<'a> MlDsaPrivateKey<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(bytes)?;
        let key = if let Some(seed) = reader.context_specific(SEED, TagMode::Implicit)? {
            Self::Seed(seed)
        } else if der::Tag::peek(&reader)? == der::Tag::Sequence {
            reader.sequence::<_, _, der::Error>(|both| Ok(Self::Both(both.decode()?, both.decode()?)))?
        } else {
            <&OctetStringRef>::decode(&mut reader)?;
            Self::Expanded
        };
        reader.finish()?;
        Ok(key)
    }

    /// The form that holds the seed alone, which RFC 9881 recommends.
    pub(super) fn seed_alone(seed: &[u8]) -> der::Result<Zeroizing<Vec<u8>>> {
        let value = OctetStringRef::new(seed)?;
        let tagged = ContextSpecific { tag_number: SEED, tag_mode: TagMode::Implicit, value };
        tagged.to_der().map(Zeroizing::new)
    }
}
