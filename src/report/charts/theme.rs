//! Colours by what they mean, as CSS variables for light and for dark pages.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// What is read.
    Text,
    /// What is read second: labels of axes.
    Muted,
    /// Lines that guide the eye.
    Grid,
    /// Marks of events and bounds.
    Mark,
    /// A subject.
    Series(usize),
}

/// How many subjects have a colour of their own.
pub(super) const SERIES: usize = 8;

/// Name, light, dark. The series are Okabe and Ito's palette (told apart with any colour vision), darkened for
/// white paper and lightened for a dark page so that each keeps a contrast of 3:1 and more.
const COLOURS: [(&str, &str, &str); 5 + SERIES] = [
    ("ink", "#1c2126", "#e8eaed"),
    ("muted", "#5d6670", "#a2abb5"),
    ("grid", "#e3e6ea", "#32383f"),
    ("mark", "#b3362b", "#ff8f80"),
    ("s0", "#69727c", "#9aa4af"),
    ("s1", "#0072b2", "#5fb6ee"),
    ("s2", "#c65400", "#f5924e"),
    ("s3", "#00805d", "#35c99d"),
    ("s4", "#a3427c", "#e594c4"),
    ("s5", "#8a6a00", "#e3c53c"),
    ("s6", "#005f73", "#7fd6e3"),
    ("s7", "#7a4b2a", "#cda383"),
    ("paper", "#ffffff", "#15181c"),
];

impl Ink {
    fn index(self) -> usize {
        match self {
            Self::Text => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Mark => 3,
            Self::Series(index) => 4 + index % SERIES,
        }
    }

    /// A stand-in that plotters can write: it knows no variables.
    pub(super) fn stand_in(self) -> RGBColor {
        RGBColor(STAND_IN.0, STAND_IN.1, u8::try_from(self.index()).expect("a dozen colours"))
    }
}

const STAND_IN: (u8, u8) = (0x0A, 0x0B);

/// Puts the variables where the stand-ins are.
pub(super) fn paint(svg: &str) -> String {
    COLOURS.iter().enumerate().fold(svg.to_owned(), |svg, (index, (name, _, _))| {
        svg.replace(&format!("#{:02X}{:02X}{index:02X}", STAND_IN.0, STAND_IN.1), &format!("var(--{name})"))
    })
}

/// The variables for both themes.
pub(in crate::report) fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (name, on_light, on_dark) in COLOURS {
        write!(light, "--{name}:{on_light};").expect("text grows");
        write!(dark, "--{name}:{on_dark};").expect("text grows");
    }
    format!(":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}")
}
