//! How many resource servers shared the load, in words: as many for every subject, or a number of its own for each.

use crate::analysis::Summary;

/// The number, or the least and the most: `"2"`, `"1 to 16"`.
pub(super) fn number(subjects: &[Summary]) -> String {
    let numbers = || subjects.iter().map(|summary| summary.resource_servers);
    match (numbers().min().unwrap_or(1), numbers().max().unwrap_or(1)) {
        (least, most) if least == most => most.to_string(),
        (least, most) => format!("{least} to {most}"),
    }
}

/// The same with its noun.
pub(super) fn counted(subjects: &[Summary]) -> String {
    let number = number(subjects);
    let noun = if number == "1" { "resource server" } else { "resource servers" };
    format!("{number} {noun}")
}

/// Whether subjects have numbers of their own.
pub(super) fn differ(subjects: &[Summary]) -> bool {
    let mut pairs = subjects.windows(2);
    pairs.any(|pair| pair[0].resource_servers != pair[1].resource_servers)
}

/// Which subject had how many, where they differ.
pub(super) fn by_subject(subjects: &[Summary]) -> Option<String> {
    let each =
        subjects.iter().map(|summary| format!("{}: {}", summary.subject.name, summary.resource_servers));
    differ(subjects).then(|| {
        let each = each.collect::<Vec<_>>().join("; ");
        format!("{each}; each had the same requests, due at the same instants")
    })
}

/// How often a token under revocation test was asked for.
pub(super) fn probed(subjects: &[Summary]) -> String {
    let rates =
        |summary: &Summary| (summary.probe_rate, summary.probe_rate * f64::from(summary.resource_servers));
    let (each, all) = subjects.first().map_or((0.0, 0.0), rates);
    if differ(subjects) {
        format!("{} times a second, spread over the resource servers of the subject", rounded(all))
    } else {
        format!("{} times a second to each resource server", rounded(each))
    }
}

/// Without the digits that a third has.
fn rounded(rate: f64) -> String {
    ((rate * 1e3).round() / 1e3).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn subjects_with_a_number_of_their_own_are_told_apart_and_others_share_it() {
        let mut recordings = synthetic::recordings();
        let subjects = analyse(&recordings).subjects;
        assert_eq!((counted(&subjects).as_str(), by_subject(&subjects)), ("2 resource servers", None));
        assert_eq!(probed(&subjects), "10 times a second to each resource server");
        let workload = &mut recordings[2].workload;
        (workload.resource_servers, workload.probe_rate) = (6, 10.0 / 3.0);
        let subjects = analyse(&recordings).subjects;
        assert_eq!(counted(&subjects), "2 to 6 resource servers");
        let told = by_subject(&subjects).unwrap();
        assert!(told.starts_with(&format!("{}: 2; ", subjects[0].subject.name)), "{told}");
        assert!(told.contains(&format!("{}: 6; ", subjects[2].subject.name)), "{told}");
        assert_eq!(probed(&subjects), "20 times a second, spread over the resource servers of the subject");
    }
}
