//! Keeps the layers: what a module imports, the table below allows, and every file says what it is for.

#[path = "layers/names.rs"]
mod names;
#[path = "layers/references.rs"]
mod references;

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

/// Each module may import the rows named behind it, which all stand above it, so that there is no circle;
/// `"*"` is every row above. A module is a folder or file of `src`; what lies in it belongs to it unless a
/// longer row says otherwise. The tests at the end of a file may import what they like.
const LAYERS: Layers = &[
    ("units", &[]),
    ("design", &[]),
    ("registry", &[]),
    ("wire", &[]),
    ("service", &["registry"]),
    ("observation", &["units", "design", "registry", "wire"]),
    ("metric", &["registry"]),
    ("header_limit", &[]),
    ("auth/future", &[]),
    ("auth/bounded_log", &[]),
    ("auth/token/base64url", &[]),
    ("auth/token/jwks", &["auth/token/base64url"]),
    ("auth/token/pem", &["auth/token/base64url", "auth/token/jwks"]),
    ("auth/token/signature", &["registry", "auth/token/jwks"]),
    ("auth/token", &["registry", "auth/token/base64url", "auth/token/jwks", "auth/token/signature"]),
    ("auth/store", &["registry", "units", "auth/future", "auth/token", "auth/token/base64url"]),
    ("auth/revocation_event", &["auth/token"]),
    ("auth/issuer", &["auth/future", "auth/token", "auth/revocation_event"]),
    ("auth/refreshed", &["auth/future", "auth/issuer"]),
    ("auth/pushed", &["auth/future", "auth/issuer", "auth/refreshed", "auth/revocation_event"]),
    ("auth/sender", &["registry", "units", "wire", "auth/token", "auth/token/signature"]),
    (
        "auth/authorization_server",
        &[
            "design",
            "auth/future",
            "auth/issuer",
            "auth/revocation_event",
            "auth/store",
            "auth/token",
            "auth/token/base64url",
            "auth/token/jwks",
            "auth/token/signature",
            "registry",
        ],
    ),
    (
        "auth/architecture",
        &[
            "registry",
            "units",
            "design",
            "auth/bounded_log",
            "auth/future",
            "auth/token",
            "auth/token/jwks",
            "auth/token/signature",
            "auth/store",
            "auth/issuer",
            "auth/refreshed",
            "auth/revocation_event",
            "auth/pushed",
            "auth/authorization_server",
        ],
    ),
    ("arrival", &["registry", "units"]),
    ("reuse", &["registry", "units", "observation"]),
    (
        "scenario",
        &[
            "registry",
            "units",
            "metric",
            "wire",
            "service",
            "auth/architecture",
            "auth/sender",
            "auth/store",
            "auth/token/signature",
            "arrival",
            "reuse",
        ],
    ),
    (
        "plan",
        &[
            "registry",
            "units",
            "design",
            "metric",
            "wire",
            "service",
            "auth/architecture",
            "auth/sender",
            "auth/store",
            "auth/token",
            "auth/token/signature",
            "arrival",
            "reuse",
            "scenario",
        ],
    ),
    ("testbed", &["*"]),
    ("load", &["arrival", "reuse", "units", "wire", "plan", "observation"]),
    ("identity_provider", &["units", "auth/token", "auth/token/jwks", "auth/token/signature", "testbed"]),
    ("run", &["registry", "units", "design", "wire", "reuse", "plan", "observation", "testbed", "load"]),
    ("analysis", &["units", "design", "metric", "observation"]),
    (
        "selftest",
        &["units", "wire", "metric", "arrival", "plan", "observation", "testbed", "load", "analysis"],
    ),
    ("report", &["design", "metric", "header_limit", "observation", "analysis"]),
    ("cli", &["*"]),
];

type Layers = &'static [(&'static str, &'static [&'static str])];

/// A file of `src`: its path from there, and its text.
type Source = (String, String);

#[test]
fn every_module_imports_what_its_row_allows_and_every_file_says_what_it_is_for() {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources).unwrap();
    let faults = faults(LAYERS, &sources);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn read(folder: &Path, prefix: &str, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), sources)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            sources.push((name, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn faults(layers: Layers, sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    let test_files = test_files(sources);
    for (file, text) in sources.iter().filter(|(file, _)| !test_files.contains(file)) {
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let row = row_of(layers, module);
        // The face of a folder of rows has none: it only names its parts.
        if row.is_none() && !["lib.rs", "main.rs"].contains(&file.as_str()) && !file.ends_with("/mod.rs") {
            faults.push(format!("src/{file} belongs to no row"));
        }
        if !begins_with_a_sentence(text) {
            faults.push(format!("src/{file} does not begin with a `//!` sentence"));
        }
        for path in imports(module, &code(text)) {
            let imported = row_of(layers, &path);
            match (row, imported) {
                (Some(row), Some(imported)) if row == imported => {}
                (Some(row), Some(imported)) if allows(layers, row, imported) => {
                    used.insert((row, imported));
                }
                (None, Some(imported)) if file == "main.rs" && layers[imported].0 == "cli" => {}
                _ => faults.push(format!("src/{file} may not import crate::{}", path.replace('/', "::"))),
            }
        }
    }
    faults.extend(faults_of_the_table(layers, sources, &used));
    faults
}

fn faults_of_the_table(layers: Layers, sources: &[Source], used: &BTreeSet<(usize, usize)>) -> Vec<String> {
    let mut faults = Vec::new();
    for (row, (name, permissions)) in layers.iter().enumerate() {
        if !sources.iter().any(|(file, _)| is_within(file.trim_end_matches(".rs"), name)) {
            faults.push(format!("{name} has a row but no file"));
        }
        for permission in permissions.iter().filter(|permission| **permission != "*") {
            match layers.iter().position(|(name, _)| name == permission) {
                Some(allowed) if allowed >= row => faults.push(format!("{permission} is not above {name}")),
                Some(allowed) if !used.contains(&(row, allowed)) => {
                    faults.push(format!("{name} may import {permission} but does not"));
                }
                Some(_) => {}
                None => faults.push(format!("{name} may import {permission}, which has no row")),
            }
        }
    }
    faults
}

/// The row with the longest name that `path` lies in: `auth/token/jwt` lies in `auth/token`.
fn row_of(layers: Layers, path: &str) -> Option<usize> {
    let rows = (0..layers.len()).filter(|row| is_within(path, layers[*row].0));
    rows.max_by_key(|row| layers[*row].0.len())
}

fn is_within(path: &str, row: &str) -> bool {
    path.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn allows(layers: Layers, row: usize, imported: usize) -> bool {
    let permissions = layers[row].1;
    permissions.contains(&layers[imported].0) || (permissions.contains(&"*") && imported < row)
}

/// Files that exist for tests alone: their `mod` line, or that of their folder, stands behind `#[cfg(test)]`.
fn test_files(sources: &[Source]) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (file, text) in sources {
        let of_folder = file.strip_suffix("mod.rs").or_else(|| file.strip_suffix("lib.rs"));
        let folder = of_folder.map_or_else(|| format!("{}/", file.trim_end_matches(".rs")), str::to_owned);
        for (_, behind) in text.split("#[cfg(test)]\n").skip(1).filter_map(|part| part.split_once("mod ")) {
            let name = behind.split([';', ' ']).next().expect("a split has a first part");
            files.insert(format!("{folder}{name}.rs"));
            let inner = sources.iter().map(|(file, _)| file);
            files.extend(inner.filter(|file| file.starts_with(&format!("{folder}{name}/"))).cloned());
        }
    }
    files
}

fn begins_with_a_sentence(text: &str) -> bool {
    let paragraph = text.lines().map_while(|line| line.strip_prefix("//! "));
    paragraph.last().is_some_and(|line| line.ends_with(['.', '?']))
}

/// What stands before the tests of a file, without lines of comment.
fn code(text: &str) -> String {
    let tested = text.split("#[cfg(test)]\nmod tests {").next().expect("a split has a first part");
    let lines = tested.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.collect::<Vec<_>>().join(" ")
}

/// Every path of the crate, in `use` or in the middle of the code, its parts joined by `/`.
fn imports(module: &str, code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for root in ["crate::", "bearerbench::"] {
        for (start, _) in code.match_indices(root) {
            expand(&code[start + root.len()..], "", &mut paths);
        }
    }
    let mut rest = code;
    while let Some((_, mut path)) = rest.split_once("super::") {
        let mut parent = module.rsplit_once('/').map_or("", |(parent, _)| parent);
        while let Some(further) = path.strip_prefix("super::") {
            parent = parent.rsplit_once('/').map_or("", |(parent, _)| parent);
            path = further;
        }
        let prefix = if parent.is_empty() { String::new() } else { format!("{parent}/") };
        rest = expand(path, &prefix, &mut paths);
    }
    paths
}

/// Reads one path, `a::b` or `a::{b, c::d as e}`, adds what it names to `paths`, and returns what follows it.
fn expand<'a>(code: &'a str, prefix: &str, paths: &mut Vec<String>) -> &'a str {
    if let Some(mut list) = code.strip_prefix('{') {
        while !list.trim_start().starts_with('}') {
            let rest = expand(list.trim_start(), prefix, paths);
            list = rest.trim_start_matches(|c| c != ',' && c != '}').trim_start_matches(',');
        }
        return list.trim_start().strip_prefix('}').expect("the loop ends at a bracket");
    }
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    let path = format!("{prefix}{}", &code[..end]);
    if let Some(rest) = code[end..].strip_prefix("::") {
        return expand(rest, &format!("{path}/"), paths);
    }
    paths.push(path);
    &code[end..]
}

const TWO: Layers = &[("low", &[]), ("high", &["low"])];

fn check(layers: Layers, sources: &[(&str, &str)], expected: &[&str]) {
    let with_sentence = |code: &str| format!("//! Says what it is for.\n\n{code}");
    let source = |(file, code): &(&str, &str)| ((*file).to_owned(), with_sentence(code));
    assert_eq!(faults(layers, &sources.iter().map(source).collect::<Vec<_>>()), expected);
}

#[test]
fn an_import_that_the_table_does_not_allow_is_found_however_it_is_written() {
    let check = |low, expected: &[&str]| {
        check(TWO, &[("low.rs", low), ("high/mod.rs", "use crate::low::Thing;")], expected);
    };
    let fault = &["src/low.rs may not import crate::high::Thing"];
    check("", &[]);
    check("use crate::high::Thing;", fault);
    check("fn make() -> crate::high::Thing {}", fault);
    check("use crate::low::{A, B::{C, D as E}};\nuse crate::high::Thing as Other;", fault);
    check("use crate::{\n    low::{A, B as C},\n    high::Thing,\n};", fault);
    check("use crate::high;", &["src/low.rs may not import crate::high"]);
    check("use super::high::Thing;", fault);
    check("// use crate::high::Thing;", &[]);
    check("#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::high::Thing;\n}", &[]);
}

#[test]
fn a_permission_that_nobody_uses_is_found() {
    let sources = [("low.rs", ""), ("high.rs", "use crate::high::Own;")];
    check(TWO, &sources, &["high may import low but does not"]);
}

#[test]
fn a_circle_is_found_even_if_the_table_allows_it() {
    let circle: Layers = &[("low", &["high"]), ("high", &["low"])];
    let sources = [("low.rs", "use crate::high::Thing;"), ("high.rs", "use crate::low::Thing;")];
    check(circle, &sources, &["high is not above low"]);
}

#[test]
fn a_folder_in_a_folder_may_have_its_own_row() {
    let nested: Layers = &[("a/b", &[]), ("a", &["a/b"])];
    let outer = ("a/mod.rs", "use crate::a::b::Thing;");
    check(nested, &[("a/b/c.rs", "use crate::a::b::Own;"), outer], &[]);
    check(nested, &[("a/b/c.rs", "use super::Own;"), outer], &[]);
    let fault = "src/a/b/c.rs may not import crate::a::Thing";
    check(nested, &[("a/b/c.rs", "use crate::a::Thing;"), outer], &[fault]);
    check(nested, &[("a/b/c.rs", "use super::super::Thing;"), outer], &[fault]);
}

#[test]
fn a_file_without_a_row_and_a_row_without_a_file_are_found() {
    let layers: Layers = &[("low", &[]), ("cli", &["*"])];
    let sources = [("low.rs", ""), ("main.rs", "fn main() { bearerbench::cli::run() }"), ("stray.rs", "")];
    check(layers, &sources, &["src/stray.rs belongs to no row", "cli has a row but no file"]);
}

#[test]
fn a_file_without_a_sentence_at_its_beginning_is_found() {
    assert!(begins_with_a_sentence("//! One sentence\n//! on two lines.\n//!\n//! More\n\nfn f() {}"));
    assert!(!begins_with_a_sentence("//! x\nfn main() {}"));
    assert!(!begins_with_a_sentence("\n//! Late.\n"));
    assert!(!begins_with_a_sentence("/// Another kind.\n"));
}
