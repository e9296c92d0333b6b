//! A word has one meaning: no type that others see is called like another.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Source, read, test_files};

/// Names that stand in more than one place, and in how many. A new type gets a name of its own: by its field's term, or by what it is of.
/// Who renames one of these takes its row away.
const SHARED: &[(&str, usize)] = &[
    ("Answer", 2),
    ("Client", 2),
    ("Conformance", 2),
    ("Curve", 2),
    ("Generator", 3),
    ("Issued", 2),
    ("Load", 2),
    ("Output", 2),
    ("ParameterSet", 2),
    ("Parameters", 2),
    ("Public", 2),
    ("Randomness", 2),
    ("Revocation", 2),
    ("Role", 2),
    ("SigningKey", 3),
    ("Status", 2),
    ("Subject", 3),
    ("Task", 2),
    ("Tokens", 2),
    ("Trust", 2),
    ("Workload", 2),
];

#[test]
fn a_type_that_others_see_has_a_name_of_its_own() {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources).unwrap();
    let faults = faults(&sources, SHARED);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn faults(sources: &[Source], shared: &[(&str, usize)]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let test_files = test_files(sources);
    for (file, text) in sources.iter().filter(|(file, _)| !test_files.contains(file)) {
        let tested = text.split("#[cfg(test)]\nmod tests {").next().expect("a split has a first part");
        for name in tested.lines().filter_map(declared) {
            places.entry(name).or_default().push(file);
        }
    }
    let known = |name: &str| shared.iter().find(|(known, _)| *known == name).map_or(1, |(_, count)| *count);
    let strangers = shared.iter().filter(|(name, _)| !places.contains_key(name));
    let strangers = strangers.map(|(name, _)| format!("{name} is nowhere any more"));
    let counted = places.iter().filter(|(name, places)| places.len() != known(name));
    let counted = counted.map(|(name, places)| {
        format!("{name} stands {} times, not {}: src/{}", places.len(), known(name), places.join(", src/"))
    });
    strangers.chain(counted).collect()
}

/// The name of the type that a line declares for others, as far as they may see it.
fn declared(line: &str) -> Option<&str> {
    let mut rest = line.trim_start().strip_prefix("pub")?;
    if let Some(restricted) = rest.strip_prefix('(') {
        rest = restricted.split_once(')')?.1;
    }
    let rest = rest.strip_prefix(' ')?;
    let rest =
        ["struct ", "enum ", "trait ", "type ", "union "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

#[test]
fn a_declaration_is_found_whoever_may_see_it() {
    for (line, name) in [
        ("pub struct Rate(f64);", Some("Rate")),
        ("    pub(super) enum Stage {", Some("Stage")),
        ("pub(in crate::load) trait Transport: Sized {", Some("Transport")),
        ("pub type Prepare<T> = dyn Fn(&[u8]) -> T;", Some("Prepare")),
        ("struct Inner {", None),
        ("pub fn structure() {}", None),
        ("/// pub struct Words", None),
    ] {
        assert_eq!(declared(line), name, "{line}");
    }
}

#[test]
fn a_name_that_stands_twice_and_an_exception_that_is_none_any_more_are_found() {
    let source = |file: &str, text: &str| (file.to_owned(), text.to_owned());
    let sources = [
        source("a.rs", "pub struct Step;\n#[cfg(test)]\nmod tests {\n    pub struct Step;\n}"),
        source("b.rs", "pub(crate) enum Step {}\npub struct Own;"),
        source("c/mod.rs", "pub struct Own;\n#[cfg(test)]\nmod tests;"),
        source("c/tests.rs", "pub(super) struct Own;"),
    ];
    assert_eq!(
        faults(&sources, &[]),
        [
            "Own stands 2 times, not 1: src/b.rs, src/c/mod.rs",
            "Step stands 2 times, not 1: src/a.rs, src/b.rs"
        ]
    );
    assert_eq!(faults(&sources, &[("Step", 2), ("Own", 2)]), [""; 0]);
    let gone = faults(&sources, &[("Step", 3), ("Own", 2), ("Gone", 2)]);
    assert_eq!(gone, ["Gone is nowhere any more", "Step stands 2 times, not 3: src/a.rs, src/b.rs"]);
}
