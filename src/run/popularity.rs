//! Brings together how often tokens were sent and how often caches did not know them, by how popular they are.

use crate::load::{Token, schedule};
use crate::observation::{PopularityGroup, Reuse};
use crate::plan::Trial;

/// Tokens are told of by tenths.
const GROUPS: usize = 10;

/// Whether a trial tells it: it has caches of answers about tokens of which some are more popular than others, each of them the same all the
/// time, a plan says how often each is sent, and nobody who counts is killed meanwhile.
pub(super) fn is_told_of(trial: &Trial) -> bool {
    let (pool, pace) = (&trial.workload.pool, &trial.workload.pace);
    trial.subject.architecture.design().cache().is_some()
        && matches!(pool.reuse.facts(), Reuse::Zipf { .. })
        && pool.churn.is_none()
        && pace.rate().is_some()
        && pool.live as usize >= GROUPS
        && trial.workload.timeline.interventions().next().is_none()
}

/// Tenths of the live tokens, the most popular first. `misses`: how often caches had no answer about each of these tokens within the measured window.
pub(super) fn groups(trial: &Trial, misses: &[u32]) -> Vec<PopularityGroup> {
    let mut groups = vec![PopularityGroup::default(); GROUPS];
    let group = |token: usize| token * GROUPS / misses.len();
    for (token, misses) in misses.iter().enumerate() {
        let group = &mut groups[group(token)];
        group.tokens += 1;
        group.misses += u64::from(*misses);
    }
    let begin = trial.workload.window_start();
    for request in schedule(&trial.workload, trial.seed).filter(|request| request.due >= begin) {
        // By the law of this plan the first of them is the most popular.
        if let Token::Live(token) = request.token {
            groups[group(token as usize)].requests += 1;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::Plan;
    use crate::scenario::ScenarioFile;

    fn trial(load: &str, tokens: &str, architecture: &str) -> Trial {
        let text = format!(
            "question = \"?\"\n[load]\n{load}\nduration = \"5s\"\n[tokens]\n{tokens}\n[[subject]]\nsignature = \"ES256\"\narchitecture = {architecture}\n"
        );
        let file = ScenarioFile::parse("case.toml".to_owned(), &text, &[]).unwrap();
        Plan::decide(&file, &[], &[0]).unwrap().trials.swap_remove(0)
    }

    const CACHED: &str = "{ kind = \"introspection-cached\", ttl = \"1s\" }";

    #[test]
    fn it_is_told_of_caches_of_answers_about_tokens_of_which_some_are_more_popular() {
        let is_told = |load, tokens, architecture| is_told_of(&trial(load, tokens, architecture));
        assert!(is_told("rate = 10", "", CACHED));
        assert!(is_told("rate = 10", "", "{ kind = \"split-token\", gateway = { ttl = \"1s\" } }"));
        for architecture in ["\"introspection\"", "\"jwt\"", "\"jwt-cached\""] {
            assert!(!is_told("rate = 10", "", architecture), "{architecture}");
        }
        assert!(!is_told("closed = {}", "", CACHED), "nobody knows before how often a token is sent");
        for tokens in ["reuse = \"round-robin\"", "reuse = \"uniform\"", "churn = 1", "live = 9"] {
            assert!(!is_told("rate = 10", tokens, CACHED), "{tokens}");
        }
        let event = "[[event]]\nat = \"2s\"\nkill = \"resource-server\"";
        assert!(!is_told("rate = 10", event, CACHED), "whoever is killed forgets what it counted");
    }

    #[test]
    fn tenths_hold_the_tokens_by_popularity_with_the_requests_of_the_window() {
        let mut trial = trial("rate = 2_000", "live = 25\nbad = 0.1", CACHED);
        let misses: Vec<u32> = (0..25).collect();
        let found = groups(&trial, &misses);
        assert_eq!(
            found.iter().map(|group| group.tokens).collect::<Vec<_>>(),
            [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
        );
        assert_eq!(found.iter().map(|group| group.misses).sum::<u64>(), 300);
        assert_eq!((found[0].misses, found[9].misses), (3, 23 + 24));
        let requests: u64 = found.iter().map(|group| group.requests).sum();
        // 9,000 live ones of the five measured seconds, not of the two before: five standard deviations are 475.
        assert!((8_525..=9_475).contains(&requests), "{requests}");
        assert!(found[0].requests > 3 * found[9].requests, "{found:?}");
        // Whoever shares the load, and however many they are, the requests are the same.
        let subject = Arc::make_mut(&mut trial.subject);
        subject.resource_servers = 16;
        assert_eq!(groups(&trial, &misses), found);
    }
}
