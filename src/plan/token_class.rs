//! What a token is good for.

/// The class of a token: what must become of a request that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// It must be accepted.
    Valid,
    /// It is bad in a way: the place of its kind in the mix of the plan, from 0.
    Bad(usize),
    /// It is revoked during the trial.
    Watched,
}
