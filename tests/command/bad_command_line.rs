//! Arguments that cannot be meant, and changes by `--set` that break a good scenario.

use std::fs;

use crate::sandbox::{SMALL, Sandbox, refused, refused_with};

#[test]
fn a_rate_below_zero_is_refused_in_the_file_and_on_the_command_line() {
    let words = ["case.toml:5: load.rate", "a number of requests per second above 0, not -1"];
    refused(&SMALL.replace("rate = 100", "rate = -1"), &words);
    refused_with(&["--set", "load.rate=-1"], &words);
}

#[test]
fn a_word_where_a_table_belongs_is_refused_in_words_of_toml() {
    refused_with(&["--set", "load=5"], &["load", "`5`", "expected a table"]);
    refused_with(&["--set", "load.rate.x=5"], &["--set load.rate.x", "rate is no table"]);
}

#[test]
fn a_change_on_the_command_line_does_not_move_the_lines_that_messages_name() {
    let scenario = SMALL.replace("\"introspection\"", "\"jwt\"");
    let arguments = ["run", "case.toml", "--set", "load.arrivals=constant", "--set", "seed=7"];
    Sandbox::with(&scenario).refused(&arguments).exits(2).says(&["case.toml:22: subject[1]"]);
    let scenario = SMALL.replace("\"introspection\"", "\"introspecton\"");
    Sandbox::with(&scenario).refused(&arguments).exits(2).says(&["case.toml:24: subject[1].architecture"]);
}

#[test]
fn a_key_that_only_the_command_line_has_is_named_with_its_table() {
    refused_with(&["--set", "load.rte=5"], &["case.toml:4: load.rte", "did you mean `rate`?"]);
    refused_with(&["--set", "seed=no"], &["case.toml: seed", "\"no\""]);
}

#[test]
fn a_subject_that_is_not_there_is_refused_with_those_that_are() {
    let words = ["--only: no subject is called \"opaqe\"; did you mean \"opaque\"?; known: control, opaque"];
    refused_with(&["--only", "opaqe"], &words);
    refused_with(&["--only", "x"], &["--only: no subject is called \"x\"; known: control, opaque"]);
}

#[test]
fn a_command_line_that_says_nothing_gets_the_help_and_exit_code_2() {
    let sandbox = Sandbox::with(SMALL);
    sandbox.refused(&[]).exits(2).says(&["Usage: bearerbench", "run scenarios/quickstart.toml"]);
    sandbox.refused(&["run"]).exits(2).says(&["<SCENARIO>"]);
    sandbox.refused(&["rn"]).exits(2).says(&["rn"]);
    sandbox.refused(&["run", "case.toml", "--set", "load.rate"]).exits(2).says(&["KEY=VALUE"]);
}

#[test]
fn every_command_that_takes_a_scenario_refuses_a_bad_one_alike() {
    for command in ["run", "check", "plan"] {
        let sandbox = Sandbox::with(SMALL);
        let ended = sandbox.refused(&[command, "case.toml", "--set", "load.rate=-1"]);
        ended.exits(2).says(&["case.toml:5: load.rate"]);
    }
}

#[test]
fn an_algorithm_that_others_have_is_no_slip_of_one_that_is_here() {
    let sandbox = Sandbox::with(SMALL);
    for alg in ["PS384", "RS512", "ES512", "ES256K", "Ed448"] {
        let refused =
            sandbox.refused(&["token", "keygen", "--alg", alg]).exits(2).says(&[alg, "known: HS256"]);
        assert!(!refused.stderr.contains("did you mean"), "{refused:#?}");
    }
    let slip = sandbox.refused(&["token", "keygen", "--alg", "ES265"]);
    slip.exits(2).says(&["did you mean \"ES256\"?"]);
}

/// A command line with a file in it that is not there, is a folder, or holds bytes that mean nothing.
#[test]
fn a_file_that_cannot_be_used_is_named_by_every_command_that_reads_one_with_exit_code_2() {
    let sandbox = Sandbox::with(SMALL);
    fs::create_dir_all(sandbox.path().join("folder/recording.jsonl")).unwrap();
    fs::create_dir(sandbox.path().join("bytes")).unwrap();
    for file in ["bytes/recording.jsonl", "bytes/file"] {
        fs::write(sandbox.path().join(file), b"\xff\xfe\x00\x01\n").unwrap();
    }
    let authorization = "serve authorization-server --listen 127.0.0.1:0";
    let resource = "serve resource-server --listen 127.0.0.1:0 --architecture jwt";
    let load = "load --target http://127.0.0.1:1 --tokens t --closed";
    let of_file = [
        "run FILE".to_owned(),
        "check FILE".to_owned(),
        "plan FILE".to_owned(),
        format!("{authorization} --signing-key FILE"),
        format!("{authorization} --signature ES256 --also-publish FILE"),
        format!("{resource} --shared-key FILE"),
        "token issue --iss a --aud b --key FILE".to_owned(),
        "token verify --key FILE token".to_owned(),
        format!("{load} --ca FILE"),
        format!("{load} --client-cert FILE"),
    ];
    let of_folder = ["report FOLDER", "compare FOLDER FOLDER"].map(str::to_owned);
    for (commands, word, files) in [
        (&of_file[..], "FILE", ["missing", "folder", "bytes/file"]),
        (&of_folder[..], "FOLDER", ["missing", "folder", "bytes"]),
    ] {
        for (command, file) in commands.iter().flat_map(|command| files.map(|file| (command, file))) {
            let command = command.replace(word, file);
            let refused = sandbox.refused(&command.split(' ').collect::<Vec<_>>());
            assert_eq!(refused.code, Some(2), "{command}: {refused:#?}");
            assert!(refused.stderr.contains(file), "{command}: {refused:#?}");
        }
    }
}

#[test]
fn an_authorization_server_that_a_resource_server_cannot_ask_is_refused_before_it_is_asked() {
    let sandbox = Sandbox::with(SMALL);
    let serve = ["serve", "resource-server", "--architecture", "jwt", "--authorization-server"];
    for (url, words) in [
        ("https://127.0.0.1:9443", "speaks plain HTTP with other servers, not TLS"),
        ("127.0.0.1:9000", "expected a URL like http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000?realm=a", "expected a URL like http://127.0.0.1:9000"),
        ("http://", "expected a URL like http://127.0.0.1:9000"),
    ] {
        sandbox.refused(&[&serve[..], &[url]].concat()).exits(2).says(&[url, words]);
    }
}
