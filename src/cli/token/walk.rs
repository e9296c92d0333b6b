//! The checks of a token one by one, so that a refusal names its reason. They decide nothing: the key ring does.

use std::time::Duration;

use crate::auth::token::base64url;
use crate::auth::token::jwks::Jwk;
use crate::auth::token::jwt::MAX_CHARACTERS;
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::auth::token::{Claims, Rejection, UnixTime};
use crate::cli::token::check::{Check, Name, Outcome};
use crate::cli::token::decoded::{Object, seconds};
use crate::cli::token::shown::{date, line, quoted};
use crate::registry::Part;

/// What is known beside the token.
pub(super) struct Expectation<'a> {
    /// The keys, by the names that tokens call them by.
    pub(super) keys: &'a [Jwk],
    /// The form of the scheme that verifies, where another than the default is wanted.
    pub(super) scheme: Option<&'a Part<dyn SignatureScheme>>,
    pub(super) issuer: Option<&'a str>,
    pub(super) audience: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
    pub(super) now: UnixTime,
    pub(super) leeway: Duration,
}

/// What the checks found out on their way.
struct Walk<'a> {
    authenticated: &'a Result<Claims, Rejection>,
    parts: Vec<&'a str>,
    decoded: Vec<Vec<u8>>,
    header: Object,
    key: Option<(&'a Jwk, Part<dyn SignatureScheme>)>,
    payload: Object,
}

/// Every check with its outcome. At most one failed.
///
/// `authenticated` is what the key ring says of signature and claims: claims are read by it alone.
pub(super) fn checks(
    token: &str,
    expected: &Expectation<'_>,
    authenticated: &Result<Claims, Rejection>,
) -> Vec<Check> {
    let mut walk = Walk::new(authenticated);
    let mut checks: Vec<Check> = Vec::new();
    for check in Name::ALL {
        let failed = checks.iter().any(Check::failed);
        let outcome = if failed {
            Outcome::NotReached
        } else {
            walk.outcome(check, token, expected).unwrap_or_else(Outcome::Failed)
        };
        checks.push(Check { check, outcome });
    }
    checks
}

impl Expectation<'_> {
    /// The scheme that verifies with a key.
    fn scheme_of(&self, key: &Jwk) -> Option<Part<dyn SignatureScheme>> {
        let wanted = self.scheme.filter(|scheme| scheme.answers_to(&key.alg)).cloned();
        wanted.or_else(|| scheme_of(key))
    }
}

impl<'a> Walk<'a> {
    fn new(authenticated: &'a Result<Claims, Rejection>) -> Self {
        let (header, payload) = (Object::default(), Object::default());
        Self { authenticated, parts: Vec::new(), decoded: Vec::new(), header, key: None, payload }
    }

    fn outcome(
        &mut self,
        check: Name,
        token: &'a str,
        expected: &Expectation<'a>,
    ) -> Result<Outcome, String> {
        match check {
            Name::Size => size(token).map(Outcome::Ok),
            Name::Parts => self.split(token).map(Outcome::Ok),
            Name::Base64url => self.decode().map(Outcome::Ok),
            Name::Header => self.read_header().map(Outcome::Ok),
            Name::Typ => self.typ().map(Outcome::Ok),
            Name::Crit => self.crit().map(Outcome::Ok),
            Name::Key => self.choose_key(expected).map(Outcome::Ok),
            Name::Algorithm => self.algorithm().map(Outcome::Ok),
            Name::Signature => self.signature(token).map(Outcome::Ok),
            Name::Claims => self.read_claims().map(Outcome::Ok),
            Name::Issuer => self.issuer(expected.issuer),
            Name::Audience => self.audience(expected.audience),
            Name::Expiry => self.expiry(expected.now, expected.leeway).map(Outcome::Ok),
            Name::NotBefore => self.not_before(expected.now, expected.leeway).map(Outcome::Ok),
            Name::Scope => self.scope(expected.scope),
        }
    }

    fn split(&mut self, token: &'a str) -> Result<String, String> {
        self.parts = token.split('.').collect();
        match self.parts.len() {
            3 => Ok("header, payload and signature".to_owned()),
            5 => Err("5 parts: an encrypted token (JWE), where a signed one of 3 is expected".to_owned()),
            number => Err(format!("{number} where a compact JWS has 3: header, payload and signature")),
        }
    }

    fn decode(&mut self) -> Result<String, String> {
        for (part, name) in self.parts.iter().zip(["header", "payload", "signature"]) {
            let bytes = base64url::decode(part).map_err(|error| format!("the {name} is {error}"))?;
            self.decoded.push(bytes);
        }
        let lengths: Vec<String> = self.decoded.iter().map(|bytes| bytes.len().to_string()).collect();
        Ok(format!("{} bytes", lengths.join(" + ")))
    }

    fn read_header(&mut self) -> Result<String, String> {
        self.header = object(&self.decoded[0]).map_err(|why| format!("the header is {why}"))?;
        let alg = self.header.member("alg").ok_or("it names no algorithm (alg)")?;
        let alg = alg.as_str().ok_or("alg is no string")?;
        Ok(format!("alg {}", quoted(alg)))
    }

    /// RFC 9068 section 4: `at+jwt`, with or without `application/`, in any case of letters.
    fn typ(&self) -> Result<String, String> {
        let typ =
            self.header.member("typ").ok_or("there is none, where \"at+jwt\" is expected (RFC 9068)")?;
        let typ = typ.as_str().ok_or("it is no string")?;
        let known = ["at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
        known.then(|| quoted(typ)).ok_or_else(|| format!("{}, not \"at+jwt\" (RFC 9068)", quoted(typ)))
    }

    fn crit(&self) -> Result<String, String> {
        match self.header.member("crit") {
            None => Ok("nothing must be understood".to_owned()),
            Some(_) => Err("the header names extensions that must be understood, and none is".to_owned()),
        }
    }

    /// The key of that name; of several keys of one name, the one for this algorithm.
    fn choose_key(&mut self, expected: &Expectation<'a>) -> Result<String, String> {
        let number = expected.keys.len();
        let kid = match self.header.member("kid") {
            Some(kid) => Some(kid.as_str().ok_or("kid is no string")?),
            None if number == 1 => None,
            None => return Err(format!("the header names none (kid), and there are {number}")),
        };
        let alg = self.alg();
        let mut candidates: Vec<_> = expected
            .keys
            .iter()
            .filter(|key| kid.is_none_or(|kid| key.kid == kid))
            .filter_map(|key| Some((key, expected.scheme_of(key)?)))
            .collect();
        candidates.sort_by_key(|(_, scheme)| !scheme.answers_to(alg));
        let shown = kid.map_or_else(|| "the only one".to_owned(), quoted);
        let Some((key, scheme)) = candidates.into_iter().next() else {
            return Err(format!("{shown} is not among the {number} given"));
        };
        let shown = format!("{shown} of {number}, for {}", quoted(&key.alg));
        self.key = Some((key, scheme));
        Ok(shown)
    }

    fn alg(&self) -> &str {
        self.header.member("alg").and_then(|alg| alg.as_str()).expect("the header was checked to have it")
    }

    /// RFC 8725 section 3.1: the algorithm is bound to the key.
    fn algorithm(&self) -> Result<String, String> {
        let (key, scheme) = self.key.as_ref().expect("a key was chosen before");
        let alg = self.alg();
        if scheme.answers_to(alg) {
            Ok(format!("{}, as the key", quoted(alg)))
        } else {
            Err(format!("{} in the header, {} in the key", quoted(alg), quoted(&key.alg)))
        }
    }

    fn signature(&self, token: &str) -> Result<String, String> {
        let (key, scheme) = self.key.as_ref().expect("a key was chosen before");
        let verifier = scheme.verifier(key).map_err(|error| error.to_string())?;
        let (message, _) = token.rsplit_once('.').expect("it has three parts");
        let (signature, facts) = (&self.decoded[2], scheme.facts());
        if verifier.verifies(message.as_bytes(), signature) {
            Ok(format!("{} bytes, verified by {}", signature.len(), facts.library))
        } else {
            Err(format!(
                "these {} bytes are not a signature of this header and payload by the key",
                signature.len()
            ))
        }
    }

    fn read_claims(&mut self) -> Result<String, String> {
        let payload = object(&self.decoded[1]);
        match (self.authenticated, payload) {
            (Ok(_), payload) => {
                self.payload = payload.map_err(|why| format!("the payload is {why}"))?;
                Ok(format!("{}, those of RFC 9068 among them", self.payload.0.len()))
            }
            (Err(_), Err(why)) => Err(format!("the payload is {why}")),
            (Err(rejection), Ok(_)) => {
                // Serde's words say more; they may repeat what the token says.
                let parsed = serde_json::from_slice::<Claims>(&self.decoded[1]).err();
                let detail = parsed.map(|error| format!(": {}", quoted(&error.to_string())));
                Err(format!("{rejection}{}", detail.unwrap_or_default()))
            }
        }
    }

    fn claims(&self) -> &Claims {
        self.authenticated.as_ref().expect("the claims were checked to be good")
    }

    fn issuer(&self, expected: Option<&str>) -> Result<Outcome, String> {
        let issuer = &self.claims().iss;
        asked(expected, quoted(issuer), |expected| issuer == expected)
    }

    fn audience(&self, expected: Option<&str>) -> Result<Outcome, String> {
        let audience = &self.claims().aud;
        let says = self.payload.member("aud").map(line).unwrap_or_default();
        asked(expected, says, |expected| audience.names(expected))
    }

    fn scope(&self, expected: Option<&str>) -> Result<Outcome, String> {
        let scope = &self.claims().scope;
        asked(expected, quoted(scope), |expected| scope.split(' ').any(|scope| scope == expected))
    }

    fn expiry(&self, now: UnixTime, leeway: Duration) -> Result<String, String> {
        let expiry = self.claims().exp;
        let shown = date(expiry, now);
        if now >= expiry + leeway { Err(shown) } else { Ok(shown) }
    }

    fn not_before(&self, now: UnixTime, leeway: Duration) -> Result<String, String> {
        let Some(written) = self.payload.member("nbf") else { return Ok("no such claim".to_owned()) };
        let not_before = seconds(written, f64::ceil).ok_or("nbf is no number of seconds since 1970")?;
        let shown = date(not_before, now);
        if not_before > now + leeway { Err(shown) } else { Ok(shown) }
    }
}

fn size(token: &str) -> Result<String, String> {
    let length = token.len();
    if length > MAX_CHARACTERS {
        return Err(format!("{length} characters, more than the {MAX_CHARACTERS} that are read"));
    }
    Ok(format!("{length} characters"))
}

/// A part that is a JSON object in which no member stands twice.
fn object(bytes: &[u8]) -> Result<Object, String> {
    // The message may repeat what the token says.
    let object: Object = serde_json::from_slice(bytes)
        .map_err(|error| format!("no JSON object: {}", quoted(&error.to_string())))?;
    match object.repeated() {
        Some(name) => Err(format!("ambiguous: member {} stands twice", quoted(name))),
        None => Ok(object),
    }
}

/// The outcome of a check that an option asks for.
fn asked(expected: Option<&str>, says: String, fits: impl Fn(&str) -> bool) -> Result<Outcome, String> {
    match expected {
        None => Ok(Outcome::NotChecked(says)),
        Some(expected) if fits(expected) => Ok(Outcome::Ok(says)),
        Some(expected) => Err(format!("{says}, where {} is expected", quoted(expected))),
    }
}
