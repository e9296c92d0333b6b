//! Processes of any program, from their start until they are gone with all that they started.

mod errand;
mod group;
mod input;
mod invocation;
mod output;
mod ready;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::timeout;

use crate::testbed::machine::PinError;
use crate::testbed::process::group::Group;
use crate::testbed::process::output::Output;
use crate::testbed::process::ready::START_LIMIT;

pub(super) use errand::spawn;
pub(super) use invocation::{ALSO, runnable};

pub use errand::errand;
pub use input::{Told, end_with_parent, told};
pub use invocation::Invocation;
pub use ready::Ready;

/// A process that can be killed and started again, as often as is wanted. It is killed, and gone, when this is dropped. It ends too when
/// this program does in whatever way, with what it started, as far as that is in its process group.
#[derive(Debug)]
pub struct Process {
    invocation: Invocation,
    /// `None` while it is down.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    group: Group,
    output: Output,
}

/// A process that did not start or did not live.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such program.
    #[error(
        "the {name} needs the program `{}`, which is not installed{}", .program.display(),
        .package.map(|package| format!("; on Debian: apt install {package}")).unwrap_or_default()
    )]
    NotInstalled {
        /// Of the process.
        name: String,
        /// What was looked for.
        program: PathBuf,
        /// The package of Debian that has it.
        package: Option<&'static str>,
    },
    /// It would run on other cores.
    #[error("cannot start the {name} on its cores")]
    Cores {
        /// Of the process.
        name: String,
        /// What the system said.
        source: PinError,
    },
    /// The program itself did not start.
    #[error("cannot start the {name}")]
    Spawn {
        /// Of the process.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or said something else than its address.
    #[error("the {name} did not start: {said}")]
    NotReady {
        /// Of the process.
        name: String,
        /// Its last words.
        said: String,
    },
    /// It lives, and is not ready.
    #[error("the {name} did not {ready} within {} s: {said}", START_LIMIT.as_secs())]
    TooLate {
        /// Of the process.
        name: String,
        /// What was waited for.
        ready: Ready,
        /// Its last words.
        said: String,
    },
    /// An errand that was not done.
    #[error("the {name} failed: {said}")]
    Undone {
        /// Of the process.
        name: String,
        /// Its last words.
        said: String,
    },
    /// It ended in the middle of a trial.
    #[error("the {name} ended during the trial ({status}): {said}")]
    Ended {
        /// Of the process.
        name: String,
        /// How.
        status: String,
        /// Its last words.
        said: String,
    },
    /// It has ended, and is still to be waited for.
    #[error("the {name} has ended")]
    Over {
        /// Of the process.
        name: String,
    },
    /// It was killed, and not started again.
    #[error("the {name} is down")]
    Down {
        /// Of the process.
        name: String,
    },
}

impl Process {
    /// Starts it and waits until it is ready.
    pub async fn start(invocation: Invocation) -> Result<Self, ProcessError> {
        let mut process = Self { invocation, running: None };
        process.restart().await?;
        Ok(process)
    }

    /// Starts it again with all that it was started with, and waits until it is ready. One that runs is killed before.
    pub async fn restart(&mut self) -> Result<(), ProcessError> {
        self.kill().await;
        self.running = Some(begin(&self.invocation).await?);
        Ok(())
    }

    /// Kills it with all that it started, and waits until none is left.
    pub async fn kill(&mut self) {
        if let Some(running) = &mut self.running {
            // It is gone already, or it cannot be waited for: either way there is nothing left to stop.
            let _ = running.group.kill().await;
        }
        self.running = None;
    }

    /// Asks it to end, as whoever manages services does, and kills what is left of it: some leave something behind in the system if they are
    /// only killed, as `PostgreSQL` does shared memory.
    pub async fn end(&mut self) {
        if let Some(running) = &self.running {
            running.group.ask_to_end();
            let _ = timeout(END_LIMIT, running.group.ended()).await;
        }
        self.kill().await;
    }

    /// Stops it where it stands: its connections stay, and nothing is answered.
    pub fn pause(&self) -> Result<(), ProcessError> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<(), ProcessError> {
        self.signal(Signal::CONT)
    }

    /// Its number, while it is not down.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.group.pid)
    }

    /// Fails if it has ended, or is down.
    pub async fn ensure_alive(&mut self) -> Result<(), ProcessError> {
        let name = self.invocation.name.clone();
        let Some(running) = &mut self.running else { return Err(ProcessError::Down { name }) };
        if !running.group.has_ended() {
            return Ok(());
        }
        // What it started goes with it.
        let status = running.group.kill().await;
        let status = status.map_err(|source| ProcessError::Spawn { name: name.clone(), source })?;
        let said = running.output.last_words().await;
        Err(ProcessError::Ended { name, status: status.to_string(), said })
    }

    /// What happens when this program is killed.
    #[cfg(test)]
    pub(in crate::testbed) fn lose_guard(&mut self) {
        let guard = self.running.as_mut().and_then(|running| running.group.guard.as_mut());
        drop(guard.and_then(|guard| guard.stdin.take()));
    }

    fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        let name = || self.invocation.name.clone();
        let running = self.running.as_ref().ok_or_else(|| ProcessError::Down { name: name() })?;
        if running.group.has_ended() {
            return Err(ProcessError::Over { name: name() });
        }
        running.group.signal(signal);
        Ok(())
    }
}

async fn begin(invocation: &Invocation) -> Result<Running, ProcessError> {
    let name = || invocation.name.clone();
    let failed = |source| ProcessError::Spawn { name: name(), source };
    let mut child = invocation.spawn()?;
    let mut output = invocation.ready.listen(&mut child);
    let mut group = Group::led_by(child).map_err(failed)?;
    if invocation.told.is_none() {
        group.guard().map_err(failed)?;
    }
    let beginning = async {
        if let Some(told) = &invocation.told {
            // One that ends before it has read its line tells why by itself.
            let _ = told.tell(&mut group.child).await;
        }
        invocation.ready.wait(&mut group, &output).await
    };
    let is_in_time = match timeout(START_LIMIT, beginning).await {
        Ok(true) => return Ok(Running { group, output }),
        Ok(false) => true,
        Err(_) => false,
    };
    if is_in_time {
        // It may be about to say why.
        let _ = timeout(LAST_WORDS_LIMIT, group.ended()).await;
    }
    // What it started holds its streams open, which are read to their ends.
    let _ = group.kill().await;
    let said = output.last_words().await;
    if is_in_time {
        Err(ProcessError::NotReady { name: name(), said })
    } else {
        Err(ProcessError::TooLate { name: name(), ready: invocation.ready.clone(), said })
    }
}

/// How long a process may take to end that was asked to.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How long a process that failed may take to say why.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);
