//! The examples of the standards, which every form of the scheme must read as they do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::variants_of;
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::signature::every_variant;

/// One signed text, with the key that its standard gives.
struct Example {
    source: &'static str,
    /// The members of the key, public and private.
    key: serde_json::Value,
    /// What is signed: header and payload, encoded.
    message: &'static str,
    signature: &'static str,
    /// Whether signing again gives the same.
    reproducible: bool,
}

/// The payload of RFC 7515 appendices A.1 to A.3 and A.5.
macro_rules! joe {
    ($header:literal) => {
        concat!(
            $header,
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        )
    };
}

/// The payload of RFC 7520 section 4.
macro_rules! frodo {
    ($header:literal) => {
        concat!(
            $header,
            ".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUg",
            "cm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0",
            "IGJlIHN3ZXB0IG9mZiB0by4"
        )
    };
}

fn examples() -> Vec<Example> {
    let mut examples = shared_secrets();
    examples.extend(key_pairs());
    examples.extend(rsa_keys());
    examples
}

fn shared_secrets() -> Vec<Example> {
    vec![
        Example {
            source: "RFC 7515 appendix A.1",
            key: serde_json::json!({
                "kty": "oct", "alg": "HS256",
                "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            }),
            message: joe!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"),
            signature: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            reproducible: true,
        },
        Example {
            source: "RFC 7515 appendix A.5",
            key: serde_json::json!({ "kty": "none", "alg": "none" }),
            message: joe!("eyJhbGciOiJub25lIn0"),
            signature: "",
            reproducible: true,
        },
        Example {
            source: "RFC 7520 section 4.4",
            key: serde_json::json!({
                "kty": "oct", "alg": "HS256", "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
            }),
            message: frodo!(
                "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
            ),
            signature: "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
            reproducible: true,
        },
    ]
}

fn key_pairs() -> Vec<Example> {
    vec![
        Example {
            source: "RFC 7515 appendix A.3",
            key: serde_json::json!({
                "kty": "EC", "alg": "ES256", "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            }),
            message: joe!("eyJhbGciOiJFUzI1NiJ9"),
            signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            reproducible: false,
        },
        Example {
            source: "RFC 8037 appendix A.4",
            key: serde_json::json!({
                "kty": "OKP", "alg": "EdDSA", "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            }),
            message: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            reproducible: true,
        },
    ]
}

fn rsa_keys() -> Vec<Example> {
    vec![
        Example {
            source: "RFC 7515 appendix A.2",
            key: serde_json::json!({
                "kty": "RSA", "alg": "RS256", "e": "AQAB",
                "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
            }),
            message: joe!("eyJhbGciOiJSUzI1NiJ9"),
            signature: "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            reproducible: false,
        },
        Example {
            source: "RFC 7520 section 4.1",
            key: serde_json::json!({
                "kty": "RSA", "alg": "RS256", "e": "AQAB",
                "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
                "d": "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
                "p": "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
                "q": "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc",
                "dp": "B8PVvXkvJrj2L-GYQ7v3y9r6Kw5g9SahXBwsWUzp19TVlgI-YV85q1NIb1rxQtD-IsXXR3-TanevuRPRt5OBOdiMGQp8pbt26gljYfKU_E9xn-RULHz0-ed9E9gXLKD4VGngpz-PfQ_q29pk5xWHoJp009Qf1HvChixRX59ehik",
                "dq": "CLDmDGduhylc9o7r84rEUVn7pzQ6PF83Y-iBZx5NT-TpnOZKF1pErAMVeKzFEl41DlHHqqBLSM0W1sOFbwTxYWZDm6sI6og5iTbwQGIC3gnJKbi_7k_vJgGHwHxgPaX2PnvP-zyEkDERuf-ry4c_Z11Cq9AqC2yeL6kdKT1cYF8",
                "qi": "3PiqvXQN0zwMeE-sBvZgi289XP9XCQF3VWqPzMKnIgQp7_Tugo6-NZBKCQsMf3HaEGBjTVJs_jcK8-TRXvaKe-7ZMaQj8VfBdYkssbu0NKDDhjJ-GtiseaDVWt7dcH0cfwxgFUHpQh7FoCrjFJ6h6ZEpMF6xmujs4qMpPz8aaI4",
            }),
            message: frodo!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"),
            signature: "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
            reproducible: true,
        },
    ]
}

impl Example {
    /// The key, with the members that the standard leaves open.
    fn key(&self) -> PrivateJwk {
        let mut key = self.key.clone();
        key["kid"] = self.source.into();
        key["use"] = "sig".into();
        serde_json::from_value(key).unwrap()
    }
}

#[test]
fn the_examples_of_the_standards_verify_and_nothing_that_was_changed_in_them() {
    for example in examples() {
        let (key, signature) = (example.key().public, URL_SAFE_NO_PAD.decode(example.signature).unwrap());
        let mut forms = 0;
        for scheme in every_variant().filter(|scheme| scheme.answers_to(&key.alg)) {
            forms += 1;
            let verifier = scheme.verifier(&key).unwrap();
            let accepts = |message: &str| verifier.verifies(message.as_bytes(), &signature);
            assert!(accepts(example.message), "{scheme}: {}", example.source);
            assert_eq!(accepts(&example.message[1..]), signature.is_empty(), "{scheme}: {}", example.source);
        }
        assert!(forms > 0, "{}", example.source);
    }
}

#[test]
fn signing_the_examples_of_the_standards_again_gives_what_they_print() {
    for example in examples().into_iter().filter(|example| example.reproducible) {
        let key = example.key();
        for scheme in every_variant().filter(|scheme| scheme.answers_to(&key.public.alg)) {
            let signature = scheme.signer(&key).unwrap().sign(example.message.as_bytes()).unwrap();
            assert_eq!(URL_SAFE_NO_PAD.encode(signature), example.signature, "{scheme}: {}", example.source);
        }
    }
}

#[test]
fn the_signing_key_of_the_elliptic_curve_example_signs_what_its_public_half_verifies() {
    for example in key_pairs() {
        let key = example.key();
        for scheme in every_variant().filter(|scheme| scheme.answers_to(&key.public.alg)) {
            let signature = scheme.signer(&key).unwrap().sign(b"message").unwrap();
            assert!(scheme.verifier(&key.public).unwrap().verifies(b"message", &signature), "{scheme}");
        }
    }
}

#[test]
fn what_has_an_older_name_is_found_by_it() {
    for scheme in variants_of("Ed25519") {
        assert!(scheme.answers_to("EdDSA") && !scheme.answers_to("eddsa") && !scheme.answers_to("Ed448"));
    }
}
