//! Where clients have their tokens issued, refreshed and revoked.

use std::sync::Arc;

use hyper::Uri;
use serde::Deserialize;

use crate::testbed::authorization_server::MANY_TOKENS;
use crate::testbed::client::{Client, uri};
use crate::testbed::client_key::ClientKey;
use crate::testbed::issued::Issued;
use crate::testbed::tokens::{GOOD, Registration, SupplyError, revocation};

/// A token as it was issued.
#[derive(Clone, Debug)]
pub struct SuppliedToken {
    /// As it stands behind `Bearer`.
    pub text: String,
    /// What its client holds beside it, if it may have it refreshed.
    pub refreshable: Option<Refreshable>,
}

/// What a client needs to have a token refreshed.
#[derive(Clone, Debug)]
pub struct Refreshable {
    /// Good once.
    pub refresh_token: String,
    /// Since when the token counts.
    pub issued: Issued,
}

/// What becomes of a token as soon as it is issued.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Revoked,
}

/// Where a client has its tokens issued, and revoked.
pub(super) struct Desk {
    client: Client,
    token: Uri,
    many: Uri,
    revocation: Uri,
    authorization: String,
    /// What its tokens are bound to, if to anything.
    key: Option<Arc<ClientKey>>,
}

impl Desk {
    pub(super) fn at(client: Client, issuer: &str, from: &Registration, key: Option<Arc<ClientKey>>) -> Self {
        let endpoint = |path| uri(issuer, path).expect("the issuer is a URL");
        Self {
            client,
            token: endpoint("/token"),
            many: endpoint(MANY_TOKENS),
            revocation: endpoint("/revoke"),
            authorization: from.credentials().header(),
            key,
        }
    }

    pub(super) async fn issue(&self, fate: Fate) -> Result<SuppliedToken, SupplyError> {
        let token = self.ask("grant_type=client_credentials".to_owned()).await?;
        if fate == Fate::Revoked {
            let form = revocation(&token.text);
            self.client.post(&self.revocation, &self.authorization, form).await?;
        }
        Ok(token)
    }

    /// So many tokens that are bound to nobody's key.
    pub(super) async fn issue_many(&self, number: usize) -> Result<Vec<String>, SupplyError> {
        let answer = self.client.post(&self.many, &self.authorization, format!("number={number}")).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn ask(&self, form: String) -> Result<SuppliedToken, SupplyError> {
        let issued = Issued::now();
        let proof = self.key.as_ref().map(|key| key.token_proof(&self.token));
        let answer = self.client.post_proven(&self.token, &self.authorization, proof, form).await?;
        let TokenAnswer { access_token, refresh_token } = serde_json::from_slice(&answer)?;
        let refreshable = refresh_token.map(|refresh_token| Refreshable { refresh_token, issued });
        Ok(SuppliedToken { text: access_token, refreshable })
    }
}

/// Has good tokens refreshed, as their clients do, by connections of its own: it may be used in another runtime than the test bed.
pub struct Refresher(Desk);

impl Refresher {
    /// Of the authorization server at a URL.
    pub(super) fn at(issuer: &str, key: Option<Arc<ClientKey>>) -> Self {
        let client = Client::default();
        Self(Desk::at(client, issuer, &GOOD, key))
    }

    /// The token that follows the one that came with this refresh token (RFC 6749 section 6).
    pub async fn refresh(&self, refresh_token: &str) -> Result<SuppliedToken, SupplyError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.0.ask(form).await
    }
}

/// Has one good token after the other issued.
pub struct TokenClient(Desk);

impl TokenClient {
    /// By the connections of a client.
    pub(super) fn of(client: &Client, issuer: &str, key: Option<Arc<ClientKey>>) -> Self {
        Self(Desk::at(client.clone(), issuer, &GOOD, key))
    }

    /// A new token.
    pub async fn issue(&self) -> Result<String, SupplyError> {
        self.0.issue(Fate::Kept).await.map(|token| token.text)
    }
}

impl From<String> for SuppliedToken {
    fn from(text: String) -> Self {
        Self { text, refreshable: None }
    }
}

/// The part of a token answer that is needed (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
}
