//! The things compared: tokens, signatures, stores and validation architectures. Nothing here knows that it is measured.
//!
//! Time comes from tokio and I/O goes through the traits, so that the same code runs on a simulated clock.

pub mod architecture;
pub mod authorization_server;
pub mod bounded_log;
pub mod future;
pub mod issuer;
mod pushed;
mod refreshed;
pub mod revocation_event;
pub mod sender;
pub mod store;
pub mod token;
