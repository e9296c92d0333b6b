//! jsonwebtoken in the place of the program's own path.

use super::{ARCHITECTURES, Choice, every_variant, issuer, try_validator};

#[test]
fn a_library_is_refused_the_schemes_that_it_does_not_know_before_anything_starts() {
    let own = ARCHITECTURES.resolve(Choice::named("jwt")).unwrap();
    let library = |name: &str| {
        let choice = serde_json::from_str(&format!(r#"{{"kind": "jwt", "library": "{name}"}}"#)).unwrap();
        ARCHITECTURES.resolve(choice).unwrap()
    };
    for scheme in every_variant() {
        assert_eq!(own.accepts(&*scheme), Ok(()));
        for name in ["jsonwebtoken", "jsonwebtoken-rust-crypto"] {
            let readable = scheme.alg().parse::<jsonwebtoken::Algorithm>().is_ok();
            let answer = library(name).accepts(&*scheme);
            assert_eq!(answer.is_ok(), readable, "{scheme}: {answer:?}");
            assert!(answer.err().is_none_or(|why| why.contains(scheme.alg())));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_back_end_of_the_library_in_one_process_is_refused_rather_than_ignored() {
    let issuer = issuer(Some("ES256")).await;
    let first = r#"{"kind": "jwt", "library": "jsonwebtoken"}"#;
    let second = r#"{"kind": "jwt", "library": "jsonwebtoken-rust-crypto"}"#;
    for _ in 0..2 {
        assert!(try_validator(first, &issuer).await.is_ok());
        let error = try_validator(second, &issuer).await.err().unwrap().to_string();
        assert!(error.contains("already uses another back end"), "{error}");
    }
}
