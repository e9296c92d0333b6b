//! The files of a report, each written beside its place and moved there when it is whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::analysis::Analysis;
use crate::observation::Recording;
use crate::report::exports::{Export, exports};
use crate::report::{charts, json, page};

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path:?}; choose a folder that you may write to with --out, with room for a megabyte", path = .path)]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Writes `summary.json`, `report.html`, `report.md`, `charts/*.svg`, and the histograms of every subject as `*.hlog`
/// and `*.hgrm` into `folder`, which is made if need be. `analysis` is that of `recordings`.
///
/// A reader sees the old file or the new one, never a part of one.
pub fn write(folder: &Path, analysis: &Analysis, recordings: &[Recording]) -> Result<(), WriteError> {
    let charts = charts::draw(analysis);
    let pictures = folder.join("charts");
    fs::create_dir_all(&pictures).map_err(|source| WriteError { path: pictures.clone(), source })?;
    for chart in &charts {
        replace(&pictures.join(format!("{}.svg", chart.name)), &chart.standalone())?;
    }
    for Export { name, text } in exports(recordings) {
        replace(&folder.join(name), &text)?;
    }
    replace(&folder.join("summary.json"), &json::to_json(analysis))?;
    replace(&folder.join("report.md"), &page::markdown(analysis, &charts))?;
    replace(&folder.join("report.html"), &page::html(analysis, &charts))
}

fn replace(path: &Path, text: &str) -> Result<(), WriteError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    let draft = PathBuf::from(draft);
    fs::write(&draft, text)
        .and_then(|()| fs::rename(&draft, path))
        .map_err(|source| WriteError { path: path.to_owned(), source })
}
