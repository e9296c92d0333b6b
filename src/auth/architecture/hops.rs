//! Who decides where on the way of a request, and on what.

use std::iter;

use super::{Architecture, Tokens};
use crate::auth::token::Policy;

/// One of those who decide side by side behind a gateway.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    /// What tells it from those beside it; empty where there are none.
    pub name: &'static str,
    /// How it decides.
    pub architecture: &'a dyn Architecture,
}

impl dyn Architecture + '_ {
    /// Who decides at each hop of a request, from the one that clients reach to the one that has the resource.
    pub fn hops(&self) -> impl Iterator<Item = &dyn Architecture> {
        let edge: &dyn Architecture = self;
        iter::successors(Some(edge), |gateway| gateway.inner())
    }

    /// Who decides side by side at a hop.
    pub fn at_hop(&self, hop: usize) -> Vec<Branch<'_>> {
        let branches =
            hop.checked_sub(1).and_then(|before| self.hops().nth(before)).map(Architecture::branches);
        match branches {
            Some(branches) if !branches.is_empty() => branches,
            _ => self
                .hops()
                .nth(hop)
                .map(|architecture| Branch { name: "", architecture })
                .into_iter()
                .collect(),
        }
    }

    /// Everybody who decides anywhere.
    pub fn everywhere(&self) -> impl Iterator<Item = &dyn Architecture> {
        (0..self.hops().count()).flat_map(|hop| self.at_hop(hop)).map(|branch| branch.architecture)
    }

    /// Whether a gateway before it sends it the token that goes inside, if there is one, rather than the one that clients hold: who verifies
    /// signatures needs a JWT.
    pub fn decides_on_inside(&self) -> bool {
        self.tokens() == Tokens::Jwt
    }

    /// What is asked of a token at a hop, if this is asked of those that clients send.
    pub fn policy_at(&self, hop: usize, outside: Policy) -> Policy {
        self.hops().take(hop).fold(outside, |policy, gateway| gateway.asked_behind(&policy))
    }
}
