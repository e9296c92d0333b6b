//! What may come back from a server: by chance, and what hyper makes of the same bytes.

mod property;
mod shapes;
