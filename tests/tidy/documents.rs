//! What the documents name exists.

use std::collections::BTreeSet;

use crate::tree::{file, none, rust};

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
    let mut findings = Vec::new();
    for path in [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "deploy/OPERATORS.md",
    ] {
        for span in code_spans(&file(path).unwrap().text) {
            let Some(rest) = span.strip_prefix("make ") else {
                continue;
            };
            let target = rest.split_whitespace().next().unwrap_or_default();
            if !makefile.contains(&format!("\n{target}:")) {
                findings.push(format!("{path}: make {target}"));
            }
        }
    }
    none(findings, "no such target");
}

#[test]
fn every_make_target_says_what_it_does() {
    let makefile = &file("Makefile").unwrap().text;
    for target in [
        "run", "test", "demo", "check", "fmt", "lint", "deny", "bench", "fuzz", "soak", "doc",
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
    for document in crate::tree::texts()
        .iter()
        .filter(|file| file.path.ends_with(".md"))
    {
        let folder = document
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        for link in document
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(link, _)| link)
        {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            if !crate::tree::root().join(folder).join(path).exists() {
                findings.push(format!("{}: {link}", document.path));
            }
        }
    }
    none(findings, "links to nothing");
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

fn test_names() -> BTreeSet<String> {
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
