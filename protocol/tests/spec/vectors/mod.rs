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
fn files_are_as_committed() {
    for (name, vectors) in [
        ("derivations", derivations::vectors()),
        ("cells", cells::vectors()),
        ("frames", frames::vectors()),
        ("identity", identity::vectors()),
        ("group", group::vectors()),
        ("contact", contact::vectors()),
    ] {
        check(name, &vectors);
    }
}

/// Tests, each of which compares a part of a file with what the text says of it.
macro_rules! parts {
    ($($(#[$doc:meta])+ $name:ident: $file:ident[$($part:literal),+];)+) => {$(
        $(#[$doc])+
        #[test]
        fn $name() {
            let (made, committed) = ($file::vectors(), read(stringify!($file)));
            for part in [$($part),+] {
                assert!(!made[part].is_null(), "{part}");
                assert_eq!(made[part], committed[part], "{part}");
            }
        }
    )+};
}

parts! {
    /// [S-1] [S-2] [S-4]
    slots_are_derived_as_committed: derivations["slots"];
    /// [S-6]
    claim_secrets_are_derived_as_committed: derivations["claim"];
    /// [C-2]
    the_void_cell_is_as_committed: cells["void_sha256"];
    /// [C-3]
    cells_are_sealed_as_committed: cells["sealed"];
    /// [C-4]
    heads_of_welcomes_are_sealed_as_committed: cells["sealed_deterministic"];
    /// [H-1] [H-5] [S-5]
    heads_and_bodies_are_as_committed: cells["heads"];
    /// [F-2] [F-3] [F-4]
    files_are_cut_and_sealed_as_committed: cells["file"];
    /// [W-4]
    operations_are_as_committed: frames["to_relay"];
    /// [W-5]
    outcomes_and_pushes_are_as_committed: frames["from_relay"];
    /// [K-5]
    desk_ids_are_as_committed: identity["desk"];
    /// [K-6]
    words_are_as_committed: identity["words"];
    /// [K-7]
    links_and_invites_are_as_committed: identity["link", "invite"];
    /// [M-2]
    signatures_of_open_are_as_committed: identity["open"];
    /// [K-1] [K-2]
    what_is_signed_is_as_committed: identity["signed"];
    /// [D-5]
    a_card_is_as_committed: identity["card"];
    /// [G-1]
    terms_are_as_committed: group["terms"];
    /// [O-4] [O-7]
    what_lets_her_into_a_circle_is_as_committed: group["circle"];
    /// [G-3] [G-4]
    credentials_are_as_committed: group["credentials"];
    /// [G-9]
    statements_are_as_committed: group["statements"];
    /// [G-6]
    commit_data_is_as_committed: group["commit_data"];
    /// [G-11]
    a_welcomes_payload_is_as_committed: group["welcome_payload"];
    ///
    messages_are_as_committed: group["messages"];
    ///
    words_to_coordinators_are_as_committed: group["words"];
    /// [I-1] [I-2]
    intakes_are_as_committed: contact["intakes", "intake_info"];
    /// [I-4] [I-5]
    what_a_waiting_person_adds_is_as_committed: contact["waiting", "waiting_info"];
    /// [I-6] [I-8]
    replies_are_as_committed: contact["replies", "reply_threads"];
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/{name}.json"))
}

/// Compares with the committed file, or rewrites it.
fn check(name: &str, vectors: &Value) {
    let path = path(name);
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
