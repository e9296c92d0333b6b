//! Where clients have their tokens issued, refreshed and revoked.

use hyper::Uri;
use serde::Deserialize;

use crate::testbed::authorization_server::MANY_TOKENS;
use crate::testbed::client::{Client, SecureClient, uri};
use crate::testbed::issued::Issued;
use crate::testbed::token_owner::TokenOwner;
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
    /// Whose its tokens are.
    owner: TokenOwner,
    /// Connections that show who that is, if connections do.
    presenting: Option<SecureClient>,
}

impl Desk {
    pub(super) fn at(client: Client, issuer: &str, from: &Registration, owner: TokenOwner) -> Self {
        let endpoint = |path| uri(issuer, path).expect("the issuer is a URL");
        let (token, presenting) = match &owner {
            TokenOwner::Anybody | TokenOwner::Key(_) => (endpoint("/token"), None),
            TokenOwner::Certificate(own) => (own.tokens().clone(), Some(own.client())),
        };
        let (many, revocation) = (endpoint(MANY_TOKENS), endpoint("/revoke"));
        let authorization = from.credentials().header();
        Self { client, token, many, revocation, authorization, owner, presenting }
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
        let answer = match (&self.presenting, &self.owner) {
            (Some(client), _) => client.post(&self.token, &self.authorization, form).await?,
            (None, TokenOwner::Key(key)) => {
                let proof = key.token_proof(&self.token);
                self.client.post_proven(&self.token, &self.authorization, proof, form).await?
            }
            (None, _) => self.client.post(&self.token, &self.authorization, form).await?,
        };
        let TokenAnswer { access_token, refresh_token } = serde_json::from_slice(&answer)?;
        let refreshable = refresh_token.map(|refresh_token| Refreshable { refresh_token, issued });
        Ok(SuppliedToken { text: access_token, refreshable })
    }
}

/// Has good tokens refreshed, as their clients do, by connections of its own: it may be used in another runtime than the test bed.
pub struct Refresher(Desk);

impl Refresher {
    /// Of the authorization server at a URL.
    pub(super) fn at(issuer: &str, owner: TokenOwner) -> Self {
        let client = Client::default();
        Self(Desk::at(client, issuer, &GOOD, owner))
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
    pub(super) fn of(client: &Client, issuer: &str, owner: TokenOwner) -> Self {
        Self(Desk::at(client.clone(), issuer, &GOOD, owner))
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
