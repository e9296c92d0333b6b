//! What the plan of a trial does to its servers while they are used.

use std::path::Path;
use std::time::Duration;

use bearerbench::observation::{Action, AffectedServers};
use bearerbench::plan::{Plan, Trial};
use bearerbench::scenario::ScenarioFile;
use bearerbench::testbed::machine::available_cores;
use bearerbench::testbed::signature::TrialKey;
use bearerbench::testbed::{Happened, HappenedAction, Testbed};
use bearerbench::units::Stamp;
use tokio::sync::Notify;

const CASE: &str = "question = \"?\"\n[load]\nrate = 1\nwarmup = \"0s\"\nduration = \"4s\"\nresource_servers = 2\n\
                    [[subject]]\narchitecture = \"introspection\"\n";

/// A trial in which these events happen, and its servers.
async fn started(revoked: u32, events: &[(&str, &str, &str)]) -> (Trial, Testbed) {
    let event =
        |(at, what, whom): &(&str, &str, &str)| format!("[[event]]\nat = \"{at}\"\n{what} = \"{whom}\"\n");
    let events: String = events.iter().map(event).collect();
    let scenario = format!("{CASE}[revocation]\ntokens = {revoked}\n{events}");
    let file = ScenarioFile::parse("case.toml".to_owned(), &scenario, &[]).expect("a scenario");
    let plan = Plan::decide(&file, &[], &available_cores()).expect("a plan");
    let trial = plan.trials[0].clone();
    let key = TrialKey::generate(&trial).await.expect("a key");
    let program = Path::new(env!("CARGO_BIN_EXE_bearerbench"));
    let testbed =
        Testbed::start(program, &trial, key, plan.lifetime, &plan.placement).await.expect("servers");
    (trial, testbed)
}

/// Walks the timeline of the trial from now on.
async fn walked(trial: &Trial, testbed: &Testbed, restarted: &Notify) -> Vec<Happened> {
    let mut tokens = Vec::new();
    for _ in 0..trial.workload.timeline.revocation_count() {
        tokens.push(testbed.token_client().issue().await.expect("a token"));
    }
    let mut happened = Vec::new();
    testbed.walk(Stamp::now(), &trial.workload.timeline, &tokens, restarted, &mut happened).await;
    happened
}

fn servers(event: &Happened) -> &AffectedServers {
    match &event.what {
        HappenedAction::Intervened(
            Action::Kill(servers) | Action::Start(servers) | Action::Pause(servers) | Action::Resume(servers),
        ) => servers,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_resource_server_that_is_killed_and_started_by_the_plan_has_the_same_address_and_another_process() {
    let whom = "resource-server 2";
    let (trial, testbed) = started(0, &[("1s", "kill", whom), ("1200ms", "start", whom)]).await;
    let of = |testbed: &Testbed| {
        testbed
            .nodes()
            .iter()
            .map(|node| (node.address, node.endpoint.clone(), node.pid()))
            .collect::<Vec<_>>()
    };
    let before = of(&testbed);
    let restarted = Notify::new();
    let happened = walked(&trial, &testbed, &restarted).await;
    restarted.notified().await;
    assert_eq!(happened.len(), 2);
    for event in &happened {
        // The load generator is the first node of a recording, the authorization server the next.
        assert_eq!((servers(event).target.as_str(), &servers(event).nodes[..]), (whom, &[3][..]));
        assert!(event.ended > Some(event.began) && event.failure.is_none(), "{event:?}");
    }
    assert!(testbed.down_by_plan(&happened).is_empty());
    assert_eq!(testbed.down_by_plan(&happened[..1]), ["resource server 2"]);
    let after = of(&testbed);
    for (node, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!((before.0, &before.1), (after.0, &after.1), "node {node}");
        assert!(after.2.is_some());
        assert_eq!(before.2 == after.2, node != 2, "the others go on: node {node}");
    }
    testbed.ensure_alive(&[]).await.unwrap();
    testbed.stop().await;
}

#[tokio::test]
async fn a_revocation_that_nobody_answers_delays_nothing_that_is_due_after_it() {
    let (paused, killed) = ("authorization-server", "resource-server");
    let events = [
        ("1s", "pause", paused),
        ("2100ms", "kill", killed),
        ("2600ms", "start", killed),
        ("3s", "resume", paused),
    ];
    let (trial, testbed) = started(12, &events).await;
    let happened = walked(&trial, &testbed, &Notify::new()).await;
    let due: Vec<_> = happened.iter().map(|event| event.due).collect();
    assert!(due.is_sorted() && happened.len() == 16);
    assert!(happened.iter().all(|event| event.ended.is_some()), "{happened:?}");
    let of = |wanted: fn(&Action) -> bool| {
        let is_it =
            |event: &&Happened| matches!(&event.what, HappenedAction::Intervened(action) if wanted(action));
        happened.iter().find(is_it).unwrap()
    };
    let pause = of(|action| matches!(action, Action::Pause(_)));
    let kill = of(|action| matches!(action, Action::Kill(_)));
    let resume = of(|action| matches!(action, Action::Resume(_)));
    assert_eq!(servers(kill).nodes, [2, 3]);
    // Of the first half, a part lies in the pause: those are answered when it is over, and killing did not wait for them.
    let hanging = happened.iter().filter(|event| {
        matches!(event.what, HappenedAction::Revoked(_)) && event.began > pause.ended.unwrap()
    });
    let answered: Vec<Stamp> = hanging.map(|event| event.ended.unwrap()).collect();
    assert!(!answered.is_empty() && answered.iter().all(|at| *at > resume.began), "{happened:?}");
    assert!(kill.ended.unwrap() < resume.began, "{happened:?}");
    testbed.stop().await;
}

#[tokio::test]
async fn a_server_that_hangs_or_is_down_by_the_plan_is_not_looked_at_and_is_missed_by_nobody() {
    let (paused, killed) = ("resource-server 1", "resource-server 2");
    let (trial, testbed) = started(0, &[("1s", "pause", paused), ("1s", "kill", killed)]).await;
    let happened = walked(&trial, &testbed, &Notify::new()).await;
    let (start, mut nodes) = (Stamp::now(), testbed.unseen_nodes());
    for looked in testbed.look(start, &mut nodes).await {
        looked.expect("nobody is asked who cannot answer");
    }
    let looks: Vec<usize> = nodes.iter().map(|node| node.looks.len()).collect();
    assert_eq!(looks, [1, 1, 0, 0]);
    assert_eq!(testbed.down_by_plan(&happened), ["resource server 2"]);
    testbed.ensure_alive(&testbed.down_by_plan(&happened)).await.unwrap();
    testbed.resume_all().await;
    let decisions = tokio::time::timeout(Duration::from_secs(10), testbed.decisions()).await;
    assert_eq!(decisions.expect("nobody hangs any more").unwrap(), [vec![], vec![]]);
    testbed.stop().await;
}
