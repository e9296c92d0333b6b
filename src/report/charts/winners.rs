//! Who would answer soonest: a cell for each round trip and each limit on revocations, with the winner in it.

use crate::analysis::{Analysis, Winner, WinnerMap};
use crate::metric::Unit;
use crate::report::charts::axis::short;
use crate::report::charts::canvas::{Canvas, Point, Size, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, both, fitting};
use crate::report::winners::{limit_in_words, round_trip_in_words};

/// The name of the chart in files.
pub(super) const NAME: &str = "winners";

/// Room above the cells for the round trips, and beside them for the limits.
const ABOVE: f64 = 44.0;
/// So many letters of a name fit into a cell of a wide page, and so many if they are small.
const LARGE: usize = 16;
const SMALL: usize = 21;
/// Height of a line of the legend on a phone.
const LINE: f64 = 18.0;

/// Draws it, if the run has such a map.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let map = analysis.winners.as_ref()?;
    let shown = Shown::of(map);
    let title = "Who answers soonest, by distance and revocation limit";
    let label = format!("{title}. The data is in the table below.");
    let rows = map.limits.len() as f64;
    let legend = shown.letters.iter().flatten().count() as f64 * LINE + 14.0;
    let sizes = [
        Size { width: 1080.0, height: ABOVE + 60.0 * rows },
        Size { width: 358.0, height: ABOVE + 46.0 * rows + legend },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| shown.draw(canvas));
    let caption = "Computed, not measured: no network was emulated. In each cell: the design with the shortest mean latency if the authorization \
         server were that far away (network round trip, above) and a revocation had to be known within that time (left); that latency; what the \
         authorization server is asked per second; ≈ and how many others are not told apart from it. Each design keeps the limit by a setting of its own: \
         for how long answers are kept or tokens live, how often a list is fetched, after how much silence a push channel counts as broken. \
         Where more than 1 % of the requests wait for an answer, p99 is a round trip at least."
        .to_owned();
    Some(Chart { name: NAME, title, caption, wide, narrow, data: data(map) })
}

/// What is drawn.
struct Shown<'a> {
    map: &'a WinnerMap,
    /// Those who win anywhere, by their place among the contenders.
    letters: Vec<Option<char>>,
}

impl<'a> Shown<'a> {
    fn of(map: &'a WinnerMap) -> Self {
        let mut letters = vec![None; map.contenders.len()];
        let mut free = 'A'..='Z';
        for winner in map.winners.iter().flatten().flatten() {
            if letters[winner.contender].is_none() {
                letters[winner.contender] = free.next();
            }
        }
        Self { map, letters }
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let (left, height) = if canvas.is_narrow() { (52.0, 46.0) } else { (104.0, 60.0) };
        let width = (canvas.size.width - left) / self.map.round_trips.len() as f64;
        let size = if canvas.is_narrow() { 10.5 } else { 13.0 };
        let what =
            if canvas.is_narrow() { "round trip →" } else { "round trip to the authorization server →" };
        canvas.text((left, 10.0), what, size, Ink::Muted, Stand::Right);
        if !canvas.is_narrow() {
            canvas.text((left - 10.0, ABOVE - 13.0), "known within", size, Ink::Muted, Stand::Left);
        }
        for (column, round_trip) in self.map.round_trips.iter().enumerate() {
            let middle = left + width * (column as f64 + 0.5);
            canvas.text(
                (middle, ABOVE - 13.0),
                &round_trip_in_words(*round_trip),
                size,
                Ink::Text,
                Stand::Middle,
            );
        }
        for (row, (limit, winners)) in self.map.limits.iter().zip(&self.map.winners).enumerate() {
            let top = ABOVE + height * row as f64;
            let place = (left - 10.0_f64.min(left / 6.0), top + height / 2.0);
            canvas.text(place, &limit_in_words(*limit), size, Ink::Text, Stand::Left);
            for (column, winner) in winners.iter().enumerate() {
                let from = (left + width * column as f64 + 1.0, top + 1.0);
                let to = (from.0 + width - 2.0, from.1 + height - 2.0);
                if let Some(winner) = winner {
                    self.cell(canvas, from, to, winner);
                } else {
                    canvas.rectangle(from, to, Ink::Grid, 0.5);
                    let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
                    canvas.text(middle, "nobody", size, Ink::Muted, Stand::Middle);
                }
            }
        }
        if canvas.is_narrow() {
            self.legend(canvas, ABOVE + height * self.map.limits.len() as f64 + 14.0);
        }
    }

    fn cell(&self, canvas: &Canvas<'_>, from: Point, to: Point, winner: &Winner) {
        canvas.rectangle(from, to, self.ink(winner.contender), 0.22);
        let middle = f64::midpoint(from.0, to.0);
        let latency = Unit::Seconds.show(winner.mean_seconds);
        let calls = calls(winner);
        if canvas.is_narrow() {
            let letter = self.letters[winner.contender].map(String::from).unwrap_or_default();
            canvas.bold(
                (middle, from.1 + 9.0),
                &format!("{letter}{}", ties(winner)),
                12.0,
                Ink::Text,
                Stand::Middle,
            );
            canvas.text((middle, from.1 + 23.0), &latency, 10.0, Ink::Text, Stand::Middle);
            canvas.text((middle, from.1 + 36.0), &calls, 10.0, Ink::Muted, Stand::Middle);
            return;
        }
        let name = &self.map.contenders[winner.contender].name;
        let size = if name.chars().count() > LARGE { 10.5 } else { 12.5 };
        canvas.bold((middle, from.1 + 14.0), &fitting(name, SMALL), size, Ink::Text, Stand::Middle);
        canvas.text(
            (middle, from.1 + 31.0),
            &format!("{latency}{}", ties(winner)),
            12.5,
            Ink::Text,
            Stand::Middle,
        );
        canvas.text((middle, from.1 + 47.0), &calls, 11.5, Ink::Muted, Stand::Middle);
    }

    fn legend(&self, canvas: &Canvas<'_>, top: f64) {
        let mut winners: Vec<(char, usize)> =
            self.letters.iter().enumerate().filter_map(|(place, letter)| Some(((*letter)?, place))).collect();
        winners.sort_unstable();
        for ((letter, place), row) in winners.into_iter().zip(0..) {
            let y = top + LINE * f64::from(row);
            canvas.rectangle((4.0, y - 7.0), (18.0, y + 7.0), self.ink(place), 0.22);
            canvas.bold((11.0, y), &letter.to_string(), 12.0, Ink::Text, Stand::Middle);
            canvas.text(
                (26.0, y),
                &fitting(&self.map.contenders[place].name, 46),
                12.0,
                Ink::Text,
                Stand::Right,
            );
        }
    }

    /// A colour of its own: in the other pictures subjects may share one.
    fn ink(&self, contender: usize) -> Ink {
        self.letters[contender].map_or(Ink::Muted, |letter| Ink::Series(('A'..=letter).count()))
    }
}

/// How many others are not told apart from it.
fn ties(winner: &Winner) -> String {
    match winner.ties.len() {
        0 => String::new(),
        others => format!(" ≈{others}"),
    }
}

fn calls(winner: &Winner) -> String {
    if winner.calls_per_second == 0.0 {
        return "0 /s".to_owned();
    }
    format!(
        "{} /s",
        if winner.calls_per_second < 0.01 { "< 0.01".to_owned() } else { short(winner.calls_per_second) }
    )
}

/// So many names fit into a cell of the table.
const NAMED: usize = 3;

/// A row a limit, a column a round trip.
fn data(map: &WinnerMap) -> Data {
    let round_trips = map.round_trips.iter().map(|round_trip| round_trip_in_words(*round_trip));
    let headings = ["known within".to_owned()].into_iter().chain(round_trips).collect();
    let cell = |winner: &Option<Winner>| {
        let Some(winner) = winner else { return "nobody".to_owned() };
        let name = |place: usize| map.contenders[place].name.as_str();
        let latency = Unit::Seconds.show(winner.mean_seconds);
        let waits = Unit::Fraction.show(winner.waits_per_request);
        let ties = match &winner.ties[..] {
            [] => String::new(),
            few if few.len() <= NAMED => {
                format!(" ≈ {}", few.iter().map(|place| name(*place)).collect::<Vec<_>>().join(", "))
            }
            many => format!(" ≈ {} others", many.len()),
        };
        format!("{} {latency}, {} asked, {waits} wait{ties}", name(winner.contender), calls(winner))
    };
    let row = |(limit, winners): (&f64, &Vec<Option<Winner>>)| {
        [limit_in_words(*limit)].into_iter().chain(winners.iter().map(cell)).collect()
    };
    Data { headings, rows: map.limits.iter().zip(&map.winners).map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn every_cell_names_its_winner_in_words_and_a_run_without_a_trade_has_no_picture() {
        let analysis = analyse(&synthetic::recordings());
        let chart = draw(&analysis).unwrap();
        let map = analysis.winners.as_ref().unwrap();
        for winner in map.winners.iter().flatten().flatten() {
            let name = &map.contenders[winner.contender].name;
            let begin: String = name.chars().take(9).collect();
            assert!(chart.wide.contains(&begin) && chart.narrow.contains(name.as_str()));
            assert!(
                [&chart.wide, &chart.narrow]
                    .iter()
                    .all(|svg| svg.contains(&Unit::Seconds.show(winner.mean_seconds)))
            );
        }
        assert_eq!(
            (chart.data.rows.len(), chart.data.headings.len()),
            (map.limits.len(), 1 + map.round_trips.len())
        );
        assert!(
            chart.data.rows[0][1].starts_with("introspection ")
                && chart.data.rows[0][1].contains("100 % wait")
        );
        assert!(draw(&analyse(synthetic::signatures())).is_none());
    }
}
