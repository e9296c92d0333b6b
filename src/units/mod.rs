//! Quantities that must not be mixed up: rates, lengths of time, instants of a trial, stamps of the host clock.

mod offset;
mod rate;
mod ratio;
mod span;
mod stamp;

pub use offset::Offset;
pub use rate::Rate;
pub use ratio::{Exponent, Fraction, Multiple};
pub use span::{Period, Span};
pub use stamp::Stamp;
