//! Times key generation, signing, verification and whole validation, one after the other on one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::auth::architecture::Validation;
use crate::auth::token::jwks::{Jwk, JwkSet, PrivateJwk};
use crate::auth::token::jwt::{AnotherBackEnd, KeyRing, LibraryRing, SigningKey, Trust};
use crate::auth::token::signature::{KeyError, SignatureScheme, Signer, SigningError, Verifier};
use crate::auth::token::{Policy, Rejection, UnixTime, WallClock, base64url};
use crate::observation::{Batches, Distribution, Round, SignatureTimes};
use crate::registry::Part;
use crate::testbed::signature::Task;
use crate::testbed::tokens;

/// Rounds at most, and at least: the interval of an estimate comes from their differences.
const ROUNDS: usize = 10;
const FEWEST_ROUNDS: usize = 5;
/// What is measured after it goes on until the fewest rounds are made.
const BUDGET: Duration = Duration::from_secs(1);
/// Slices of a round. Each operation is timed at least once in its own, however long it takes.
const SIGNING: Duration = Duration::from_millis(35);
const VERIFYING: Duration = Duration::from_millis(30);
const VALIDATING: Duration = Duration::from_millis(20);
const GENERATING: Duration = Duration::from_millis(8);
/// Keys that take long are made this often, but not after so much time.
const FEWEST_KEYS: u64 = 3;
const LONGEST_GENERATION: Duration = Duration::from_secs(2);

/// Reading the clock takes about 40 ns: less than half a percent of a batch this long.
const SHORTEST: Duration = Duration::from_micros(10);

/// Different messages to sign: how long a lattice signature takes depends on the message (rejection sampling).
const MESSAGES: usize = 2_048;
/// Different signatures to verify. Those of the longest scheme fill a few megabytes.
const SIGNATURES: usize = 256;

/// The scheme cannot be timed.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No signature.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The library that validates is set to something else in this process.
    #[error(transparent)]
    Library(#[from] AnotherBackEnd),
    /// A fault of the scheme.
    #[error("{scheme} refuses its own signature")]
    Verification {
        /// Which one.
        scheme: Part<dyn SignatureScheme>,
    },
    /// A fault of the path around it.
    #[error("a good token of {scheme} is refused")]
    Validation {
        /// Which one.
        scheme: Part<dyn SignatureScheme>,
        /// Why.
        source: Rejection,
    },
}

/// Times every operation of the scheme of `task`.
pub fn times(task: &Task) -> Result<SignatureTimes, WorkbenchError> {
    let mut bench = Workbench::new(task)?;
    let batches = Batches {
        // Keys take long, or their figure matters to nobody.
        generate: 1,
        sign: batch(|index| bench.sign(index))?,
        verify: batch(|index| bench.verify(index))?,
        validate: if bench.validates() { batch(|index| bench.validate(index))? } else { 1 },
    };
    let begun = Instant::now();
    let (mut keys, mut generating) = (0, Duration::ZERO);
    let (mut signed, mut verified, mut validated) = (bench.signatures.len(), 0, 0);
    let mut rounds: Vec<Round> = Vec::new();
    while rounds.len() < FEWEST_ROUNDS || rounds.len() < ROUNDS && begun.elapsed() < BUDGET {
        let mut round = Round::default();
        let own = task.scheme.makes_keys();
        if own && (generating < GENERATING * 10 || keys < FEWEST_KEYS && generating < LONGEST_GENERATION) {
            let before = Instant::now();
            slice(batches.generate, GENERATING, &mut 0, &mut round.generate, |_| bench.generate())?;
            keys += round.generate.count();
            generating += before.elapsed();
        }
        slice(batches.sign, SIGNING, &mut signed, &mut round.sign, |index| bench.sign(index))?;
        bench.assemble();
        slice(batches.verify, VERIFYING, &mut verified, &mut round.verify, |index| bench.verify(index))?;
        if bench.validates() {
            slice(batches.validate, VALIDATING, &mut validated, &mut round.validate, |index| {
                bench.validate(index)
            })?;
        }
        rounds.push(round);
    }
    Ok(SignatureTimes { batches, rounds })
}

/// Repeats `operation` from `index` on, at least once, until `length` is over, and records how long every batch took.
fn slice(
    batch: u32,
    length: Duration,
    index: &mut usize,
    into: &mut Distribution,
    mut operation: impl FnMut(usize) -> Result<(), WorkbenchError>,
) -> Result<(), WorkbenchError> {
    let begun = Instant::now();
    loop {
        let before = Instant::now();
        for _ in 0..batch {
            operation(*index)?;
            *index += 1;
        }
        let after = Instant::now();
        into.record(u64::try_from((after - before).as_nanos()).expect("a batch ends within centuries"));
        if after - begun >= length {
            return Ok(());
        }
    }
}

/// How many operations take as long as a batch should. They warm up caches and the clock of the core, too.
fn batch(mut operation: impl FnMut(usize) -> Result<(), WorkbenchError>) -> Result<u32, WorkbenchError> {
    let mut count = 1_u32;
    loop {
        // The best of a few, so that an interruption does not pass for a slow operation.
        let mut best = Duration::MAX;
        for attempt in 0..5 {
            let before = Instant::now();
            (0..count as usize).try_for_each(&mut operation)?;
            best = best.min(before.elapsed());
            if best > 20 * SHORTEST && attempt > 0 || best > 1_000 * SHORTEST {
                break;
            }
        }
        if best >= SHORTEST || count > 1 << 20 {
            return Ok(count);
        }
        count *= 2;
    }
}

/// What the resource servers of the subject decide with.
enum Validator {
    Elsewhere,
    Own(KeyRing, Policy),
    Library(LibraryRing),
}

impl Validator {
    fn new(validation: Validation, key: &Jwk, trust: &Trust) -> Result<Self, AnotherBackEnd> {
        let (set, policy) = (JwkSet::of([key]), tokens::policy(ISSUER));
        Ok(match validation {
            Validation::Elsewhere => Self::Elsewhere,
            Validation::Own => Self::Own(KeyRing::new(&set, trust), policy),
            Validation::Library(back_end) => {
                back_end.install()?;
                Self::Library(LibraryRing::new(&set, trust, &policy, Duration::ZERO))
            }
        })
    }
}

/// A key, and what there is to sign and verify with it.
struct Workbench {
    scheme: Part<dyn SignatureScheme>,
    signer: Box<dyn Signer>,
    verifier: Box<dyn Verifier>,
    validator: Validator,
    clock: WallClock,
    /// What is signed of a token: header and claims.
    messages: Vec<String>,
    /// The signatures of the first of them, as far as they were made.
    signatures: Vec<Vec<u8>>,
    /// The tokens of those.
    tokens: Vec<String>,
}

impl Workbench {
    fn new(task: &Task) -> Result<Self, WorkbenchError> {
        let (scheme, key) = (task.scheme.clone(), task.key.clone());
        let PrivateJwk { public, .. } = key.clone();
        let shared_key = Some(public.clone()).filter(|key| !key.material.is_public());
        let trust = Trust { shared_key, scheme: Some(scheme.clone()) };
        let clock = WallClock::system();
        let mut bench = Self {
            signer: scheme.signer(&key)?,
            verifier: scheme.verifier(&public)?,
            validator: Validator::new(task.validation, &public, &trust)?,
            clock,
            messages: messages(&SigningKey::new(&*scheme, key)?, clock.now())?,
            signatures: Vec::new(),
            tokens: Vec::new(),
            scheme,
        };
        // Enough to find out how long the others take.
        bench.sign(0)?;
        bench.assemble();
        Ok(bench)
    }

    fn generate(&self) -> Result<(), WorkbenchError> {
        black_box(self.scheme.generate()?);
        Ok(())
    }

    fn sign(&mut self, index: usize) -> Result<(), WorkbenchError> {
        let index = index % MESSAGES;
        let signature = black_box(self.signer.sign(black_box(self.messages[index].as_bytes()))?);
        if index == self.signatures.len() && index < SIGNATURES {
            self.signatures.push(signature);
        }
        Ok(())
    }

    fn verify(&self, index: usize) -> Result<(), WorkbenchError> {
        let index = index % self.signatures.len();
        let (message, signature) = (self.messages[index].as_bytes(), &self.signatures[index]);
        if black_box(self.verifier.verifies(black_box(message), black_box(signature))) {
            Ok(())
        } else {
            Err(WorkbenchError::Verification { scheme: self.scheme.clone() })
        }
    }

    fn validates(&self) -> bool {
        !matches!(self.validator, Validator::Elsewhere)
    }

    /// As a resource server does: the date is read anew for every token.
    fn validate(&self, index: usize) -> Result<(), WorkbenchError> {
        let token = black_box(&self.tokens[index % self.tokens.len()]);
        let now = self.clock.now();
        let verdict = match &self.validator {
            Validator::Elsewhere => return Ok(()),
            Validator::Own(ring, policy) => ring.verify(token, policy, now, Duration::ZERO),
            Validator::Library(ring) => ring.verify(token, now),
        };
        black_box(verdict)
            .map(|_| ())
            .map_err(|source| WorkbenchError::Validation { scheme: self.scheme.clone(), source })
    }

    /// Makes tokens of the signatures that have none yet; nobody times this.
    fn assemble(&mut self) {
        for index in self.tokens.len()..self.signatures.len() {
            let mut token = self.messages[index].clone() + ".";
            base64url::encode_into(&self.signatures[index], &mut token);
            self.tokens.push(token);
        }
    }
}

/// As long as the address of an authorization server of the test bed.
const ISSUER: &str = "http://127.0.0.1:40000";

/// What is signed of tokens with the claims that the load carries, each with a name of its own.
fn messages(key: &SigningKey, now: UnixTime) -> Result<Vec<String>, WorkbenchError> {
    let first = key.sign(&tokens::claims(ISSUER, now))?;
    let header = first.split('.').next().expect("a split has a first part");
    let message = || {
        let claims = serde_json::to_vec(&tokens::claims(ISSUER, now)).expect("claims are plain data");
        format!("{header}.{}", base64url::encode(claims))
    };
    Ok((0..MESSAGES).map(|_| message()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::architecture::Architecture;
    use crate::auth::token::signature::every_variant;

    #[test]
    fn every_scheme_is_timed_in_rounds_with_at_least_one_of_each_operation() {
        let quick = |scheme: &Part<dyn SignatureScheme>| {
            let before = Instant::now();
            scheme.generate().is_ok() && before.elapsed() < Duration::from_millis(20)
        };
        for scheme in every_variant().filter(quick).take(4) {
            let key = scheme.generate().unwrap();
            let task = Task { cores: vec![0], scheme: scheme.clone(), key, validation: Validation::Own };
            let times = times(&task).unwrap();
            assert!(times.rounds.len() >= FEWEST_ROUNDS, "{scheme}");
            for round in &times.rounds {
                for operation in [&round.sign, &round.verify, &round.validate] {
                    assert!(operation.count() > 0, "{scheme}");
                }
            }
            let best = |of: fn(&Round) -> &Distribution, batch: u32| {
                let least = times.rounds.iter().filter_map(|round| of(round).min()).min().unwrap();
                least as f64 / f64::from(batch)
            };
            let verify = best(|round| &round.verify, times.batches.verify);
            let validate = best(|round| &round.validate, times.batches.validate);
            assert!(validate > verify, "{scheme}: a validation holds a verification: {validate} < {verify}");
        }
    }

    #[test]
    fn what_is_timed_as_validation_is_what_the_architecture_of_the_subject_does() {
        let scheme = every_variant().find(|scheme| scheme.alg() == "ES256").unwrap();
        let task = |architecture: &str| {
            let architecture: Part<dyn Architecture> = serde_json::from_str(architecture).unwrap();
            let key = scheme.generate().unwrap();
            Task { cores: vec![0], scheme: scheme.clone(), key, validation: architecture.validation() }
        };
        let jsonwebtoken = task(r#"{"kind": "jwt", "library": "jsonwebtoken"}"#);
        let bench = Workbench::new(&jsonwebtoken).unwrap();
        assert!(matches!(bench.validator, Validator::Library(_)));
        bench.validate(0).unwrap();
        let own = Workbench::new(&task(r#"{"kind": "jwt"}"#)).unwrap();
        assert!(matches!(own.validator, Validator::Own(..)));
        own.validate(0).unwrap();
        for nowhere in [r#"{"kind": "introspection"}"#, r#"{"kind": "none"}"#] {
            let times = times(&task(nowhere)).unwrap();
            assert!(times.rounds.iter().all(|round| round.validate.count() == 0), "{nowhere}");
            assert!(times.rounds.iter().all(|round| round.verify.count() > 0), "{nowhere}");
        }
    }

    #[test]
    fn keys_are_timed_only_where_the_library_makes_them() {
        let scheme =
            |own| every_variant().find(|scheme| scheme.alg() == "ES256" && scheme.makes_keys() == own);
        for own in [true, false] {
            let scheme = scheme(own).unwrap();
            let key = scheme.generate().unwrap();
            let times =
                times(&Task { cores: vec![0], scheme, key, validation: Validation::Elsewhere }).unwrap();
            assert_eq!(times.rounds.iter().any(|round| round.generate.count() > 0), own);
        }
    }

    #[test]
    fn quick_operations_are_timed_together_and_slow_ones_alone() {
        let mut sum = 0_u64;
        let quick = batch(|index| {
            sum = black_box(sum + index as u64);
            Ok(())
        });
        assert!(quick.unwrap() >= 16);
        let slow = batch(|_| {
            std::thread::sleep(Duration::from_micros(50));
            Ok(())
        });
        assert_eq!(slow.unwrap(), 1);
    }

    #[test]
    fn a_slice_times_every_batch_and_at_least_one() {
        let mut distribution = Distribution::default();
        let mut seen = Vec::new();
        slice(3, Duration::ZERO, &mut 7, &mut distribution, |index| {
            seen.push(index);
            Ok(())
        })
        .unwrap();
        assert_eq!((distribution.count(), seen), (1, vec![7, 8, 9]));
    }

    #[test]
    fn a_key_that_does_not_verify_its_signatures_is_told() {
        let mut variants = every_variant().filter(|scheme| scheme.alg() == "ES256");
        let scheme = variants.next().unwrap();
        let key = scheme.generate().unwrap();
        let mut task = Task { cores: vec![0], scheme, key, validation: Validation::Own };
        let mut bench = Workbench::new(&task).unwrap();
        task.key = task.scheme.generate().unwrap();
        bench.verifier = task.scheme.verifier(&task.key.public).unwrap();
        assert!(bench.verify(0).unwrap_err().to_string().contains("refuses its own signature"));
    }
}
