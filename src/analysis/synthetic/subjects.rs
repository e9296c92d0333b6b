//! What is simulated: subjects and how long they take.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analysis::synthetic::{TTL, signatures};
use crate::design::Design;
use crate::observation::{ReadableClaims, SignatureTimes, Subject};
use crate::wire::Http;

/// A subject, the service time of a local decision and of a call in microseconds, the times of its signature.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) subject: Subject,
    pub(super) local: f64,
    pub(super) call: f64,
    pub(super) times: Option<SignatureTimes>,
}

impl Made {
    pub(super) fn plain(subject: Subject, local: f64, call: f64) -> Self {
        Self { subject, local, call, times: None }
    }

    /// A subject whose tokens are opaque.
    fn opaque(name: &str, design: Design, local: f64, call: f64) -> Self {
        let subject = Subject {
            name: name.to_owned(),
            // Their names differ, and the order in which they are recorded is theirs.
            position: 0,
            parts: BTreeMap::new(),
            architecture: name.to_owned(),
            token_format: None,
            signature: None,
            scheme: None,
            store: "memory".to_owned(),
            http: Http::Http1,
            wire: None,
            extra_claims_bytes: 0,
            thresholds: Vec::new(),
            design,
            token_characters: Some([43, 43, 45]),
            readable_claims: Some(ReadableClaims { members: 0, bytes: 0 }),
            proof_characters: None,
            handshake_bytes: None,
        };
        Self::plain(subject, local, call)
    }

    fn jwt(alg: &str, local: f64) -> Self {
        let scheme = signatures::named(alg);
        let subject = Subject { name: format!("jwt {alg}"), ..scheme.subject(0) };
        Self { times: Some(scheme.times()), ..Self::plain(subject, local, 0.0) }
    }
}

/// The five of the quickstart.
pub(super) fn subjects() -> [Made; 5] {
    [
        Made::opaque("none", Design::UNCHECKED, 80.0, 0.0),
        Made::opaque("introspection", Design::ASKING_EVERY_TIME, 90.0, 170.0),
        Made::opaque("introspection-cached", Design::caching(Duration::from_secs_f64(TTL)), 88.0, 175.0),
        Made::jwt("ES256", 152.0),
        Made::jwt("ML-DSA-65", 149.0),
    ]
}
