//! The package as a web app gets it: the WebAssembly module in pkg/, the JavaScript face in dist/.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::Mode;
use crate::failure::{Outcome, While};
use crate::process;
use crate::project::Project;
use crate::stamp::{self, Inputs};

const MODULE: &str = "pkg/ebbtide_bg.wasm";
const FACE: &str = "dist/index.js";
const SHIPPED: [&str; 3] = [MODULE, "pkg/ebbtide.js", FACE];

/// Builds what is not up to date.
pub fn build(project: &Project, mode: Mode) -> Outcome<()> {
    build_module(project, mode)?;
    build_face(project)
}

/// The sizes of the files that a browser loads, as lines of a table.
pub fn sizes(project: &Project) -> Vec<String> {
    let existing = SHIPPED.iter().filter(|name| project.path(name).is_file());
    existing.map(|name| size_line(name, &project.path(name))).collect()
}

fn build_module(project: &Project, mode: Mode) -> Outcome<()> {
    let flag = match mode {
        Mode::Release => "--release",
        Mode::Dev => "--dev",
    };
    let inputs = Inputs::new(&project.root).word(flag);
    let inputs = inputs.path("src")?.path("crates/ebbtide-core")?.path("crates/ebbtide-sync")?;
    let inputs = inputs.path("Cargo.toml")?.path("Cargo.lock")?.path(".cargo/config.toml")?;
    let stamp = Stamp { stamp: project.build("stamps/module"), inputs: inputs.digest(), product: project.path(MODULE) };
    if stamp.is_current() {
        return Ok(());
    }
    println!("building pkg/ (wasm-pack build {flag}) ...");
    let mut command = project.command("wasm-pack");
    command.args(["build", flag, "--target", "web", "--out-dir", "pkg", "."]);
    process::run_logged(&mut command, &log(project, "module"))?;
    stamp.record()
}

fn build_face(project: &Project) -> Outcome<()> {
    let inputs = Inputs::new(&project.root).path("js")?.path("tsconfig.json")?.path("package.json")?;
    let inputs = inputs.path("package-lock.json")?.path("pkg/ebbtide.d.ts")?.path("pkg/ebbtide.js")?.path(MODULE)?;
    let stamp = Stamp { stamp: project.build("stamps/face"), inputs: inputs.digest(), product: project.path(FACE) };
    if stamp.is_current() {
        return Ok(());
    }
    println!("building dist/ (npm run build) ...");
    process::run_logged(project.command("npm").args(["run", "--silent", "build"]), &log(project, "face"))?;
    stamp.record()
}

/// A stamp that also knows its product, in case somebody has built another one by hand.
struct Stamp {
    stamp: PathBuf,
    inputs: String,
    product: PathBuf,
}

impl Stamp {
    fn is_current(&self) -> bool {
        self.product.is_file() && stamp::is_current(&self.stamp, &self.digest())
    }

    fn record(&self) -> Outcome<()> {
        fs::metadata(&self.product).while_doing(|| format!("looking for {}", self.product.display()))?;
        stamp::record(&self.stamp, &self.digest())
    }

    fn digest(&self) -> String {
        let data = fs::metadata(&self.product).ok();
        let age = data.and_then(|data| Some((data.len(), data.modified().ok()?)));
        format!("{} {age:?}", self.inputs)
    }
}

fn size_line(name: &str, path: &Path) -> String {
    let raw = fs::metadata(path).map(|data| data.len()).unwrap_or_default();
    let packed = gzipped(path).map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} kB", kilo(bytes)));
    format!("{name:<22} {:>9.1} kB   gzip {packed}", kilo(raw))
}

fn gzipped(path: &Path) -> Option<u64> {
    let mut command = Command::new("gzip");
    let output = command.arg("-9c").arg(path).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| u64::try_from(output.stdout.len()).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "a size for people to read")]
fn kilo(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

fn log(project: &Project, name: &str) -> PathBuf {
    let path = project.build(&format!("logs/build-{name}.log"));
    let _ = fs::remove_file(&path);
    path
}
