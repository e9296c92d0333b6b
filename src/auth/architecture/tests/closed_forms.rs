//! The cache against theory.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp};
use tokio::time::{Instant, sleep_until};

use super::{Client, good, issuer, validator};

/// Poisson requests with one token against a cache, on a clock that jumps from one to the next.
/// The closed forms are those of the design: hit ratio `lambda T / (1 + lambda T)`, unsafe acceptances of
/// a revocation `(lambda T)^2 / (2 (1 + lambda T))`.
#[tokio::test(start_paused = true)]
async fn hits_and_unsafe_acceptances_of_the_cache_agree_with_their_closed_forms() {
    const RUNS: u32 = 400;
    let (lambda, ttl) = (1.0, 10.0);
    let gaps = Exp::new(lambda).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut hits, mut decisions, mut unsafe_each) = (0, 0, Vec::new());
    for _ in 0..RUNS {
        let issuer = issuer(None).await;
        let validator = validator(r#"{"kind": "introspection-cached", "ttl": "10s"}"#, &issuer).await;
        let client = Client { lifetime: Duration::from_hours(1), ..good() };
        let token = issuer.server.issue(&client).await.unwrap().token;
        // Long enough to forget how it began, and a phase of its own.
        let revoked_at = Instant::now() + Duration::from_secs_f64(100.0 + 50.0 * random.random::<f64>());
        let mut due = Instant::now();
        let (mut revoked, mut accepted_after) = (false, 0);
        loop {
            due += Duration::from_secs_f64(gaps.sample(&mut random));
            if due >= revoked_at && !revoked {
                sleep_until(revoked_at).await;
                let cache = validator.cache();
                hits += cache.hits;
                decisions += cache.hits + cache.misses;
                issuer.server.revoke(&client, &token).await.unwrap();
                revoked = true;
            }
            sleep_until(due).await;
            match (validator.validate(&token).await, revoked) {
                (Ok(_), true) => accepted_after += 1,
                (Ok(_), false) => {}
                (Err(_), true) => break,
                (Err(rejection), false) => panic!("refused before it was revoked: {rejection}"),
            }
        }
        unsafe_each.push(f64::from(accepted_after));
    }
    let load = lambda * ttl;
    let expected_hits = load / (1.0 + load);
    let measured_hits = hits as f64 / decisions as f64;
    // Decisions within a cycle are not independent; a cycle is one miss, so misses are counted like events.
    let deviation = (expected_hits * (1.0 - expected_hits) / decisions as f64).sqrt();
    assert!(
        (measured_hits - expected_hits).abs() < 3.3 * deviation,
        "{measured_hits} against {expected_hits}"
    );

    let count = unsafe_each.len() as f64;
    let mean = unsafe_each.iter().sum::<f64>() / count;
    let variance = unsafe_each.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let expected = load * load / (2.0 * (1.0 + load));
    assert!((mean - expected).abs() < 3.3 * (variance / count).sqrt(), "{mean} against {expected}");
}
