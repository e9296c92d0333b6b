//! Which token stands where, and what a pool of them costs.

use super::*;

fn filled() -> TokenPool {
    let mut filling = TokenPool::filling([BadKind::Expired, BadKind::Revoked]);
    for (class, token) in [
        (TokenClass::Valid, "good"),
        (TokenClass::Valid, "better"),
        (TokenClass::Bad(0), "old"),
        (TokenClass::Bad(1), "withdrawn"),
        (TokenClass::Bad(1), "gone"),
        (TokenClass::Watched, "soon"),
    ] {
        filling.add(class, token);
    }
    filling.full()
}

#[test]
fn every_token_has_its_text_and_its_class() {
    let pool = filled();
    assert_eq!(pool.classes(), ["valid", "expired", "revoked", "watched"]);
    for (token, text, class) in [
        (Token::Live(1), "better", 0),
        (Token::Bad { kind: 0, index: 0 }, "old", 1),
        (Token::Bad { kind: 1, index: 1 }, "gone", 2),
        (Token::Watched(0), "soon", 3),
    ] {
        assert_eq!(pool.text(token), text);
        assert_eq!(pool.class_of(token), class);
    }
    assert_eq!(pool.valid().collect::<Vec<_>>(), ["good", "better"]);
    assert_eq!(pool.watched().collect::<Vec<_>>(), ["soon"]);
}

#[test]
#[should_panic(expected = "is not in the pool")]
fn a_token_beyond_its_class_is_not_taken_from_the_next() {
    filled().text(Token::Live(2));
}

#[test]
#[should_panic(expected = "one after the other")]
fn a_class_that_is_filled_stays_so() {
    let mut filling = TokenPool::filling([BadKind::Expired]);
    filling.add(TokenClass::Watched, "soon");
    filling.add(TokenClass::Valid, "good");
}

#[test]
fn tokens_expire_when_it_is_known_and_others_take_their_place() {
    let at = Stamp::from_nanos;
    let mut filling = TokenPool::filling([]);
    for (token, expires) in [("a", None), ("b", Some(at(20))), ("c", Some(at(10))), ("d", None)] {
        filling.add_valid(token, expires);
    }
    let pool = filling.full();
    assert_eq!(pool.first_expiry(), Some((2, at(10))));
    assert_eq!(pool.expiring_before(at(20)), [2]);
    assert_eq!(pool.expiring_before(at(21)), [1, 2]);
    let expired =
        |pool: &TokenPool, now| [0, 1, 2, 3].map(|token| pool.expiry(Token::Live(token)) <= at(now));
    assert_eq!(expired(&pool, 10), [false, false, true, false]);
    let fresh = BTreeMap::from([
        (Token::Live(2), ("cc".to_owned(), Some(at(30)))),
        (Token::Live(0), ("aa".to_owned(), None)),
    ]);
    let renewed = pool.with(&fresh);
    assert_eq!(renewed.valid().collect::<Vec<_>>(), ["aa", "b", "cc", "d"]);
    assert_eq!(expired(&renewed, 29), [false, true, false, false]);
    assert_eq!(TokenPool::of_valid(["a"]).first_expiry(), None);
}

#[test]
fn tokens_take_the_place_of_others_of_their_class_and_the_text_is_shared() {
    let pool = filled();
    let once = pool.replacing([(1, "best".into())]);
    let twice = once.replacing([(0, "fine".into()), (1, "very best".into())]);
    assert!(Arc::ptr_eq(&pool.text, &twice.text));
    assert_eq!(pool.valid().collect::<Vec<_>>(), ["good", "better"]);
    assert_eq!(once.valid().collect::<Vec<_>>(), ["good", "best"]);
    assert_eq!(twice.valid().collect::<Vec<_>>(), ["fine", "very best"]);
    assert_eq!(twice.text(Token::Live(1)), "very best");
    assert_eq!(twice.text(Token::Bad { kind: 0, index: 0 }), "old");
    assert_eq!(twice.live_count(), 2);
}

#[test]
#[should_panic(expected = "2 is no valid token")]
fn no_token_takes_the_place_of_a_bad_one() {
    let _ = filled().replacing([(2, "good".into())]);
}

#[test]
fn tokens_that_take_the_place_of_others_leave_those_of_every_other_class_where_they_are() {
    let at = Stamp::from_nanos(7);
    let fresh = BTreeMap::from([
        (Token::Live(0), ("best".to_owned(), Some(at))),
        (Token::Watched(0), ("later".to_owned(), Some(at))),
    ]);
    let pool = filled().with(&fresh);
    assert_eq!(pool.classes(), filled().classes());
    for (token, text) in [
        (Token::Live(0), "best"),
        (Token::Live(1), "better"),
        (Token::Bad { kind: 0, index: 0 }, "old"),
        (Token::Bad { kind: 1, index: 1 }, "gone"),
        (Token::Watched(0), "later"),
    ] {
        assert_eq!(pool.text(token), text);
    }
    assert_eq!(pool.first_expiry(), Some((0, at)));
}

#[test]
fn sizes_are_those_of_the_smallest_the_median_and_the_largest_valid_token() {
    let sizes = |tokens: &[&str]| TokenPool::of_valid(tokens).characters();
    assert_eq!(sizes(&[]), None);
    assert_eq!(sizes(&["abc"]), Some([3, 3, 3]));
    assert_eq!(sizes(&["a", "abc", "ab", "abcdef"]), Some([1, 3, 6]));
    assert_eq!(sizes(&["ab", "a", "ab", "abcdef", "a"]), Some([1, 2, 6]));
    assert_eq!(TokenPool::of_valid(["abcdef", "a", "bc", "de", "f"]).median(), Some("bc"));
}

#[test]
fn a_million_tokens_cost_at_most_nine_bytes_each_besides_their_text() {
    let tokens: usize = 1_000_000;
    let mut filling = TokenPool::filling(BadKind::ALL);
    for number in 0..tokens {
        filling.add(TokenClass::Valid, &format!("token number {number} of many"));
    }
    let pool = filling.full();
    let length: usize = pool.valid().map(str::len).sum();
    let held = pool.text.capacity() + size_of_val(pool.ends.as_slice());
    assert_eq!(pool.ends.capacity(), pool.ends.len());
    assert!(held <= length + 9 * tokens, "{held} bytes for {length} of text");
    assert_eq!(pool.text(Token::Live(999_999)), "token number 999999 of many");
}
