//! One good token of every signature scheme, and all that decides on it.

use std::hint::black_box;
use std::time::Duration;

use bearerbench::auth::token::jwks::JwkSet;
use bearerbench::auth::token::jwt::{BackEnd, KeyRing, LibraryRing, SigningKey, Trust};
use bearerbench::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme, Verifier};
use bearerbench::auth::token::{Audience, Claims, Groups, Policy, UnixTime, WallClock, base64url};
use bearerbench::registry::Part;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk};

/// The size of the claims that all targets are stated for.
const CLAIMS_BYTES: usize = 400;
const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";

/// A scheme with a token.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) alg: &'static str,
    pub(crate) token: String,
    message: String,
    signature: Vec<u8>,
    verifier: Box<dyn Verifier>,
    keys: KeyRing,
    policy: Policy,
    clock: WallClock,
    pub(crate) library: Option<Library>,
}

/// The crate jsonwebtoken, set up as its documentation shows, with prepared keys.
pub(crate) struct Library {
    key: DecodingKey,
    rules: Validation,
}

/// What a team that uses the crate would write.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "read by nobody, as in any benchmark")]
struct PlainClaims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    scope: String,
    iat: u64,
    exp: u64,
    jti: String,
}

/// In its default form, each scheme that has a signature.
pub(crate) fn of_every_scheme() -> Vec<Subject> {
    BackEnd::AwsLcRs.install().expect("the first in this process");
    let names = SIGNATURE_SCHEMES.entries.iter().map(|entry| entry.name);
    let schemes = names.map(|name| Part::<dyn SignatureScheme>::named(name).expect("registered"));
    schemes.filter(|scheme| scheme.facts().signature_bytes > 0).map(|scheme| Subject::of(&scheme)).collect()
}

impl Subject {
    fn of(scheme: &Part<dyn SignatureScheme>) -> Self {
        let key = scheme.generate().expect("a key");
        let public = key.public.clone();
        let signing = SigningKey::new(&**scheme, key).expect("it signs");
        let clock = WallClock::system();
        let token = signing.sign(&claims(clock.now())).expect("a signature");
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let trust = Trust { shared_key: Some(public.clone()), scheme: Some(scheme.clone()) };
        let subject = Self {
            name: scheme.to_string(),
            alg: scheme.alg(),
            message: message.to_owned(),
            signature: base64url::decode(signature).expect("base64url"),
            verifier: scheme.verifier(&public).expect("it verifies"),
            keys: KeyRing::new(&JwkSet::default(), &trust),
            policy: Policy {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                scope: "read".to_owned(),
            },
            clock,
            library: Library::of(&**scheme, &serde_json::to_value(&public).expect("plain data")),
            token,
        };
        subject.verify_signature();
        subject.validate();
        subject
    }

    /// The signature alone.
    pub(crate) fn verify_signature(&self) {
        let message = black_box(self.message.as_bytes());
        assert!(self.verifier.verifies(message, black_box(&self.signature)));
    }

    /// The whole token, with a look at the clock for each, as in production and in jsonwebtoken.
    pub(crate) fn validate(&self) {
        let verdict =
            self.keys.verify(black_box(&self.token), &self.policy, self.clock.now(), Duration::ZERO);
        drop(black_box(verdict.expect("the token is good")));
    }
}

impl Library {
    fn of(scheme: &dyn SignatureScheme, key: &serde_json::Value) -> Option<Self> {
        // Only where it can read what tokens of the scheme call their algorithm.
        let name = LibraryRing::name_for(scheme).filter(|name| *name == scheme.alg())?;
        let algorithm: Algorithm = name.parse().expect("a name of its own");
        let key: jwk::Jwk = serde_json::from_value(key.clone()).expect("it reads the keys it knows");
        let mut rules = Validation::new(algorithm);
        rules.set_required_spec_claims(&["iss", "aud", "exp"]);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.validate_nbf = true;
        Some(Self { key: DecodingKey::from_jwk(&key).expect("a key of the algorithm"), rules })
    }

    pub(crate) fn decode(&self, token: &str) {
        let decoded = jsonwebtoken::decode::<PlainClaims>(black_box(token), &self.key, &self.rules);
        drop(black_box(decoded.expect("the token is good")));
    }
}

/// Claims whose JSON has exactly that size.
fn claims(now: UnixTime) -> Claims {
    let mut claims = Claims {
        iss: ISSUER.to_owned(),
        sub: "248289761001".to_owned(),
        aud: Audience::one(AUDIENCE),
        client_id: "bench".to_owned(),
        scope: "read write openid profile email".to_owned(),
        iat: now,
        nbf: None,
        exp: now + Duration::from_hours(24),
        jti: String::new(),
        status: None,
        groups: Groups::default(),
        cnf: None,
    };
    let size = |claims: &Claims| serde_json::to_vec(claims).expect("plain data").len();
    claims.jti = "j".repeat(CLAIMS_BYTES - size(&claims));
    assert_eq!(size(&claims), CLAIMS_BYTES);
    claims
}
