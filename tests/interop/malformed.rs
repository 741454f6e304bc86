//! Inputs that must be refused, refused by the foreign client.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::{
    foreign::{
        cbor::Item,
        contact::{self, Intake},
        content, desk, frame,
        group::{CommitData, Message, Statement, Terms, identity, welcome_payload},
        slot::{self, Data, Thread},
    },
    vectors::{array, hex, list, number, vectors},
};

#[test]
fn malformed_cells_and_frames_are_refused() {
    let (cells, frames) = (vectors("cells"), vectors("frames"));
    let sealed = &cells["sealed"];
    let thread = Thread::new(
        array(&sealed["secret"]),
        number(&sealed["kind"]),
        number(&sealed["leaf"]),
    );
    let slot = thread.slot(number(&sealed["counter"]));
    refuses("cell", &sample(&sealed["cell"]), |bytes| slot.open(bytes));
    let plaintext = slot::pad(&hex(&sealed["data"]), 4056);
    refuses("cell-plaintext", &[plaintext], |bytes| {
        slot::opened(bytes).and_then(|data| Data::parse(&data))
    });
    refuses("data", &sample(&sealed["data"]), Data::parse);
    let framed = |all: &Value| -> Vec<Vec<u8>> {
        let contents = each(all, "content");
        contents.iter().map(|one| frame::frame(one)).collect()
    };
    refuses("from-relay", &framed(&frames["from_relay"]), |bytes| {
        frame::content(bytes).and_then(frame::decode_from_relay)
    });
    refuses("operations", &framed(&frames["to_relay"]), |bytes| {
        frame::content(bytes).and_then(frame::decode_operations)
    });
}

#[test]
fn malformed_values_of_a_group_are_refused() {
    let (group, root) = (vectors("group"), root());
    refuses(
        "commit-data",
        &each(&group["commit_data"], "cbor"),
        |bytes| {
            let data = CommitData::decode(bytes)?;
            let mut statements = data.statements.iter();
            statements
                .all(|item| Statement::read(item, &root).is_some())
                .then_some(data)
        },
    );
    // The key of the leaf that the unaltered credential is of, so that nothing is refused for another.
    refuses(
        "credential",
        &each(&group["credentials"], "cbor"),
        |bytes| {
            let is_member = bytes.starts_with(b"\xa1\x66member");
            let leaf = if is_member { "accompanier" } else { "leaf" };
            identity(bytes, &key(leaf), &root)
        },
    );
    refuses("message", &each(&group["messages"], "cbor"), |bytes| {
        Message::decode(bytes).filter(|message| content::is_known(&message.content, &root))
    });
    refuses("terms", &each(&group["terms"], "cbor"), Terms::decode);
    let payloads = sample(&group["welcome_payload"]["cbor"]);
    refuses("welcome-payload", &payloads, |bytes| {
        welcome_payload(bytes, &root)
    });
}

#[test]
fn malformed_values_of_a_first_contact_are_refused() {
    let (contacts, root) = (vectors("contact"), root());
    let identities = vectors("identity");
    let desk = array(&identities["desk"]["id"]);
    let r = array(&contacts["waiting_info"]["r"]);
    let cards = sample(&identities["card"]["cbor"]);
    refuses("card", &cards, |bytes| desk::card(bytes, &desk));
    let intakes = each(&contacts["intakes"], "plaintext");
    refuses("intake", &intakes, Intake::parse);
    refuses("reply", &each(&contacts["replies"], "cbor"), |bytes| {
        contact::reply(bytes, &r, &root, &key("person"))
    });
    refuses("waiting", &each(&contacts["waiting"], "cbor"), |bytes| {
        contact::waiting(bytes, &r)
    });
}

fn root() -> [u8; 32] {
    array(&vectors("identity")["desk"]["root"])
}

fn key(name: &str) -> [u8; 32] {
    let identities = vectors("identity");
    let keys = list(&identities["keys"]);
    array(&keys.iter().find(|key| key["name"] == name).unwrap()["public"])
}

fn each(all: &Value, field: &str) -> Vec<Vec<u8>> {
    list(all).iter().map(|one| hex(&one[field])).collect()
}

fn sample(value: &Value) -> Vec<Vec<u8>> {
    vec![hex(value)]
}

/// Every file of the folder is refused by its decoder, which takes the samples that they were made from.
fn refuses<T>(folder: &str, samples: &[Vec<u8>], decode: impl Fn(&[u8]) -> Option<T>) {
    assert!(!samples.is_empty());
    for sample in samples {
        assert!(decode(sample).is_some(), "a sample of {folder} is refused");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/testdata/malformed");
    let files: Vec<_> = fs::read_dir(path.join(folder)).unwrap().collect();
    assert!(!files.is_empty());
    for file in files {
        let file = file.unwrap().path();
        let bytes = bytes(&fs::read_to_string(&file).unwrap());
        assert!(decode(&bytes).is_none(), "{}", file.display());
    }
}

/// Hex behind a line of comment; `00*9` stands for nine zero bytes.
fn bytes(text: &str) -> Vec<u8> {
    let hex = text.split_once('\n').unwrap().1;
    let words = hex
        .split_whitespace()
        .map(|word| match word.split_once('*') {
            None => HEXLOWER.decode(word.as_bytes()).unwrap(),
            Some((byte, count)) => HEXLOWER
                .decode(byte.as_bytes())
                .unwrap()
                .repeat(count.parse().unwrap()),
        });
    words.flatten().collect()
}

/// Nesting ends at 16, wherever it is.
#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x80]].concat();
    assert!(Item::decode(&nested(15)).is_some());
    assert!(Item::decode(&nested(100)).is_none());
}
