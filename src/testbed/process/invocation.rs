//! How a program is started: with what, where, and when it is ready.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{Access, access};
use tokio::process::{Child, Command};

use crate::testbed::machine;
use crate::testbed::process::{ProcessError, Ready, Told};

/// A program and all that it is started with, as often as it is.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// What messages call it.
    pub name: String,
    /// A path, or a name that is looked for where a shell would, and where Debian keeps servers.
    pub program: PathBuf,
    /// The package of Debian that has the program.
    pub package: Option<&'static str>,
    /// What is said behind the program.
    pub arguments: Vec<OsString>,
    /// What is set beside the environment of this program.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it runs, if not where this program does.
    pub folder: Option<PathBuf>,
    /// The cores that it may use; all of this thread's if there is none.
    pub cores: Vec<u32>,
    /// The line that one of our own processes is told, which ends with its standard input. Any other program has none: the kernel kills
    /// it, and it alone, when the thread ends that started it, and a guard beside it kills its process group when this program ends.
    pub told: Option<Told>,
    /// By what it is known to be ready.
    pub ready: Ready,
}

impl Invocation {
    /// `program` by itself.
    pub fn of(name: &str, program: impl Into<PathBuf>, ready: Ready) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            package: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
            cores: Vec::new(),
            told: None,
            ready,
        }
    }

    /// Starts it at the head of a process group of its own: an interrupt from the keyboard is for this program, which ends it.
    ///
    /// A program of others is started through `setpriv`, which the kernel then turns into it: the wish to be killed when the parent
    /// ends outlives that, so that a run which is killed does not leave it behind. (Setting it between fork and exec is unsafe code.) Its
    /// children do not inherit that wish: a guard kills them.
    pub(super) fn spawn(&self) -> Result<Child, ProcessError> {
        let program = self.find(&self.program, self.package)?;
        let mut command = if self.told.is_some() {
            Command::new(program)
        } else {
            let mut command = Command::new(self.find(Path::new("setpriv"), Some("util-linux"))?);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        };
        command.args(&self.arguments).envs(self.environment.iter().map(|(key, value)| (key, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
            .stdin(if self.told.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        machine::on_cores(&self.cores, || command.spawn())
            .map_err(|source| ProcessError::Cores { name: self.name.clone(), source })?
            .map_err(|source| ProcessError::Spawn { name: self.name.clone(), source })
    }

    fn find(&self, program: &Path, package: Option<&'static str>) -> Result<PathBuf, ProcessError> {
        find(program).ok_or_else(|| ProcessError::NotInstalled {
            name: self.name.clone(),
            program: program.to_owned(),
            package,
        })
    }
}

/// Where servers lie that are not in everybody's `PATH`.
pub(in crate::testbed) const ALSO: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The program that a shell would start; `None` where there is none.
fn find(program: &Path) -> Option<PathBuf> {
    let can_run = |path: &PathBuf| runnable(path);
    if program.components().count() > 1 {
        return Some(program.to_owned()).filter(can_run);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(ALSO.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(can_run)
}

/// Whether this is a program that may be started.
pub(in crate::testbed) fn runnable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
