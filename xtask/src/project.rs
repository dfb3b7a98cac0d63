//! Where things are: the repository, cargo's folders, and the environment that every child gets.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome, While};

/// The places that the other modules ask for.
#[derive(Debug, Clone)]
pub struct Project {
    /// The root of the repository.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// Where `cargo install` puts programs.
    pub cargo_bin: PathBuf,
}

impl Project {
    /// Finds the repository that this program was built from.
    pub fn find() -> Outcome<Project> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .map(Path::to_path_buf)
            .ok_or_else(|| Failure::new("the automation does not lie inside the repository"))?;
        let cargo_home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
            .ok_or_else(|| Failure::new("neither CARGO_HOME nor HOME is set"))?;
        let mut project = Project { target: root.join("target"), root, cargo_bin: cargo_home.join("bin") };
        project.target = project.ask_cargo_for_target()?;
        Ok(project)
    }

    /// A path inside the repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder of everything that may be deleted: logs, stamps, screenshots, the data of test servers.
    pub fn build(&self, relative: &str) -> PathBuf {
        self.root.join("build").join(relative)
    }

    /// A command in the repository's root, with the tools of the project first on its path.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", self.search_path());
        // What `cargo run` tells this program about itself is not true of its children.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO" {
                command.env_remove(name);
            }
        }
        command
    }

    /// The first program of that name among the project's tools and on the path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        env::split_paths(&self.search_path()).map(|folder| folder.join(name)).find(|path| is_executable(path))
    }

    /// `node_modules/.bin` comes first because it has the one wasm-opt that works.
    fn search_path(&self) -> OsString {
        let mut folders = vec![self.root.join("node_modules/.bin"), self.cargo_bin.clone()];
        let inherited = env::var_os("PATH").unwrap_or_default();
        for folder in env::split_paths(&inherited) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        env::join_paths(folders).unwrap_or(inherited)
    }

    fn ask_cargo_for_target(&self) -> Outcome<PathBuf> {
        let output = self
            .command("cargo")
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .while_doing(|| "asking cargo where it builds".to_owned())?;
        let answer: serde_json::Value =
            serde_json::from_slice(&output.stdout).while_doing(|| "reading cargo's answer".to_owned())?;
        let folder = answer["target_directory"].as_str();
        folder.map(PathBuf::from).ok_or_else(|| Failure::new("cargo does not say where it builds"))
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
