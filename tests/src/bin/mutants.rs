//! Breaks one rule after the other, and shows which seed of the model test and which tests notice.

#![expect(clippy::print_stdout, reason = "a test program says how it went")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use cobijo_tests::mutants::{Mutation, list};
use serde_json::Value;

/// Builds a copy of the code in which every rule of tests/mutations.toml can be broken, and breaks them.
#[derive(Parser)]
struct Arguments {
    /// Only the mutations whose rule has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// How many seeds of the model test are played before it counts as not noticing.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
}

/// Holds the number of the rule that is broken; none where it is not set.
const VARIABLE: &str = "COBIJO_MUTATION";
/// Folders of the root that are not copied.
const NOT_COPIED: [&str; 4] = [".git", "target", "data", "node_modules"];
/// How long one program may run.
const MINUTES_MAX: &str = "10m";
/// What notices: unit tests of the client, tests of groups and of coming back, and the model test, which is built
/// beside them.
const BUILD: &[&str] = &[
    "test",
    "--no-run",
    "--profile",
    "model",
    "--message-format",
    "json-render-diagnostics",
    "--package",
    "cobijo-client-core",
    "--package",
    "cobijo-tests",
    "--lib",
    "--test=attacks",
    "--test=group",
    "--test=returning",
    "--test=returning_crashes",
];

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mutations = list();
    let copy = Copy::make(&mutations)?;
    let mut is_well = true;
    for (index, mutation) in mutations.iter().enumerate() {
        if !mutation.rule.contains(&arguments.only) {
            continue;
        }
        let number = (index + 1).to_string();
        println!("{number:>3} {}", mutation.rule);
        let listed = mutation.seed.map(|seed| copy.first_seed(&number, seed, 1));
        let seed = match listed.transpose()?.flatten() {
            None => copy.first_seed(&number, 1, arguments.seeds)?,
            listed => listed,
        };
        let tests = copy.failing_tests(&number)?;
        let faults = faults(mutation, seed.as_deref(), &tests);
        is_well &= faults.is_empty();
        for notice in seed.iter().chain(&tests).chain(&faults) {
            println!("      {notice}");
        }
    }
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is wrong with the list, or with what is to notice.
fn faults(mutation: &Mutation, seed: Option<&str>, tests: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    if seed.is_none() && tests.is_empty() {
        faults.push("WRONG: nothing notices".to_owned());
    }
    let starts =
        |number: u64| seed.is_some_and(|seed| seed.starts_with(&format!("seed {number}:")));
    if let Some(number) = mutation.seed.filter(|number| !starts(*number)) {
        faults.push(format!("WRONG: seed {number} passes"));
    }
    let fails = |name: &&String| tests.iter().any(|test| test.ends_with(name.as_str()));
    if let Some(test) = mutation.test.as_ref().filter(|name| !fails(name)) {
        faults.push(format!("WRONG: {test} passes"));
    }
    faults
}

/// A built copy of the code, with guards.
struct Copy {
    model: PathBuf,
    tests: Vec<PathBuf>,
}

impl Copy {
    fn make(mutations: &[Mutation]) -> Result<Self> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let copy = root.join("target/mutants/code");
        copy_root(root, &copy, mutations)?;
        build(&copy)
    }

    /// The first of so many seeds that fails, and how.
    fn first_seed(&self, number: &str, first: u64, seeds: u64) -> Result<Option<String>> {
        let (first, seeds) = (first.to_string(), seeds.to_string());
        let arguments = [
            "--until-failure",
            "--minutes=9",
            "--seed",
            &first,
            "--seeds",
            &seeds,
        ];
        let said = run(&self.model, &arguments, number)?;
        let number = |line: &&str| -> Option<u64> {
            let (number, _) = line.strip_prefix("seed ")?.split_once(':')?;
            number.parse().ok()
        };
        let failed = said.lines().filter(|line| number(line).is_some());
        Ok(failed.min_by_key(number).map(str::to_owned))
    }

    fn failing_tests(&self, number: &str) -> Result<Vec<String>> {
        let mut failing = Vec::new();
        for test in &self.tests {
            let said = run(test, &[], number)?;
            let failed = said.lines().filter_map(|line| {
                let name = line.strip_prefix("test ")?;
                name.strip_suffix(" ... FAILED")
            });
            failing.extend(failed.map(str::to_owned));
        }
        Ok(failing)
    }
}

/// Writes what has changed, so that only that is built again.
fn copy_root(root: &Path, to: &Path, mutations: &[Mutation]) -> Result<()> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(to.join(&folder))?;
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = mutated(&path, fs::read(entry.path())?, mutations)?;
            if fs::read(to.join(&path)).ok().as_ref() != Some(&bytes) {
                fs::write(to.join(&path), bytes)?;
            }
        }
    }
    Ok(())
}

/// A file with every mutation behind its guard, and the guards themselves in the client's root.
fn mutated(path: &Path, bytes: Vec<u8>, mutations: &[Mutation]) -> Result<Vec<u8>> {
    let is_here = |(_, mutation): &(usize, &Mutation)| Path::new(&mutation.file) == path;
    let here: Vec<_> = mutations.iter().enumerate().filter(is_here).collect();
    let is_root = path == Path::new("client-core/src/lib.rs");
    if here.is_empty() && !is_root {
        return Ok(bytes);
    }
    let mut text = String::from_utf8(bytes)?;
    for (index, mutation) in here {
        if mutation.found_in(&text) != 1 {
            bail!(
                "{}: the text to find must stand once in {}",
                mutation.rule,
                mutation.file
            );
        }
        text = mutation.apply(&text, &format!("crate::is_broken({})", index + 1));
    }
    if is_root {
        text.push_str(&format!(
            "fn is_broken(number: u32) -> bool {{
                static BROKEN: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
                let broken = || std::env::var(\"{VARIABLE}\").ok()?.parse().ok();
                *BROKEN.get_or_init(broken) == Some(number)
            }}"
        ));
    }
    Ok(text.into_bytes())
}

/// Builds with the model test's profile.
fn build(copy: &Path) -> Result<Copy> {
    let output = Command::new("cargo")
        .args(BUILD)
        .env("CARGO_TARGET_DIR", copy.with_file_name("target"))
        .current_dir(copy)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the mutated code can't be built");
    }
    let (mut model, mut tests) = (None, Vec::new());
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: Value = serde_json::from_str(line)?;
        let Some(program) = message["executable"].as_str().map(PathBuf::from) else {
            continue;
        };
        if message["profile"]["test"] == true {
            tests.push(program);
        } else if message["target"]["name"] == "model" {
            model = Some(program);
        }
    }
    let model = model.context("the model test was not built")?;
    Ok(Copy { model, tests })
}

/// Runs a program with one rule broken; gives what it said until it ended, or was ended.
fn run(program: &Path, arguments: &[&str], number: &str) -> Result<String> {
    // A broken rule may never come to an end.
    let output = Command::new("timeout")
        .arg(MINUTES_MAX)
        .arg(program)
        .args(arguments)
        .env(VARIABLE, number)
        .stderr(Stdio::null())
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
