//! Cells, operations and what the relay says.

use cobijo_protocol::{
    cell::Cell,
    frame::{Closing, FromRelay, Greeting, Operation, Outcome, SessionNonce, SlotState},
    keys::Signature,
    mailbox::{ItemId, MailboxKey},
    slot::{Address, EraseKey, Mark, SlotKey},
};

use super::{DAY, MAILBOX, key};

pub(crate) fn cell(byte: u8) -> Cell {
    Cell::from_bytes([byte; 4096])
}

pub(crate) fn operations() -> Vec<(&'static str, Operation)> {
    let mailbox = MailboxKey::of(&key(MAILBOX));
    let addresses = vec![
        Address::from_bytes([0xad; 32]),
        Address::from_bytes([0xae; 32]),
    ];
    vec![
        ("hello", Operation::Hello { version: 1 }),
        (
            "put",
            Operation::Put {
                slot_key: SlotKey::from_bytes([0x51; 32]),
                mark: Mark::from_bytes([0x3a; 32]),
                cell: cell(0xce),
            },
        ),
        (
            "watch",
            Operation::Watch {
                addresses: addresses.clone(),
            },
        ),
        ("unwatch", Operation::Unwatch { addresses }),
        (
            "erase",
            Operation::Erase {
                slot_key: SlotKey::from_bytes([0x51; 32]),
                erase_key: EraseKey::from_bytes([0xe5; 32]),
            },
        ),
        (
            "drop",
            Operation::Drop {
                mailbox,
                cell: cell(0xce),
            },
        ),
        (
            "open",
            Operation::Open {
                mailbox,
                signature: Signature::from_bytes([0x51; 64]),
            },
        ),
        (
            "remove",
            Operation::Remove {
                mailbox,
                item: ItemId::from_bytes([0x17; 16]),
            },
        ),
        ("cover", Operation::Cover { cell: cell(0) }),
    ]
}

pub(crate) fn outcomes() -> Vec<(&'static str, Outcome)> {
    vec![
        (
            "hello",
            Outcome::Hello(Greeting {
                nonce: SessionNonce::from_bytes([0x9e; 32]),
                retention_days: 90,
                day: DAY,
                credits: 1_024,
            }),
        ),
        ("stored", Outcome::Stored),
        ("taken", Outcome::Taken),
        ("no credit", Outcome::NoCredit),
        ("skipped", Outcome::Skipped),
        (
            "watching",
            Outcome::Watching(vec![SlotState::Empty, SlotState::Full, SlotState::Gone]),
        ),
        ("done", Outcome::Done),
        ("full", Outcome::Full),
        ("unknown", Outcome::Unknown),
        ("denied", Outcome::Denied),
        ("too many", Outcome::TooMany),
        ("busy", Outcome::Busy),
    ]
}

pub(crate) fn pushes() -> Vec<(&'static str, FromRelay)> {
    let address = Address::from_bytes([0xad; 32]);
    let mut pushes = vec![
        (
            "cell",
            FromRelay::Cell {
                address,
                cell: cell(0xce),
            },
        ),
        ("gone", FromRelay::Gone { address }),
        (
            "item",
            FromRelay::Item {
                mailbox: MailboxKey::of(&key(MAILBOX)),
                item: ItemId::from_bytes([0x17; 16]),
                cell: cell(0xce),
            },
        ),
    ];
    let closings = [
        ("closing: stopping", Closing::Stopping),
        ("closing: too slow", Closing::TooSlow),
        ("closing: too fast", Closing::TooFast),
        ("closing: malformed", Closing::Malformed),
        ("closing: version", Closing::Version),
    ];
    pushes.extend(closings.map(|(name, closing)| (name, FromRelay::Closing(closing))));
    pushes
}
