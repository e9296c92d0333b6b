//! How often each token of a file is sent, where the file says so.

/// The places of a round in which every token comes as often as its weight, as evenly spread as it can be. `None` if they all
/// weigh the same.
///
/// Weights are in thousandths.
pub(super) fn round(weights: &[u32]) -> Result<Option<Vec<u32>>, TooFine> {
    let divisor = weights.iter().copied().fold(0, greatest_common_divisor);
    if weights.iter().all(|weight| *weight == divisor) {
        return Ok(None);
    }
    let places: u64 = weights.iter().map(|weight| u64::from(weight / divisor)).sum();
    if places > MOST_PLACES {
        return Err(TooFine(places));
    }
    let mut round = Vec::with_capacity(usize::try_from(places).expect("a few millions"));
    for (token, weight) in (0..).zip(weights) {
        let times = weight / divisor;
        round.extend((0..times).map(|time| ((f64::from(time) + 0.5) / f64::from(times), token)));
    }
    round.sort_by(|(one, _): &(f64, u32), (other, _)| one.total_cmp(other));
    Ok(Some(round.into_iter().map(|(_, token)| token).collect()))
}

/// Weights whose round would be too long.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a round in which every token comes as often as its weight has {0} requests, at most {MOST_PLACES} are kept; round the weights"
)]
pub(super) struct TooFine(u64);

/// In four bytes each.
const MOST_PLACES: u64 = 10_000_000;

/// A weight as people write it, in thousandths.
pub(super) fn parse(text: &str) -> Result<u32, String> {
    let expected =
        || format!("{text:?} is no weight; expected a number above 0 and up to 1,000,000, like 3 or 0.25");
    let weight: f64 = text.trim().parse().map_err(|_| expected())?;
    let thousandths = (weight * 1_000.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within these bounds")]
    if (1.0..=1e9).contains(&thousandths) { Ok(thousandths as u32) } else { Err(expected()) }
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_comes_as_often_as_its_weight_and_evenly() {
        assert_eq!(round(&[1_000, 1_000]), Ok(None));
        assert_eq!(round(&[]), Ok(None));
        assert_eq!(round(&[3_000, 1_000]), Ok(Some(vec![0, 0, 1, 0])));
        assert_eq!(round(&[500, 250, 250]), Ok(Some(vec![0, 1, 2, 0])));
        assert_eq!(round(&[1, 20_000_000]), Err(TooFine(20_000_001)));
    }

    #[test]
    fn weights_are_numbers_above_zero() {
        for (text, weight) in [("3", 3_000), (" 0.25 ", 250), ("1e3", 1_000_000)] {
            assert_eq!(parse(text), Ok(weight));
        }
        for text in ["0", "-1", "", "many", "NaN", "inf", "0.0001", "1e7"] {
            assert!(parse(text).unwrap_err().contains("above 0"), "{text}");
        }
    }
}
