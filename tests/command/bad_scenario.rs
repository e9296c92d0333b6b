//! Scenarios that cannot be meant: exit code 2, and a message that says where and what to do.

use crate::sandbox::{SMALL, Sandbox, refused, refused_with};

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant() {
    refused(&SMALL.replace("rate = 100", "rte = 100"), &["case.toml:5: load.rte", "did you mean `rate`?"]);
}

#[test]
fn a_key_that_was_renamed_is_answered_with_its_new_name() {
    let scenario = SMALL.replace("live = 100", "live = 100\nzipf = 0.5");
    let instead = "renamed: use reuse = { kind = \"zipf\", exponent = ... }";
    refused(&scenario, &["case.toml:13: tokens.zipf", instead]);
    refused_with(&["--set", "tokens.zipf=0"], &["tokens.zipf", instead]);
}

#[test]
fn more_requests_than_unique_tokens_are_refused_with_the_number_that_is_needed() {
    let change = ["--set", "tokens.reuse=unique", "--set", "tokens.bad=0"];
    refused_with(
        &change,
        &["case.toml:12: tokens.live", "100 live tokens, expected 1", "set tokens.live = 1"],
    );
}

#[test]
fn a_working_set_larger_than_the_pool_is_refused() {
    refused_with(
        &["--set", "tokens.reuse={ kind = \"working-set\", size = 101 }"],
        &["case.toml:12: tokens.live", "100 live tokens, expected 101", "set tokens.live = 101 or more"],
    );
}

#[test]
fn an_unknown_kind_of_bad_token_is_answered_with_the_nearest() {
    refused_with(
        &["--set", "tokens.mix={ expird = 1 }"],
        &["tokens.mix", "expird", "did you mean `expired`?"],
    );
}

#[test]
fn weights_that_are_none_are_refused() {
    refused_with(&["--set", "tokens.mix={ expired = -1 }"], &["tokens.mix", "from 0 to 1000000, not -1"]);
    refused_with(
        &["--set", "tokens.mix={ expired = 0 }"],
        &["tokens.mix", "no kind has a weight above 0", "tokens.bad = 0"],
    );
}

#[test]
fn a_wire_that_nobody_speaks_is_refused_with_those_that_are_spoken() {
    let with = |wire: &str| SMALL.replace("connections = 4", &format!("connections = 4\nwire = {wire}"));
    let wrong = &["case.toml:10: load.wire.http", "`3`", "`1.1`", "`2`"];
    refused(&with("{ http = \"3\" }"), wrong);
    refused(&with("{ http = 2 }"), &["case.toml:10: load.wire.http", "wanted string"]);
    refused(&with("{ tls = {} }"), &["case.toml:10: load.wire.tls", "key_exchange"]);
    let unknown = &["case.toml:10: load.wire.tls.key_exchange", "`P-256`", "`X25519MLKEM768`"];
    refused(&with("{ tls = { key_exchange = \"P-256\" } }"), unknown);
    refused(&with("{ udp = true }"), &["case.toml:10: load.wire.udp", "`socket`"]);
}

#[test]
fn a_duration_of_zero_is_refused() {
    refused_with(
        &["--set", "load.duration=0s"],
        &["case.toml:7: load.duration", "\"0s\"", "above zero", "10s"],
    );
}

#[test]
fn a_duration_beyond_every_clock_is_refused() {
    for key in ["load.duration", "load.warmup", "tokens.lifetime"] {
        let change = format!("{key}=600y");
        refused_with(&["--set", &change], &[key, "\"600y\"", "up to a year"]);
    }
}

#[test]
fn tokens_that_expire_before_the_load_ends_are_refused() {
    refused_with(
        &["--set", "tokens.lifetime=1s"],
        &[
            "case.toml:11: tokens.lifetime",
            "a token lives 1s, expected more than the 1s 200ms of load.warmup",
        ],
    );
}

#[test]
fn arrivals_that_cannot_be_made_are_refused_before_anything_starts() {
    let arrivals =
        |settings: &str| SMALL.replace("rate = 100", &format!("rate = 100\narrivals = {settings}"));
    refused(&arrivals("\"bursts\""), &["case.toml:6: load.arrivals", "missing field `size`"]);
    refused(
        &arrivals("{ kind = \"stages\", stages = [{ duration = \"5s\", to = 0 }] }"),
        &["case.toml:6: load.arrivals", "every level is 0"],
    );
    let trace = arrivals("{ kind = \"trace\", file = \"trace.csv\" }");
    refused(&trace, &["case.toml:6: load.arrivals", "trace.csv: cannot be read", "No such file"]);
    let sandbox = Sandbox::with(&trace);
    std::fs::write(sandbox.path().join("trace.csv"), "1\n2\nsoon\n").unwrap();
    let words = ["case.toml:6: load.arrivals", "trace.csv:3: expected an instant in seconds", "\"soon\""];
    sandbox.refused(&["run", "case.toml"]).exits(2).says(&words);
    std::fs::write(sandbox.path().join("trace.csv"), "1\n2\n3\n").unwrap();
    let own = "load.arrivals={ kind = \"trace\", file = \"trace.csv\", speed = \"as recorded\" }";
    let words = ["load.sweep", "tries several rates, but `arrivals` come at their own, 1 req/s"];
    let sandbox_of_sweep = Sandbox::with(&SMALL.replace("rate = 100", "sweep = [100, 200]"));
    std::fs::copy(sandbox.path().join("trace.csv"), sandbox_of_sweep.path().join("trace.csv")).unwrap();
    sandbox_of_sweep.refused(&["run", "case.toml", "--set", own]).exits(2).says(&words);
}

#[test]
fn a_load_without_a_rate_or_with_two_kinds_of_it_is_refused_at_the_key() {
    let with = |load: &str| SMALL.replace("rate = 100", load);
    refused(&with(""), &["case.toml:4: load", "no rate; add `rate = 1000`", "`closed`"]);
    let both = ["exclude each other; keep one of"];
    refused(&with("rate = 100\nsweep = [100]"), &[&["case.toml:6: load.sweep"], &both[..]].concat());
    refused(&with("closed = {}\nrate = 100"), &[&["case.toml:5: load.closed"], &both[..]].concat());
    refused(
        &with("sweep = [100]\nsearch = \"p(99)<5ms\""),
        &[&["case.toml:6: load.search"], &both[..]].concat(),
    );
    refused(
        &with("rate = 100\ngenerators = 5"),
        &["case.toml:6: load.generators", "5 threads", "load.connections is 4"],
    );
    refused(&with("sweep = []"), &["case.toml:5: load.sweep", "expected 1 to 100 rates, not 0"]);
    refused(&with("sweep = [100, 200, 100]"), &["case.toml:5: load.sweep", "100 req/s stands there twice"]);
}

#[test]
fn a_search_for_what_no_rate_makes_worse_is_refused() {
    let with = |load: &str| SMALL.replace("rate = 100", load);
    for limit in ["p(99)>5ms", "errors<1%", "throughput>100"] {
        let words = ["case.toml:5: load.search", "expected an upper limit on latency"];
        refused(&with(&format!("search = \"{limit}\"")), &words);
    }
    let words = ["case.toml:6: load.requests", "a search decides by itself"];
    refused(&with("search = \"p(99)<5ms\"\nrequests = 100"), &words);
    let search = with("search = \"p(99)<5ms\"").replace("\"1s\"", "\"2m\"");
    refused(&search, &["case.toml:7: load.duration", "at most 1m, not 2m"]);
    let words = ["tokens.lifetime", "expected more than the", "the longest step of load.search"];
    refused(&with("search = \"p(99)<5ms\"").replace("live = 100", "live = 100\nlifetime = \"30s\""), &words);
}

#[test]
fn what_does_not_go_with_the_wire_or_with_an_end_by_count_is_refused() {
    refused_with(
        &["--set", "load.streams=4"],
        &["load.streams", "one request at a time on a connection, not 4"],
    );
    refused_with(&["--set", "load.requests=100"], &["load.requests", "set `tokens = 0` in [revocation]"]);
}

#[test]
fn a_fraction_above_one_is_refused() {
    refused_with(&["--set", "tokens.bad=5"], &["tokens.bad", "from 0 to 1, not 5"]);
}

#[test]
fn a_threshold_that_says_nothing_known_is_refused() {
    let with = |threshold: &str| SMALL.replace("errors<=100%", threshold);
    refused(&with("p(99)"), &["case.toml:2: thresholds[0]", "compares nothing", "p(99)<5ms"]);
    refused(&with("p(99)<5parsecs"), &["case.toml:2", "5parsecs", "expected a time like 250us"]);
    refused(&with("eror<1%"), &["case.toml:2", "unknown metric \"eror\"", "did you mean \"errors\"?"]);
}

#[test]
fn broken_toml_is_refused_at_its_line() {
    refused(&SMALL.replace("rate = 100", "rate = = 100"), &["case.toml:5"]);
    refused(&SMALL.replace("[load]", "[load"), &["case.toml:4"]);
    let twice = SMALL.replace("rate = 100", "rate = 100\nrate = 200");
    refused(&twice, &["case.toml:6", "duplicate key"]);
}

#[test]
fn broken_toml_is_refused_at_its_line_with_a_change_too() {
    let scenario = SMALL.replace("rate = 100", "rate = = 100");
    Sandbox::with(&scenario)
        .refused(&["run", "case.toml", "--set", "seed=7"])
        .exits(2)
        .says(&["case.toml:5"]);
}

#[test]
fn a_file_that_is_none_is_refused() {
    let sandbox = Sandbox::with(SMALL);
    let missing = sandbox.refused(&["run", "missing.toml"]).exits(2);
    missing.says(&["missing.toml: cannot be read", "No such file", "give the path of a scenario file"]);
    sandbox.refused(&["run", "."]).exits(2).says(&["cannot be read", "Is a directory"]);
    std::fs::write(sandbox.path().join("binary.toml"), [0xff, 0xfe, 0x00]).unwrap();
    sandbox.refused(&["run", "binary.toml"]).exits(2).says(&["binary.toml: cannot be read", "UTF-8"]);
}

#[test]
fn no_resource_server_too_many_and_another_number_of_users_are_refused_at_the_key() {
    let with = |servers: &str| {
        SMALL.replace(
            "architecture = \"introspection\"",
            &format!("architecture = \"introspection\"\nresource_servers = {servers}"),
        )
    };
    let key = "case.toml:25: subject[1].resource_servers";
    refused(&with("0"), &[key, "`0`", "nonzero"]);
    refused(&with("2000"), &[key, "expected at most 1000, not 2000"]);
    refused(
        &SMALL.replace("resource_servers = 2", "resource_servers = 2000"),
        &["case.toml:8: load.resource_servers", "at most 1000"],
    );
    refused(&with("-1"), &[key, "`-1`"]);
    let closed = with("4").replace("rate = 100", "closed = {}");
    refused(
        &closed,
        &[key, "4 resource servers have other users than the 2 of load.resource_servers", "set load.rate"],
    );
}
