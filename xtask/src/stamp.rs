//! Stamps: a file that says from which inputs something was made, so that it is not made again.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::{Outcome, While};
use crate::files;

/// A hash over the names and the contents of files.
#[derive(Debug)]
pub struct Inputs {
    root: PathBuf,
    hasher: DefaultHasher,
}

impl Inputs {
    /// Starts with no input; names are taken relative to `root`.
    pub fn new(root: &Path) -> Inputs {
        Inputs { root: root.to_path_buf(), hasher: DefaultHasher::new() }
    }

    /// Adds a word, such as the mode of a build.
    pub fn word(mut self, word: &str) -> Inputs {
        word.hash(&mut self.hasher);
        self
    }

    /// Adds a file, or every file below a folder; what does not exist counts as absent.
    pub fn path(mut self, relative: &str) -> Outcome<Inputs> {
        let path = self.root.join(relative);
        let found = if path.is_dir() { files::below(&path)? } else { vec![path] };
        for file in found {
            file.strip_prefix(&self.root).unwrap_or(&file).hash(&mut self.hasher);
            fs::read(&file).ok().hash(&mut self.hasher);
        }
        Ok(self)
    }

    /// The hash of all that was added.
    pub fn digest(&self) -> String {
        format!("{:016x}", self.hasher.finish())
    }
}

/// Whether `stamp` says that everything in `digest` was already used.
pub fn is_current(stamp: &Path, digest: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text.trim() == digest)
}

/// Records that everything in `digest` was used.
pub fn record(stamp: &Path, digest: &str) -> Outcome<()> {
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder).while_doing(|| format!("making {}", folder.display()))?;
    }
    fs::write(stamp, digest).while_doing(|| format!("writing {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ebbtide-stamp-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src/deep")).expect("a temporary folder");
        fs::write(folder.join("src/a.rs"), "one").expect("a file");
        fs::write(folder.join("src/deep/b.rs"), "two").expect("a file");
        folder
    }

    fn digest(root: &Path) -> String {
        Inputs::new(root)
            .word("release")
            .path("src")
            .and_then(|inputs| inputs.path("Cargo.lock"))
            .expect("readable")
            .digest()
    }

    #[test]
    fn a_stamp_holds_until_an_input_changes() {
        let root = folder("changes");
        let stamp = root.join("stamps/package");
        assert!(!is_current(&stamp, &digest(&root)), "nothing was recorded");
        record(&stamp, &digest(&root)).expect("writable");
        assert!(is_current(&stamp, &digest(&root)), "nothing has changed");

        let change = |file: &str, text: &str| {
            fs::write(root.join(file), text).expect("writable");
            assert!(!is_current(&stamp, &digest(&root)), "{file} has changed");
            record(&stamp, &digest(&root)).expect("writable");
        };
        change("src/deep/b.rs", "three");
        change("src/c.rs", "");
        change("Cargo.lock", "now it exists");
        fs::rename(root.join("src/a.rs"), root.join("src/z.rs")).expect("renamed");
        assert!(!is_current(&stamp, &digest(&root)), "a file has another name");
        let _ = fs::remove_dir_all(root);
    }

    #[test]
    fn a_word_is_an_input() {
        let root = folder("word");
        let digest = |word: &str| Inputs::new(&root).word(word).digest();
        assert_ne!(digest("release"), digest("dev"));
        let _ = fs::remove_dir_all(root);
    }
}
