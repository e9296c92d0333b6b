//! How many instructions the load generator spends on a request, counted by callgrind: the real program against the real
//! resource server, so that a busy machine gives the same number.
//!
//! ```sh
//! cargo bench --bench generator            # prints the count
//! cargo bench --bench generator -- gate    # fails above the limit
//! ```
//!
//! Needs valgrind.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};

/// What a request may cost in user space: head, token, socket, answer, and every histogram.
const MOST_INSTRUCTIONS: u64 = 3_500;

/// As many as a working set of an edge; larger than the processor's first caches.
const TOKENS: usize = 4_096;
/// Characters of a token, like those of an RFC 9068 token with 400 bytes of claims signed by RS256.
const TOKEN_CHARACTERS: usize = 800;
const CONNECTIONS: u64 = 64;
/// What a short and a long run have in common, like opening connections, cancels out.
const REQUESTS: [u64; 2] = [5_000, 25_000];

/// A part of the name of a function that is called on the generator's thread alone.
const WRITES_REQUESTS: &str = "load::dispatch::Dispatch";

fn main() -> ExitCode {
    // Cargo adds arguments of its own.
    let gates = std::env::args().any(|argument| argument == "gate");
    match count() {
        Ok(instructions) => {
            let line = format!(
                "generator: {instructions} user instructions a request (at most {MOST_INSTRUCTIONS})"
            );
            // Without a reader the exit code tells all the same.
            let _ = writeln!(io::stdout(), "{line}");
            if gates && instructions > MOST_INSTRUCTIONS {
                eprintln!(
                    "FAILED: a request costs the load generator more than {MOST_INSTRUCTIONS} instructions"
                );
                return ExitCode::FAILURE;
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn count() -> anyhow::Result<u64> {
    let folder = tempfile::tempdir()?;
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, different_tokens())?;
    let server = Server::start()?;
    let counts = REQUESTS.map(|requests| of_generator(&server.resource, &tokens, requests, folder.path()));
    let [short, long] = counts;
    let (short, long) = (short?, long?);
    let more = long.checked_sub(short).context("the longer run took fewer instructions")?;
    Ok(more / (REQUESTS[1] - REQUESTS[0]))
}

/// Instructions of the generator's thread: the one that writes requests. Beside it run the first one, which reads tokens and prints
/// figures, and one that puts seconds to rest, of which there are many where this machine is slow.
fn of_generator(resource: &str, tokens: &Path, requests: u64, folder: &Path) -> anyhow::Result<u64> {
    let prefix = format!("counts.{requests}");
    let ended = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", folder.join(&prefix).display()))
        .arg(env!("CARGO_BIN_EXE_bearerbench"))
        .args(["load", "--closed", "--json", "--quiet", "--warmup", "0s", "--duration", "5m"])
        .args(["--connections", &CONNECTIONS.to_string(), "--requests", &requests.to_string()])
        .args(["--target", resource, "--tokens"])
        .arg(tokens)
        .output()
        .context("cannot start valgrind")?;
    let json: serde_json::Value = serde_json::from_slice(&ended.stdout)
        .with_context(|| format!("the load failed: {}", String::from_utf8_lossy(&ended.stderr).trim()))?;
    ensure!(json["requests"] == requests, "{} of {requests} requests were sent", json["requests"]);
    ensure!(json["metrics"]["errors"]["point"] == 0.0, "requests failed: {}", json["warnings"]);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(&format!("{prefix}-")) {
            continue;
        }
        let text = fs::read_to_string(entry.path())?;
        if !text.contains(WRITES_REQUESTS) {
            continue;
        }
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let total = total.with_context(|| format!("callgrind wrote no totals into {name}"))?;
        return Ok(total.trim().parse()?);
    }
    bail!("no thread called anything with {WRITES_REQUESTS:?} in its name")
}

fn different_tokens() -> String {
    let tokens: Vec<String> = (0..TOKENS).map(|number| format!("{number:0>TOKEN_CHARACTERS$}")).collect();
    tokens.join("\n")
}

/// A resource server that checks nothing; ends when this is dropped.
struct Server {
    child: Child,
    resource: String,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
            .args(["serve", "resource-server", "--architecture", "none", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("standard output is piped")?).read_line(&mut line)?;
        match line.trim().strip_prefix("resource=") {
            Some(resource) => Ok(Self { child, resource: resource.to_owned() }),
            None => bail!("the resource server said {line:?} instead of its address"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already, or it is stopped: either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
