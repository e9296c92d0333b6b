//! The machine and the program that a recording comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a reader must know to judge a figure: figures of different machines must not be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Version of bearerbench.
    pub bearerbench: String,
    /// `release` or `debug`; figures of a debug build mean nothing.
    pub build: String,
    /// Instruction sets the program was compiled for beyond the architecture's baseline.
    pub target_features: Vec<String>,
    /// The compiler.
    pub compiler: String,
    /// The commit it was built from, `-dirty` with changes on top; absent outside a checkout.
    pub commit: Option<String>,
    /// The libraries that can move a figure, with their versions.
    pub libraries: String,
    /// Operating system and its version.
    pub os: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Cores this process may use.
    pub cores_available: u32,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// The hypervisor, if there is one.
    pub hypervisor: Option<String>,
    /// The kernel's clock source.
    pub clock_source: String,
    /// Which process ran where.
    pub cores: Cores,
}

/// Which cores were given to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cores {
    /// The load generator's thread.
    pub generator: Vec<u32>,
    /// Every server.
    pub servers: Vec<u32>,
}

/// What else the machine did during a trial, or while signatures were timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Share of the time in which a task waited for a core (`some` of `/proc/pressure/cpu`), in percent; absent where the kernel does not
    /// tell. Before version 4 its average of the last 10 s. Where cores were watched for gaps it means nothing: who watches waits.
    pub cpu_pressure_percent: Option<f64>,
    /// CPU time stolen by the hypervisor meanwhile (during the load with warm-up and drain, or the timing), in percent of all cores.
    pub steal_percent: Option<f64>,
}
