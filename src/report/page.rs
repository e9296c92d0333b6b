//! What the HTML and the Markdown report say: one set of words and numbers for both.

use std::slice;

use askama::Template;

use crate::analysis::{Analysis, Summary};
use crate::report::breakdown::{ClassRow, PartRow, class_rows, part_rows};
use crate::report::cell::Cell;
use crate::report::charts::{self, Chart};
use crate::report::columns::{COLUMNS, Column, filled, groups};
use crate::report::conditions::{about, conditions, is_external, reach};
use crate::report::findings::names::MANY;
use crate::report::findings::{TopicFinding, findings};
use crate::report::glossary::GLOSSARY;
use crate::report::header_limits::{LimitRow, limit_rows};
use crate::report::markdown::filters;
use crate::report::nodes::{NodeRow, node_rows};
use crate::report::phases::{PhaseRow, about_phases, phase_rows};
use crate::report::popularity::{TenthRow, tenth_rows};
use crate::report::revocation_limits::{
    self, ABOUT, HEADINGS, LimitAnswer, PHONE_HEADINGS, RevocationLimit, limit_answers, revocation_limits,
};
use crate::report::schemes::Schemes;
use crate::report::servers;
use crate::report::steps::{StepRow, step_rows};
use crate::report::together::together;
use crate::report::trust::{Doubt, VerdictBox, doubts, mark};
use crate::report::undisturbed::{AllRow, all_rows};
use crate::report::verdicts::{CheckRow, Limit, VerdictRow, held, limits};
use crate::report::winners::{self, ContenderRow, contender_rows, left_out};

/// The report as one HTML file that needs nothing else.
pub(super) fn html(analysis: &Analysis, charts: &[Chart]) -> String {
    Html { page: &Page::of(analysis), charts, style: charts::style() }
        .render()
        .expect("a text takes any page")
}

/// The report as Markdown, with links to the charts beside it.
pub(super) fn markdown(analysis: &Analysis, charts: &[Chart]) -> String {
    Markdown { page: &Page::of(analysis), charts }.render().expect("a text takes any page")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    page: &'a Page,
    charts: &'a [Chart],
    style: String,
}

#[derive(Template)]
#[template(path = "report.md")]
struct Markdown<'a> {
    page: &'a Page,
    charts: &'a [Chart],
}

struct Page {
    scenario: String,
    question: String,
    about: String,
    trust: VerdictBox,
    doubts: Vec<Doubt>,
    /// What is only good to know: it folds.
    notes: Vec<Doubt>,
    thresholds: Vec<VerdictRow>,
    limited: Vec<String>,
    limits: Vec<Limit>,
    /// The thresholds that hold, in a line.
    held: Option<String>,
    /// How many were not shown to hold.
    crossed: usize,
    /// What the figures of all requests are, disturbed ones included.
    all_requests: Vec<AllRow>,
    reach: String,
    /// Where subjects are many, which of them meet a limit on how long a revoked token works.
    revocation_limits: Vec<RevocationLimit>,
    limit_answers: Vec<LimitAnswer>,
    limit_headings: [&'static str; 6],
    limit_headings_on_a_phone: [&'static str; 6],
    about_limits: &'static str,
    /// What was measured while servers were disturbed, and beside that.
    phases: Vec<PhaseRow>,
    about_phases: String,
    findings: Vec<TopicFinding>,
    basis: &'static str,
    columns: Vec<&'static Column>,
    groups: Vec<(&'static str, usize)>,
    rows: Vec<Row>,
    /// True if the server is somebody else's: the report then says nothing of the test bed.
    external: bool,
    /// True if subjects are too many to stand side by side.
    many: bool,
    schemes: Schemes,
    steps: Vec<StepRow>,
    parts: Vec<PartRow>,
    nodes: Vec<NodeRow>,
    classes: Vec<ClassRow>,
    /// What the picture of winners is made of.
    contenders: Vec<ContenderRow>,
    contender_headings: [&'static str; 4],
    /// Who is not in it.
    left_out: Vec<String>,
    tenths: Vec<TenthRow>,
    checks: Vec<CheckRow>,
    /// How many checks contradict the theory.
    contradictions: usize,
    header_limits: Vec<LimitRow>,
    conditions: Vec<(&'static str, String)>,
    glossary: &'static [(&'static str, &'static str)],
}

/// A subject in the table.
struct Row {
    name: String,
    about: String,
    /// False if its implementation is known to decide wrongly.
    trusted: bool,
    /// The verdict on its figures, unless they are valid.
    mark: Option<&'static str>,
    cells: Vec<Cell>,
}

impl Page {
    /// Whether what a reader came for would begin below all reasons to doubt it: they fold then, unless one of them makes the figures worthless.
    fn folds_doubts(&self) -> bool {
        !self.revocation_limits.is_empty() && self.doubts.iter().all(|doubt| doubt.class != "unfit")
    }

    fn of(analysis: &Analysis) -> Self {
        let several = analysis.subjects.iter().any(|summary| summary.trials > 1);
        let own_servers = servers::differ(&analysis.subjects);
        let (limited, limits) = limits(&analysis.thresholds);
        let columns = filled(COLUMNS, analysis);
        let (notes, doubts) = doubts(analysis).into_iter().partition(|doubt| doubt.class == "note");
        let checks = || {
            analysis
                .subjects
                .iter()
                .flat_map(|summary| summary.checks.iter().map(move |check| (summary, check)))
        };
        Self {
            limited,
            limits,
            held: held(&analysis.thresholds),
            crossed: analysis.thresholds.iter().filter(|verdict| verdict.is_crossed()).count(),
            all_requests: all_rows(analysis),
            reach: reach(analysis),
            scenario: analysis.scenario.name.clone(),
            question: together(&analysis.scenario.question),
            about: about(analysis),
            trust: VerdictBox::of(analysis),
            doubts,
            notes,
            thresholds: analysis.thresholds.iter().map(VerdictRow::of).collect(),
            revocation_limits: revocation_limits(analysis),
            limit_answers: limit_answers(analysis),
            limit_headings: HEADINGS,
            limit_headings_on_a_phone: PHONE_HEADINGS,
            about_limits: ABOUT,
            phases: phase_rows(analysis),
            about_phases: about_phases(analysis),
            findings: unsaid(analysis),
            basis: if several {
                "Below a value stands its 95 % interval across the rounds; differences are taken within each."
            } else {
                "Each subject ran once: the 95 % interval below a value tells how much it moved within this run \
                 only, not how much another run would differ."
            },
            groups: groups(&columns),
            rows: analysis.subjects.iter().map(|summary| Row::of(summary, &columns, own_servers)).collect(),
            columns,
            external: is_external(analysis),
            many: analysis.subjects.len() > MANY,
            schemes: Schemes::of(analysis),
            steps: step_rows(analysis),
            parts: part_rows(analysis),
            nodes: node_rows(analysis),
            classes: class_rows(analysis),
            contenders: contender_rows(analysis),
            contender_headings: winners::HEADINGS,
            left_out: left_out(analysis),
            tenths: tenth_rows(analysis),
            checks: checks().map(|(summary, check)| CheckRow::of(summary, check)).collect(),
            contradictions: checks().filter(|(_, check)| check.agreement.is_contradiction()).count(),
            header_limits: limit_rows(analysis),
            conditions: conditions(analysis),
            glossary: GLOSSARY,
        }
    }
}

/// What was found, without what stands above the table of limits already.
fn unsaid(analysis: &Analysis) -> Vec<TopicFinding> {
    let said = revocation_limits::sentence(analysis);
    let rest = |finding: TopicFinding| {
        let rest = said.as_deref().and_then(|said| finding.text.strip_prefix(said)).map(str::trim_start);
        match rest.map(str::to_owned) {
            Some(text) => TopicFinding { text, ..finding },
            None => finding,
        }
    };
    findings(analysis).into_iter().map(rest).filter(|finding| !finding.text.is_empty()).collect()
}

impl Row {
    /// `own_servers`: subjects differ in how many resource servers they have.
    fn of(summary: &Summary, columns: &[&Column], own_servers: bool) -> Self {
        let subject = &summary.subject;
        let servers = if own_servers { servers::counted(slice::from_ref(summary)) } else { String::new() };
        let sender = subject.parts.get("sender").map(ToString::to_string);
        let words = [
            if summary.is_control { "control" } else { subject.architecture.as_str() },
            subject.signature.as_deref().unwrap_or_default(),
            sender.as_deref().unwrap_or_default(),
            subject.wire.as_deref().unwrap_or_default(),
            servers.as_str(),
        ];
        let new = |word: &&str| !word.is_empty() && !subject.name.eq_ignore_ascii_case(word);
        let unsaid = words.into_iter().filter(new).filter(|word| !subject.name.contains(word));
        Self {
            name: subject.name.clone(),
            about: unsaid.collect::<Vec<_>>().join(", "),
            trusted: subject.is_trusted(),
            mark: mark(summary.validity()),
            cells: columns.iter().map(|column| Cell::of(summary, column.metric)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::TrialFailure;
    use crate::registry::Choice;
    use crate::report::write;

    #[test]
    fn the_page_is_one_small_file_that_loads_nothing() {
        let analysis = analyse(&synthetic::recordings());
        let page = html(&analysis, &charts::draw(&analysis));
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
        for outside in ["http:", "https:", "src=", "@import", "url(", "<link", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<svg ").count(), 14, "seven charts, each wide and narrow");
        assert_eq!(page.matches("<svg ").count(), page.matches("role=\"img\" aria-label=\"").count());
        assert!(!page.contains("#0A0B"), "every colour follows the theme");
    }

    #[test]
    fn both_reports_have_every_subject_and_column() {
        let analysis = analyse(&synthetic::recordings());
        let charts = charts::draw(&analysis);
        for report in [html(&analysis, &charts), markdown(&analysis, &charts)] {
            for summary in &analysis.subjects {
                assert!(report.contains(&summary.subject.name));
            }
            for column in filled(COLUMNS, &analysis) {
                assert!(report.contains(column.label), "{}", column.label);
            }
            assert!(report.contains(&together(&analysis.scenario.question)));
        }
    }

    #[test]
    fn both_reports_tell_how_requests_travelled_where_it_is_not_the_usual_way() {
        let mut recordings = synthetic::recordings();
        let told = |recordings: &[_]| {
            let analysis = analyse(recordings);
            let charts = charts::draw(&analysis);
            [html(&analysis, &charts), markdown(&analysis, &charts)]
                .map(|report| report.contains("HTTP/2, TCP"))
        };
        assert_eq!(told(&recordings), [false; 2]);
        recordings[1].subject.wire = Some("HTTP/2, TCP".to_owned());
        assert_eq!(told(&recordings), [true; 2]);
    }

    #[test]
    fn a_sender_constraint_stands_beside_the_name_of_its_subject() {
        let mut recordings = synthetic::recordings();
        let dpop = Choice { kind: "dpop".to_owned(), settings: "nonce = true".parse().unwrap() };
        recordings[1].subject.parts.insert("sender".to_owned(), dpop);
        let analysis = analyse(&recordings);
        let page = html(&analysis, &charts::draw(&analysis));
        assert!(page.contains("dpop nonce true"), "{page}");
    }

    #[test]
    fn a_report_is_written_whole_and_again_over_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut recordings = synthetic::recordings();
        recordings[1].failure = Some(TrialFailure::error("the server <died>"));
        recordings[1].load = None;
        for _ in 0..2 {
            write(folder.path(), &analyse(&recordings), &recordings).unwrap();
        }
        let names = |folder: &Path| {
            let mut names: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let of = |ending: &str| names(folder.path()).iter().filter(|name| name.ends_with(ending)).count();
        assert_eq!((of(".hlog"), of(".hgrm")), (4, 4), "one subject left nothing");
        let own =
            names(folder.path()).into_iter().filter(|name| !name.contains(".h") || name.ends_with("html"));
        assert_eq!(own.collect::<Vec<_>>(), ["charts", "report.html", "report.md", "summary.json"]);
        assert_eq!(names(&folder.path().join("charts")).len(), 7);
        let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(
            page.contains("Invalid: do not use these figures") && page.contains("&#60;died&#62;"),
            "escaped"
        );
    }

    #[test]
    fn a_name_is_text_in_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut recordings = synthetic::recordings();
        for recording in &mut recordings {
            recording.subject.name.push_str(" |<img src=x>");
            recording.scenario.name = "a|<img src=x>".to_owned();
            recording.scenario.question = "Is <img src=x> | faster?".to_owned();
        }
        recordings[1].failure = Some(TrialFailure::error("<img src=x>|"));
        write(folder.path(), &analyse(&recordings), &recordings).unwrap();
        let charts = std::fs::read_dir(folder.path().join("charts")).unwrap();
        let files = ["report.html", "report.md"].map(|name| folder.path().join(name)).into_iter();
        for path in files.chain(charts.map(|chart| chart.unwrap().path())) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("<img"), "{}", path.display());
        }
        let text = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
        assert!(text.contains("none \\|&lt;img src=x>"), "{text}");
        let heading = text.lines().find(|line| line.starts_with("| |")).unwrap();
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(cells(heading) == 5 + 2 && !heading.contains(" |&"), "{heading}");
    }
}
