//! Does to the servers of a trial what its plan says, when it says so: one walks the timeline, and no event waits for another.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::num::NonZeroU32;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hyper::HeaderMap;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::observation::{Action, AffectedServers, Role};
use crate::plan::{PlannedAction, PlannedEvent, REVOKED_HEADER, Timeline};
use crate::scenario::{EventTarget, Intervention, TargetRole};
use crate::testbed::client::uri;
use crate::testbed::process::ProcessError;
use crate::testbed::{Testbed, TrialNode, tokens};
use crate::units::{Offset, Stamp};

/// An event of the timeline that was begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// When it was due.
    pub due: Offset,
    /// What it was.
    pub what: HappenedAction,
    /// When it was begun: of a revocation (RFC 7009), when it was sent.
    pub began: Stamp,
    /// When it was done; `None` if it never was. A token was revoked by the stamp of the authorization server, or else when its 200 had arrived.
    pub ended: Option<Stamp>,
    /// Why it was not done, if it was not.
    pub failure: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum HappenedAction {
    /// The token under revocation test with this number was revoked.
    Revoked(u32),
    /// Something was done to servers, in the words of a recording.
    Intervened(Action),
}

/// The looks of a trial begin with the load generator, which is no server.
const BEFORE_SERVERS: u32 = 1;

impl Testbed {
    /// Does what is on the timeline of a load that began at `start`; `revocable` are the tokens under revocation test. What was begun is in
    /// `happened`, also if this is given up half way. Whenever servers were started, `restarted` is told.
    pub async fn walk(
        &self,
        start: Stamp,
        timeline: &Timeline,
        revocable: &[String],
        restarted: &Notify,
        happened: &mut Vec<Happened>,
    ) {
        let mut planned = timeline.events().iter().peekable();
        let mut under_way = FuturesUnordered::new();
        while planned.peek().is_some() || !under_way.is_empty() {
            let next = planned.peek().map(|event| event.due.since(Stamp::now().offset(start)));
            tokio::select! {
                () = sleep(next.unwrap_or_default()), if next.is_some() => {
                    let event = planned.next().expect("it was looked at");
                    let number = happened.len();
                    happened.push(self.begun(event));
                    under_way.push(async move {
                        let done = self.done(event.what, revocable).await;
                        (number, Stamp::now(), done)
                    });
                }
                Some((number, now, done)) = under_way.next(), if !under_way.is_empty() => {
                    let event: &mut Happened = &mut happened[number];
                    match done {
                        Ok(stamped) => event.ended = Some(stamped.unwrap_or(now)),
                        Err(failure) => event.failure = Some(failure),
                    }
                    if matches!(event.what, HappenedAction::Intervened(Action::Start(_))) {
                        restarted.notify_one();
                    }
                }
            }
        }
    }

    /// Lets everybody go on who hangs by the plan, so that nothing waits for them when the load has ended.
    pub async fn resume_all(&self) {
        for node in self.nodes().iter().filter(|node| node.hangs_by_plan()) {
            // One that has ended in the meantime is told of otherwise.
            let _ = node.resume().await;
            node.set_hangs_by_plan(false);
        }
    }

    /// The servers that are down because they were killed by the plan and not started again, by name.
    pub fn down_by_plan(&self, happened: &[Happened]) -> Vec<&str> {
        let mut down: BTreeSet<u32> = BTreeSet::new();
        for event in happened {
            match &event.what {
                HappenedAction::Intervened(Action::Kill(servers)) => down.extend(&servers.nodes),
                HappenedAction::Intervened(Action::Start(servers)) => {
                    servers.nodes.iter().for_each(|node| {
                        down.remove(node);
                    });
                }
                _ => {}
            }
        }
        let named = (BEFORE_SERVERS..).zip(self.nodes()).filter(|(number, _)| down.contains(number));
        named.map(|(_, node)| node.name.as_str()).collect()
    }

    fn begun(&self, event: &PlannedEvent) -> Happened {
        let what = match event.what {
            PlannedAction::Revoke(token) => HappenedAction::Revoked(token),
            PlannedAction::Intervene(intervention, target) => {
                HappenedAction::Intervened(self.recorded(intervention, target))
            }
        };
        Happened { due: event.due, what, began: Stamp::now(), ended: None, failure: None }
    }

    /// In the words of a recording, in which the servers follow the load generator.
    fn recorded(&self, intervention: Intervention, target: EventTarget) -> Action {
        let processes: BTreeSet<&str> = self.targets(target).map(process).collect();
        let numbered = (BEFORE_SERVERS..).zip(self.nodes());
        // What is done to one is done to all that are in its process.
        let nodes = numbered.filter(|(_, node)| processes.contains(process(node)));
        let nodes = nodes.map(|(number, _)| number).collect();
        let servers = AffectedServers { target: target.to_string(), nodes };
        match intervention {
            Intervention::Kill => Action::Kill(servers),
            Intervention::Start => Action::Start(servers),
            Intervention::Pause => Action::Pause(servers),
            Intervention::Resume => Action::Resume(servers),
        }
    }

    /// Does it. A stamp tells when, if that is known better than by when this ends.
    async fn done(&self, what: PlannedAction, revocable: &[String]) -> Result<Option<Stamp>, String> {
        match what {
            PlannedAction::Revoke(number) => {
                let token = usize::try_from(number).ok().and_then(|number| revocable.get(number));
                self.revoke(token.expect("a token was issued for each revocation")).await
            }
            PlannedAction::Intervene(intervention, target) => {
                let owners = self.targets(target).filter(|node| node.process_of.is_none());
                let each = owners.map(|node| intervene(node, intervention));
                // All of them, also if it cannot be done to one.
                let failed = join_all(each).await.into_iter().find_map(Result::err);
                failed.map_or(Ok(None), |error| Err(with_cause(&error)))
            }
        }
    }

    async fn revoke(&self, token: &str) -> Result<Option<Stamp>, String> {
        let endpoint = uri(&self.issuer(), "/revoke").expect("the issuer is a URL");
        let authorization = tokens::GOOD.credentials().header();
        let form = tokens::revocation(token);
        let answer = self.client.post_for_headers(&endpoint, &authorization, form).await;
        answer.map(|(headers, _)| stamped(&headers)).map_err(|error| error.to_string())
    }

    /// The servers that are meant.
    fn targets(&self, target: EventTarget) -> impl Iterator<Item = &TrialNode> {
        let role = match target.role {
            TargetRole::AuthorizationServer => Role::AuthorizationServer,
            TargetRole::Gateway => Role::Gateway,
            TargetRole::ResourceServer => Role::ResourceServer,
        };
        let number = target.number.map(NonZeroU32::get);
        let is_meant =
            move |node: &&TrialNode| node.role == role && number.is_none_or(|number| node.number == number);
        self.nodes().iter().filter(is_meant)
    }
}

async fn intervene(node: &TrialNode, intervention: Intervention) -> Result<(), ProcessError> {
    match intervention {
        Intervention::Kill => {
            node.kill().await;
            node.set_hangs_by_plan(false);
            Ok(())
        }
        Intervention::Start => node.restart().await,
        Intervention::Pause => {
            // Before: nobody may be surprised that it gives no answer.
            node.set_hangs_by_plan(true);
            node.pause().await
        }
        Intervention::Resume => {
            let resumed = node.resume().await;
            node.set_hangs_by_plan(false);
            resumed
        }
    }
}

/// The node whose process it is in.
fn process(node: &TrialNode) -> &str {
    node.process_of.as_deref().unwrap_or(&node.name)
}

fn with_cause(error: &ProcessError) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// The stamp of the authorization server, on the clock that both share.
fn stamped(headers: &HeaderMap) -> Option<Stamp> {
    headers.get(REVOKED_HEADER)?.to_str().ok()?.parse().ok().map(Stamp::from_nanos)
}
