//! What `load` says of a server, in its thresholds, its report and its files, and how two loads are compared.

use std::fs;

use serde_json::Value;

use crate::counting::Counting;
use crate::full_run::{parsed, text};
use crate::program::Ended;
use crate::sandbox::Sandbox;

/// A folder with two tokens in the file `t.txt`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with("");
    fs::write(sandbox.path().join("t.txt"), "one\ntwo\n").expect("the folder can be written");
    sandbox
}

fn load(sandbox: &Sandbox, url: &str, more: &[&str]) -> Ended {
    let short =
        ["load", "--target", url, "--tokens", "t.txt", "--warmup", "0s", "--closed", "--connections", "4"];
    sandbox.ended(&[&short, more].concat())
}

#[test]
fn every_statistic_that_k6_knows_is_judged_as_the_other_latencies_are() {
    let (sandbox, server) = (sandbox(), Counting::start());
    let statistics =
        ["avg", "min", "med", "max", "p(50)", "p(75)", "p(90)", "p(95)", "p(12.5)", "latency.service(p(75))"];
    let thresholds: Vec<String> = statistics.iter().map(|statistic| format!("{statistic}<10m")).collect();
    let thresholds: Vec<String> = thresholds.iter().map(|written| written.replace("10m", "600s")).collect();
    let mut more = vec!["--requests", "2500", "--duration", "10m", "--out", "out", "--json"];
    more.extend(thresholds.iter().flat_map(|written| ["--threshold", written]));
    let told = load(&sandbox, &server.url(), &more);
    let json: Value = parsed(&told.stdout);
    for metric in [
        "latency.mean",
        "latency.min",
        "latency.p50",
        "latency.max",
        "latency.p75",
        "latency.p90",
        "latency.p95",
        "latency.p125",
        "latency.service.p75",
    ] {
        let value = &json["metrics"][metric];
        assert!(value["point"].as_f64() > Some(0.0) && value["standing"].is_string(), "{metric}: {json}");
    }
    let point = |metric: &str| json["metrics"][metric]["point"].as_f64().expect("a number");
    assert!(
        point("latency.min") <= point("latency.p125") && point("latency.p75") <= point("latency.p90"),
        "{json}"
    );
    let summary = parsed(&text(&sandbox.out().join("summary.json")));
    let verdicts = summary["thresholds"].as_array().expect("a list");
    assert_eq!(verdicts.len(), statistics.len());
    for verdict in verdicts {
        // A machine on which something takes the generator's core leaves less to be claimed, of these as of all.
        let outcome = &verdict["outcome"];
        assert!(outcome == "holds" || outcome["not_shown"] == "bounded", "{verdict}");
    }
    assert!(text(&sandbox.out().join("report.md")).contains("p(75)<600s"));
}

#[test]
fn a_percentile_of_too_few_requests_does_not_hold_and_what_is_none_is_refused() {
    let (sandbox, server) = (sandbox(), Counting::start());
    let more = ["--requests", "50", "--threshold", "p(75)<600s", "--json", "--out", "out"];
    load(&sandbox, &server.url(), &more).exits_as_judged(&sandbox.out(), 99);
    let summary = parsed(&text(&sandbox.out().join("summary.json")));
    assert_eq!(summary["thresholds"][0]["outcome"]["not_shown"]["few_requests"]["needed"], 400, "{summary}");
    for (threshold, words) in [
        ("p(101)<1s", "\"p(101)\" is no percentile; expected a number from 0 to 100"),
        ("p(95)<500", "expected a time like 250us, 5ms or 2s, with its unit"),
        ("http_req_duration(p(95))<1s", "did you mean \"latency.p95\"?"),
        ("throughput(p(95))>1", "throughput has no \"p(95)\""),
    ] {
        load(&sandbox, &server.url(), &["--threshold", threshold]).exits(2).says(&[words]);
    }
    let explained = sandbox.ended(&["explain", "p(97.5)"]).exits(0).stdout;
    assert!(explained.starts_with("latency.p975: 97.5 % of the requests"), "{explained}");
}

#[test]
fn loads_of_two_urls_are_compared_by_name_or_by_position_with_a_note() {
    let (sandbox, first, second) = (sandbox(), Counting::start(), Counting::start());
    for (server, out, name) in
        [(&first, "a", None), (&second, "b", None), (&first, "c", Some("api")), (&second, "d", Some("api"))]
    {
        let mut more = vec!["--requests", "1000", "--out", out];
        more.extend(name.into_iter().flat_map(|name| ["--name", name]));
        load(&sandbox, &server.url(), &more);
    }
    let compared = |more: &[&str]| sandbox.ended(&[&["compare"], more].concat()).exits(0).stdout;
    let text = compared(&["a", "b", "--all"]);
    let (first, second) = (first.url(), second.url());
    assert!(
        text.contains(&format!("{first} and {second} have different names and are paired by position")),
        "{text}"
    );
    assert!(text.contains(&format!("\n{first} -> {second}\n")), "{text}");
    let p50 = text.lines().find(|line| line.trim_start().starts_with("latency.p50 ")).expect("it is there");
    assert!(
        !p50.contains('–') || p50.matches('–').count() == 2,
        "both values, and no dash for a missing one: {p50}"
    );
    let named = compared(&["c", "d", "--all"]);
    assert!(named.contains("\napi\n") && !named.contains("paired by position"), "{named}");
    assert!(!named.contains(" 0.00 "), "{named}");

    let json = parsed(&compared(&["c", "d", "--json"]));
    assert_eq!(json["subjects"][0]["first"], "api");
    let metrics = json["subjects"][0]["metrics"].as_array().expect("a list");
    let is_changed = |metric: &&Value| metric["changed"] == true;
    let changed = metrics.iter().filter(is_changed).count();
    assert!(metrics[..changed].iter().all(|metric| is_changed(&metric)), "what changed comes first: {json}");
    let brief = compared(&["c", "d"]);
    assert!(brief.contains("unchanged; --all shows them") || changed == metrics.len(), "{brief}");
    assert_eq!(brief.lines().filter(|line| line.contains("latency.p50 ")).count(), {
        let p50 = metrics.iter().find(|metric| metric["metric"] == "latency.p50").expect("it is there");
        usize::from(p50["changed"] == true)
    });
}

#[test]
fn the_report_of_a_load_says_nothing_that_is_not_known_and_takes_names_for_text() {
    let (sandbox, server) = (sandbox(), Counting::start());
    let name = "api|<img src=x>";
    load(&sandbox, &server.url(), &["--requests", "300", "--out", "out", "--name", name]);
    let [page, text] = ["report.html", "report.md"].map(|file| text(&sandbox.out().join(file)));
    for said in [&page, &text] {
        for nothing in ["last 0 s", "lived 0 s", "sent 0 times", "1 resource servers", "<img"] {
            assert!(!said.contains(nothing), "{nothing} in {said}");
        }
        assert!(said.contains("2 live tokens, sent one after the other"), "{said}");
    }
    assert!(text.contains("api\\|&lt;img src=x>"), "{text}");
    assert!(page.contains(&server.url()) && text.contains(&server.url()), "the URL is told beside the name");
}

#[test]
fn a_load_that_ends_early_tells_the_window_that_it_measured() {
    let (sandbox, server) = (sandbox(), Counting::start());
    let more = ["--requests", "300", "--duration", "10m", "--out", "out", "--json"];
    let json = parsed(&load(&sandbox, &server.url(), &more).stdout);
    let measured = json["workload"]["window_seconds"].as_f64().expect("a number");
    assert!(0.0 < measured && measured < 600.0, "{measured}");
    let throughput = json["metrics"]["throughput"]["point"].as_f64().expect("a number");
    assert!((throughput * measured - 300.0).abs() < 30.0, "{throughput} in {measured} s");
}

#[test]
fn a_load_of_which_no_request_is_due_is_no_success() {
    let (sandbox, server) = (sandbox(), Counting::start());
    let url = server.url();
    let never = [
        "load",
        "--target",
        &url,
        "--tokens",
        "t.txt",
        "--rate",
        "0.001",
        "--duration",
        "1s",
        "--warmup",
        "0s",
    ];
    let told = sandbox.ended(&never).exits(12);
    told.says(&["no request was due within the measured window", "a longer duration, a higher rate"]);
    assert_eq!(server.answered(), 1, "the one before the load");
}

#[test]
fn what_cannot_be_written_or_reached_is_named_before_anything_is_sent() {
    let (sandbox, server) = (sandbox(), Counting::start());
    fs::write(sandbox.path().join("file"), "").expect("the folder can be written");
    for (out, words) in [
        ("file", "Not a directory"),
        ("file/deeper", "Not a directory"),
        ("/proc/nowhere/out", "cannot write"),
    ] {
        let url = server.url();
        let arguments = ["load", "--target", &url, "--tokens", "t.txt", "--rate", "5", "--out", out];
        sandbox.refused(&arguments).exits(2).says(&[out, words, "--out"]);
    }
    // That nothing can be made in /proc shows when it is tried, after the one request before the load.
    assert!(server.answered() <= 1, "{}", server.answered());
    for socket in ["nowhere.sock", "@nowhere-at-all", "file"] {
        let url = "http://localhost/resource";
        let arguments = ["load", "--target", url, "--unix", socket, "--tokens", "t.txt", "--rate", "5"];
        let told = sandbox.refused(&arguments).exits(2);
        told.says(&["--unix", "nobody listens on the socket", socket]);
    }
    for arguments in [
        &[
            "serve",
            "resource-server",
            "--architecture",
            "none",
            "--listen",
            "127.0.0.1:0",
            "--tls",
            "X25519",
            "--write-certificate",
            "file/c",
        ][..],
        &["token", "keygen", "--alg", "ES256", "--out", "file/key"],
    ] {
        sandbox.refused(arguments).exits(2).says(&["cannot write", "file/", "Not a directory"]);
    }
}
