//! The filter itself: what it holds, what it holds by mistake, and documents that would make look-ups fail.

use super::*;
use crate::auth::token::UnixTime;

fn revoked(jti: impl Into<String>) -> RevokedToken {
    let date = UnixTime::from_secs(0);
    RevokedToken { jti: jti.into().into(), idx: None, revoked: date, expiry: date }
}

#[test]
fn a_filter_holds_every_revoked_token_and_hardly_another_one_in_about_a_byte_each() {
    const OTHERS: u32 = 200_000;
    for number in [0, 1, 2, 3, 10, 1_000, 100_000] {
        let document = filter_document((0..number).map(|id| revoked(format!("revoked {id}"))).collect());
        let filter = FetchedFilter::read(&document).unwrap();
        for id in 0..number {
            assert!(filter.holds(&format!("revoked {id}")), "{id} of {number}");
        }
        let mistakes = (0..OTHERS).filter(|id| filter.holds(&format!("good {id}"))).count();
        // 1/256 of them, and none where nothing is revoked: 781 with a standard deviation of 28.
        let expected = if number == 0 { 0..1 } else { 650..920 };
        assert!(expected.contains(&mistakes), "{mistakes} of {OTHERS} beside {number}");
        if number >= 1_000 {
            assert!(document.len() < number * 12 / 8 + 16, "{} bytes for {number}", document.len());
        }
    }
}

#[test]
fn the_same_tokens_in_any_order_make_the_same_document() {
    let tokens: Vec<_> = (0..1_000).map(|id| revoked(id.to_string())).collect();
    let backwards = tokens.iter().rev().cloned().collect();
    let twice = [&tokens[..], &tokens].concat();
    let document = filter_document(tokens);
    assert_eq!(filter_document(backwards), document);
    assert_eq!(filter_document(twice), document);
}

#[test]
fn no_document_that_is_taken_makes_a_look_up_fail() {
    let good = filter_document((0..100).map(|id| revoked(id.to_string())).collect());
    let [segment, segments] = [8..12, 12..16].map(|at| u32::from_le_bytes(good[at].try_into().unwrap()));
    let with = |segment: u32, segments: u32, places: usize| {
        let mut document = good[..8].to_vec();
        document.extend([segment, segments].map(u32::to_le_bytes).as_flattened());
        document.resize(16 + places, 0x5a);
        document
    };
    let places = good.len() - 16;
    assert!(FetchedFilter::read(&with(segment, segments, places)).is_ok());
    for bad in [
        good[..15].to_vec(),
        good[..16].to_vec(),
        good[..good.len() - 1].to_vec(),
        [&good[..], b"x"].concat(),
        with(0, segments, places),
        with(segment + 1, segments, places),
        with(segment, segments + 1, places + 1),
        with(segment, 0, 2 * usize::try_from(segment).unwrap()),
        with(3, 3, 9),
        with(1 << 31, 0, 0),
        with(1 << 31, 1 << 31, 0),
        with(u32::MAX, u32::MAX, places),
    ] {
        assert!(FetchedFilter::read(&bad).is_err(), "{bad:?}");
    }
    // The smallest that fits, and every other division of the same places.
    for segment in (0..10).map(|bits| 1 << bits) {
        for segments in 1..6 {
            let document =
                with(segment, segment * segments, usize::try_from(segment * (segments + 2)).unwrap());
            let filter = FetchedFilter::read(&document).unwrap();
            for id in 0..1_000 {
                filter.holds(&id.to_string());
            }
        }
    }
}
