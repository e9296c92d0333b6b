//! Quantities that must not be mixed up: rates, lengths of time, sizes of claims, instants of a trial, stamps of the host clock.

mod claims_size;
mod offset;
mod rate;
mod ratio;
mod span;
mod stamp;

pub use claims_size::{ClaimsSize, InvalidSize};
pub use offset::Offset;
pub use rate::Rate;
pub use ratio::{Exponent, Fraction, Multiple};
pub use span::{Period, Span};
pub use stamp::Stamp;
