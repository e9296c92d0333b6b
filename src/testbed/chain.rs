//! The servers that a request passes on its way to the resource: one for each hop of the architecture, or several between which
//! requests take turns.

use std::ops::RangeInclusive;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::auth::token::jwks::Jwk;
use crate::plan::{Placement, Subject};
use crate::testbed::client_key::resource;
use crate::testbed::node::Place;
use crate::testbed::spec::{ResourceServerSpec, SenderSpec, ServerSpec};
use crate::testbed::{TestbedError, TrialNode, introspector, tokens};
use crate::wire::{Identity, Wire};

/// What the servers of all chains of a trial have in common.
pub(super) struct Chain<'a> {
    pub(super) program: &'a Path,
    pub(super) placement: &'a Placement,
    pub(super) subject: &'a Subject,
    pub(super) issuer: String,
    pub(super) shared_key: Option<Jwk>,
    pub(super) identity: Option<Identity>,
    /// How many requests may come to each chain at once.
    pub(super) at_once: u32,
    /// That of the repetition.
    pub(super) seed: u64,
}

impl Chain<'_> {
    /// Starts the servers of these chains, each before the one that passes requests on to it; those of one hop share a process. The last ones are
    /// those that the load reaches.
    pub(super) async fn start(&self, numbers: RangeInclusive<u32>) -> Result<Vec<TrialNode>, TestbedError> {
        let hops = u8::try_from(self.subject.architecture.hops().count()).expect("a few at most");
        let count = numbers.clone().count();
        let mut servers: Vec<TrialNode> = Vec::new();
        let mut upstreams: Vec<Vec<String>> = vec![Vec::new(); count];
        for hop in (0..hops).rev() {
            let behind = std::mem::replace(&mut upstreams, vec![Vec::new(); count]);
            for (branch, place) in (0..).zip(self.subject.architecture.at_hop(hop.into())) {
                let together = self.process(numbers.clone(), [hop, branch], place.name, &behind).await?;
                for (upstreams, server) in upstreams.iter_mut().zip(&together) {
                    upstreams.push(format!("http://{}", server.address));
                }
                servers.extend(together);
            }
        }
        Ok(servers)
    }

    /// The servers of these chains at a hop that decide in one way; `behind` are the URLs of those that each passes requests on to.
    async fn process(
        &self,
        numbers: RangeInclusive<u32>,
        at: [u8; 2],
        branch: &str,
        behind: &[Vec<String>],
    ) -> Result<Vec<TrialNode>, TestbedError> {
        let what =
            if behind.iter().any(|upstreams| !upstreams.is_empty()) { "gateway" } else { "resource server" };
        let apart = if branch.is_empty() { String::new() } else { format!(" ({branch})") };
        let (mut specs, mut places) = (Vec::new(), Vec::new());
        for (number, upstreams) in numbers.clone().zip(behind) {
            let (spec, place) = self.server(at, upstreams, number)?;
            specs.push(spec);
            places.push((format!("{what} {number}{apart}"), place));
        }
        let name = match places.as_slice() {
            [(name, _)] => name.clone(),
            _ => format!("process of {what}s {} to {}{apart}", numbers.start(), numbers.end()),
        };
        let spec = match <[ResourceServerSpec; 1]>::try_from(specs) {
            Ok([spec]) => ServerSpec::ResourceServer(spec),
            Err(servers) => ServerSpec::ResourceServers { servers },
        };
        Ok(TrialNode::start_together(self.program, &name, self.placement, &spec, places).await?)
    }

    fn server(
        &self,
        [hop, branch]: [u8; 2],
        upstreams: &[String],
        number: u32,
    ) -> Result<(ResourceServerSpec, Place), TestbedError> {
        let subject = self.subject;
        // Among themselves servers speak plain HTTP/1.1.
        let wire = if hop == 0 { subject.wire } else { Wire::default() };
        let place = Place::reserve(wire).map_err(TestbedError::Port)?.numbered(number);
        let spec = ResourceServerSpec {
            listen: place.address,
            architecture: subject.architecture.clone(),
            hop,
            branch,
            upstreams: upstreams.to_vec(),
            passes_on: self.at_once,
            issuer: self.issuer.clone(),
            signature: subject.signature.clone(),
            shared_key: self.shared_key.clone(),
            credentials: introspector(),
            audience: tokens::AUDIENCE.to_owned(),
            scope: tokens::SCOPE.to_owned(),
            wire,
            entrance: Some(place.endpoint.clone()),
            identity: self.identity.clone(),
            poll_phase: poll_phase(self.seed, number),
            logs_misses: hop == 0 && subject.architecture.design().cache().is_some(),
            sender: subject
                .sender
                .clone()
                .map(|constraint| SenderSpec { constraint, resource: resource(subject.wire) }),
        };
        Ok((spec, place))
    }
}

/// When the servers of this chain poll: at an instant of their own, the same for every subject of a repetition. Without it all would poll a fixed
/// time after they started, thus at one instant of the load, and figures of revocations would tell of that instant alone.
fn poll_phase(seed: u64, number: u32) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number.into());
    random.random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_repetitions_poll_at_instants_of_their_own_that_fill_the_period() {
        let phases: Vec<f64> =
            (0..500).flat_map(|seed| [1, 2].map(|number| poll_phase(seed, number))).collect();
        for tenth in 0..10 {
            let part = f64::from(tenth) / 10.0..f64::from(tenth + 1) / 10.0;
            let within = phases.iter().filter(|phase| part.contains(phase)).count();
            // 100 are expected; five standard deviations are 48.
            assert!((52..=148).contains(&within), "{within} in tenth {tenth}");
        }
        let together = phases.chunks(2).filter(|pair| (pair[0] - pair[1]).abs() < 0.1).count();
        // Of 500 pairs 95 are expected; five standard deviations are 44.
        assert!((51..=139).contains(&together), "{together} pairs");
    }
}
