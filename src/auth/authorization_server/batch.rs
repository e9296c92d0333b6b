//! Many tokens at once, for whoever fills a store.

use std::sync::Arc;

use super::{AuthorizationServer, Client, IssueError, Issued};
use crate::auth::store::Record;
use crate::auth::token::{StatusReference, TokenStatus};

impl AuthorizationServer {
    /// Issues so many tokens to a client, bound to nobody's key and without refresh tokens. They are kept together, for which a store
    /// needs a fraction of the time that it takes for each by itself. If it fails, none of them is anybody's.
    pub async fn issue_many(&self, client: &Client, number: usize) -> Result<Vec<Issued>, IssueError> {
        let places = match self.status_uri() {
            Some(uri) => Some((self.store.take_numbers(number as u64).await?, uri)),
            None => None,
        };
        let status = |index: u64| {
            let (first, uri) = places.as_ref()?;
            Some(TokenStatus { status_list: StatusReference { idx: first + index, uri: (*uri).clone() } })
        };
        let (mut issued, mut records) = (Vec::with_capacity(number), Vec::new());
        for index in 0..number as u64 {
            let (id, token) = self.minted(client, &client.scope, None, status(index))?;
            if self.keeps_claims() {
                records.push((id, Record::Issued(Arc::clone(&token.claims))));
            }
            issued.push(token);
        }
        self.store.put_many(records).await?;
        Ok(issued)
    }
}
