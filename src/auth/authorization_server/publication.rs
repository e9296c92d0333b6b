//! Documents that an authorization server publishes for whoever verifies its tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::authorization_server::AuthorizationServer;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Document;
use crate::auth::store::StoreError;
use crate::auth::token::signature::SigningError;

/// One document, made from the authorization server. Its other half is the verifier that fetches it: where only one architecture does,
/// both lie in the file of that architecture.
pub trait Publication: Send + Sync {
    /// Where it is, below the issuer identifier: `/jwks`.
    fn path(&self) -> &'static str;

    /// The member of the metadata of the authorization server that says so (RFC 8414 section 2).
    fn metadata_member(&self) -> &'static str;

    /// Its `Content-Type`.
    fn media_type(&self) -> &'static str {
        "application/json"
    }

    /// How long after its expiry it must still tell of a token, as resource servers may grant it leeway.
    fn grace(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether it is a status list: then every JWT that is issued refers to a place of its own in it.
    fn is_status_list(&self) -> bool {
        false
    }

    /// What it says now.
    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>>;
}

/// Why a document cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// It should be signed, and there is no key.
    #[error(
        "an authorization server that issues opaque tokens has no key to sign with; start it with a signature scheme"
    )]
    NoKey,
}

/// Where the keys are.
pub const KEY_SET_PATH: &str = "/jwks";

/// The keys that verify its tokens (RFC 7517).
pub(super) struct PublishedKeys;

impl Publication for PublishedKeys {
    fn path(&self) -> &'static str {
        KEY_SET_PATH
    }

    fn metadata_member(&self) -> &'static str {
        "jwks_uri"
    }

    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        Box::pin(async {
            let bytes = serde_json::to_vec(&server.key_set()).expect("keys are plain data");
            Ok(Arc::new(Document { bytes: bytes.into(), entity_tag: None }))
        })
    }
}
