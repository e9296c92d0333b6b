//! What may come as a token: attacks by name, mutations by chance, and a peer that must decide alike.

mod attacks;
mod corpus;
mod differential;
mod property;
mod robustness;
mod workshop;
