//! What a workbench times, and what it does not.

use super::*;
use crate::auth::architecture::Architecture;
use crate::auth::token::signature::every_variant;
use crate::observation::Distribution;

#[test]
fn every_scheme_is_timed_in_rounds_with_at_least_one_of_each_operation() {
    let quick = |scheme: &Part<dyn SignatureScheme>| {
        let before = Instant::now();
        scheme.generate().is_ok() && before.elapsed() < Duration::from_millis(20)
    };
    for scheme in every_variant().filter(quick).take(4) {
        let key = scheme.generate().unwrap();
        let task = Task {
            cores: vec![0],
            scheme: scheme.clone(),
            key,
            validation: Validation::Own,
            extra_claims: 0,
        };
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
        Task {
            cores: vec![0],
            scheme: scheme.clone(),
            key,
            validation: architecture.validation(),
            extra_claims: 0,
        }
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
    let scheme = |own| every_variant().find(|scheme| scheme.alg() == "ES256" && scheme.makes_keys() == own);
    for own in [true, false] {
        let scheme = scheme(own).unwrap();
        let key = scheme.generate().unwrap();
        let times =
            times(&Task { cores: vec![0], scheme, key, validation: Validation::Elsewhere, extra_claims: 0 })
                .unwrap();
        assert_eq!(times.rounds.iter().any(|round| round.generate.count() > 0), own);
    }
}

#[test]
fn a_key_that_does_not_verify_its_signatures_is_told() {
    let mut variants = every_variant().filter(|scheme| scheme.alg() == "ES256");
    let scheme = variants.next().unwrap();
    let key = scheme.generate().unwrap();
    let mut task = Task { cores: vec![0], scheme, key, validation: Validation::Own, extra_claims: 0 };
    let mut bench = Workbench::new(&task).unwrap();
    task.key = task.scheme.generate().unwrap();
    bench.verifier = task.scheme.verifier(&task.key.public).unwrap();
    assert!(bench.verify(0).unwrap_err().to_string().contains("refuses its own signature"));
}
