//! How far each subject goes: the highest rate at which the limit holds, and its ratio to the control.

use crate::analysis::{Analysis, Estimate, Ladder};
use crate::metric::{significant, thousands};
use crate::report::findings::names::list;

/// Who holds the limit up to which rate, the highest first.
pub(super) fn reached(analysis: &Analysis) -> Option<String> {
    let limit = analysis.ladders.iter().find_map(|ladder| ladder.limit.as_deref())?;
    let mut reached: Vec<(&Ladder, Estimate)> =
        analysis.ladders.iter().filter_map(|ladder| Some((ladder, ladder.highest?))).collect();
    reached.sort_by(|a, b| b.1.point.total_cmp(&a.1.point));
    let control = reached.iter().find(|(ladder, _)| ladder.is_control).copied();
    let each: Vec<String> = reached.iter().map(|(ladder, rate)| one(ladder, *rate, control)).collect();
    let nowhere = analysis.ladders.iter().filter(|ladder| ladder.highest.is_none() && ladder.limit.is_some());
    let nowhere: Vec<String> = nowhere.map(|ladder| ladder.subject.clone()).collect();
    let mut sentences = Vec::new();
    if !each.is_empty() {
        sentences.push(format!(
            "{limit} holds, with at most 0.1 % of the requests failed, up to these requests per second: {}.{}",
            list(&each),
            ties(&reached)
        ));
    }
    if !nowhere.is_empty() {
        sentences.push(format!("It was not shown to hold at any rate tried for {}.", list(&nowhere)));
    }
    sentences.extend(reading(analysis));
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn one(ladder: &Ladder, rate: Estimate, control: Option<(&Ladder, Estimate)>) -> String {
    let digits = |rate: f64| thousands(&format!("{rate:.0}"));
    let at_least = if rate.high.is_none() { "at least " } else { "" };
    let failed = match rate.high.filter(|_| rate.is_interval()) {
        Some(high) => format!(" ({} to {})", digits(rate.low), digits(high)),
        None => String::new(),
    };
    let ratio = match control {
        Some((base, _)) if base.subject == ladder.subject => ", the control".to_owned(),
        // Two numbers of which either may be more have no ratio.
        Some((_, base)) if base.high.is_some() && rate.high.is_some() => {
            format!(", {} of the control", ratio(rate.point / base.point))
        }
        _ => String::new(),
    };
    format!("{} {at_least}{}{failed}{ratio}", ladder.subject, digits(rate.point))
}

fn ratio(ratio: f64) -> String {
    format!("{} %", significant(100.0 * ratio))
}

/// Neighbours whose intervals overlap, or that are known from below only.
fn ties(reached: &[(&Ladder, Estimate)]) -> String {
    let overlap = |pair: &&[(&Ladder, Estimate)]| pair[1].1.high.is_none_or(|high| high > pair[0].1.low);
    let pairs: Vec<String> = reached
        .windows(2)
        .filter(overlap)
        .map(|pair| format!("{} and {}", pair[0].0.subject, pair[1].0.subject))
        .collect();
    if pairs.is_empty() {
        return String::new();
    }
    format!(" This run does not tell these apart: {}.", pairs.join("; "))
}

/// Figures of a search belong to different rates.
fn reading(analysis: &Analysis) -> Option<String> {
    let is_search = analysis.ladders.iter().any(|ladder| ladder.is_search);
    (is_search && analysis.ladders.len() > 1).then(|| {
        "Each subject's figures are those of the highest rate that passed, so they belong to different rates: compare the \
         rates, and latencies only by the chart against offered load."
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn who_holds_the_limit_up_to_which_rate_is_told_with_the_ratio_to_the_control() {
        let text = reached(&analyse(&synthetic::search())).unwrap();
        assert!(text.starts_with("p(99)<5ms holds, with at most 0.1 %"), "{text}");
        assert!(text.contains("none 4,000 (4,000 to 4,180), the control"), "{text}");
        assert!(text.contains("introspection 1,000 (1,000 to 1,050), 25.0 % of the control"), "{text}");
        assert!(text.contains("jwt ES256 at least 2,000"), "{text}");
        assert!(text.contains("belong to different rates"), "{text}");
        let text = reached(&analyse(&synthetic::sweep())).unwrap();
        assert!(text.contains("introspection 1,000 (1,000 to 2,000)"), "{text}");
        assert_eq!(reached(&analyse(&synthetic::recordings())), None);
    }
}
