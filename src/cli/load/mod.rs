//! `bearerbench load`: the load generator against a server of one's own.

mod certificates;
mod first_request;
mod issuing;
mod pace;
mod provider;
mod renewal;
mod server;
mod this_machine;
mod tls;
mod token_file;
mod tokens;
mod weights;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::analysis::{Analysis, analyse};
use crate::cli::load::first_request::{FirstRequest, ensure_answered};
use crate::cli::load::server::{Agreed, is_of_protocol};
use crate::cli::load::tokens::{Circumstances, LoadTokens, RenewedBy};
use crate::cli::{Exit, output, run};
use crate::load::{Engine, Neighbours, Precision, Renewals, Target};
use crate::metric::Threshold;
use crate::plan::{Pace, Placement};
use crate::report;
use crate::reuse::Demand;
use crate::run::{External, Interrupt, Output, PATIENCE, Unfit};
use crate::testbed::core_watch::Task;
use crate::testbed::machine;
use crate::units::{Offset, Period, Span};
use crate::wire::Http;

/// Load your own server with requests that carry bearer tokens, and report latency and errors
#[derive(Debug, Args)]
pub(super) struct LoadCommand {
    #[command(flatten)]
    server: server::ServerArgs,
    #[command(flatten)]
    tls: tls::TlsArgs,
    #[command(flatten)]
    tokens: tokens::TokenArgs,
    #[command(flatten)]
    pace: pace::PaceArgs,
    /// Number of connections; in a closed loop each is one user
    #[arg(long, default_value = "32")]
    connections: NonZeroU32,
    /// Concurrent requests on each connection (HTTP/2 only)
    #[arg(long, default_value = "1")]
    streams: NonZeroU32,
    /// Replace each connection after this many requests
    #[arg(long, value_name = "N")]
    requests_per_connection: Option<NonZeroU32>,
    /// How long to measure, at most an hour
    #[arg(long, default_value = "10s")]
    duration: Period,
    /// Warm-up: how long to send before measuring
    #[arg(long, default_value = "1s")]
    warmup: Span,
    /// End after this many requests, the warm-up included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,
    /// Threshold that must hold, like "p(99)<5ms" (may be given several times)
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
    /// Process of the server on this machine (may be given several times). Time that other processes take from the server's
    /// cores is then measured, and left out of latencies
    #[arg(long = "server-process", value_name = "PID")]
    server_processes: Vec<u32>,
    #[command(flatten)]
    generator: GeneratorArgs,
    /// Name of the server in the report; `compare` pairs servers by name [default: the URL]
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Folder for the recording and the report [default: none is written]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Print nothing but the result
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct GeneratorArgs {
    /// HTTP/1.1 engine: own, or hyper to compare it with [default: own]
    #[arg(long, value_parser = ["own", "hyper"])]
    engine: Option<String>,
    /// How the generator waits: it sleeps (sleep), spins shortly before a request is due (hybrid), polls for answers too (busy), or
    /// never sleeps (spin) [default: spin on a core of its own, else hybrid]
    #[arg(long)]
    precision: Option<Precision>,
    /// Threads of the generator; each has a core of its own if there are enough
    #[arg(long, default_value = "1")]
    threads: NonZeroU32,
}

fn name(text: &str) -> Result<String, String> {
    let is_line = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_line.then(|| text.to_owned()).ok_or_else(|| "expected a name in one line, like production".to_owned())
}

/// Longer than this is not a measurement but a burden.
const LONGEST: Period = Period::from_secs(3_600);

/// A load before it begins.
struct Decided {
    external: External,
    renewed_by: Option<RenewedBy>,
    note: Option<&'static str>,
}

impl LoadCommand {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if let Some(folder) = &self.out {
            Output::ensure_possible(folder)?;
        }
        let Decided { external, renewed_by, note } = match self.decide() {
            Ok(decided) => decided,
            Err(error) => {
                output::tell(&format!("bearerbench: {error:#}"));
                return Ok(Exit::Usage);
            }
        };
        let connections = u64::from(external.target.connections.get());
        machine::ensure_open_files(connections + OTHER_FILES).map_err(Unfit::Files)?;
        let mut output = self.out.as_deref().map(Output::create).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (recording, interrupted) = runtime.block_on(async {
            let interrupt = Interrupt::on_signal()?;
            if !self.quiet {
                output::tell(&format!("{}: {}", external.name, external.question));
                for line in external.wire.as_deref().into_iter().chain(note) {
                    output::tell(line);
                }
            }
            let renewal = renewed_by.map(|by| by.start(&external.target)).transpose()?;
            let recording = external.measure(&interrupt).await;
            if let Some(renewal) = renewal {
                let outcome = renewal.finish();
                if !self.quiet {
                    output::tell(&outcome);
                }
            }
            anyhow::Ok((recording, interrupt.happened()))
        })?;
        let recordings = [recording];
        if let Some(output) = &mut output {
            output.append(&recordings[0])?;
        }
        let analysis = analyse(&recordings);
        if let Some(output) = &output {
            report::write(output.folder(), &analysis, &recordings)?;
        }
        self.tell(&analysis, output.as_ref())?;
        let exit = run::exit(&analysis, &recordings, interrupted);
        run::tell_why(exit, &analysis);
        Ok(exit)
    }

    fn tell(&self, analysis: &Analysis, output: Option<&Output>) -> anyhow::Result<()> {
        output::print(&if self.json { report::load_json(analysis) } else { report::load_text(analysis) })?;
        if let (false, Some(output)) = (self.quiet, output) {
            output::tell(&format!("report: {}", output.folder().join("report.html").display()));
        }
        Ok(())
    }

    /// Decides everything; nothing is sent yet but what it takes to find the server and the tokens.
    fn decide(&self) -> anyhow::Result<Decided> {
        anyhow::ensure!(
            self.duration <= LONGEST,
            "--duration {}: expected at most {LONGEST}; run it several times, and compare the runs",
            self.duration
        );
        let pace = self.pace.pace();
        anyhow::ensure!(
            self.generator.threads.get() <= self.connections.get(),
            "--threads {}: each needs a connection of its own; give fewer, or raise --connections {}",
            self.generator.threads,
            self.connections
        );
        self.ensure_some_are_measured(&pace)?;
        let engine = self.engine()?;
        let offer = self.tls.read()?;
        let server = self.server.find(&pace, self.connections, &offer)?;
        // What is asked before the load goes over connections of its own, so that the load has no session to take up.
        let asking = self.server.find(&pace, self.connections, &offer)?;
        let agreed = self.server.agree(&asking.connector, &offer);
        // What is wrong with TLS itself was told; a protocol that it does not speak is told with the one that it does.
        if agreed.as_ref().err().is_none_or(is_of_protocol) {
            ensure_answered(&FirstRequest {
                target: &self.server.target,
                server: &asking,
                http: self.server.http,
                offer: &offer,
                engine,
                streams: self.streams,
            })?;
        }
        let Agreed { wire, note } = agreed?;
        let LoadTokens { pool: tokens, round, renewed_by } =
            self.tokens.supply(&self.tls, &offer, &self.circumstances(&pace))?;
        self.ensure_enough(&pace, tokens.live_count())?;
        let different = tokens.different_count();
        if let Some(note) = token_file::repeated(&tokens, different).filter(|_| !self.quiet) {
            output::tell(&note);
        }
        let renewals = renewed_by.as_ref().map(|_| Renewals::of(Arc::clone(&tokens))).unwrap_or_default();
        let cores = machine::available_cores();
        let placement = Placement::on(&cores, self.generator.threads.get() as usize);
        // A closed loop has no instants to be late for.
        let own_core = !placement.generators.is_empty() && pace.rate().is_some();
        // The kernel would take a core that sleeps in between for one on which the server can run.
        let precision = if own_core { Precision::Spin } else { Precision::Hybrid };
        let window = Offset::from(self.warmup.duration())
            ..Offset::from(self.warmup.duration() + self.duration.duration());
        let watched = Task { cores: placement.servers.clone(), processes: self.server_processes.clone() };
        let external = External {
            watched: (!watched.processes.is_empty()).then_some(watched),
            name: self.name.clone().unwrap_or_else(|| self.server.target.to_string()),
            question: self.question(&pace, different),
            thresholds: self.thresholds.iter().map(ToString::to_string).collect(),
            http: self.server.http,
            wire: (wire != PLAIN).then_some(wire),
            target: Target {
                servers: vec![server],
                engine,
                connections: self.connections,
                streams: self.streams,
                requests_per_connection: self.requests_per_connection,
                tokens,
                renewals,
                proofs: None,
                window,
                timeout: PATIENCE,
                precision: self.generator.precision.unwrap_or(precision),
                cores: placement.generators,
                neighbours: Neighbours::default(),
            },
            pace,
            reuse: self.tokens.reuse.clone(),
            round,
            warmup: self.warmup,
            window: self.duration,
            requests: self.requests,
            seed: self.pace.seed,
        };
        Ok(Decided { external, renewed_by, note })
    }

    fn circumstances(&self, pace: &Pace) -> Circumstances {
        let planned = self.warmup.duration() + self.duration.duration();
        let by_count = self.requests.zip(pace.rate()).and_then(|(requests, rate)| {
            // A schedule by chance takes a little longer now and then.
            Duration::try_from_secs_f64(1.5 * requests as f64 / rate.per_second()).ok()
        });
        Circumstances {
            lasts: by_count.map_or(planned, |by_count| planned.min(by_count)),
            allow_remote: self.server.allow_remote,
            quiet: self.quiet,
        }
    }

    /// The URL stands in it where the server has a name.
    fn question(&self, pace: &Pace, tokens: u32) -> String {
        let it = self.name.as_ref().map_or_else(|| "it".to_owned(), |_| self.server.target.to_string());
        match pace {
            Pace::Open { rate, arrivals } => {
                format!("How does {it} answer {rate} ({arrivals}) with {tokens} different tokens?")
            }
            Pace::Closed { think } => {
                format!(
                    "How fast does {it} answer users who think for {think}, with {tokens} different tokens?"
                )
            }
        }
    }

    /// The warm-up may use up all requests there are.
    fn ensure_some_are_measured(&self, pace: &Pace) -> anyhow::Result<()> {
        let (Some(requests), Pace::Open { rate, arrivals }) = (self.requests, pace) else { return Ok(()) };
        let begin = Offset::from(self.warmup.duration());
        let mut dues = arrivals.instants(*rate, self.pace.seed).zip(0..requests);
        anyhow::ensure!(
            dues.any(|(due, _)| due >= begin),
            "--requests {requests}: all of them are due within the warm-up of {}; give more, or lower --warmup",
            self.warmup
        );
        Ok(())
    }

    /// A law by which tokens are never used again needs one for every request.
    fn ensure_enough(&self, pace: &Pace, tokens: u32) -> anyhow::Result<()> {
        let needed = match (self.tokens.reuse.demand(), pace.rate()) {
            (Demand::AtLeast(needed), _) => f64::from(needed),
            (Demand::OnePerRequest, Some(rate)) => {
                let seconds = self.warmup.duration() + self.duration.duration();
                let planned = (rate.per_second() * seconds.as_secs_f64()).ceil();
                self.requests.map_or(planned, |requests| planned.min(requests as f64))
            }
            (Demand::OnePerRequest, None) => self.requests.map_or(f64::INFINITY, |requests| requests as f64),
        };
        anyhow::ensure!(
            needed <= f64::from(tokens),
            "--reuse {}: {tokens} tokens are there, {} are needed; give more tokens, or another law (see `bearerbench list`)",
            self.tokens.reuse,
            if needed.is_finite() { format!("about {needed}") } else { "more than any number".to_owned() }
        );
        Ok(())
    }

    fn engine(&self) -> anyhow::Result<Engine> {
        let http = self.server.http;
        anyhow::ensure!(
            http == Http::Http2 || self.streams.get() == 1,
            "--streams {}: HTTP/1.1 has one request at a time on a connection; add --http 2, or raise --connections",
            self.streams
        );
        match (self.generator.engine.as_deref(), http) {
            (Some("hyper"), Http::Http1) => Ok(Engine::Hyper),
            (Some("hyper"), Http::Http2) => {
                anyhow::bail!("--engine hyper: it is an engine for HTTP/1.1; leave it out with --http 2")
            }
            _ => Ok(Engine::of(http)),
        }
    }
}

/// How requests travel unless something else is asked for, which goes without saying.
const PLAIN: &str = "HTTP/1.1, TCP";

/// Files that the process has open beside its connections.
const OTHER_FILES: u64 = 64;
