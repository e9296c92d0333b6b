//! What happens to the servers while they are measured: revocations.

use hyper::HeaderMap;

use crate::plan::REVOKED_HEADER;
use crate::testbed::client::uri;
use crate::testbed::{Testbed, tokens};
use crate::units::{Offset, Stamp};

/// A token revoked at the authorization server (RFC 7009).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When the request was sent.
    pub sent: Stamp,
    /// When the authorization server had revoked it, by its own stamp, or else when its 200 had arrived; `None` if that never did.
    pub acknowledged: Option<Stamp>,
    /// Why it was not revoked, if it was not.
    pub failure: Option<String>,
}

impl Testbed {
    /// Revokes each token at its time after `start`, the beginning of the load.
    /// What was done is in `revoked` also if this is given up half way.
    pub async fn revoke_at(&self, start: Stamp, tokens: &[(Offset, String)], revoked: &mut Vec<Revoked>) {
        let endpoint = uri(&self.issuer(), "/revoke").expect("the issuer is a URL");
        let authorization = tokens::GOOD.credentials().header();
        for (due, token) in tokens {
            // A revocation a millisecond late is no less a revocation: its own stamps count.
            tokio::time::sleep(due.since(Stamp::now().offset(start))).await;
            let form = tokens::revocation(token);
            let sent = Stamp::now();
            let answer = self.client.post_for_headers(&endpoint, &authorization, form).await;
            let (acknowledged, failure) = match answer {
                Ok((headers, _)) => (Some(stamped(&headers).unwrap_or_else(Stamp::now)), None),
                Err(error) => (None, Some(error.to_string())),
            };
            revoked.push(Revoked { sent, acknowledged, failure });
        }
    }
}

/// The stamp of the authorization server, on the clock that both share.
fn stamped(headers: &HeaderMap) -> Option<Stamp> {
    headers.get(REVOKED_HEADER)?.to_str().ok()?.parse().ok().map(Stamp::from_nanos)
}
