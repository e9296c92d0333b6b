//! The machine and the program, as a recording keeps them.

use crate::observation::{Cores, Environment};
use crate::testbed::machine::available_cores;
use crate::testbed::machine::hypervisor::hypervisor;
use crate::testbed::machine::kernel::{clock_source, memory_total, text};

/// What a reader must know about this machine and this program; `unknown` where the system does not tell.
pub fn environment(cores: Cores) -> Environment {
    let cpuinfo = text("/proc/cpuinfo").unwrap_or_default();
    let unknown = || "unknown".to_owned();
    Environment {
        bearerbench: env!("CARGO_PKG_VERSION").to_owned(),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        target_features: target_features(),
        compiler: env!("BEARERBENCH_RUSTC").to_owned(),
        commit: option_env!("BEARERBENCH_COMMIT").map(str::to_owned),
        libraries: env!("BEARERBENCH_LIBRARIES").to_owned(),
        os: operating_system(
            text("/etc/os-release").as_deref(),
            text("/proc/sys/kernel/osrelease").as_deref(),
        ),
        cpu: cpu_model(&cpuinfo).unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH)),
        cores_available: u32::try_from(available_cores().len()).expect("a mask has 1,024 bits"),
        memory_bytes: memory_total().unwrap_or(0),
        hypervisor: hypervisor(&cpuinfo),
        clock_source: clock_source().unwrap_or_else(unknown),
        cores,
    }
}

/// The instruction sets among those that matter to signatures, parsing and base64 which the compiler
/// was told it may use. The C and assembly of the signatures chooses for itself at run time.
fn target_features() -> Vec<String> {
    macro_rules! compiled_for {
        ($($feature:literal),*) => {
            [$(($feature, cfg!(target_feature = $feature))),*]
        };
    }
    compiled_for!(
        "sse3",
        "ssse3",
        "sse4.1",
        "sse4.2",
        "popcnt",
        "avx",
        "avx2",
        "fma",
        "bmi1",
        "bmi2",
        "aes",
        "sha",
        "pclmulqdq",
        "vaes",
        "vpclmulqdq",
        "gfni",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512vbmi",
        "avx512ifma",
        "sha2",
        "sha3",
        "sve",
        "sve2"
    )
    .into_iter()
    .filter(|(_, compiled_for)| *compiled_for)
    .map(|(feature, _)| feature.to_owned())
    .collect()
}

/// The distribution's name for itself and the release of the kernel.
fn operating_system(os_release: Option<&str>, kernel: Option<&str>) -> String {
    let name = os_release
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")))
        .map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    kernel.map_or_else(|| name.to_owned(), |release| format!("{name}, kernel {release}"))
}

/// The processor's name for itself; arm64 has none.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_by_distribution_and_kernel() {
        let os_release = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            operating_system(Some(os_release), Some("6.1.0")),
            "Debian GNU/Linux 12 (bookworm), kernel 6.1.0"
        );
        assert_eq!(operating_system(None, Some("6.1.0")), "linux, kernel 6.1.0");
    }

    #[test]
    fn the_processor_is_named_as_it_names_itself() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 207\nmodel name\t: Intel(R) Xeon(R) Processor\n";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Intel(R) Xeon(R) Processor"));
        assert_eq!(cpu_model("processor\t: 0\nBogoMIPS\t: 50.00\n"), None);
    }

    #[test]
    fn this_machine_has_every_fact_and_keeps_the_cores_it_was_told() {
        let cores = Cores { generator: vec![1], servers: vec![0] };
        let environment = environment(cores.clone());
        assert_eq!(environment.cores, cores);
        assert!(environment.cores_available >= 1);
        assert!(environment.memory_bytes > 0);
        assert!(environment.os.contains("kernel"));
        assert_eq!(environment.build == "debug", cfg!(debug_assertions));
    }

    #[test]
    fn what_decides_fetches_and_keeps_tokens_is_told_with_its_version() {
        let libraries = environment(Cores { generator: vec![1], servers: vec![0] }).libraries;
        let told: Vec<_> = libraries.split(", ").filter_map(|library| library.split_once(' ')).collect();
        // An HTTP server of each kind, a cache, a filter, a compressed list, a token and signatures.
        for name in ["hyper", "axum", "h2", "moka", "xorf", "flate2", "serde_json", "aws-lc-rs", "ml-dsa"] {
            let version = told.iter().find(|(told, _)| *told == name).map(|(_, version)| *version);
            assert!(version.is_some_and(|version| version.contains('.')), "{name} in {libraries}");
        }
    }
}
