//! Tokens that are bound to the key of a client (`DPoP`, RFC 9449): stolen without the key, they are worth nothing.

use std::path::Path;

use bearerbench::auth::architecture::{ARCHITECTURES, Tokens};
use bearerbench::auth::token::dpop::{ProofKey, ToProve};
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::auth::token::{UnixTime, WallClock};
use bearerbench::design::Checks;
use bearerbench::plan::{Plan, TokenClass, Trial};
use bearerbench::registry::Part;
use bearerbench::scenario::ScenarioFile;
use bearerbench::testbed::machine::available_cores;
use bearerbench::testbed::signature::TrialKey;
use bearerbench::testbed::{ClientKey, Count, SuppliedToken, Testbed, TrialNode};

use crate::http::{Answer, get, post};
use crate::server::{basic, bearer};

/// Where the resource of every test bed is, as its clients know it.
const RESOURCE: &str = "http://localhost/resource";

/// A test bed with one resource server, and tokens that are bound to the key of its client.
pub(crate) struct Bound {
    pub(crate) testbed: Testbed,
    pub(crate) tokens: Vec<String>,
}

impl Bound {
    async fn to(sender: &str, architecture: &str) -> Self {
        Self::over("{}", sender, architecture).await
    }

    /// The same over this wire.
    pub(crate) async fn over(wire: &str, sender: &str, architecture: &str) -> Self {
        let scenario = format!(
            "question = \"?\"\n[load]\nrate = 1\nduration = \"1s\"\nwire = {wire}\n[tokens]\nlive = 10\nbad = 0\n\
             [revocation]\ntokens = 0\n[[subject]]\n{architecture}\nsender = {sender}\n"
        );
        let file = ScenarioFile::parse("case.toml".to_owned(), &scenario, &[]).expect("a scenario");
        let plan = Plan::decide(&file, &[], &available_cores()).expect("a plan");
        let trial: &Trial = &plan.trials[0];
        let key = TrialKey::generate(trial).await.expect("a key");
        let program = Path::new(env!("CARGO_BIN_EXE_bearerbench"));
        let testbed =
            Testbed::start(program, trial, key, plan.lifetime, &plan.placement).await.expect("servers");
        let mut tokens = Vec::new();
        let mut sink = |_: TokenClass, token: SuppliedToken| tokens.push(token.text);
        testbed.supply(trial, &Count::default(), &mut sink).await.expect("tokens");
        Self { testbed, tokens }
    }

    pub(crate) fn node(&self, name: &str) -> &TrialNode {
        self.testbed.nodes().iter().find(|node| node.name.starts_with(name)).expect("it was started")
    }

    /// The server that clients reach.
    pub(crate) fn edge(&self) -> &TrialNode {
        self.testbed.nodes().iter().find(|node| node.role.enforces() && node.hop == 0).expect("there is one")
    }

    fn key(&self) -> &ClientKey {
        self.testbed.owner().key().expect("its tokens are bound to a key")
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        get(self.edge().address, "/bench/counts", &[]).expect(200).json()[name]
            .as_u64()
            .expect("it is counted")
    }

    /// Asks for the resource with this token and these proofs.
    fn ask(&self, token: &str, proofs: &[&str]) -> Answer {
        let token = format!("Authorization: DPoP {token}");
        let proofs: Vec<String> = proofs.iter().map(|proof| format!("DPoP: {proof}")).collect();
        let headers: Vec<&str> = std::iter::once(&token).chain(&proofs).map(String::as_str).collect();
        get(self.edge().address, "/resource", &headers)
    }

    /// Fails unless what is asked for is refused with this error.
    #[track_caller]
    fn refuses(&self, token: &str, proofs: &[&str], error: &str) {
        refused(self.ask(token, proofs), error);
    }
}

#[track_caller]
fn refused(answer: Answer, error: &str) -> Answer {
    let answer = answer.expect(401);
    let challenge = answer.header("www-authenticate").expect("a refusal carries a challenge");
    let expected = format!("DPoP realm=\"bearerbench\", algs=\"ES256\", error=\"{error}\"");
    assert!(challenge.starts_with(&expected), "{challenge}");
    answer
}

fn es256() -> Part<dyn SignatureScheme> {
    Part::named("ES256").expect("a scheme")
}

fn now() -> UnixTime {
    WallClock::system().now()
}

/// An architecture as a subject has it.
pub(crate) struct Case {
    pub(crate) subject: String,
    /// Whether it looks at tokens at all.
    pub(crate) checks_tokens: bool,
    /// Whether its clients keep the tokens that they have.
    pub(crate) stays: bool,
}

/// Every architecture.
pub(crate) fn cases() -> Vec<Case> {
    let examples = ARCHITECTURES.examples().into_iter().map(|choice| {
        let architecture = ARCHITECTURES.resolve(choice.clone()).expect("an example");
        let written = toml::Value::try_from(&choice).expect("settings are TOML");
        let signature = match architecture.tokens() {
            Tokens::Any => "",
            Tokens::Jwt | Tokens::Phantom | Tokens::Split | Tokens::SignedAnswers => "signature = \"ES256\"",
        };
        let design = architecture.design();
        Case {
            subject: format!("architecture = {written}\n{signature}"),
            checks_tokens: design.checks != Checks::Nothing,
            stays: design.refreshing.is_none(),
        }
    });
    examples.collect()
}

#[tokio::test]
async fn under_every_architecture_a_stolen_token_is_refused_without_the_key_and_a_stolen_proof_too() {
    // Proofs are signed ahead, for tokens that stay: a scenario with both is refused.
    for Case { subject, checks_tokens, .. } in cases().into_iter().filter(|case| case.stays) {
        let bound = Bound::to("\"dpop\"", &subject).await;
        let [token, another, ..] = &*bound.tokens else { panic!("{:?}", bound.tokens) };
        let proof = bound.key().resource_proof(token, 0);
        assert_eq!(bound.ask(token, &[&proof]).expect(200).json()["resource"], "accepted", "{subject}");
        // What was seen on the way once does not serve again, neither as it is nor with another token.
        bound.refuses(token, &[&proof], "invalid_dpop_proof");
        bound.refuses(another, &[&bound.key().resource_proof(token, 0)], "invalid_dpop_proof");
        // The token alone: as a bearer, without a proof, with a proof by a key of one's own.
        let answer = get(bound.edge().address, "/resource", &[&bearer(token)]).expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("DPoP realm=\"bearerbench\", algs=\"ES256\""));
        bound.refuses(token, &[], "invalid_dpop_proof");
        let thief = ProofKey::generate(&*es256()).expect("a key");
        let request = ToProve { method: "GET", uri: RESOURCE, token: Some(token), nonce: None };
        let proof = thief.prove(&request, now()).expect("a proof");
        if checks_tokens {
            bound.refuses(token, &[&proof], "invalid_token");
        } else {
            bound.ask(token, &[&proof]).expect(200);
        }
        assert_eq!(bound.count("forgotten_proofs"), 0);
        bound.ask(another, &[&bound.key().resource_proof(another, 0)]).expect(200);
    }
}

#[tokio::test]
async fn a_proof_for_another_request_or_of_another_time_is_refused() {
    let bound = Bound::to("\"dpop\"", "architecture = \"introspection\"").await;
    let [token, ..] = &*bound.tokens else { panic!("{:?}", bound.tokens) };
    let key = ProofKey::generate(&*es256()).expect("a key");
    let right = ToProve { method: "GET", uri: RESOURCE, token: Some(token), nonce: None };
    let proof = |request, age| key.prove(&request, UnixTime::from_secs(now().secs() - age)).expect("a proof");
    for (name, proof) in [
        ("method", proof(ToProve { method: "POST", ..right }, 0)),
        ("host", proof(ToProve { uri: "http://elsewhere/resource", ..right }, 0)),
        ("path", proof(ToProve { uri: "http://localhost/other", ..right }, 0)),
        ("scheme", proof(ToProve { uri: "https://localhost/resource", ..right }, 0)),
        ("token", proof(ToProve { token: None, ..right }, 0)),
        ("age", proof(right, 62)),
    ] {
        let answer = refused(bound.ask(token, &[&proof]), "invalid_dpop_proof");
        assert!(answer.header("dpop-nonce").is_none(), "{name}");
    }
    // Of somebody else in each of these cases too, but that is found out last.
    bound.refuses(token, &[&proof(right, 0)], "invalid_token");
    let good = bound.key().resource_proof(token, 0);
    bound.refuses(token, &[&good, &good], "invalid_dpop_proof");
    bound.refuses("rubbish", &[&bound.key().resource_proof("rubbish", 0)], "invalid_token");
    assert_eq!((bound.count("accepted_proofs"), bound.count("refused_proofs")), (2, 7));
    // HEAD is another method, with a proof of its own; the query is no part of what is proven.
    let headers = [format!("Authorization: dPOP {token}"), format!("DPoP: {good}")];
    get(bound.edge().address, "/resource?page=2", &[&headers[0], &headers[1]]).expect(200);
}

#[tokio::test]
async fn a_token_is_issued_to_the_key_of_a_proof_and_says_so_wherever_it_is_looked_at() {
    for subject in ["architecture = \"introspection\"", "architecture = \"jwt\"\nsignature = \"ES256\""] {
        let bound = Bound::to("\"dpop\"", subject).await;
        let authorization = bound.node("authorization server").address;
        let client = basic("load", "secret%20of%20load");
        let form = "grant_type=client_credentials";
        post(authorization, "/token", &[&client], form).refuses(400, "invalid_dpop_proof");
        let key = ProofKey::generate(&*es256()).expect("a key");
        let uri = format!("http://{authorization}/token");
        let request = ToProve { method: "POST", uri: &uri, token: None, nonce: None };
        let proof = format!("DPoP: {}", key.prove(&request, now()).expect("a proof"));
        let answer = post(authorization, "/token", &[&client, &proof], form).expect(200).json();
        assert_eq!(answer["token_type"], "DPoP");
        post(authorization, "/token", &[&client, &proof], form).refuses(400, "invalid_dpop_proof");
        let token = answer["access_token"].as_str().expect("a token");
        let said =
            post(authorization, "/introspect", &[&client], &format!("token={token}")).expect(200).json();
        assert_eq!(said["cnf"]["jkt"], key.thumbprint(), "{said}");
        let request = ToProve { method: "GET", uri: RESOURCE, token: Some(token), nonce: None };
        bound.ask(token, &[&key.prove(&request, now()).expect("a proof")]).expect(200);
        bound.refuses(token, &[&bound.key().resource_proof(token, 0)], "invalid_token");
        let metadata = get(authorization, "/.well-known/oauth-authorization-server", &[]).expect(200).json();
        assert_eq!(metadata["dpop_signing_alg_values_supported"], serde_json::json!(["ES256"]));
    }
}

#[tokio::test]
async fn a_server_that_wants_a_nonce_says_which_and_takes_a_proof_with_it() {
    let bound =
        Bound::to("{ kind = \"dpop\", nonce = true, max_age = \"24h\" }", "architecture = \"introspection\"")
            .await;
    let [token, ..] = &*bound.tokens else { panic!("{:?}", bound.tokens) };
    let key = ProofKey::generate(&*es256()).expect("a key");
    let without = ToProve { method: "GET", uri: RESOURCE, token: Some(token), nonce: None };
    let proof = |request| key.prove(&request, now()).expect("a proof");
    let answer = refused(bound.ask(token, &[&proof(without)]), "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").expect("it says which");
    bound.refuses(token, &[&proof(ToProve { nonce: Some("another"), ..without })], "use_dpop_nonce");
    // The proof is right then, but for the key.
    bound.refuses(token, &[&proof(ToProve { nonce: Some(nonce), ..without })], "invalid_token");
    let answer = bound.ask(token, &[&bound.key().resource_proof(token, 0)]).expect(200);
    assert!(answer.header("dpop-nonce").is_none(), "the client has the newest");
    let answer = get(bound.edge().address, "/resource", &[]).expect(401);
    assert_eq!(answer.header("dpop-nonce"), Some(nonce), "whoever has no token yet is told it too");
}
