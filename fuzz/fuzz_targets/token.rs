//! The token path under any text: `cargo +nightly fuzz run token` from the root; seeds come from the attack table (`cargo test --test tokens -- --ignored seeds`).
#![no_main]

#[path = "../../tests/tokens/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|token: &str| property::holds(token));
