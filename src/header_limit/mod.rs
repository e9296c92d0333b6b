//! How large a bearer token may be before a server refuses the header it travels in, by default.

mod table;

use std::fmt;

use serde::Serialize;

pub use table::{COOKIE_LIMIT, LIMITS};

/// A limit that a server sets unless it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderLimit {
    /// Who sets it.
    pub server: &'static str,
    /// What it is counted over.
    pub scope: Scope,
    /// The default in bytes, as it is configured.
    pub bytes: u32,
    /// How the largest token is known.
    pub known: Evidence,
    /// What changes it.
    pub setting: &'static str,
    /// Where its maker describes it.
    pub source: &'static str,
}

/// What a limit is counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One header, with its name.
    OneHeader,
    /// The request line and all headers.
    AllHeaders,
    /// The header list of HTTP/2, uncompressed, 32 bytes more for each header (RFC 9113 section 6.5.2).
    HeaderList,
    /// One cookie, with its name and attributes.
    Cookie,
}

/// How the largest token is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// `tests/limits` measures it again on the real server.
    Tested {
        /// Characters of the largest token that was let through.
        characters: u32,
        /// The version that was measured.
        version: &'static str,
    },
    /// Nobody knows the largest one, since it depends on how the bytes arrive. `tests/limits` sees on the real server
    /// that this one always passes, and that several times as much never does.
    AtLeast {
        /// Characters of a token that is always let through: what the limit leaves.
        characters: u32,
        /// The version that was tried.
        version: &'static str,
    },
    /// Measured once, in the year 2026.
    Measured {
        /// Characters of the largest token that was let through.
        characters: u32,
        /// The version that was measured.
        version: &'static str,
    },
    /// The maker says so; nobody here has tried.
    Documented,
}

/// An ordinary request but for its token, as `tests/limits` sends it.
pub const ORDINARY_REQUEST: [&str; 2] = [
    "GET /resource HTTP/1.1\r\nHost: api.example\r\nUser-Agent: bearerbench\r\nAccept: */*\r\nAuthorization: Bearer ",
    "\r\n\r\n",
];

/// `Authorization: Bearer` with the space before the token and the end of the line, which some count and others do not.
const ONE_HEADER: usize = "Authorization: Bearer \r\n".len();

/// The same request as a header list of HTTP/2: seven names and values, and 32 bytes for each.
const HEADER_LIST: usize =
    ":methodGET:schemehttps:path/resource:authorityapi.exampleuser-agentbearerbenchaccept*/*\
                            authorizationBearer "
        .len()
        + 7 * 32;

/// What a cookie carries beside its token at the least: `__Host-token=; Path=/; Secure; HttpOnly`.
const COOKIE: usize = "__Host-token=; Path=/; Secure; HttpOnly".len();

impl HeaderLimit {
    /// Characters of the largest token that an otherwise ordinary request may carry: measured, or what the
    /// documented limit leaves. A larger one may pass where this is but the least that is let through.
    pub const fn largest_token(&self) -> u32 {
        match self.known {
            Evidence::Tested { characters, .. }
            | Evidence::AtLeast { characters, .. }
            | Evidence::Measured { characters, .. } => characters,
            Evidence::Documented => self.bytes - self.scope.beside_token(),
        }
    }
}

impl Scope {
    /// Bytes of an ordinary request that count beside the token.
    #[expect(clippy::cast_possible_truncation, reason = "an ordinary request has a few hundred bytes")]
    const fn beside_token(self) -> u32 {
        (match self {
            Self::OneHeader => ONE_HEADER,
            Self::AllHeaders => ORDINARY_REQUEST[0].len() + ORDINARY_REQUEST[1].len(),
            Self::HeaderList => HEADER_LIST,
            Self::Cookie => COOKIE,
        }) as u32
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneHeader => "one header",
            Self::AllHeaders => "all headers",
            Self::HeaderList => "HTTP/2 header list",
            Self::Cookie => "one cookie",
        })
    }
}

impl Evidence {
    /// Whether `tests/limits` holds it to the real server.
    const fn is_tested(&self) -> bool {
        matches!(self, Self::Tested { .. } | Self::AtLeast { .. })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tested { version, .. } => write!(f, "measured, {version}"),
            Self::AtLeast { version, .. } => write!(f, "at least, tried on {version}"),
            Self::Measured { version, .. } => write!(f, "measured once, {version}"),
            Self::Documented => f.write_str("documented"),
        }
    }
}

/// Limits for headers, those that refuse the smallest tokens first.
pub fn header_limits() -> Vec<&'static HeaderLimit> {
    let mut limits: Vec<_> = LIMITS.iter().filter(|limit| limit.scope != Scope::Cookie).collect();
    limits.sort_by_key(|limit| limit.largest_token());
    limits
}

/// Limits that lie within a sixth of the strictest of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// Characters of the largest token that all of them let through.
    pub strictest: u32,
    /// Characters of the largest token that at least one of them lets through.
    pub most_generous: u32,
    /// Who sets them; those that `tests/limits` measures come first.
    pub servers: Vec<&'static str>,
    tested: usize,
}

/// The limits in groups: few enough to draw.
pub fn tiers() -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    for limit in header_limits() {
        let largest_token = limit.largest_token();
        match tiers.last_mut() {
            Some(tier) if largest_token <= tier.strictest + tier.strictest / 6 => {
                tier.most_generous = largest_token;
                let tested = limit.known.is_tested();
                let place = if tested { tier.tested } else { tier.servers.len() };
                tier.servers.insert(place, limit.server);
                tier.tested += usize::from(tested);
            }
            _ => {
                let tested = usize::from(limit.known.is_tested());
                tiers.push(Tier {
                    strictest: largest_token,
                    most_generous: largest_token,
                    servers: vec![limit.server],
                    tested,
                });
            }
        }
    }
    tiers
}

/// Who refuses a token of so many characters by default, strictest first.
pub fn refusing(characters: u64) -> Vec<&'static HeaderLimit> {
    header_limits().into_iter().filter(|limit| u64::from(limit.largest_token()) < characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documented_limit_leaves_room_for_the_rest_of_the_request() {
        for limit in LIMITS {
            assert!(limit.largest_token() > 0 && limit.source.starts_with("https://"), "{}", limit.server);
            let below = limit.largest_token() < limit.bytes;
            assert!(below || matches!(limit.known, Evidence::Measured { .. }), "{}", limit.server);
        }
        assert_eq!(Scope::AllHeaders.beside_token(), 107);
        assert_eq!(Scope::HeaderList.beside_token(), 331);
    }

    #[test]
    fn a_token_is_refused_by_those_whose_limit_it_exceeds_and_no_others() {
        let servers = |characters| refusing(characters).iter().map(|limit| limit.server).collect::<Vec<_>>();
        assert_eq!(servers(8_000), [""; 0]);
        assert!(!servers(8_168).contains(&"nginx") && servers(8_169).contains(&"nginx"));
        assert!(servers(8_169).len() < servers(17_000).len());
        assert_eq!(servers(u64::MAX).len(), LIMITS.len() - 1, "a cookie is no header");
    }

    #[test]
    fn tiers_hold_every_header_limit_once_in_rising_order() {
        let tiers = tiers();
        assert_eq!(tiers.iter().map(|tier| tier.servers.len()).sum::<usize>(), header_limits().len());
        assert!(tiers.is_sorted_by_key(|tier| tier.strictest));
        for limit in header_limits() {
            let tier = tiers.iter().find(|tier| tier.servers.contains(&limit.server)).unwrap();
            let range = tier.strictest..=tier.most_generous;
            assert!(range.contains(&limit.largest_token()), "{} in {tier:?}", limit.server);
        }
        assert!((3..=8).contains(&tiers.len()), "{tiers:?}");
    }
}
