//! `bearerbench serve`: one server of the test bed by itself, for any load tool.

mod keys;
mod outside;
mod sender;
mod token_lives;
mod wire;

use std::convert::Infallible;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hyper::Uri;

use crate::auth::architecture::Architecture;
use crate::auth::store::Store;
use crate::auth::token::opaque;
use crate::auth::token::signature::SignatureScheme;
use crate::cli::exit::BadArgument;
use crate::cli::part::part;
use crate::cli::{Exit, output, part};
use crate::registry::Part;
use crate::run::Interrupt;
use crate::testbed::machine;
use crate::testbed::process::told;
use crate::testbed::server;
use crate::testbed::spec::{
    ANY_PORT, AuthorizationServerSpec, ClientSpec, Credentials, Listening, ResourceServerSpec, ServerSpec,
    most_passed_on,
};
use crate::units::ClaimsSize;
use crate::wire::Wire;
use sender::{IssuedToArgs, SentByArgs};
use token_lives::TokenLives;
use wire::WireArgs;

/// Run one reference server by itself, until Ctrl-C
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(subcommand)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// Issues (/token), introspects (/introspect), revokes (/revoke), publishes keys (/jwks)
    #[command(name = "authorization-server")]
    Authorization(AuthorizationServerArgs),
    /// Protects GET /resource with bearer tokens (RFC 6750)
    #[command(name = "resource-server")]
    Resource(ResourceServerArgs),
    /// A server that a run starts: told what it is on standard input, ends when that closes
    #[command(hide = true)]
    Spec,
}

#[derive(Debug, Args)]
struct AuthorizationServerArgs {
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Sign tokens with this scheme (see `bearerbench list`); without it they are opaque
    #[arg(long, value_name = "ALG", value_parser = part::signature)]
    signature: Option<Part<dyn SignatureScheme>>,
    /// Private key that signs tokens, a JWK [default: a new key]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// More keys to publish, a JWK or a JWK Set; tokens signed with them can be introspected and revoked too
    #[arg(long, value_name = "FILE")]
    also_publish: Option<PathBuf>,
    /// Publish what resource servers of this architecture fetch beside the keys; may be given several times
    #[arg(long, value_name = "ARCHITECTURE", value_parser = part::<dyn Architecture>)]
    serves: Vec<Part<dyn Architecture>>,
    /// Token store, like memory or '{ kind = "redis", url = "<redis://:password@127.0.0.1:6379>" }'
    #[arg(long, default_value = "memory", value_parser = part::<dyn Store>)]
    store: Part<dyn Store>,
    #[command(flatten)]
    client: ClientArgs,
    /// Lifetime of a token [default: 10m, or the `life` of an architecture that it serves whose clients refresh]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    lifetime: Option<Duration>,
    /// Issue refresh tokens, with which a token can be had anew for so long; each is good once (RFC 9700 section 4.14.2)
    /// [default: none, or 10m where an architecture that it serves has clients refresh]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    refresh_tokens: Option<Duration>,
    /// Audience of the tokens
    #[arg(long, default_value = "https://api.example/")]
    audience: String,
    /// Scope of the tokens
    #[arg(long, default_value = "read")]
    scope: String,
    /// Make the claims of the tokens larger by so many bytes of groups, like 8KB
    #[arg(long, value_name = "SIZE", default_value = "0")]
    extra_claims: ClaimsSize,
    #[command(flatten)]
    issued_to: IssuedToArgs,
}

#[derive(Debug, Args)]
struct ResourceServerArgs {
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Which server of the architecture this is: 0 for the one that clients reach, 1 for the one behind a gateway
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    hop: u8,
    /// Which of the servers that decide there side by side, from 0
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    branch: u8,
    /// Pass requests that are accepted on to the server behind, which has the resource; given several times, to each in turn
    #[arg(long, value_name = "URL", value_parser = plain_url)]
    upstream: Vec<String>,
    /// Validation architecture (see `bearerbench list`), like jwt or '{ kind = "introspection-cached", ttl = "10s" }'
    #[arg(long, value_parser = part::<dyn Architecture>)]
    architecture: Part<dyn Architecture>,
    /// Key to trust beside the published ones, a JWK; an HMAC key, which is never published, must be given here
    #[arg(long, value_name = "FILE")]
    shared_key: Option<PathBuf>,
    /// Signature scheme and library that verify, if not the default ones, like '{ kind = "ES256", library = "..." }'
    #[arg(long, value_name = "ALG", value_parser = part::signature)]
    signature: Option<Part<dyn SignatureScheme>>,
    /// The authorization server: its issuer identifier and base URL
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000", value_parser = plain_url)]
    authorization_server: String,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    sent_by: SentByArgs,
    #[command(flatten)]
    client: ClientArgs,
    /// Audience that tokens must have
    #[arg(long, default_value = "https://api.example/")]
    audience: String,
    /// Scope that tokens must have
    #[arg(long, default_value = "read")]
    scope: String,
}

#[derive(Debug, Args)]
struct ClientArgs {
    /// `client_id` of the client
    #[arg(long, default_value = "bench")]
    client_id: String,
    /// `client_secret` of the client [default: an authorization server makes a random one and prints it]
    #[arg(long, env = "BEARERBENCH_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
}

/// The URL of a server that speaks plain HTTP.
fn plain_url(text: &str) -> Result<String, String> {
    let url: Uri = text.parse().map_err(|error| format!("{error}; {EXPECTED}"))?;
    match url.scheme_str() {
        Some("http") if url.query().is_none() => Ok(text.trim_end_matches('/').to_owned()),
        Some("https") => Err(format!(
            "this resource server speaks plain HTTP with other servers, not TLS; {EXPECTED}. `bearerbench load` gets tokens over https"
        )),
        _ => Err(EXPECTED.to_owned()),
    }
}

const EXPECTED: &str = "expected a URL like http://127.0.0.1:9000";

impl Serve {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        match self.server {
            Server::Authorization(arguments) => arguments.serve(),
            Server::Resource(arguments) => arguments.serve(),
            Server::Spec => serve_for_parent(),
        }
    }
}

impl AuthorizationServerArgs {
    fn serve(self) -> anyhow::Result<Exit> {
        let lives = TokenLives::of(&self.serves, self.lifetime, self.refresh_tokens).map_err(BadArgument)?;
        let client_secret = self.client.client_secret.unwrap_or_else(opaque::mint);
        let credentials = Credentials { client_id: self.client.client_id, client_secret };
        let greeting =
            format!("client_id={}\nclient_secret={}", credentials.client_id, credentials.client_secret);
        let client = ClientSpec {
            credentials,
            audience: self.audience,
            scope: self.scope,
            lifetime: lives.token,
            refreshes_for: lives.refresh_tokens,
            age: Duration::ZERO,
            extra_claims: self.extra_claims.bytes(),
        };
        let (signing_key, signature) = match &self.signing_key {
            Some(path) => {
                let (key, scheme) = keys::signing(path, self.signature)?;
                (Some(key), Some(scheme))
            }
            None => (None, self.signature),
        };
        anyhow::ensure!(
            signature.is_some() || self.also_publish.is_none(),
            BadArgument(
                "--also-publish needs --signature or --signing-key: opaque tokens are verified without a key"
                    .to_owned()
            )
        );
        let outside = outside::format(&self.serves, signature.is_some()).map_err(BadArgument)?;
        let spec = AuthorizationServerSpec {
            listen: self.listen,
            signature,
            outside: Some(outside),
            signing_key,
            also_publish: self.also_publish.as_deref().map(keys::published).transpose()?.unwrap_or_default(),
            store: self.store,
            clients: vec![client],
            serves: self.serves,
            mutual: self.issued_to.entrance()?,
            sender: self.issued_to.sender,
        };
        serve_until_interrupt(ServerSpec::AuthorizationServer(spec), |ready| {
            format!("issuer=http://{}\n{greeting}{}", ready.address, sender::greeting(ready))
        })
    }
}

impl ResourceServerArgs {
    fn serve(self) -> anyhow::Result<Exit> {
        outside::ensure_complete(&self.architecture, [self.hop, self.branch], self.upstream.len())
            .map_err(BadArgument)?;
        let branches = self.architecture.at_hop(self.hop.into());
        let asks = branches[usize::from(self.branch)].architecture.design().authenticates;
        anyhow::ensure!(
            !asks || self.client.client_secret.is_some(),
            BadArgument(format!(
                "--architecture {}: it introspects, and the authorization server wants to know who asks; give the \
                 --client-secret that it printed when it started",
                self.architecture.kind()
            ))
        );
        if let Some(scheme) = &self.signature {
            self.architecture.accepts(&**scheme).map_err(BadArgument)?;
        }
        let shared_key = self.shared_key.as_deref();
        let shared_key = shared_key.map(|path| keys::shared(path, self.signature.clone())).transpose()?;
        let wire = self.wire.wire();
        let is_plain = wire == Wire::default();
        let entrance = self.wire.entrance(self.listen);
        let sender = self.sent_by.spec(self.hop, wire, &entrance).map_err(BadArgument)?;
        let identity = self.wire.identity()?;
        let spec = ResourceServerSpec {
            // What is asked for is where the resource is; plain HTTP/1.1 stays beside it for the counters of the bench.
            listen: if is_plain { self.listen } else { ANY_PORT },
            architecture: self.architecture,
            hop: self.hop,
            branch: self.branch,
            upstreams: self.upstream,
            passes_on: most_passed_on(),
            issuer: self.authorization_server,
            signature: self.signature,
            shared_key,
            credentials: Credentials {
                client_id: self.client.client_id,
                client_secret: self.client.client_secret.unwrap_or_default(),
            },
            audience: self.audience,
            scope: self.scope,
            wire,
            entrance: Some(entrance),
            identity,
            // Whoever starts servers by hand does so at instants of their own.
            poll_phase: 1.0,
            logs_misses: false,
            sender,
        };
        serve_until_interrupt(ServerSpec::ResourceServer(spec), |ready| wire::greeting(wire, ready))
    }
}

fn serve_until_interrupt(
    spec: ServerSpec,
    greeting: impl FnOnce(&Listening) -> String,
) -> anyhow::Result<Exit> {
    let cores = machine::available_cores();
    runtime(cores.len())?.block_on(async {
        // Before anybody is told that the server is there, and may end it.
        let interrupt = Interrupt::on_signal()?;
        let ready = |listening: Listening| {
            // Without a reader of standard output the server serves all the same.
            let _ = output::print(&greeting(&listening));
        };
        tokio::select! {
            served = server::serve(spec, ready) => served.map(never).map_err(Into::into),
            () = interrupt.wait() => Ok(Exit::Success),
        }
    })
}

fn serve_for_parent() -> anyhow::Result<Exit> {
    let line = told().context("cannot read what to serve from standard input")?;
    let spec: ServerSpec = serde_json::from_slice(&line)
        .context("standard input does not say what to serve; this command is for `bearerbench run`")?;
    drop(line);
    // The parent has chosen the cores.
    runtime(machine::available_cores().len())?.block_on(async {
        let ready = |listening: Listening| {
            let line = serde_json::to_string(&listening).expect("an address is plain data");
            // A parent that is gone is noticed by its end of standard input.
            let _ = output::print(&line);
        };
        tokio::select! {
            served = server::serve(spec, ready) => served.map(never).map_err(Into::into),
            () = parent_gone() => Ok(Exit::Success),
        }
    })
}

/// As many threads as cores; one thread needs no scheduler between threads.
fn runtime(cores: usize) -> io::Result<tokio::runtime::Runtime> {
    if cores <= 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build()
    }
}

/// Ends when standard input does: the parent holds its other end and loses it in whatever way it ends.
async fn parent_gone() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<Infallible>();
    thread::spawn(move || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        drop(sender);
    });
    let _ = receiver.await;
}

fn never(never: Infallible) -> Exit {
    match never {}
}
