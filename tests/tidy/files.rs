//! Size, names and habits.

use crate::tree::{none, root, rust, texts};

const LINES_MAX: usize = 500;

/// Everything that stands at the root, besides what is ours alone (`target`, `.git`).
const TOP: [&str; 19] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "THREAT-MODEL.md",
    "client-core",
    "clippy.toml",
    "deny.toml",
    "deploy",
    "protocol",
    "server",
    "tests",
];

/// Names that say nothing of what is inside.
const NAMES_THAT_SAY_NOTHING: [&str; 7] = [
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "helper.rs",
    "common.rs",
    "types.rs",
    "misc.rs",
];

/// Files that may wait for a time to come, and why.
const MAY_SLEEP: [(&str, &str); 6] = [
    (
        "client-core/src/driver.rs",
        "the shell wakes the machines at the time that they named",
    ),
    (
        "server/src/clock.rs",
        "nobody tells when the system's day changes",
    ),
    (
        "server/src/connection.rs",
        "the shell wakes a session at the time that it named",
    ),
    (
        "server/src/listen.rs",
        "a system out of files refuses again at once",
    ),
    (
        "server/src/socket.rs",
        "a message is late at a time that its own bytes decide",
    ),
    (
        "server/src/upkeep.rs",
        "nobody tells when a disk fills or a file is replaced",
    ),
];

#[test]
fn files_stay_short() {
    let long = rust()
        .map(|file| (file, file.without_unit_tests().lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines before its unit tests", file.path));
    none(long, "at most 500 lines");
}

#[test]
fn the_root_holds_what_is_listed() {
    let passing = [".git", "target"];
    let found = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    none(
        found.filter(|name| ![TOP.as_slice(), &passing].concat().contains(&name.as_str())),
        "no other top-level entries",
    );
    let missing = TOP.iter().filter(|name| !root().join(name).exists());
    none(
        missing.map(|name| (*name).to_owned()),
        "missing at the root",
    );
}

#[test]
fn files_are_called_by_what_is_in_them() {
    let vague = rust().filter(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        NAMES_THAT_SAY_NOTHING.contains(&name)
    });
    none(
        vague.map(|file| file.path.clone()),
        "call a file by what is in it",
    );
}

#[test]
fn no_test_is_switched_off() {
    let switches = [concat!("#[ign", "ore"), concat!("#[should_", "panic")];
    let off = rust().filter(|file| switches.iter().any(|switch| file.text.contains(switch)));
    none(
        off.map(|file| file.path.clone()),
        "every test runs, and fails by an assertion",
    );
}

#[test]
fn nothing_sleeps() {
    let sleeps = [concat!("sle", "ep("), concat!("sle", "ep_until(")];
    let sleeping = rust()
        .filter(|file| MAY_SLEEP.iter().all(|(path, _)| *path != file.path))
        .filter(|file| {
            file.text
                .lines()
                .any(|line| sleeps.iter().any(|sleep| line.contains(sleep)))
        });
    none(
        sleeping.map(|file| file.path.clone()),
        "wait for the event, or take the time as an argument",
    );
    let idle = MAY_SLEEP.iter().filter(|(path, _)| {
        crate::tree::file(path)
            .is_none_or(|file| !sleeps.iter().any(|sleep| file.text.contains(sleep)))
    });
    none(
        idle.map(|(path, _)| (*path).to_owned()),
        "no longer sleeps: take it off the list",
    );
}

#[test]
fn lints_are_expected_with_a_reason() {
    let one = concat!("#[al", "low(");
    let whole_file = concat!("#![al", "low(");
    let silenced = rust().filter(|file| {
        let mut lines = file.text.lines().map(str::trim_start);
        lines.any(|line| line.starts_with(one) || (line.starts_with(whole_file) && !file.is_test()))
    });
    none(
        silenced.map(|file| file.path.clone()),
        "use #[expect(…, reason = \"…\")]",
    );
}

#[test]
fn text_files_end_with_one_line_end() {
    let kinds = [".rs", ".md", ".toml", ".json", ".service"];
    let untidy = texts()
        .iter()
        .filter(|file| kinds.iter().any(|kind| file.path.ends_with(kind)))
        .filter(|file| {
            !file.text.ends_with('\n') || file.text.ends_with("\n\n") || file.text.contains('\r')
        });
    none(
        untidy.map(|file| file.path.clone()),
        "one line end at the end, no carriage returns",
    );
}
