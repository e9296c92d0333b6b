//! Has tokens issued, many at once (RFC 6749 section 4.4).

use std::num::NonZeroU32;
use std::sync::Arc;

use hyper::Uri;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::auth::token::signature::SigningError;
use crate::identity_provider::answer::refusal;
use crate::identity_provider::{AnswerFault, Authentication, IssuedToken};
use crate::testbed::client::{CallError, SecureClient};
use crate::units::Stamp;

/// A token endpoint, and who asks there for what.
pub struct TokenSource {
    /// Keeps connections.
    pub client: SecureClient,
    /// Where tokens are issued.
    pub endpoint: Uri,
    /// How the client proves who it is.
    pub authentication: Authentication,
    /// What is asked for besides: `scope`, `audience`, `resource` (RFC 8707), which may be repeated.
    pub parameters: Vec<(&'static str, String)>,
    /// How many may be asked for at once.
    pub at_once: NonZeroU32,
}

/// No token.
#[derive(Debug, thiserror::Error)]
pub enum TokenRequestError {
    /// No answer.
    #[error("no token was issued")]
    Call(#[from] CallError),
    /// A refusal.
    #[error("{endpoint}: {why}")]
    Refused {
        /// Who refused.
        endpoint: Uri,
        /// In its own words, and what to do.
        why: String,
    },
    /// An answer without a token that can be used.
    #[error("{endpoint}: {fault}")]
    Answer {
        /// Whose answer it was.
        endpoint: Uri,
        /// What is wrong with it.
        fault: AnswerFault,
    },
    /// No proof of who the client is.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// More than a token can have and still be sent.
const MOST_BYTES: usize = 1 << 20;

impl TokenSource {
    /// Has `count` tokens issued and hands on each of them with the stamp at which it was asked for. Ends with the first error.
    pub async fn issue(
        self: &Arc<Self>,
        count: u32,
        mut each: impl FnMut(Stamp, IssuedToken),
    ) -> Result<(), TokenRequestError> {
        let at_once = self.at_once.get().min(count);
        let (sender, mut issued) = mpsc::channel(at_once.max(1) as usize);
        let mut tasks = JoinSet::new();
        for share in 0..at_once {
            let count = count / at_once + u32::from(share < count % at_once);
            let (source, sender) = (Arc::clone(self), sender.clone());
            tasks.spawn(async move {
                for _ in 0..count {
                    let asked = Stamp::now();
                    let token = source.issue_one().await.map(|token| (asked, token));
                    // After a failure nobody takes tokens any more.
                    if sender.send(token).await.is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        while let Some(token) = issued.recv().await {
            let (asked, token) = token?;
            each(asked, token);
        }
        Ok(())
    }

    /// The scopes that were asked for and not granted, as far as the provider says so (RFC 6749 section 5.1).
    pub fn withheld(&self, granted: &str) -> Vec<&str> {
        let asked = self.parameters.iter().filter(|(name, _)| *name == "scope");
        let asked = asked.flat_map(|(_, scopes)| scopes.split_whitespace());
        asked.filter(|scope| granted.split_whitespace().all(|granted| granted != *scope)).collect()
    }

    /// The `Authorization` header, if there is one, and the form.
    fn request(&self) -> Result<(Option<String>, String), SigningError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").extend_pairs(&self.parameters);
        let authorization = self.authentication.prove(&mut form)?;
        Ok((authorization, form.finish()))
    }

    async fn issue_one(&self) -> Result<IssuedToken, TokenRequestError> {
        let (authorization, form) = self.request()?;
        let answer =
            self.client.post_to_foreign(&self.endpoint, authorization.as_deref(), form, MOST_BYTES).await;
        let endpoint = || self.endpoint.clone();
        match answer {
            Ok(body) => IssuedToken::from_answer(&body)
                .map_err(|fault| TokenRequestError::Answer { endpoint: endpoint(), fault }),
            Err(CallError::Status { status, body, .. }) => {
                Err(TokenRequestError::Refused { endpoint: endpoint(), why: refusal(status.as_u16(), &body) })
            }
            Err(error) => Err(error.into()),
        }
    }
}
