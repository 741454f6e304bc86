//! Who may know whom.

use crate::tree::{file, has_word, none, root, rust};

/// Crates of ours that each crate may name, in any kind of dependency.
const MAY_KNOW: [(&str, &[&str]); 4] = [
    ("protocol", &[]),
    ("server", &["cobijo-protocol"]),
    ("client-core", &["cobijo-protocol"]),
    (
        "client-core/cli",
        &["cobijo-client-core", "cobijo-protocol"],
    ),
];

/// Where everything is decided, with bytes, time and randomness handed in.
const CORES: [&str; 3] = [
    "client-core/src/core",
    "client-core/src/mls",
    "server/src/relay",
];

/// What has no place in a core: clocks, sources of randomness, runtimes and threads, sockets, files, the surroundings, and
/// what outlives a call without being handed in.
const NOT_IN_CORES: [&str; 21] = [
    "Instant::now",
    "LazyLock",
    "OsRng",
    "SystemTime::now",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "async",
    "await",
    "env",
    "eprintln",
    "fs",
    "getrandom",
    "io",
    "println",
    "process",
    "static",
    "thread",
    "thread_local",
    "tokio",
];

#[test]
fn crates_know_only_the_layer_below() {
    let mut findings = Vec::new();
    for (folder, may_know) in MAY_KNOW {
        let manifest: toml::Table = file(&format!("{folder}/Cargo.toml"))
            .unwrap()
            .text
            .parse()
            .unwrap();
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = manifest
                .get(table)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flat_map(toml::Table::keys);
            let unknown = names
                .filter(|name| name.starts_with("cobijo-") && !may_know.contains(&name.as_str()));
            findings.extend(unknown.map(|name| format!("{folder} names {name} in {table}")));
        }
    }
    none(
        findings,
        "one direction: protocol ← client-core, protocol ← server, everything ← tests",
    );
}

#[test]
fn every_crate_takes_its_versions_and_lints_from_the_root() {
    let manifests = crate::tree::texts()
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    let mut findings = Vec::new();
    for manifest in manifests {
        let table: toml::Table = manifest.text.parse().unwrap();
        let lints = table
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        if lints != Some(true) {
            findings.push(format!("{}: no `lints.workspace = true`", manifest.path));
        }
        for name in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (dependency, value) in table
                .get(name)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten()
            {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    findings.push(format!(
                        "{}: {dependency} has a version of its own",
                        manifest.path
                    ));
                }
            }
        }
    }
    none(findings, "versions and lints stand in the root manifest");
}

#[test]
fn only_the_embedded_engine_names_its_store() {
    let engine = "server/src/engine/embedded";
    let store = concat!("sl", "ed");
    let findings = rust()
        .filter(|file| !file.path.starts_with(engine))
        .flat_map(|file| {
            file.text
                .lines()
                .zip(1..)
                .map(move |(line, number)| (file, line, number))
        })
        .filter(|(_, line, _)| has_word(line, store))
        .map(|(file, line, number)| format!("{}:{number}: {}", file.path, line.trim()));
    none(findings, "only server/src/engine/embedded names the store");
}

#[test]
fn cores_have_no_clock_no_runtime_no_io_and_no_globals() {
    let mut findings = Vec::new();
    for file in rust().filter(|file| CORES.iter().any(|core| in_core(&file.path, core))) {
        for (line, number) in file.without_unit_tests().lines().zip(1..) {
            if file.is_test() {
                continue;
            }
            let code = line.split("//").next().unwrap_or_default();
            let found = NOT_IN_CORES.iter().filter(|word| names(code, word));
            findings.extend(found.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    none(findings, "a core is handed bytes, time and randomness");
}

#[test]
fn the_clients_lints_repeat_the_roots_and_ban_the_clocks() {
    let parse = |path: &str| file(path).unwrap().text.parse::<toml::Table>().unwrap();
    let client = parse("client-core/clippy.toml");
    for (key, value) in parse("clippy.toml") {
        assert_eq!(
            client.get(&key),
            Some(&value),
            "clippy merges nothing: repeat {key} in client-core/clippy.toml"
        );
    }
    let banned: Vec<_> = client["disallowed-methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ban| ban["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        banned,
        ["std::time::Instant::now", "std::time::SystemTime::now"]
    );
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let manifest: toml::Table = file("Cargo.toml").unwrap().text.parse().unwrap();
    assert_eq!(
        manifest["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    assert!(root().join("Cargo.lock").exists());
}

fn in_core(path: &str, core: &str) -> bool {
    path.strip_prefix(core)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// `thread` is also a word of the protocol: only the standard library's is meant. `'static` is no item.
fn names(code: &str, word: &str) -> bool {
    match word {
        "thread" => code.contains("std::thread"),
        "static" => has_word(&code.replace("'static", ""), word),
        _ => has_word(code, word),
    }
}

#[test]
fn what_a_core_may_not_name_is_found_as_a_word() {
    let found = |code: &str| NOT_IN_CORES.iter().any(|word| names(code, word));
    for code in [
        "static SEEN: Mutex<u32> = Mutex::new(0);",
        "pub(crate) static SEEN: u32 = 0;",
        "use std::{fs, sync::Arc};",
        "std::env::var(\"HOME\")",
        "std::thread::spawn(work)",
    ] {
        assert!(found(code), "{code}");
    }
    for code in [
        "const LABEL: &'static str = \"thread\";",
        "let thread = Thread::new();",
        "let environment = 1;",
    ] {
        assert!(!found(code), "{code}");
    }
}
