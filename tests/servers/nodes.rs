//! Servers of a trial that are killed, started again and paused while others go on.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bearerbench::observation::{Node, Role};
use bearerbench::plan::Plan;
use bearerbench::scenario::ScenarioFile;
use bearerbench::testbed::machine::available_cores;
use bearerbench::testbed::signature::TrialKey;
use bearerbench::testbed::{Testbed, TrialNode};
use bearerbench::units::Stamp;
use bearerbench::wire::{Endpoint, ensure_listening};

use crate::http::{Answer, PATIENCE, get, post};
use crate::server::{access_token, basic, bearer};

/// The servers of a trial with two resource servers.
async fn testbed(subject: &str) -> Testbed {
    let scenario = format!(
        "question = \"?\"\n[load]\nrate = 1\nduration = \"1s\"\nresource_servers = 2\n[[subject]]\n{subject}\n"
    );
    let file = ScenarioFile::parse("case.toml".to_owned(), &scenario, &[]).expect("a scenario");
    let plan = Plan::decide(&file, &[], &available_cores()).expect("a plan");
    let trial = &plan.trials[0];
    let key = TrialKey::generate(trial).await.expect("a key");
    let program = Path::new(env!("CARGO_BIN_EXE_bearerbench"));
    Testbed::start(program, trial, key, plan.lifetime, &plan.placement).await.expect("servers that start")
}

fn node<'a>(testbed: &'a Testbed, name: &str) -> &'a TrialNode {
    testbed.nodes().iter().find(|node| node.name == name).expect("it has been started")
}

/// Posts a form as the client that the load is.
fn post_as_load(authorization: &TrialNode, path: &str, form: &str) -> Answer {
    post(authorization.address, path, &[&basic("load", "secret%20of%20load")], form)
}

/// A token for the client that the load is.
fn token(authorization: &TrialNode) -> String {
    access_token(post_as_load(authorization, "/token", "grant_type=client_credentials"))
}

fn accepts(resource: &TrialNode, token: &str) -> bool {
    get(resource.address, "/resource", &[&bearer(token)]).status == 200
}

/// Whether anything is answered within a moment.
fn answers(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
    stream.write_all(b"GET /resource HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n").expect("it is read");
    matches!(stream.read(&mut [0]), Ok(1))
}

/// Looks at all, which no node keeps from it.
async fn look(testbed: &Testbed, start: Stamp, nodes: &mut [Node]) {
    for looked in testbed.look(start, nodes).await {
        looked.expect("it answers");
    }
}

#[tokio::test]
async fn an_authorization_server_goes_and_comes_back_where_it_was_while_a_resource_server_goes_on() {
    let testbed = testbed("architecture = \"jwt\"\nsignature = \"ES256\"").await;
    let roles: Vec<Role> = testbed.nodes().iter().map(|node| node.role).collect();
    assert_eq!(roles, [Role::AuthorizationServer, Role::ResourceServer, Role::ResourceServer]);
    let authorization = node(&testbed, "authorization server");
    let resource = node(&testbed, "resource server 2");
    let (address, first, undisturbed) = (authorization.address, authorization.pid(), resource.pid());
    let before = token(authorization);
    assert!(accepts(resource, &before));

    authorization.kill().await;
    assert_eq!(authorization.pid(), None);
    TcpStream::connect(address).unwrap_err();
    assert!(accepts(resource, &before), "a JWT asks nobody");
    assert!(resource.usage().unwrap().cpu_nanos > 0);
    let down = "the authorization server is down";
    assert_eq!(testbed.ensure_alive(&[]).await.unwrap_err().to_string(), down);
    assert_eq!(authorization.usage().unwrap_err().to_string(), down);
    testbed.ensure_alive(&["authorization server"]).await.unwrap();
    let (start, mut nodes) = (Stamp::now(), testbed.unseen_nodes());
    look(&testbed, start, &mut nodes).await;

    authorization.restart().await.unwrap();
    assert_eq!(authorization.address, address);
    assert!(authorization.pid().is_some() && authorization.pid() != first);
    assert_eq!(resource.pid(), undisturbed);
    testbed.ensure_alive(&[]).await.unwrap();
    // With the key that it had: what it signs now is accepted, and so is what it signed then.
    let after = token(authorization);
    assert!(accepts(resource, &before) && accepts(resource, &after));
    look(&testbed, start, &mut nodes).await;
    let looks: Vec<usize> = nodes.iter().map(|node| node.looks.len()).collect();
    assert_eq!(looks, [2, 1, 2, 2], "the authorization server is not looked at while it is down");
    assert_eq!(nodes[1].looks[0].counter("/token"), 1, "since it was started again");
    testbed.stop().await;
}

#[tokio::test]
async fn a_gateway_answers_502_while_the_server_behind_it_is_down_and_goes_on_when_it_is_back() {
    let architecture = "{ kind = \"phantom-token\", gateway = { ttl = \"1h\" } }";
    let testbed = testbed(&format!("architecture = {architecture}\nsignature = \"ES256\"")).await;
    let [authorization, gateway, behind] =
        ["authorization server", "gateway 1", "resource server 1"].map(|name| node(&testbed, name));
    assert_eq!((gateway.hop, behind.hop), (0, 1));
    assert_eq!(testbed.addresses().len(), 2, "the load reaches the gateways alone");
    let held = token(authorization);
    let status = || get(gateway.address, "/resource", &[&bearer(&held)]).status;
    assert_eq!(status(), 200);
    assert!(!accepts(behind, &held), "opaque tokens are for gateways");
    behind.kill().await;
    assert_eq!(status(), 502);
    behind.restart().await.unwrap();
    assert_eq!(status(), 200);
}

#[tokio::test]
async fn opaque_tokens_of_a_server_that_was_started_again_are_gone_and_new_ones_are_known() {
    let testbed = testbed("architecture = \"introspection\"").await;
    let [authorization, resource] =
        ["authorization server", "resource server 1"].map(|name| node(&testbed, name));
    let before = token(authorization);
    assert!(accepts(resource, &before));
    authorization.restart().await.unwrap();
    assert!(!accepts(resource, &before));
    assert!(accepts(resource, &token(authorization)));
}

#[tokio::test]
async fn the_list_of_revoked_tokens_lives_as_long_as_the_store_of_the_authorization_server() {
    let architecture = "{ kind = \"jwt-deny-list\", poll = \"100ms\" }";
    let testbed = testbed(&format!("architecture = {architecture}\nsignature = \"ES256\"")).await;
    let [authorization, resource] =
        ["authorization server", "resource server 1"].map(|name| node(&testbed, name));
    let revoked = token(authorization);
    assert!(accepts(resource, &revoked));
    post_as_load(authorization, "/revoke", &format!("token={revoked}")).expect(200);
    wait_until("a poll brings the revocation", || !accepts(resource, &revoked));

    authorization.kill().await;
    assert!(!accepts(resource, &revoked), "the old list counts meanwhile");
    authorization.restart().await.unwrap();
    assert_eq!(get(authorization.address, "/deny-list", &[]).expect(200).body(), r#"{"revoked":[]}"#);
    wait_until("a poll brings the empty list", || accepts(resource, &revoked));
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_restarts_in_a_row_keep_the_address_while_clients_connect_again_and_again() {
    let testbed = testbed("architecture = \"none\"").await;
    let resource = node(&testbed, "resource server 1");
    let (address, other) = (resource.address, node(&testbed, "resource server 2").pid());
    let (stopped, refused, answered) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let Ok(mut stream) = TcpStream::connect(address) else {
                        refused.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    assert_ne!(stream.local_addr().ok(), stream.peer_addr().ok(), "connected with itself");
                    let _ = stream.write_all(b"GET /resource HTTP/1.1\r\nHost: it\r\n\r\n");
                    if matches!(stream.read(&mut [0]), Ok(1)) {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let restarts = async {
            for _ in 0..100 {
                resource.restart().await?;
                assert_eq!(resource.address, address);
            }
            Ok::<(), bearerbench::testbed::process::ProcessError>(())
        };
        let restarted = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(restarts));
        stopped.store(true, Ordering::Relaxed);
        restarted.unwrap();
    });
    let [refused, answered] = [refused, answered].map(AtomicU32::into_inner);
    assert!(refused > 0 && answered > 0, "{refused} refused, {answered} answered");
    assert_eq!(node(&testbed, "resource server 2").pid(), other);
    testbed.ensure_alive(&[]).await.unwrap();
}

#[tokio::test]
async fn a_paused_server_answers_when_it_is_resumed_and_others_meanwhile() {
    let testbed = testbed("architecture = \"none\"").await;
    let [paused, other] = ["resource server 1", "resource server 2"].map(|name| node(&testbed, name));
    paused.pause().await.unwrap();
    assert!(!answers(paused.address) && answers(other.address));
    testbed.ensure_alive(&[]).await.unwrap();
    paused.resume().await.unwrap();
    assert_eq!(get(paused.address, "/resource", &[&bearer("any")]).status, 200);
    paused.pause().await.unwrap();
    testbed.stop().await;
}

#[tokio::test]
async fn a_server_that_stands_still_loses_its_own_look_and_soon() {
    let testbed = testbed("architecture = \"none\"").await;
    let paused = node(&testbed, "resource server 1");
    let (start, mut nodes) = (Stamp::now(), testbed.unseen_nodes());
    paused.pause().await.unwrap();
    let begun = Instant::now();
    let looked = testbed.look(start, &mut nodes).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let failed: Vec<String> = looked.into_iter().filter_map(Result::err).map(|it| it.to_string()).collect();
    assert_eq!(failed, ["the resource server 1 gave no answer within 0.5 s"]);
    let looks: Vec<usize> = nodes.iter().map(|node| node.looks.len()).collect();
    assert_eq!(looks, [1, 1, 0, 1]);

    // One that is late is stamped when it was looked at, and the others when they were.
    let resume = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        paused.resume().await.unwrap();
    };
    tokio::join!(look(&testbed, start, &mut nodes), resume);
    let at = |node: usize| nodes[node].looks.last().unwrap().at;
    assert!(at(2).since(at(0)) >= Duration::from_millis(150), "{:?}", nodes[2]);
    assert!(at(1) < at(2) && at(3) < at(2));
}

#[tokio::test]
async fn a_server_that_is_started_again_while_it_is_looked_at_is_no_mixture_of_two_processes() {
    let testbed = testbed("architecture = \"none\"").await;
    let resource = node(&testbed, "resource server 1");
    let (start, mut nodes) = (Stamp::now(), testbed.unseen_nodes());
    // It is asked, and does not answer.
    resource.pause().await.unwrap();
    let restart = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        resource.restart().await.unwrap();
    };
    tokio::join!(look(&testbed, start, &mut nodes), restart);
    assert!(nodes[2].looks.is_empty(), "{:?}", nodes[2]);
    look(&testbed, start, &mut nodes).await;
    assert_eq!(nodes[2].looks[0].pid, resource.pid());
}

#[tokio::test]
async fn a_server_comes_back_where_the_load_reaches_it_over_every_kind_of_socket() {
    for wire in ["{ http = \"2\" }", "{ socket = \"unix\" }", "{ tls = { key_exchange = \"X25519\" } }"] {
        let testbed = testbed(&format!("architecture = \"none\"\nwire = {wire}")).await;
        let endpoints = testbed.endpoints();
        let resource = node(&testbed, "resource server 1");
        let is_reached = || match &endpoints[0] {
            Endpoint::Tcp(address) => TcpStream::connect(address).is_ok(),
            Endpoint::Unix(name) => ensure_listening(name).is_ok(),
        };
        assert!(is_reached(), "{wire}");
        resource.kill().await;
        assert!(!is_reached(), "{wire}");
        resource.restart().await.unwrap();
        assert!(is_reached(), "{wire}");
        assert_eq!(testbed.endpoints(), endpoints);
    }
}
