//! Times key generation, signing, verification and whole validation, one after the other on one thread.

mod batches;
#[cfg(test)]
mod tests;

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::auth::architecture::Validation;
use crate::auth::token::jwks::{Jwk, JwkSet, PrivateJwk};
use crate::auth::token::jwt::{AnotherBackEnd, KeyRing, LibraryRing, SigningKey, Trust};
use crate::auth::token::signature::{KeyError, SignatureScheme, Signer, SigningError, Verifier};
use crate::auth::token::{Groups, Policy, Rejection, UnixTime, WallClock, base64url};
use crate::observation::{Batches, Round, SignatureTimes};
use crate::registry::Part;
use crate::testbed::signature::Task;
use crate::testbed::tokens;
use batches::{batch, slice};

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
            messages: messages(&SigningKey::new(&*scheme, key)?, clock.now(), task.extra_claims)?,
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
fn messages(key: &SigningKey, now: UnixTime, extra_claims: u32) -> Result<Vec<String>, WorkbenchError> {
    let groups = Groups::filling(extra_claims);
    let claims = || tokens::claims(ISSUER, now, groups.clone());
    let first = key.sign(&claims())?;
    let header = first.split('.').next().expect("a split has a first part");
    let message = || {
        let claims = serde_json::to_vec(&claims()).expect("claims are plain data");
        format!("{header}.{}", base64url::encode(claims))
    };
    Ok((0..MESSAGES).map(|_| message()).collect())
}
