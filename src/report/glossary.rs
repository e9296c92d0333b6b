//! Words of the report that a reader may not know.

/// Word and meaning.
pub(super) const GLOSSARY: &[(&str, &str)] = &[
    (
        "added latency",
        "the quantile of a subject minus that of the control in the same run: what validation itself costs",
    ),
    (
        "authorization server",
        "issues tokens, tells whether a token is active (introspection, RFC 7662), revokes tokens (RFC 7009) and publishes keys (RFC 7517)",
    ),
    (
        "bounded, lost",
        "how far a figure can be trusted. Bounded: the true value lies between the two values shown; their difference may be the generator's own lag. Lost: it could not be measured here, and at most one bound is known. A figure without a mark is sound",
    ),
    (
        "calls per request",
        "calls to the authorization server (introspections and fetches of keys) divided by requests to the API",
    ),
    (
        "churn",
        "live tokens that are replaced per second, as clients come and go: each is issued under the load, and no cache knows it yet",
    ),
    (
        "conforming",
        "decides every published vector (Wycheproof, or the examples of its draft; the table says which) correctly: no forgery accepted, no valid signature refused. An implementation that does not conform is shown, but never ranked",
    ),
    (
        "control",
        "a resource server that accepts every token without looking at it, or one that verifies tokens nobody signed. Its figures are the bench's own cost",
    ),
    (
        "CPU per 10⁶ requests",
        "seconds of processor time, user and system, that all resource servers or the authorization server used for a million API requests",
    ),
    (
        "due",
        "the instant at which the schedule starts a request, whether or not the servers are ready for it",
    ),
    (
        "exposure",
        "how long a copied token still works after the theft is reported: the time that the revocation takes, since who hears of a theft revokes the token",
    ),
    (
        "few samples",
        "fewer than 100 requests, or timed operations, lie beyond the quantile: another run would show another value",
    ),
    (
        "gateway",
        "the server that clients reach where there are two: it decides on the token of a request and passes it on, with another token if the architecture says so",
    ),
    (
        "in flight",
        "a request sent before the revocation was acknowledged and accepted after it: neither safe nor unsafe",
    ),
    (
        "introspection",
        "the resource server asks the authorization server about an opaque token; cached: it keeps the answer for a while",
    ),
    (
        "JWT",
        "JSON Web Token: a signed assertion that the resource server verifies by itself. ES256 is a classical signature, ML-DSA a post-quantum one",
    ),
    ("opaque token", "a random string that only the authorization server can resolve"),
    ("p50, p99, p99.9", "half, 99 % and 99.9 % of the requests were answered within this time"),
    (
        "channel delay",
        "the time from the acknowledgement of a revocation until a resource server to which it is pushed knows of it. From then on that server refuses the token",
    ),
    (
        "readable claims",
        "what a client, or whoever copied its token, can read in it: the claims of a JWT. Of an opaque token and of the signature of a split token, which say nothing, 0",
    ),
    (
        "requests per second and core",
        "requests divided by the CPU time that the resource servers used for them, HTTP included: an extrapolation from the offered rate to a core that is always busy, not an upper bound",
    ),
    (
        "resource server",
        "the API: accepts or refuses a request by its token. Each one is a place where a revocation must arrive",
    ),
    (
        "rate at the limit",
        "the highest offered rate at which the limit of the search holds and at most 0.1 % of the requests fail. Below it stand the highest rate that passed and the lowest that failed; with several repetitions, the 95 % interval across them",
    ),
    (
        "revocation takes",
        "the time from the acknowledgement of a revocation to the last acceptance of the token at a resource server",
    ),
    (
        "sign, verify, validate",
        "sign: make a signature. Verify: check a signature, with the key prepared as far as the library allows. Validate: parse a token, verify its signature and check its claims. Each is timed alone on one core, before the load",
    ),
    ("subject", "one way to validate tokens, with its settings, under comparison"),
    (
        "unsafe acceptance",
        "a request that was accepted although it was sent after the revocation had been acknowledged",
    ),
    ("wrong answer", "a good token refused or a bad one (expired, tampered with, ...) accepted"),
];
