//! Whether tokens fit the headers that real servers take by default.

use crate::analysis::Analysis;
use crate::header_limit::header_limits;
use crate::metric::thousands;
use crate::observation::Subject;

/// A limit, and who exceeds it.
pub(super) struct LimitRow {
    pub(super) server: &'static str,
    pub(super) scope: String,
    pub(super) largest: String,
    pub(super) known: String,
    pub(super) setting: &'static str,
    /// Subjects whose median token is refused; those refused with 4 KB more of claims; empty if none.
    pub(super) refused: String,
    pub(super) refused_with_more: String,
}

/// Characters of the median token of a subject that carries JWTs.
pub(super) fn characters(subject: &Subject) -> Option<u64> {
    subject.token_characters.filter(|_| subject.carries_jwts()).map(|[_, median, _]| median)
}

/// Characters of a token with so many bytes more of claims: base64url makes four of three.
pub(super) const fn with_more_claims(characters: u64, bytes: u64) -> u64 {
    characters + (bytes * 4).div_ceil(3)
}

/// Every limit, strictest first; none if no subject carries JWTs.
pub(super) fn limit_rows(analysis: &Analysis) -> Vec<LimitRow> {
    let tokens: Vec<(&str, u64)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| Some((summary.subject.name.as_str(), characters(&summary.subject)?)))
        .collect();
    if tokens.is_empty() {
        return Vec::new();
    }
    let rows = header_limits().into_iter().map(|limit| {
        let largest = limit.largest_token();
        let refused = |more| {
            let exceeds = |token: &&(&str, u64)| with_more_claims(token.1, more) > u64::from(largest);
            let names: Vec<&str> = tokens.iter().filter(exceeds).map(|(name, _)| *name).collect();
            if names.len() == tokens.len() { "all".to_owned() } else { names.join(", ") }
        };
        LimitRow {
            server: limit.server,
            scope: limit.scope.to_string(),
            largest: thousands(&largest.to_string()),
            known: limit.known.to_string(),
            setting: limit.setting,
            refused: refused(0),
            refused_with_more: refused(4_000),
        }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn a_limit_names_the_subjects_that_exceed_it_and_no_others() {
        let [mut small, mut large] = [synthetic::recording(0), synthetic::recording(1)];
        for (recording, name, characters) in [(&mut small, "small", 700), (&mut large, "large", 9_216)] {
            recording.subject.name = name.to_owned();
            recording.subject.signature = Some("any".to_owned());
            recording.subject.token_characters = Some([characters; 3]);
        }
        let rows = limit_rows(&analyse(&[small, large]));
        let row = |server| rows.iter().find(|row| row.server == server).unwrap();
        assert_eq!(
            (row("nginx").refused.as_str(), row("nginx").refused_with_more.as_str()),
            ("large", "large")
        );
        assert_eq!((row("HAProxy").refused.as_str(), row("HAProxy").refused_with_more.as_str()), ("", ""));
        assert_eq!(with_more_claims(700, 1_000), 2_034);
    }
}
