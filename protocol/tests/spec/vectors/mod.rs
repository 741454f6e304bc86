//! Committed vectors: regenerated and compared; `UPDATE_VECTORS=1` rewrites them.

mod cells;
mod contact;
mod derivations;
mod diagnostic;
mod frames;
mod group;
mod identity;

pub(crate) use cells::seal_plaintext;

use std::{fs, path::PathBuf};

use cobijo_protocol::cbor;
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Value, json};

#[test]
fn derivations_are_as_committed() {
    check("derivations", &derivations::vectors());
}

#[test]
fn cells_heads_and_bodies_are_as_committed() {
    check("cells", &cells::vectors());
}

#[test]
fn frames_are_as_committed() {
    check("frames", &frames::vectors());
}

#[test]
fn keys_links_words_and_cards_are_as_committed() {
    check("identity", &identity::vectors());
}

#[test]
fn what_stands_in_groups_is_as_committed() {
    check("group", &group::vectors());
}

#[test]
fn what_stands_in_first_contact_is_as_committed() {
    check("contact", &contact::vectors());
}

/// Compares with the committed file, or rewrites it.
fn check(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/{name}.json"));
    let text = format!("{vectors:#}\n");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let differs = committed
        .lines()
        .zip(text.lines())
        .position(|(committed, now)| committed != now);
    assert!(
        committed == text,
        "{} differs from line {:?} on; rewrite it with UPDATE_VECTORS=1 if SPEC.md changed",
        path.display(),
        differs.map(|line| line + 1)
    );
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// A value as bytes and in the diagnostic notation of RFC 8949 §8.
fn cbor_vector<T: Serialize>(name: &str, value: &T) -> Value {
    let bytes = cbor::encode(value);
    json!({
        "name": name,
        "cbor": hex(&bytes),
        "diagnostic": diagnostic::of(&bytes),
    })
}
