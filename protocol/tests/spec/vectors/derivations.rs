//! Slots of every kind, derived a second time from the text of SPEC.md.

use cobijo_protocol::{
    keys::IntakeSeed,
    slot::{Kind, Slot, ThreadSecret, claim_secret},
};
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::hex;

pub(crate) fn vectors() -> Value {
    let secret = [0x4b; 32];
    let kinds = [
        (Kind::Message, 3, 9),
        (Kind::Commit, 0, 0),
        (Kind::Reply, 0, 1),
        (Kind::Waiting, 0, 2),
        (Kind::Claim, 0, 0),
        (Kind::Taking, 0, 0),
        (Kind::Welcome, 0, 1),
        (Kind::Capsule, 742, 255),
        (Kind::Message, u32::MAX, u64::MAX),
    ];
    let thread = ThreadSecret::from_bytes(secret);
    let mut slots: Vec<Value> = kinds
        .iter()
        .map(|&(kind, leaf, counter)| {
            let slot = Slot::derive(&thread, kind, leaf, counter);
            vector(&secret, kind, leaf, counter, &slot)
        })
        .collect();
    for erasable in [true, false] {
        let slot = Slot::derive_body(&thread, 63, erasable);
        slots.push(vector(&secret, Kind::Body, 0, 63, &slot));
    }
    json!({ "slots": slots, "claim": claim() })
}

fn vector(secret: &[u8; 32], kind: Kind, leaf: u32, counter: u64, slot: &Slot) -> Value {
    let expected = Reference::derive(
        secret,
        kind as u8,
        leaf,
        counter,
        slot.erase_key().is_some(),
    );
    assert_eq!(slot.slot_key().as_bytes(), &expected.slot_key);
    assert_eq!(slot.mark().as_bytes(), &expected.mark);
    assert_eq!(slot.address().as_bytes(), &expected.address);
    assert_eq!(
        slot.erase_key().map(|key| *key.as_bytes()),
        expected.erase_key
    );
    json!({
        "secret": hex(secret),
        "kind": kind as u8,
        "leaf": leaf,
        "counter": counter,
        "slot_key": hex(expected.slot_key),
        "seal_key": hex(expected.seal_key),
        "erase_key": expected.erase_key.map(hex),
        "mark": hex(expected.mark),
        "address": hex(expected.address),
    })
}

/// A slot as SPEC.md says it, written apart from the crate.
pub(crate) struct Reference {
    slot_key: [u8; 32],
    pub(crate) seal_key: [u8; 32],
    erase_key: Option<[u8; 32]>,
    mark: [u8; 32],
    pub(crate) address: [u8; 32],
}

impl Reference {
    pub(crate) fn derive(
        secret: &[u8; 32],
        kind: u8,
        leaf: u32,
        counter: u64,
        erasable: bool,
    ) -> Self {
        let mut info = b"cobijo/1 slot".to_vec();
        info.push(kind);
        info.extend(leaf.to_be_bytes());
        info.extend(counter.to_be_bytes());
        let expand = |label: &str| {
            let mut okm = [0; 32];
            let info = [label.as_bytes(), &info].concat();
            Hkdf::<Sha256>::from_prk(secret)
                .unwrap()
                .expand(&info, &mut okm)
                .unwrap();
            okm
        };
        let hash = |parts: &[&[u8]]| -> [u8; 32] { Sha256::digest(parts.concat()).into() };
        let erase_key = erasable.then(|| expand("erase"));
        let mark = match &erase_key {
            Some(erase_key) => hash(&[b"cobijo/1 erase", erase_key]),
            None => expand("keep"),
        };
        let slot_key = expand("key");
        Self {
            slot_key,
            seal_key: expand("seal"),
            erase_key,
            mark,
            address: hash(&[b"cobijo/1 address", &slot_key, &mark]),
        }
    }
}

fn claim() -> Value {
    let (seed, r) = ([0x53; 32], [0x52; 32]);
    let mut expected = [0; 32];
    Hkdf::<Sha256>::new(None, &seed)
        .expand(&[b"cobijo/1 claim".as_slice(), &r].concat(), &mut expected)
        .unwrap();
    let secret = claim_secret(&IntakeSeed::from_bytes(seed), &ThreadSecret::from_bytes(r));
    assert_eq!(secret.as_bytes(), &expected);
    json!({ "intake_seed": hex(seed), "r": hex(r), "secret": hex(expected) })
}
