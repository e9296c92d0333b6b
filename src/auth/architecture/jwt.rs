//! Local verification of JWTs: nobody is asked, and a revoked token lives until it expires.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::architecture::{
    Architecture, Context, NotReady, TokenValidator, Tokens, Validation, Verified,
};
use crate::auth::authorization_server::KEY_SET_PATH;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Unreachable;
use crate::auth::refreshed::{Refresh, RefreshPolicy, Refreshed, at_once};
use crate::auth::token::jwks::JwkSet;
use crate::auth::token::jwt::{BackEnd, KeyRing, LibraryRing};
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{Claims, Policy, Rejection, UnixTime};
use crate::design::Design;
use crate::units::{Period, Span};

/// Verifies signature and claims with the published keys, and asks nobody about a token.
///
/// * Data flow: the resource server fetches the key set from `/jwks` when it starts. It verifies the signature, the issuer, the audience,
///   the dates and the scope of each token by itself. The request that finds the keys older than `refresh`, or a key that it does not
///   know, fetches them again, the latter only `cooldown` after the last time.
/// * Specification: JWT Profile for OAuth 2.0 Access Tokens (RFC 9068), JWK Sets (RFC 7517).
/// * A revoked token is accepted until it expires, and for `leeway` after that: nobody tells the resource server of a revocation.
/// * The cost is the verification of a signature for each request, at the resource server alone, and a longer token in each request.
/// * Without the authorization server everything goes on with the last keys: without limit, or until they are as old as `stale_on_error`
///   says; from then on every request is answered with 503. It is needed at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "library": "jsonwebtoken" }))]
pub(super) struct LocalJwt {
    /// What verifies.
    library: Library,
    /// Grace after the expiry and before the beginning, for clocks that disagree.
    leeway: Span,
    /// How long fetched keys are used before they are fetched again.
    refresh: Period,
    /// How long after a fetch an unknown key, or the failure of that fetch, does not cause another one.
    cooldown: Span,
    /// How long after they were fetched keys are used while they cannot be fetched again: no limit by default, as
    /// common products do; `"0s"` refuses every token as soon as a refresh fails.
    stale_on_error: Option<Span>,
    /// A key set of more bytes is refused before it is read to its end.
    key_set_limit: usize,
}

/// Implementations of the whole path of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Library {
    /// The path of this program, with the library that the signature scheme is set to.
    #[default]
    Bearerbench,
    /// The crate jsonwebtoken with its back end aws-lc-rs. It knows classical schemes only.
    Jsonwebtoken,
    /// The crate jsonwebtoken with its back end of `RustCrypto`.
    JsonwebtokenRustCrypto,
}

impl Default for LocalJwt {
    fn default() -> Self {
        Self {
            library: Library::default(),
            leeway: Span::from_secs(0),
            // The defaults of Spring Security and Gloo for the one, of jose for the other.
            refresh: Period::from_secs(300),
            cooldown: Span::from_secs(30),
            stale_on_error: None,
            // Room for hundreds of keys of the largest schemes.
            key_set_limit: 1024 * 1024,
        }
    }
}

impl Library {
    /// The back end of the crate jsonwebtoken, where that is what verifies.
    fn back_end(self) -> Option<BackEnd> {
        match self {
            Self::Bearerbench => None,
            Self::Jsonwebtoken => Some(BackEnd::AwsLcRs),
            Self::JsonwebtokenRustCrypto => Some(BackEnd::RustCrypto),
        }
    }
}

impl Architecture for LocalJwt {
    fn tokens(&self) -> Tokens {
        Tokens::Jwt
    }

    fn accepts(&self, scheme: &dyn SignatureScheme) -> Result<(), String> {
        let alg = scheme.alg();
        if self.library.back_end().is_none() || LibraryRing::name_for(scheme) == Some(alg) {
            return Ok(());
        }
        Err(format!(
            "jsonwebtoken cannot read tokens with alg {alg:?}; leave `library` of the architecture away, or choose a \
             scheme that it knows, like signature = \"ES256\""
        ))
    }

    fn validation(&self) -> Validation {
        self.library.back_end().map_or(Validation::Own, Validation::Library)
    }

    fn design(&self) -> Design {
        Design::verifying(self.leeway.duration(), self.refresh.duration())
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move { Ok(Arc::new(self.verifying(context).await?) as Arc<_>) })
    }
}

impl LocalJwt {
    /// How long after its expiry a revoked token must still be told of: a second more than it is accepted, as the clocks of two servers
    /// never agree to the end.
    pub(super) fn grace(&self) -> Duration {
        self.leeway.duration() + Duration::from_secs(1)
    }

    /// What verifies, once it has keys.
    pub(super) async fn verifying(&self, context: Context) -> Result<Verifying, NotReady> {
        let back_end = self.library.back_end();
        if let Some(back_end) = back_end {
            back_end.install()?;
        }
        let (trust, rules) = (context.trust.clone(), Arc::clone(&context.policy));
        let leeway = self.leeway.duration();
        let prepare = move |json: &[u8]| -> Result<VerifyingKeys, Unreachable> {
            let set: JwkSet = serde_json::from_slice(json).map_err(|error| Unreachable(error.to_string()))?;
            let library = back_end.map(|_| LibraryRing::new(&set, &trust, &rules, leeway));
            Ok(VerifyingKeys { own: KeyRing::new(&set, &trust), library })
        };
        let policy = RefreshPolicy {
            when: Refresh::OnDemand,
            interval: self.refresh.duration(),
            cooldown: self.cooldown.duration(),
            stale_on_error: self.stale_on_error.map_or(Duration::MAX, Span::duration),
            most_bytes: self.key_set_limit,
            phase: 1.0,
        };
        let issuer = Arc::clone(&context.issuer);
        let keys = Refreshed::fetch(issuer, KEY_SET_PATH, policy, at_once(prepare)).await?;
        Ok(Verifying { context, keys, leeway })
    }
}

/// Prepared keys, and what verifies with them.
pub(super) struct VerifyingKeys {
    /// Verifies tokens unless a library does, and whatever else the authorization server signs.
    own: KeyRing,
    library: Option<LibraryRing>,
}

impl VerifyingKeys {
    fn verify(
        &self,
        token: &str,
        policy: &Policy,
        now: UnixTime,
        leeway: Duration,
    ) -> Result<Claims, Rejection> {
        match &self.library {
            None => self.own.verify(token, policy, now, leeway),
            Some(library) => library.verify(token, now),
        }
    }
}

/// Verifies tokens with keys that are kept fresh.
pub(super) struct Verifying {
    context: Context,
    keys: Refreshed<VerifyingKeys>,
    leeway: Duration,
}

impl TokenValidator for Verifying {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move { self.verified(token).await.map(|claims| Verified::Claims(Arc::new(claims))) })
    }
}

impl Verifying {
    /// The claims of a token that is good by signature, dates, audience and scope.
    pub(super) async fn verified(&self, token: &str) -> Result<Claims, Rejection> {
        self.verified_with(&self.keys().await?, token).await
    }

    /// The keys that count now.
    pub(super) async fn keys(&self) -> Result<Arc<VerifyingKeys>, Rejection> {
        self.keys.current().await.ok_or(Rejection::Undecided)
    }

    /// The claims of a token that is good with these keys, or with newer ones if it is signed with none of these.
    pub(super) async fn verified_with(
        &self,
        keys: &Arc<VerifyingKeys>,
        token: &str,
    ) -> Result<Claims, Rejection> {
        self.with_newer(keys, |keys| self.verify(token, keys)).await
    }

    /// What is found with these keys, or with newer ones if something is signed with none of these. Those are fetched only when the
    /// cool-down of the last fetch is over, whoever asks for them.
    async fn with_newer<T>(
        &self,
        keys: &Arc<VerifyingKeys>,
        find: impl Fn(&VerifyingKeys) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let found = find(keys);
        if !matches!(found, Err(Rejection::UnknownKey)) {
            return found;
        }
        match self.keys.newer(keys).await {
            Some(keys) => find(&keys),
            None => found,
        }
    }

    /// Checks of verified claims what changes with time, and what is asked of every token.
    pub(super) fn check(&self, claims: &Claims) -> Result<(), Rejection> {
        self.context.policy.check(claims, self.context.clock.now(), self.leeway)
    }

    /// The payload of a JWT of another type that is signed with one of the keys, which are kept as fresh for it as for a token.
    pub(super) async fn payload(&self, jwt: &str, typ: &str) -> Result<Vec<u8>, Rejection> {
        self.with_newer(&self.keys().await?, |keys| keys.own.payload(jwt, typ)).await
    }

    /// What it works with.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    fn verify(&self, token: &str, keys: &VerifyingKeys) -> Result<Claims, Rejection> {
        keys.verify(token, &self.context.policy, self.context.clock.now(), self.leeway)
    }
}
