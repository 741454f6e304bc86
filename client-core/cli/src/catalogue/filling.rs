//! Values and words in texts.

use cobijo_protocol::words::{AliasIndices, WordIndices};

use super::Language;

/// A text with its `{}` filled in, in order.
pub(crate) fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut values = values.iter();
    let mut parts = text.split("{}");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        filled.push_str(values.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

/// Six words of the BIP-39 list, for people.
pub(crate) fn words(indices: &WordIndices, language: Language) -> String {
    of_list(indices, language).join(" ")
}

/// What a desk calls a conversation: in one language for all of the team, since two names would be of two people.
pub(crate) fn alias(indices: AliasIndices) -> String {
    of_list(&indices, Language::Es).join("-")
}

fn of_list(indices: &[u16], language: Language) -> Vec<&'static str> {
    let list = match language {
        Language::Es => bip39::Language::Spanish,
        Language::En => bip39::Language::English,
    }
    .word_list();
    let word = |&index: &u16| list.get(usize::from(index)).copied().unwrap_or_default();
    indices.iter().map(word).collect()
}
