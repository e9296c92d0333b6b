//! An errand in a process of its own: told, awaited, and over.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::testbed::process::output::Output;
use crate::testbed::process::{ProcessError, Told};

/// Has a process of `program` do `command` on what it is `told`, for `limit` at most, and returns what it answers.
pub async fn errand<T: DeserializeOwned>(
    program: &Path,
    name: &str,
    command: &str,
    told: &impl Serialize,
    limit: Duration,
) -> Result<T, ProcessError> {
    let (mut child, mut output) =
        spawn(program, &[command]).map_err(|source| ProcessError::Spawn { name: name.to_owned(), source })?;
    let undone = |said| ProcessError::Undone { name: name.to_owned(), said };
    match timeout(limit, converse(&mut child, told)).await {
        Ok(Ok(answer)) => {
            // What it had to say is said: nothing is lost with it.
            let _ = child.kill().await;
            Ok(answer)
        }
        Ok(Err(_)) => Err(undone(output.last_words().await)),
        Err(_) => Err(undone(format!("it was not done within {} s", limit.as_secs()))),
    }
}

/// A process of this program, and what it says on standard error.
pub(in crate::testbed) fn spawn(program: &Path, arguments: &[&str]) -> io::Result<(Child, Output)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: an interrupt from the keyboard is for the parent, which stops its servers.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut output = Output::default();
    output.listen(child.stderr.take().expect("standard error is piped"), None);
    Ok((child, output))
}

async fn converse<T: DeserializeOwned>(child: &mut Child, told: &impl Serialize) -> io::Result<T> {
    Told::json(told)?.tell(child).await?;
    answer(child.stdout.as_mut().expect("standard output is piped")).await
}

/// The first line of a process, which is JSON.
pub(super) async fn answer<T: DeserializeOwned>(stdout: &mut ChildStdout) -> io::Result<T> {
    let mut answer = String::new();
    BufReader::new(stdout).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}
