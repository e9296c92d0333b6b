//! Seconds as text, read to the nanosecond: a float has no room for those of a date.

/// Nanoseconds of a decimal number of seconds like `12`, `0.000514977` or `1.7e9`, rounded. `None` if it is none from 0 to
/// 584 years.
pub(super) fn nanos(text: &[u8]) -> Option<u64> {
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (mut digits, mut places, mut seen, mut in_fraction) = (0_u128, 0_i32, false, false);
    for byte in number {
        match byte {
            b'.' if !in_fraction => in_fraction = true,
            b'0'..=b'9' => {
                seen = true;
                // Thirty digits are more than nanoseconds of any date have: the rest changes nothing.
                if digits < 10_u128.pow(30) {
                    digits = digits * 10 + u128::from(byte - b'0');
                    places += i32::from(in_fraction);
                } else if !in_fraction {
                    return None;
                }
            }
            _ => return None,
        }
    }
    seen.then(|| scaled(digits, exponent.checked_add(9)?.checked_sub(places)?)).flatten()
}

/// `digits * 10^exponent`, rounded.
fn scaled(digits: u128, exponent: i32) -> Option<u64> {
    let power = |exponent| 10_u128.checked_pow(exponent);
    let exact = match (digits, u32::try_from(exponent)) {
        (0, _) => 0,
        (_, Ok(exponent)) => digits.checked_mul(power(exponent)?)?,
        // Whatever is smaller than any power that fits is zero.
        (_, Err(_)) => power(exponent.unsigned_abs()).map_or(0, |divisor| (digits + divisor / 2) / divisor),
    };
    u64::try_from(exact).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_of_every_kind_are_read_to_the_nanosecond() {
        let check = |text: &str, expected| assert_eq!(nanos(text.as_bytes()), expected, "{text}");
        check("0", Some(0));
        check("12", Some(12_000_000_000));
        check("12.", Some(12_000_000_000));
        check(".5", Some(500_000_000));
        check("1700000000.123456789", Some(1_700_000_000_123_456_789));
        check("0.0000000005", Some(1));
        check("0.00000000049999999999999999999999999999999999", Some(0));
        check("1.700000000123456789e+09", Some(1_700_000_000_123_456_789));
        check("5E-4", Some(500_000));
        check("1e-999999999", Some(0));
        check("0e999999999", Some(0));
        check("18446744073.709551615", Some(u64::MAX));
    }

    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        for text in [
            "",
            ".",
            "e5",
            "-1",
            "+1",
            "1,5",
            "1.2.3",
            "nan",
            "inf",
            "0x1",
            "1e",
            "1e999999999",
            "18446744074",
        ] {
            assert_eq!(nanos(text.as_bytes()), None, "{text}");
        }
        assert_eq!(nanos("9".repeat(60).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn a_number_of_nanoseconds_comes_back_however_it_is_written(expected in any::<u64>()) {
            let plain = format!("{}.{:09}", expected / 1_000_000_000, expected % 1_000_000_000);
            prop_assert_eq!(nanos(plain.as_bytes()), Some(expected));
            prop_assert_eq!(nanos(format!("{expected}e-9").as_bytes()), Some(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let _ = nanos(&bytes);
        }
    }
}
