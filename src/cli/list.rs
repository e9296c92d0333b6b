//! `bearerbench list`: every name that a scenario can use.

use std::borrow::Cow;
use std::fmt::Write as _;

use clap::Args;

use crate::arrival::ARRIVAL_PROCESSES;
use crate::auth::architecture::ARCHITECTURES;
use crate::auth::sender::SENDER_CONSTRAINTS;
use crate::auth::store::STORES;
use crate::auth::token::signature::SIGNATURE_SCHEMES;
use crate::cli::{Exit, output};
use crate::metric::MetricId;
use crate::registry::Registry;
use crate::reuse::REUSE_LAWS;
use crate::service::SERVICES;

/// List architectures, signature schemes, stores, services, sender constraints, arrival processes, token reuse laws and metrics
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A heading and the names under it with their one-line summaries.
struct Section {
    role: &'static str,
    rows: Vec<(String, Cow<'static, str>)>,
}

impl List {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let sections = [
            section(&ARCHITECTURES),
            section(&SIGNATURE_SCHEMES),
            section(&STORES),
            section(&SERVICES),
            section(&SENDER_CONSTRAINTS),
            section(&ARRIVAL_PROCESSES),
            section(&REUSE_LAWS),
            Section {
                role: "metric",
                rows: MetricId::ALL.iter().map(|metric| (metric.to_string(), metric.meaning())).collect(),
            },
        ];
        output::print(&if self.json { json(&sections) } else { text(&sections) })?;
        Ok(Exit::Success)
    }
}

fn section<T: ?Sized>(registry: &Registry<T>) -> Section {
    let rows = registry.entries.iter().map(|entry| (entry.name.to_owned(), entry.summary.into()));
    Section { role: registry.role, rows: rows.collect() }
}

fn text(sections: &[Section]) -> String {
    let names = sections.iter().flat_map(|section| &section.rows);
    let width = names.map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for section in sections {
        writeln!(text, "{}", section.role).expect("a string takes every text");
        for (name, summary) in &section.rows {
            writeln!(text, "  {name:width$}  {summary}").expect("a string takes every text");
        }
    }
    text
}

fn json(sections: &[Section]) -> String {
    let sections = sections.iter().map(|section| {
        let rows = section.rows.iter();
        let rows = rows.map(|(name, summary)| serde_json::json!({ "name": name, "summary": summary }));
        (section.role.to_owned(), rows.collect())
    });
    serde_json::Value::Object(sections.collect()).to_string()
}
