//! What people and programs read: HTML, Markdown, JSON, charts, tables for the terminal.

mod advice;
mod breakdown;
mod cell;
mod charts;
mod columns;
mod comparison;
mod conditions;
mod exports;
mod files;
mod findings;
mod glossary;
mod header_limits;
mod json;
mod load;
#[cfg(test)]
mod look;
mod markdown;
mod nodes;
mod page;
mod phases;
mod popularity;
mod revocation_limits;
mod schemes;
mod servers;
mod steps;
mod terminal;
mod together;
mod trust;
mod undisturbed;
mod verdicts;
mod winners;

pub use advice::explain;
pub use comparison::{compare, compare_json};
pub use files::{WriteError, write};
pub use json::to_json;
pub use load::{load_json, load_text};
pub use terminal::table;
