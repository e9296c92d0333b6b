//! Measures what opaque tokens and JWTs cost an API: latency, throughput and revocation propagation,
//! with classical and post-quantum signatures.
//!
//! The pipeline: scenario -> plan -> testbed -> load -> observation -> analysis -> report.

pub mod analysis;
pub mod arrival;
pub mod auth;
pub mod cli;
pub mod design;
pub mod header_limit;
pub mod identity_provider;
pub mod load;
pub mod metric;
pub mod observation;
pub mod plan;
pub mod registry;
pub mod report;
pub mod reuse;
pub mod run;
pub mod scenario;
pub mod selftest;
pub mod service;
pub mod testbed;
pub mod units;
pub mod wire;
