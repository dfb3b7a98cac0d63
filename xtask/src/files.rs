//! Lists of files, in a steady order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Outcome, While};

/// Every file below `folder`, sorted.
pub fn below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for path in entries(&next)? {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// The files directly in `folder` whose names end in `extension`, sorted; none if there is no such folder.
pub fn with_extension(folder: &Path, extension: &str) -> Outcome<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = entries(folder)?;
    found.retain(|path| path.is_file() && path.extension().is_some_and(|end| end == extension));
    found.sort();
    Ok(found)
}

/// The name of a file without its folder and its extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let listing = fs::read_dir(folder).while_doing(|| format!("listing {}", folder.display()))?;
    Ok(listing.flatten().map(|entry| entry.path()).collect())
}
