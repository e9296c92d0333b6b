//! What beside our own code a count depends on.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

/// The argument that makes this program write what it sees of the processor.
pub(crate) const FEATURES: &str = "features";

/// Where counts were taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// Compiles our code and every Rust library.
    pub(crate) rustc: String,
    /// Emulates a processor of its own; its version decides which one.
    pub(crate) valgrind: String,
    /// What programs see of that processor: libraries choose their code by it.
    pub(crate) processor: String,
    /// Compiles aws-lc and the other libraries in C.
    pub(crate) compiler: String,
    /// Allocates and copies.
    pub(crate) libc: String,
}

impl Environment {
    /// Of this machine.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let program = env::current_exe()?;
        let program = program.to_str().context("the path of this program is no text")?;
        Ok(Self {
            rustc: first_line("rustc", &["--version"])?,
            valgrind: first_line("valgrind", &["--version"])?,
            processor: first_line("valgrind", &["--tool=none", "--quiet", program, FEATURES])?,
            compiler: first_line("cc", &["--version"])?,
            libc: first_line("getconf", &["GNU_LIBC_VERSION"])?,
        })
    }

    /// Each thing that is otherwise than in `other`.
    pub(crate) fn differences(&self, other: &Self) -> BTreeMap<&'static str, (String, String)> {
        let pairs = [
            ("rustc", &self.rustc, &other.rustc),
            ("valgrind", &self.valgrind, &other.valgrind),
            ("processor", &self.processor, &other.processor),
            ("compiler", &self.compiler, &other.compiler),
            ("libc", &self.libc, &other.libc),
        ];
        let pairs = pairs.into_iter().filter(|(_, one, another)| one != another);
        pairs.map(|(name, one, another)| (name, (one.clone(), another.clone()))).collect()
    }

    /// Whether counts of Rust code can be compared although those of C cannot.
    pub(crate) fn compiles_rust_alike(&self, other: &Self) -> bool {
        self.rustc == other.rustc && self.valgrind == other.valgrind && self.processor == other.processor
    }
}

fn first_line(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} cannot be started; is it installed?"))?;
    if !output.status.success() {
        bail!("{program} {} ended with {}", arguments.join(" "), output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Writes the features of the processor that the signatures' code looks at. Under valgrind these are not the machine's.
pub(crate) fn write_features(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    writeln!(out, "{}{}", env::consts::ARCH, features())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(target_arch = "x86_64")]
fn features() -> String {
    macro_rules! detected {
        ($($feature:tt)*) => {
            [$(($feature, std::arch::is_x86_feature_detected!($feature))),*]
        };
    }
    let all = detected!("ssse3" "sse4.1" "avx" "avx2" "avx512f" "bmi1" "bmi2" "adx" "aes" "pclmulqdq" "sha"
        "popcnt" "movbe" "rdrand" "rdseed");
    all.iter().filter(|(_, there)| *there).fold(String::new(), |text, (name, _)| text + " " + name)
}

/// Other processors are told apart by their architecture only.
#[cfg(not(target_arch = "x86_64"))]
fn features() -> String {
    String::new()
}
