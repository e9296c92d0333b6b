//! Facts of the Linux host, and the limits that a trial depends on.

mod cores;
mod host;
mod hypervisor;
pub mod kernel;
mod limits;
mod process_table;
mod quota;
mod tree;
mod usage;
mod watch;

pub use cores::{PinError, available_cores, on_cores, pin_thread};
pub use host::environment;
pub use limits::{
    DiskFull, FileLimit, TooFewFiles, ensure_free_space, ensure_open_files, free_space, open_file_limit,
};
pub use process_table::{ProcessId, descendants, has_ended, relatives};
pub use quota::has_cpu_quota;
pub use tree::ProcessTree;
pub use usage::{ProcessUsage, process_usage};
pub use watch::Watch;
