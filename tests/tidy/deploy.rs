//! What an operator installs names programs, files and settings that exist.

use std::process::Command;

use cobijo_server::config::Config;

use crate::tree::{file, none, root};

/// What a relay for people sets and a relay for one machine does not.
const SET_FOR_PEOPLE: [&str; 2] = ["listen = ", "data-directory = "];

#[test]
fn the_settings_are_a_relay_for_people_and_its_paths_are_those_of_the_unit() {
    let config = Config::read(&root().join("deploy/relay.toml")).unwrap();
    assert_eq!(
        config.data_directory(),
        std::path::Path::new("/var/lib/cobijo")
    );
}

#[test]
fn every_setting_stands_at_its_default() {
    let text = &file("deploy/relay.toml").unwrap().text;
    let defaults = Config::without_file().unwrap();
    let kept = |line: &&str| !SET_FOR_PEOPLE.iter().any(|set| line.starts_with(set));
    let as_it_stands: Vec<_> = text.lines().filter(kept).collect();
    assert_eq!(Config::parse(&as_it_stands.join("\n")).unwrap(), defaults);

    let certificate = |line: &&str| line.contains("-file = ");
    let uncommented: Vec<_> = text
        .lines()
        .filter(kept)
        .filter(|line| !certificate(line))
        .map(|line| {
            if is_setting(line) {
                line.trim_start_matches("# ")
            } else {
                line
            }
        })
        .collect();
    assert_eq!(Config::parse(&uncommented.join("\n")).unwrap(), defaults);
}

#[test]
fn every_setting_is_listed() {
    let text = &file("deploy/relay.toml").unwrap().text;
    let settings = file("server/src/config.rs").unwrap().without_unit_tests();
    let fields = settings
        .split("rename_all = \"kebab-case\"")
        .skip(1)
        .filter_map(|rest| {
            rest.split_once('{')
                .and_then(|(_, body)| body.split_once('}'))
        })
        .flat_map(|(body, _)| body.lines().filter_map(|line| line.split_once(':')))
        .map(|(name, _)| name.trim().replace('_', "-"));
    let listed = |name: &String| {
        [
            format!("\n{name} = "),
            format!("\n# {name} = "),
            format!("\n[{name}]"),
        ]
        .iter()
        .any(|line| text.contains(line.as_str()))
    };
    none(
        fields.filter(|name| !listed(name)),
        "deploy/relay.toml lacks",
    );
}

/// A setting behind `#`, not a sentence.
fn is_setting(line: &str) -> bool {
    line.strip_prefix("# ")
        .and_then(|line| line.split_once(" = "))
        .is_some_and(|(key, _)| !key.contains(' '))
}

#[test]
fn the_unit_runs_the_relay_as_its_own_user_with_nothing_to_spare() {
    let unit = &file("deploy/cobijo-relay.service").unwrap().text;
    let setting = |key: &str| -> Vec<&str> {
        unit.lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .collect()
    };
    assert_eq!(
        setting("ExecStart"),
        ["/usr/local/bin/cobijo-relay --config /etc/cobijo/relay.toml"]
    );
    assert_eq!(setting("User"), ["cobijo"]);
    assert_eq!(setting("StateDirectory"), ["cobijo"]);
    assert_eq!(setting("CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
    assert_eq!(setting("ProtectSystem"), ["strict"]);
    assert_eq!(
        (setting("LimitCORE"), setting("MemorySwapMax")),
        (vec!["0"], vec!["0"])
    );
    for key in [
        "LockPersonality",
        "MemoryDenyWriteExecute",
        "NoNewPrivileges",
        "PrivateDevices",
        "PrivateTmp",
        "ProtectHome",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
    ] {
        assert_eq!(setting(key), ["yes"], "{key}");
    }
}

#[test]
fn every_line_of_the_unit_is_a_section_a_setting_or_a_comment() {
    let unit = &file("deploy/cobijo-relay.service").unwrap().text;
    let odd = unit.lines().filter(|line| {
        let section = line.starts_with('[') && line.ends_with(']');
        let setting = line.split_once('=').is_some_and(|(key, _)| {
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        !(line.is_empty() || line.starts_with('#') || section || setting)
    });
    none(odd.map(str::to_owned), "systemd would not read");
}

/// Exposure that systemd itself finds in the unit, in tenths; versions differ a little.
const EXPOSURE_MAX: &str = "20";

/// Where there is no systemd, the two tests above are all that is checked.
#[test]
fn systemd_finds_no_fault_in_the_unit() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("cobijo-relay.service");
    let text = file("deploy/cobijo-relay.service")
        .unwrap()
        .text
        .replace("/usr/local/bin/cobijo-relay", "/bin/true");
    std::fs::write(&unit, text).unwrap();
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    for arguments in [
        vec!["verify"],
        vec!["security", "--offline=yes", &threshold],
    ] {
        let judged = Command::new("systemd-analyze")
            .args(&arguments)
            .arg(&unit)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&judged.stderr);
        let faults = said
            .lines()
            .filter(|line| line.contains("cobijo-relay.service"));
        none(faults.map(str::to_owned), "systemd finds");
        assert!(judged.status.success(), "{arguments:?}");
    }
}

#[test]
fn the_container_copies_what_exists_and_runs_without_root() {
    let text = &file("deploy/Containerfile").unwrap().text;
    let steps: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let copied = steps
        .iter()
        .filter(|step| step.first() == Some(&"COPY") && !step[1].starts_with("--from"));
    let sources = copied.flat_map(|step| &step[1..step.len() - 1]);
    none(
        sources
            .filter(|source| !root().join(source).exists())
            .map(|source| (*source).to_owned()),
        "nothing to copy",
    );

    let build = text
        .lines()
        .find(|line| line.starts_with("RUN cargo build"))
        .unwrap();
    assert!(
        build.contains("--locked --package cobijo-server --bin cobijo-relay"),
        "{build}"
    );
    let stages: Vec<_> = text.split("\nFROM ").collect();
    let last = stages.last().unwrap();
    assert!(last.contains(
        "\nCOPY --from=build /src/target/release/cobijo-relay /usr/local/bin/cobijo-relay\n"
    ));
    assert!(
        last.contains("\nUSER 10001\n")
            && last.contains("\nENTRYPOINT [\"/usr/local/bin/cobijo-relay\"")
    );
}

#[test]
fn compose_builds_the_same_container_and_gives_it_nothing() {
    let compose = &file("deploy/compose.yaml").unwrap().text;
    for line in [
        "      dockerfile: deploy/Containerfile",
        "    read_only: true",
        "    cap_drop: [ALL]",
        "      - cobijo:/var/lib/cobijo",
    ] {
        assert!(compose.lines().any(|found| found == line), "{line}");
    }
}
