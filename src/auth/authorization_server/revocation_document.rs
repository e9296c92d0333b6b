//! What tells of the revoked tokens, made once after a change for all who ask.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::auth::authorization_server::{AuthorizationServer, PublicationError};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Document;
use crate::auth::store::RevokedToken;
use crate::auth::token::{UnixTime, base64url};

/// Writes what tells of these tokens; the same tokens in any order as the same bytes.
type Write = dyn Fn(Vec<RevokedToken>) -> Vec<u8> + Send + Sync;

/// A document of the revoked tokens, kept until they are others.
pub struct RevocationDocument {
    write: Arc<Write>,
    /// How long ago a token was revoked at most that it tells of, if that is limited.
    reach: Option<Duration>,
    /// Held while it is made: once for all who ask after a change.
    made: Mutex<Option<Made>>,
}

/// A document, and while it is the right one.
struct Made {
    document: Arc<Document>,
    revocations: u64,
    first_expiry: Option<UnixTime>,
}

impl RevocationDocument {
    /// One of all revoked tokens.
    pub fn written_by(write: impl Fn(Vec<RevokedToken>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { write: Arc::new(write), reach: None, made: Mutex::default() }
    }

    /// One of those that were revoked so lately, and maybe of some more: it is not made again merely because time has passed.
    #[must_use]
    pub fn reaching_back(self, reach: Duration) -> Self {
        Self { reach: Some(reach), ..self }
    }

    /// What it says now.
    pub fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        Box::pin(async move {
            let mut made = self.made.lock().await;
            // Read before the tokens are: what is revoked meanwhile makes it another one the next time.
            let (revocations, now) = (server.revocations(), server.now());
            let is_right = |made: &&Made| {
                made.revocations == revocations && made.first_expiry.is_none_or(|expiry| now < expiry)
            };
            if let Some(made) = made.as_ref().filter(is_right) {
                return Ok(Arc::clone(&made.document));
            }
            let mut revoked = server.revoked().await?;
            revoked.retain(|token| self.reach.is_none_or(|reach| now < token.revoked + reach));
            let first_expiry = revoked.iter().map(|token| token.expiry).min();
            // To sort and hash a list of 16 MiB takes a while: the threads that serve go on meanwhile.
            let write = Arc::clone(&self.write);
            let making = spawn_blocking(move || {
                let bytes = write(revoked);
                Arc::new(Document { entity_tag: Some(entity_tag(&bytes)), bytes: bytes.into() })
            });
            let document = making.await.expect("plain data makes a document");
            *made = Some(Made { document: Arc::clone(&document), revocations, first_expiry });
            Ok(document)
        })
    }
}

/// Half of the SHA-256 tells any two documents apart.
fn entity_tag(bytes: &[u8]) -> String {
    format!("\"{}\"", base64url::encode(&digest::digest(&digest::SHA256, bytes).as_ref()[..16]))
}
