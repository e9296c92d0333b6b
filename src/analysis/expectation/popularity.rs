//! What caches keep of popular and of rare tokens, beside what the closed form says of each tenth of them.

use std::ops::Range;

use serde::Serialize;

use crate::analysis::expectation::cache::waited_for;
use crate::analysis::expectation::{Agreement, Check, Expected, UNEVEN, value};
use crate::analysis::population::Population;
use crate::analysis::trials::Trials;
use crate::analysis::{student, usage};
use crate::metric::MetricId;
use crate::observation::{PopularityGroup, Recording, VALID};

/// Quantile of the standard normal for ten intervals of which all hold the truth in 99 % of runs.
const Z99_OF_TEN: f64 = 3.291;

/// How much farther than by that a Poisson count of a small mean reaches (Cornish and Fisher's next term, and that it is a whole number).
const SKEW: f64 = (Z99_OF_TEN * Z99_OF_TEN - 1.0) / 6.0 + 0.5;

/// Where more of the requests with good tokens have no answer, nobody knows which caches were asked for theirs.
const UNANSWERED: f64 = 0.001;

/// A tenth of the live tokens, in the order of their popularity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PopularityTenth {
    /// 1 for the most popular tokens, 10 for those that are asked for least.
    pub number: usize,
    /// How many tokens it has.
    pub tokens: u64,
    /// Which part of the requests with live tokens carried one of them.
    pub share_of_requests: f64,
    /// Which part of these was decided from a cache.
    pub hit_ratio: f64,
    /// Its 95 % interval over the rounds; absent for a single round.
    pub hit_ratio_interval: Option<(f64, f64)>,
    /// What the closed form says: a value, and where all tenths would lie in 99 % of such runs. Absent if none speaks of such a load.
    pub expected: Option<Expected>,
    /// Whether they fit.
    pub agreement: Option<Agreement>,
}

/// Every tenth of the tokens of a subject that keeps answers, the most popular first; none where that was not recorded.
pub(in crate::analysis) fn tenths(trials: &Trials<'_>) -> Vec<PopularityTenth> {
    let told: Vec<(&Recording, &[PopularityGroup])> = trials
        .recordings
        .iter()
        .filter(|recording| is_whole(recording))
        .filter_map(|recording| Some((*recording, recording.popularity.as_deref()?)))
        .collect();
    let count = told.iter().map(|(_, groups)| groups.len()).min().unwrap_or(0);
    let all: u64 = told.iter().flat_map(|(_, groups)| *groups).map(|group| group.requests).sum();
    (0..count).filter_map(|index| tenth(index, &told, all)).collect()
}

/// Nothing is known of what was cut short, nor of requests without an answer; and old answers are used where the closed forms have none.
fn is_whole(recording: &Recording) -> bool {
    let Some(load) = recording.load.as_ref().filter(|load| !load.cut_short) else { return false };
    let valid = || load.seconds.iter().filter_map(|second| second.outcomes.of(VALID));
    let planned: u64 = valid().map(|ended| ended.planned).sum();
    let answered: u64 = valid().map(|ended| ended.accepted + ended.refused).sum();
    let unanswered = planned.saturating_sub(answered) as f64;
    unanswered <= UNANSWERED * planned as f64 && !usage::had_stale_answers(recording)
}

/// `all`: requests with any live token. `None` if none carried one of this tenth.
fn tenth(index: usize, told: &[(&Recording, &[PopularityGroup])], all: u64) -> Option<PopularityTenth> {
    let groups = || told.iter().map(|(_, groups)| groups[index]);
    let requests: u64 = groups().map(|group| group.requests).sum();
    let misses: u64 = groups().map(|group| group.misses).sum();
    let ratio = |misses: u64, requests: u64| {
        // A request that was due before the window may miss within it.
        (requests > 0).then(|| (1.0 - misses as f64 / requests as f64).max(0.0))
    };
    let hit_ratio = ratio(misses, requests)?;
    let in_each: Vec<f64> = groups().filter_map(|group| ratio(group.misses, group.requests)).collect();
    // The same in every round, as of tokens that are never found, says nothing of the next one.
    let interval = student::interval(&in_each).filter(|(low, high)| low < high);
    let interval = interval.map(|(low, high)| (low.max(0.0), high.min(1.0)));
    let expected = expected(index, told);
    Some(PopularityTenth {
        number: index + 1,
        tokens: groups().next()?.tokens,
        share_of_requests: requests as f64 / all as f64,
        hit_ratio,
        hit_ratio_interval: interval,
        agreement: expected.map(|(point, slack)| {
            let agrees = (hit_ratio - point).abs() <= slack;
            if agrees { Agreement::Agrees } else { Agreement::Disagrees }
        }),
        expected: expected.map(|(point, slack)| Expected::Value {
            point,
            low: (point - slack).max(0.0),
            high: (point + slack).min(1.0),
        }),
    })
}

/// The hit ratio of a tenth, and how far a run may be from it.
fn expected(index: usize, told: &[(&Recording, &[PopularityGroup])]) -> Option<(f64, f64)> {
    let (mut requests, mut misses) = (0.0, 0.0);
    for (recording, groups) in told {
        let before: u64 = groups[..index].iter().map(|group| group.tokens).sum();
        let of_one = of_tokens(recording, before..before + groups[index].tokens)?;
        requests += of_one.0;
        misses += of_one.1;
    }
    (requests > 0.0).then(|| (1.0 - misses / requests, slack(requests, misses)))
}

/// Misses are at most as random as a Poisson count. Where they are most of the requests hits are less so: in each cycle of a token they are a
/// Poisson count of mean λT, and cycles are misses, so that their variance is at most 1 + λT times their number, which is requests by misses.
fn slack(requests: f64, misses: f64) -> f64 {
    let hits = (requests - misses).max(0.0);
    let variance = misses.min(hits * requests / misses.max(f64::MIN_POSITIVE));
    (Z99_OF_TEN * variance.sqrt() + SKEW) / requests + UNEVEN
}

/// Expected requests with tokens of these ranks in the measured window, and expected misses.
fn of_tokens(recording: &Recording, ranks: Range<u64>) -> Option<(f64, f64)> {
    let (workload, caching) = (&recording.workload, recording.subject.design.cache()?);
    let live = Population::of(workload)?;
    let (begin, end) = (workload.warmup_seconds, workload.warmup_seconds + workload.window_seconds);
    let waits = |rate: f64| waited_for(rate, end, &caching) - waited_for(rate, begin, &caching);
    let misses = live.sum_of(ranks.clone(), waits)?;
    let requests = live.sum_of(ranks, |rate| rate * workload.window_seconds)?;
    Some((requests, misses))
}

/// The tenth that is farthest from its closed form, for all of them.
pub(super) fn check(tenths: &[PopularityTenth]) -> Option<Check> {
    let excess = |tenth: &PopularityTenth| match tenth.expected {
        Some(Expected::Value { point, low, high }) => {
            // One of the ends may have been cut at 0 or 1.
            (tenth.hit_ratio - point).abs() / (high - point).max(point - low).max(f64::MIN_POSITIVE)
        }
        _ => 0.0,
    };
    let farthest = tenths.iter().filter(|tenth| tenth.expected.is_some());
    let farthest = farthest.max_by(|a, b| excess(a).total_cmp(&excess(b)))?;
    let Some(Expected::Value { point, low, high }) = farthest.expected else { return None };
    Some(value(
        "share of decisions taken from the cache, of the tenth of the tokens that is farthest from its closed form",
        MetricId::HitRatio,
        (point, low, high),
        farthest.hit_ratio,
        "misses of a cache that was empty when the load began, by how often each token is asked for",
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;
    use crate::analysis::{Warning, analyse, hit_ratio, synthetic};
    use crate::design::{Caching, Design};
    use crate::load::{Token, schedule};
    use crate::observation::Reuse;
    use crate::plan::Plan;
    use crate::registry::Choice;
    use crate::scenario::ScenarioFile;

    const TTL: f64 = 1.5;

    /// A recording of ideal caches that were given a schedule. They may forget half of what they know of the rarest tokens.
    fn played(servers: usize, seed: u64, forgets: bool) -> Recording {
        let text = "question = \"?\"\n[load]\nrate = 20_000\nwarmup = \"1s\"\nduration = \"9s\"\n[tokens]\nlive = 2_000\nbad = 0\n\
                    [revocation]\ntokens = 0\n[[subject]]\narchitecture = \"none\"\n";
        let file = ScenarioFile::parse("case.toml".to_owned(), text, &[]).unwrap();
        let workload = (*Plan::decide(&file, &[], &[0]).unwrap().trials[0].workload).clone();
        let mut groups = vec![PopularityGroup { tokens: 200, ..PopularityGroup::default() }; 10];
        let mut fresh_until = HashMap::new();
        for request in schedule(&workload, seed) {
            let Token::Live(token) = request.token else { continue };
            let until: &mut f64 = fresh_until.entry((token, request.server(servers))).or_default();
            let now = request.due.seconds();
            let is_miss = now >= *until || (forgets && token >= 1_800 && request.place % 2 == 0);
            if is_miss {
                *until = now + TTL;
            }
            if request.due >= workload.window_start() {
                let group = &mut groups[token as usize / 200];
                group.requests += 1;
                group.misses += u64::from(is_miss);
            }
        }
        let mut recording = synthetic::recording(2);
        recording.subject.design = Design::caching(Duration::from_secs_f64(TTL));
        recording.workload.arrival_process = Some(Choice::named("poisson"));
        recording.workload.reuse = Reuse::Zipf { exponent: 0.99 };
        (recording.workload.rate, recording.workload.bad_fraction) = (20_000.0, 0.0);
        (recording.workload.warmup_seconds, recording.workload.window_seconds) = (1.0, 9.0);
        (recording.workload.live_tokens, recording.workload.resource_servers) =
            (2_000, u32::try_from(servers).unwrap());
        recording.popularity = Some(groups);
        recording
    }

    fn tenths_of(recordings: &[Recording]) -> Vec<PopularityTenth> {
        analyse(recordings).subjects.remove(0).popularity
    }

    #[test]
    fn what_played_caches_keep_agrees_with_the_closed_form_in_every_tenth_for_any_number_of_servers() {
        for servers in [1, 4, 16] {
            let rounds = [1, 2, 3].map(|seed| Recording {
                repetition: u32::try_from(seed).unwrap(),
                ..played(servers, seed, false)
            });
            let tenths = tenths_of(&rounds);
            assert_eq!(tenths.len(), 10);
            for tenth in &tenths {
                assert_eq!(tenth.agreement, Some(Agreement::Agrees), "{servers}: {tenth:?}");
                let (low, high) = tenth.hit_ratio_interval.unwrap();
                assert!(low < tenth.hit_ratio && tenth.hit_ratio < high, "{tenth:?}");
            }
            let falls = |pair: &[PopularityTenth]| {
                pair[0].hit_ratio > pair[1].hit_ratio && pair[0].share_of_requests > pair[1].share_of_requests
            };
            assert!(falls(&tenths[..2]) && falls(&[tenths[1].clone(), tenths[9].clone()]));
            let shares: f64 = tenths.iter().map(|tenth| tenth.share_of_requests).sum();
            assert!((shares - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn in_a_long_run_the_closed_form_is_that_of_a_token() {
        let mut recording = played(4, 1, false);
        let workload = &mut recording.workload;
        (workload.warmup_seconds, workload.window_seconds) = (1_000.0, 100_000.0);
        let Some((requests, misses)) = of_tokens(&recording, 999..1_000) else { panic!("there is a form") };
        let total: f64 = (1..=2_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
        let rate = 20_000.0 * 1_000_f64.powf(-0.99) / total;
        assert!((requests / (rate * 100_000.0) - 1.0).abs() < 2e-3, "{requests}");
        let expected = hit_ratio(rate / 4.0, TTL);
        let found = 1.0 - misses / requests;
        assert!((found / expected - 1.0).abs() < 2e-3, "{found}, not {expected}");
    }

    #[test]
    fn a_cache_that_forgets_rare_tokens_is_told_though_the_whole_hardly_shows_it() {
        let of_check = |recording: Recording| {
            let summary = analyse(&[recording]).subjects.remove(0);
            let check = summary.checks.iter().find(|check| check.quantity.contains("tenth")).unwrap().clone();
            let is_told = |warning: &Warning| matches!(warning, Warning::OracleDisagrees { quantity, .. } if quantity.contains("tenth"));
            (check.agreement, summary.warnings.iter().any(is_told), summary.popularity)
        };
        let (agreement, is_told, _) = of_check(played(1, 1, false));
        assert_eq!((agreement, is_told), (Agreement::Agrees, false));
        let (agreement, is_told, tenths) = of_check(played(1, 1, true));
        assert_eq!((agreement, is_told), (Agreement::Disagrees, true), "{tenths:?}");
        let disagreeing: Vec<usize> = tenths
            .iter()
            .filter(|tenth| tenth.agreement == Some(Agreement::Disagrees))
            .map(|tenth| tenth.number)
            .collect();
        assert_eq!(disagreeing, [10]);
    }

    #[test]
    fn the_closed_form_leaves_room_for_what_chance_does_to_few_hits_and_not_for_more() {
        // Of 1,000 requests 10 are hits, or 500, or 990: a few standard deviations of that, and five calls in a thousand.
        for (misses, low, high) in [(990.0, 0.015, 0.02), (500.0, 0.075, 0.085), (10.0, 0.015, 0.02)] {
            let slack = slack(1_000.0, misses);
            assert!(low < slack && slack < high, "{misses}: {slack}");
        }
        let rounds = [1, 2].map(|repetition| {
            let mut recording = Recording { repetition, ..played(16, 1, false) };
            recording.popularity.as_mut().unwrap()[9] =
                PopularityGroup { tokens: 200, requests: 50, misses: 50 };
            recording
        });
        let last = tenths_of(&rounds).remove(9);
        assert_eq!((last.hit_ratio, last.hit_ratio_interval), (0.0, None));
    }

    #[test]
    fn nothing_is_told_of_recordings_without_it_or_of_loads_that_are_not_whole() {
        assert_eq!(tenths_of(&[synthetic::recording(2)]), []);
        let mut short = played(1, 1, false);
        short.load.as_mut().unwrap().cut_short = true;
        assert_eq!(tenths_of(&[short]), []);
        let mut unanswered = played(1, 1, false);
        let valid = unanswered.load.as_mut().unwrap().seconds[0].outcomes.class_mut(VALID);
        valid.accepted -= 20;
        valid.errors.insert("timed out".to_owned(), 20);
        assert_eq!(tenths_of(&[unanswered]), []);
        let mut bursts = played(1, 1, false);
        bursts.workload.arrival_process = Some(Choice::named("bursts"));
        let tenths = tenths_of(&[bursts]);
        assert!(tenths.len() == 10 && tenths.iter().all(|tenth| tenth.expected.is_none()), "{tenths:?}");
        let mut ahead = played(1, 1, false);
        ahead.subject.design = Design::keeping(Caching {
            refresh_ahead_seconds: Some(0.5),
            ..Caching::for_a_while(Duration::from_secs_f64(TTL))
        });
        let expected = |recording| match tenths_of(&[recording])[9].expected {
            Some(Expected::Value { point, .. }) => point,
            other => panic!("{other:?}"),
        };
        assert!(expected(ahead) > expected(played(1, 1, false)) + 0.01, "fewer requests wait for a question");
    }
}
