//! The two servers standing alone, as anybody may start them for another load tool: OAuth over real HTTP.

mod answers;
mod certificates;
mod crash;
mod deny_list;
mod ending;
mod gateway;
mod http;
mod introspection;
mod key_files;
mod key_set;
mod keys;
mod lists;
mod metadata;
mod nodes;
mod protection;
mod push;
mod refresh_tokens;
mod revocation;
mod robustness;
mod senders;
mod server;
mod timeline;
mod token_endpoint;
mod unreachable;
mod wire;
