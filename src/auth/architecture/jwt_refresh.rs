//! Short-lived JWTs: clients refresh them, and a revocation ends that.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::auth::architecture::jwt::LocalJwt;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens};
use crate::auth::future::BoxFuture;
use crate::design::{Design, Refreshing};
use crate::units::Period;

/// What decides, made from [`Written`].
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct JwtRefresh {
    life: Duration,
    margin: Duration,
    jwt: LocalJwt,
}

/// Verifies as `jwt` does, tokens that live for `life` only; each client has its token refreshed before it expires.
///
/// * Data flow: a client gets a refresh token with its JWT. It sends that to `/token` on average `margin` before the JWT expires, each time
///   a quarter of `margin` earlier or later at most, and gets the next JWT and the next refresh token. The resource server decides as `jwt`
///   does.
/// * Specification: RFC 6749 section 6; RFC 9700 section 4.14.2 and OAuth 2.1 for refresh tokens that are good once. RFC 9068 for the JWTs.
/// * A revoked token is accepted until it expires, `life` and `leeway` after it was issued at the most. What is revoked is the grant, by its
///   refresh token (RFC 7009 section 2.1): no refresh brings a new one from then on.
/// * A refresh token that is used a second time ends its grant, as a thief and the client cannot be told apart. So does the client
///   whose answer was lost and that asks again.
/// * The grant lives for `tokens.lifetime` of the scenario. Clients have no part in the CPU time that is measured: the load generator refreshes
///   for them, beside its own cores.
/// * The cost is a call with a signature for each live token every `life` less `margin`, used or not, at the authorization server alone, and a record
///   there of each refresh token, used ones too, until its grant ends: by that a second use is known. The resource server pays what it does
///   with `jwt`.
/// * Without the authorization server everything goes on until tokens expire: the first do about `margin` later, and their clients are
///   refused from then on. It is needed at the start.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "life": "30s" }))]
struct Written {
    /// How long a JWT lives, in whole seconds, which is what one can say.
    life: Period,
    /// How long before its end it is refreshed on average, by default a third of `life`, and 2 s at least: its date is a whole second, so that
    /// it may live for a second less, and the refresh takes its time.
    margin: Option<Period>,
    /// How the resource server verifies: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

/// A token of this life, refreshed at the latest of its instants, is replaced half a second before its date at the least.
const LEAST_MARGIN: Duration = Duration::from_secs(2);

/// Settings that contradict each other.
#[derive(Debug, thiserror::Error)]
enum Contradiction {
    #[error("`life` {0:?} is no whole number of seconds, which is what tokens can say; write it like \"5s\"")]
    Fraction(Duration),
    #[error(
        "`margin` {0:?} is shorter than {least} s, so that tokens would expire before their client had the next one: dates in tokens are \
         whole seconds; choose {least} s or more",
        least = LEAST_MARGIN.as_secs()
    )]
    Short(Duration),
    #[error(
        "`life` {life:?} is over before a token is refreshed: that happens up to {early:?} before its end, with `margin` {margin:?} and a \
         quarter of it for chance; choose a longer `life`{shorter}"
    )]
    Long { life: Duration, margin: Duration, early: Duration, shorter: &'static str },
}

impl TryFrom<Written> for JwtRefresh {
    type Error = Contradiction;

    fn try_from(Written { life, margin, jwt }: Written) -> Result<Self, Contradiction> {
        let life = life.duration();
        if life.subsec_nanos() != 0 {
            return Err(Contradiction::Fraction(life));
        }
        let margin = margin.map_or_else(|| (life / 3).max(LEAST_MARGIN), Period::duration);
        if margin < LEAST_MARGIN {
            return Err(Contradiction::Short(margin));
        }
        let early = margin + margin / 4;
        if early >= life {
            let shorter = if margin > LEAST_MARGIN { ", or a shorter `margin`" } else { "" };
            return Err(Contradiction::Long { life, margin, early, shorter });
        }
        Ok(Self { life, margin, jwt })
    }
}

impl JsonSchema for JwtRefresh {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl Architecture for JwtRefresh {
    fn tokens(&self) -> Tokens {
        Tokens::Jwt
    }

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        let refreshing = Refreshing {
            token_life_seconds: self.life.as_secs_f64(),
            refresh_margin_seconds: self.margin.as_secs_f64(),
        };
        Design { refreshing: Some(refreshing), ..self.jwt.design() }
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        self.jwt.validator(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::architecture::ARCHITECTURES;
    use crate::registry::Choice;

    fn chosen(settings: &str) -> Result<Refreshing, String> {
        let choice = Choice { kind: "jwt-refresh".to_owned(), settings: settings.parse().unwrap() };
        let chosen = ARCHITECTURES.resolve(choice).map_err(|error| error.to_string())?;
        Ok(chosen.design().refreshing.unwrap())
    }

    #[test]
    fn a_token_is_refreshed_in_its_life_and_half_a_second_before_its_date_at_the_latest() {
        for (settings, margin) in [
            ("life = '3s'", 2.0),
            ("life = '5s'", 2.0),
            ("life = '30s'", 10.0),
            ("life = '5m'\nmargin = '30s'", 30.0),
        ] {
            let refreshing = chosen(settings).unwrap();
            assert!((refreshing.refresh_margin_seconds - margin).abs() < 1e-9, "{settings}");
            let ages = [0.0, 0.5, 1.0].map(|uniform| refreshing.age_at_refresh(uniform));
            let Refreshing { token_life_seconds: life, .. } = refreshing;
            assert!(ages[0] > 0.0 && ages[2] + 0.5 <= life - 1.0, "{settings}: {ages:?}");
            assert!((ages[1] - (life - margin)).abs() < 1e-9, "{settings}: {ages:?}");
        }
    }

    #[test]
    fn settings_that_leave_no_time_to_refresh_are_refused_with_what_to_choose() {
        for (settings, words) in [
            ("life = '2s'", &["`life` 2s is over", "choose a longer `life`"][..]),
            ("life = '10s'\nmargin = '9s'", &["up to 11.25s before its end", "or a shorter `margin`"]),
            ("life = '10s'\nmargin = '1s'", &["`margin` 1s is shorter than 2 s", "choose 2 s or more"]),
            ("life = '2500ms'", &["`life` 2.5s is no whole number of seconds", "\"5s\""]),
        ] {
            let error = chosen(settings).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{settings}: {error}");
            }
        }
    }
}
