//! What a resource server decides on a token, with the list of checks that explains it.

use std::fmt::Write as _;

use serde_json::json;

use crate::auth::token::jwks::JwkSet;
use crate::auth::token::jwt::{KeyRing, Trust};
use crate::auth::token::{Claims, Policy, Rejection};
use crate::cli::token::check::{Check, Name, Outcome};
use crate::cli::token::decoded::Part;
use crate::cli::token::shown;
use crate::cli::token::walk::{Expectation, checks};

/// What was decided, and why.
pub(super) struct Verdict {
    pub(super) decision: Result<Claims, Refusal>,
    pub(super) checks: Vec<Check>,
}

/// Why a token is refused: by the path that servers use, or by a check of this command alone.
#[derive(Debug)]
pub(super) enum Refusal {
    Rejected(Rejection),
    Stricter,
}

impl Verdict {
    /// Decides as a resource server does, then finds the check that explains it.
    pub(super) fn on(token: &str, expected: &Expectation<'_>) -> Self {
        let ring = ring(expected);
        let authenticated = ring.authenticate(token);
        let decision = product_decision(&ring, &authenticated, token, expected);
        let mut checks = checks(token, expected, &authenticated);
        let failed = checks.iter().any(Check::failed);
        let decision = match decision {
            Ok(_) if failed => Err(Refusal::Stricter),
            Ok(claims) => Ok(claims),
            Err(rejection) => {
                let told = checks.iter().find(|check| check.failed()).map(|check| check.check);
                // A fault before the claims that no check knows shows where the claims are read.
                if told.is_none() || (told == Some(Name::Claims) && Name::of(rejection) != Name::Claims) {
                    explain(&mut checks, rejection);
                }
                Err(Refusal::Rejected(rejection))
            }
        };
        Self { decision, checks }
    }

    fn line(&self) -> String {
        match &self.decision {
            Ok(_) => "accepted".to_owned(),
            Err(Refusal::Rejected(rejection)) => format!("refused: {rejection}"),
            Err(Refusal::Stricter) => "refused: a check failed".to_owned(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.line() + "\n";
        for Check { check, outcome } in &self.checks {
            let (result, detail) = match outcome {
                Outcome::Ok(detail) => ("ok", detail.as_str()),
                Outcome::Failed(why) => ("FAILED:", why.as_str()),
                Outcome::NotChecked(says) => ("not checked:", says.as_str()),
                Outcome::NotReached => ("not reached", ""),
            };
            let line = format!("  {:<11} {result} {detail}", check.name());
            writeln!(text, "{}", line.trim_end()).expect("a string takes every text");
        }
        text
    }

    pub(super) fn json(&self) -> String {
        shown::json(&json!({
            "accepted": self.decision.is_ok(),
            "verdict": self.line(),
            "checks": self.checks,
            "claims": self.decision.as_ref().ok(),
        }))
    }
}

/// What the path of the resource server says. What nobody asked for is taken from the token itself, once its signature
/// is known to be good.
fn product_decision(
    ring: &KeyRing,
    authenticated: &Result<Claims, Rejection>,
    token: &str,
    expected: &Expectation<'_>,
) -> Result<Claims, Rejection> {
    let claims = authenticated.as_ref().map_err(|rejection| *rejection)?;
    let own_audience = || {
        let audience = serde_json::to_value(&claims.aud).unwrap_or_default();
        audience.as_str().or_else(|| audience.get(0)?.as_str()).unwrap_or_default().to_owned()
    };
    let own_scope = || claims.scope.split(' ').next().unwrap_or_default().to_owned();
    let policy = Policy {
        issuer: expected.issuer.map_or_else(|| claims.iss.clone(), str::to_owned),
        audience: expected.audience.map_or_else(own_audience, str::to_owned),
        scope: expected.scope.map_or_else(own_scope, str::to_owned),
    };
    ring.verify(token, &policy, expected.now, expected.leeway)
}

/// The keys as a resource server has them: published, or one that was agreed on. The token has no say in it.
fn ring(expected: &Expectation<'_>) -> KeyRing {
    let shared = match expected.keys {
        [only] if !only.material.is_public() => Some(only.clone()),
        _ => None,
    };
    let trust = Trust { shared_key: shared, scheme: expected.scheme.cloned() };
    KeyRing::new(&JwkSet::of(expected.keys), &trust)
}

/// The name of a key in the header of a token that nobody has verified.
pub(super) fn kid(token: &str) -> Option<String> {
    let header = Part::new(token.split('.').next()?).object()?;
    Some(header.member("kid")?.as_str()?.to_owned())
}

/// Puts a refusal that no check found where it belongs.
fn explain(checks: &mut [Check], rejection: Rejection) {
    let mut behind = false;
    for check in checks {
        if behind {
            check.outcome = Outcome::NotReached;
        } else if check.check == Name::of(rejection) {
            check.outcome = Outcome::Failed(rejection.to_string());
            behind = true;
        }
    }
}
