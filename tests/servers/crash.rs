//! What a crash leaves of revocations that were acknowledged: authorization server and store are killed in the middle of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use bearerbench::observation::Role;
use bearerbench::plan::Plan;
use bearerbench::scenario::ScenarioFile;
use bearerbench::testbed::machine::available_cores;
use bearerbench::testbed::signature::TrialKey;
use bearerbench::testbed::{Testbed, TrialNode};
use serde_json::Value;
use tokio::time::sleep;

use crate::http::{get, post};
use crate::server::{access_token, basic, bearer};

const CLIENT: &str = "load";
const SECRET: &str = "secret%20of%20load";

/// What became of acknowledged revocations.
#[derive(Debug)]
struct Crash {
    acknowledged: usize,
    /// Tokens that are active again.
    lost: usize,
}

/// The servers of a trial whose tokens are JWTs: of those the store knows nothing but revocations, so that a lost one shows.
async fn testbed(store: &str) -> Testbed {
    let scenario = format!(
        "question = \"?\"\n[load]\nrate = 1\nduration = \"1s\"\n[services]\nredis = \"private\"\npostgresql = \"private\"\n\
         [[subject]]\narchitecture = \"introspection\"\nsignature = \"ES256\"\nstore = {store}\n"
    );
    let file = ScenarioFile::parse("case.toml".to_owned(), &scenario, &[]).expect("a scenario");
    let plan = Plan::decide(&file, &[], &available_cores()).expect("a plan");
    let trial = &plan.trials[0];
    let key = TrialKey::generate(trial).await.expect("a key");
    let program = Path::new(env!("CARGO_BIN_EXE_bearerbench"));
    Testbed::start(program, trial, key, plan.lifetime, &plan.placement).await.expect("servers that start")
}

fn of_role(testbed: &Testbed, role: Role) -> &TrialNode {
    testbed.nodes().iter().find(|node| node.role == role).expect("it has been started")
}

fn is_active(address: SocketAddr, token: &str) -> bool {
    let answer = post(address, "/introspect", &[&basic(CLIENT, SECRET)], &format!("token={token}"));
    answer.expect(200).json()["active"] == true
}

/// Whether the revocation was acknowledged: the server may be gone before.
fn is_revoked(address: SocketAddr, token: &str) -> bool {
    let asked = || -> std::io::Result<Vec<u8>> {
        let form = format!("token={token}");
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "POST /revoke HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            basic(CLIENT, SECRET),
            form.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200 "))
}

const TOKENS: usize = 3_000;
/// Revocations before both are killed, while more are under way.
const BEFORE: usize = 1_000;

/// Tokens that are revoked one after the other by several at once.
struct Revoking {
    tokens: Vec<String>,
    next: AtomicUsize,
    /// Which of them.
    acknowledged: Mutex<Vec<usize>>,
}

impl Revoking {
    fn acknowledged(&self) -> MutexGuard<'_, Vec<usize>> {
        self.acknowledged.lock().expect("nobody panics")
    }

    fn revoke_until_refused(&self, address: SocketAddr) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(token) = self.tokens.get(index) else { return };
            if !is_revoked(address, token) {
                return;
            }
            self.acknowledged().push(index);
        }
    }
}

async fn crashed(store: &str) -> Crash {
    let testbed = testbed(store).await;
    let authorization = of_role(&testbed, Role::AuthorizationServer);
    let keeper = of_role(&testbed, Role::Store);
    let address = authorization.address;
    let issue =
        |_| access_token(post(address, "/token", &[&basic(CLIENT, SECRET)], "grant_type=client_credentials"));
    let tokens: Vec<String> = (0..TOKENS).map(issue).collect();

    let revoking = Arc::new(Revoking { tokens, next: AtomicUsize::new(0), acknowledged: Mutex::default() });
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let revoking = Arc::clone(&revoking);
            thread::spawn(move || revoking.revoke_until_refused(address))
        })
        .collect();
    while revoking.acknowledged().len() < BEFORE {
        sleep(Duration::from_millis(1)).await;
    }
    // All processes of the store first: what it has acknowledged is passed on to clients while it is gone.
    keeper.kill().await;
    authorization.kill().await;
    for thread in threads {
        thread.join().expect("nobody panics");
    }
    keeper.restart().await.expect("it comes back");
    authorization.restart().await.expect("it comes back");
    let (tokens, acknowledged) = (&revoking.tokens, revoking.acknowledged().clone());
    assert!(acknowledged.len() < TOKENS, "they were killed in the middle of it");
    let lost = acknowledged.iter().filter(|index| is_active(address, &tokens[**index])).count();
    // The keys are the same ones: what was not revoked is active.
    assert!(is_active(address, tokens.last().expect("there are some")));
    let crash = Crash { acknowledged: acknowledged.len(), lost };
    testbed.stop().await;
    crash
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn no_acknowledged_revocation_is_lost_where_redis_promises_it_and_the_others_are_counted() {
    for (store, is_promised) in [
        ("{ kind = \"redis\", appendfsync = \"always\" }", true),
        ("{ kind = \"redis\", appendfsync = \"everysec\" }", false),
        ("{ kind = \"redis\", appendfsync = \"no\" }", false),
    ] {
        let crash = crashed(store).await;
        println!("{store}: {crash:?}");
        assert!(crash.lost == 0 || !is_promised, "{store}: {crash:?}");
    }
    // Without a file everything is lost, which shows that what was lost is counted.
    let crash = crashed("{ kind = \"redis\", appendonly = false }").await;
    assert_eq!(crash.lost, crash.acknowledged);
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn no_acknowledged_revocation_is_lost_where_postgresql_promises_it_and_the_others_are_counted() {
    for (store, is_promised) in
        [("\"postgresql\"", true), ("{ kind = \"postgresql\", synchronous_commit = false }", false)]
    {
        let crash = crashed(store).await;
        println!("{store}: {crash:?}");
        assert!(crash.lost == 0 || !is_promised, "{store}: {crash:?}");
    }
}

/// A store that fails is no word about a token: whoever asks hears so, and is answered again when it is back.
async fn undecided_while_the_store_is_gone(store: &str) {
    let testbed = testbed(store).await;
    let authorization = of_role(&testbed, Role::AuthorizationServer);
    let keeper = of_role(&testbed, Role::Store);
    let resource = of_role(&testbed, Role::ResourceServer);
    let address = authorization.address;
    let token =
        access_token(post(address, "/token", &[&basic(CLIENT, SECRET)], "grant_type=client_credentials"));
    let decided = || get(resource.address, "/resource", &[&bearer(&token)]);
    decided().expect(200);
    for is_killed in [true, false] {
        if is_killed {
            keeper.kill().await;
        } else {
            keeper.pause().await.expect("it runs");
        }
        for path in ["/introspect", "/revoke"] {
            let answer = post(address, path, &[&basic(CLIENT, SECRET)], &format!("token={token}"));
            let said: Value = answer.expect(503).json();
            assert_eq!(said["error"], "temporarily_unavailable");
            assert_eq!(said.get("active"), None);
            let words = said["error_description"].as_str().expect("why");
            assert!(words.contains("the token store failed"), "{words}");
        }
        decided().expect(503);
        if is_killed {
            keeper.restart().await.expect("it comes back");
        } else {
            keeper.resume().await.expect("it goes on");
        }
        let begun = Instant::now();
        while decided().status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is not asked again");
        }
    }
    testbed.stop().await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_gone_makes_no_token_inactive_and_is_used_again_when_it_is_back() {
    undecided_while_the_store_is_gone("\"redis\"").await;
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn a_postgresql_that_is_gone_makes_no_token_inactive_and_is_used_again_when_it_is_back() {
    undecided_while_the_store_is_gone("\"postgresql\"").await;
}
