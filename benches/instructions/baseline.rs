//! The stored counts, and where they were taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::counts::Counts;
use crate::environment::Environment;

const HEAD: &str = "\
# Instructions as callgrind counts them. Written by `cargo bench --bench instructions -- update`, never by hand.
# `overhead` is `whole` without `verify`: what our own code adds to the library's.
";

/// Runs differ by no more than this, in percent, or the count is not compared. Verifying and deterministic signing
/// repeat to the last instruction; ECDSA, which draws its nonce, to 0.1 %; rejection sampling varies by half.
const REPEATABLE_PERCENT: f64 = 0.25;

/// Counts that later ones are held to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// Where they were taken.
    pub(crate) environment: Environment,
    /// The libraries that were counted, to explain a difference: an update of one is what the gate is to notice.
    pub(crate) libraries: BTreeMap<String, String>,
    /// By name of the case.
    pub(crate) instructions: Counts,
    /// Cases that are not compared, with the percentage by which they varied: signers draw random numbers, and some
    /// start again until a signature is small enough.
    pub(crate) unrepeatable: BTreeMap<String, f64>,
}

impl Baseline {
    /// Sorts the cases of several runs into those that repeat and those that do not.
    pub(crate) fn of(environment: Environment, runs: &[Counts]) -> anyhow::Result<Self> {
        let mut baseline = Self {
            environment,
            libraries: libraries()?,
            instructions: Counts::new(),
            unrepeatable: BTreeMap::new(),
        };
        for name in runs.iter().flat_map(Counts::keys) {
            let counts = || runs.iter().filter_map(|run| run.get(name).copied());
            let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
            let percent = percent(least, most);
            if percent <= REPEATABLE_PERCENT {
                baseline.instructions.insert(name.clone(), most);
            } else {
                baseline.unrepeatable.insert(name.clone(), (percent * 100.0).round() / 100.0);
            }
        }
        Ok(baseline)
    }

    pub(crate) fn read() -> anyhow::Result<Self> {
        let path = path();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    pub(crate) fn write(&self) -> anyhow::Result<PathBuf> {
        let path = path();
        let text = format!("{HEAD}\n{}", toml::to_string(self)?);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// By how many percent `after` is more than `before`.
pub(crate) fn percent(before: u64, after: u64) -> f64 {
    if before == after { 0.0 } else { (after as f64 / before as f64 - 1.0) * 100.0 }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/baseline.toml")
}

/// The packages that `Cargo.lock` names and that a token passes through.
pub(crate) fn libraries() -> anyhow::Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        source: Option<String>,
    }
    let counted = [
        "aws-lc-",
        "base64-simd",
        "ed25519-dalek",
        "fips20",
        "fn-dsa",
        "hmac",
        "jsonwebtoken",
        "libcrux-ml-dsa",
        "ml-dsa",
        "p256",
        "p384",
        "pqcrypto-",
        "rsa",
        "serde_json",
        "sha2",
        "slh-dsa",
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock: Lock = toml::from_str(&fs::read_to_string(&path).context("cannot read Cargo.lock")?)?;
    let packages = lock.package.into_iter().filter(|package| package.source.is_some());
    let packages = packages.filter(|package| counted.iter().any(|name| package.name.starts_with(name)));
    let mut versions = BTreeMap::<String, Vec<String>>::new();
    for package in packages {
        versions.entry(package.name).or_default().push(package.version);
    }
    Ok(versions.into_iter().map(|(name, versions)| (name, versions.join(" and "))).collect())
}
