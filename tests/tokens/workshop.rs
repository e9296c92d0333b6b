//! Where tokens are forged: keys of every scheme, claims in order, and both validators.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use bearerbench::auth::token::jwks::{JwkSet, PrivateJwk};
use bearerbench::auth::token::jwt::{Asked, BackEnd, KeyRing, LibraryRing, Trust};
use bearerbench::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme, Signer, every_variant};
use bearerbench::auth::token::{Claims, Policy, Rejection, UnixTime, base64url};
use bearerbench::registry::Part;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const AUDIENCE: &str = "https://api.example/";

/// A key that signs, and its scheme.
pub(crate) struct Key {
    pub(crate) scheme: Part<dyn SignatureScheme>,
    pub(crate) pair: PrivateJwk,
    pub(crate) signer: Box<dyn Signer>,
}

impl Key {
    pub(crate) fn generate(scheme: &Part<dyn SignatureScheme>) -> Self {
        let pair = scheme.generate().expect("a key");
        let signer = scheme.signer(&pair).expect("it signs");
        Self { scheme: scheme.clone(), pair, signer }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.pair.public.kid
    }

    /// What tokens of it call their algorithm: by the name that `jsonwebtoken` can read, if there is one.
    pub(crate) fn alg(&self) -> &'static str {
        LibraryRing::name_for(&*self.scheme).unwrap_or(self.scheme.alg())
    }

    /// The header of a good token.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.alg(), "kid": self.kid(), "typ": "at+jwt" })
    }

    /// A token of this header and payload, rightly signed.
    pub(crate) fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.signed(&format!("{}.{}", base64url::encode(header), base64url::encode(payload)))
    }

    /// These two parts and their signature.
    pub(crate) fn signed(&self, message: &str) -> String {
        let signature = self.signer.sign(message.as_bytes()).expect("it signs");
        format!("{message}.{}", base64url::encode(signature))
    }

    /// A good token.
    pub(crate) fn good(&self) -> String {
        self.token(self.header().to_string(), claims().to_string())
    }
}

/// Every scheme in its default form, except controls, which accept what they like, and those whose signatures fill
/// pages: without optimisation they sign for seconds, and the path of their tokens is the same.
pub(crate) fn schemes() -> Vec<Part<dyn SignatureScheme>> {
    let names = SIGNATURE_SCHEMES.entries.iter().map(|entry| entry.name);
    let schemes = names.map(|name| Part::<dyn SignatureScheme>::named(name).expect("registered"));
    let schemes = schemes.filter(|scheme| scheme.facts().public_key_bytes > 0 || is_hmac(&**scheme));
    schemes.filter(|scheme| scheme.facts().signature_bytes < 7_000).collect()
}

fn is_hmac(scheme: &dyn SignatureScheme) -> bool {
    scheme.facts().signature_bytes > 0 && scheme.facts().public_key_bytes == 0
}

/// A key of every scheme.
pub(crate) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| schemes().iter().map(Key::generate).collect());

/// The first form of the first scheme with a public key that `jsonwebtoken` reads.
pub(crate) fn common() -> Part<dyn SignatureScheme> {
    every_variant()
        .find(|scheme| {
            scheme.facts().public_key_bytes > 0
                && scheme.facts().signature_bytes < 100
                && LibraryRing::name_for(&**scheme).is_some()
        })
        .expect("jsonwebtoken reads a scheme with short signatures")
}

/// The date, by which both validators go: `jsonwebtoken` takes the system's.
pub(crate) fn now() -> u64 {
    static NOW: LazyLock<u64> = LazyLock::new(|| {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
    });
    *NOW
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "client", "aud": AUDIENCE, "client_id": "client", "scope": "read write",
        "iat": now(), "exp": now() + 3_600, "jti": "1",
    })
}

/// That many members, each another, with a comma behind each.
pub(crate) fn members(number: u32) -> String {
    (0..number).fold(String::new(), |text, number| text + &format!(r#""{number:x}":0,"#))
}

/// An object with one member changed, or with one more.
pub(crate) fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

/// An object with one member less.
pub(crate) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name).expect("it was there");
    object
}

pub(crate) fn policy() -> Policy {
    Policy { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), scope: "read".to_owned() }
}

/// Both validators, with the same keys.
pub(crate) struct Validators {
    pub(crate) own: KeyRing,
    library: LibraryRing,
}

impl Validators {
    /// Trusts the public halves of these keys, and of the first its secret, where it has no public half.
    pub(crate) fn of(keys: &[&Key]) -> Self {
        BackEnd::AwsLcRs.install().expect("the only one in this process");
        let set = JwkSet::of(keys.iter().map(|key| &key.pair.public));
        let first = keys.first().map(|key| key.pair.public.clone());
        let trust = Trust { shared_key: first.filter(|key| !key.material.is_public()), scheme: None };
        let library = LibraryRing::new(&set, &trust, &policy(), Duration::ZERO);
        Self { own: KeyRing::new(&set, &trust), library }
    }

    pub(crate) fn own(&self, token: &str) -> Result<Claims, Rejection> {
        self.own.verify(token, &policy(), UnixTime::from_secs(now()), Duration::ZERO)
    }

    /// What the list of all checks says of the token.
    pub(crate) fn examined(&self, token: &str) -> Option<Rejection> {
        let Policy { issuer, audience, scope } = &policy();
        let asked = Asked {
            typ: None,
            issuer: Some(issuer),
            audience: Some(audience),
            scope: Some(scope),
            now: UnixTime::from_secs(now()),
            leeway: Duration::ZERO,
        };
        self.own.examine(token, &asked).rejection()
    }

    pub(crate) fn library(&self, token: &str) -> Result<Claims, Rejection> {
        self.library.verify(token, UnixTime::from_secs(now()))
    }
}
