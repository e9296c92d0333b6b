//! What a person should know of the servers of a trial, and of the tokens that they are sent.

use crate::design::TokenFormat;
use crate::header_limit::refusing;
use crate::metric::thousands;
use crate::plan::{Plan, Subject};

/// How many processes the resource servers share, if they do.
pub(super) fn processes(plan: &Plan, resource_servers: u32) -> String {
    let processes = plan.placement.processes(resource_servers);
    if processes.len() == resource_servers as usize {
        return String::new();
    }
    let most = processes.into_iter().map(Iterator::count).max().unwrap_or(0);
    format!(
        " in {} processes of at most {most} (each has its own port and cache; CPU time and memory are those of the processes)",
        plan.placement.processes(resource_servers).len()
    )
}

/// What larger claims make larger, and who refuses that by default. Our own servers take it, or there would be no plan.
pub(super) fn extra_claims(subject: &Subject) -> String {
    let (name, size) = (&subject.name, subject.extra_claims);
    let Some(characters) = subject.jwt_characters() else {
        return format!(
            "claims of {name}: {size} of groups in the answers of the authorization server, none in its tokens"
        );
    };
    let whose = match subject.token_format() {
        TokenFormat::Jwt => "its tokens have",
        TokenFormat::Opaque | TokenFormat::Signature => "behind its gateway tokens have",
    };
    let refusing =
        refusing(characters as u64).iter().map(|limit| limit.server).collect::<Vec<_>>().join(", ");
    let refusing = if refusing.is_empty() { "nobody".to_owned() } else { refusing };
    format!(
        "claims of {name}: {size} of groups; {whose} about {} characters, refused by default by {refusing} (our servers let \
         them through; who refuses what: explain token-size)",
        thousands(&characters.to_string())
    )
}
