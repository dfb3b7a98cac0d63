//! Checks of files that no other tool makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::files;
use crate::process::output_of;
use crate::project::Project;

const LINES_MAX: usize = 900;
const SOURCES: [&str; 7] = ["rs", "ts", "js", "mjs", "css", "html", "sh"];
const CRATES_INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Words that no tracked file may contain, and why. They are put together here so that this file is one of those.
const UNWANTED: [(&str, &str); 6] = [
    (concat!("TO", "DO"), "do it, or say in docs/ what is left"),
    (concat!("todo", "!("), "do it, or say in docs/ what is left"),
    (concat!("/wo", "rk/"), "this is a path of one machine"),
    (concat!("/tmp/", "target"), "this is a path of one machine"),
    (concat!("registry.", "npmjs.org"), "which registry is used is a matter of the machine"),
    (concat!("\"res", "olved\":"), "which registry is used is a matter of the machine"),
];

/// Fails with one line for each thing that is wrong.
pub fn run(project: &Project) -> Outcome<()> {
    let listing = output_of(project.command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))
        .ok_or_else(|| Failure::new("git does not list the files"))?;
    let mut wrong = Vec::new();
    for name in listing.lines() {
        // A file that is deleted but not yet committed is still listed, and binaries are not ours to read.
        if let Ok(text) = fs::read_to_string(project.path(name)) {
            wrong.extend(faults(name, &text));
        }
    }
    wrong.extend(forgotten_suites(&project.path("tests"))?);
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

fn faults(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_source = Path::new(name).extension().is_some_and(|end| SOURCES.iter().any(|source| end == *source));
    let lines = text.lines().count();
    if is_source && lines >= LINES_MAX {
        wrong.push(format!("{name}: {lines} lines; split it by idea"));
    }
    for (number, line) in text.lines().enumerate() {
        for (word, reason) in UNWANTED.iter().filter(|(word, _)| line.contains(word)) {
            wrong.push(format!("{name}:{}: `{word}`: {reason}", number + 1));
        }
        let source = line.strip_prefix("source = ").filter(|_| name.ends_with("Cargo.lock"));
        if source.is_some_and(|source| source.trim_matches('"') != CRATES_INDEX) {
            wrong.push(format!("{name}:{}: a crate from elsewhere than crates.io's index", number + 1));
        }
    }
    wrong
}

/// A suite runs only if a host names it (`suite!(crud ...)`) or imports it, itself or through another suite.
fn forgotten_suites(tests: &Path) -> Outcome<Vec<String>> {
    let suites = files::with_extension(&tests.join("suite"), "js")?;
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let mut open: Vec<String> = Vec::new();
    for host in files::with_extension(tests, "rs")? {
        open.push(read(&host));
    }
    let mut reached = BTreeSet::new();
    while let Some(text) = open.pop() {
        for suite in &suites {
            let name = format!("{}.js", files::stem(suite));
            let word = files::stem(suite).replace('-', "_");
            let forms = [format!("suite!({word} "), format!("suite/{name}\""), format!("\"./{name}\"")];
            let is_named = forms.iter().any(|form| text.contains(form));
            if is_named && reached.insert(name) {
                open.push(read(suite));
            }
        }
    }
    let names = suites.iter().map(|suite| format!("{}.js", files::stem(suite)));
    Ok(names
        .filter(|name| !reached.contains(name))
        .map(|name| format!("tests/suite/{name}: no host in tests/*.rs runs it"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &[&str]) {
        assert_eq!(faults(name, text), expected, "{name}");
    }

    #[test]
    fn long_files_and_unwanted_words_are_found() {
        check("src/lib.rs", "fn fine() {}\n", &[]);
        check("src/lib.rs", &"\n".repeat(900), &["src/lib.rs: 900 lines; split it by idea"]);
        check("package-lock.json", &"\n".repeat(900), &[]);
        let left = format!("// {}: later\n", concat!("TO", "DO"));
        check(
            "js/a.ts",
            &left,
            &[&format!("js/a.ts:1: `{}`: do it, or say in docs/ what is left", concat!("TO", "DO"))],
        );
        let path = format!("fine\nsee {}main\n", concat!("/wo", "rk/"));
        check(
            "README.md",
            &path,
            &[&format!("README.md:2: `{}`: this is a path of one machine", concat!("/wo", "rk/"))],
        );
    }

    #[test]
    fn crates_come_from_the_common_index() {
        check("Cargo.lock", &format!("source = \"{CRATES_INDEX}\"\n"), &[]);
        let elsewhere = "source = \"registry+https://mirror.example\"\n";
        check("Cargo.lock", elsewhere, &["Cargo.lock:1: a crate from elsewhere than crates.io's index"]);
    }

    #[test]
    fn a_suite_that_no_host_imports_is_found() {
        let tests = std::env::temp_dir().join(format!("ebbtide-tidy-{}", std::process::id()));
        let _ = fs::remove_dir_all(&tests);
        fs::create_dir_all(tests.join("suite")).expect("a temporary folder");
        let write = |name: &str, text: &str| fs::write(tests.join(name), text).expect("writable");
        write("host.rs", "#[wasm_bindgen(module = \"/tests/suite/sync.js\")]\nsuite!(local { a_promise });");
        write("suite/local.js", "");
        write("suite/sync.js", "import { open } from \"./support.js\";");
        write("suite/support.js", "");
        write("suite/lost.js", "");
        let found = forgotten_suites(&tests).expect("readable");
        assert_eq!(found, ["tests/suite/lost.js: no host in tests/*.rs runs it"]);
        let _ = fs::remove_dir_all(tests);
    }
}
