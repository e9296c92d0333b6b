//! Answers by chance, in the form of answers.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use crate::property::{Outcome, holds, ours};

/// The same cases every time; `PROPTEST_RNG_SEED=2 cargo test --test answers` tries others.
fn cases(number: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) };
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { rng_seed, ..config }
}

/// A head, and something that may be its body.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let version = prop_oneof![8 => Just("1.1"), 2 => Just("1.0"), 1 => select(vec!["0.9", "2.0", "1"])];
    let status = prop_oneof![
        6 => select(vec!["200 OK", "401 Unauthorized", "503 Service Unavailable"]),
        2 => select(vec!["204 No Content", "304 Not Modified"]),
        2 => select(vec!["100 Continue", "103 Early Hints", "101 Switching Protocols"]),
        1 => select(vec!["200", "200 ", "99 Low", "2000 High", "abc Text", ""]),
    ];
    let field = prop_oneof![
        4 => (0..12_u8).prop_map(|length| format!("Content-Length: {length}")),
        3 => Just("Transfer-Encoding: chunked".to_owned()),
        1 => Just("transfer-encoding: gzip, Chunked ".to_owned()),
        2 => Just("Connection: close".to_owned()),
        1 => Just("Connection: Keep-Alive".to_owned()),
        2 => Just("WWW-Authenticate: Bearer error=\"invalid_token\"".to_owned()),
        2 => select(vec![
            "X: a\r\n b\r\n\tc", "X:\r\n  ", "Content-Length:\r\n 3", "Content-Length: 3\r\n ", "Content-Length: 1\r\n 2",
            "Connection: a,\r\n close", "Transfer-Encoding: gzip,\r\n\tchunked", "Transfer-Encoding: chun\r\n ked",
        ])
        .prop_map(str::to_owned),
        1 => (95..105_usize).prop_map(|more| format!("{}Y: 2", "X:1\r\n".repeat(more))),
        1 => select(vec![
            "Content-Length: +3", "Content-Length: 3, 3", "Content-Length: -1", "Content-Length:",
            "Content-Length: 18446744073709551616", "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: xchunked", "connection: x, close", "X", "X :1", " folded: 1", "X: \u{1}",
        ])
        .prop_map(str::to_owned),
    ];
    let chunk = prop_oneof![
        4 => "[a-z]{1,9}".prop_map(|data| format!("{:x}\r\n{data}\r\n", data.len())),
        1 => "[a-z]{1,9}".prop_map(|data| format!("{:X} ;a=\"b\"\r\n{data}\r\n", data.len())),
        1 => select(vec!["x\r\n", "5\r\nabc", "5\nhello\n", "-1\r\n", "fffffffffffffffff\r\n", "3\r\nabcd\r\n", "00000000000000005\r\nhello\r\n"])
            .prop_map(str::to_owned),
    ];
    let end = select(vec!["0\r\n\r\n", "0\r\nTrailer: 1\r\n\r\n", "00\r\n\r\n", "0\r\n", ""]);
    let body =
        prop_oneof!["[a-z]{0,12}", (vec(chunk, 0..4), end).prop_map(|(chunks, end)| chunks.concat() + end),];
    (version, status, vec(field, 0..4), body).prop_map(|(version, status, fields, body)| {
        let head = [vec![format!("HTTP/{version} {status}")], fields].concat().join("\r\n");
        format!("{head}\r\n\r\n{body}").into_bytes()
    })
}

/// One or two of them, with a few bytes changed, left out or put in, once in a while.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let slip = (any::<prop::sample::Index>(), 0..3_u8, select(b"\r\n :;0159aZ\0\xff".to_vec()));
    (vec(answer(), 1..3), prop::option::weighted(0.3, slip)).prop_map(|(answers, slip)| {
        let mut bytes = answers.concat();
        if let Some((at, kind, byte)) = slip {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn hyper_makes_the_same_of_any_answer(bytes in stream(), piece in 1..40_usize) {
        holds(&bytes, piece);
    }
}

/// What the fuzzer once found, and what it begins with: how many bytes come at once, and the bytes.
#[test]
fn hyper_makes_the_same_of_the_kept_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/answer");
    let files = fs::read_dir(folder).expect("the corpus is kept").map(|file| file.expect("a file").path());
    let mut count = 0;
    for file in files {
        let input = fs::read(&file).expect("it can be read");
        let (piece, bytes) = input.split_first().expect("it is not empty");
        holds(bytes, usize::from(*piece));
        count += 1;
    }
    assert!(count > 7, "{count} files");
}

/// Without it the property above could hold for want of answers that are any.
#[test]
fn enough_of_the_answers_are_good() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::new(cases(1));
    let good = (0..1_000).filter(|_| {
        let bytes = stream().new_tree(&mut runner).expect("nothing is refused").current();
        matches!(ours(&bytes, usize::MAX, true), Outcome::Answer { .. })
    });
    let good = good.count();
    assert!((300..900).contains(&good), "{good} of 1000");
}
