//! Digits: three significant ones, groups of three.

/// A number with three significant digits: `"0.512"`, `"41.2"`, `"1,234"`.
pub fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rounded first: 9.996 has one digit before the point, 10.0 two.
    let rounded = format!("{:.2e}", value.abs()).parse::<f64>().expect("a formatted number is a number");
    let magnitude = rounded.log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
    let decimals = if magnitude >= 2.0 { 0 } else { (2.0 - magnitude).min(9.0) as usize };
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", thousands(&format!("{:.decimals$}", value.abs())))
}

/// Puts a comma between groups of three digits before the decimal point.
pub fn thousands(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown_and_none_is_invented() {
        for (value, expected) in [
            (0.0, "0"),
            (0.5119, "0.512"),
            (9.996, "10.0"),
            (41.25, "41.2"),
            (412.3, "412"),
            (-71.04, "-71.0"),
            (1_234.4, "1,234"),
            (1_234_567.0, "1,234,567"),
            (0.000_123_4, "0.000123"),
        ] {
            assert_eq!(significant(value), expected);
        }
    }
}
