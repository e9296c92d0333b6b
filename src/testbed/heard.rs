//! When the servers of a trial knew of the revocations that were pushed to them.

use std::collections::HashMap;

use futures_util::future::try_join_all;

use crate::auth::token::TokenId;
use crate::testbed::resource_server::HeardRevocation;
use crate::testbed::{Testbed, TestbedError, TrialNode};
use crate::units::Stamp;

/// A token of which a server was told that it was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldOf {
    /// Which node, from 0 in the order of [`Testbed::unseen_nodes`].
    pub node: u32,
    /// Which of the tokens, from 0.
    pub token: u32,
    /// When the server had taken it in.
    pub at: Stamp,
}

impl Testbed {
    /// What every server that decides was told of these tokens, the first time if it was told twice. Nothing is pushed to most servers.
    pub async fn told_of(&self, tokens: &[&str]) -> Result<Vec<ToldOf>, TestbedError> {
        let numbers: HashMap<String, u32> = tokens
            .iter()
            .zip(0..)
            .map(|(token, number)| (TokenId::of(token).to_base64url(), number))
            .collect();
        // The load generator is the first node. One that is down tells nothing.
        let enforcing = |server: &TrialNode| server.role.enforces() && server.pid().is_some();
        let servers = (1..).zip(self.nodes()).filter(|(_, server)| enforcing(server));
        let heard = try_join_all(servers.map(|(node, server)| self.heard_by(node, server))).await?;
        let mut told: Vec<ToldOf> = heard
            .into_iter()
            .flatten()
            .filter_map(|(node, heard)| {
                Some(ToldOf { node, token: *numbers.get(&heard.token)?, at: heard.at })
            })
            .collect();
        told.sort_by_key(|told| (told.node, told.token, told.at));
        told.dedup_by_key(|told| (told.node, told.token));
        Ok(told)
    }

    async fn heard_by(
        &self,
        node: u32,
        server: &TrialNode,
    ) -> Result<Vec<(u32, HeardRevocation)>, TestbedError> {
        let heard: Vec<HeardRevocation> = self.ask(server, "/bench/heard").await?;
        Ok(heard.into_iter().map(|heard| (node, heard)).collect())
    }
}
