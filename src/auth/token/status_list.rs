//! The statuses of many tokens in a compressed array of bits (Token Status List, draft-ietf-oauth-status-list-21 section 4).

use std::io::Read as _;

use flate2::bufread::ZlibEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use serde::{Deserialize, Serialize};

use crate::auth::token::base64url::Base64Url;

/// The status of a token that is good, "VALID" (section 7.1); every other one is that of a token that is not.
pub const VALID: u8 = 0;

/// A list as JSON has it (section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedStatusList {
    /// How many bits a status has: 1, 2, 4 or 8.
    bits: u8,
    /// The statuses in the format ZLIB (RFC 1950) with DEFLATE (RFC 1951).
    lst: Base64Url,
}

/// A list whose statuses can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    bits: u8,
    /// The first status stands in the least significant bits of the first byte.
    bytes: Vec<u8>,
}

/// A list that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnfitStatusList {
    /// A number of bits that would split a status between two bytes, or none.
    #[error("statuses of {0} bits, expected 1, 2, 4 or 8")]
    Bits(u8),
    /// No ZLIB, its end missing, or something behind that.
    #[error("the statuses cannot be decompressed: {0}")]
    Compression(String),
    /// It grows beyond what is taken.
    #[error("statuses of more than {0} bytes")]
    TooLarge(usize),
}

impl StatusList {
    /// A list of statuses of one bit, all of them [`VALID`], whose number is rounded up to whole bytes.
    pub fn valid(statuses: usize) -> Self {
        Self { bits: 1, bytes: vec![0; statuses.div_ceil(8)] }
    }

    /// Sets every bit of the status at `idx`: "INVALID" (section 7.1) where it has one. Beyond the end there is nothing to set.
    pub fn revoke(&mut self, idx: u64) {
        if let Some((byte, shift)) = self.place(idx) {
            self.bytes[byte] |= self.mask() << shift;
        }
    }

    /// The status at `idx`; none beyond the end.
    pub fn status(&self, idx: u64) -> Option<u8> {
        let (byte, shift) = self.place(idx)?;
        Some((self.bytes[byte] >> shift) & self.mask())
    }

    /// As small as it becomes.
    pub fn compress(&self) -> CompressedStatusList {
        let mut compressed = Vec::new();
        let mut encoder = ZlibEncoder::new(&*self.bytes, Compression::best());
        encoder.read_to_end(&mut compressed).expect("memory is read without an error");
        CompressedStatusList { bits: self.bits, lst: compressed.into() }
    }

    fn mask(&self) -> u8 {
        u8::MAX >> (8 - self.bits)
    }

    /// The byte with the status at `idx`, and how many bits stand before it there.
    fn place(&self, idx: u64) -> Option<(usize, u8)> {
        let in_a_byte = 8 / self.bits;
        let byte =
            usize::try_from(idx / u64::from(in_a_byte)).ok().filter(|byte| *byte < self.bytes.len())?;
        let before = u8::try_from(idx % u64::from(in_a_byte)).expect("at most 7");
        Some((byte, before * self.bits))
    }
}

impl CompressedStatusList {
    /// The statuses, unless they take more than `most_bytes`: what is small may be made to grow a thousandfold.
    pub fn decompress(&self, most_bytes: usize) -> Result<StatusList, UnfitStatusList> {
        if ![1, 2, 4, 8].contains(&self.bits) {
            return Err(UnfitStatusList::Bits(self.bits));
        }
        Ok(StatusList { bits: self.bits, bytes: inflate(&self.lst, most_bytes)? })
    }
}

/// Step by step: a reader of flate2 takes the end of the input for the end of the stream, even where the checksum is missing.
fn inflate(compressed: &[u8], most_bytes: usize) -> Result<Vec<u8>, UnfitStatusList> {
    let unfit = |why: &str| Err(UnfitStatusList::Compression(why.to_owned()));
    let (mut stream, mut rest, mut bytes) = (Decompress::new(true), compressed, Vec::new());
    loop {
        bytes.reserve(bytes.len().max(FIRST_BYTES));
        let (length, taken) = (bytes.len(), stream.total_in());
        let status = stream.decompress_vec(rest, &mut bytes, FlushDecompress::None);
        let status = status.map_err(|error| UnfitStatusList::Compression(error.to_string()))?;
        let taken = usize::try_from(stream.total_in() - taken).expect("no more than there is");
        rest = &rest[taken..];
        if bytes.len() > most_bytes {
            return Err(UnfitStatusList::TooLarge(most_bytes));
        }
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(bytes),
            Status::StreamEnd => return unfit("something stands behind their end"),
            Status::Ok | Status::BufError if taken == 0 && bytes.len() == length => {
                return unfit("their end is missing");
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Room for half a million statuses, and doubled while that does not do: a list that grows without end is given up at twice the limit.
const FIRST_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
