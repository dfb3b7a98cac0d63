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
const SHIPPED: [&str; 2] = ["dist/ebbtide_bg.wasm", FACE];

/// Builds what is not up to date.
pub fn build(project: &Project, mode: Mode) -> Outcome<()> {
    build_module(project, mode)?;
    build_face(project)
}

/// The sizes of the files that a browser loads, as lines of a table.
pub fn sizes(project: &Project) -> Vec<String> {
    let sizes = SHIPPED.map(|name| Size::of(name, &project.path(name)));
    let mut lines: Vec<String> = sizes.iter().map(Size::line).collect();
    lines.push(Size::together(&sizes).line());
    lines
}

fn build_module(project: &Project, mode: Mode) -> Outcome<()> {
    let flags = match mode {
        Mode::Release => "--profile page",
        Mode::Dev => "--dev",
    };
    let inputs = Inputs::new(&project.root).word(flags);
    let inputs = inputs.path("src")?.path("crates/ebbtide-core")?.path("crates/ebbtide-sync")?;
    let inputs = inputs.path("Cargo.toml")?.path("Cargo.lock")?.path(".cargo/config.toml")?;
    let stamp = Stamp { stamp: project.build("stamps/module"), inputs: inputs.digest(), product: project.path(MODULE) };
    if stamp.is_current() {
        return Ok(());
    }
    println!("building pkg/ (wasm-pack build {flags}) ...");
    let mut command = project.command("wasm-pack");
    command.arg("build").args(flags.split(' ')).args(["--target", "web", "--out-dir", "pkg", "."]);
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

/// The size of a file, as it is and as a web server would send it.
struct Size {
    name: String,
    raw: u64,
    gzip: Option<u64>,
}

impl Size {
    fn of(name: &str, path: &Path) -> Size {
        let raw = fs::metadata(path).map(|data| data.len()).unwrap_or_default();
        Size { name: name.to_owned(), raw, gzip: gzipped(path) }
    }

    fn together(sizes: &[Size]) -> Size {
        let gzip = sizes.iter().map(|size| size.gzip).sum();
        Size { name: "together".to_owned(), raw: sizes.iter().map(|size| size.raw).sum(), gzip }
    }

    fn line(&self) -> String {
        let gzip = self.gzip.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} kB", kilo(bytes)));
        format!("{:<20} {:>9.1} kB   gzip {gzip:>9}", self.name, kilo(self.raw))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_kilobytes_and_add_up() {
        let size = |name: &str, raw, gzip| Size { name: name.to_owned(), raw, gzip };
        let sizes = [size("a.wasm", 330_120, Some(127_000)), size("a.js", 4_000, Some(1_500))];
        assert_eq!(sizes[0].line(), "a.wasm                   330.1 kB   gzip  127.0 kB");
        assert_eq!(Size::together(&sizes).line(), "together                 334.1 kB   gzip  128.5 kB");
        assert_eq!(size("b", 0, None).line(), "b                          0.0 kB   gzip   unknown");
    }
}
