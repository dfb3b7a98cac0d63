//! What the conversation promises, tested from outside. One binary; a guard below keeps files from being forgotten.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod connection;
mod local;
mod malice;
mod reset;
mod reshape;
mod stories;
mod sync;
mod tabs;
mod tabs_synced;
mod wire;

#[test]
fn every_file_here_is_compiled() {
    let main = include_str!("main.rs");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name} is not in main.rs");
    }
}
