//! The size of each subject's tokens, with more claims too, against the default header limits of real servers.

use crate::analysis::{Analysis, Summary};
use crate::header_limit::{Tier, header_limits, refusing, tiers};
use crate::metric::thousands;
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, both, fitting, ink};
use crate::report::header_limits::{characters, with_more_claims};

/// Further claims in bytes, with how dark the bar is that holds them.
const MORE: [(u64, f64); 3] = [(0, 0.85), (1_000, 0.45), (4_000, 0.2)];

/// Room above the bars for the names of limits, and below for the axis.
const ABOVE: f64 = 42.0;
const BELOW: f64 = 30.0;

/// Draws it, if a subject carries JWTs.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let shown: Vec<(&Summary, u64)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| Some((summary, characters(&summary.subject)?)))
        .collect();
    let largest = shown.iter().map(|(_, size)| with_more_claims(*size, MORE[2].0)).max()?;
    // Tokens that fit everywhere are shown beside the limits that others meet.
    let tiers = tiers();
    let high = largest.max(u64::from(tiers.get(1).map_or(0, |tier| tier.most_generous))) as f64 * 1.04;
    let title = "Token size against header limits";
    let label = format!(
        "{title}: characters of a token of each subject, and default limits. The data is in the table below."
    );
    let sizes = [
        Size { width: 1080.0, height: ABOVE + BELOW + 36.0 * shown.len() as f64 },
        Size { width: 358.0, height: ABOVE + BELOW + 52.0 * shown.len() as f64 },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let left = if canvas.is_narrow() { 14.0 } else { 224.0 };
        let labels = if canvas.is_narrow() { 4 } else { 8 };
        let x = Axis::linear(high, labels, |value| thousands(&format!("{value:.0}")));
        let y = Axis::linear(1.0, 1, |_| String::new());
        let plot =
            Plot { from: (left, ABOVE), to: (canvas.size.width - 64.0, canvas.size.height - BELOW), x, y };
        plot.draw_x(canvas);
        for (index, (summary, size)) in shown.iter().enumerate() {
            bar(canvas, &plot, (index, shown.len()), (summary, ink(analysis, summary)), *size);
        }
        for (index, tier) in tiers.iter().filter(|tier| f64::from(tier.strictest) <= high).enumerate() {
            limit(canvas, &plot, index, tier, high);
        }
    });
    let caption = format!(
        "Characters of the median token as it was measured (dark), with 1 KB more of claims (lighter) and with 4 KB more \
         (lightest). Dashed lines are default limits: below the first line of a group, all its servers accept the token; \
         above its second line, if it has one, none of them does: {}.",
        tiers
            .iter()
            .filter(|tier| f64::from(tier.strictest) <= high)
            .map(described)
            .collect::<Vec<_>>()
            .join("; ")
    );
    Some(Chart { name: "header-limits", title, caption, wide, narrow, data: data(&shown) })
}

fn bar(
    canvas: &Canvas<'_>,
    plot: &Plot,
    (index, count): (usize, usize),
    (summary, colour): (&Summary, Ink),
    size: u64,
) {
    let height = (plot.to.1 - plot.from.1) / count as f64;
    let top = plot.from.1 + height * index as f64;
    let name = &fitting(&summary.subject.name, 24);
    let (from, to) =
        if canvas.is_narrow() { (top + 22.0, top + height - 8.0) } else { (top + 8.0, top + height - 8.0) };
    let middle = f64::midpoint(from, to);
    if canvas.is_narrow() {
        canvas.bold((plot.from.0, top + 11.0), name, 13.0, colour, Stand::Right);
    } else {
        canvas.bold((plot.from.0 - 12.0, middle), name, 13.0, colour, Stand::Left);
    }
    let mut begin = plot.from.0;
    for (claims, opacity) in MORE {
        let end = plot.at(with_more_claims(size, claims) as f64, 0.0).0.max(begin + 1.0);
        canvas.rectangle((begin, from), (end, to), colour, opacity);
        begin = end;
    }
    canvas.text((plot.to.0 + 12.0, middle), &thousands(&size.to_string()), 13.0, Ink::Text, Stand::Right);
}

fn limit(canvas: &Canvas<'_>, plot: &Plot, index: usize, tier: &Tier, high: f64) {
    let at = |characters: u32| plot.at(f64::from(characters).min(high), 0.0);
    let ((x, bottom), (end, _)) = (at(tier.strictest), at(tier.most_generous));
    // Neighbours stand on lines of their own, so that their names do not meet.
    let y = if index.is_multiple_of(2) { 9.0 } else { 26.0 };
    canvas.dashes((x, y + 9.0), (x, bottom), Ink::Mark, 1.4);
    // Lines that would touch are one.
    if end - x > 3.0 {
        canvas.rectangle((x, y + 9.0), (end, bottom), Ink::Mark, 0.08);
        canvas.dashes((end, y + 9.0), (end, bottom), Ink::Mark, 1.4);
    }
    let thousands = |characters: u32| format!("{:.1}", f64::from(characters) / 1_000.0);
    let range = joined(thousands(tier.strictest), &thousands(tier.most_generous), "–") + " k";
    let words = if canvas.is_narrow() {
        range
    } else {
        let first = tier.servers.iter().take(2).copied().collect::<Vec<_>>().join(", ");
        format!("{range}: {first}{}", if tier.servers.len() > 2 { " …" } else { "" })
    };
    // To the side where there is room for it.
    let stand =
        if x + 200.0 > canvas.size.width && !canvas.is_narrow() { Stand::Left } else { Stand::Middle };
    canvas.text((x, y), &words, 12.0, Ink::Mark, stand);
}

fn described(tier: &Tier) -> String {
    let [from, to] = [tier.strictest, tier.most_generous].map(|limit| thousands(&limit.to_string()));
    format!("{} characters: {}", joined(from, &to, " to "), tier.servers.join(", "))
}

/// A range; one end alone where both are written alike.
fn joined(from: String, to: &str, between: &str) -> String {
    if from == to { from } else { from + between + to }
}

/// A row a subject: its token, the same with more claims, and how many of all limits each would exceed.
fn data(shown: &[(&Summary, u64)]) -> Data {
    let headings = ["subject", "signature", "characters", "with 1 KB more", "with 4 KB more"];
    let cell = |characters: u64| {
        let digits = thousands(&characters.to_string());
        match refusing(characters).len() {
            0 => digits,
            count => format!("{digits} (beyond {} of {} limits)", count, header_limits().len()),
        }
    };
    let row = |(summary, size): &(&Summary, u64)| {
        let signature = summary.subject.signature.clone().unwrap_or_default();
        let sizes = MORE.iter().map(|(claims, _)| cell(with_more_claims(*size, *claims)));
        [summary.subject.name.clone(), signature].into_iter().chain(sizes).collect()
    };
    Data { headings: headings.map(str::to_owned).to_vec(), rows: shown.iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::report::header_limits::limit_rows;

    #[test]
    fn it_is_drawn_only_where_a_subject_carries_jwts_and_shows_those_alone() {
        let recordings = synthetic::recordings();
        let analysis = analyse(&recordings);
        let carriers = analysis.subjects.iter().filter(|summary| summary.subject.signature.is_some()).count();
        assert_eq!(draw(&analysis).unwrap().data.rows.len(), carriers);
        let opaque = recordings.into_iter().filter(|recording| recording.subject.signature.is_none());
        assert!(draw(&analyse(&opaque.collect::<Vec<_>>())).is_none());
    }

    #[test]
    fn four_characters_are_added_for_three_bytes_of_claims() {
        let mut recording = synthetic::recording(0);
        recording.subject.signature = Some("SLH-DSA-SHA2-128f".to_owned());
        recording.subject.token_characters = Some([23_426, 23_428, 23_430]);
        let analysis = analyse(&[recording]);
        let chart = draw(&analysis).unwrap();
        let row = &chart.data.rows[0];
        // As many as the table of limits says.
        let rows = limit_rows(&analysis);
        let beyond = rows.iter().filter(|row| !row.refused.is_empty()).count();
        assert_eq!(row[2], format!("23,428 (beyond {beyond} of {} limits)", rows.len()));
        assert!(0 < beyond && beyond < rows.len());
        assert!(row[3].starts_with("24,762 (") && row[4].starts_with("28,762 ("), "{row:?}");
    }

    #[test]
    fn a_group_of_limits_is_named_with_its_strictest_and_its_most_generous_one() {
        let mut group = tiers().swap_remove(1);
        let [from, to] = [group.strictest, group.most_generous].map(|limit| thousands(&limit.to_string()));
        assert!(from != to && described(&group).starts_with(&format!("{from} to {to} characters: ")));
        group.most_generous = group.strictest;
        assert!(described(&group).starts_with(&format!("{from} characters: ")), "{}", described(&group));
    }
}
