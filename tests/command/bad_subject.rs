//! Subjects that cannot be measured: refused at their line.

use crate::sandbox::{SMALL, refused};

#[test]
fn an_unknown_architecture_is_named_with_the_one_that_was_meant_and_all_known() {
    let scenario = SMALL.replace("\"introspection\"", "\"introspecton\"");
    refused(
        &scenario,
        &[
            "case.toml:24: subject[1].architecture",
            "unknown validation architecture \"introspecton\"; did you mean \"introspection\"?",
            "known: none, introspection, introspection-cached, introspection-signed, jwt",
        ],
    );
}

#[test]
fn an_unknown_setting_of_an_architecture_is_refused() {
    let scenario = SMALL.replace("\"introspection\"", "{ kind = \"introspection-cached\", tll = \"2s\" }");
    refused(&scenario, &["case.toml:24: subject[1].architecture", "unknown field `tll`", "`ttl`"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused_at_their_line_with_what_to_do() {
    let cached = "{ kind = \"introspection-cached\", ttl = \"2s\", refresh_ahead = \"3s\" }";
    let scenario = SMALL.replace("\"introspection\"", cached);
    refused(
        &scenario,
        &[
            "case.toml:24: subject[1].architecture",
            "`refresh_ahead` 3s is not shorter than `ttl` 2s",
            "choose a shorter one, or a part of `ttl` like 0.2",
        ],
    );
}

#[test]
fn tokens_that_end_before_they_are_refreshed_are_refused_at_their_line_with_what_to_do() {
    for (settings, words) in [
        ("life = \"2s\"", ["`life` 2s is over before a token is refreshed", "choose a longer `life`"]),
        ("life = \"5s\", margin = \"1s\"", ["`margin` 1s is shorter than 2 s", "choose 2 s or more"]),
        ("life = \"5s\", margin = \"5s\"", ["up to 6.25s before its end", "or a shorter `margin`"]),
        ("life = \"1h\"", ["`life` 1h is not shorter than the", "or a longer tokens.lifetime"]),
    ] {
        let refreshing = format!("{{ kind = \"jwt-refresh\", {settings} }}\nsignature = \"ES256\"");
        let scenario = SMALL.replace("\"introspection\"", &refreshing);
        refused(&scenario, &[&["case.toml:24: subject[1].architecture"], &words[..]].concat());
    }
}

#[test]
fn tokens_that_clients_have_refreshed_are_not_replaced() {
    let refreshing = "{ kind = \"jwt-refresh\", life = \"5s\" }\nsignature = \"ES256\"";
    let scenario =
        SMALL.replace("\"introspection\"", refreshing).replace("[tokens]\n", "[tokens]\nchurn = 20\n");
    assert!(scenario.contains("churn"), "{scenario}");
    refused(
        &scenario,
        &["case.toml:25: subject[1].architecture", "none can be replaced", "leave tokens.churn away"],
    );
}

#[test]
fn proofs_for_tokens_that_are_renewed_under_load_are_refused_at_their_line_with_what_to_do() {
    let refreshing = "{ kind = \"jwt-refresh\", life = \"5s\" }\nsignature = \"ES256\"\nsender = \"dpop\"";
    refused(
        &SMALL.replace("\"introspection\"", refreshing),
        &[
            "case.toml:26: subject[1].sender",
            "its clients have tokens refreshed",
            "choose another architecture",
            "choose `sender = \"mtls\"`",
        ],
    );
    let churned = SMALL
        .replace("\"introspection\"", "\"introspection\"\nsender = \"dpop\"")
        .replace("[tokens]\n", "[tokens]\nchurn = 20\n");
    refused(
        &churned,
        &[
            "case.toml:26: subject[1].sender",
            "tokens.churn replaces tokens",
            "a scenario without tokens.churn",
        ],
    );
}

#[test]
fn jwt_without_a_signature_scheme_is_refused_at_the_line_of_its_subject() {
    let scenario = SMALL.replace("\"introspection\"", "\"jwt\"");
    refused(&scenario, &["case.toml:22: subject[1]", "add a signature scheme, like signature = \"ES256\""]);
}

#[test]
fn claims_that_make_tokens_longer_than_our_servers_read_are_refused_with_how_many_would_do() {
    let signed = SMALL.replace("\"introspection\"", "\"jwt\"\nsignature = \"ES256\"");
    let with = |size: &str| signed.replace("signature =", &format!("extra_claims = \"{size}\"\nsignature ="));
    let says =
        ["case.toml:22: subject[1]", "60 KB of groups", "at most 65536; set extra_claims = \"48KB\" or less"];
    refused(&with("60KB"), &says);
    refused(
        &with("many"),
        &["case.toml:25: subject[1].extra_claims", "\"many\" is no size of claims", "like 400B"],
    );
    let opaque = SMALL.replace("\"introspection\"", "\"introspection\"\nextra_claims = \"66KB\"");
    refused(&opaque, &["case.toml:22: subject[1]", "expected at most 65536 bytes, not 66000"]);
}

#[test]
fn two_subjects_of_one_name_are_refused_at_the_second() {
    let scenario = SMALL.replace("\"opaque\"", "\"control\"");
    refused(&scenario, &["case.toml:22: subject[1]", "a second subject is called \"control\"", "`name`"]);
}

#[test]
fn a_subject_whose_name_is_no_line_of_text_is_refused() {
    for name in ["\"\"", "\" \"", "\"two\\nlines\""] {
        let scenario = SMALL.replace("\"opaque\"", name);
        refused(&scenario, &["case.toml:22: subject[1]", "a `name` is a line of text"]);
    }
}

#[test]
fn a_scenario_without_subjects_is_refused() {
    let (load, _) = SMALL.split_once("[[subject]]").unwrap();
    refused(load, &["case.toml", "subject"]);
}
