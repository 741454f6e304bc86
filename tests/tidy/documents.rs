//! What the documents name exists.

use std::collections::BTreeSet;

use crate::tree::{Text, file, none, rust};

const CONTRIBUTING_LINES_MAX: usize = 60;

#[test]
fn contributing_is_read_in_five_minutes() {
    let lines = file("CONTRIBUTING.md").unwrap().text.lines().count();
    assert!(lines <= CONTRIBUTING_LINES_MAX, "{lines} lines");
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let named = code_spans(&file("THREAT-MODEL.md").unwrap().text)
        .into_iter()
        .filter(|span| is_test_name(span));
    let tests = test_names();
    none(
        named.filter(|name| !tests.contains(name)),
        "THREAT-MODEL.md names tests that don't exist",
    );
}

#[test]
fn every_make_target_that_a_document_names_exists() {
    let makefile = &file("Makefile").unwrap().text;
    let mut named = 0;
    let mut findings = Vec::new();
    for document in documents() {
        let text = &document.text;
        let indented = text.lines().filter(|line| line.starts_with("    "));
        let commands = indented.map(|line| line.trim().to_owned());
        for command in code_spans(text).into_iter().chain(commands) {
            let Some(rest) = command.strip_prefix("make ") else {
                continue;
            };
            named += 1;
            let target = rest.split_whitespace().next().unwrap_or_default();
            if !makefile.contains(&format!("\n{target}:")) {
                findings.push(format!("{}: make {target}", document.path));
            }
        }
    }
    assert!(named > 0);
    none(findings, "no such target");
}

/// What README lets somebody type is what `make run` prints, with the port and the folder filled in.
#[test]
fn the_five_minutes_of_readme_are_those_that_make_run_prints() {
    let readme = &file("README.md").unwrap().text;
    let (_, minutes) = readme.split_once("### Five minutes").unwrap();
    let (minutes, _) = minutes.split_once("### ").unwrap();
    let commands = |text: &str| -> Vec<String> {
        let indented = text.lines().filter(|line| line.starts_with("    "));
        indented.map(|line| line.trim().to_owned()).collect()
    };
    let filled = [
        (
            "${certificate#\"$PWD/\"}",
            "target/run/relay/development-certificate.pem",
        ),
        ("$folder", "target/run"),
        ("$url", "https://localhost:8443"),
    ];
    let script = &file("deploy/try").unwrap().text;
    let (_, printed) = script.split_once("<<NEXT").unwrap();
    let (printed, _) = printed.split_once("\nNEXT").unwrap();
    let printed = filled
        .iter()
        .fold(printed.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
    assert!(!commands(minutes).is_empty());
    assert_eq!(commands(minutes), commands(&printed));
}

#[test]
fn every_make_target_says_what_it_does() {
    let makefile = &file("Makefile").unwrap().text;
    for target in [
        "run", "test", "demo", "check", "fmt", "lint", "deny", "bench", "fuzz", "soak", "mutants",
        "doc",
    ] {
        let rule = makefile
            .lines()
            .find(|line| line.starts_with(&format!("{target}:")));
        assert!(
            rule.is_some_and(|rule| rule.contains("## ")),
            "{target} has no help"
        );
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut findings = Vec::new();
    for document in documents() {
        let folder = document
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let links = document.text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split_once(')'));
        for (link, _) in links.filter(|(link, _)| !link.contains("://")) {
            // A link may be broken at a line's end.
            let link = link.replace('\n', "");
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = match (path, folder) {
                ("", _) => document.path.clone(),
                (path, "") => path.to_owned(),
                (path, folder) => format!("{folder}/{path}"),
            };
            let target = crate::tree::root().join(&path);
            let leads = match anchor {
                "" => target.exists(),
                _ => std::fs::read_to_string(target)
                    .is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !leads {
                findings.push(format!("{}: {link}", document.path));
            }
        }
    }
    none(findings, "links to nothing");
}

fn documents() -> impl Iterator<Item = &'static Text> {
    let texts = crate::tree::texts().iter();
    texts.filter(|file| file.path.ends_with(".md"))
}

/// What a heading is linked to by: lower case, hyphens for spaces, no other punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

fn code_spans(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Test names are sentences: several words with underscores.
fn is_test_name(span: &str) -> bool {
    span.matches('_').count() >= 2
        && span
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Returns the names of all tests.
pub(crate) fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in rust() {
        let mut follows_test = false;
        for line in file.tests().lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                follows_test = true;
            } else if follows_test && !line.starts_with("#[") {
                let name = line
                    .split("fn ")
                    .nth(1)
                    .and_then(|rest| rest.split('(').next());
                names.extend(name.map(str::to_owned));
                follows_test = false;
            }
        }
    }
    names
}
