//! Rules broken on purpose, to see that something notices: the list, and how it is applied to a text.

use serde::Deserialize;

/// Stands in a replacement for the guard.
const GUARD: &str = "MUTATED";

/// One rule, and how it is broken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// What holds no more.
    pub rule: String,
    /// What befalls members in the model test that the rule is there for.
    pub shows: Option<String>,
    /// Where it is broken: a path from the root.
    pub file: String,
    /// A text that stands there once.
    pub find: String,
    /// What stands there instead.
    pub replace: String,
    /// A seed of the model test that fails.
    pub seed: Option<u64>,
    /// A test that fails.
    pub test: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutation: Vec<Mutation>,
}

/// All mutations.
pub fn list() -> Vec<Mutation> {
    let list: List = toml::from_str(include_str!("../mutations.toml")).unwrap();
    list.mutation
}

impl Mutation {
    /// How often the text to find stands in `text`.
    pub fn found_in(&self, text: &str) -> usize {
        text.matches(&self.find).count()
    }

    /// `text`, with the rule broken where `guard` holds.
    pub fn apply(&self, text: &str, guard: &str) -> String {
        text.replacen(&self.find, &self.replace.replace(GUARD, guard), 1)
    }
}
