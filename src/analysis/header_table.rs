//! When HTTP/2 looks better than it is, since it compresses tokens away that a real client would send once.

/// The dynamic table of HPACK that both ends begin with, in bytes (RFC 9113 section 6.5.2).
const TABLE: u64 = 4_096;
/// What an entry takes besides its name and its value, in bytes (RFC 7541 section 4.1).
const ENTRY: u64 = 32;
/// What stands around a token in an entry of the table.
const AROUND: u64 = "authorization".len() as u64 + "Bearer ".len() as u64;

/// Whether all of so many different tokens of that size fit the header table of a connection (RFC 7541 section 4).
///
/// Every request after the first with a token then carries an index of a byte or two instead of the token. A token that
/// alone is larger than the table is never indexed (section 4.4). Fields beside the token take room too, so that some more
/// tokens than this says may be sent in full: the warning errs on the safe side.
pub(super) fn hpack_flatters(distinct_tokens: u64, token_bytes: u64) -> bool {
    let fit = TABLE / (ENTRY + AROUND + token_bytes);
    (1..=fit).contains(&distinct_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_flatter_while_all_of_them_fit_the_table() {
        // An entry with 43 bytes of token: 32 + 13 + 7 + 43 = 95 bytes, of which 43 fit.
        assert!(hpack_flatters(1, 43) && hpack_flatters(43, 43) && !hpack_flatters(44, 43));
        // Two entries of 2,048 bytes fill the table to its last byte.
        assert!(hpack_flatters(2, 1_996) && !hpack_flatters(2, 1_997) && !hpack_flatters(3, 1_996));
    }

    #[test]
    fn a_token_larger_than_the_table_is_never_indexed() {
        assert!(hpack_flatters(1, 4_044));
        assert!(!hpack_flatters(1, 4_045) && !hpack_flatters(1, 5_045));
    }

    #[test]
    fn no_token_is_nothing_to_index() {
        assert!(!hpack_flatters(0, 43));
    }
}
