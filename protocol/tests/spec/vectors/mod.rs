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

/// [S-1] [S-2] [S-3] [S-4] [S-5] [S-6]
#[test]
fn derivations_are_as_committed() {
    check("derivations", &derivations::vectors());
}

/// [C-2] [C-3] [C-4] [H-1] [H-5]
#[test]
fn cells_heads_and_bodies_are_as_committed() {
    check("cells", &cells::vectors());
}

/// [W-2] [W-3] [W-4] [W-5] [W-8]
#[test]
fn frames_are_as_committed() {
    check("frames", &frames::vectors());
}

/// [K-1] [K-2] [K-5] [K-6] [K-7] [M-1] [M-2] [D-5]
#[test]
fn keys_links_words_and_cards_are_as_committed() {
    check("identity", &identity::vectors());
}

/// [G-1] [G-3] [G-4] [G-6] [G-9] [G-11]
#[test]
fn what_stands_in_groups_is_as_committed() {
    check("group", &group::vectors());
}

/// [I-1] [I-2] [I-4]
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
