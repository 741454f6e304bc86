//! Vectors of what needs an MLS library. Sealing is random, so committed vectors are opened, not made
//! again; `UPDATE_VECTORS=1` makes new ones.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use cobijo_client_core::{
    core::{
        port::{Rng, Seen},
        waiting::{Decision, Replies, Wanted},
    },
    mls::{
        Suite,
        hpke::{is_usable, key_pair, open, seal},
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    card::{Attestation, Attested, DeskKey, Role},
    content::desk_key_seal_info,
    credential::{Credential, PersonCredential, PersonLeaf},
    handover::{Word, word_seal_info},
    intake::{Intake, IntakeKind, intake_info, waiting_info},
    keys::{PublicKey, SecretKey},
    limits::CELL_BYTES,
    link::DeskId,
    parts::Data,
    slot::{Kind, Slot, ThreadSecret},
};
use data_encoding::HEXLOWER;
use rand_core::SeedableRng;
use serde_json::{Value, json};

const DAY: u32 = 20_781;
const CARD_VERSION: u32 = 2;
const SEED: [u8; 32] = [0x53; 32];

/// [D-9]
#[test]
fn an_intake_key_comes_from_its_seed() {
    let vectors = committed("hpke", intake_vectors);
    let pair = key_pair(&SEED).unwrap();
    assert_eq!(pair.public, bytes(&vectors["public"]));
    assert_eq!(
        pair.private.as_slice(),
        bytes(&vectors["decapsulation_key"])
    );
}

/// [I-2], [I-3]
#[test]
fn a_committed_intake_opens_under_the_key_of_its_seed() {
    let vectors = read("hpke");
    let pair = key_pair(&SEED).unwrap();
    let desk = DeskId::of(&key(1).public());

    let cell = bytes(&vectors["intake"]["cell"]);
    assert_eq!(cell.len(), CELL_BYTES);
    let info = intake_info(&desk, CARD_VERSION, DAY);
    let plaintext = open(&pair, &info, &cell).unwrap();
    assert_eq!(plaintext.as_slice(), bytes(&vectors["intake"]["plaintext"]));
    assert_eq!(Intake::from_plaintext(&plaintext), Ok(intake()));
    for (version, day) in [(CARD_VERSION + 1, DAY), (CARD_VERSION, DAY + 1)] {
        assert!(open(&pair, &intake_info(&desk, version, day), &cell).is_none());
    }
}

/// [I-4]
#[test]
fn what_else_is_sealed_opens_under_that_key() {
    let vectors = read("hpke");
    let pair = key_pair(&SEED).unwrap();
    let desk = DeskId::of(&key(1).public());
    let sealed = bytes(&vectors["desk_key_seal"]["sealed"]);
    let seed = open(&pair, &desk_key_seal_info(&desk), &sealed).unwrap();
    assert_eq!(seed.as_slice(), key(2).as_bytes());

    let word = open(&pair, &word_info(), &bytes(&vectors["word_seal"]["sealed"])).unwrap();
    assert_eq!(Word::from_plaintext(&word), Some(Word::Talk));

    let more = bytes(&vectors["more"]["sealed"]);
    let text = open(&pair, &waiting_info(&r()), &more).unwrap();
    assert_eq!(text.as_slice(), bytes(&vectors["more"]["plaintext"]));
}

/// [G-21]
#[test]
fn keys_are_usable_as_committed() {
    let vectors = read("hpke");
    for change in vectors["usable_keys"].as_array().unwrap() {
        let mut public = bytes(&vectors["public"]);
        let at = usize::try_from(change["at"].as_u64().unwrap()).unwrap();
        let changed = bytes(&change["bytes"]);
        public[at..at + changed.len()].copy_from_slice(&changed);
        assert_eq!(json!(is_usable(&public)), change["usable"], "{change}");
    }
}

/// [G-2], [G-5], [G-10]
#[test]
fn committed_key_packages_are_taken() {
    let vectors = committed("mls", key_package_vectors);
    let packages = vectors["key_packages"].as_array().unwrap();
    assert!(!packages.is_empty());
    for package in packages {
        let message = bytes(&package["message"]);
        let root = key(1).public();
        let parsed = OfferedKeyPackage::parse(&message, Suite::PostQuantum, &root).unwrap();
        assert_eq!(
            parsed.leaf_key().as_bytes().as_slice(),
            bytes(&package["leaf_key"])
        );
        assert_eq!(
            parsed.welcome_secret().as_bytes().as_slice(),
            bytes(&package["welcome_secret"])
        );
        let another_root = key(9).public();
        let of_another = OfferedKeyPackage::parse(&message, Suite::PostQuantum, &another_root);
        let is_member = package["name"] == "member";
        assert_eq!(of_another.is_err(), is_member);
    }
}

/// [G-21]
#[test]
fn committed_key_packages_whose_keys_are_not_usable_are_refused() {
    let root = key(1).public();
    let parse = |message: &[u8]| OfferedKeyPackage::parse(message, Suite::PostQuantum, &root);
    for refused in read("mls")["refused"].as_array().unwrap() {
        let message = bytes(&refused["message"]);
        assert!(parse(&message).is_err(), "{}", refused["name"]);
        // With the X25519 part of another key it is taken: its signatures are not what it is refused for.
        let at = match refused["name"].as_str().unwrap() {
            "init key of small order" => INIT_KEY_AT,
            _ => LEAF_AT + 2,
        };
        let good = signed_again(&message, at, &[9; 32]);
        assert!(parse(&good).is_ok(), "{}", refused["name"]);
    }
}

/// [I-6], [I-8]
#[test]
fn reply_threads_are_decided_as_committed() {
    let vectors = read("contact");
    for thread in vectors["reply_threads"].as_array().unwrap() {
        let wanted = match thread["kind"].as_str().unwrap() {
            "first" => Wanted::Claim,
            _ => Wanted::Offer,
        };
        let mut rng = Rng::from_seed([1; 32]);
        let mut replies = Replies::new(r(), key(1).public(), key(5).public(), wanted);
        let mut standing = None;
        for (counter, reply) in (0..).zip(thread["replies"].as_array().unwrap()) {
            let slot = Slot::derive(&r(), Kind::Reply, 0, counter);
            let data = Data::Whole(bytes(&reply["cbor"])).encode();
            let cell = slot.seal(&data, [0; 24]).unwrap();
            match replies.handle_seen(&Seen::Full(slot.address(), cell), &mut rng) {
                Some(Decision::Stands { index, .. }) => standing = Some(index),
                Some(Decision::Refused { .. }) => standing = None,
                None => {}
            }
            assert_eq!(json!(standing), reply["stands"], "{}", reply["name"]);
        }
    }
}

fn intake_vectors(rng: &mut Rng) -> Value {
    let _ = rng;
    let pair = key_pair(&SEED).unwrap();
    let desk = DeskId::of(&key(1).public());
    let info = intake_info(&desk, CARD_VERSION, DAY);
    let plaintext = intake().to_plaintext().unwrap();
    let more = "Y algo más.";
    json!({
        "seed": hex(&SEED),
        "decapsulation_key": hex(&pair.private),
        "public": hex(&pair.public),
        "intake": {
            "info": hex(&info),
            "plaintext": hex(&plaintext),
            "cell": hex(&seal(&pair.public, &info, &plaintext).unwrap()),
        },
        "more": {
            "info": hex(&waiting_info(&r())),
            "plaintext": hex(more.as_bytes()),
            "sealed": hex(&seal(&pair.public, &waiting_info(&r()), more.as_bytes()).unwrap()),
        },
        "desk_key_seal": {
            "desk": hex(desk.as_bytes()),
            "info": hex(&desk_key_seal_info(&desk)),
            "plaintext": hex(key(2).as_bytes()),
            "sealed": hex(&seal(&pair.public, &desk_key_seal_info(&desk), key(2).as_bytes()).unwrap()),
        },
        "word_seal": word_vector(&pair.public),
        "usable_keys": usable_keys(&pair.public),
    })
}

fn word_vector(public: &[u8]) -> Value {
    let info = word_info();
    let plaintext = Word::Talk.to_plaintext().unwrap();
    json!({
        "author": hex(key(3).public().as_bytes()),
        "to": hex(key(4).public().as_bytes()),
        "info": hex(&info),
        "plaintext": hex(&plaintext),
        "sealed": hex(&seal(public, &info, &plaintext).unwrap()),
    })
}

fn word_info() -> Vec<u8> {
    let desk = DeskId::of(&key(1).public());
    word_seal_info(&desk, &key(3).public(), &key(4).public())
}

/// The public key with some bytes changed. [G-21]
fn usable_keys(public: &[u8]) -> Value {
    let small_order = |last: &str| json!([1184, last, false]);
    let changes = [
        json!([0, hex(&public[..3]), true]),
        json!([0, "000dd0", true]),
        json!([0, "010dd0", false]),
        json!([0, "001dd0", false]),
        json!([1149, "000dd0", true]),
        json!([1149, "ffffff", false]),
        json!([1184, "09".to_owned() + &"00".repeat(31), true]),
        small_order(&"00".repeat(32)),
        small_order(&("01".to_owned() + &"00".repeat(31))),
        small_order("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        small_order("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        small_order("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7"),
        small_order(&("ec".to_owned() + &"ff".repeat(30) + "7f")),
        small_order(&("ed".to_owned() + &"ff".repeat(30) + "7f")),
        small_order(&("ee".to_owned() + &"ff".repeat(30) + "7f")),
        small_order(&("ee".to_owned() + &"ff".repeat(31))),
    ];
    let named =
        |change: &Value| json!({ "at": change[0], "bytes": change[1], "usable": change[2] });
    changes.iter().map(named).collect()
}

fn key_package_vectors(rng: &mut Rng) -> Value {
    let person =
        |leaf| Credential::Person(PersonCredential::sign(&key(5), 1, leaf, &key(6).public()));
    let member = Credential::Member(attested());
    let packages = [
        ("member", 3, member),
        ("person, device", 6, person(PersonLeaf::Device)),
        ("person, return", 6, person(PersonLeaf::Return)),
    ];
    let packages: Vec<Value> = packages
        .iter()
        .map(|(name, seed, credential)| {
            let own = OwnKeyPackage::new(Suite::PostQuantum, &key(*seed), credential, rng).unwrap();
            json!({
                "name": name,
                "leaf_key": hex(key(*seed).public().as_bytes()),
                "welcome_secret": hex(own.welcome_secret().as_bytes()),
                "message": hex(own.message()),
            })
        })
        .collect();
    let credential = PersonCredential::sign(&key(5), 1, PersonLeaf::Device, &key(6).public());
    let credential = Credential::Person(credential);
    let own = OwnKeyPackage::new(Suite::PostQuantum, &key(6), &credential, rng).unwrap();
    let refused = [
        ("init key of small order", INIT_KEY_AT),
        ("leaf's encryption key of small order", LEAF_AT + 2),
    ];
    let refused = refused.map(|(name, at)| {
        let message = signed_again(own.message(), at, &[0; 32]);
        json!({ "name": name, "message": hex(&message) })
    });
    json!({ "key_packages": packages, "refused": refused })
}

/// Where the init key stands in a KeyPackage's MLSMessage, behind its length; then the leaf, which begins with the length of
/// its encryption key.
const INIT_KEY_AT: usize = 10;
const LEAF_AT: usize = INIT_KEY_AT + 1216;
/// Bytes of a signature with its length, and of the extensions with theirs.
const SIGNATURE: usize = 66;
const EXTENSIONS: usize = 36;

/// A KeyPackage whose encryption key at `at` ends with other bytes, and whose signatures hold.
fn signed_again(message: &[u8], at: usize, x25519: &[u8]) -> Vec<u8> {
    let mut changed = message.to_vec();
    let end = at + 1216;
    changed[end - x25519.len()..end].copy_from_slice(x25519);
    let leaf_end = changed.len() - SIGNATURE - EXTENSIONS;
    for (label, from, to) in [
        ("MLS 1.0 LeafNodeTBS", LEAF_AT, leaf_end),
        ("MLS 1.0 KeyPackageTBS", 4, changed.len()),
    ] {
        let signed = &changed[from..to - SIGNATURE];
        let length = u16::try_from(signed.len()).unwrap() | 0x4000;
        let label = [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat();
        let content = [&label, length.to_be_bytes().as_slice(), signed].concat();
        let signature = key(6).sign("", &content);
        changed[to - SIGNATURE + 2..to].copy_from_slice(signature.as_bytes());
    }
    changed
}

fn committed(name: &str, make: fn(&mut Rng) -> Value) -> Value {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let vectors = make(&mut Rng::from_seed([1; 32]));
        fs::write(file(name), format!("{vectors:#}\n")).unwrap();
    }
    read(name)
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap()
}

fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.join(format!("../protocol/vectors/{name}.json"))
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32])
}

fn r() -> ThreadSecret {
    ThreadSecret::from_bytes([0x52; 32])
}

fn intake() -> Intake {
    Intake {
        r: r(),
        person: key(5).public(),
        language: "es-MX".into(),
        kind: IntakeKind::First,
        text: "¿Alguien puede ayudarme?".into(),
    }
}

fn attested() -> Attested {
    let root: PublicKey = key(1).public();
    Attested {
        desk_key: key(1).sign_value(&DeskKey {
            root,
            key: key(2).public(),
            serial: 3,
            not_after: DAY + 30,
        }),
        attestation: key(2).sign_value(&Attestation {
            alias: "Luz".into(),
            role: Role::Accompanier,
            key: key(3).public(),
            not_after: DAY + 90,
            serial: 3,
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}
