//! Known gaps over known requests.
