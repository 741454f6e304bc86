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
fn what_must_be_refused_is_refused() {
    let identities = vectors("identity");
    let root: [u8; 32] = array(&identities["desk"]["root"]);
    let desk = array(&identities["desk"]["id"]);
    let key = |name: &str| -> [u8; 32] {
        let keys = list(&identities["keys"]);
        array(&keys.iter().find(|key| key["name"] == name).unwrap()["public"])
    };
    let r = array(&vectors("contact")["waiting_info"]["r"]);
    let sealed = &vectors("cells")["sealed"];
    let thread = Thread::new(
        array(&sealed["secret"]),
        number(&sealed["kind"]),
        number(&sealed["leaf"]),
    );
    let slot = thread.slot(number(&sealed["counter"]));
    let (cells, frames) = (vectors("cells"), vectors("frames"));
    let (group, contacts) = (vectors("group"), vectors("contact"));
    let each = |list_of: &Value, field: &str| -> Vec<Vec<u8>> {
        list(list_of).iter().map(|one| hex(&one[field])).collect()
    };
    let framed = |list_of: &Value| -> Vec<Vec<u8>> {
        let contents = each(list_of, "content");
        contents
            .iter()
            .map(|content| frame::frame(content))
            .collect()
    };
    let sample = |value: &Value| vec![hex(value)];

    let cards = sample(&identities["card"]["cbor"]);
    refuses("card", &cards, |bytes| desk::card(bytes, &desk));
    refuses("cell", &sample(&sealed["cell"]), |bytes| slot.open(bytes));
    let plaintext = slot::pad(&hex(&sealed["data"]), 4056);
    refuses("cell-plaintext", &[plaintext], |bytes| {
        slot::opened(bytes).and_then(|data| Data::parse(&data))
    });
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
    refuses("data", &sample(&cells["sealed"]["data"]), Data::parse);
    refuses("from-relay", &framed(&frames["from_relay"]), |bytes| {
        frame::content(bytes).and_then(frame::decode_from_relay)
    });
    refuses(
        "intake",
        &each(&contacts["intakes"], "plaintext"),
        Intake::parse,
    );
    refuses("message", &each(&group["messages"], "cbor"), |bytes| {
        Message::decode(bytes).filter(|message| content::is_known(&message.content, &root))
    });
    refuses("operations", &framed(&frames["to_relay"]), |bytes| {
        frame::content(bytes).and_then(frame::decode_operations)
    });
    refuses("reply", &each(&contacts["replies"], "cbor"), |bytes| {
        contact::reply(bytes, &r, &root, &key("person"))
    });
    refuses("terms", &each(&group["terms"], "cbor"), Terms::decode);
    refuses("waiting", &each(&contacts["waiting"], "cbor"), |bytes| {
        contact::waiting(bytes, &r)
    });
    let payloads = sample(&group["welcome_payload"]["cbor"]);
    refuses("welcome-payload", &payloads, |bytes| {
        welcome_payload(bytes, &root)
    });
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
