//! The facts that are judged: read from the system in about a second, or measured with the generator itself in about ten.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::load::{self, Engine};
use crate::observation::{Conditions, Cores, Distribution, Environment};
use crate::plan::Placement;
use crate::run;
use crate::selftest::{Bench, Ceiling, Noise, SelftestError, Waking};
use crate::testbed::machine::kernel;
use crate::testbed::machine::{FileLimit, Watch};
use crate::testbed::machine::{available_cores, environment, free_space, open_file_limit};
use crate::units::Stamp;

/// Where reports go unless `--out` says otherwise.
const REPORTS: &str = "reports";

/// How long the machine is watched: long enough for 100 ticks of steal time per core.
const LOOK: Duration = Duration::from_secs(1);

/// What was found. `None` is what the system does not tell.
#[derive(Clone, Debug)]
pub(super) struct MachineFacts {
    /// The machine, the program, and who would run on which cores.
    pub(super) environment: Environment,
    /// How many cores' worth of time this process gets; a container may give less than it shows.
    pub(super) parallelism: u32,
    /// The other logical cores on the generator's physical core.
    pub(super) generator_siblings: Vec<u32>,
    /// What reading the clock costs, and how fine it is.
    pub(super) clock: ClockFacts,
    /// Nanoseconds by which the generator's timer wakes it late: median and 99th percentile.
    pub(super) timer_error: Option<(u64, u64)>,
    /// How often a thread that never sleeps is kept from the generator's core.
    pub(super) noise: Noise,
    /// What a send costs that wakes a server.
    pub(super) waking: Waking,
    /// What the generator can do, by engine.
    pub(super) ceilings: Vec<Ceiling>,
    /// Pressure and steal during the look.
    pub(super) conditions: Conditions,
    /// Tasks that ran or wanted to, averaged over a minute.
    pub(super) load_average: Option<f64>,
    /// How many files may be open.
    pub(super) files: FileLimit,
    /// How many ports outgoing connections can have.
    pub(super) ports: Option<usize>,
    /// Whether ports are given out again within a minute.
    pub(super) ports_are_reused: Option<bool>,
    /// Connections that can wait to be accepted.
    pub(super) accept_backlog: Option<u32>,
    /// Bytes of memory for new processes.
    pub(super) memory_available: Option<u64>,
    /// Bytes of disk in the folder of reports.
    pub(super) disk_free: Option<u64>,
    /// The frequency policies of the available cores, each once.
    pub(super) governors: Vec<String>,
}

/// How good `CLOCK_MONOTONIC` is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockFacts {
    /// Nanoseconds a reading takes.
    pub(super) read_nanos: f64,
    /// The smallest step seen between two readings, in nanoseconds.
    pub(super) step_nanos: u64,
}

/// What is measured with the generator itself.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// How late its timer wakes it.
    pub(super) timer_error: Distribution,
    /// What a thread on its core that spins meets.
    pub(super) noise: Noise,
    /// What a send from its core costs that wakes a server.
    pub(super) waking: Waking,
    /// The highest rate of each engine.
    pub(super) ceilings: Vec<Ceiling>,
}

/// A dozen steps of each of three engines take about ten seconds together.
const STEP: Duration = Duration::from_millis(300);

/// Loads this machine with the generator for about ten seconds.
pub(super) fn measure() -> Result<Measured, SelftestError> {
    let bench = Bench::default();
    let timer_error = load::timer_error().map_err(load::LoadError::Start)?;
    let noise = Noise::of(bench.generator_core(), LOOK);
    let waking = Waking::of(bench.generator_core(), bench.server_cores().first().copied());
    let waking = waking.map_err(SelftestError::Loopback)?;
    let ceilings =
        [Engine::Http1, Engine::Http2, Engine::Hyper].map(|engine| Ceiling::of(&bench, engine, STEP));
    Ok(Measured { timer_error, noise, waking, ceilings: ceilings.into_iter().collect::<Result<_, _>>()? })
}

/// Looks at the machine.
pub(super) fn look(measured: Measured) -> MachineFacts {
    let Measured { timer_error, noise, waking, ceilings } = measured;
    let cores = available_cores();
    let shared = run::cores(&Placement::on(&cores, 1));
    let mut governors: Vec<String> =
        cores.iter().filter_map(|core| kernel::frequency_governor(*core)).collect();
    governors.sort_unstable();
    governors.dedup();
    MachineFacts {
        // First, while the machine does nothing for this program.
        conditions: watch(),
        generator_siblings: siblings(&shared),
        environment: environment(shared),
        parallelism: thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        clock: clock(),
        timer_error: timer_error.quantile(0.5).zip(timer_error.quantile(0.99)),
        noise,
        waking,
        ceilings,
        load_average: kernel::load_average(),
        files: open_file_limit(),
        ports: kernel::ephemeral_ports().map(|ports| ports.len()),
        ports_are_reused: kernel::ports_are_reused(),
        accept_backlog: kernel::accept_backlog(),
        memory_available: kernel::memory_available(),
        disk_free: free_space(Path::new(REPORTS)).ok(),
        governors,
    }
}

fn watch() -> Conditions {
    let watch = Watch::begin();
    thread::sleep(LOOK);
    watch.end()
}

fn siblings(cores: &Cores) -> Vec<u32> {
    let mut siblings: Vec<u32> =
        cores.generator.iter().flat_map(|core| kernel::core_siblings(*core)).collect();
    siblings.retain(|core| !cores.generator.contains(core));
    siblings
}

/// The cheapest of 50 bursts of 1,000 readings: interruptions only ever make one dearer.
fn clock() -> ClockFacts {
    const READINGS: usize = 1_000;
    let burst = || (0..READINGS).map(|_| Stamp::now().nanos()).collect::<Vec<u64>>();
    let bursts: Vec<Vec<u64>> = (0..50).map(|_| burst()).collect();
    let length = |stamps: &Vec<u64>| stamps[READINGS - 1] - stamps[0];
    let steps = bursts.iter().flat_map(|stamps| stamps.windows(2).map(|pair| pair[1] - pair[0]));
    ClockFacts {
        read_nanos: bursts.iter().map(length).min().unwrap_or(0) as f64 / (READINGS - 1) as f64,
        step_nanos: steps.filter(|step| *step > 0).min().unwrap_or(u64::MAX),
    }
}
