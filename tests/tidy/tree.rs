//! The files of the repository, read once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Folders that hold nothing of ours.
const NOT_OURS: [&str; 2] = [".git", "target"];

/// One text file, by its path from the root with `/` between folders.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    /// Returns the lines before the unit tests, which stand last in a file or in a `tests.rs` of their own.
    pub(crate) fn without_unit_tests(&self) -> &str {
        if self.path.ends_with("/tests.rs") {
            return "";
        }
        self.text
            .find(UNIT_TESTS)
            .map_or(&self.text, |start| &self.text[..start])
    }

    /// Returns what is test in this file: all of it, its unit tests, or nothing.
    pub(crate) fn tests(&self) -> &str {
        if self.is_test() {
            return &self.text;
        }
        self.text
            .find(UNIT_TESTS)
            .map_or("", |start| &self.text[start..])
    }

    /// Tells whether the whole file serves tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
    }
}

/// Opens the unit tests of a file.
const UNIT_TESTS: &str = "#[cfg(test)]\nmod tests";

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns every file of ours that is text.
pub(crate) fn texts() -> &'static [Text] {
    static TEXTS: OnceLock<Vec<Text>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut paths = Vec::new();
        collect(root(), &mut paths);
        paths.sort();
        paths.iter().filter_map(|path| read(path)).collect()
    })
}

/// Returns every Rust file of ours.
pub(crate) fn rust() -> impl Iterator<Item = &'static Text> {
    texts().iter().filter(|file| file.path.ends_with(".rs"))
}

/// Returns the file at this path, if it stands.
pub(crate) fn file(path: &str) -> Option<&'static Text> {
    texts().iter().find(|file| file.path == path)
}

/// Fails with one line for each finding.
#[track_caller]
pub(crate) fn none(findings: impl IntoIterator<Item = String>, what: &str) {
    let findings: Vec<_> = findings.into_iter().collect();
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

/// Tells whether `word` stands in `line` by itself, not as a part of a longer word.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        !line[..start].ends_with(part_of_word)
            && !line[start + word.len()..].starts_with(part_of_word)
    })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if NOT_OURS.iter().any(|folder| name == *folder) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), paths);
        } else {
            paths.push(entry.path());
        }
    }
}

fn read(path: &Path) -> Option<Text> {
    let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
    let path = path
        .strip_prefix(root())
        .unwrap()
        .to_str()
        .unwrap()
        .replace('\\', "/");
    Some(Text { path, text })
}
