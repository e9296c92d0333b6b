//! The documents of `jwt-status-list` and `jwt-filter` over HTTP, and resource servers that fetch them.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::http::{PATIENCE, get};
use crate::server::Server;

const STATUS_LIST: &str = "{ kind = \"jwt-status-list\", ttl = \"200ms\" }";
const FILTER: &str = "{ kind = \"jwt-filter\", poll = \"200ms\" }";

/// Revokes one of two tokens, and waits until it alone is refused.
fn revoked(authorization: &Server, resource: &Server) -> String {
    let (kept, revoked) = (authorization.token(), authorization.token());
    resource.resource_with(&revoked).expect(200);
    authorization.revoke(&revoked);
    let begun = Instant::now();
    while resource.resource_with(&revoked).status == 200 {
        assert!(begun.elapsed() < PATIENCE, "the revocation was not heard of");
        thread::sleep(Duration::from_millis(10));
    }
    resource.resource_with(&revoked).expect(401);
    resource.resource_with(&kept).expect(200);
    revoked
}

fn claims(jwt: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).expect("three parts")).expect("base64url");
    serde_json::from_slice(&payload).expect("JSON")
}

fn uri(authorization: &Server, member: &str) -> Value {
    let metadata = get(authorization.address, "/.well-known/oauth-authorization-server", &[]).expect(200);
    metadata.json()[member].clone()
}

#[test]
fn a_status_list_of_any_kind_of_signature_is_published_where_tokens_say_and_followed() {
    for scheme in ["ES256", "HS256", "ML-DSA-44"] {
        let authorization = Server::authorization(&["--signature", scheme, "--serves", STATUS_LIST]);
        let published = json!(format!("{}/status-list", authorization.issuer()));
        assert_eq!(uri(&authorization, "status_list_uri"), published);
        assert_eq!(claims(&authorization.token())["status"]["status_list"]["uri"], published);
        let list = get(authorization.address, "/status-list", &[]).expect(200);
        assert_eq!(list.header("content-type"), Some("application/statuslist+jwt"));
        assert_eq!(claims(list.body())["sub"], published);
        if scheme != "HS256" {
            let resource = Server::resource(STATUS_LIST, &authorization, &[]);
            revoked(&authorization, &resource);
        }
    }
}

#[test]
fn a_filter_is_published_and_followed_and_what_it_holds_is_counted() {
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", FILTER]);
    let published = format!("{}/revocation-filter", authorization.issuer());
    assert_eq!(uri(&authorization, "revocation_filter_uri"), json!(published));
    let empty = get(authorization.address, "/revocation-filter", &[]).expect(200);
    assert_eq!((empty.header("content-type"), empty.body()), (Some("application/octet-stream"), ""));
    let resource = Server::resource(FILTER, &authorization, &[]);
    let token = revoked(&authorization, &resource);
    let counts = || get(resource.address, "/bench/counts", &[]).expect(200).json();
    let hits = || counts()["filter_hits"].as_u64().expect("it is counted");
    let before = hits();
    resource.resource_with(&token).expect(401);
    assert_eq!(hits(), before + 1);
    assert!(counts()["filter_false_positives"].is_u64());
}
