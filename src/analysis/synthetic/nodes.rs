//! The processes of a made-up trial.

use crate::observation::{Look, Node, Role};
use crate::units::Offset;

/// The load generator and the authorization server come before it.
pub(super) const FIRST_SERVER: u32 = 2;

/// Every node, and what it has used before the load.
pub(super) fn nodes() -> Vec<(Node, Look)> {
    let node = |name: &str, role, counters: &[&str]| {
        let counters = counters.iter().map(|name| ((*name).to_owned(), 0)).collect();
        let (resident_bytes, peak_bytes) = (9_000_000, 9_500_000);
        let at = Offset::default();
        let look = Look { at, pid: Some(1_000), cpu_nanos: 0, resident_bytes, peak_bytes, counters };
        let node = Node {
            name: name.to_owned(),
            role,
            hop: 0,
            process_of: None,
            resident_before_tokens: None,
            looks: Vec::new(),
        };
        (node, look)
    };
    let called = ["/introspect", "/jwks", "/token", "/revoke"];
    let decided = ["requests", "cache_hits", "cache_misses"];
    vec![
        node("load generator", Role::Client, &[]),
        node("authorization server", Role::AuthorizationServer, &called),
        node("resource server 1", Role::ResourceServer, &decided),
        node("resource server 2", Role::ResourceServer, &decided),
    ]
}

/// Counts one more.
pub(super) fn count(look: &mut Look, name: &str) {
    *look.counters.get_mut(name).expect("the node counts it") += 1;
}
