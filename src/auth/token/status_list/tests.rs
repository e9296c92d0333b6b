//! The vectors of the specification, and lists that must be refused.

use std::collections::HashMap;

use serde_json::json;

use super::*;

/// Appendix "Test vectors for Status List encoding" of draft-ietf-oauth-status-list: lists of 2^20 statuses, of which those that are not
/// named are 0.
const VECTORS: &str = include_str!("vectors.json");

#[derive(Deserialize)]
struct Vector {
    #[serde(flatten)]
    list: CompressedStatusList,
    statuses: Vec<(u64, u8)>,
}

const STATUSES: u64 = 1 << 20;

#[test]
fn every_status_of_the_published_lists_is_read_as_it_is_published() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.iter().map(|vector| vector.list.bits).collect::<Vec<_>>(), [1, 2, 4, 8]);
    for Vector { list, statuses } in vectors {
        let read = list.decompress(usize::MAX).unwrap();
        let statuses: HashMap<_, _> = statuses.into_iter().collect();
        for idx in 0..STATUSES {
            let expected = statuses.get(&idx).copied().unwrap_or(VALID);
            assert_eq!(read.status(idx), Some(expected), "{idx} of {} bits", list.bits);
        }
        for idx in [STATUSES, STATUSES + 1, u64::MAX] {
            assert_eq!(read.status(idx), None, "{idx} of {} bits", list.bits);
        }
        assert_eq!(read.compress().decompress(usize::MAX).unwrap(), read);
    }
}

/// The examples of sections 4.1 and 4.2.
#[test]
fn bits_stand_in_a_byte_from_the_least_significant_one_on() {
    let mut list = StatusList::valid(16);
    for idx in [0, 3, 4, 5, 7, 8, 9, 13, 15, 16] {
        list.revoke(idx);
    }
    assert_eq!(list.bytes, [0xb9, 0xa3], "the last of them is beyond the end");
    let two_bits = json!({ "bits": 2, "lst": "eNo76fITAAPfAgc", "aggregation_uri": "https://example.com" });
    let two_bits: CompressedStatusList = serde_json::from_value(two_bits).unwrap();
    let read = two_bits.decompress(3).unwrap();
    let statuses: Vec<_> = (0..13).map_while(|idx| read.status(idx)).collect();
    assert_eq!(statuses, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
}

fn list(bits: u8, compressed: Vec<u8>) -> CompressedStatusList {
    CompressedStatusList { bits, lst: compressed.into() }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    ZlibEncoder::new(bytes, Compression::best()).read_to_end(&mut compressed).unwrap();
    compressed
}

#[test]
fn a_list_is_decompressed_up_to_the_limit_and_no_further() {
    let bomb = zlib(&vec![0; 50_000_000]);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    for (bytes, most, fits) in [(50_000_000, 50_000_000, true), (50_000_000, 49_999_999, false), (0, 0, true)]
    {
        let answer = list(1, zlib(&vec![0; bytes])).decompress(most);
        assert_eq!(answer.is_ok(), fits, "{bytes} of {most}");
        assert!(fits || matches!(answer, Err(UnfitStatusList::TooLarge(_))));
    }
}

#[test]
fn what_is_cut_off_changed_prolonged_or_of_another_number_of_bits_is_refused() {
    let good = zlib(&[0xb9, 0xa3]);
    assert!(list(1, good.clone()).decompress(2).is_ok());
    for bits in (0..=u8::MAX).filter(|bits| ![1, 2, 4, 8].contains(bits)) {
        assert!(matches!(list(bits, good.clone()).decompress(2), Err(UnfitStatusList::Bits(_))), "{bits}");
    }
    for cut in 0..good.len() {
        assert!(list(1, good[..cut].to_vec()).decompress(2).is_err(), "cut off after {cut} bytes");
    }
    let mut checksum_off = good.clone();
    *checksum_off.last_mut().unwrap() ^= 1;
    let without_zlib_header = good[2..good.len() - 4].to_vec();
    for bad in [checksum_off, without_zlib_header, [&good[..], b"x"].concat(), [&good[..], &good].concat()] {
        assert!(list(1, bad.clone()).decompress(2).is_err(), "{bad:?}");
    }
}
