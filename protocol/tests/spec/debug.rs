//! What holds secrets shows none of them when it is debugged.

use std::fmt::Debug;

use cobijo_protocol::{
    frame::SessionNonce,
    parts::Split,
    slot::{Kind, Slot, ThreadSecret},
};

use crate::samples;

#[test]
fn types_that_hold_secrets_print_their_names_only() {
    let secret = ThreadSecret::from_bytes([0x4b; 32]);
    let slot = Slot::derive(&secret, Kind::Message, 0, 0);
    let split = Split::all_in_bodies(&[1; 5_000], secret.clone()).unwrap();
    let snapshots: [(&dyn Debug, &str); 14] = [
        (&secret, "ThreadSecret { .. }"),
        (&slot, "Slot { .. }"),
        (slot.slot_key(), "SlotKey { .. }"),
        (slot.erase_key().unwrap(), "EraseKey { .. }"),
        (&slot.mark(), "Mark { .. }"),
        (&slot.address(), "Address { .. }"),
        (&samples::key(1), "SecretKey { .. }"),
        (&samples::public(1), "PublicKey { .. }"),
        (&SessionNonce::from_bytes([1; 32]), "SessionNonce { .. }"),
        (&samples::cell(1), "Cell { .. }"),
        (&split.data, "Data { .. }"),
        (&samples::desk_key(), "Signed { .. }"),
        (&samples::intakes()[0].1, "Intake { .. }"),
        (&samples::contents()[0].1, "Content { .. }"),
    ];
    for (value, expected) in snapshots {
        assert_eq!(format!("{value:?}"), expected);
    }
}

#[test]
fn nothing_that_is_debugged_shows_a_secret_a_key_or_a_text() {
    let printed = [
        print(samples::operations()),
        print(samples::outcomes()),
        print(samples::pushes()),
        print(samples::contents()),
        print(samples::commit_data()),
        print(samples::statements()),
        print(samples::intakes()),
        print(samples::waitings()),
        print(samples::replies()),
        print(samples::claims()),
        print(samples::takings()),
        print(samples::successions()),
        format!("{:?}", samples::succession(2)),
        print(samples::terms()),
        format!("{:?}", samples::intake_key()),
        format!("{:?}", samples::welcome_payload()),
        format!("{:?}", samples::card()),
    ]
    .concat();
    for text in ["hola", "Hola", "ayudarme", "abogada"] {
        assert!(!printed.contains(text), "{text}");
    }
    for byte in [
        "82, 82, 82",
        "75, 75, 75",
        "\\x4b",
        "KKK",
        "RRR",
        "WWW",
        "119, 119",
    ] {
        assert!(!printed.contains(byte), "{byte}");
    }
}

fn print<T: Debug>(values: Vec<(&'static str, T)>) -> String {
    values
        .into_iter()
        .map(|(_, value)| format!("{value:?}\n"))
        .collect()
}
