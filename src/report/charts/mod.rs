//! Charts as SVG: each drawn for a wide and for a narrow page, in colours that follow the theme.

mod amplification;
mod axis;
mod canvas;
mod cost;
mod facets;
mod header_limits;
mod offered_load;
mod operations;
mod percentiles;
mod propagation;
mod scatter;
mod signing;
mod theme;
mod timeline;
mod verification;
mod winners;

use crate::analysis::{Analysis, Summary};
use crate::report::charts::canvas::{Canvas, Size};
use crate::report::charts::theme::Ink;

pub(super) use theme::style;

/// A chart with the data it is drawn from.
#[derive(Debug)]
pub(super) struct Chart {
    /// Its file name without the ending.
    pub(super) name: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What is drawn and how to read it.
    pub(super) caption: String,
    /// For pages of 700 px and more.
    pub(super) wide: String,
    /// For phones.
    pub(super) narrow: String,
    /// Its data.
    pub(super) data: Data,
}

/// A table: the first row of cells are the headings, the first cell of a row names it.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Chart {
    /// Whether it says who would answer soonest, which is computed from what stands in a table of its own.
    pub(super) fn shows_winners(&self) -> bool {
        self.name == winners::NAME
    }

    /// The wide chart as a file of its own.
    pub(super) fn standalone(&self) -> String {
        let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" ";
        let style = format!("><style>{}svg{{background:var(--paper)}}</style>\n", style());
        self.wide.replacen("<svg ", head, 1).replacen('>', &style, 1)
    }
}

/// Every chart for which there is data.
pub(super) fn draw(analysis: &Analysis) -> Vec<Chart> {
    let pictures: &[fn(&Analysis) -> Option<Chart>] = &[
        offered_load::draw,
        winners::draw,
        percentiles::draw,
        propagation::draw,
        amplification::draw,
        cost::draw,
        timeline::draw,
        verification::draw,
        signing::draw,
        header_limits::draw,
    ];
    pictures.iter().filter_map(|draw| draw(analysis)).collect()
}

/// Draws the same picture wide and narrow.
fn both(label: &str, sizes: [Size; 2], draw: impl Fn(&Canvas<'_>)) -> [String; 2] {
    sizes.map(|size| canvas::render(size, label, &draw))
}

/// A name cut to so many characters: what does not fit would be cut off by the edge.
fn fitting(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}

/// The colour of a subject: grey for controls, the others in order.
fn ink(analysis: &Analysis, subject: &Summary) -> Ink {
    if subject.is_control {
        return Ink::Series(0);
    }
    let others = analysis.subjects.iter().filter(|summary| !summary.is_control);
    let place = others.take_while(|summary| summary.subject.name != subject.subject.name).count();
    Ink::Series(1 + place % (theme::SERIES - 1))
}
