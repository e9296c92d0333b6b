//! What happens to the servers while they are measured: revocations.

use crate::testbed::client::uri;
use crate::testbed::{Testbed, tokens};
use crate::units::{Offset, Stamp};

/// A token revoked at the authorization server (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When the request was sent.
    pub sent: Stamp,
    /// When its 200 had arrived; `None` if it never did.
    pub acknowledged: Option<Stamp>,
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
            let answer = self.client.post(&endpoint, &authorization, form).await;
            let acknowledged = answer.is_ok().then(Stamp::now);
            revoked.push(Revoked { sent, acknowledged });
        }
    }
}
