//! Keys and tokens that never change, since a count depends on both: one of each per scheme and key size, which all
//! libraries share. The keys sign nothing else.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bearerbench::auth::token::jwks::PrivateJwk;
use bearerbench::auth::token::jwt::SigningKey;
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::auth::token::{Audience, Claims, Groups, Policy, UnixTime};
use bearerbench::registry::{Choice, Part};
use serde::{Deserialize, Serialize};

/// A key, and a token it signed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Fixture {
    /// The scheme as scenarios write it, without its library.
    pub(crate) scheme: String,
    /// The token.
    pub(crate) token: String,
    /// Both halves of the key.
    pub(crate) key: PrivateJwk,
}

/// When the tokens are looked at.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A variant without its library: whoever does the work, key and token are the same.
pub(crate) fn scheme(variant: &Part<dyn SignatureScheme>) -> String {
    let written = serde_json::to_value(variant).expect("a choice is plain data");
    let mut choice: Choice = serde_json::from_value(written).expect("it was a choice");
    choice.settings.remove("library");
    choice.to_string()
}

/// The fixture of a scheme.
pub(crate) fn of(scheme: &str) -> Fixture {
    let all = read().expect("fixtures.json is checked in");
    let found = all.into_iter().find(|fixture| fixture.scheme == scheme);
    found.unwrap_or_else(|| panic!("no fixture for {scheme}: cargo bench --bench instructions -- update"))
}

/// Makes the fixtures that are missing; those that exist stay as they are, or every count would move.
pub(crate) fn complete() -> anyhow::Result<()> {
    let mut kept = if path().exists() { read()? } else { Vec::new() };
    let mut all: Vec<Fixture> = Vec::new();
    for variant in crate::cases::gated() {
        let scheme = scheme(&variant);
        if all.iter().any(|fixture| fixture.scheme == scheme) {
            continue;
        }
        match kept.iter().position(|fixture| fixture.scheme == scheme) {
            Some(at) => all.push(kept.swap_remove(at)),
            None => all.push(fresh(scheme, &variant)?),
        }
    }
    write(&all)
}

fn fresh(scheme: String, variant: &Part<dyn SignatureScheme>) -> anyhow::Result<Fixture> {
    let key = variant.generate()?;
    let token = SigningKey::new(&**variant, key.clone())?.sign(&claims())?;
    Ok(Fixture { scheme, token, key })
}

/// About 400 bytes, as an RFC 9068 token with a handful of scopes has.
fn claims() -> Claims {
    Claims {
        iss: "https://authorization-server.example.com".to_owned(),
        sub: "5ba552d67-6f1e-4c1b-9a34-dbe1ff6b0d23".to_owned(),
        aud: Audience::one("https://rs.example.com/"),
        client_id: "s6BhdRkqt3-8e2f4c0a-5d7b-4f0e-9b1c-3a6d2e7f8c90".to_owned(),
        scope: "openid profile email reademail accounts:read accounts:write payments:read payments:initiate \
                cards:read"
            .to_owned(),
        iat: NOW,
        nbf: None,
        exp: NOW + Duration::from_hours(1),
        jti: "dbe39bf3a3ba4238a513f51d6e1691c4".to_owned(),
        status: None,
        cnf: None,
        groups: Groups::default(),
    }
}

/// What the tokens satisfy.
pub(crate) fn policy() -> Policy {
    let Claims { iss, .. } = claims();
    Policy { issuer: iss, audience: "https://rs.example.com/".to_owned(), scope: "accounts:read".to_owned() }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/fixtures.json")
}

fn read() -> anyhow::Result<Vec<Fixture>> {
    let path = path();
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a list of fixtures", path.display()))
}

/// One fixture a line, so that a new one is one line of a diff.
fn write(all: &[Fixture]) -> anyhow::Result<()> {
    let lines = all.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let mut file = fs::File::create(path()).with_context(|| format!("cannot write {}", path().display()))?;
    writeln!(file, "[\n{}\n]", lines.join(",\n"))?;
    Ok(())
}
