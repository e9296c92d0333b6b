//! The table of signature schemes: who stands behind each, how it answers the vectors of its peers, what it takes.

use crate::analysis::{Analysis, Summary};
use crate::metric::Unit;
use crate::observation::{Conformance, Signature, Status};
use crate::report::cell::Cell;
use crate::report::columns::{Column, SIGNATURE_COLUMNS, filled, groups};

/// Every subject whose tokens are signed.
#[derive(Debug)]
pub(super) struct Schemes {
    pub(super) columns: Vec<&'static Column>,
    pub(super) groups: Vec<(&'static str, usize)>,
    pub(super) rows: Vec<SchemeRow>,
}

/// A subject in it.
#[derive(Debug)]
pub(super) struct SchemeRow {
    pub(super) name: String,
    /// Algorithm and library, and whether it withstands a quantum computer.
    pub(super) about: String,
    pub(super) status: String,
    /// True unless the implementation is known to decide wrongly.
    pub(super) trusted: bool,
    pub(super) conformance: String,
    /// Size of the key in a key set.
    pub(super) key: String,
    pub(super) cells: Vec<Cell>,
}

impl Schemes {
    /// Of the subjects of which anything is known.
    pub(super) fn of(analysis: &Analysis) -> Self {
        let columns = filled(SIGNATURE_COLUMNS, analysis);
        let known = |summary: &Summary| Some(row(summary, summary.subject.scheme.as_ref()?, &columns));
        let rows = analysis.subjects.iter().filter_map(known).collect();
        Self { groups: groups(&columns), rows, columns }
    }
}

fn row(summary: &Summary, scheme: &Signature, columns: &[&Column]) -> SchemeRow {
    let kind = match (scheme.post_quantum, scheme.status) {
        (_, Status::Control) => "",
        (true, _) => ", post-quantum",
        (false, _) => ", classical",
    };
    let alg =
        if summary.subject.name.contains(&scheme.alg) { String::new() } else { format!("{}, ", scheme.alg) };
    SchemeRow {
        name: summary.subject.name.clone(),
        about: format!("{alg}{}{kind}", scheme.library),
        status: status(scheme),
        trusted: scheme.is_trusted(),
        conformance: conformance(scheme),
        key: scheme
            .key_set_entry_bytes
            .map_or_else(|| "not published".to_owned(), |bytes| Unit::Bytes.show(bytes as f64)),
        cells: columns.iter().map(|column| Cell::of(summary, column.metric)).collect(),
    }
}

fn status(scheme: &Signature) -> String {
    match scheme.status {
        Status::Standard => scheme.source.clone(),
        Status::Draft => format!("draft: {}", scheme.source),
        Status::Superseded => format!("superseded: {}", scheme.source),
        Status::Control => "control".to_owned(),
    }
}

/// A control has nothing to conform to.
fn conformance(scheme: &Signature) -> String {
    match (scheme.status, scheme.conformance) {
        (Status::Control, Conformance::Unverified) => "–".to_owned(),
        _ => scheme.conformance_in_words.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn every_signed_subject_has_a_row_and_opaque_ones_have_none() {
        let schemes = Schemes::of(&analyse(&synthetic::recordings()));
        let names: Vec<_> = schemes.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["jwt ES256", "jwt ML-DSA-65"]);
        assert!(schemes.rows[1].about.contains("aws-lc-rs, post-quantum"));
        assert!(schemes.rows.iter().all(|row| row.trusted && row.cells.len() == SIGNATURE_COLUMNS.len()));
    }
}
