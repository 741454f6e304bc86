//! Vectors of coming back: phrases. `UPDATE_VECTORS=1` makes new ones.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use cobijo_client_core::core::{
    phrase::{Phrase, WordList},
    port::Rng,
};
use data_encoding::HEXLOWER;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};

/// [B-2]
#[test]
fn what_a_phrase_gives_is_as_committed() {
    let vectors = committed("phrase", phrases);
    let phrases = vectors["phrases"].as_array().unwrap();
    assert_eq!(phrases.len(), 4);
    for vector in phrases {
        let phrase = Phrase::parse(text(&vector["typed"])).unwrap();
        assert_eq!(json!(phrase.words()), vector["words"]);
        let keys = phrase.derive().unwrap();
        assert_eq!(hex(keys.find().as_bytes()), text(&vector["k_find"]));
        assert_eq!(hex(keys.seed()), text(&vector["seed"]));
        let public = keys.pair().unwrap().public;
        assert_eq!(hex(&public), text(&vector["public"]));
    }
}

fn phrases(rng: &mut Rng) -> Value {
    let drawn = [
        (WordList::Spanish, "es"),
        (WordList::English, "en"),
        (WordList::Spanish, "es"),
        (WordList::English, "en"),
    ];
    let phrases: Vec<Value> = drawn
        .iter()
        .enumerate()
        .map(|(number, &(list, language))| {
            let words = Phrase::draw(list, rng).words();
            let typed = match number {
                0 | 1 => words.join(" "),
                _ => words.join("\n").to_uppercase(),
            };
            let keys = Phrase::parse(&typed).unwrap().derive().unwrap();
            let list = match list {
                WordList::Spanish => bip39::Language::Spanish,
                WordList::English => bip39::Language::English,
            };
            let index = |word: &&str| list.word_list().iter().position(|known| known == word);
            json!({
                "language": language,
                "words": words,
                "indices": words.iter().map(index).collect::<Vec<_>>(),
                "typed": typed,
                "k_find": hex(keys.find().as_bytes()),
                "seed": hex(keys.seed()),
                "public": hex(&keys.pair().unwrap().public),
            })
        })
        .collect();
    json!({ "phrases": phrases })
}

fn committed(name: &str, make: fn(&mut Rng) -> Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = path.join(format!("../protocol/vectors/{name}.json"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let vectors = make(&mut Rng::from_seed([1; 32]));
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
