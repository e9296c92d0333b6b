//! One run of every case by gungraun, as numbers by name.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::registry::Part;
use serde::Deserialize;

use crate::cases::gated;

/// Instructions by name of the case.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What is read of the line that gungraun writes for each case (its summary schema, version 7).
#[derive(Deserialize)]
struct Summary {
    function_name: String,
    id: String,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    metrics: BTreeMap<String, serde_json::Value>,
}

/// Counts everything once. This program starts itself, since gungraun takes over the process it runs in.
pub(crate) fn take() -> anyhow::Result<Counts> {
    let mut gungraun = Command::new(env::current_exe()?);
    gungraun.args(["--bench", "--output-format=json", "--parallel=auto"]);
    let output = gungraun.stderr(Stdio::piped()).output().context("this program cannot start itself")?;
    if !output.status.success() {
        bail!("gungraun ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("gungraun wrote something that is no text")?;
    let mut counts = Counts::new();
    for line in text.lines() {
        let summary: Summary = serde_json::from_str(line).context("unknown form of gungraun's summary")?;
        counts.insert(name(&summary)?, instructions(&summary)?);
    }
    add_overheads(&mut counts);
    Ok(counts)
}

/// Cases have an index only, as `of_3`: the position in the list that they came from.
fn name(summary: &Summary) -> anyhow::Result<String> {
    let variants = gated();
    let index = summary.id.strip_prefix("of_").and_then(|index| index.parse::<usize>().ok());
    let variant: Option<&Part<dyn SignatureScheme>> = index.and_then(|index| variants.get(index));
    let variant = variant.with_context(|| format!("gungraun ran the unknown case {:?}", summary.id))?;
    Ok(format!("{} {variant}", summary.function_name))
}

/// The metric is `{"Ir":{"values":{"new":1234}}}`, with an `old` where there was a run before.
fn instructions(summary: &Summary) -> anyhow::Result<u64> {
    let metric = summary.profiles.first().and_then(|profile| profile.data.total.metrics.get("Ir"));
    let count = metric.and_then(|metric| metric.pointer("/values/new")).and_then(serde_json::Value::as_u64);
    count.with_context(|| format!("unknown form of gungraun's metric for {}", summary.function_name))
}

/// What the path adds to the bare verification.
fn add_overheads(counts: &mut Counts) {
    let overheads: Vec<_> = gated()
        .iter()
        .filter_map(|variant| {
            let whole = counts.get(&format!("whole {variant}"))?;
            let bare = counts.get(&format!("verify {variant}"))?;
            Some((format!("overhead {variant}"), whole.saturating_sub(*bare)))
        })
        .collect();
    counts.extend(overheads);
}
