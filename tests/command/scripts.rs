//! What `scripts/` prints.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::Ended;

/// What `scripts/failed-tests` makes of what cargo said.
fn failed_tests(said: &str) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/failed-tests");
    let mut command = Command::new(script);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is bash");
    child.stdin.take().expect("piped").write_all(said.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends").into()
}

const SAID: &str = "   Compiling bearerbench v0.1.0
    Finished `test` profile [unoptimized + debuginfo] target(s) in 1.00s
     Running unittests src/lib.rs (target/debug/deps/bearerbench-0123)

running 3 tests
test a::fine ... ok
test b::bad ... FAILED
test c::worse ... FAILED

failures:

---- b::bad stdout ----

thread 'b::bad' panicked at src/b.rs:1:1:
assertion failed:
    indented like a name
note: run with `RUST_BACKTRACE=1`

---- c::worse stdout ----
failures:
    not this one
but this is what it printed


failures:
    b::bad
    c::worse

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s

error: test failed, to rerun pass `--lib`
     Running tests/command/main.rs (target/debug/deps/command-4567)

running 1 test
error: test failed, to rerun pass `--test command`

Caused by:
  process didn't exit successfully: `target/debug/deps/command-4567` (signal: 6, SIGABRT: process abort signal)
     Running tests/fine.rs (target/debug/deps/fine-89ab)

running 1 test
test it_is ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s

   Doc-tests bearerbench

running 1 test
test src/lib.rs - (line 3) ... FAILED

failures:

---- src/lib.rs - (line 3) stdout ----
no

failures:
    src/lib.rs - (line 3)

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s

error: 3 targets failed:
    `--lib`
    `--test command`
    `--doc`
";

#[test]
fn every_failed_test_has_a_line_and_so_has_a_program_that_ended_before_its_tests() {
    let told = failed_tests(SAID).exits(1);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "FAILED  src/lib.rs: b::bad",
            "FAILED  src/lib.rs: c::worse",
            "FAILED  tests/command/main.rs: ended before its last test did",
            "FAILED  documentation of bearerbench: src/lib.rs - (line 3)",
        ]
    );
    let fine = SAID.split_once("     Running tests/fine.rs").expect("it is there").1;
    let fine = fine.split_once("   Doc-tests").expect("it is there").0;
    let told = failed_tests(&format!("     Running tests/fine.rs{fine}")).exits(0);
    assert_eq!(told.stdout, "");
}
