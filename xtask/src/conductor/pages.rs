//! Files over HTTP, never cached: a page always sees what was built last.

use std::fs;
use std::path::{Path, PathBuf};

use super::Reply;

/// A folder under an address.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The beginning of the address, with a slash at either end.
    pub prefix: &'static str,
    /// The folder.
    pub folder: PathBuf,
}

/// Several folders; the first whose prefix fits is asked.
#[derive(Debug, Clone)]
pub struct Pages(pub Vec<Mount>);

impl Pages {
    /// The file at an address.
    pub(super) fn reply(&self, address: &str) -> Reply {
        let Some(path) = self.find(address) else {
            return Reply::error(404, &format!("there is nothing at {address}"));
        };
        match fs::read(&path) {
            Ok(body) => Reply { status: 200, mime: mime(&path), body },
            Err(_) => Reply::error(404, &format!("there is no file at {address}")),
        }
    }

    fn find(&self, address: &str) -> Option<PathBuf> {
        let decoded = decode(address)?;
        let mount = self.0.iter().find(|mount| decoded.starts_with(mount.prefix))?;
        let rest = &decoded[mount.prefix.len()..];
        // Neither out of the folder nor into hidden ones.
        if rest.split('/').any(|part| part.starts_with('.')) || rest.contains('\0') {
            return None;
        }
        let path = mount.folder.join(rest.trim_start_matches('/'));
        Some(if rest.is_empty() || rest.ends_with('/') { path.join("index.html") } else { path })
    }
}

fn decode(address: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|end| end.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        let mount = |prefix, folder: &str| Mount { prefix, folder: PathBuf::from(folder) };
        let pages = Pages(vec![mount("/ebbtide/", "/repo/dist"), mount("/", "/repo/www")]);
        assert_eq!(pages.find(address), expected.map(PathBuf::from), "{address}");
    }

    #[test]
    fn addresses_lead_to_files_in_their_folders() {
        check("/", Some("/repo/www/index.html"));
        check("/style.css", Some("/repo/www/style.css"));
        check("/a%20b.js", Some("/repo/www/a b.js"));
        check("/ebbtide/index.js", Some("/repo/dist/index.js"));
        check("/sub/", Some("/repo/www/sub/index.html"));
    }

    #[test]
    fn no_address_leads_out_of_the_folders() {
        check("/../secret", None);
        check("/%2e%2e/secret", None);
        check("/ebbtide/..%2f..%2fsecret", None);
        check("/.git/config", None);
        check("/%zz", None);
        check("//etc/passwd", Some("/repo/www/etc/passwd"));
    }

    #[test]
    fn modules_have_the_types_that_browsers_insist_on() {
        assert_eq!(mime(Path::new("ebbtide_bg.wasm")), "application/wasm");
        assert_eq!(mime(Path::new("index.js")), "text/javascript; charset=utf-8");
        assert_eq!(mime(Path::new("scripted.mjs")), "text/javascript; charset=utf-8");
        assert_eq!(mime(Path::new("unknown")), "application/octet-stream");
    }
}
