//! Each requirement of `protocol/SPEC.md` is enforced by code that quotes it and proved by a test that quotes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{file, none, rust};

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
        proved.extend(ids(file.tests()));
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
