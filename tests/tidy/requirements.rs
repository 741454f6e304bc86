//! Each requirement of `protocol/SPEC.md` is enforced by code that quotes it and proved by a test that quotes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{file, none, rust};

/// Requirements that one test may prove: who proves everything proves nothing.
const PROVED_MAX: usize = 3;

#[test]
fn every_requirement_is_enforced_and_proved() {
    let required = ids(&file("protocol/SPEC.md").unwrap().text);
    assert!(!required.is_empty());
    let (mut enforced, mut proved) = (BTreeSet::new(), BTreeSet::new());
    let mut unknown = BTreeMap::new();
    for file in rust().filter(|file| !file.path.starts_with("tests/tidy/")) {
        let found = ids(&file.text);
        unknown.extend(
            found
                .difference(&required)
                .map(|id| (id.clone(), file.path.clone())),
        );
        let tests = quoted_by_tests(file.tests());
        proved.extend(tests.into_iter().flat_map(|(_, ids)| ids));
        if !file.is_test() {
            enforced.extend(ids(file.without_unit_tests()));
        }
    }
    none(
        unknown.iter().map(|(id, path)| format!("[{id}] in {path}")),
        "SPEC.md does not know",
    );
    let unfinished =
        required
            .iter()
            .filter_map(|id| match (enforced.contains(id), proved.contains(id)) {
                (true, true) => None,
                (true, false) => Some(format!("[{id}] has no test")),
                (false, true) => Some(format!("[{id}] has no code")),
                (false, false) => Some(format!("[{id}] has neither code nor test")),
            });
    none(
        unfinished,
        "quote each requirement where it is enforced and where it is proved",
    );
}

#[test]
fn no_test_proves_too_much() {
    let files = rust().filter(|file| !file.path.starts_with("tests/tidy/"));
    let tests = files.flat_map(|file| {
        let tests = quoted_by_tests(file.tests()).into_iter();
        tests.map(|(name, ids)| (format!("{}: {name}", file.path), ids.len()))
    });
    let many = tests.filter(|(_, ids)| *ids > PROVED_MAX);
    none(
        many.map(|(test, _)| test),
        "at most three requirements a test",
    );
}

/// Returns what each test quotes, in the comment directly above it. In a macro of cases a test is a line like `name: …`, with
/// the comment or the ids before it.
fn quoted_by_tests(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let (mut tests, mut comment, mut is_test) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        let (code, is_inner) = (line.trim_start(), line.starts_with("    "));
        if let Some(words) = code.strip_prefix("///") {
            comment.push_str(words);
            continue;
        }
        if code.starts_with("#[") {
            is_test |= code.starts_with("#[test]") || code.starts_with("#[tokio::test");
            continue;
        }
        let function = code.split_once("fn ").filter(|_| is_test);
        let name = match function {
            Some((_, rest)) => rest.split('(').next(),
            None if is_inner => case(code),
            None => None,
        };
        if let Some(name) = name {
            let quoted = ids(&comment).union(&ids(code)).cloned().collect();
            tests.push((name.to_owned(), quoted));
        }
        comment.clear();
        is_test = false;
    }
    tests
}

/// Returns the name of a case: `[W-3] a_name_like_a_sentence: …`.
fn case(code: &str) -> Option<&str> {
    let (head, _) = code.split_once(':')?;
    let name = head.rsplit(' ').next()?;
    let is_sentence = name.matches('_').count() >= 2
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_sentence.then_some(name)
}

#[test]
fn what_a_test_quotes_stands_directly_above_it() {
    let text = "\
/// [W-1] a helper
fn helper() {}
/// [W-2] and [W-3]
#[test]
fn a_test() {}
cases! {
    [P-1] [P-2] a_case_of_a_macro: scene();
    /// [S-1]
    another_case_of_it: file;
}
";
    let found = quoted_by_tests(text).into_iter();
    let found: Vec<_> = found.map(|(name, ids)| (name, ids.len())).collect();
    let named = [
        ("a_test", 2),
        ("a_case_of_a_macro", 2),
        ("another_case_of_it", 1),
    ];
    let expected = named.map(|(name, ids): (&str, _)| (name.to_owned(), ids));
    assert_eq!(found, expected);
}

/// Returns the ids, like `W-3`, that stand in brackets.
fn ids(text: &str) -> BTreeSet<String> {
    text.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(id, _)| id)
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect()
}

fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, number)| {
        !letters.is_empty()
            && letters.len() <= 3
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[test]
fn ids_are_found_in_brackets_alone() {
    let found = ids("[W-3] and [C-12](#c), but not W-4, [w-5], [W-] or [Wire-6]");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["C-12", "W-3"]);
}
