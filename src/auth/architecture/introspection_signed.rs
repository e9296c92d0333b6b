//! Introspection for every request whose answers are signed: what the authorization server has not signed decides nothing.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::introspection::{self, Member};
use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Introspection, SIGNED_INTROSPECTION_TYPE, Unreachable};
use crate::auth::token::{Rejection, StatedClaims};
use crate::design::Design;

/// Asks the authorization server about the token of every request, as `introspection` does, and believes signed answers alone.
///
/// * Data flow: the resource server fetches the key set from `/jwks` when it starts. It sends the token of each request to `/introspect`,
///   says who it is, and asks for `application/token-introspection+jwt`. The authorization server looks the token up in its store, and
///   signs an answer that is for this resource server alone. The resource server verifies the signature, the type, who answers and for whom,
///   and only then reads whether the token is active, and what else is said of it. A key that it does not know has the key set fetched
///   again, as by `jwt` with its default settings.
/// * Specification: JWT Response for OAuth Token Introspection (RFC 9701), without encryption. The authorization server does not compare the
///   audience of the token with who asks (section 5): the resource server refuses a token of another audience by itself.
/// * A revoked token is accepted no more once its revocation is acknowledged: the next answer says that it is inactive.
/// * The cost is a call to the authorization server for each request as with `introspection`, and a signature, its verification and a
///   longer answer besides, whether the token is good or not.
/// * Without the authorization server nobody can decide: every request is answered with 503 until it is back, as is one whose answer is
///   not signed, or was given to somebody else. It is needed at the start, for its keys.
/// * The signature does not say which token was asked about, nor until when the answer counts. That no old answer takes the place of a new
///   one, the connection has to see to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IntrospectingSigned {
    /// What the authorization server must say of a token beside that it is active, as for `introspection`.
    #[serde(default)]
    require: Vec<Member>,
}

impl Architecture for IntrospectingSigned {
    fn tokens(&self) -> Tokens {
        Tokens::SignedAnswers
    }

    fn design(&self) -> Design {
        let key_set_age_seconds = LocalJwt::default().design().key_set_age_seconds;
        Design { key_set_age_seconds, ..Design::ASKING_EVERY_TIME }
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        let require = self.require.clone();
        Box::pin(async {
            let keys = LocalJwt::default().verifying(context).await?;
            Ok(Arc::new(AskingForSigned { keys, require }) as Arc<_>)
        })
    }
}

struct AskingForSigned {
    /// Those of the authorization server, and what it works with.
    keys: Verifying,
    require: Vec<Member>,
}

impl TokenValidator for AskingForSigned {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.ask(token).await?;
            introspection::check(self.keys.context(), &self.require, &claims)?;
            Ok(Verified::Stated(Arc::new(claims)))
        })
    }
}

impl AskingForSigned {
    /// What is said of an active token, not yet checked.
    async fn ask(&self, token: &str) -> Result<StatedClaims, Rejection> {
        let issuer = &self.keys.context().issuer;
        let answer = issuer.introspect_signed(token).await;
        let Ok(answer) = answer else { return Err(Rejection::Undecided) };
        match self.read(&answer).await {
            Ok(Introspection::Active(claims)) => Ok(claims),
            Ok(Introspection::Inactive) => Err(Rejection::Inactive),
            Err(why) => {
                issuer.disbelieved(&why);
                Err(Rejection::Undecided)
            }
        }
    }

    /// The answer, once everything around it is right.
    async fn read(&self, jwt: &str) -> Result<Introspection, Unreachable> {
        let Context { policy, client_id, .. } = self.keys.context();
        let payload = self.keys.payload(jwt, SIGNED_INTROSPECTION_TYPE).await.map_err(|rejection| {
            Unreachable(format!("expected a JWT as signed introspection answer: {rejection}"))
        })?;
        Introspection::from_payload(&payload, &policy.issuer, client_id)
    }
}
