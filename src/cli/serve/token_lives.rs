//! How long tokens and refresh tokens live, by what is given and by what the architectures ask for.

use std::time::Duration;

use crate::auth::architecture::Architecture;
use crate::registry::Part;

/// How long a token lives where nobody says, or may be refreshed where it must be.
const USUAL: Duration = Duration::from_mins(10);

/// How long tokens live, and their refresh tokens if there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenLives {
    pub(super) token: Duration,
    pub(super) refresh_tokens: Option<Duration>,
}

impl TokenLives {
    /// By the options of these names; what architectures do whose clients refresh must not be left out.
    pub(super) fn of(
        serves: &[Part<dyn Architecture>],
        lifetime: Option<Duration>,
        refresh_tokens: Option<Duration>,
    ) -> Result<Self, String> {
        let life = |served: &Part<dyn Architecture>| Some(served.design().refreshing?.life());
        let mut refreshing = serves.iter().filter_map(|served| Some((served.kind(), life(served)?)));
        let Some((kind, token)) = refreshing.next() else {
            return Ok(Self { token: lifetime.unwrap_or(USUAL), refresh_tokens });
        };
        if let Some((other, different)) = refreshing.find(|(_, other)| *other != token) {
            return Err(format!(
                "--serves {kind} and --serves {other} want tokens that live for {token:?} and for {different:?}; start an authorization \
                 server for each"
            ));
        }
        if let Some(lifetime) = lifetime.filter(|lifetime| *lifetime != token) {
            return Err(format!(
                "--lifetime {lifetime:?} and --serves {kind} contradict each other: by its `life` tokens live for {token:?}; leave \
                 --lifetime out, or set `life`"
            ));
        }
        let lasts = refresh_tokens.unwrap_or(USUAL);
        if lasts <= token {
            return Err(format!(
                "--refresh-tokens {lasts:?} and --serves {kind} contradict each other: by its `life` the first token lives for {token:?}, \
                 and none could be refreshed; choose longer --refresh-tokens"
            ));
        }
        Ok(Self { token, refresh_tokens: Some(lasts) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::architecture::ARCHITECTURES;
    use crate::registry::Choice;

    fn part(kind: &str, settings: &str) -> Part<dyn Architecture> {
        let choice = Choice { kind: kind.to_owned(), settings: settings.parse().unwrap() };
        ARCHITECTURES.resolve(choice).unwrap()
    }

    const HOURS: Option<Duration> = Some(Duration::from_hours(8));
    const LIFE: Duration = Duration::from_secs(30);

    #[test]
    fn an_architecture_whose_clients_refresh_says_how_long_tokens_live() {
        let jwt = || part("jwt", "");
        let refreshing = || part("jwt-refresh", "life = '30s'");
        for (serves, lifetime, token) in [
            (vec![], None, USUAL),
            (vec![jwt()], Some(LIFE), LIFE),
            (vec![jwt(), refreshing()], None, LIFE),
            (vec![refreshing(), refreshing()], Some(LIFE), LIFE),
        ] {
            let expected = TokenLives { token, refresh_tokens: HOURS };
            assert_eq!(TokenLives::of(&serves, lifetime, HOURS), Ok(expected), "{serves:?}");
        }
        for (served, lasts) in [(jwt(), None), (refreshing(), Some(USUAL))] {
            assert_eq!(TokenLives::of(&[served], None, None).unwrap().refresh_tokens, lasts);
        }
    }

    #[test]
    fn what_contradicts_it_is_refused_with_both_options() {
        let refreshing = || part("jwt-refresh", "life = '30s'");
        let other = || part("jwt-refresh", "life = '5s'");
        let minutes = Some(Duration::from_mins(5));
        for (serves, lifetime, refresh_tokens, words) in [
            (
                vec![refreshing()],
                minutes,
                HOURS,
                ["--lifetime 300s and --serves jwt-refresh", "leave --lifetime out"],
            ),
            (
                vec![refreshing()],
                None,
                Some(LIFE),
                ["--refresh-tokens 30s and --serves jwt-refresh", "choose longer"],
            ),
            (
                vec![refreshing(), other()],
                None,
                HOURS,
                ["for 30s and for 5s", "an authorization server for each"],
            ),
        ] {
            let error = TokenLives::of(&serves, lifetime, refresh_tokens).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
