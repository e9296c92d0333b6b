//! An identity provider that is not of the test bed: how it is found, how a client proves who it is, what it issues.

mod answer;
mod authentication;
mod discovery;
mod token_source;

pub use answer::{AnswerFault, IssuedToken};
pub use authentication::{Assertion, Authentication};
pub use discovery::{DiscoveryError, Metadata, discover};
pub use token_source::{TokenRequestError, TokenSource};
