//! Requests are counted with the class of the token that they carried.

use super::*;
use crate::load::tokens::TokenPool;
use crate::observation::OpenSecond;
use crate::plan::{BadKind, TokenClass};

/// One token that the stand-in accepts, and one that it refuses.
pub(super) fn tokens() -> TokenPool {
    let mut filling = TokenPool::filling([BadKind::Garbage]);
    filling.add(TokenClass::Valid, "good");
    filling.add(TokenClass::Bad(0), "bad");
    filling.full()
}

const BAD: Token = Token::Bad { kind: 0, index: 0 };

/// How the requests with each class of tokens ended, over the whole run.
#[track_caller]
fn check_classes(load: &Load, valid: &Ended, garbage: &Ended) {
    let mut whole = OpenSecond::default();
    load.seconds.iter().for_each(|second| whole.add(second));
    assert_eq!(whole.outcomes.of(VALID), Some(valid), "{:?}", whole.outcomes);
    assert_eq!(whole.outcomes.of("garbage"), Some(garbage), "{:?}", whole.outcomes);
    assert_eq!(whole.outcomes.by_class().count(), 2, "{:?}", whole.outcomes);
}

fn every_fourth_bad(number: usize) -> Token {
    if number % 4 == 3 { BAD } else { Token::Live(0) }
}

#[test]
fn good_and_bad_tokens_are_counted_apart_however_their_requests_end() {
    let (load, _) = Simulation { token: every_fourth_bad, ..Simulation::default() }.run();
    let valid = Ended { planned: 7_500, sent: 7_500, accepted: 7_500, ..Ended::default() };
    let garbage = Ended { planned: 2_500, sent: 2_500, refused: 2_500, ..Ended::default() };
    check_classes(&load, &valid, &garbage);
}

#[test]
fn a_time_out_counts_with_the_class_of_the_token_of_its_request() {
    let timeout = Duration::from_millis(80);
    let stalled =
        Simulation { server_stalled: a_second(), timeout, token: every_fourth_bad, ..Simulation::default() };
    let (load, _) = stalled.run();
    let timed_out = |class: &str| -> u64 {
        let ended = load.seconds.iter().filter_map(|second| second.outcomes.of(class));
        ended.filter_map(|ended| ended.errors.get("timed out")).sum()
    };
    let (valid, garbage) = (timed_out(VALID), timed_out("garbage"));
    assert!((909..=921).contains(&(valid + garbage)), "{valid} and {garbage}");
    assert!((3 * garbage).abs_diff(valid) <= 3, "every fourth: {valid} and {garbage}");
    let errors = |count| [("timed out".to_owned(), count)].into();
    check_classes(
        &load,
        &Ended { planned: 7_500, sent: 7_500, accepted: 7_500 - valid, refused: 0, errors: errors(valid) },
        &Ended {
            planned: 2_500,
            sent: 2_500,
            accepted: 0,
            refused: 2_500 - garbage,
            errors: errors(garbage),
        },
    );
}

#[test]
fn what_threads_counted_is_put_together_class_by_class_whichever_they_saw_first() {
    let run = |token| Simulation { token, ..Simulation::default() }.run().0;
    let good_only = || run(|_| Token::Live(0));
    let bad_only = || run(|_| BAD);
    let valid = Ended { planned: 17_500, sent: 17_500, accepted: 17_500, ..Ended::default() };
    let garbage = Ended { planned: 12_500, sent: 12_500, refused: 12_500, ..Ended::default() };
    for parts in [[good_only(), bad_only()], [bad_only(), good_only()]] {
        let mut load = run(every_fourth_bad);
        for part in parts.clone() {
            load.add(part);
        }
        check_classes(&load, &valid, &garbage);
        let [mut first, second] = parts;
        first.add(second);
        first.add(run(every_fourth_bad));
        check_classes(&first, &valid, &garbage);
    }
}

#[test]
fn a_second_in_which_nothing_was_due_counted_nothing_in_each_tenth() {
    let idle = Simulation { connections: 1, think: Some(Duration::from_secs(20)), ..Simulation::default() };
    let (load, _) = idle.run();
    assert_eq!(load.seconds, vec![OpenSecond::default().seal(); 10]);
}
