//! How many unsafe acceptances probes should see.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::analysis::expectation::WHOLE_SECOND;
use crate::analysis::trials::Trials;
use crate::design::Caching;
use crate::observation::{Event, Revocation};

/// Enough for ends of a 99 % interval that move by a few percent of its width.
const GAMES: usize = 1_500;

/// Expected total of a cache, with its 99 % interval.
///
/// The closed form (λT)² / (2 (1 + λT)) holds if a token was in use for long before its revocation and is
/// probed for at least T after it. A trial is shorter: the same renewal process is played from the first
/// probe to the last instant of probing, which has the closed form as its limit. When a cache asks ahead is drawn for each game, and of what
/// it accepts which part `passes`, where somebody behind it refuses the rest.
pub(super) fn cached(trials: &Trials<'_>, caching: &Caching, passes: f64) -> (f64, f64, f64) {
    let points = points(trials);
    let mut random = ChaCha8Rng::seed_from_u64(trials.seed());
    let mut game = || -> f64 {
        let accepted: f64 = points.iter().map(|point| point.play(caching, &mut random)).sum();
        if passes < 1.0 { part_of(accepted, passes, &mut random) } else { accepted }
    };
    let mut totals: Vec<f64> = (0..GAMES).map(|_| game()).collect();
    totals.sort_unstable_by(f64::total_cmp);
    let mean = totals.iter().sum::<f64>() / GAMES as f64;
    (mean, totals[GAMES / 200], totals[GAMES - 1 - GAMES / 200])
}

/// How many of these are among those that pass, each for itself.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
fn part_of(count: f64, passes: f64, random: &mut ChaCha8Rng) -> f64 {
    (0..count as u64).filter(|_| random.random_bool(passes)).count() as f64
}

/// Expected total beside a list that each resource server polls, with its 99 % interval: the probes between an acknowledgement and
/// the next poll. A server polls at instants of its own, so one draw of them decides on all revocations of a trial there.
pub(super) fn polled(trials: &Trials<'_>, poll: f64) -> (f64, f64, f64) {
    play_polls(&probed_servers(trials), poll, trials.seed())
}

/// A revocation at a resource server, in seconds: when it was acknowledged, and how long after that each probe of its token was sent.
type Probed = (f64, Vec<f64>);

fn play_polls(servers: &[Vec<Probed>], poll: f64, seed: u64) -> (f64, f64, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut game = || -> f64 {
        let accepted = servers.iter().map(|revocations| {
            let phase = random.random::<f64>() * poll;
            let between = revocations.iter().map(|(acknowledged, sent)| {
                let wait = (phase - acknowledged).rem_euclid(poll);
                sent.iter().filter(|after| **after < wait).count()
            });
            between.sum::<usize>() as f64
        });
        accepted.sum()
    };
    let mut totals: Vec<f64> = (0..GAMES).map(|_| game()).collect();
    totals.sort_unstable_by(f64::total_cmp);
    let mean = totals.iter().sum::<f64>() / GAMES as f64;
    (mean, totals[GAMES / 200], totals[GAMES - 1 - GAMES / 200])
}

/// The revocations at each resource server of each trial, with the probes that were decided before their token expired and its leeway ended.
fn probed_servers(trials: &Trials<'_>) -> Vec<Vec<Probed>> {
    let mut servers = Vec::new();
    let leeway = trials.subject.design.leeway_seconds;
    for recording in &trials.recordings {
        for node in recording.enforcement_points() {
            let mut revocations = Vec::new();
            for (event, revocation) in recording.revocations() {
                let Some(acknowledged) = event.ended else { continue };
                let probes = revocation.probes.iter().filter(|probe| {
                    probe.node == node
                        && probe.sent > acknowledged
                        && probe.decided().seconds() < revocation.expires_seconds + leeway
                });
                let sent = probes.map(|probe| probe.sent.since(acknowledged).as_secs_f64()).collect();
                revocations.push((acknowledged.seconds(), sent));
            }
            servers.push(revocations);
        }
    }
    servers
}

/// Every probe sent after the acknowledgement and before the expiry: no chance is involved. A probe within
/// a second of the expiry may go either way.
pub(super) fn until_expiry(trials: &Trials<'_>, leeway: f64) -> (f64, f64, f64) {
    let count = |margin: f64| -> f64 {
        let revocations = trials.recordings.iter().flat_map(|recording| recording.revocations());
        revocations.map(|(event, revocation)| accepted(event, revocation, leeway + margin)).sum::<usize>()
            as f64
    };
    (count(0.0), count(-WHOLE_SECOND), count(WHOLE_SECOND))
}

fn accepted(event: &Event, revocation: &Revocation, leeway: f64) -> usize {
    let Some(acknowledged) = event.ended else { return 0 };
    let probes = revocation.probes.iter();
    probes
        .filter(|probe| probe.sent > acknowledged)
        .filter(|probe| probe.decided().seconds() < revocation.expires_seconds + leeway)
        .count()
}

/// A revocation at a resource server, in seconds from the first probe.
#[derive(Debug)]
struct Point {
    rate: f64,
    revoked: f64,
    end: f64,
}

impl Point {
    /// Acceptances after the revocation in one game.
    fn play(&self, caching: &Caching, random: &mut ChaCha8Rng) -> f64 {
        let ttl = caching.cache_lifetime_seconds;
        // From all of that time to half of it.
        let within = |most: f64| most * (1.0 - random.random::<f64>() / 2.0);
        let ahead = caching.refresh_ahead_seconds.map_or(0.0, within);
        let begins = ttl - ahead;
        let mut exponential = || -(1.0 - random.random::<f64>()).ln() / self.rate;
        // The first probe asks; probes answered from the cache need not be played.
        let mut asked = 0.0;
        while asked + begins < self.revoked {
            let next = asked + begins + exponential();
            if next >= self.revoked {
                // A probe that asks after the revocation is refused, unless it asks ahead while it is accepted.
                let is_accepted = next < (asked + ttl).min(self.end);
                return f64::from(u8::from(is_accepted));
            }
            asked = next;
        }
        let mut now = self.revoked;
        let mut accepted = 0.0;
        loop {
            now += exponential();
            if now >= (asked + ttl).min(self.end) {
                return accepted;
            }
            accepted += 1.0;
            if now >= asked + begins {
                return accepted;
            }
        }
    }
}

fn points(trials: &Trials<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    for recording in &trials.recordings {
        for (event, revocation) in recording.revocations() {
            let Some(acknowledged) = event.ended else { continue };
            for node in recording.enforcement_points() {
                let mut probes = revocation.probes.iter().filter(|probe| probe.node == node).peekable();
                let Some(first) = probes.peek().map(|probe| probe.sent) else { continue };
                if probes.any(|probe| probe.sent > acknowledged) && first < acknowledged {
                    points.push(Point {
                        rate: recording.workload.probe_rate,
                        revoked: acknowledged.since(first).as_secs_f64(),
                        end: revocation.probed_until.since(first).as_secs_f64(),
                    });
                }
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::oracle::AskedAhead;
    use crate::analysis::{synthetic, unsafe_acceptances};

    #[test]
    fn a_long_game_has_the_mean_of_the_closed_form() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (rate, ttl) in [(1.0, 10.0), (5.0, 2.0)] {
            let point = Point { rate, revoked: 400.0, end: 500.0 };
            let games = 30_000;
            let caching = Caching::for_a_while(Duration::from_secs_f64(ttl));
            let mut mean = |caching: &Caching| {
                (0..games).map(|_| point.play(caching, &mut random)).sum::<f64>() / f64::from(games)
            };
            let (plain, expected) = (mean(&caching), unsafe_acceptances(rate, ttl));
            assert!((plain / expected - 1.0).abs() < 0.03, "{plain}, not {expected}");
            let most = ttl / 2.0;
            let ahead = mean(&Caching { refresh_ahead_seconds: Some(most), ..caching });
            let of_instant =
                |ahead: f64| AskedAhead { begins: ttl - ahead, ahead }.unsafe_acceptances(rate).0;
            let instants = (0..100).map(|part| most * (1.0 - (f64::from(part) + 0.5) / 200.0));
            let expected = instants.map(of_instant).sum::<f64>() / 100.0;
            assert!((ahead / expected - 1.0).abs() < 0.03, "{ahead}, not {expected}");
            assert!(ahead < 0.9 * plain, "{ahead} beside {plain}");
        }
    }

    #[test]
    fn where_somebody_behind_refuses_half_half_of_the_acceptances_are_left() {
        let recordings = [synthetic::recording(2)];
        let trials = &Trials::group(&recordings.each_ref())[0];
        let caching = trials.subject.design.cache().unwrap();
        let [(all, low, high), (half, half_low, half_high)] =
            [1.0, 0.5].map(|passes| cached(trials, &caching, passes));
        assert!(all > 100.0 && low < all && all < high, "{low} {all} {high}");
        assert!((half / all - 0.5).abs() < 0.02, "{half} of {all}");
        assert!(half_low < half && half < half_high && half_high < low, "{half_low} {half} {half_high}");
        assert!(cached(trials, &caching, 0.0).0 < 1e-9);
    }

    #[test]
    fn beside_a_list_probes_count_until_the_leeway_after_the_expiry_ends() {
        let probed = |leeway: f64| {
            let mut recording = synthetic::recording(3);
            recording.subject.design.leeway_seconds = leeway;
            for event in &mut recording.events {
                event.revocation_mut().unwrap().expires_seconds = 8.0;
            }
            let recordings = [recording];
            let servers = probed_servers(&Trials::group(&recordings.each_ref())[0]);
            let last =
                servers.iter().flatten().flat_map(|(at, sent)| sent.iter().map(move |after| at + after));
            last.fold(0.0, f64::max)
        };
        assert!((7.5..8.0).contains(&probed(0.0)), "{}", probed(0.0));
        assert!((9.5..10.0).contains(&probed(2.0)), "{}", probed(2.0));
    }

    #[test]
    fn a_list_lets_pass_what_comes_before_the_next_poll_and_polls_of_one_server_are_one_draw() {
        // A probe every 10 ms for 8 s, polls every 4 s: a probe passes with probability 1 - delay / poll.
        let probes: Vec<f64> = (0..800).map(|number| f64::from(number) * 0.01).collect();
        let near = |measured: f64, expected: f64| (measured / expected - 1.0).abs() < 0.05;
        let one = vec![vec![(1.0, probes.clone())]];
        let (mean, low, high) = play_polls(&one, 4.0, 3);
        assert!(near(mean, 200.5), "{mean}");
        assert!(low < 6.0 && (394.0..=400.0).contains(&high), "{low} to {high}");
        // Whole polls apart, three revocations meet the same poll; beside three servers chance evens out.
        let together = vec![[1.0, 9.0, 21.0].map(|at| (at, probes.clone())).to_vec()];
        let apart = vec![one[0].clone(); 3];
        let (mean, low, high) = play_polls(&together, 4.0, 3);
        assert!(near(mean, 601.5) && low < 18.0 && high > 1_182.0, "{low} to {high} about {mean}");
        let (mean, low, high) = play_polls(&apart, 4.0, 3);
        assert!(near(mean, 601.5) && low > 40.0 && high < 1_160.0, "{low} to {high} about {mean}");
    }
}
