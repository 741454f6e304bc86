//! The rules that are broken on purpose stand where the list says, and what is to notice exists.

use cobijo_tests::mutants::list;

use crate::{
    documents::test_names,
    tree::{file, none},
};

/// What befalls members in the model test; a seed must notice a broken rule that is there for each.
const FAULTS: [&str; 10] = [
    "lost answers",
    "late answers",
    "crash",
    "squatted commit slots",
    "squatted message slots",
    "late bodies",
    "erased messages",
    "expiry and stale returns",
    "wrong clocks",
    "reordering",
];

const SEED_MAX: u64 = 300;

#[test]
fn every_rule_to_break_stands_once_where_the_list_says() {
    let strays = list().into_iter().filter(|mutation| {
        let broken = file(&mutation.file);
        broken.is_none_or(|broken| mutation.found_in(&broken.text) != 1)
    });
    none(
        strays.map(|mutation| format!("{}: {}", mutation.file, mutation.rule)),
        "tests/mutations.toml: the text to find must stand there once",
    );
}

#[test]
fn something_that_exists_notices_every_broken_rule() {
    let tests = test_names();
    let unnoticed = list().into_iter().filter(|mutation| {
        let is_test = mutation.test.as_ref().map(|test| tests.contains(test));
        !is_test.unwrap_or(mutation.seed.is_some())
    });
    none(
        unnoticed.map(|mutation| mutation.rule),
        "tests/mutations.toml names no seed, or a test that doesn't exist",
    );
}

#[test]
fn a_seed_of_the_model_test_shows_every_fault() {
    let list = list();
    let shown = |fault: &&&str| {
        list.iter().any(|mutation| {
            mutation.shows.as_deref() == Some(**fault)
                && mutation.seed.is_some_and(|seed| seed <= SEED_MAX)
        })
    };
    let unshown = FAULTS.iter().filter(|fault| !shown(fault));
    none(
        unshown.map(|fault| (*fault).to_owned()),
        "tests/mutations.toml has no broken rule that a seed notices for",
    );
}
