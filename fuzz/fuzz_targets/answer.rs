//! The HTTP/1.1 of the load generator under any bytes: `cargo +nightly fuzz run answer` from the root.
#![no_main]

#[path = "../../tests/answers/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|answer: (u8, &[u8])| property::holds(answer.1, answer.0.into()));
